"""Seeded situations by the thousand: towns made once, with another roster and another call each.

A town is a situation without units: the drawn city, drawings with one-way streets, small random
networks with islands and streets of no return, or the real city. Making one costs milliseconds to
seconds, a roster in it a millisecond.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any, TypeVar

import numpy as np

from geodata.driving_time import ROUTINE, UNREACHABLE_MS, EdgeTimes, edge_times
from geodata.network import StreetNetwork
from geodata.snap import StreetIndex
from routing.live import with_roster, with_travel_times
from routing.model import (
    PILOT,
    Agency,
    AssignedUnit,
    CompetingNeed,
    Explain,
    Fix,
    Incident,
    IncidentId,
    Location,
    Mode,
    Options,
    Origin,
    Recommendation,
    Situation,
    Status,
    Unit,
    UnitId,
    place_units,
    unit_columns,
)
from routing.policy import Policy, Requirement
from routing.recommend import recommend
from routing.recommend_batch import recommend_batch
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes
from tests.builders import network_from_edges, random_weights
from tests.routing.situations import NOON, call, core, empty_city, square, unit, zone_map
from tests.street_drawing import LAT, LON, draw

Item = TypeVar("Item")

RANDOM_TOWNS = 24
CLOSURES = 6

ONE_WAYS = (
    """
A-->B-->C-->D
^   |   ^   v
E<--F<--G<--H
""",
    """
A---B-->C---D
|   ^   |   |
E<--F---G<--H
|   |   v   |
I-->J---K---L
""",
)


def _preferring() -> Policy:
    """Return the pilot's policy where police with crisis training are worth three minutes."""
    dual = PILOT.modes[Mode.DUAL]
    police = Requirement(min_crew=1, preferred_skills={"CIT": 180})
    rules = replace(dual, requirements={**dual.requirements, Agency.SPD: police})
    return replace(PILOT, modes={**PILOT.modes, Mode.DUAL: rules})


POLICIES = (PILOT, _preferring())


@dataclass(frozen=True, kw_only=True, eq=False)
class Town:
    """A situation without units, and what is drawn in it."""

    empty: Situation
    name: str
    zones: tuple[dict[str, Any], ...]
    """GeoJSON features."""

    @cached_property
    def with_far_zone(self) -> Situation:
        """The same town with a zone more, a hundred kilometres away."""
        far = square(-121.0, 46.5, -120.9, 46.6, zone_id="AAA_FAR", precedence=99)
        return replace(self.empty, zones=zone_map(*self.zones, far))

    @cached_property
    def closed(self) -> tuple[Situation, ...]:
        """The same town with one to a few streets closed, several times over."""
        rng = np.random.default_rng(list(self.name.encode()))
        return tuple(self._closed(rng) for _ in range(CLOSURES))

    def _closed(self, rng: np.random.Generator) -> Situation:
        network, times = self.empty.network, self.empty.travel_times
        assert times is not None
        count = max(1, int(network.n_streets * rng.choice((0.02, 0.05, 0.1))))
        streets = rng.choice(network.n_streets, count, replace=False)
        shut = np.isin(network.edge_street, streets)
        weights = replace(
            times.edge_times,
            move_ms=np.where(shut, UNREACHABLE_MS, times.edge_times.move_ms).astype(np.int32),
            end_ms=np.where(shut, 0, times.edge_times.end_ms).astype(np.int32),
            weights_id=f"closed {streets[:9].tolist()}",
        )
        return replace(self.empty, travel_times=times.reweighed(weights))

    def point(self, rng: np.random.Generator) -> tuple[float, float]:
        """Return lon and lat of a place by a street."""
        network = self.empty.network
        street, share = int(rng.integers(network.n_streets)), rng.random()
        line = network.street_line(street)
        lon, lat = line[0] + share * (line[-1] - line[0]) + rng.normal(0, 5e-5, 2)
        return float(lon), float(lat)


def town(network: StreetNetwork, name: str, weights: EdgeTimes | None = None) -> Town:
    """Return a town of a network, all of it in the zone of the programme."""
    times = TravelTimes(network, *build_hierarchy(network), weights or edge_times(network, ROUTINE))
    streets, roster = StreetIndex.build(network), unit_columns(())
    west, south, east, north = network.bounds
    everywhere = square(west - 0.01, south - 0.01, east + 0.01, north + 0.01, zone_id="ALL")
    empty = Situation(
        network=network, streets=streets, travel_times=times, zones=zone_map(everywhere),
        policy=PILOT, roster=roster,
        placement=place_units(roster, network=network, streets=streets, travel_times=times),
    )  # fmt: skip
    return Town(empty=empty, name=name, zones=(everywhere,))


def island_network(rng: np.random.Generator) -> StreetNetwork:
    """Return a few streets, half of them one-way, parts of which cannot be left or reached."""
    n = int(rng.integers(5, 14))
    lonlat = np.column_stack((LON + rng.uniform(0, 0.012, n), LAT - rng.uniform(0, 0.009, n)))
    ends = rng.integers(0, n, (int(rng.integers(n, 2 * n)), 2))
    two_way = rng.random(len(ends)) < 0.5
    streets = [(int(a), int(b), bool(both)) for (a, b), both in zip(ends, two_way, strict=True)]
    return network_from_edges(lonlat, [street for street in streets if street[0] != street[1]])


@cache
def small_towns() -> tuple[Town, ...]:
    """Return every town but the real one."""
    rng = np.random.default_rng(31)
    drawn = [Town(empty=empty_city(), name="city", zones=(core(),))]
    drawn += [
        town(draw(text.strip("\n"), block_m=180.0).network, f"one-way {i}")
        for i, text in enumerate(ONE_WAYS)
    ]
    for i in range(RANDOM_TOWNS):
        network = island_network(rng)
        drawn.append(town(network, f"islands {i}", random_weights(network, rng, f"w{i}")))
    return tuple(drawn)


# -- one case -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything that a decision is asked with."""

    world: Situation
    """A town without units."""
    units: tuple[Unit, ...]
    calls: tuple[Incident, ...]
    """One, or several that are decided together."""
    now: datetime = NOON
    options: Options = field(default_factory=lambda: Options(explain=Explain.ALL))

    @property
    def incident(self) -> Incident:
        """The first call."""
        return self.calls[0]


Decide = Callable[[Question], tuple[Recommendation, ...]]
"""From a question to the answers to its calls, in their order."""


def decide(question: Question) -> tuple[Recommendation, ...]:
    """Return what the software answers."""
    world, now, options = placed(question), question.now, question.options
    if len(question.calls) == 1:
        return (recommend(world, question.incident, now, options),)
    return recommend_batch(world, [(one, options) for one in question.calls], now).recommendations


def placed(question: Question) -> Situation:
    """Return the world with its units; the same units are placed once for several questions."""
    world = question.world
    for units, known in _PLACED:
        if units is question.units and known.streets is world.streets:
            found = replace(world, roster=known.roster, placement=known.placement)
            if known.travel_times is not world.travel_times:
                assert world.travel_times is not None
                found = with_travel_times(found, world.travel_times)
            return found
    found = with_roster(world, unit_columns(question.units))
    _PLACED.append((question.units, found))
    return found


_PLACED: deque[tuple[tuple[Unit, ...], Situation]] = deque(maxlen=4)


def draw_question(place: Town, rng: np.random.Generator) -> Question:
    """Return a call in a town with one to nine units."""
    world = replace(place.empty, policy=POLICIES[int(rng.integers(2))])
    units = [draw_unit(place, rng, i) for i in range(int(rng.integers(1, 10)))]
    options = Options(
        explain=Explain.ALL, alternatives=int(rng.integers(0, 4)), competing=_competing(rng)
    )
    return Question(
        world=world, units=tuple(units), calls=(draw_call(place, rng, "A"),), options=options
    )


def draw_call(place: Town, rng: np.random.Generator, name: str) -> Incident:
    """Return a call somewhere in town, mostly one for the pair."""
    lon, lat = place.point(rng)
    return replace(
        call(), incident_id=IncidentId(name), location=Location(lon=lon, lat=lat),
        priority=int(rng.integers(1, 6)), **_asked(place, rng),
    )  # fmt: skip


def pick(rng: np.random.Generator, items: Sequence[Item]) -> Item:
    """Return one of several, sooner than numpy's own choice."""
    return items[int(rng.integers(len(items)))]


def draw_unit(place: Town, rng: np.random.Generator, number: int) -> Unit:
    """Return a unit somewhere in town, mostly one that may be sent."""
    agency = pick(rng, "CS")
    lon, lat = place.point(rng)
    status = Status.AVAILABLE if rng.random() < 0.8 else pick(rng, tuple(Status))
    since = NOON - timedelta(seconds=int(rng.integers(0, 90)) * 60)
    seen = NOON - timedelta(seconds=int(rng.integers(0, 600)))
    return unit(
        f"{agency}{rng.integers(10_000)}-{number}",
        Fix(lon=lon, lat=lat, fixed_at=seen) if rng.random() < 0.95 else None,
        crew_count=pick(rng, (2, 2, 2, 1)) if rng.random() < 0.95 else None,
        skills=frozenset({"CIT"}) if rng.random() < 0.4 else frozenset(),
        status=status,
        status_since=since,
        expected_clear_at=NOON + timedelta(seconds=int(rng.integers(-600, 3600))),
        shift_end=NOON + timedelta(seconds=pick(rng, (1200, 30_000, 30_000, 30_000))),
        home_sector=pick(rng, "MKD"),
        claimed=bool(rng.random() < 0.05),
    )


def _asked(place: Town, rng: np.random.Generator) -> dict[str, Any]:
    """Return by whom and for what is asked; mostly for the pair."""
    kind = rng.random()
    if kind < 0.75:
        return {}
    if kind < 0.85:
        return {"requested_mode": Mode.SPD_ADD}
    assigned = []
    for i in range(int(rng.integers(1, 4))):
        lon, lat = place.point(rng)
        there = Fix(lon=lon, lat=lat, fixed_at=NOON)
        assigned.append(
            AssignedUnit(
                unit_id=UnitId(f"A{i}"), agency=pick(rng, (Agency.CARE, Agency.SPD)),
                status=Status.ENROUTE, position=there,
            )
        )  # fmt: skip
    return {"assigned": tuple(assigned), "origin": Origin.OFFICER}


def _competing(rng: np.random.Generator) -> tuple[CompetingNeed, ...]:
    if rng.random() < 0.7:
        return ()
    return tuple(
        CompetingNeed(
            incident_id=f"P{i}",
            sector=pick(rng, "MK"),
            priority=int(rng.integers(1, 5)),
        )
        for i in range(int(rng.integers(1, 4)))
    )
