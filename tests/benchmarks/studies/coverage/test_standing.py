"""Who stands where: shifts by hour of the week, recorded positions, and what is said of it."""

from datetime import time
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from api.impact.judging import tell_nobody
from benchmarks.studies.coverage.hours import hours_in_words
from benchmarks.studies.coverage.recorded import read_fixes, read_recorded
from benchmarks.studies.coverage.standing import is_on_duty, standings
from benchmarks.studies.coverage.study import Found, coverage_study, measure, tables_of
from benchmarks.studies.errors import BadScenario, StudyError
from benchmarks.studies.report.page import page_of
from benchmarks.studies.scenario import CoverageSpec, Shift
from routing.codes import Agency
from tests.benchmarks.studies.worlds import calls_at, group, world_on
from tests.builders import position_on
from tests.street_drawing import draw

ZONE = ZoneInfo("America/Los_Angeles")
TOWN = draw("A---B---C---D\n|   |   |   |\nE---F---G---H", block_m=900.0).network
WEST, EAST = position_on(TOWN, 0, 0.5), position_on(TOWN, 2, 0.5)
DAY = Shift(start=time(11), end=time(23))
NIGHT = Shift(start=time(19), end=time(4), days=frozenset({4, 6}))
"""Friday and Sunday nights."""


def hours_on_duty(shift: Shift) -> list[int]:
    return [hour for hour in range(168) if is_on_duty(shift, hour)]


def test_a_shift_over_midnight_ends_on_the_next_day_and_on_the_next_week() -> None:
    assert hours_in_words(hours_on_duty(DAY)) == "daily 11-23"
    words = "Mon 00-04, Fri 19-24, Sat 00-04, Sun 19-24"
    assert hours_in_words(hours_on_duty(NIGHT)) == words
    assert len(hours_on_duty(Shift())) == 168


def test_an_hour_belongs_to_the_shift_that_holds_its_middle() -> None:
    shift = Shift(start=time(11, 31), end=time(22, 31), days=frozenset({0}))
    assert hours_on_duty(shift) == list(range(12, 23))


@cache
def day_and_night() -> Found:
    """CARE works by day; police by day and, fewer of them, by night."""
    units = (
        group(Agency.CARE, [WEST], DAY),
        group(Agency.SPD, [WEST, EAST], DAY),
        group(Agency.SPD, [WEST], Shift(start=time(23), end=time(11))),
    )
    world = world_on(TOWN, [WEST], [WEST, EAST], units=units)
    calls = calls_at([WEST, WEST, EAST, EAST], [12, 13, 14, 26])
    return measure(world, calls, tell_nobody)


def test_coverage_by_hour_is_that_of_the_units_on_duty() -> None:
    by_hour = tables_of(day_and_night())["coverage_by_hour"]
    noon, night = 12, 26
    units = {name: by_hour.columns[f"{name}_units"] for name in ("care", "spd")}
    assert [units["care"][noon], units["spd"][noon]] == [1, 2]
    assert [units["care"][night], units["spd"][night]] == [0, 1]
    pair = by_hour.columns["calls_pair_within_15_min_share"]
    assert (pair[noon], pair[night]) == (1.0, 0.0)
    assert by_hour.columns["is_open"].tolist() == [11 <= hour % 24 < 23 for hour in range(168)]


def test_a_call_at_night_has_no_pair_at_its_own_hour() -> None:
    overall = tables_of(day_and_night())["coverage_overall"].columns
    own = (overall["of"] == "calls_at_their_hour") & (overall["unit"] == "PAIR")
    assert overall["within_15_min_share"][own].tolist() == [0.75]
    assert overall["unreached_share"][own].tolist() == [0.25]


def test_staffing_is_one_row_for_each_set_of_units_on_duty() -> None:
    staffing = tables_of(day_and_night())["coverage_by_staffing"].columns
    assert staffing["n_hours"].tolist() == [84, 84]
    assert staffing["hours"].tolist() == ["daily 00-11 and 23-24", "daily 11-23"]
    assert staffing["calls_in_hours"].tolist() == [1, 3]


def test_equal_studies_are_equal_to_the_last_byte_and_say_what_a_commander_needs() -> None:
    world, calls = (getattr(day_and_night(), name) for name in ("world", "calls"))
    results = [coverage_study(world, calls, tell_nobody) for _ in range(2)]
    first, second = (page_of(result) for result in results)
    assert first == second
    assert "A proxy" in first
    said = "84 of 168 hours of the week (daily 11-23); 75 % of the calls"
    assert any(said in sentence for sentence in results[0].in_short)


def test_a_geography_that_is_not_there_is_named() -> None:
    world = world_on(TOWN, [WEST], [EAST], coverage=CoverageSpec(by=("zone", "ward")))
    with pytest.raises(StudyError, match=r"ward.*It has zone"):
        coverage_study(world, calls_at([WEST]), tell_nobody)


# -- recorded positions ---------------------------------------------------------------------------

HEAD = "agency,unit_id,lon,lat,at\n"


def recorded(folder: Path, *lines: str) -> Path:
    file = folder / "positions.csv"
    file.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_of_each_hour_of_the_week_the_latest_day_and_the_last_fix_count(tmp_path: Path) -> None:
    file = recorded(
        tmp_path,
        "CARE,C1,-122.33,47.60,2026-07-13T13:05:00-07:00",  # the Monday before
        "CARE,C2,-122.34,47.61,2026-07-13T13:06:00-07:00",
        "CARE,C1,-122.31,47.61,2026-07-20T20:50:00Z",  # 13:50 of the next Monday
        "CARE,C1,-122.32,47.62,2026-07-20T13:10:00",  # local, and before the last
        "spd,S1,-122.35,47.63,2026-07-20T14:00:00-07:00",
    )
    assert read_recorded(file, ZONE) == {
        13: {Agency.CARE: {"C1": (-122.31, 47.61)}},
        14: {Agency.SPD: {"S1": (-122.35, 47.63)}},
    }


def test_a_study_of_recorded_positions_tells_the_hours_that_were_recorded(tmp_path: Path) -> None:
    place = f"{WEST.lon},{WEST.lat}"
    file = recorded(tmp_path, f"CARE,C1,{place},2026-07-20T13:05:00",
                    f"SPD,S1,{place},2026-07-20T13:06:00",
                    f"SPD,S1,{place},2026-07-20T14:06:00")  # fmt: skip
    world = world_on(TOWN, [EAST], [EAST], coverage=CoverageSpec(recorded_positions=file))
    assert sorted(standings(world)) == [13, 14]
    tables = tables_of(measure(world, calls_at([WEST, EAST], [13, 14]), tell_nobody))
    by_hour, of_calls = (tables[name].columns for name in ("coverage_by_hour", "coverage_calls"))
    assert by_hour["care_units"].tolist() == [1, 0]
    assert of_calls["care_s"][0] == 120.0  # turnout, start and park: it stands there
    assert np.isnan(of_calls["own_hour_care_s"][1])


def test_each_bad_row_of_recorded_positions_is_left_out_and_named(
    tmp_path: Path,
) -> None:
    file = recorded(tmp_path, "FIRE,F1,-122,47,2026-07-20T13:00", "SPD,,-122,47,2026-07-20T13:00",
                    "SPD,S1,x,47,2026-07-20T13:00", "SPD,S1,0,47,2026-07-20T13:00",
                    "SPD,S1,-122,47,noon", "SPD,S1,-122.3,47.6,2026-07-20T13:00")  # fmt: skip
    found = read_fixes(file, ZONE)
    assert (len(found.fixes), found.n_rows, found.n_left_out) == (1, 6, 5)
    faults = [(fault.line, fault.where) for fault in found.left_out]
    assert faults == list(enumerate(["agency", "unit_id", "lon", "lon", "at"], start=2))
    assert all(fault.remedy for fault in found.left_out)


def test_a_file_without_its_columns_or_rows_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "positions.csv"
    for text, where in (("unit_id,lon,lat\nS1,1,2\n", ["agency", "at"]), (HEAD, ["the file"])):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(BadScenario) as told:
            read_recorded(file, ZONE)
        assert [fault.where for fault in told.value.faults] == where
    with pytest.raises(BadScenario):
        read_recorded(tmp_path / "absent.csv", ZONE)
