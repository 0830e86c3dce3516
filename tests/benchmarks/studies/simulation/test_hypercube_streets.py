"""The engine with real drives on small streets beside the hypercube model, over fixed seeds.

Units drive home after each job and are free on the way; the model has them at their posts, with the
order of the drives and a mean service that has the mean drive in it.
"""

import os
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.studies.analytic.hypercube import Fleet, Workloads, exact
from benchmarks.studies.simulation.plain import PlainCalls, PlainFleet, run_plain
from geodata.driving_time import ROUTINE, edge_times
from geodata.snap import Positions, StreetIndex
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes
from tests.street_drawing import draw

MAP = draw("A---B---C---D\n|   |   |   |\nE---F---G---H\n|   |   |   |\nI---J---K---L")
TIMES = TravelTimes(MAP.network, *build_hierarchy(MAP.network), edge_times(MAP.network, ROUTINE))
INDEX = StreetIndex.build(MAP.network)
POSTS = (("AB", 0.2), ("CD", 0.6), ("EI", 0.3), ("GK", 0.7))
PLACES = (("AE", 0.5), ("BC", 0.35), ("DH", 0.55), ("FG", 0.45), ("IJ", 0.6), ("KL", 0.8))
SHARES = np.array([0.4, 0.05, 0.1, 0.05, 0.35, 0.05])
EVERY_S, STAY_S = 700.0, 1200.0
SEEDS = range(1, 21 if os.environ.get("TANDEM_STUDIES") == "long" else 5)
CALLS = 20_000
BUSY_OFF, TRAVEL_OFF = 0.01, 0.03
"""Busy probabilities by how much at most, and the mean drive by which share of it."""
Reals = NDArray[np.float64]


def at(places: tuple[tuple[str, float], ...]) -> Positions:
    lon, lat = np.array([MAP.position(*place) for place in places]).T
    return INDEX.snap_incidents(lon, lat)


def travel_s() -> Reals:
    """Return (n_units, n_atoms) drives from the posts."""
    labels = TIMES.unit_labels(at(POSTS))
    return np.array([TIMES.drive_ms(labels, place) for place in at(PLACES)]).T / 1000


def theory(preference: NDArray[np.int64] | None = None) -> Workloads:
    """Return the exact workloads; the mean service of each unit has its mean drive in it."""
    drive_s = travel_s()
    order = np.argsort(drive_s.T, axis=1) if preference is None else preference
    service_s = np.full(len(POSTS), STAY_S)
    for _ in range(5):
        fleet = Fleet(
            calls_per_s=SHARES / EVERY_S, preference=order, service_s=service_s, can_wait=False
        )
        found = exact(fleet)
        sent = found.dispatches
        service_s = STAY_S + (sent * drive_s).sum(axis=1) / sent.sum(axis=1)
    return found


@cache
def simulated(seed: int) -> tuple[Reals, float, float]:
    """Return each unit's busy share, the mean drive and the share lost, of one seed."""
    rng = np.random.Generator(np.random.Philox(seed))
    at_s = np.cumsum(rng.exponential(EVERY_S, CALLS))
    atom = rng.choice(len(PLACES), CALLS, p=SHARES)
    calls = PlainCalls(
        at_s=at_s, stay_s=rng.exponential(STAY_S, CALLS),
        positions=at(tuple(PLACES[k] for k in atom.tolist())),
    )  # fmt: skip
    none = INDEX.snap_incidents(np.empty(0), np.empty(0))
    found = run_plain(
        TIMES, calls, PlainFleet(care=none, spd=at(POSTS), goes_home=True), queues=False
    )
    spent_s = found.task_end_s - found.task_begin_s
    busy = np.bincount(found.task_unit, spent_s, len(POSTS)) / at_s[-1]
    drive_s = (found.arrived_s - found.dispatched_s)[found.served]
    return busy, float(drive_s.mean()), float(found.lost.mean())


def means() -> tuple[Reals, float, float]:
    busy, drive_s, lost = zip(*(simulated(seed) for seed in SEEDS), strict=True)
    return np.mean(busy, axis=0), float(np.mean(drive_s)), float(np.mean(lost))


def test_units_are_as_busy_as_the_hypercube_says() -> None:
    busy, drive_s, lost = means()
    found = theory()
    assert np.ptp(found.busy) > 5 * BUSY_OFF, "units that are all alike would tell nothing"
    assert busy == pytest.approx(found.busy, abs=BUSY_OFF)
    assert lost == pytest.approx(found.all_busy, abs=BUSY_OFF)
    assert drive_s == pytest.approx(found.mean_travel_s(travel_s()), rel=TRAVEL_OFF, abs=0.5)


def test_every_seed_is_near() -> None:
    for seed in SEEDS:
        assert simulated(seed)[0] == pytest.approx(theory().busy, abs=3 * BUSY_OFF)


def test_another_order_of_units_is_noticed() -> None:
    wrong = theory(np.argsort(-travel_s().T, axis=1))
    assert means()[0] != pytest.approx(wrong.busy, abs=BUSY_OFF)
    same = theory(np.tile(np.arange(len(POSTS)), (len(PLACES), 1)))
    assert means()[0] != pytest.approx(same.busy, abs=BUSY_OFF)
