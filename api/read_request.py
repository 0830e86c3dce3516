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

from api.cad_statuses import with_our_statuses
from api.mending import LeftOut, Leniency, Location, optional_fields, pointer, read_leniently
from api.request_schemas import (
    AssignedEntry,
    CompetingEntry,
    Entry,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
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
    request = with_our_statuses(request, status_of)
    rows: tuple[int, ...] = ()
    if request.units:
        left_out = {int(at.part[1]) for at in gone if at.part[0] == "units" and len(at.part) == 2}
        sent = len(request.units) + len(left_out)
        rows = tuple([row for row in range(sent) if row not in left_out])
        warnings += unknown_statuses(request.units, rows)
        kept, doubles = one_entry_each(request.units, rows)
        if doubles:
            units = [request.units[i] for i in kept]
            request = request.model_copy(update={"units": units})
            rows = tuple([rows[i] for i in kept])
            warnings += doubles
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
    incident = request.incident
    single: tuple[tuple[Location, Entry | None], ...] = (
        ((), request),
        (("operator",), request.operator),
        (("incident",), incident),
        (("incident", "location"), incident.location),
        (("incident", "screening"), incident.screening),
        (("options",), request.options),
    )
    for at, entry in single:
        if entry is not None and entry.__pydantic_extra__:
            yield at, entry
    lists: tuple[tuple[Location, Sequence[Entry]], ...] = (
        (("competing",), request.competing),
        (("incident", "assigned"), incident.assigned),
        (("incident", "overrides"), incident.overrides),
    )
    for at, items in lists:
        for i, item in enumerate(items):
            if item.__pydantic_extra__:
                yield (*at, i), item
    for row, unit in zip(rows, request.units or (), strict=True):
        yield from entries_of_unit(("units", row), unit)


def entries_of_unit(at: Location, unit: UnitEntry) -> Iterator[tuple[Location, Entry]]:
    """Yield the parts of a unit that have unknown keys, each with its place in the body."""
    home, position = unit.home, unit.position
    if unit.__pydantic_extra__:
        yield at, unit
    if home is not None and home.__pydantic_extra__:
        yield (*at, "home"), home
    if position is not None and position.__pydantic_extra__:
        yield (*at, "position"), position
