"""Past calls are decided as Dijkstra and the rules of the service have it, each by itself."""

from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely

from benchmarks.studies.past.deciding import Decided, Decider
from benchmarks.studies.past.rosters import Rosters, minutes_left
from benchmarks.studies.scenario import CoverageSpec, Shift
from geodata.driving_time import ROUTINE, UNREACHABLE_MS, edge_times
from routing.codes import Agency
from tests.benchmarks.studies.coverage.street_oracle import KindOracle
from tests.benchmarks.studies.worlds import calls_at, group, world_on
from tests.builders import position_on, random_positions
from tests.routing.edge_dijkstra import EdgeDijkstra
from tests.street_drawing import draw

TOWN = draw("A---B---C---D\n|   |   |   |\nE---F---G---H", block_m=900.0).network
WEST, EAST = position_on(TOWN, 0, 0.5), position_on(TOWN, 2, 0.5)
ZONE = ZoneInfo("America/Los_Angeles")
DAY = Shift(start=time(11), end=time(23))


def decide(decider: Decider, n: int) -> Decided:
    return decider.decide(np.arange(n))


def test_the_pair_is_the_one_that_dijkstra_finds_and_arrives_in_its_whole_seconds() -> None:
    rng = np.random.default_rng(11)
    care, spd = random_positions(TOWN, rng, 3), random_positions(TOWN, rng, 4)
    places = random_positions(TOWN, rng, 40)
    found = decide(Decider(world_on(TOWN, care, spd), calls_at(places)), 40)
    oracle = EdgeDijkstra(TOWN, edge_times(TOWN, ROUTINE, hour=37), hour=37)
    for seconds, units, delay_ms in (
        (found.care_s, care, 120_000), (found.spd_s, spd, 80_000)
    ):  # fmt: skip
        ms = KindOracle(oracle, units, delay_ms).ms_to(places)
        assert ms.max() < UNREACHABLE_MS
        assert seconds.tolist() == np.floor(ms / 1000 + 0.5).tolist()
    assert found.pair_s.tolist() == np.maximum(found.care_s, found.spd_s).tolist()
    assert set(found.outcome.tolist()) == {"DISPATCH"}


def test_neither_the_order_of_calls_nor_other_calls_matter() -> None:
    rng = np.random.default_rng(12)
    calls = calls_at(random_positions(TOWN, rng, 20), rng.integers(0, 168, 20).tolist())
    world = world_on(TOWN, [WEST], [EAST])
    together = decide(Decider(world, calls), 20)
    back = Decider(world, calls).decide(np.arange(19, -1, -1))
    alone = Decider(world, calls).decide(np.array([7]))
    assert together.outcome.tolist() == back.outcome.tolist()[::-1]
    np.testing.assert_array_equal(together.pair_s, back.pair_s[::-1])
    assert alone.outcome.tolist() == together.outcome[[7]].tolist()
    assert len(set(together.outcome.tolist())) > 1


def test_a_call_is_refused_or_held_for_the_reasons_of_the_service() -> None:
    around = shapely.Point(WEST.lon, WEST.lat).buffer(0.001)
    assert not around.intersects(shapely.Point(EAST.lon, EAST.lat))
    zones = {"WEST": around}
    world = world_on(TOWN, [WEST], [WEST], zones=zones)
    calls = calls_at([WEST, EAST, WEST, WEST, EAST], [37, 37, 24 + 9, 24 + 23, 24 + 23])
    found = decide(Decider(world, calls), 5)
    assert found.outcome.tolist() == [
        "DISPATCH", "NOT_ELIGIBLE", "HOLD", "NOT_ELIGIBLE", "NOT_ELIGIBLE"
    ]  # fmt: skip
    assert found.gates.tolist() == [
        "", "OUTSIDE_ALL_ZONES", "BEFORE_OPENING", "OUTSIDE_WINDOW", "OUTSIDE_ALL_ZONES",
    ]  # fmt: skip
    assert found.holds[2] == "WINDOW_NOT_OPEN"
    assert found.zone.tolist() == ["WEST", None, "WEST", "WEST", None]


def test_units_come_only_while_their_shift_lasts_and_the_guard_of_its_end_holds() -> None:
    """12:50 of a shift until 13:00: within the guard, so the farther unit goes."""
    units = (
        group(Agency.CARE, [WEST], Shift(start=time(6), end=time(13))),
        group(Agency.CARE, [EAST], DAY),
        group(Agency.SPD, [WEST]),
    )
    world = world_on(TOWN, [WEST], [WEST], units=units)
    calls = calls_at([WEST, WEST, WEST], [36, 36, 37])
    calls.at_s[1] += 50 * 60
    found = decide(Decider(world, calls), 3)
    assert found.care_unit.tolist() == ["CARE-00", "CARE-00-2", "CARE-00-2"]


def test_nobody_on_duty_holds_the_pair_and_sends_police_ahead() -> None:
    units = (
        group(Agency.CARE, [WEST], Shift(start=time(14), end=time(23))),
        group(Agency.SPD, [WEST]),
    )
    found = decide(Decider(world_on(TOWN, [WEST], [WEST], units=units), calls_at([EAST], [37])), 1)
    assert (found.outcome[0], found.holds[0]) == ("HOLD", "NO_UNIT_IN_ROSTER")
    assert (found.care_unit[0], found.spd_unit[0]) == (None, "SPD-00")
    assert np.isnan(found.pair_s[0])


# -- who is on duty -------------------------------------------------------------------------------


def rosters(*shifts: Shift, recorded: Path | None = None) -> Rosters:
    units = (group(Agency.CARE, [WEST], *shifts), group(Agency.SPD, [EAST]))
    spec = CoverageSpec(recorded_positions=recorded)
    return Rosters(world_on(TOWN, [WEST], [EAST], units=units, coverage=spec))


@pytest.mark.parametrize(
    ("instant", "ends"),
    [
        (datetime(2026, 3, 7, 22, tzinfo=ZONE), datetime(2026, 3, 8, 11, tzinfo=UTC)),  # 04 PDT
        (datetime(2026, 10, 31, 22, tzinfo=ZONE), datetime(2026, 11, 1, 12, tzinfo=UTC)),  # 04 PST
        (datetime(2026, 7, 1, 22, tzinfo=ZONE), datetime(2026, 7, 2, 11, tzinfo=UTC)),
    ],
)
def test_a_night_shift_ends_by_the_wall_clock_of_its_end(instant: datetime, ends: datetime) -> None:
    (care,) = (
        unit
        for unit in rosters(Shift(start=time(19), end=time(4))).at(instant).units
        if unit.agency is Agency.CARE
    )
    assert care.shift_end == ends


def test_a_crew_that_relieves_another_is_the_same_unit() -> None:
    shifts = Shift(start=time(3), end=time(11)), Shift(start=time(11), end=time(19))
    (care, spd) = rosters(*shifts).at(datetime(2026, 7, 1, 8, tzinfo=ZONE)).units
    assert care.shift_end == datetime(2026, 7, 1, 19, tzinfo=ZONE)
    assert spd.shift_end is None
    assert minutes_left(np.array([True, True, False, True]), 3) == 3


HEAD = "agency,unit_id,lon,lat,at,status\n"


def test_positions_recorded_shortly_before_take_the_place_of_posts(tmp_path: Path) -> None:
    file = tmp_path / "positions.csv"
    file.write_text(
        f"{HEAD}SPD,S1,{WEST.lon},{WEST.lat},2026-07-21T12:58:00,AVAILABLE\n"
        f"SPD,S2,{WEST.lon},{WEST.lat},2026-07-21T12:59:00,ENROUTE\n"
        f"SPD,S3,{WEST.lon},{WEST.lat},2026-07-21T12:50:00,AVAILABLE\n"
    )
    there = rosters(recorded=file)
    after = there.at(datetime(2026, 7, 21, 13, 0, tzinfo=ZONE))
    assert {unit.unit_id: str(unit.status) for unit in after.units} == {
        "S1": "AVAILABLE", "S2": "ENROUTE", "CARE-00": "AVAILABLE",
    }  # fmt: skip
    assert (after.source(Agency.CARE), after.source(Agency.SPD)) == ("POSTS", "RECORDED_POSITIONS")
    later = there.at(datetime(2026, 7, 21, 14, 0, tzinfo=ZONE))
    assert {unit.unit_id for unit in later.units} == {"CARE-00", "SPD-00"}
