"""The event loop over plain columns says what Erlang's formulas say; no unit has two tasks."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.studies.simulation.plain import PlainCalls, PlainFleet, PlainOutcome, run_plain
from geodata.driving_time import ROUTINE, edge_times
from geodata.snap import Positions, StreetIndex
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes
from tests.street_drawing import draw

UNITS, OFFERED, CALLS = 5, 4.0, 100_000
MAP = draw("A---B---C\n|   |   |\nD---E---F")
TIMES = TravelTimes(MAP.network, *build_hierarchy(MAP.network), edge_times(MAP.network, ROUTINE))
INDEX = StreetIndex.build(MAP.network)


def _here(n: int) -> Positions:
    lon, lat = MAP.position("AB", 0.5)
    return INDEX.snap_incidents(np.full(n, lon), np.full(n, lat))


def _erlang_b() -> float:
    blocked = 1.0
    for k in range(1, UNITS + 1):
        blocked = OFFERED * blocked / (k + OFFERED * blocked)
    return blocked


def _run(*, queues: bool, longer: float = 1.0) -> tuple[NDArray[np.float64], PlainOutcome]:
    rng = np.random.default_rng(1)
    at_s = np.cumsum(rng.exponential(1 / OFFERED, CALLS))
    stay_s = longer * rng.exponential(1.0, CALLS)
    calls = PlainCalls(at_s=at_s, stay_s=stay_s, positions=_here(CALLS))
    fleet = PlainFleet(care=_here(0), spd=_here(UNITS))
    return at_s, run_plain(TIMES, calls, fleet, queues=queues)


def test_calls_that_find_nobody_are_lost_as_often_as_erlang_b_says() -> None:
    assert _run(queues=False)[1].lost.mean() == pytest.approx(_erlang_b(), rel=0.02)


def test_calls_wait_as_long_as_erlang_c_says() -> None:
    blocked = _erlang_b()
    waits = blocked / (1 - OFFERED / UNITS * (1 - blocked))
    at_s, outcome = _run(queues=True)
    wait_s = outcome.dispatched_s - at_s
    assert (wait_s > 0).mean() == pytest.approx(waits, rel=0.05)
    assert wait_s.mean() == pytest.approx(waits / (UNITS - OFFERED), rel=0.1)


def test_a_stay_five_percent_longer_is_noticed() -> None:
    assert _run(queues=False, longer=1.05)[1].lost.mean() != pytest.approx(_erlang_b(), rel=0.02)


def _overlaps(outcome: PlainOutcome, begin_s: NDArray[np.float64]) -> int:
    """Count tasks that begin before the same unit has ended the one before."""
    order = np.lexsort((begin_s, outcome.task_unit))
    unit, begun, end = outcome.task_unit[order], begin_s[order], outcome.task_end_s[order]
    return int(((unit[1:] == unit[:-1]) & (begun[1:] < end[:-1])).sum())


def test_no_unit_has_two_tasks_at_once() -> None:
    _, outcome = _run(queues=True)
    assert outcome.served.all()
    assert _overlaps(outcome, outcome.task_begin_s) == 0
    assert _overlaps(outcome, outcome.task_begin_s - 0.5) > 0, "the checker sees none"
