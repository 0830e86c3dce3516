"""Study replay from files: the whole path, on the built-in streets."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyogrio
import pytest

from benchmarks.studies.commands import Asked, run_study
from benchmarks.studies.engine import engine_for
from benchmarks.studies.errors import StudyError
from benchmarks.studies.past import study
from benchmarks.studies.past.study import ReplayPart, decide_part, replay_study
from benchmarks.studies.report.result_files import result_files
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.scenario_part import scenario_part
from benchmarks.studies.tables import StudyResult
from benchmarks.studies.work import Work
from benchmarks.studies.world_making import world_of

SCENARIO = """
name = "Last May"
[units.CARE]
count = 3
shifts = ["11:00-23:00"]
[units.SPD]
posts = "pilot"
[demand]
officer_share = 0.88
screened_out_share = 0.5
[demand.care]
calls = "calls.csv"
mapping = "columns.toml"
call_types = ["WELFARE CHECK"]
rate_factor = 2
"""
MAPPING = """
name = "An export"
[columns]
lon = "lon"
lat = "lat"
at = "queued"
call_type = "type"
call_id = "event"
[call_types]
WELFARE = "WELFARE CHECK"
[records.SPD]
unit = "car"
unit_lon = "car_lon"
unit_lat = "car_lat"
dispatched_at = "sent"
at_scene_at = "there"
"""
HEADER = "event,lon,lat,queued,type,car,car_lon,car_lat,sent,there"
PLACES = [(-122.3370, 47.6100), (-122.3330, 47.6020), (-122.3400, 47.6140), (-122.3290, 47.6000)]


def calls(n: int = 12) -> list[str]:
    rows = []
    for k in range(n):
        lon, lat = PLACES[k % 4]
        day, hour = 1 + k // 4, 9 + k
        car = f"2K{k},{PLACES[k % 3][0]},{PLACES[k % 3][1]}" if k % 2 else ",,"
        when = f"2024-05-{day:02} {hour:02}"
        kind = "WELFARE" if k != 5 else "PARKING"
        rows.append(f"E{k},{lon},{lat},{when}:00:00,{kind},{car},{when}:02:00,{when}:09:00")
    return rows


@pytest.fixture
def scenario(tmp_path: Path) -> Callable[..., Path]:
    def made(rows: list[str], text: str = SCENARIO) -> Path:
        (tmp_path / "calls.csv").write_text("\n".join((HEADER, *rows)) + "\n")
        (tmp_path / "columns.toml").write_text(MAPPING)
        file = tmp_path / "past.toml"
        file.write_text(text)
        return file

    return made


def replay(file: Path, workers: int = 1, **changes: object) -> StudyResult:
    world = world_of(read_scenario(file, changes))
    return replay_study(world, changes, Work(engine=engine_for(workers, None)))


def files(result: StudyResult) -> dict[str, bytes]:
    return dict(result_files(result))


def rows_of(result: StudyResult) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files(result)["replay_calls.csv"].decode())))


def test_each_call_counts_once_whatever_the_demand_of_other_studies(
    scenario: Callable[..., Path],
) -> None:
    rows = rows_of(replay(scenario(calls())))
    assert [row["call_id"] for row in rows] == [f"E{k}" for k in range(12) if k != 5]
    assert {row["mode"] for row in rows if row["outcome"] == "DISPATCH"} == {"DUAL"}


def test_gains_stand_on_the_face_only_of_calls_with_a_unit_and_its_place(
    scenario: Callable[..., Path],
) -> None:
    result = replay(scenario(calls()))
    told = {
        row["call_id"]: row["comparable"] for row in rows_of(result) if row["outcome"] == "DISPATCH"
    }
    assert set(told.values()) == {"SPD compared", "not comparable"}
    assert all((words == "SPD compared") == (int(k[1:]) % 2 == 1) for k, words in told.items())
    page = files(result)["report.html"].decode()
    assert "Seconds gained are told of" in page
    assert "An upper bound" in page


def test_without_units_nothing_is_comparable_and_the_report_says_so_on_its_face(
    scenario: Callable[..., Path],
) -> None:
    rows = [",".join((*row.split(",")[:5], ",,", *row.split(",")[8:])) for row in calls()]
    result = replay(scenario(rows))
    assert any(words.startswith("NOT COMPARABLE") for words in result.cautions)
    assert {row["comparable"] for row in rows_of(result)} == {"not comparable"}
    assert {row["recorded_spd_travel_s"] for row in rows_of(result)} == {"420.0"}
    assert "replay_gains" not in {table.name for table in result.all_tables}


def test_a_draft_decides_otherwise(scenario: Callable[..., Path]) -> None:
    file = scenario(calls())
    longer = {"zone.hours": "09:00-23:00", "units.CARE.shifts": ["09:00-23:00"]}
    today, draft = (
        sum(row["outcome"] == "DISPATCH" for row in rows_of(replay(file, **changes)))
        for changes in ({}, longer)
    )
    assert draft > today > 0
    solo = rows_of(replay(file, **{"zone.mode": "SOLO"}))
    assert {row["mode"] for row in solo if row["outcome"] == "DISPATCH"} == {"SOLO"}
    assert {row["spd_unit"] for row in solo} == {""}


def test_two_processes_and_another_order_of_rows_give_the_same_bytes(
    scenario: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = scenario(calls())
    whole = files(replay(file))
    monkeypatch.setattr(study, "CALLS_A_PART", 3)
    assert files(replay(file, workers=2)) == whole
    assert files(replay(scenario(calls()[::-1])))["replay_calls.csv"] == whole["replay_calls.csv"]


def test_generated_calls_are_no_past(scenario: Callable[..., Path]) -> None:
    text = 'name = "x"\n[units.CARE]\ncount = 1\n[demand.care]\nper_day = 5\n'
    with pytest.raises(StudyError, match="a replay needs past ones"):
        replay(scenario(calls(), text))


def test_what_is_unreadable_about_units_is_counted_in_the_report(
    scenario: Callable[..., Path],
) -> None:
    rows = calls()
    rows[1] = rows[1].replace(":02:00", ":xx")
    rows[3] = rows[3].replace(":09:00", ":01:00")
    said = " ".join(replay(scenario(rows)).sections[0].paragraphs)
    assert "cannot be read, and count as unknown: 1." in said
    assert "must follow, which count as unknown: 1." in said


def test_the_command_writes_a_folder_that_names_all_its_data_and_goes_on(
    scenario: Callable[..., Path], tmp_path: Path
) -> None:
    file, out = scenario(calls()), tmp_path / "out"
    asked = Asked(kind="replay", scenario=file, out=out, workers=1)
    run_study(asked)
    first = {one.name: one.read_bytes() for one in out.iterdir() if one.is_file()}
    assert {"report.html", "replay_calls.csv", "call_data.parquet", "study.gpkg"} <= set(first)
    layers = pyogrio.list_layers(out / "study.gpkg")[:, 0].tolist()
    assert layers == ["replay_calls", "call_data"]
    hashes = json.loads(first["manifest.json"])["data_sha256"]
    assert hashes["calls.csv"] == hashlib.sha256((tmp_path / "calls.csv").read_bytes()).hexdigest()
    assert "columns.toml" in hashes
    assert any((out / ".parts").iterdir())
    run_study(asked)
    assert {one.name: one.read_bytes() for one in out.iterdir() if one.is_file()} == first
    (tmp_path / "calls.csv").write_text("\n".join((HEADER, *calls(8))) + "\n")
    with pytest.raises(StudyError, match="data_sha256"):
        run_study(asked)


def test_a_process_that_sees_other_files_refuses_its_part(
    scenario: Callable[..., Path], tmp_path: Path
) -> None:
    world = world_of(read_scenario(scenario(calls())))
    elsewhere = replace(scenario_part(world, {}), changes=(("seed", 9),))  # not made here yet
    part = ReplayPart(scenario=elsewhere, first=0, end=4)
    (tmp_path / "calls.csv").write_text("\n".join((HEADER, *calls(8))) + "\n")
    with pytest.raises(StudyError, match="not what it was"):
        decide_part(part)
