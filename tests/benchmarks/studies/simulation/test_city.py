"""Replications of whole scenarios: what units do follows the rules, and repeats itself exactly."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as student

from benchmarks.studies.engine import Cluster, Engine, Here, Processes
from benchmarks.studies.kept import bytes_of, result_of
from benchmarks.studies.report.result_files import result_files
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.simulation.care_calls import POLICE_ALONE, REFUSED, SENT
from benchmarks.studies.simulation.city import City
from benchmarks.studies.simulation.incoming import incoming_of
from benchmarks.studies.simulation.intervals import interval_of
from benchmarks.studies.simulation.measures import (
    MEASURES,
    ReplicationResult,
    measures_of,
    result_of_city,
)
from benchmarks.studies.simulation.study import simulation_study
from benchmarks.studies.studies import STUDIES
from benchmarks.studies.work import Work
from benchmarks.studies.world import World
from benchmarks.studies.world_making import world_of
from geodata.snap import Position
from routing.codes import Agency
from routing.travel_time import TravelTimes

BUILTIN = Path(__file__).parents[4] / "benchmarks" / "studies" / "examples" / "builtin.toml"
SHORT = {"simulation.days": 10, "simulation.replications": 3}
FORMATS = (".csv", ".parquet")
QUIET = {"demand__care__per_day": 1.0, "demand__police__per_day": 0.5}


def world(**changes: object) -> World:
    return _world(
        tuple(sorted((SHORT | {k.replace("__", "."): v for k, v in changes.items()}).items()))
    )


@cache
def _world(changes: tuple[tuple[str, object], ...]) -> World:
    return world_of(read_scenario(BUILTIN, dict(changes)))


def once(of: World, replication: int = 0) -> ReplicationResult:
    city = City(of, incoming_of(of, replication))
    return result_of_city(city.run(), replication, city.fleet.roster.unit_id, city.zone)


def with_durations(of: World, **durations: float) -> World:
    scenario = of.scenario
    return replace(
        of, scenario=replace(scenario, durations=replace(scenario.durations, **durations))
    )


def busy_spans(found: ReplicationResult) -> Mapping[int, list[tuple[float, float]]]:
    spans: dict[int, list[tuple[float, float]]] = {}
    for kind in ("care", "spd"):
        unit, begin, end = (
            getattr(found, f"{kind}_{name}") for name in ("unit", "dispatched_s", "clear_s")
        )
        for u, b, e in zip(unit.tolist(), begin.tolist(), end.tolist(), strict=True):
            if u >= 0:
                spans.setdefault(u, []).append((b, e))
    return spans


def test_no_unit_is_at_two_calls_and_every_call_is_as_the_flow_says() -> None:
    found = once(world(demand__care__per_day=40.0))
    assert (found.outcome == POLICE_ALONE).any() or (found.waited_s > 0).any(), "units were short"
    for spans in busy_spans(found).values():
        ordered = sorted(spans)
        assert all(e <= b for (_, e), (b, _) in pairwise(ordered))
    sent = found.outcome == SENT
    both = sent & ~np.isnan(found.spd_arrived_s)
    assert (found.care_arrived_s[sent] > found.care_dispatched_s[sent]).all()
    assert (found.spd_clear_s[both] >= found.care_arrived_s[both]).all(), "police left CARE waiting"
    officer = both & found.is_officer
    assert (found.spd_arrived_s[officer] < found.asked_s[officer]).all()
    pair = both & ~found.is_officer & (found.waited_s == 0)
    assert np.array_equal(found.care_dispatched_s[pair], found.spd_dispatched_s[pair])


def test_police_leave_a_safe_scene_and_care_stays_its_time() -> None:
    of = with_durations(
        world(), shape=1e9, scene_safe_s=600.0, care_on_scene_s=1200.0, transport_share=0.0
    )
    found = once(of)
    both = (found.outcome == SENT) & ~np.isnan(found.spd_arrived_s)
    safe_s = found.spd_arrived_s[both] + 600
    care_s = found.care_arrived_s[both]
    assert found.spd_clear_s[both] == pytest.approx(np.maximum(safe_s, care_s), abs=0.5)
    assert found.care_clear_s[both] == pytest.approx(np.maximum(safe_s, care_s) + 1200, abs=0.5)


def test_transport_takes_its_drive_and_its_stay() -> None:
    told = {"shape": 1e9, "transport_drive_s": 300.0, "facility_s": 900.0}
    without, every = (
        once(with_durations(world(**QUIET), **told, transport_share=share)) for share in (0.0, 1.0)
    )
    sent = (without.outcome == SENT) & (every.outcome == SENT)
    longer = (every.care_clear_s - without.care_clear_s)[sent]
    assert sent.sum() > 3
    assert np.median(longer) == pytest.approx(1200, abs=1)


def test_calls_outside_the_hours_are_not_served_by_care() -> None:
    found = once(world())
    local = ((found.care_dispatched_s - 8 * 3600) // 3600) % 24  # January: UTC-8
    sent = found.outcome == SENT
    assert (found.outcome == REFUSED).any()
    assert ((local[sent] >= 11) & (local[sent] < 23)).all()


def test_the_same_durations_and_places_whatever_the_units_are() -> None:
    few, many = once(world(units__CARE__count=1)), once(world(units__CARE__count=6))
    for name in ("call_id", "queued_s", "lon", "lat", "without_care_s", "is_officer"):
        assert np.array_equal(getattr(few, name), getattr(many, name)), name
    assert (many.outcome == SENT).sum() >= (few.outcome == SENT).sum()
    other = once(world(units__CARE__count=1), replication=1)
    assert not np.array_equal(few.queued_s, other.queued_s)


def test_a_replication_is_kept_whole() -> None:
    found = once(world())
    again = result_of(ReplicationResult, bytes_of(found))
    assert bytes_of(again) == bytes_of(found)
    assert measures_of(again) == pytest.approx(measures_of(found), nan_ok=True)
    assert list(measures_of(found)) == list(MEASURES)


def test_all_tables_are_the_same_bytes_here_in_two_processes_and_on_dask(cluster: str) -> None:
    def tables(engine: Engine) -> dict[str, bytes]:
        found = simulation_study(world(), SHORT, Work(engine=engine))
        return {name: content for name, content in result_files(found) if name.endswith(FORMATS)}

    here = tables(Here())
    assert {"measures.csv", "measures.parquet", "simulated_calls.parquet"} <= set(here)
    assert tables(Processes(2)) == here
    assert tables(Cluster(cluster)) == here
    another = simulation_study(world(seed=8), SHORT | {"seed": 8}, Work(engine=Here()))
    other = dict(result_files(another))
    assert other["measures.csv"] != here["measures.csv"]


def test_with_no_load_units_come_from_their_posts_after_the_free_drive() -> None:
    of = world(demand__officer_share=0.0, demand__care__per_day=1.0, demand__police__per_day=0.01)
    found = once(of)
    sent = found.outcome == SENT
    assert sent.sum() > 3
    times, at = of.times_at(37), of.post_positions
    policy = of.release.city_policy
    turnouts = {Agency.CARE: policy.turnout_care_s, Agency.SPD: policy.turnout_spd_s}
    for row in np.flatnonzero(sent).tolist():
        place = of.streets.snap_incident(found.lon[row], found.lat[row])
        for agency, turnout_s in turnouts.items():
            posts = [ms_from(times, post, place) for post in at[agency]]
            free_s = turnout_s + (times.start_and_park_ms + min(posts)) / 1000
            kind = agency.lower()
            arrived_s, dispatched_s = (
                getattr(found, f"{kind}_{name}_s")[row] for name in ("arrived", "dispatched")
            )
            assert arrived_s - dispatched_s == pytest.approx(free_s, abs=1.0)


def ms_from(times: TravelTimes, post: Position, place: Position) -> int:
    """Return the free drive of a whole route, in milliseconds."""
    route = times.route(post, times.at_junction(place))
    assert route is not None
    return route.ms


def test_intervals_are_those_of_student() -> None:
    values = [3.0, 5.0, 4.0, 8.0, float("nan")]
    found = interval_of(values, 0.95)
    low, high = student.interval(0.95, 3, loc=5.0, scale=np.std(values[:4], ddof=1) / 2)
    assert (found.n, found.mean) == (4, 5.0)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_the_report_says_what_is_published_before_anything_else() -> None:
    found = simulation_study(world(), SHORT, Work(engine=Here()))
    assert "CARE's own reports say 13" in found.cautions[0]
    assert "simulate" in STUDIES
    told = {table.name: table for table in found.all_tables}
    assert {"measures", "outcomes", "units", "hours", "simulated_calls", "call_data"} <= set(told)
    n = sum(len(once(world(), k).call_id) for k in range(3))
    assert len(told["simulated_calls"]) == n
    assert len(told["measures"]) == len(MEASURES)


def test_unit_hours_are_those_of_the_calls_and_jobs() -> None:
    of = world(**QUIET)
    found = once(of)
    days = of.scenario.simulation.days
    is_care = found.unit_agency == "CARE"
    assert found.on_duty_s[is_care] == pytest.approx(12 * 3600 * days)
    begin = found.queued_s.min() // 86400 * 86400
    inside = (found.care_unit >= 0) & (found.care_clear_s < begin + days * 86400)
    spent = (found.care_clear_s - found.care_dispatched_s)[inside].sum()
    assert found.busy_s[is_care].sum() == pytest.approx(spent, rel=0.1)
    assert found.busy_by_hour.sum() == pytest.approx(found.busy_s.sum())
    assert found.duty_by_hour.sum() == pytest.approx(found.on_duty_s.sum())
