"""What a study is about: the nouns of a scenario, as its file (TOML) tells them.

What lives here: frozen values, checked when made. What does not: reading the file and the data that
it names (`scenario_file`, `world`, `demand`), and every computation.

Seconds and metres by name. Every default that DOMAIN knows as an assumption is an axis of the
study: it stands in `ASSUMPTIONS` of the report with what it was set to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from api.release_lines import Path as KeyPath
from api.release_lines import line_of
from benchmarks.studies.errors import Fault, fault_of
from routing.codes import Agency

PUBLISHED_CARE_S: Final = 780.0
"""CARE's mean from dispatch to arrival, 13 minutes (CARE two-year report)."""
WITHIN_S: Final = (300.0, 480.0, 600.0, PUBLISHED_CARE_S, 900.0)
"""5, 8, 10, 13 and 15 minutes."""
ALL_DAY: Final = (time(0), time(0))
VARIATIONS: Final = "variations"
"""Key of the variations of a scenario file."""
Changes = Mapping[str, object]
"""What stands in place of the values of a scenario file, by dotted key."""


class Mode(StrEnum):
    """How a call is answered."""

    BY_POLICY = "BY_POLICY"
    """As the release says."""
    DUAL = "DUAL"
    SOLO = "SOLO"
    """CARE alone, wherever the gates of SOLO allow it."""


class Posting(StrEnum):
    """Where a unit waits for its next call."""

    STAY = "STAY"
    """Where the last one ended."""
    RETURN = "RETURN"
    """It drives back to its post, and is free on the way."""


class Spread(StrEnum):
    """Over what generated calls are spread."""

    STREETS = "STREETS"
    """Every metre of street on which an incident can be, alike."""
    AREAS = "AREAS"
    """Areas by a weight of theirs, such as tracts by people; then streets within."""
    PATTERN = "PATTERN"
    """Places of past calls, drawn again."""


class Model(StrEnum):
    """A model of where CARE should stand."""

    LSCP = "LSCP"
    """Fewest posts that cover all that can be covered."""
    MCLP = "MCLP"
    """Most demand within the standard, by a number of posts."""
    P_MEDIAN = "P_MEDIAN"
    """Least mean arrival of the pair."""
    P_CENTER = "P_CENTER"
    """Least longest arrival of the pair."""
    MEXCLP = "MEXCLP"
    """Most expected demand within the standard, when units may be busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostSite:
    """A place where units of one agency stand."""

    post_id: str
    lon: float
    lat: float
    """Degrees, WGS 84."""
    sector: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """When a group of units works, local wall-clock time; equal ends are all day."""

    start: time = ALL_DAY[0]
    end: time = ALL_DAY[1]
    days: frozenset[int] = frozenset(range(7))
    """Weekdays on which it begins, Monday 0."""
    break_s: int = 0
    """One break in the middle of the shift, when no call has the unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitGroup:
    """Units of one agency that are alike: they stand at its posts in turn, until `count`."""

    agency: Agency
    count: int
    posts: tuple[PostSite, ...]
    shifts: tuple[Shift, ...] = (Shift(),)
    """Each unit works all of them; the crew that relieves another is the same unit."""
    crew_count: int = 2
    skills: frozenset[str] = frozenset()
    posting: Posting = Posting.RETURN
    told: str = ""
    """Where the posts are from, in words for a report."""
    posts_file: Path | None = None
    """CSV that they were read from, if any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCalls:
    """Demand from a table of past calls."""

    file: Path
    told_at: KeyPath = ("demand", "care")
    """The keys of the scenario that name it."""
    mapping: Path | None = None
    layer: str | None = None
    """Of a GeoPackage with several."""
    first_day: date | None = None
    last_day: date | None = None
    call_types: tuple[str, ...] = ()
    """Texts of the types that count as CARE's, as the file has them; empty: the release says."""
    assume_type: str | None = None
    rate_factor: float = 1.0
    """Calls are thinned or repeated by it; 1 takes the table as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedCalls:
    """Demand from a rate, an hour-of-week pattern and a spread over the streets."""

    per_day: float
    """Mean calls of a day."""
    told_at: KeyPath = ("demand", "care")
    """The keys of the scenario that tell it."""
    hour_weights: tuple[float, ...] | None = None
    """By local hour of the week, Monday 00 first; only their ratios count. None: those of the
    pattern, and alike without one."""
    spread: Spread = Spread.STREETS
    areas: str | None = None
    """Name of the geography for AREAS."""
    area_weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Weight of each area for AREAS; empty: by their streets."""
    pattern: PastCalls | None = None
    """For PATTERN: places, and hours of the week unless `hour_weights` are given."""
    inside: str = "ZONE"
    """ZONE keeps to the zones of the release, CITY to the streets that are loaded."""
    priorities: tuple[float, ...] = (0.28, 0.43, 0.26, 0.03)
    """Of police jobs: weights of priority 1 to 4 (2024 sample: 270, 407, 248 and 18 events; what it
    has beyond 4 is left out)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What comes in."""

    care: PastCalls | GeneratedCalls
    police: GeneratedCalls | PastCalls | None = None
    """Background police jobs, which keep SPD units busy; None: police have no other work."""
    officer_share: float = 0.88
    """Of CARE's calls, those asked for by an officer who is on scene (2024, Crosscut)."""
    screened_out_share: float = 0.0
    """Of eligible calls, those that the call taker's screening refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long things take; means of gamma distributions with `shape` where they are drawn."""

    dispatch_delay_s: float = 60.0
    """Queued to dispatched: 40-150 s (JEMSS city models)."""
    turnout_care_s: float = 60.0
    turnout_spd_s: float = 20.0
    """*Assumptions*; part of every arrival."""
    scene_safe_s: float = 750.0
    """SPD on scene until the scene is safe: 10-15 min, study range 5-30 (*assumption*)."""
    care_on_scene_s: float = 34 * 60.0
    """CARE on scene, of calls without transport (CARE two-year report: mean call length 34 min)."""
    transport_share: float = 0.28
    """(CARE two-year report.)"""
    facility_s: float = 900.0
    """At the facility, after the drive there (*assumption*)."""
    facility: tuple[float, float] | None = None
    """lon, lat; None: `transport_drive_s` in place of a drive."""
    transport_drive_s: float = 600.0
    spd_without_care_s: float = 2250.0
    """SPD on scene without CARE: 30-45 min (*assumption*, press): the counterfactual."""
    spd_units_without_care: float = 1.0
    police_job_s: float = 1800.0
    """On scene, of background police work (*assumption*)."""
    police_two_units_share: float = 0.17
    """Jobs that take two units (2024 sample: 17 % of P3, 46 % of P2)."""
    shape: float = 2.0
    """Of the gamma distributions: 1 is exponential, large is constant."""
    speed_factor: float = 1.0
    """Times the drive times; 1.1 is 10 % slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageSpec:
    """What `study coverage` measures."""

    within_s: tuple[float, ...] = WITHIN_S
    hours: tuple[int, ...] = (37,)
    """Hours of the week whose drive times count, Monday 00 = 0; 37 is Tuesday 13:00."""
    by: tuple[str, ...] = ("zone",)
    """Geographies: zone, beat, precinct, tract, or a name in `areas`."""
    isochrones_s: tuple[float, ...] = (300.0, 600.0, 900.0)
    recorded_positions: Path | None = None
    """CSV of agency, unit_id, lon, lat, at: in place of posts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SitingSpec:
    """What `study siting` looks for."""

    models: tuple[Model, ...] = tuple(Model)
    posts: tuple[int, ...] = (1, 2, 3, 4, 5)
    """Numbers of CARE posts tried."""
    within_s: float = PUBLISHED_CARE_S
    candidates: Path | None = None
    """CSV of post_id, lon, lat; None: a grid of street places."""
    candidates_max: int = 300
    demand_points_max: int = 900
    busy: float | None = None
    """Busy probability of a CARE unit for MEXCLP; None: from the workload."""
    seconds_max: float = 60.0
    """Wall clock of one model and number; the gap that is left is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSpec:
    """How `study simulate` runs."""

    days: int = 364
    warm_up_days: int = 1
    replications: int = 10
    first_day: date = date(2026, 1, 5)
    """A Monday."""
    confidence: float = 0.95
    within_s: float = PUBLISHED_CARE_S
    """The standard of the coverage that is left behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One of the scenarios that `study compare` puts side by side: the base with other values."""

    name: str
    changes: Changes = field(default_factory=lambda: MappingProxyType({}))
    """By key of the file, such as `units.CARE.count`."""


def without_variations(changes: Changes) -> dict[str, object]:
    """Return changes after which a scenario has no variations, in the order of their keys."""
    own = {key: value for key, value in changes.items() if key.split(".")[0] != VARIATIONS}
    return dict(sorted({**own, VARIATIONS: None}.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that a study is made of, but the data that it names."""

    file: Path
    sha256: str
    """Of the file's bytes."""
    name: str
    seed: int = 1
    network: Path | None = None
    """Folder by `tandem network build`, or an OSM extract; None: the built-in schematic."""
    driving: Path | None = None
    """Driving figures (TOML), as `tandem serve --driving` takes them; None: the built-in ones."""
    release: Path | None = None
    """None: the pilot's."""
    zones: Path | None = None
    """GeoJSON in place of the release's zones."""
    window: tuple[time, time] | None = None
    """In place of the hours of every policy."""
    mode: Mode = Mode.BY_POLICY
    closures: Path | None = None
    """GeoJSON of closures that hold during all of the study (`docs/closures.md`)."""
    areas: Mapping[str, tuple[Path, str]] = field(default_factory=lambda: MappingProxyType({}))
    """GeoJSON and the field with the name, by geography: beat, precinct, tract ..."""
    units: tuple[UnitGroup, ...]
    demand: Demand
    durations: Durations = field(default_factory=Durations)
    coverage: CoverageSpec = field(default_factory=CoverageSpec)
    siting: SitingSpec = field(default_factory=SitingSpec)
    simulation: SimulationSpec = field(default_factory=SimulationSpec)
    variations: tuple[Variation, ...] = ()
    attribution: tuple[str, ...] = ()
    """Sources that the report names."""
    told: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """The file as read, for the manifest."""
    lines: Mapping[KeyPath, int] = field(
        default_factory=lambda: MappingProxyType({}), repr=False, compare=False
    )
    """Of its keys, for faults that are found when the data is read."""

    def group(self, agency: Agency) -> tuple[UnitGroup, ...]:
        """Return the groups of one agency."""
        return tuple(one for one in self.units if one.agency is agency)

    def fault(self, path: KeyPath, message: str, remedy: str) -> Fault:
        """Return what is wrong with a key, with its line or that of the nearest thing around it."""
        line = line_of(path, self.lines) if self.lines else None
        return fault_of(self.file, dotted(path), message, remedy, line=line)


def dotted(path: KeyPath) -> str:
    """Return keys as messages write them, such as `units.SPD[1].count`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
