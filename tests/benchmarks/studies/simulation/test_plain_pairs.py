"""Calls of the pair beside police jobs are lost as the exact chain says; nobody waits when idle."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.studies.analytic.two_types import Losses, TwoTypes, losses_of
from benchmarks.studies.simulation.plain import PlainCalls, PlainFleet, PlainOutcome, run_plain
from benchmarks.studies.simulation.run_making import plain_rules
from geodata.driving_time import ROUTINE, edge_times
from geodata.snap import Positions, StreetIndex
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes
from tests.street_drawing import draw

MAP = draw("A---B---C\n|   |   |\nD---E---F")
TIMES = TravelTimes(MAP.network, *build_hierarchy(MAP.network), edge_times(MAP.network, ROUTINE))
INDEX = StreetIndex.build(MAP.network)
CALLS = 100_000
SYSTEM = TwoTypes(
    care_units=2, spd_units=4, pairs_per_s=0.5, jobs_per_s=2.0, care_s=2.0, spd_s=0.5, job_s=1.0
)


def _at(*streets: str) -> Positions:
    lon, lat = np.array([MAP.position(street, 0.5) for street in streets]).reshape(-1, 2).T
    return INDEX.snap_incidents(lon, lat)


def _lost(*, longer: float = 1.0) -> tuple[float, float]:
    """Return the shares of calls of the pair and of jobs that are lost."""
    rng = np.random.default_rng(2)
    rate = SYSTEM.pairs_per_s + SYSTEM.jobs_per_s
    at_s = np.cumsum(rng.exponential(1 / rate, CALLS))
    pair = rng.random(CALLS) < SYSTEM.pairs_per_s / rate
    stay_s = rng.exponential(np.where(pair, SYSTEM.spd_s, SYSTEM.job_s))
    care_stay_s = np.where(pair, longer * rng.exponential(SYSTEM.care_s, CALLS), np.nan)
    places = _at(*["AB"] * CALLS)
    calls = PlainCalls(at_s=at_s, stay_s=stay_s, positions=places, care_stay_s=care_stay_s)
    fleet = PlainFleet(care=_at(*["AB"] * SYSTEM.care_units), spd=_at(*["AB"] * SYSTEM.spd_units))
    lost = run_plain(TIMES, calls, fleet, queues=False).lost
    return float(lost[pair].mean()), float(lost[~pair].mean())


def _exact() -> Losses:
    return losses_of(SYSTEM)


def test_calls_of_the_pair_and_jobs_are_lost_as_often_as_the_exact_chain_says() -> None:
    pairs_lost, jobs_lost = _lost()
    assert pairs_lost == pytest.approx(_exact().pairs_lost, rel=0.03)
    assert jobs_lost == pytest.approx(_exact().jobs_lost, rel=0.05)


def test_a_longer_stay_of_care_is_noticed() -> None:
    assert _lost(longer=1.1)[0] != pytest.approx(_exact().pairs_lost, rel=0.03)


def _far_apart(turnout_s: int) -> tuple[NDArray[np.float64], PlainOutcome]:
    """One call of the pair a day, so that both units have long been free."""
    streets = ["AB", "BC", "DE", "EF", "CF", "AD"]
    at_s = 86_400.0 * np.arange(1, len(streets) + 1)
    stay_s = np.full(len(streets), 600.0)
    calls = PlainCalls(at_s=at_s, stay_s=stay_s, positions=_at(*streets), care_stay_s=2 * stay_s)
    rules = plain_rules()._replace(turnout_care_s=turnout_s)
    fleet = PlainFleet(care=_at("BE"), spd=_at("AD"), goes_home=True, rules=rules)
    return at_s, run_plain(TIMES, calls, fleet, queues=True)


def _free_s(post: str, call: str) -> float:
    labels = TIMES.unit_labels(_at(post))
    return float(TIMES.drive_ms(labels, _at(call)[0])[0]) / 1000


@pytest.mark.parametrize("turnout_s", [0, 90])
def test_with_no_load_a_pair_is_there_after_the_longer_free_drive(turnout_s: int) -> None:
    at_s, outcome = _far_apart(turnout_s)
    free = [
        max(_free_s("BE", street) + turnout_s, _free_s("AD", street))
        for street in ["AB", "BC", "DE", "EF", "CF", "AD"]
    ]
    assert (outcome.dispatched_s == at_s).all()
    assert outcome.arrived_s - at_s == pytest.approx(np.array(free), abs=1.0)
    assert max(free) > min(free) + 1.0, "all drives alike would tell nothing"
