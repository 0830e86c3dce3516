"""What the service can be asked to do, without HTTP: `recommend_units`.

One view is read once, the words of the request become nouns, `recommend` decides, and the answer is
written. Nothing is stored yet: `recorded` is always false.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Final

from msgspec import structs

from api.answer_schemas import RecommendAnswer
from api.errors import InvalidRequest, Problem
from api.ids import new_recommendation_id
from api.live_view import LiveView
from api.nouns import incident_of, options_of
from api.read_request import ReadRequest, RequestWarning, bounded, read_request
from api.request_schemas import LocationEntry, RecommendRequest
from geodata.network import StreetNetwork
from geodata.snap import PlaceCheck, check_place
from routing.live import with_roster
from routing.model import Recommendation, Situation, unit_columns
from routing.recommend import recommend

Clock = Callable[[], dt.datetime]
Namer = Callable[[dt.datetime], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer as values and as bytes, with the seconds that each stage took."""

    request: RecommendRequest
    answer: RecommendAnswer
    body: bytes
    stages: tuple[tuple[str, float], ...]


class Stopwatch:
    """Seconds by stage; a stage ends when the next begins."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, float]] = []
        self._stage = ""
        self._began = perf_counter()

    def begin(self, stage: str) -> None:
        """End the stage that runs and begin another."""
        now = perf_counter()
        if self._stage:
            self.stages.append((self._stage, now - self._began))
        self._stage, self._began = stage, now

    def end(self) -> tuple[tuple[str, float], ...]:
        """End the stage that runs and return all of them."""
        self.begin("")
        return tuple(self.stages)


def utc_now() -> dt.datetime:
    """Return the instant by this machine's clock."""
    return dt.datetime.now(dt.UTC)


def recommend_units(
    view: LiveView,
    body: bytes,
    *,
    now: Clock = utc_now,
    name: Namer = new_recommendation_id,
    always_route: bool = False,
) -> Answered:
    """Answer one request; `always_route` adds the ways, whether the request asks for them or not.

    Raises
    ------
    InvalidRequest
        The incident cannot be understood, or lies where the network has no streets.
    """
    watch = Stopwatch()
    watch.begin("read")
    read = read_request(body)
    request = read.request
    require_place(view.situation.network, request.incident.location)
    watch.begin("units")
    decided_at = to_milliseconds(request.as_of or now())
    situation = _with_units(view.at(decided_at), read)
    options = options_of(request)
    options = replace(options, route=options.route or always_route)
    found = recommend(
        situation,
        incident_of(request.incident),
        decided_at,
        options,
        stage=lambda name: watch.begin(name.lower()),
    )
    watch.begin("write")
    answer = _answer(found, read, view, name(decided_at))
    written = answer.model_dump_json().encode()
    return Answered(request=request, answer=answer, body=written, stages=watch.end())


def to_milliseconds(instant: dt.datetime) -> dt.datetime:
    """Return an instant in UTC, cut to whole milliseconds as the answer shows it."""
    utc = instant.astimezone(dt.UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


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


def require_place(network: StreetNetwork, location: LocationEntry) -> None:
    """Refuse a place that cannot be meant.

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
    problem = Problem(path="/incident/location", code=code, detail=said, remedy=remedy)
    raise InvalidRequest(f"/incident/location: {said}.", remedy=remedy, problems=(problem,))


# -- the situation and the answer -----------------------------------------------------------------


def _with_units(situation: Situation, read: ReadRequest) -> Situation:
    """Return the situation with the units of the request, which replace the roster."""
    if read.request.units is None:
        return situation
    roster = unit_columns(read.request.units, read.unit_rows)
    return with_roster(situation, roster)


def _answer(
    found: Recommendation, read: ReadRequest, view: LiveView, recommendation_id: str
) -> RecommendAnswer:
    """Name the recommendation, add what the reading said, and check it against the contract."""
    values: dict[str, Any] = structs.asdict(found)
    basis = structs.asdict(found.basis)
    return RecommendAnswer.model_validate(
        values
        | {
            "recommendation_id": recommendation_id,
            "request_id": read.request.request_id,
            "warnings": _warnings(found, read),
            "basis": basis | {"schematic": view.schematic},
        }
    )


def _warnings(found: Recommendation, read: ReadRequest) -> Sequence[RequestWarning]:
    decided = [RequestWarning(code=w.code, path=w.path, detail=w.detail) for w in found.warnings]
    return bounded([*read.warnings, *_not_used(read.request), *decided])


def _not_used(request: RecommendRequest) -> list[RequestWarning]:
    """Name what the contract has and this version reads but does not act on."""
    unused = []
    if request.units is None:
        unused.append(("/units", "no roster is kept in this version: send the units on duty"))
    return [
        RequestWarning(code="NOT_IN_THIS_VERSION", path=path, detail=said) for path, said in unused
    ]
