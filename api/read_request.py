"""From the bytes of a body to a request, leniently for units and strictly for the incident.

One bad unit, or one bad field of a unit, never fails the rest (rule 12): the body is checked as a
whole by pydantic's compiled core, and only when that finds fault are the places it names mended,
each with a warning that carries its JSON pointer, and the body checked again. What cannot be left
out without changing which call is decided is refused with 422.

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
from typing import Any, Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from api.cad_statuses import with_our_statuses
from api.errors import InvalidRequest
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

MENDS_MAX: Final = 5_000
"""More faults than this and the body is refused: the sender has another format in mind."""
WARNINGS_MAX: Final = 200
UNKNOWN_FIELDS_MAX: Final = 20

Location = tuple[int | str, ...]
_Mended = tuple[RecommendRequest, list["RequestWarning"], set[int]]
"""A request that passes, what was left out of it, and which rows of `units` among that."""
LEFT_OUT: Final = object()
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
    try:
        request = RecommendRequest.model_validate_json(body)
        warnings, left_out = list[RequestWarning](), set[int]()
    except ValidationError as error:
        request, warnings, left_out = _mend(body, error)
    request = with_our_statuses(request, status_of)
    rows: tuple[int, ...] = ()
    if request.units:
        sent = len(request.units) + len(left_out)
        rows = tuple([row for row in range(sent) if row not in left_out])
        warnings += _unknown_statuses(request, rows)
        request, rows, doubles = _one_entry_each(request, rows)
        warnings += doubles
    warnings += _unknown_fields(request, rows)
    return ReadRequest(request=request, unit_rows=rows, warnings=bounded(warnings))


def bounded(warnings: Sequence[RequestWarning]) -> tuple[RequestWarning, ...]:
    """Return at most WARNINGS_MAX warnings; the last then says how many more there were."""
    if len(warnings) <= WARNINGS_MAX:
        return tuple(warnings)
    more = len(warnings) - WARNINGS_MAX + 1
    cut = RequestWarning(code="WARNINGS_CUT", path="", detail=f"{more} more warnings left out")
    return (*warnings[: WARNINGS_MAX - 1], cut)


def pointer(location: Iterable[int | str]) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


# -- what may be mended ---------------------------------------------------------------------------

_ROWS: Final[dict[Location, tuple[str, type[Entry] | None]]] = {
    ("units",): ("UNIT", UnitEntry),
    ("competing",): ("COMPETING", CompetingEntry),
    ("incident", "assigned"): ("ASSIGNED", AssignedEntry),
    ("incident", "overrides"): ("OVERRIDE", OverrideEntry),
    ("exclude_unit_ids",): ("EXCLUDED", None),
}
"""The lists whose rows stand alone: the first word of their warnings, and their model."""


def _optional_fields(model: type[Entry], at: Location) -> Iterator[Location]:
    """Yield where the optional fields of a model are, through its parts; '*' is any list item."""
    for name, field in model.model_fields.items():
        if not field.is_required():
            yield (*at, name)
            yield (*at, name, "*")
            for part in (field.annotation, *get_args(field.annotation)):
                if isinstance(part, type) and issubclass(part, Entry):
                    yield from _optional_fields(part, (*at, name))


_MENDABLE: Final[frozenset[Location]] = frozenset(
    chain(
        ((*at, "*") for at in _ROWS),
        *(_optional_fields(model, (*at, "*")) for at, (_, model) in _ROWS.items() if model),
        _optional_fields(OptionsEntry, ("options",)),
        (("options",), ("operator",), ("request_id",)),
        (("incident", "location", "source"), ("incident", "location", "uncertainty_m")),
    )
)


def _mendable_part(location: Location) -> Location | None:
    """Return the longest part of a location that may be left out, or None."""
    pattern = tuple("*" if isinstance(part, int) else part for part in location)
    for length in range(len(location), 0, -1):
        if pattern[:length] in _MENDABLE:
            return location[:length]
    return None


# -- mending --------------------------------------------------------------------------------------


def _mend(body: bytes, error: ValidationError) -> _Mended:
    """Leave out what the checks named and check again."""
    if error.error_count() > MENDS_MAX:
        raise InvalidRequest(
            f"The body has {error.error_count()} faults; at most {MENDS_MAX} are mended.",
            remedy="Compare it with the example in GET /openapi.json.",
        )
    faults = error.errors(include_url=False, include_input=False)
    parts = _parts_to_leave_out(faults)
    raw = from_json(body)
    warnings = [_leave_out(raw, part, fault) for part, fault in parts.items()]
    left_out = {row for row, unit in enumerate(raw.get("units") or ()) if unit is LEFT_OUT}
    marked = [_value_at(raw, part[:-1]) for part in parts if isinstance(part[-1], int)]
    for items in marked:
        items[:] = [item for item in items if item is not LEFT_OUT]
    try:
        return RecommendRequest.model_validate_json(to_json(raw)), warnings, left_out
    except ValidationError as again:
        raise _refusal(again.errors(include_url=False, include_input=False)) from None


def _parts_to_leave_out(faults: Sequence[ErrorDetails]) -> dict[Location, ErrorDetails]:
    """Return what to leave out, each with the first fault found in it; parts of parts are gone."""
    refused = [fault for fault in faults if _mendable_part(fault["loc"]) is None]
    if refused:
        raise _refusal(refused)
    parts: dict[Location, ErrorDetails] = {}
    for fault in faults:
        part = _mendable_part(fault["loc"])
        assert part is not None
        parts.setdefault(part, fault)
    return {
        part: fault
        for part, fault in parts.items()
        if not any(part[:length] in parts for length in range(1, len(part)))
    }


def _refusal(faults: Sequence[ErrorDetails]) -> InvalidRequest:
    problems = tuple(problem_of(fault, pointer(fault["loc"])) for fault in faults)
    first = problems[0]
    return InvalidRequest(
        f"{first.path or 'The body'}: {first.detail}.", remedy=first.remedy, problems=problems
    )


def _value_at(raw: Any, location: Location) -> Any:
    """Return the value at a location that the checks named, so that it exists."""
    for part in location:
        raw = raw[part]
    return raw


def _leave_out(raw: Any, part: Location, fault: ErrorDetails) -> RequestWarning:
    """Take one part out of the parsed body (list items are only marked) and say so."""
    holder, name = _value_at(raw, part[:-1]), part[-1]
    if isinstance(name, int):
        holder[name] = LEFT_OUT
    else:
        del holder[name]
    return _warning(part, fault)


def _warning(part: Location, fault: ErrorDetails) -> RequestWarning:
    """Name what was left out: a whole row, or a field of it or of the request."""
    kind = next((kind for at, (kind, _) in _ROWS.items() if part[: len(at)] == at), "REQUEST")
    whole_row = isinstance(part[-1], int) and part[:-1] in _ROWS
    problem = problem_of(fault, pointer(fault["loc"][len(part) :]))
    said = f"left out: {problem.path} {problem.detail}".replace(":  ", ": ")
    if part[-1] == "status":
        said += "; read as UNKNOWN"
    end = "ENTRY_LEFT_OUT" if whole_row else "ENTRY_DEGRADED"
    code = f"{kind}_{end}" if kind != "REQUEST" else "REQUEST_FIELD_LEFT_OUT"
    return RequestWarning(code=code, path=pointer(part), detail=said)


# -- statuses, doubles and unknown fields --------------------------------------------------------


def _unknown_statuses(request: RecommendRequest, rows: Sequence[int]) -> list[RequestWarning]:
    """Name the units whose status is none of ours; every CAD has some of its own."""
    return [
        RequestWarning(
            code="UNIT_ENTRY_DEGRADED",
            path=pointer(("units", row, "status")),
            detail=f"unknown status {shown(unit.status)} read as UNKNOWN",
        )
        for row, unit in zip(rows, request.units or (), strict=True)
        if unit.status not in _STATUSES
    ]


def shown(word: str) -> str:
    """Return a code word as it was sent, or nothing of it when it is not one."""
    return word if TOKEN.fullmatch(word) else "(not a code word)"


def _one_entry_each(
    request: RecommendRequest, rows: tuple[int, ...]
) -> tuple[RecommendRequest, tuple[int, ...], list[RequestWarning]]:
    """Keep one entry of each unit: the highest version, then the first in the list."""
    units = request.units or []
    best: dict[str, int] = {}
    for i, unit in enumerate(units):
        kept = best.setdefault(unit.unit_id, i)
        if kept != i and (unit.version or 0) > (units[kept].version or 0):
            best[unit.unit_id] = i
    if len(best) == len(units):
        return request, rows, []
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
    keep = sorted(best.values())
    chosen = request.model_copy(update={"units": [units[i] for i in keep]})
    return chosen, tuple(rows[i] for i in keep), warnings


def _unknown_fields(request: RecommendRequest, rows: Sequence[int]) -> list[RequestWarning]:
    """Name each unknown key once, at its first place, with the number of places."""
    entries = list(_entries(request, rows))
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
        home, position = unit.home, unit.position
        if unit.__pydantic_extra__:
            yield ("units", row), unit
        if home is not None and home.__pydantic_extra__:
            yield ("units", row, "home"), home
        if position is not None and position.__pydantic_extra__:
            yield ("units", row, "position"), position
