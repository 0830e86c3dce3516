"""Units that move are placed again alone, and the result is that of placing all."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from geodata.driving_time import ROUTINE, edge_times
from geodata.network import StreetNetwork
from geodata.snap import COLUMN_TYPES, StreetIndex
from routing.model import Agency, Homes, Placement, Unit, UnitColumns, UnitId, place_units
from routing.placement import move_units
from routing.road_hierarchy import build_hierarchy
from routing.roster import unit_columns
from routing.travel_time import TravelTimes
from tests.routing.situations import HOMES, city, fix, situation, unit

FIXES = ("lon", "lat", "heading_deg", "speed_mps", "accuracy_m")


def seeded_units(n: int) -> UnitColumns:
    """Return units without fixes; every third has a post, every fourth a beat."""
    return unit_columns(
        Unit(
            unit_id=UnitId(f"U{i:04d}"),
            agency=Agency.SPD,
            home_post="HQ" if i % 3 == 0 else None,
            home_beat="M1" if i % 4 == 0 else None,
        )
        for i in range(n)
    )


def moved(
    roster: UnitColumns, rows: NDArray[np.intp], network: StreetNetwork, rng: np.random.Generator
) -> UnitColumns:
    """Return the roster with new fixes in some rows: good, none, zero, far away, or in motion."""
    n, (west, south, east, north) = len(rows), network.bounds
    new = {name: getattr(roster, name).copy() for name in FIXES}
    new["lon"][rows], new["lat"][rows] = rng.uniform(west, east, n), rng.uniform(south, north, n)
    new["heading_deg"][rows] = rng.choice([np.nan, 10.0, 250.0], n)
    new["speed_mps"][rows] = rng.choice([np.nan, 0.0, 12.0, 30.0], n)
    new["accuracy_m"][rows] = rng.choice([np.nan, 8.0, 60.0], n)
    odd = rng.random(n)
    for low, place in ((0.8, (0.0, 0.0)), (0.85, (np.nan, np.nan)), (0.9, (west - 1, south))):
        those = rows[(odd >= low) & (odd < low + 0.05)]
        new["lon"][those], new["lat"][those] = place
    return replace(roster, **new)


def flat(placement: Placement) -> dict[str, NDArray[Any]]:
    """Return every column of a placement, its positions and its labels."""
    labels = placement.labels
    assert labels is not None
    found = {name: getattr(placement, name) for name in ("source", "lon", "lat", "discarded")}
    for whose, positions in (("own", placement.positions), ("labels", labels.positions)):
        found |= {f"{whose} {name}": getattr(positions, name) for name in COLUMN_TYPES}
    return found | {"rows": labels.rows, "bases": labels.bases}


def is_same(one: Placement, other: Placement) -> bool:
    pairs = zip(flat(one).values(), flat(other).values(), strict=True)
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)


def check_moves(network: StreetNetwork, homes: Homes, n: int, n_rounds: int) -> None:
    rng = np.random.default_rng(71)
    times = TravelTimes(network, *build_hierarchy(network), edge_times(network, ROUTINE))
    ground: dict[str, Any] = {
        "network": network, "streets": StreetIndex.build(network), "travel_times": times,
        "homes": homes,
    }  # fmt: skip
    roster = seeded_units(n)
    placement = place_units(roster, **ground)
    for count in rng.integers(0, n + 1, n_rounds).tolist():
        rows = rng.permutation(n)[:count]
        before = {name: column.copy() for name, column in flat(placement).items()}
        roster = moved(roster, rows, network, rng)
        after = move_units(placement, roster, rows, SimpleNamespace(**ground))
        assert is_same(after, place_units(roster, **ground))
        assert all(np.array_equal(before[k], v, equal_nan=True) for k, v in flat(placement).items())
        placement = after


def test_units_moved_in_a_small_city_are_where_placing_all_puts_them() -> None:
    check_moves(city().network, HOMES, n=60, n_rounds=12)


def test_units_moved_on_seattle_are_where_placing_all_puts_them(seattle: StreetNetwork) -> None:
    check_moves(seattle, Homes(), n=300, n_rounds=4)


def test_without_drive_times_positions_move_all_the_same() -> None:
    now = situation([unit("C1", "AB"), unit("S1", "BG")], travel_times=None)
    there = fix("NO", 0.25)
    lon = np.array([there.lon, now.roster.lon[1]])
    lat = np.array([there.lat, now.roster.lat[1]])
    roster = replace(now.roster, lon=lon, lat=lat)
    after = move_units(now.placement, roster, np.array([0]), now)
    assert after.positions.street.tolist() == [
        city().street("NO"), now.placement.positions.street[1],
    ]  # fmt: skip
    assert after.labels is None


def test_labels_of_other_weights_are_not_moved() -> None:
    """The known-bad twin: a placement kept over a change of weights."""
    now = situation([unit("C1", "AB", position=fix("AB", age_s=1.0))])
    assert now.travel_times is not None
    closed = np.zeros(now.network.n_edges, bool)
    other = now.travel_times.reweighed(
        edge_times(now.network, ROUTINE, closed_edges=closed, closure_id="x")
    )
    with pytest.raises(AssertionError, match="other weights"):
        move_units(now.placement, now.roster, np.array([0]), replace(now, travel_times=other))
