"""Calls drawn at random: when (a rate by the local hour of the week) and where (over the streets).

What lives here: instants and places. What does not: what kind of call it is (`demand_making`).

Arrivals are a Poisson process whose rate is constant within each local hour of the week. A day has
the hours that the wall clock gives it: 23 in March, 25 in November. Places are drawn from stretches
of street of at most 25 m, by their length, or from places of past calls.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.errors import BadScenario
from benchmarks.studies.past_demand import history_of_file
from benchmarks.studies.random_streams import Purpose, stream
from benchmarks.studies.scenario import GeneratedCalls, Spread
from benchmarks.studies.world import NO_AREA, World
from geodata.call_history import CallHistory
from geodata.driving_time import hour_of_week
from geodata.network import HOURS_PER_WEEK
from routing.coverage import Pieces, cut_streets, incident_streets, middle_points

STRETCH_M: Final = 25.0
HOUR_S: Final = 3600
QUARTER_S: Final = 900
DAYS_A_WEEK: Final = 7
Reals = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """Instants and places, (n_calls,) each, in the order of the instants."""

    at_s: Reals
    lon: Reals
    lat: Reals
    notes: tuple[str, ...]


def draw_calls(
    world: World, asked: GeneratedCalls, part: str, seed: int, days: tuple[date, date]
) -> Drawn:
    """Return calls of some local days, first and last included.

    Raises
    ------
    BadScenario
        Nothing is left to draw from, such as no street inside the zones.
    """
    zone = world.release.city_policy.window.zone
    history = None if asked.pattern is None else history_of_file(world.scenario, asked.pattern)
    weights = np.ones(HOURS_PER_WEEK)
    notes = [f"Generated: {asked.per_day:g} calls a day on average, a Poisson process."]
    if asked.hour_weights is not None:
        weights = np.array(asked.hour_weights)
    elif history is not None:
        weights = hours_of(history, zone)
        notes.append("Hours of the week are as often as in the past calls.")
    at_s = _instants(asked.per_day, weights, part, seed, hours_between(days, zone))
    rng = stream(seed, part, Purpose.PLACES)
    lon, lat, said = _places(world, asked, history, rng, len(at_s))
    return Drawn(at_s=at_s, lon=lon, lat=lat, notes=(*notes, said))


# -- when -----------------------------------------------------------------------------------------


def hours_between(days: tuple[date, date], zone: ZoneInfo) -> tuple[Reals, NDArray[np.int64]]:
    """Return when each hour of some local days begins (seconds since 1970) and its hour of week."""
    first, last = days
    begin = datetime(first.year, first.month, first.day, tzinfo=zone).timestamp()
    after = last + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=zone).timestamp()
    starts = np.arange(begin, end, HOUR_S)
    return starts, hour_of_week_at(starts, zone)


def hour_of_week_at(at_s: Reals, zone: ZoneInfo) -> NDArray[np.int64]:
    """Return the local hour of the week of many instants, Monday 00 = 0.

    It is looked up once for each quarter of an hour: no zone's offset is finer.
    """
    quarters, row = np.unique(
        np.floor_divide(at_s, QUARTER_S).astype(np.int64), return_inverse=True
    )
    local = (datetime.fromtimestamp(quarter * QUARTER_S, zone) for quarter in quarters.tolist())
    of_quarter = np.array([hour_of_week(one) for one in local], np.int64)
    return np.asarray(of_quarter[row], np.int64)


def hours_of(history: CallHistory, zone: ZoneInfo) -> Reals:
    """Return (168,) how many past calls each hour of the week has."""
    hours = hour_of_week_at(history.at_s, zone)
    return np.bincount(hours, minlength=HOURS_PER_WEEK).astype(np.float64)


def _instants(
    per_day: float,
    weights: Reals,
    part: str,
    seed: int,
    hours: tuple[Reals, NDArray[np.int64]],
) -> Reals:
    starts, hour_of_week = hours
    rate = per_day * DAYS_A_WEEK * weights / weights.sum()
    counts = stream(seed, part, Purpose.COUNTS).poisson(rate[hour_of_week])
    within = stream(seed, part, Purpose.INSTANTS).random(int(counts.sum()))
    return np.sort(np.repeat(starts, counts) + HOUR_S * within)


# -- where ----------------------------------------------------------------------------------------


def _places(
    world: World,
    asked: GeneratedCalls,
    history: CallHistory | None,
    rng: np.random.Generator,
    n: int,
) -> tuple[Reals, Reals, str]:
    if asked.spread is Spread.PATTERN:
        assert history is not None, "the reader asks for a pattern"
        return _past_places(world, asked, history, rng, n)
    pieces = _stretches(world)
    lon, lat = middle_points(pieces)
    weight = pieces.length_m * _inside(world, asked, lon, lat)
    said = "Calls are spread over the streets by their length"
    if asked.spread is Spread.AREAS:
        assert asked.areas is not None, "the reader asks for a geography"
        weight = _by_area(world, asked, lon, lat, weight)
        said = f"Calls are spread over {asked.areas} areas, within each by length of street"
    _require(world, asked, weight, "draws nothing: no street lies inside.")
    row = rng.choice(len(weight), n, p=weight / weight.sum())
    share = rng.random(n)
    x, y = _points_on(pieces, row, share)
    off = ~_same(world, asked, x, y, lon[row], lat[row])
    x[off], y[off] = lon[row[off]], lat[row[off]]
    return x, y, f"{said}{_within(asked)}."


def _within(asked: GeneratedCalls) -> str:
    return ", inside the zones" if asked.inside == "ZONE" else ""


def _stretches(world: World) -> Pieces:
    """Return the streets on which an incident can be, cut into stretches of STRETCH_M at most."""
    network = world.network
    streets = incident_streets(network)
    parts = np.ceil(network.street_length_m[streets] / STRETCH_M).astype(np.int64)
    street = np.repeat(streets, np.maximum(parts - 1, 0))
    of = np.repeat(parts, np.maximum(parts - 1, 0))
    number = np.arange(len(street)) - np.searchsorted(street, street) + 1
    return cut_streets(network, streets, (street.astype(np.int32), number / of))


def _points_on(pieces: Pieces, row: NDArray[np.int64], share: Reals) -> tuple[Reals, Reals]:
    """Return the point at a share of each chosen stretch."""
    low, high = pieces.low[row], pieces.high[row]
    at = low + share * (high - low)
    chosen = Pieces(network=pieces.network, street=pieces.street[row], low=at, high=at)
    return middle_points(chosen)


def _inside(world: World, asked: GeneratedCalls, lon: Reals, lat: Reals) -> Bools:
    if asked.inside == "CITY":
        return np.ones(len(lon), np.bool_)
    return np.asarray(world.areas["zone"].number_at(lon, lat) != NO_AREA, np.bool_)


def _same(world: World, asked: GeneratedCalls, x: Reals, y: Reals, lon: Reals, lat: Reals) -> Bools:
    """Tell which points lie in the same area, and as much inside, as the middle of the stretch."""
    same = _inside(world, asked, x, y)
    if asked.spread is Spread.AREAS and asked.areas is not None:
        number_at = world.areas[asked.areas].number_at
        same &= number_at(x, y) == number_at(lon, lat)
    return same


def _by_area(world: World, asked: GeneratedCalls, lon: Reals, lat: Reals, weight: Reals) -> Reals:
    """Return the weights of stretches such that each area has the weight that it is given."""
    assert asked.areas is not None
    areas = world.areas[asked.areas]
    number = areas.number_at(lon, lat)
    inside = number != NO_AREA
    total = np.bincount(number[inside], weights=weight[inside], minlength=len(areas.names))
    wanted = total.copy()
    if asked.area_weights:
        wanted = np.array([asked.area_weights.get(name, 0.0) for name in areas.names])
    share = np.divide(wanted, total, out=np.zeros_like(total), where=total > 0)
    return np.where(inside, weight * share[np.maximum(number, 0)], 0.0)


def _require(world: World, asked: GeneratedCalls, weight: Reals, message: str) -> None:
    if not weight.sum() > 0:
        remedy = 'Give inside = "CITY", other zones, or other areas.'
        raise BadScenario([world.scenario.fault(asked.told_at, message, remedy)])


def _past_places(
    world: World,
    asked: GeneratedCalls,
    history: CallHistory,
    rng: np.random.Generator,
    n: int,
) -> tuple[Reals, Reals, str]:
    rows = np.flatnonzero(_inside(world, asked, history.lon, history.lat))
    _require(world, asked, np.ones(len(rows)), "draws nothing: no past call lies inside.")
    row = rows[rng.integers(0, len(rows), n)]
    said = f"Places are those of {len(rows):,} past calls of {history.source}, drawn again"
    return history.lon[row], history.lat[row], f"{said}{_within(asked)}."
