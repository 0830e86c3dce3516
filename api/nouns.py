"""From the words of a request to the nouns of `routing.model`; no rule lives here."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import lru_cache

from api.batch_schemas import RecommendBatchRequest
from api.request_schemas import (
    AssignedEntry,
    CompetingEntry,
    IncidentEntry,
    PositionEntry,
    RecommendRequest,
    ScreeningEntry,
)
from api.store.calls import KnownCall
from routing.model import (
    AssignedUnit,
    CompetingNeed,
    Explain,
    Fix,
    Incident,
    IncidentId,
    Location,
    Mode,
    Options,
    Screening,
    Status,
    TakenOverride,
    UnitId,
)

_STATUS = {str(status): status for status in Status}
_MODE = {str(mode): mode for mode in Mode}


def incident_of(entry: IncidentEntry, known: KnownCall | None = None) -> Incident:
    """Return the call of a request, with what is remembered of it and was not told.

    That is since when it is on HOLD, which units are on it by a claim or a report, and since when
    its scene is safe. Of a unit that the request names, the request is believed.
    """
    return Incident(
        incident_id=IncidentId(entry.incident_id),
        version=entry.version,
        received_at=entry.received_at,
        queued_at=entry.queued_at,
        location=Location(
            lon=entry.location.lon,
            lat=entry.location.lat,
            uncertainty_m=entry.location.uncertainty_m or 0.0,
        ),
        call_type=entry.call_type,
        priority=entry.priority,
        origin=entry.origin,
        requested_mode=_MODE[entry.requested_mode],
        screening=_screening(entry.screening),
        scene_safe_at=entry.scene_safe_at or (known.scene_safe_at if known else None),
        assigned=(*[_assigned(one) for one in entry.assigned], *_held(entry, known)),
        held_since=known.held_since if known else None,
        overrides=tuple(
            [
                TakenOverride(action=one.action, role=one.role, gate=one.gate)
                for one in entry.overrides
            ]
        ),
    )


def options_of(
    request: RecommendRequest | RecommendBatchRequest,
    *,
    always_route: bool = False,
    earlier_unit_ids: Collection[str] = (),
) -> Options:
    """Return how much to answer; `always_route` adds the ways.

    `earlier_unit_ids` are those that the recommendation before named.
    """
    asked = request.options
    plain = _plain_options(asked.alternatives, asked.explain, asked.route or always_route)
    if not (request.exclude_unit_ids or request.competing or earlier_unit_ids):
        return plain
    return replace(
        plain,
        exclude_unit_ids=frozenset(request.exclude_unit_ids),
        earlier_unit_ids=frozenset(earlier_unit_ids),
        competing=tuple(map(_need, request.competing)),
    )


@lru_cache(maxsize=128)
def _plain_options(alternatives: int, explain: Explain, route: bool) -> Options:
    """Return options that name no unit and no other work; a CAD asks for the same ones always."""
    return Options(alternatives=alternatives, explain=explain, route=route)


def _need(entry: CompetingEntry) -> CompetingNeed:
    return CompetingNeed(
        incident_id=entry.incident_id,
        sector=entry.sector,
        priority=entry.priority,
        units_needed=entry.units_needed,
        queued_at=entry.queued_at,
    )


def _status(text: str) -> Status:
    return _STATUS.get(text, Status.UNKNOWN)


def _screening(entry: ScreeningEntry | None) -> Screening:
    if entry is None:
        return Screening()
    return Screening(
        completed_at=entry.completed_at,
        weapon=entry.weapon,
        violence=entry.violence,
        medical=entry.medical,
        enforcement=entry.enforcement,
        drug_use=entry.drug_use,
        place=entry.place,
    )


def _assigned(entry: AssignedEntry) -> AssignedUnit:
    return AssignedUnit(
        unit_id=UnitId(entry.unit_id),
        agency=entry.agency,
        call_sign=entry.call_sign,
        status=_status(entry.status),
        on_scene_at=entry.on_scene_at,
        position=_fix(entry.position),
    )


def _held(entry: IncidentEntry, known: KnownCall | None) -> Iterator[AssignedUnit]:
    """Yield the units that are on the call and that the request does not name."""
    if known is None or not known.on_call:
        return
    told = {unit.unit_id for unit in entry.assigned}
    for unit in known.on_call:
        if unit.unit_id not in told:
            yield AssignedUnit(
                unit_id=UnitId(unit.unit_id),
                agency=unit.agency,
                status=unit.status,
                on_scene_at=unit.on_scene_at,
            )


def _fix(entry: PositionEntry | None) -> Fix | None:
    if entry is None:
        return None
    return Fix(
        lon=entry.lon,
        lat=entry.lat,
        fixed_at=entry.fixed_at,
        heading_deg=entry.heading_deg,
        speed_mps=entry.speed_mps,
        accuracy_m=entry.accuracy_m,
    )
