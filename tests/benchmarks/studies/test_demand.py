"""Demand as it is told: periods, factors, hours on the days that change the clock, mappings."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from benchmarks.studies.commands import check_scenario
from benchmarks.studies.coverage.hours import hours_of
from benchmarks.studies.demand import Calls
from benchmarks.studies.demand_making import calls_of, study_days
from benchmarks.studies.errors import BadScenario
from benchmarks.studies.generated_demand import hours_between
from benchmarks.studies.past.study import replay_calls
from benchmarks.studies.report.call_data import call_data_table
from benchmarks.studies.report.table_files import files_of
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.world import World
from benchmarks.studies.world_making import world_of
from routing.codes import Agency

ZONE = ZoneInfo("America/Los_Angeles")
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
PLACES = ((-122.3370, 47.6100), (-122.3330, 47.6020))
BASE = 'name = "x"\n[units.CARE]\ncount = 1\n'


def table(folder: Path, n: int = 400, header: str = "call_id,lon,lat,queued_at,call_type") -> Path:
    """Return a table of hourly calls from 1 May 2024; every fourth is of another type."""
    rows = []
    for k in range(n):
        lon, lat = PLACES[k % 2]
        kind = "PARKING" if k % 4 == 3 else "WELFARE CHECK"
        when = f"2024-05-{1 + k // 24:02} {k % 24:02}:00:00"
        rows.append(f"E{k},{lon},{lat},{when},{kind}")
    file = folder / "calls.csv"
    file.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return file


def world(folder: Path, text: str) -> World:
    file = folder / "scenario.toml"
    file.write_text(BASE + text, encoding="utf-8")
    return world_of(read_scenario(file))


def care(folder: Path, keys: str = "", more: str = "", seed: int = 1) -> Calls:
    text = f'[demand.care]\ncalls = "calls.csv"\n{keys}\n{more}'
    return calls_of(world(folder, text), "CARE", seed)


# -- thinned and repeated -------------------------------------------------------------------------


def test_a_factor_of_one_takes_the_table_as_it_is_in_the_order_of_its_instants(
    tmp_path: Path,
) -> None:
    table(tmp_path)
    calls = care(tmp_path)
    assert calls.call_id == tuple(f"E{k}" for k in range(400) if k % 4 != 3)
    assert (np.diff(calls.at_s) > 0).all()


def test_a_factor_below_one_keeps_about_so_many_each_at_most_once(tmp_path: Path) -> None:
    table(tmp_path)
    calls = care(tmp_path, "rate_factor = 0.5")
    assert len(set(calls.call_id)) == len(calls)
    assert 120 < len(calls) < 180  # 300 by a half; four standard deviations are 35
    assert set(calls.call_id) <= {f"E{k}" for k in range(400)}
    assert any("Every call counts 0.5 times" in note for note in calls.notes)


def test_a_factor_above_one_repeats_each_by_its_whole_and_some_once_more(tmp_path: Path) -> None:
    table(tmp_path)
    calls = care(tmp_path, "rate_factor = 2.25")
    original = [name.split("-")[0] for name in calls.call_id]
    counts = {name: original.count(name) for name in set(original)}
    assert len(set(calls.call_id)) == len(calls)
    assert set(counts.values()) == {2, 3}
    assert 630 < len(calls) < 720  # 675
    at = {name: calls.at_s[k] for k, name in enumerate(calls.call_id)}
    assert at["E4"] == at["E4-2"]


def test_thinning_is_by_the_seed_alone(tmp_path: Path) -> None:
    table(tmp_path)
    first, again, other = (care(tmp_path, "rate_factor = 0.5", seed=s) for s in (1, 1, 2))
    assert first.call_id == again.call_id != other.call_id


# -- periods --------------------------------------------------------------------------------------


def test_past_calls_without_first_day_have_the_days_of_their_own_table(tmp_path: Path) -> None:
    table(tmp_path)
    text = '[demand.care]\ncalls = "calls.csv"\n[demand.police]\nper_day = 200\n'
    made = world(tmp_path, text)
    assert study_days(made) == (date(2024, 5, 2), date(2024, 5, 17))  # one day of warm-up
    police = calls_of(made, "POLICE", 1)
    days = {datetime.fromtimestamp(s, ZONE).date() for s in police.at_s.tolist()}
    assert (min(days), max(days)) == (date(2024, 5, 2), date(2024, 5, 17))


def test_a_first_day_that_is_told_holds_and_so_does_the_default_of_drawn_calls(
    tmp_path: Path,
) -> None:
    table(tmp_path)
    text = '[demand.care]\ncalls = "calls.csv"\n[simulation]\nfirst_day = 2024-05-03\ndays = 7\n'
    assert study_days(world(tmp_path, text)) == (date(2024, 5, 4), date(2024, 5, 10))
    drawn = world(tmp_path, "[demand.care]\nper_day = 5\n[simulation]\ndays = 7\n")
    assert study_days(drawn) == (date(2026, 1, 6), date(2026, 1, 12))


def test_days_of_the_scenario_cut_the_table_by_local_midnights(tmp_path: Path) -> None:
    table(tmp_path)
    calls = care(tmp_path, "first_day = 2024-05-02\nlast_day = 2024-05-03")
    assert set(calls.call_id) == {f"E{k}" for k in range(24, 72) if k % 4 != 3}
    assert calls.weeks == 2 / 7


# -- clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "n_hours"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 7, 5), 24)])
def test_a_day_has_the_hours_that_the_wall_clock_gives_it(day: date, n_hours: int) -> None:
    starts, hours = hours_between((day, day), ZONE)
    assert len(starts) == n_hours
    sunday = 6 * 24
    expected = [sunday + k for k in range(24)]
    if day == SPRING:
        expected.remove(sunday + 2)
    if day == AUTUMN:
        expected.insert(2, sunday + 1)
    assert hours.tolist() == expected


def test_the_hour_of_a_call_is_local_on_both_sides_of_a_change(tmp_path: Path) -> None:
    instants = [
        datetime(2026, 3, 8, 9, 59, tzinfo=UTC), datetime(2026, 3, 8, 10, 0, tzinfo=UTC),
        datetime(2026, 11, 1, 8, 59, tzinfo=UTC), datetime(2026, 11, 1, 9, 0, tzinfo=UTC),
        datetime(2026, 11, 1, 10, 0, tzinfo=UTC),
    ]  # fmt: skip
    made = world(tmp_path, "[demand.care]\nper_day = 5\n")
    found = hours_of(made.release, np.array([one.timestamp() for one in instants]))
    assert (found - 6 * 24).tolist() == [1, 3, 1, 1, 2]


def test_calls_of_the_hour_that_is_skipped_and_of_the_hour_that_comes_twice(
    tmp_path: Path,
) -> None:
    """A table by the wall clock: 02:30 of March is 03:30, 01:30 of November is its first."""
    lon, lat = PLACES[0]
    days = ("2026-03-08 01:30", "2026-03-08 02:30", "2026-03-08 03:00", "2026-11-01 01:30")
    rows = [f"E{k},{lon},{lat},{when}:00,WELFARE CHECK" for k, when in enumerate(days)]
    (tmp_path / "calls.csv").write_text("\n".join(("call_id,lon,lat,queued_at,call_type", *rows)))
    calls = care(tmp_path)
    at = dict(zip(calls.call_id, calls.at_s.tolist(), strict=True))
    utc = {k: datetime.fromtimestamp(s, UTC).strftime("%H:%M") for k, s in at.items()}
    assert utc == {"E0": "09:30", "E1": "10:30", "E2": "10:00", "E3": "08:30"}
    assert calls.call_id == ("E0", "E2", "E1", "E3")


# -- hours of the week ----------------------------------------------------------------------------


def test_weights_that_are_told_hold_for_a_pattern_even_when_they_are_alike(tmp_path: Path) -> None:
    """The table's calls are of Wednesday to Saturday; weights alike spread them over all days."""
    table(tmp_path, 96)
    pattern = 'spread = "PATTERN"\npattern = { calls = "calls.csv" }\nper_day = 50\n'
    weights = f"hour_weights = {[1] * 168}\n"
    found = {}
    for name, more in (("pattern", ""), ("alike", weights)):
        made = world(tmp_path, f"[demand.care]\n{pattern}{more}[simulation]\ndays = 14\n")
        hours = hours_of(made.release, calls_of(made, "CARE", 1).at_s)
        found[name] = set((hours // 24).tolist())
    assert found == {"pattern": {2, 3, 4, 5}, "alike": set(range(7))}


# -- mapping files --------------------------------------------------------------------------------

MAPPING = """
name = "An export"
time_is = "RECEIVED"
time_format = "%d.%m.%Y %H:%M"
is_record_of_eligible_calls = true
[columns]
lon = "Long"
lat = "Lat"
at = "When"
call_type = "Kind"
call_id = "No"
[call_types]
WC = "WELFARE CHECK"
[records.CARE]
unit = "Team"
at_scene_at = "There"
"""


def mapped(folder: Path, mapping: str = MAPPING) -> Calls:
    (folder / "columns.toml").write_text(mapping, encoding="utf-8")
    lon, lat = PLACES[0]
    rows = (
        "No;Long;Lat;When;Kind;Team;There",
        f"7;{lon};{lat};01.05.2024 13:00;WC;C1;01.05.2024 13:12",
    )
    text = "\n".join(rows).replace(";", ",")
    (folder / "calls.csv").write_text(text + "\n", encoding="utf-8")
    return care(folder, 'mapping = "columns.toml"')


def test_a_mapping_file_says_which_columns_are_which(tmp_path: Path) -> None:
    calls = mapped(tmp_path)
    assert (calls.call_id, calls.call_type) == (("7",), ("WELFARE CHECK",))
    assert datetime.fromtimestamp(calls.at_s.item(), UTC) == datetime(2024, 5, 1, 20, tzinfo=UTC)
    assert not calls.is_proxy
    records = calls.records[Agency.CARE]
    assert records.unit == ("C1",)
    assert (records.at_scene_s - calls.at_s).item() == 720.0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('lon = "Long"', 'lon = "Longitude"', "no column longitude"),
        ('time_is = "RECEIVED"', 'time_is = "NOON"', "time_is: is 'NOON'"),
        ("[records.CARE]", "[records.FIRE]", "FIRE: is no agency"),
        ('time_format = "%d.%m.%Y %H:%M"', "", "BAD_TIME"),
    ],
)
def test_a_mapping_file_that_does_not_fit_is_told(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in MAPPING
    with pytest.raises(BadScenario, match=said):
        mapped(tmp_path, MAPPING.replace(old, new))


def test_every_fault_of_a_mapping_file_has_its_line(tmp_path: Path) -> None:
    bad = MAPPING.replace('lat = "Lat"', "lat = 3").replace("[records.CARE]", "[records.FIRE]")
    with pytest.raises(BadScenario) as told:
        mapped(tmp_path, bad.replace('time_is = "RECEIVED"', 'time_iz = "RECEIVED"'))
    found = [(fault.line, fault.where) for fault in told.value.faults]
    lines = bad.splitlines()
    expected = [
        ("time_is = ", "time_iz"),
        ("lat = 3", "columns.lat"),
        ("[records.FIRE]", "records.FIRE"),
    ]
    assert found == [
        (next(k for k, line in enumerate(lines, 1) if line.startswith(text)), where)
        for text, where in expected
    ]
    assert all(fault.remedy and fault.file.endswith("columns.toml") for fault in told.value.faults)


def test_a_mapping_file_that_is_no_toml_has_the_line_of_it(tmp_path: Path) -> None:
    with pytest.raises(BadScenario) as told:
        mapped(tmp_path, 'name = "x"\n[columns\n')
    assert [fault.line for fault in told.value.faults] == [2]


def test_a_check_reads_calls_and_positions_and_tells_all_their_faults(tmp_path: Path) -> None:
    table(tmp_path, header="call_id,x,y,queued_at,call_kind")
    (tmp_path / "positions.csv").write_text("agency,unit_id,lon,lat,at\nSPD,S1,x,47,2026-07-20\n")
    file = tmp_path / "scenario.toml"
    file.write_text(
        BASE + '[demand.care]\ncalls = "calls.csv"\n[demand.police]\ncalls = "calls.csv"\n'
        'call_types = ["ASSAULT"]\n[coverage]\nrecorded_positions = "positions.csv"\n'
    )
    with pytest.raises(BadScenario) as told:
        check_scenario(file, ())
    files = [Path(fault.file).name for fault in told.value.faults]
    assert files == ["scenario.toml", "scenario.toml", "positions.csv"]
    assert [fault.line for fault in told.value.faults] == [5, 8, 2]
    table(tmp_path)
    (tmp_path / "positions.csv").unlink()
    file.write_text(BASE + '[demand.care]\ncalls = "calls.csv"\n')
    check_scenario(file, ())


def test_a_text_of_a_type_that_is_not_mapped_is_none_of_cares(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match="no row would count"):
        mapped(tmp_path, MAPPING.replace('WC = "WELFARE CHECK"', 'WX = "WELFARE CHECK"'))


def test_a_geopackage_of_a_study_is_demand_again_also_with_places_in_its_geometry_alone(
    tmp_path: Path,
) -> None:
    table(tmp_path)
    made = world(tmp_path, '[demand.care]\ncalls = "calls.csv"\n')
    calls = calls_of(made, "CARE", 1)
    whole = call_data_table(made, calls, {})
    bare = {n: c for n, c in whole.columns.items() if not n.startswith("dispatch_")}
    tables = [whole, replace(whole, name="bare", columns=bare)]
    (tmp_path / "study.gpkg").write_bytes(dict(files_of(tables))["study.gpkg"])
    for layer in ("call_data", "bare"):
        text = f'[demand.care]\ncalls = "study.gpkg"\nlayer = "{layer}"\n'
        again = calls_of(world(tmp_path, text), "CARE", 1)
        assert again.call_id == calls.call_id
        np.testing.assert_array_equal(again.at_s, calls.at_s)
        np.testing.assert_array_equal(again.lon, calls.lon)
    with pytest.raises(BadScenario, match="2 layers"):
        calls_of(world(tmp_path, '[demand.care]\ncalls = "study.gpkg"\n'), "CARE", 1)


# -- what was read --------------------------------------------------------------------------------


def test_every_file_of_a_scenario_has_its_hash(tmp_path: Path) -> None:
    table(tmp_path)
    plain = '[columns]\nlon = "lon"\nlat = "lat"\nat = "queued_at"\ncall_type = "call_type"\n'
    (tmp_path / "columns.toml").write_text(plain)
    lon, lat = PLACES[0]
    (tmp_path / "posts.csv").write_text(f"post_id,lon,lat\nA,{lon},{lat}\n")
    text = (
        '[units.SPD]\nposts = "posts.csv"\n[demand.care]\ncalls = "calls.csv"\n'
        'mapping = "columns.toml"\n'
    )
    assert {"scenario.toml", "calls.csv", "columns.toml", "posts.csv"} <= set(
        world(tmp_path, text).hashes
    )


def test_a_replay_takes_each_call_once(tmp_path: Path) -> None:
    table(tmp_path)
    text = (
        '[demand]\nscreened_out_share = 0.9\n[demand.care]\ncalls = "calls.csv"\nrate_factor = 3\n'
    )
    made = world(tmp_path, text)
    assert len(replay_calls(made)) == 300
    assert len(calls_of(made, "CARE", 1)) < 200


# -- posts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", ["CARE", "SPD"])
def test_two_places_of_one_name_are_a_fault(tmp_path: Path, second: str) -> None:
    here, there = (f'{{ post_id = "A", lon = {lon}, lat = {lat} }}' for lon, lat in PLACES)

    def text(of_second: str) -> str:
        return (
            f'name = "x"\n[demand.care]\nper_day = 5\n[[units.CARE]]\nposts = [{here}]\n'
            f"[[units.{second}]]\nposts = [{of_second}]\n"
        )

    file = tmp_path / "scenario.toml"
    file.write_text(text(there))
    with pytest.raises(BadScenario, match="post A") as told:
        read_scenario(file)
    assert [fault.line for fault in told.value.faults] == [7]
    file.write_text(text(here))
    assert [one.posts[0].post_id for one in read_scenario(file).units].count("A") == 2
