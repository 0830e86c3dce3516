"""From the bytes of a body to a request, leniently for units and strictly for the incident.

One bad unit, or one bad field of a unit, never fails the rest (rule 12): what is bad is left out
(`mending`), with a warning that carries its JSON pointer. What cannot be left out without changing
which call is decided is refused with 422.

Mended are: rows of `units`, `competing`, `incident.assigned`, `incident.overrides` and
`exclude_unit_ids`, their optional fields, `options`, `operator`, `request_id`, and of the incident
only its location's `source` and `uncertainty_m`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from api.cad_statuses import with_our_statuses
from api.mending import LeftOut, Leniency, Location, optional_fields, pointer, read_leniently
from api.request_schemas import (
    AssignedEntry,
    CompetingEntry,
    Entry,
    IncidentEntry,
    OperatorEntry,
    OptionsEntry,
    OverrideEntry,
    RecommendRequest,
    UnitEntry,
)
from api.validation_words import problem_of
from routing.codes import Status

WARNINGS_MAX: Final = 200
UNKNOWN_FIELDS_MAX: Final = 20

_STATUSES: Final = frozenset(Status)
NO_WORDS: Final[Mapping[str, Status]] = MappingProxyType({})
TOKEN: Final = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWarning:
    """Something that was mended, ignored or doubtful, and where."""

    code: str
    path: str
    detail: str


class ReadRequest(Struct, frozen=True, kw_only=True):
    """A request that can be decided, with all that was done to make it so."""

    request: RecommendRequest
    unit_rows: tuple[int, ...]
    """For each unit of the request, its row in the list as it was sent."""
    warnings: tuple[RequestWarning, ...]


def read_request(body: bytes, status_of: Mapping[str, Status] = NO_WORDS) -> ReadRequest:
    """Read a body; `status_of` are the CAD's own words for statuses, `Release.status_of`.

    Raises
    ------
    InvalidRequest
        The body is not JSON, or the incident itself cannot be understood.
    """
    request, gone = read_leniently(RecommendRequest, body, _LENIENCY)
    warnings = [warning_of(part, _LENIENCY) for part in gone]
    if request.units or request.incident.assigned:
        request = with_our_statuses(request, status_of)
    rows: tuple[int, ...] = ()
    if request.units:
        units, rows, found = usable_units(request.units, gone)
        if units is not request.units:
            request = request.model_copy(update={"units": units})
        warnings += found
    warnings += unknown_fields(_entries(request, rows))
    return ReadRequest(request=request, unit_rows=rows, warnings=bounded(warnings))


def bounded(warnings: Sequence[RequestWarning]) -> tuple[RequestWarning, ...]:
    """Return at most WARNINGS_MAX warnings; the last then says how many more there were."""
    if len(warnings) <= WARNINGS_MAX:
        return tuple(warnings)
    more = len(warnings) - WARNINGS_MAX + 1
    cut = RequestWarning(code="WARNINGS_CUT", path="", detail=f"{more} more warnings left out")
    return (*warnings[: WARNINGS_MAX - 1], cut)


# -- what may be mended ---------------------------------------------------------------------------

_ROWS: Final[dict[Location, tuple[str, type[Entry] | None]]] = {
    ("units",): ("UNIT", UnitEntry),
    ("competing",): ("COMPETING", CompetingEntry),
    ("incident", "assigned"): ("ASSIGNED", AssignedEntry),
    ("incident", "overrides"): ("OVERRIDE", OverrideEntry),
    ("exclude_unit_ids",): ("EXCLUDED", None),
}
"""The lists whose rows stand alone: the first word of their warnings, and their model."""

_LENIENCY: Final = Leniency(
    rows=_ROWS,
    mendable=frozenset(
        chain(
            ((*at, "*") for at in _ROWS),
            *(optional_fields(model, (*at, "*")) for at, (_, model) in _ROWS.items() if model),
            optional_fields(OptionsEntry, ("options",)),
            (("options",), ("operator",), ("request_id",)),
            (("incident", "location", "source"), ("incident", "location", "uncertainty_m")),
        )
    ),
)


def warning_of(left_out: LeftOut, leniency: Leniency) -> RequestWarning:
    """Name what was left out: a whole row, or a field of it or of the request."""
    part, fault = left_out.part, left_out.fault
    kind = leniency.kind_of(part)
    problem = problem_of(fault, pointer(fault["loc"][len(part) :]))
    said = f"left out: {problem.path} {problem.detail}".replace(":  ", ": ")
    if part[-1] == "status":
        said += "; read as UNKNOWN"
    end = "ENTRY_LEFT_OUT" if leniency.is_row(part) else "ENTRY_DEGRADED"
    code = f"{kind}_{end}" if kind else "REQUEST_FIELD_LEFT_OUT"
    return RequestWarning(code=code, path=pointer(part), detail=said)


# -- statuses, doubles and unknown fields --------------------------------------------------------


def usable_units(
    units: list[UnitEntry], gone: Sequence[LeftOut]
) -> tuple[list[UnitEntry], tuple[int, ...], list[RequestWarning]]:
    """Return one entry of each unit, the row of each as it was sent, and what is to be said."""
    rows = rows_left("units", len(units), gone)
    warnings = unknown_statuses(units, rows)
    kept, doubles = one_entry_each(units, rows)
    if doubles:
        units, rows = [units[i] for i in kept], tuple([rows[i] for i in kept])
    return units, rows, warnings + doubles


def rows_left(name: str, n_left: int, gone: Sequence[LeftOut]) -> tuple[int, ...]:
    """Return the rows of a list, as it was sent, that were not left out of it."""
    left_out = {int(at.part[1]) for at in gone if at.part[0] == name and len(at.part) == 2}
    return tuple([row for row in range(n_left + len(left_out)) if row not in left_out])


def unknown_statuses(units: Sequence[UnitEntry], rows: Sequence[int]) -> list[RequestWarning]:
    """Name the units whose status is none of ours; every CAD has some of its own."""
    return [
        RequestWarning(
            code="UNIT_ENTRY_DEGRADED",
            path=pointer(("units", row, "status")),
            detail=f"unknown status {shown(unit.status)} read as UNKNOWN",
        )
        for row, unit in zip(rows, units, strict=True)
        if unit.status not in _STATUSES
    ]


def shown(word: str) -> str:
    """Return a code word as it was sent, or nothing of it when it is not one."""
    return word if TOKEN.fullmatch(word) else "(not a code word)"


def one_entry_each(
    units: Sequence[UnitEntry], rows: Sequence[int]
) -> tuple[list[int], list[RequestWarning]]:
    """Return which units to keep, the highest version of each, then the first; name the others."""
    best: dict[str, int] = {}
    for i, unit in enumerate(units):
        kept = best.setdefault(unit.unit_id, i)
        if kept != i and (unit.version or 0) > (units[kept].version or 0):
            best[unit.unit_id] = i
    if len(best) == len(units):
        return list(range(len(units))), []
    warnings = [
        RequestWarning(
            code="UNIT_ENTRY_LEFT_OUT",
            path=pointer(("units", rows[i])),
            detail=f"same unit_id as /units/{rows[best[unit.unit_id]]}, which is used: "
            "the highest version, then the first",
        )
        for i, unit in enumerate(units)
        if best[unit.unit_id] != i
    ]
    return sorted(best.values()), warnings


def unknown_fields(entries: Iterable[tuple[Location, Entry]]) -> list[RequestWarning]:
    """Name each unknown key once, at its first place, with the number of places."""
    entries = list(entries)
    if not entries:
        return []
    places: dict[Location, Location] = {}
    times: Counter[Location] = Counter()
    for at, entry in entries:
        for key in entry.__pydantic_extra__ or ():
            name = key if KEY.fullmatch(key) else "?"
            pattern = (*("*" if isinstance(part, int) else part for part in at), name)
            places.setdefault(pattern, (*at, name))
            times[pattern] += 1
    return [
        RequestWarning(
            code="UNKNOWN_FIELD",
            path=pointer(place),
            detail=f"not part of the contract and not used; places: {times[pattern]}",
        )
        for pattern, place in list(places.items())[:UNKNOWN_FIELDS_MAX]
    ]


def _entries(request: RecommendRequest, rows: Sequence[int]) -> Iterator[tuple[Location, Entry]]:
    """Yield the parts of a request that have unknown keys, each with its place in the body."""
    yield from entries_beside(request, request.operator, request.options, request.competing)
    yield from entries_of_incident(("incident",), request.incident)
    for row, unit in zip(rows, request.units or (), strict=True):
        yield from entries_of_unit(("units", row), unit)


def entries_beside(
    request: Entry,
    operator: OperatorEntry | None,
    options: OptionsEntry,
    competing: Sequence[CompetingEntry],
) -> Iterator[tuple[Location, Entry]]:
    """Yield the parts beside calls and units that have unknown keys, each with its place."""
    if request.__pydantic_extra__:
        yield (), request
    if operator is not None and operator.__pydantic_extra__:
        yield ("operator",), operator
    if options.__pydantic_extra__:
        yield ("options",), options
    for i, need in enumerate(competing):
        if need.__pydantic_extra__:
            yield ("competing", i), need


def entries_of_incident(at: Location, incident: IncidentEntry) -> Iterator[tuple[Location, Entry]]:
    """Yield the parts of a call that have unknown keys, each with its place in the body."""
    if incident.__pydantic_extra__:
        yield at, incident
    if incident.location.__pydantic_extra__:
        yield (*at, "location"), incident.location
    if incident.screening is not None and incident.screening.__pydantic_extra__:
        yield (*at, "screening"), incident.screening
    lists: tuple[tuple[str, Sequence[Entry]], ...] = (
        ("assigned", incident.assigned),
        ("overrides", incident.overrides),
    )
    for name, items in lists:
        for i, item in enumerate(items):
            if item.__pydantic_extra__:
                yield (*at, name, i), item


def entries_of_unit(at: Location, unit: UnitEntry) -> Iterator[tuple[Location, Entry]]:
    """Yield the parts of a unit that have unknown keys, each with its place in the body."""
    home, position = unit.home, unit.position
    if unit.__pydantic_extra__:
        yield at, unit
    if home is not None and home.__pydantic_extra__:
        yield (*at, "home"), home
    if position is not None and position.__pydantic_extra__:
        yield (*at, "position"), position
