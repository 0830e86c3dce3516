"""What the service can be asked to do, without HTTP: `recommend_units`.

One view is read once, the words of the request become nouns, `recommend` decides, and the answer is
written. What is remembered of the call (`call_memory`) is read before and kept after. Nothing is
stored yet: `recorded` is always false.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from itertools import pairwise
from time import perf_counter
from typing import Final

from msgspec import Struct

from api.answer_writing import answer_bytes
from api.asserted_roles import require_asserted
from api.auth.principal import LOCAL, Principal
from api.call_memory import NO_PAST, NOTHING, Recalled, Remembered, recall, remember
from api.errors import InvalidRequest, Problem
from api.ids import new_recommendation_id
from api.live_view import LiveView
from api.nouns import incident_of, options_of
from api.read_request import ReadRequest, RequestWarning, bounded, read_request
from api.request_schemas import LocationEntry, RecommendRequest, UnitEntry
from api.store.calls import CallStore
from geodata.network import StreetNetwork
from geodata.place_check import PlaceCheck, check_place
from routing.live import with_roster
from routing.model import Recommendation, Situation, unit_columns
from routing.recommend import recommend
from routing.roster_change import with_claimed

Clock = Callable[[], dt.datetime]
Namer = Callable[[dt.datetime], str]
Decider = Callable[..., Recommendation]
"""`recommend`, or what stands in for it: nothing where the rest is measured without it, another
setting where a scenario has one."""


class Answered(Struct, frozen=True, kw_only=True):
    """An answer as values and as bytes, with the seconds that each stage took."""

    view: LiveView
    """What it was decided with."""
    request: RecommendRequest
    found: Recommendation
    recommendation_id: str
    warnings: Sequence[RequestWarning]
    """Those of the reading and those of the decision."""
    body: bytes
    stages: tuple[tuple[str, float], ...]
    remembered: Remembered = NOTHING
    """What became of it in the memory of calls."""
    past: Recalled = NO_PAST
    """What the memory of calls told before."""


class Stopwatch:
    """Seconds by stage; a stage ends when the next begins."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun: list[tuple[str, float]] = []

    def begin(self, stage: str) -> None:
        """End the stage that runs and begin another."""
        self._begun.append((stage, perf_counter()))

    def end(self) -> tuple[tuple[str, float], ...]:
        """End the stage that runs and return all of them, with lower-case names."""
        self.begin("")
        both = pairwise(self._begun)
        return tuple([(stage.lower(), ended - began) for (stage, began), (_, ended) in both])


def utc_now() -> dt.datetime:
    """Return the instant by this machine's clock."""
    return dt.datetime.now(dt.UTC)


class Manner(Struct, frozen=True, kw_only=True):
    """What a recommendation is made with, beside the view and the request."""

    now: Clock = utc_now
    name: Namer = new_recommendation_id
    always_route: bool = False
    """Adds the ways, whether the request asks for them or not."""
    decide: Decider = recommend
    calls: CallStore | None = None
    """What is remembered of calls; None where each request stands alone."""
    by: Principal = LOCAL
    """Who asks."""


def recommend_units(  # noqa: PLR0913  each but the first two stands in for one thing in a test
    view: LiveView,
    body: bytes,
    *,
    now: Clock = utc_now,
    name: Namer = new_recommendation_id,
    always_route: bool = False,
    decide: Decider = recommend,
    calls: CallStore | None = None,
    by: Principal = LOCAL,
) -> Answered:
    """Answer one request; see `Manner`.

    Raises
    ------
    InvalidRequest
        The incident cannot be understood, or lies where the network has no streets.
    OperatorRoleNotAllowed
        The caller may not assert a role that the request asserts.
    """
    watch = Stopwatch()
    watch.begin("read")
    read = read_request(body, view.release.status_of)
    require_asserted(by, read.request.operator, (read.request.incident,))
    require_place(view.situation.network, read.request.incident.location)
    manner = Manner(now=now, name=name, always_route=always_route, decide=decide, calls=calls)
    return answer_read(view, read, watch, manner)


def answer_read(view: LiveView, read: ReadRequest, watch: Stopwatch, manner: Manner) -> Answered:
    """Answer a request that was read and whose place can be meant."""
    watch.begin("units")
    request = read.request
    decided_at = to_milliseconds(request.as_of or manner.now())
    if request.as_of is not None:
        view = view.with_claims(())  # a replay reads nothing of what is remembered
    situation = with_units(view, decided_at, request.units, read.unit_rows)
    past = recall(manner.calls, request.incident, as_of=request.as_of)
    known = past.known
    options = options_of(
        request,
        always_route=manner.always_route,
        earlier_unit_ids=known.unit_ids if known else (),
    )
    incident = incident_of(request.incident, known)
    found = manner.decide(situation, incident, decided_at, options, stage=watch.begin)
    watch.begin("write")
    recommendation_id = manner.name(decided_at)
    remembered = remember(past, incident, found, recommendation_id)
    warnings = _warnings(found, read, remembered.warnings)
    written = answer_bytes(
        found,
        recommendation_id=recommendation_id,
        request_id=request.request_id,
        warnings=warnings,
        schematic=view.schematic,
        roster_version=view.roster_version if request.units is None else None,
        told=remembered.told,
    )
    return Answered(
        view=view,
        request=request,
        found=found,
        recommendation_id=recommendation_id,
        warnings=warnings,
        body=written,
        stages=watch.end(),
        remembered=remembered,
        past=past,
    )


def to_milliseconds(instant: dt.datetime) -> dt.datetime:
    """Return an instant in UTC, cut to whole milliseconds as the answer shows it."""
    utc = instant.astimezone(dt.UTC)
    finer_us = utc.microsecond % 1000
    return utc.replace(microsecond=utc.microsecond - finer_us) if finer_us else utc


# -- the place ------------------------------------------------------------------------------------

_LON_FIRST: Final = "Send WGS 84 degrees, longitude first: near -122.3 and 47.6 in Seattle."
_PLACE_WORDS: Final = {
    PlaceCheck.NOT_FINITE: (
        "LOCATION_NOT_FINITE", "lon and lat are not finite numbers", _LON_FIRST,
    ),
    PlaceCheck.ZERO: (
        "LOCATION_ZERO", "lon and lat are both 0, which is what an unknown place looks like",
        "Locate the call first; a place in the Gulf of Guinea cannot be meant.",
    ),
    PlaceCheck.SWAPPED: (
        "LOCATION_SWAPPED", "lon and lat are swapped: the other way round the place is in bounds",
        "Exchange the two values. " + _LON_FIRST,
    ),
    PlaceCheck.NOT_DEGREES: (
        "LOCATION_NOT_DEGREES", "lon and lat are no degrees; they may be feet or metres of a grid",
        "Convert them from the city's grid (EPSG:2926 or 2285). " + _LON_FIRST,
    ),
    PlaceCheck.OUTSIDE: (
        "LOCATION_OUTSIDE", "the place is outside the street network that is loaded",
        "Check the place, or serve a network that covers it (tandem network build).",
    ),
}  # fmt: skip


def require_place(
    network: StreetNetwork, location: LocationEntry, path: str = "/incident/location"
) -> None:
    """Refuse a place that cannot be meant; `path` is where it stands in the request.

    Raises
    ------
    InvalidRequest
        Swapped, (0, 0), not degrees, or outside the network's bounds.
    """
    found = check_place(network, location.lon, location.lat)
    if found is PlaceCheck.INSIDE:
        return
    code, said, remedy = _PLACE_WORDS[found]
    if found is PlaceCheck.OUTSIDE:
        west, south, east, north = network.bounds
        said += f" (lon {west:.4f} to {east:.4f}, lat {south:.4f} to {north:.4f})"
    problem = Problem(path=path, code=code, detail=said, remedy=remedy)
    raise InvalidRequest(f"{path}: {said}.", remedy=remedy, problems=(problem,))


# -- the situation and the answer -----------------------------------------------------------------


def with_units(
    view: LiveView,
    decided_at: dt.datetime,
    units: Sequence[UnitEntry] | None,
    rows: Sequence[int],
) -> Situation:
    """Return the situation with the roster, or with the units of the request in its place."""
    if units is None:
        return view.on_duty_at(decided_at)
    roster = unit_columns(units, rows)
    if view.claimed:
        roster = with_claimed(roster, view.claimed)
    return with_roster(view.at(decided_at), roster)


def _warnings(
    found: Recommendation, read: ReadRequest, of_the_past: Sequence[RequestWarning]
) -> Sequence[RequestWarning]:
    if not found.warnings and not of_the_past:
        return bounded(read.warnings)
    decided = [RequestWarning(code=w.code, path=w.path, detail=w.detail) for w in found.warnings]
    return bounded([*of_the_past, *read.warnings, *decided])
