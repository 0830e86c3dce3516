"""From the bytes of a body to the calls of a batch: one bad call never fails the others.

Units and what stands beside the calls are read as for one call (`read_request`). A call is read as
strictly as a single one, and one that cannot be understood, or whose place cannot be meant, is left
out and named. The body is refused when no call is left.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from api.batch_schemas import RecommendBatchRequest
from api.cad_statuses import batch_with_our_statuses
from api.errors import InvalidRequest, Problem
from api.mending import LeftOut, Leniency, Location, optional_fields, pointer, read_leniently
from api.operations import require_place
from api.read_request import (
    NO_WORDS,
    RequestWarning,
    entries_beside,
    entries_of_incident,
    entries_of_unit,
    rows_left,
    unknown_fields,
    usable_units,
    warning_of,
)
from api.request_schemas import (
    AssignedEntry,
    CompetingEntry,
    Entry,
    IncidentEntry,
    OptionsEntry,
    OverrideEntry,
    UnitEntry,
)
from api.validation_words import CONTRACT, problem_of
from geodata.network import StreetNetwork
from routing.codes import Status

_INCIDENT: Final = ("incidents", "*")
_ROWS: Final[dict[Location, tuple[str, type[Entry] | None]]] = {
    ("units",): ("UNIT", UnitEntry),
    ("competing",): ("COMPETING", CompetingEntry),
    ("exclude_unit_ids",): ("EXCLUDED", None),
    (*_INCIDENT, "assigned"): ("ASSIGNED", AssignedEntry),
    (*_INCIDENT, "overrides"): ("OVERRIDE", OverrideEntry),
    ("incidents",): ("INCIDENT", None),
}
_LENIENCY: Final = Leniency(
    rows=_ROWS,
    mendable=frozenset(
        chain(
            ((*at, "*") for at in _ROWS),
            *(optional_fields(model, (*at, "*")) for at, (_, model) in _ROWS.items() if model),
            optional_fields(OptionsEntry, ("options",)),
            (("options",), ("operator",), ("request_id",)),
            ((*_INCIDENT, "location", "source"), (*_INCIDENT, "location", "uncertainty_m")),
        )
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBatch:
    """Calls that can be decided together, with all that was done to make them so."""

    request: RecommendBatchRequest
    """Its calls are at least one, and no two are the same."""
    unit_rows: tuple[int, ...]
    """For each unit of the request, its row in the list as it was sent."""
    warnings: tuple[RequestWarning, ...]


def read_batch(
    body: bytes, network: StreetNetwork, status_of: Mapping[str, Status] = NO_WORDS
) -> ReadBatch:
    """Read a body; `status_of` are the CAD's own words for statuses, `Release.status_of`.

    Raises
    ------
    InvalidRequest
        The body is not JSON, or none of its calls can be understood.
    """
    request, gone = read_leniently(RecommendBatchRequest, body, _LENIENCY)
    request = batch_with_our_statuses(request, status_of)
    warnings = [warning_of(part, _LENIENCY) for part in gone]
    rows = rows_left("incidents", len(request.incidents), gone)
    placed, misplaced = _placed(request.incidents, rows, network)
    if not placed:
        raise _none_left([*map(_problem_of, gone), *misplaced])
    warnings += map(_left_out, misplaced)
    kept, doubles = _one_entry_each(request.incidents, rows, placed)
    incidents = [request.incidents[i] for i in kept]
    units, unit_rows, found = usable_units(request.units or [], gone)
    update = {"incidents": incidents, "units": None if request.units is None else units}
    request = request.model_copy(update=update)
    warnings += [*doubles, *found]
    warnings += unknown_fields(_entries(request, [rows[i] for i in kept], unit_rows))
    return ReadBatch(request=request, unit_rows=unit_rows, warnings=tuple(warnings))


def _placed(
    incidents: Sequence[IncidentEntry], rows: Sequence[int], network: StreetNetwork
) -> tuple[list[int], list[Problem]]:
    """Return which calls have a place that can be meant, and what is wrong with the others."""
    placed, misplaced = list[int](), list[Problem]()
    for i, (row, incident) in enumerate(zip(rows, incidents, strict=True)):
        try:
            require_place(network, incident.location, pointer(("incidents", row, "location")))
        except InvalidRequest as refused:
            misplaced += refused.problems
        else:
            placed.append(i)
    return placed, misplaced


def _left_out(problem: Problem) -> RequestWarning:
    said = f"the call is left out: {problem.detail}"
    return RequestWarning(code=problem.code, path=problem.path, detail=said)


def _problem_of(left_out: LeftOut) -> Problem:
    return problem_of(left_out.fault, pointer(left_out.fault["loc"]))


def _none_left(problems: Sequence[Problem]) -> InvalidRequest:
    """Return the refusal of a batch without a call, with what is wrong with those sent."""
    found = [problem for problem in problems if problem.path.startswith("/incidents/")]
    if not found:
        said = "must have at least one call"
        found = [Problem(path="/incidents", code="TOO_SHORT", detail=said, remedy=CONTRACT)]
    first = found[0]
    return InvalidRequest(
        f"None of the calls can be understood. {first.path} {first.detail}.",
        remedy=first.remedy,
        problems=tuple(found),
    )


def _one_entry_each(
    incidents: Sequence[IncidentEntry], rows: Sequence[int], placed: Sequence[int]
) -> tuple[list[int], list[RequestWarning]]:
    """Return which calls to keep, the highest version of each, then the first; name the others."""
    best: dict[str, int] = {}
    for i in placed:
        kept = best.setdefault(incidents[i].incident_id, i)
        if incidents[i].version > incidents[kept].version:
            best[incidents[i].incident_id] = i
    warnings = [
        RequestWarning(
            code="INCIDENT_ENTRY_LEFT_OUT",
            path=pointer(("incidents", rows[i])),
            detail=f"same incident_id as /incidents/{rows[best[incidents[i].incident_id]]}, which "
            "is used: the highest version, then the first",
        )
        for i in placed
        if best[incidents[i].incident_id] != i
    ]
    return sorted(best.values()), warnings


def _entries(
    request: RecommendBatchRequest, rows: Sequence[int], unit_rows: Sequence[int]
) -> Iterator[tuple[Location, Entry]]:
    """Yield the parts of a request that have unknown keys, each with its place in the body."""
    yield from entries_beside(request, request.operator, request.options, request.competing)
    for row, incident in zip(rows, request.incidents, strict=True):
        yield from entries_of_incident(("incidents", row), incident)
    for row, unit in zip(unit_rows, request.units or (), strict=True):
        yield from entries_of_unit(("units", row), unit)
