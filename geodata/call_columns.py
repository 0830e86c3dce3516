"""Which columns of a table of past calls are which: built in for Seattle's files, or from a file.

What lives here: `CallColumns`, the built-in ones, and reading a mapping file (TOML). What does not:
the rows (`call_history`).

Names of columns are compared without capitals, spaces and punctuation, so that `CAD Event Original
Time Queued` and `CAD_Event_Original_Time_Queued` are one.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from geodata.errors import GeodataError

Names = tuple[str, ...]
"""Names that a column may have; the first that is there is taken."""


class CallFileError(GeodataError):
    """A table of past calls, or a file that says what its columns are, that cannot be used.

    Parameters
    ----------
    line
        Of a text file, from 1, where the fault is of one.
    """

    def __init__(self, said: str, line: int | None = None) -> None:
        super().__init__(said)
        self.line = line


class ColumnFileError(CallFileError):
    """A mapping file that is TOML, and wrong.

    Parameters
    ----------
    problems
        Each begins with the key that it is about, such as `columns.lat is missing`.
    """

    def __init__(self, file: Path, problems: Collection[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{file}: " + "; ".join(problems) + f". {_SEE}")


class TimeIs(StrEnum):
    """Which instant of a call the table holds."""

    RECEIVED = "RECEIVED"
    QUEUED = "QUEUED"
    DISPATCHED = "DISPATCHED"
    AT_SCENE = "AT_SCENE"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordColumns:
    """Columns of what the first unit of one agency did at a call; a table may lack any."""

    unit: Names = ()
    """Its call sign."""
    unit_lon: Names = ()
    """Where it was when it was dispatched, degrees."""
    unit_lat: Names = ()
    unit_status: Names = ()
    """Its status at that instant; AVAILABLE is free."""
    dispatched_at: Names = ()
    at_scene_at: Names = ()
    in_service_at: Names = ()
    """When it was free again."""
    dispatch_delay_s: Names = ()
    """Seconds from the instant of the call, in place of `dispatched_at`."""
    response_s: Names = ()
    """Seconds from the instant of the call, in place of `at_scene_at`."""


RECORD_KEYS: Final = tuple(field.name for field in fields(RecordColumns))
AGENCIES: Final = ("CARE", "SPD")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallColumns:
    """What the columns of one kind of table are called, and what its rows are."""

    name: str
    lon: Names
    """Degrees, WGS 84."""
    lat: Names
    at: Names
    """The instant of the call; local wall-clock time where it has no offset."""
    call_type: Names = ()
    """The CAD's text."""
    priority: Names = ()
    call_id: Names = ()
    """Rows with the same one are one call, of which the first counts."""
    time_is: TimeIs = TimeIs.QUEUED
    time_format: str | None = None
    """As `strptime` takes it; None tries ISO 8601 and the forms of Seattle's open data."""
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("America/Los_Angeles"))
    is_record: bool = False
    """Whether the rows are calls that somebody judged eligible; everything else is a proxy."""
    note: str = ""
    """What a reader of a report must know of the rows."""
    call_types: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Texts to be read instead of those of the table."""
    records: Mapping[str, RecordColumns] = field(default_factory=lambda: MappingProxyType({}))
    """What units of CARE and of SPD did, by agency."""

    @property
    def required(self) -> tuple[Names, ...]:
        """What no table may lack."""
        return self.lon, self.lat, self.at


RESPONSES_2015: Final = CallColumns(
    name="SPD 911 incident responses, 2015",
    lon=("longitude",),
    lat=("latitude",),
    at=("at_scene_time",),
    call_type=("initial_type_description",),
    time_is=TimeIs.AT_SCENE,
    note=(
        "Police responses of all kinds, not calls judged eligible; the time is that of police at "
        "the scene; no row says welfare check, which has no label of its own in this table."
    ),
)


def _public_records(agency: str, *samples: tuple[str, str]) -> RecordColumns:
    """Return the columns of an agency in the public Call Data, and those of samples of it."""
    first = f"first_{agency.lower()}_call_sign"
    return RecordColumns(
        dispatched_at=(f"{first}_dispatch_time",),
        at_scene_at=(f"{first}_at_scene_time",),
        in_service_at=(f"last_{agency.lower()}_call_sign_in_service_time",),
        dispatch_delay_s=(f"{first}_dispatch_delay_time_s", *(delay for delay, _ in samples)),
        response_s=(f"{first}_response_time_s", *(response for _, response in samples)),
    )


CALL_DATA: Final = CallColumns(
    name="Seattle public Call Data",
    lon=("dispatch_longitude", "longitude"),
    lat=("dispatch_latitude", "latitude"),
    at=("cad_event_original_time_queued", "original_time_queued"),
    call_type=("initial_call_type",),
    priority=("priority",),
    call_id=("cad_event_number", "cad_id"),
    note="Events of the police's CAD of all kinds, not calls judged eligible.",
    records=MappingProxyType(
        {
            "CARE": _public_records("CARE"),
            "SPD": _public_records("SPD", ("first_dispatch_delay", "first_response_time")),
        }
    ),
)
PLAIN: Final = CallColumns(
    name="plain names",
    lon=("lon", "lng", "longitude", "x"),
    lat=("lat", "latitude", "y"),
    at=("received_at", "queued_at", "at", "time", "timestamp", "datetime"),
    call_type=("call_type", "type"),
    priority=("priority",),
    call_id=("call_id", "incident_id", "cad_event_number", "event_id"),
    note="Nothing says that the rows are calls judged eligible.",
)
BUILT_IN: Final = (RESPONSES_2015, CALL_DATA, PLAIN)


def plain_name(column: str) -> str:
    """Return a column's name in small letters, with every run of other signs as one dash."""
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")


def columns_for(header: Collection[str]) -> CallColumns:
    """Return the built-in columns that a table's header fits.

    Raises
    ------
    CallFileError
        It fits none.
    """
    there = {plain_name(name) for name in header}
    for known in BUILT_IN:
        if all(there & set(names) for names in known.required):
            return known
    if not there:
        raise CallFileError("It is empty: there is no header.", line=1)
    nearest = min(BUILT_IN, key=lambda known: len(_missing(known, there)))
    raise CallFileError(
        f"The columns are {', '.join(header)[:300]}: none of the built-in tables "
        f"({', '.join(known.name for known in BUILT_IN)}). Nearest are the {nearest.name}, but "
        f"there is no {', and no '.join(_missing(nearest, there))}. Rename columns, or say which "
        "is which in a mapping file (docs/impact.md).",
        line=1,
    )


def _missing(known: CallColumns, there: Collection[str]) -> list[str]:
    return [" or ".join(names) for names in known.required if not set(names) & set(there)]


# -- a mapping file -------------------------------------------------------------------------------

_COLUMNS: Final = ("lon", "lat", "at", "call_type", "priority", "call_id")
_KEYS: Final = (
    "name", "time_is", "time_format", "time_zone", "is_record_of_eligible_calls", "note",
    "columns", "call_types", "records",
)  # fmt: skip
_SEE: Final = "docs/impact.md shows a whole mapping file."


def read_columns(file: Path) -> CallColumns:
    """Return the columns that a mapping file (TOML) names.

    Raises
    ------
    CallFileError
        With everything that is wrong with it.
    """
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise CallFileError(f"{file}: {problem}. {_SEE}") from None
    problems = list(_problems(raw))
    if problems:
        raise ColumnFileError(file, problems)
    named: dict[str, Any] = {key: (plain_name(name),) for key, name in raw["columns"].items()}
    chosen = {key: raw[key] for key in ("time_format", "note") if key in raw}
    texts = raw.get("call_types", {})
    return CallColumns(
        name=raw.get("name", file.stem),
        time_is=TimeIs(raw.get("time_is", TimeIs.QUEUED)),
        time_zone=ZoneInfo(raw.get("time_zone", "America/Los_Angeles")),
        is_record=raw.get("is_record_of_eligible_calls", False),
        call_types=MappingProxyType({text.strip(): known for text, known in texts.items()}),
        records=MappingProxyType(_records(raw.get("records", {}))),
        **named,
        **chosen,
    )


def _records(raw: Mapping[str, Mapping[str, str]]) -> dict[str, RecordColumns]:
    return {
        agency: RecordColumns(**{key: (plain_name(name),) for key, name in columns.items()})
        for agency, columns in raw.items()
    }


def _problems(raw: Mapping[str, Any]) -> list[str]:
    problems = [f"{key} is no key of it" for key in raw if key not in _KEYS]
    texts = ("name", "time_format", "note", "time_zone", "time_is")
    problems += [f"{k} is no text" for k in texts if not isinstance(raw.get(k, ""), str)]
    if not isinstance(raw.get("is_record_of_eligible_calls", False), bool):
        problems.append("is_record_of_eligible_calls is neither true nor false")
    if raw.get("time_is", TimeIs.QUEUED) not in tuple(TimeIs):
        problems.append(f"time_is is {raw['time_is']!r}; expected one of {', '.join(TimeIs)}")
    if not _is_zone(raw.get("time_zone", "America/Los_Angeles")):
        problems.append(f"time_zone is {raw['time_zone']!r}, which nobody knows")
    problems += _table_problems(raw, "columns", _COLUMNS)
    problems += _table_problems(raw, "call_types", None)
    problems += _record_problems(raw.get("records", {}))
    there = raw.get("columns")
    missing = [n for n in ("lon", "lat", "at") if not isinstance(there, dict) or n not in there]
    return problems + [f"columns.{name} is missing" for name in missing]


def _table_problems(raw: Mapping[str, Any], key: str, known: Collection[str] | None) -> list[str]:
    table = raw.get(key, {})
    if not isinstance(table, dict):
        return [f"{key} is no table of texts"]
    found = [f"{key}.{name} is no text" for name, v in table.items() if not isinstance(v, str)]
    if known is not None:
        found += [f"{key}.{name} is no column of a call" for name in table if name not in known]
    return found


def _record_problems(raw: object) -> list[str]:
    if not isinstance(raw, dict):
        return ["records is no table"]
    found = [f"records.{one} is no agency: CARE or SPD" for one in raw if one not in AGENCIES]
    for agency in sorted(set(raw) & set(AGENCIES)):
        key = f"records.{agency}"
        found += _table_problems({key: raw[agency]}, key, RECORD_KEYS)
        one = raw[agency] if isinstance(raw[agency], dict) else {}
        found += [
            f"{key}.{here} stands without {there}"
            for here, there in (("unit_lon", "unit_lat"), ("unit_lat", "unit_lon"))
            if here in one and there not in one
        ]
        found += [
            f"{key} has both {instant} and {seconds}"
            for instant, seconds in (
                ("dispatched_at", "dispatch_delay_s"), ("at_scene_at", "response_s"),
            )
            if instant in one and seconds in one
        ]  # fmt: skip
    return found


def _is_zone(name: object) -> bool:
    try:
        return isinstance(name, str) and ZoneInfo(name) is not None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
