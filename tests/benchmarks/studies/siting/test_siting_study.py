"""Study siting: before and after at every call, its parts anywhere, its faults with their lines."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import time
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from benchmarks.studies.engine import Engine, Here, Processes
from benchmarks.studies.errors import BadScenario, StudyError
from benchmarks.studies.report.page import page_of
from benchmarks.studies.report.result_files import result_files
from benchmarks.studies.run_folder import open_folder
from benchmarks.studies.scenario import Durations, Model, Shift, SitingSpec
from benchmarks.studies.siting.places import care_ms, cells, finest, must_fit
from benchmarks.studies.siting.siting_tables import Sitings, candidate_table, solution_table
from benchmarks.studies.siting.study import find, siting_study
from benchmarks.studies.siting.workload import workload_of
from benchmarks.studies.work import Work
from benchmarks.studies.world import World
from geodata.snap import Position
from routing.codes import Agency
from tests.benchmarks.studies.worlds import calls_at, group, world_on
from tests.builders import position_on
from tests.street_drawing import draw

TOWN = draw("A---B---C---D\n|   |   |   |\nE---F---G---H", block_m=900.0).network
WEST, EAST = position_on(TOWN, 0, 0.5), position_on(TOWN, 2, 0.5)
PLACES = [position_on(TOWN, street, share) for street in range(8) for share in (0.2, 0.7, 0.7)]
WORK = Work(engine=Here())


def town(spec: SitingSpec, spd: Sequence[Position] = (WEST, EAST)) -> World:
    world = world_on(TOWN, [WEST], list(spd))
    return replace(world, scenario=replace(world.scenario, siting=spec))


@cache
def sited() -> Sitings:
    spec = SitingSpec(posts=(1, 2), candidates_max=12, within_s=240.0)
    return find(town(spec), calls_at(PLACES), WORK)


def test_before_and_after_are_those_of_all_choices_at_every_call() -> None:
    found = sited()
    table = solution_table(found).columns
    care = care_ms(found.world, found.arrivals, found.candidates.at, found.points.calls)
    n = len(found.candidates.names)
    for count in (1, 2):
        pairs = [np.maximum(care[list(some)].min(axis=0), found.spd_ms)
                 for some in combinations(range(n), count)]  # fmt: skip
        row = {model: int(np.flatnonzero((table["model"] == model) & (table["units"] == count))[0])
               for model in ("P_MEDIAN", "P_CENTER", "MCLP")}  # fmt: skip
        assert table["mean_s"][row["P_MEDIAN"]] == pytest.approx(min(p.mean() for p in pairs) / 1e3)
        assert table["within_share"][row["MCLP"]] == max((p <= 240_000).mean() for p in pairs)
        longest = min(int(p.max()) for p in pairs) / 60_000
        assert table["value"][row["P_CENTER"]] == pytest.approx(longest)
    assert set(table["ended"][1:]) == {"PROVEN"}
    assert (table["gap_share"][1:] <= 1e-6).all()


def test_before_is_the_arrival_that_coverage_tells() -> None:
    found = sited()
    pair = found.arrivals.at(found.points.calls)["PAIR"]
    assert found.pair_ms(found.today).tolist() == pair.tolist()
    before = solution_table(found).columns["mean_s"][0]
    assert before == pytest.approx(pair.mean() / 1000)


def test_todays_posts_are_candidates_and_none_is_worse_than_they_are() -> None:
    found = sited()
    table = candidate_table(found).columns
    assert table["is_today"].tolist()[:2] == [True, False]
    assert len(table["site"]) <= 12
    one = next(s for s in found.sited if s.model == Model.P_MEDIAN and s.count == 1)
    assert found.worth(one.sites).mean_s <= found.worth_today.mean_s


def test_changes_are_after_minus_before() -> None:
    table = solution_table(sited()).columns
    best = int(np.flatnonzero((table["model"] == "P_MEDIAN") & (table["units"] == 2))[0])
    assert table["mean_change_s"][best] == table["mean_s"][best] - table["mean_s"][0] < 0
    assert table["within_change_share"][best] >= 0
    assert table["mean_change_s"][0] == 0


def test_units_are_busy_for_the_calls_times_what_each_takes() -> None:
    calls, world = calls_at(PLACES), town(SitingSpec())
    kept = np.arange(len(PLACES)) < 21
    load = workload_of(world, calls, kept, 120.0)
    offered = 21 / 168 * (120 + 34 * 60 + 0.28 * (600 + 900)) / 3600
    assert load.offered == pytest.approx(offered)
    assert (load.busy(1), load.busy(2)) == pytest.approx((offered, offered / 2))
    day = (group(Agency.CARE, [WEST], Shift(start=time(11), end=time(23))),)
    by_day = replace(world, scenario=replace(world.scenario, units=day))
    assert workload_of(by_day, calls, kept, 120.0).offered == pytest.approx(2 * offered)
    fixed = workload_of(town(SitingSpec(busy=0.3)), calls, kept, 120.0)
    assert [fixed.busy(count) for count in (1, 4)] == [0.3, 0.3]


def test_police_far_away_make_every_post_alike() -> None:
    spec = SitingSpec(posts=(1,), models=(Model.P_MEDIAN,), candidates_max=6)
    far = town(spec, [position_on(TOWN, 7, 0.5)])
    slow = replace(far, scenario=replace(far.scenario, durations=Durations(turnout_spd_s=3000.0)))
    found = find(slow, calls_at(PLACES), WORK)
    assert found.worth(found.sited[0].sites) == found.floor == found.worth_today


def test_too_many_places_are_put_together_and_it_is_told() -> None:
    spec = SitingSpec(posts=(1,), demand_points_max=5, candidates_max=6)
    found = find(town(spec), calls_at(PLACES), WORK)
    assert len(found.points.row) <= 5
    assert found.points.weight.sum() == len(PLACES)
    assert found.points.number[found.points.row].tolist() == list(range(len(found.points.row)))
    assert "at 16 places, put together by squares" in found.points.told
    assert "put together" not in sited().points.told


def test_the_smallest_squares_of_those_tried_are_taken() -> None:
    x, y = np.random.default_rng(4).random((2, 200)) * 1000.0
    side = finest(x, y, 30)
    assert len(np.unique(cells(x, y, side))) <= 30 < len(np.unique(cells(x, y, side / 1.05)))


@pytest.mark.parametrize("engine", [Here(), Processes(2)])
def test_a_study_is_the_same_anywhere_and_goes_on_where_it_was(
    engine: Engine, tmp_path: Path
) -> None:
    spec = SitingSpec(posts=(1, 2), candidates_max=12, within_s=240.0)
    world, calls = town(spec), calls_at(PLACES)
    first = dict(result_files(siting_study(world, calls, WORK)))
    with open_folder(tmp_path / "out", {"kind": "siting"}, fresh=False) as folder:
        told: list[tuple[str, int, int]] = []
        for _ in range(2):
            told.clear()
            work = Work(engine=engine, folder=folder, tell=lambda *one: told.append(one))
            assert dict(result_files(siting_study(world, calls, work))) == first
        assert ("models", 9, 9) in told
        assert ("models", 0, 9) not in told


def test_the_page_says_what_a_commander_needs() -> None:
    spec = SitingSpec(posts=(1, 2), candidates_max=12, within_s=240.0)
    result = siting_study(town(spec), calls_at(PLACES), WORK)
    assert result.kind == "SITING"
    said = " ".join(result.in_short)
    for words in ("Today CARE stands at 1 place (CARE-00)", "proven best", "sooner than today",
                  "police alone", "within 4 min"):  # fmt: skip
        assert words in said
    page = page_of(result)
    assert "A proxy" in page
    assert f"{sited().candidates.at.lon[sited().sited[0].sites[0]]:.5f}" in page


def test_every_fault_of_a_file_of_candidates_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "places.csv"
    at = f"{EAST.lon},{EAST.lat}"
    file.write_text(f"post_id,lon,lat\nA,{at}\nB,x,47\nC,-100,40\nA,{at}\n", encoding="utf-8")
    with pytest.raises(BadScenario) as told:
        find(town(SitingSpec(candidates=file)), calls_at(PLACES), WORK)
    assert [fault.line for fault in told.value.faults] == [3, 4, 5]
    file.write_text(f"post_id,lon,lat\nA,{at}\n", encoding="utf-8")
    spec = SitingSpec(candidates=file, posts=(1,), models=(Model.P_MEDIAN,))
    assert find(town(spec), calls_at(PLACES), WORK).candidates.names == ("CARE-00", "A")


def test_more_than_fits_is_refused_with_the_remedy() -> None:
    must_fit(1_000, 20_000)
    with pytest.raises(StudyError, match="more than 20,000,000") as told:
        must_fit(1_001, 20_000)
    assert "candidates_max" in told.value.remedy


def test_without_police_or_calls_there_is_no_study() -> None:
    with pytest.raises(StudyError, match="No police are on duty"):
        find(town(SitingSpec(), []), calls_at(PLACES), WORK)
    with pytest.raises(StudyError, match="no call near a street"):
        find(town(SitingSpec()), calls_at([]), WORK)
