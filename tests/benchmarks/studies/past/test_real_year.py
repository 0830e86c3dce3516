"""The calls of 2015 through the pilot: what is sent, held and refused equals pandas and shapely."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from benchmarks.studies.engine import engine_for
from benchmarks.studies.past.study import replay_study
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.tables import StudyResult, Table
from benchmarks.studies.work import Work
from benchmarks.studies.world import World
from benchmarks.studies.world_making import world_of

CALLS = "calls/spd_911_incident_response_2015.csv.gz"
TYPES = (
    "CRISIS - PERSON IN BEHAVIORAL/EMOTIONAL CRISIS",
    "DOWN - CHECK FOR PERSON DOWN",
)
SCENARIO = f"""
name = "2015"
[streets]
network = "${{TANDEM_DATA}}/network/seattle_pilot_area_2026-07-18.osm.gz"
[areas.beat]
file = "${{TANDEM_DATA}}/boundaries/spd_beats_2018_present.geojson"
[units.CARE]
count = 3
shifts = ["11:00-23:00"]
[units.SPD]
posts = "beats"
precinct = "WEST"
[demand.care]
calls = "${{TANDEM_DATA}}/{CALLS}"
call_types = {list(TYPES)}
[coverage]
by = ["zone", "beat"]
"""


@pytest.fixture(scope="module")
def replayed(
    tandem_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[World, StudyResult, pd.DataFrame]:
    file = tmp_path_factory.mktemp("year") / "year.toml"
    file.write_text(SCENARIO)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANDEM_DATA", str(tandem_data))
        world = world_of(read_scenario(file))
        result = replay_study(world, {}, Work(engine=engine_for(1, None)))
    rows = pd.read_csv(tandem_data / CALLS)
    rows = rows[rows["Initial Type Description"].isin(TYPES)]
    rows["hour"] = pd.to_datetime(rows["At Scene Time"]).dt.hour
    area = shapely.union_all(list(world.areas["zone"].outlines))
    rows["inside"] = shapely.intersects_xy(area, rows["Longitude"], rows["Latitude"])
    return world, result, rows


def table(result: StudyResult, name: str) -> Table:
    return next(one for one in result.all_tables if one.name == name)


def test_outcomes_are_those_of_place_and_hour(
    replayed: tuple[World, StudyResult, pd.DataFrame],
) -> None:
    _, result, rows = replayed
    inside = rows[rows["inside"]]
    expected = {
        "DISPATCH": int(inside["hour"].between(11, 22).sum()),
        "HOLD": int((inside["hour"] < 11).sum()),
        "NOT_ELIGIBLE": int((~rows["inside"]).sum() + (inside["hour"] == 23).sum()),
    }
    outcome = table(result, "replay_calls").columns["outcome"]
    assert {name: int((outcome == name).sum()) for name in expected} == expected
    assert min(expected.values()) > 100


def test_hours_and_beats_have_the_calls_that_they_have(
    replayed: tuple[World, StudyResult, pd.DataFrame],
) -> None:
    world, result, rows = replayed
    by_hour = table(result, "replay_by_hour").columns
    assert by_hour["calls"].tolist() == np.bincount(rows["hour"], minlength=24).tolist()
    sent = rows[rows["inside"] & rows["hour"].between(11, 22)]
    beats = world.areas["beat"]
    by_beat = table(result, "replay_by_beat").columns
    told = dict(zip(by_beat["area"], by_beat["dispatch"], strict=True))
    for beat, outline in zip(beats.names, beats.outlines, strict=True):
        there = shapely.intersects_xy(outline, sent["Longitude"], sent["Latitude"])
        assert abs(told[beat] - there.sum()) <= 1, beat  # a call on an edge has one beat
    assert told["(all)"] == len(sent)
