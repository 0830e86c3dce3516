"""A release file, key by key, as a city writes it; docs/release.md says what each key means.

What lives here: the shape, the type and the range of every key by itself. What does not: what the
keys have to do with each other (`release_policies`, `release_zones`, `release_file`), and what they
mean for a call (`routing`). Every key of a policy may be left out, because a policy may inherit it.
"""

import re
from datetime import time
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
)
from pydantic_core import PydanticCustomError

from api.request_schemas import ID_PATTERN
from geodata.zones import ZoneKind
from routing.codes import Gate, PositionBasis, Question, Status
from routing.policy import UNITS_PER_KIND_MAX, Area, OnNoCare, OnNoSpd, SpdScope

ZONES_MAX: Final = 1_000
"""Zones written in the release file itself; a file of zones may hold more."""
POLICIES_MAX: Final = 100
KINDS_MAX: Final = 1_000
TEXTS_PER_KIND_MAX: Final = 5_000
STATUSES_MAX: Final = 1_000
PRECINCTS_MAX: Final = 100
SECTORS_MAX: Final = 1_000
WINDOWS_MAX: Final = 14
SKILLS_MAX: Final = 32
CREW_MAX: Final = 20
DAY_S: Final = 86_400

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ModeName = Literal["DUAL", "CARE_ONLY_ADD", "SPD_ADD", "SOLO", "SPD_ONLY"]
"""Modes that units are sent in; BY_POLICY and REFER send none by themselves."""
AskableName = Literal["DUAL", "CARE_ONLY_ADD", "SPD_ADD", "SOLO"]
EscalationRole = Literal["DISPATCHER", "SUPERVISOR", "SPD_SERGEANT"]

_CLOCK: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
MIDNIGHT: Final = "24:00"


def clock_time(text: str) -> time:
    """Return '11:00' as a time of day; '24:00' is midnight."""
    hour, minute = text.split(":")
    return time(int(hour) % 24, int(minute))


def _clock(text: str) -> str:
    if not _CLOCK.fullmatch(text):
        raise PydanticCustomError(
            "clock",
            "expected a time of day from 00:00 to 23:59",
            {"remedy": 'Write it as "HH:MM"; the end of a day is "24:00" in `to`.'},
        )
    return text


def _closing(text: str) -> str:
    return text if text == MIDNIGHT else _clock(text)


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise PydanticCustomError(
            "time_zone",
            "expected the name of a time zone",
            {"remedy": 'Write it as the tz database does, such as "America/Los_Angeles".'},
        ) from None
    return name


def _spread(pair: list[float]) -> list[float]:
    if not (len(pair) == 2 and 0 < pair[0] <= 1 <= pair[1] <= 10):
        raise PydanticCustomError(
            "spread",
            "expected two shares of the arrival, the least (above 0, at most 1) and the most "
            "(1 to 10)",
            {"remedy": "Write it such as [0.80, 1.25]."},
        )
    return pair


def _point(pair: list[float]) -> list[float]:
    if len(pair) != 2:
        raise PydanticCustomError(
            "point", "expected two numbers", {"remedy": "Write [lon, lat] in degrees."}
        )
    if not (abs(pair[0]) <= 180 and abs(pair[1]) <= 90):
        raise PydanticCustomError(
            "point",
            "expected degrees, longitude first",
            {"remedy": "Write [lon, lat] in WGS 84 degrees: near [-122.3, 47.6] in Seattle."},
        )
    return pair


Word = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Label = Annotated[str, Field(min_length=1, max_length=200, pattern=ID_PATTERN)]
Clock = Annotated[str, AfterValidator(_clock)]
Closing = Annotated[str, AfterValidator(_closing)]
Spread = Annotated[list[float], AfterValidator(_spread)]
Point = Annotated[list[float], AfterValidator(_point)]
Ring = Annotated[list[Point], Field(min_length=3, max_length=100_000)]
Seconds = Annotated[int, Field(ge=0, le=DAY_S)]
PositiveSeconds = Annotated[int, Field(ge=1, le=DAY_S)]
Units = Annotated[int, Field(ge=0, le=1_000)]
Version = Annotated[int, Field(ge=1, le=2**53 - 1)]
Precedence = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


NotStrict: Final = Field(strict=False)
"""For enumerations, of which a file knows the words alone."""
ZoneKindWord = Annotated[ZoneKind, NotStrict]
GateWord = Annotated[Gate, NotStrict]
QuestionWord = Annotated[Question, NotStrict]
StatusWord = Annotated[Status, NotStrict]


class Part(BaseModel):
    """What all tables of a release file share."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, validate_by_alias=True
    )


class ZonePart(Part):
    """One entry of `[[zones]]`."""

    zone_id: Label
    name: Label | None = None
    kind: ZoneKindWord = ZoneKind.BASE
    precedence: Precedence = 0
    policy_id: Word | None = None
    outline: Ring
    holes: Annotated[list[Ring], Field(max_length=1_000)] = []


class WindowPart(Part):
    """One entry of `windows`."""

    days: Annotated[list[Day], Field(min_length=1, max_length=7)] | None = None
    opens: Clock = Field(alias="from")
    closes: Closing = Field(alias="to")


class CallTypesPart(Part):
    """`call_types` of a policy."""

    eligible: Annotated[list[Word], Field(max_length=KINDS_MAX)] | None = None
    texts: (
        Annotated[
            dict[Word, Annotated[list[Label], Field(max_length=TEXTS_PER_KIND_MAX)]],
            Field(max_length=KINDS_MAX),
        ]
        | None
    ) = None


class RequirementPart(Part):
    """`CARE` or `SPD` of a mode."""

    units: Annotated[int, Field(ge=1, le=UNITS_PER_KIND_MAX)] | None = None
    min_crew: Annotated[int, Field(ge=1, le=CREW_MAX)] | None = None
    required_skills: Annotated[list[Word], Field(max_length=SKILLS_MAX)] | None = None
    preferred_skills: Annotated[dict[Word, Seconds], Field(max_length=SKILLS_MAX)] | None = None


class ModePart(Part):
    """One table of `modes`."""

    area: Annotated[Area, NotStrict] | None = None
    gates: list[GateWord] | None = None
    refuses_yes: list[QuestionWord] | None = None
    refuses_unknown: list[QuestionWord] | None = None
    care: RequirementPart | None = Field(None, alias="CARE")
    spd: RequirementPart | None = Field(None, alias="SPD")


class PolicyPart(Part):
    """One table of `policies`: what it says itself; the rest it inherits, or has by default."""

    inherits: Word | None = None

    time_zone: Annotated[str, AfterValidator(_time_zone)] | None = None
    windows: Annotated[list[WindowPart], Field(min_length=1, max_length=WINDOWS_MAX)] | None = None
    call_types: CallTypesPart | None = None
    modes: dict[ModeName, ModePart] | None = None

    by_policy_mode: AskableName | None = None
    officer_mode: AskableName | None = None
    hold_before_opening_max_s: Seconds | None = None
    on_no_care: Annotated[OnNoCare, NotStrict] | None = None
    on_no_spd: Annotated[OnNoSpd, NotStrict] | None = None
    escalate_after_s: Seconds | None = None
    escalate_to: EscalationRole | None = None
    valid_for_s: PositiveSeconds | None = None
    min_gain_s: Seconds | None = None

    spd_scope: Annotated[SpdScope, NotStrict] | None = None
    reserve_per_sector: Units | None = None
    reserve_of_sector: Annotated[dict[Word, Units], Field(max_length=SECTORS_MAX)] | None = None

    turnout_care_s: Seconds | None = None
    turnout_spd_s: Seconds | None = None
    shift_guard_s: Seconds | None = None
    mean_service_s: PositiveSeconds | None = None
    scene_safe_after_s: Seconds | None = None
    stage_short_m: Annotated[float, Field(ge=0, le=2_000)] | None = None

    avl_fresh_s: Seconds | None = None
    avl_aged_s: Seconds | None = None
    future_fix_s: Seconds | None = None
    arrival_spread: dict[Annotated[PositionBasis, NotStrict], Spread] | None = None
    straight_line_spread: Spread | None = None
    unknown_position_drive_s: Seconds | None = None

    snap_warn_m: Annotated[float, Field(gt=0, le=10_000)] | None = None
    snap_refuse_m: Annotated[float, Field(gt=0, le=10_000)] | None = None
    detour_factor: Annotated[float, Field(ge=1, le=5)] | None = None
    straight_line_mps: Annotated[float, Field(gt=0, le=60)] | None = None


class ReleasePart(Part):
    """The whole file, but for the zones and policies, which are read one by one."""

    release_id: Word | None = None
    effective_at: AwareDatetime | None = None
    zone_version: Version = 1
    policy_version: Version = 1
    city_policy: Word | None = None
    edge_tolerance_m: Annotated[float, Field(ge=0, le=100)] = 0.0
    zones_file: Label | None = None
    zones: Annotated[list[object], Field(max_length=ZONES_MAX)] = []
    policies: Annotated[dict[Word, object], Field(max_length=POLICIES_MAX)] = {}
    cad_statuses: Annotated[dict[Label, StatusWord], Field(max_length=STATUSES_MAX)] = {}
    precincts: Annotated[
        dict[Word, Annotated[list[Word], Field(max_length=SECTORS_MAX)]],
        Field(max_length=PRECINCTS_MAX),
    ] = {}
