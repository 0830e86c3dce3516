"""Seconds gained are told only where the unit that was sent, its place and its being free are."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.studies.demand import Calls
from benchmarks.studies.past.deciding import Decider
from benchmarks.studies.past.gain_tables import gain_table, n_compared, why_table
from benchmarks.studies.past.recorded_units import busy_rows
from benchmarks.studies.past.replay_tables import NOT_COMPARABLE, Replayed, call_table, gains
from benchmarks.studies.past.words import NOT_COMPARABLE as NOT_ON_FACE
from benchmarks.studies.past.words import UPPER, cautions
from benchmarks.studies.scenario import CoverageSpec
from geodata.call_records import UnitRecords
from geodata.driving_time import ROUTINE, edge_times
from geodata.snap import Position
from routing.codes import Agency
from tests.benchmarks.studies.coverage.street_oracle import KindOracle
from tests.benchmarks.studies.worlds import calls_at, world_on
from tests.builders import position_on
from tests.routing.edge_dijkstra import EdgeDijkstra
from tests.street_drawing import draw

TOWN = draw("A---B---C---D\n|   |   |   |\nE---F---G---H", block_m=900.0).network
WEST, MIDDLE, EAST = sorted(
    (place for k in range(TOWN.n_streets) if (place := position_on(TOWN, k, 0.5)).lat == 47.605),
    key=lambda place: place.lon,
)
NAN = float("nan")


def records_of(
    calls: Calls,
    units: Sequence[str],
    places: Sequence[Position | None],
    *,
    status: Sequence[str] | None = None,
    dispatched_after_s: float = 60.0,
    in_service_after_s: float = NAN,
) -> UnitRecords:
    at = [(NAN, NAN) if one is None else (one.lon, one.lat) for one in places]
    return UnitRecords(
        unit=tuple(units),
        status=tuple(status or [""] * len(units)),
        has_status=status is not None,
        lon=np.array([lon for lon, _ in at]),
        lat=np.array([lat for _, lat in at]),
        dispatched_s=calls.at_s + dispatched_after_s,
        at_scene_s=calls.at_s + 600.0,
        in_service_s=calls.at_s + in_service_after_s,
        n_unreadable=0,
        n_disordered=0,
    )


def replayed(calls: Calls, *, recorded: Path | None = None) -> Replayed:
    """CARE stands in the west, police in the middle."""
    spec = CoverageSpec(recorded_positions=recorded)
    world = world_on(TOWN, [WEST], [MIDDLE], coverage=spec)
    decided = Decider(world, calls).decide(np.arange(len(calls)))
    return Replayed(world=world, calls=calls, decided=decided)


def spd_told(calls: Calls, records: UnitRecords, recorded: Path | None = None) -> Replayed:
    return replayed(replace(calls, records={Agency.SPD: records}), recorded=recorded)


def test_the_gain_is_that_of_two_drives_by_the_same_drive_times() -> None:
    calls = calls_at([WEST])
    found = spd_told(calls, records_of(calls, ["2K1"], [EAST]))
    oracle = EdgeDijkstra(TOWN, edge_times(TOWN, ROUTINE, hour=37), hour=37)
    far, near = (
        np.floor(KindOracle(oracle, [unit], 80_000).ms_to([WEST]) / 1000 + 0.5).item()
        for unit in (EAST, MIDDLE)
    )
    assert far > near
    assert gains(found)["SPD"].tolist() == [far - near]
    assert np.isnan(gains(found)["PAIR"]).all()  # nobody knows which CARE unit was sent
    assert UPPER in cautions(found)
    assert found.decided.decided_s.tolist() == (calls.at_s + 60).tolist()


def test_a_recorded_unit_that_was_the_nearest_is_the_answer_and_gains_nothing() -> None:
    calls = calls_at([WEST])
    found = spd_told(calls, records_of(calls, ["2K1"], [WEST]))
    assert found.decided.spd_unit.tolist() == ["2K1"]
    assert gains(found)["SPD"].tolist() == [0.0]


def test_the_pair_gains_only_where_both_recorded_units_are_compared() -> None:
    calls = calls_at([WEST, WEST])
    spd = records_of(calls, ["2K1", "2K1"], [EAST, EAST])
    care = records_of(calls, ["C1", "C1"], [EAST, None])
    found = replayed(replace(calls, records={Agency.CARE: care, Agency.SPD: spd}))
    told, decided = gains(found), found.decided
    assert np.isnan(told["PAIR"]).tolist() == [False, True]
    both = max(decided.care_recorded_s[0], decided.spd_recorded_s[0])
    assert told["PAIR"][0] == both - decided.pair_s[0] > 0
    assert told["CARE"][0] == decided.care_recorded_s[0] - decided.care_s[0] > 0


@pytest.mark.parametrize(
    ("unit", "place", "status", "why"),
    [
        ("", EAST, None, "NO_RECORD"),
        ("2K1", None, None, "NO_POSITION"),
        ("2K1", EAST, "ON_SCENE", "BUSY"),
        ("2K1", EAST, "UNKNOWN", "STATUS_UNKNOWN"),
        ("2K1", EAST, "", "STATUS_UNKNOWN"),
        ("2K1", EAST, "AVAILABLE", "YES"),
    ],
)
def test_a_unit_that_is_unknown_elsewhere_or_busy_is_never_compared(
    unit: str, place: Position | None, status: str | None, why: str
) -> None:
    calls = calls_at([WEST])
    records = records_of(calls, [unit], [place], status=None if status is None else [status])
    found = spd_told(calls, records)
    assert found.decided.spd_compared.tolist() == [why]
    row = {name: column[0] for name, column in call_table(found).columns.items()}
    assert row["comparable"] == ("SPD compared" if why == "YES" else NOT_COMPARABLE)
    assert np.isnan(row["spd_gain_s"]) == (why != "YES")
    assert (NOT_ON_FACE in cautions(found)) == (why != "YES")
    assert n_compared(found) == (why == "YES")


def test_a_unit_that_is_still_on_an_earlier_call_of_the_table_is_busy() -> None:
    calls = calls_at([WEST, WEST, WEST], [36, 37, 38])
    records = records_of(calls, ["2K1"] * 3, [EAST] * 3, in_service_after_s=5_400.0)
    assert busy_rows(records).tolist() == [False, True, True]
    short = records_of(calls, ["2K1"] * 3, [EAST] * 3, in_service_after_s=3_600.0)
    assert not busy_rows(short).any()
    found = spd_told(calls, records)
    assert found.decided.spd_compared.tolist() == ["YES", "BUSY", "BUSY"]


def test_a_call_to_which_the_answer_sends_nobody_is_not_compared() -> None:
    calls = calls_at([WEST], [24 + 3])
    found = spd_told(calls, records_of(calls, ["2K1"], [EAST]))
    assert found.decided.spd_compared.tolist() == ["NOT_SENT"]


def test_of_recorded_positions_the_last_before_the_dispatch_counts_and_a_status_is_needed(
    tmp_path: Path,
) -> None:
    """Tuesday 13:01:00 is the call, 13:02:00 the dispatch."""
    calls = calls_at([WEST, WEST])
    records = records_of(calls, ["s1", "S2"], [None, None])
    head = "agency,unit_id,lon,lat,at"
    east, west = f"{EAST.lon},{EAST.lat}", f"{WEST.lon},{WEST.lat}"
    lines = [
        f"SPD,S1,{west},2026-07-21T12:59:00,AVAILABLE",
        f"SPD,S1,{east},2026-07-21T13:01:30,AVAILABLE",
        f"SPD,S1,{west},2026-07-21T13:02:00,ENROUTE",
        f"SPD,S2,{east},2026-07-21T13:01:40,BUSY",
    ]
    file = tmp_path / "positions.csv"
    file.write_text("\n".join((f"{head},status", *lines)) + "\n")
    found = spd_told(calls, records, file)
    assert found.decided.spd_compared.tolist() == ["YES", "BUSY"]
    assert found.decided.spd_unit.tolist() == ["S1", "S1"]  # the only one that was free
    assert UPPER not in cautions(found)
    file.write_text("\n".join((head, *(line.rpartition(",")[0] for line in lines))) + "\n")
    assert spd_told(calls, records, file).decided.spd_compared.tolist() == ["STATUS_UNKNOWN"] * 2


def test_the_tables_count_what_is_compared_and_why_the_rest_is_not() -> None:
    calls = calls_at([WEST, WEST, EAST], [36, 37, 38])
    found = spd_told(calls, records_of(calls, ["2K1", "", "2K3"], [EAST, EAST, None]))
    gain = gain_table(found).columns
    assert gain["calls"].tolist() == [0, 1, 0]
    assert gain["gain_p50_s"][1] == gains(found)["SPD"][0]
    why = why_table(found).columns
    told = dict(zip(zip(why["agency"], why["code"], strict=True), why["calls"], strict=True))
    assert told["SPD", "YES"] == told["SPD", "NO_RECORD"] == told["SPD", "NO_POSITION"] == 1
    assert told["CARE", "NO_RECORD"] == 3
