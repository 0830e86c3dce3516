"""Calls in the columns of Seattle's public Call Data read back as calls, and reconcile."""

from datetime import UTC, datetime
from pathlib import Path

import geopandas
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.studies.call_tables import read_table
from benchmarks.studies.report.call_data import UnitTimes, call_data_table, wall_clock
from benchmarks.studies.report.table_files import files_of
from benchmarks.studies.tables import Table
from geodata.call_columns import CALL_DATA
from routing.codes import Agency
from tests.benchmarks.studies.worlds import calls_at, world_on
from tests.builders import position_on
from tests.street_drawing import draw

TOWN = draw("A---B---C\n|   |   |\nD---E---F", block_m=900.0).network
PLACES = [position_on(TOWN, 0, 0.5), position_on(TOWN, 2, 0.5)]
CALLS = calls_at(PLACES, [13, 14])
WORLD = world_on(TOWN, PLACES[:1], PLACES[1:])
_DEGREES = ("dispatch_longitude", "dispatch_latitude")


def reals(*seconds: float) -> NDArray[np.float64]:
    return np.array(seconds, np.float64)


def table() -> Table:
    queued = CALLS.at_s
    care = UnitTimes(
        dispatched_s=queued + reals(60, np.nan), at_scene_s=queued + reals(500.5, np.nan),
        in_service_s=queued + reals(2_000, np.nan),
    )  # fmt: skip
    spd = UnitTimes(
        dispatched_s=queued + reals(60, 30), at_scene_s=queued + reals(300, 210),
        in_service_s=queued + reals(900, 800), service_s=reals(1_500, 770),
    )  # fmt: skip
    return call_data_table(WORLD, CALLS, {Agency.CARE: care, Agency.SPD: spd})


def test_seconds_are_from_queued_and_a_unit_that_is_not_sent_is_an_empty_cell() -> None:
    found = {name: column.tolist() for name, column in table().columns.items()}
    delay, response = "dispatch_delay_time_s_", "response_time_s_"
    assert found[f"first_spd_call_sign_{delay}"] == [60, 30]
    assert found[f"first_spd_call_sign_{response}"] == [300, 210]
    assert found["spd_call_sign_total_service_time_s_"] == [1_500, 770]
    assert found["care_call_sign_total_service_time_s_"][0] == 1_940
    assert found[f"first_care_call_sign_{response}"][0] == 501
    assert np.isnan(found[f"first_care_call_sign_{delay}"][1])
    assert found["first_care_call_sign_at_scene_time"] == ["2026-07-20T13:09:20", None]
    assert found["cad_event_first_response_time_s_"] == [300, 210]
    assert found["cad_event_arrived_time"] == found["first_spd_call_sign_at_scene_time"]


def test_a_column_of_which_a_study_knows_nothing_is_left_out() -> None:
    bare = call_data_table(WORLD, CALLS, {})
    assert not [name for name in bare.columns if "call_sign" in name or "response" in name]
    sent = call_data_table(WORLD, CALLS, {Agency.CARE: UnitTimes(dispatched_s=CALLS.at_s)})
    assert "first_care_call_sign_dispatch_time" in sent.columns
    assert not [name for name in sent.columns if "scene" in name or "service" in name]


@pytest.mark.parametrize("name", ["call_data.csv", "call_data.parquet", "study.gpkg"])
def test_every_form_reads_back_as_public_call_data(tmp_path: Path, name: str) -> None:
    content = dict(files_of([table()]))[name]
    (tmp_path / name).write_bytes(content)
    history = read_table(tmp_path / name, None)
    assert history.columns is CALL_DATA
    assert history.call_id == CALLS.call_id
    np.testing.assert_array_equal(history.at_s, CALLS.at_s)
    np.testing.assert_array_equal(history.lon, CALLS.lon)
    assert history.priority.tolist() == [3, 3]
    assert [history.call_type(k) for k in range(2)] == list(CALLS.call_type)


def test_the_geopackage_has_each_call_as_a_point(tmp_path: Path) -> None:
    (tmp_path / "study.gpkg").write_bytes(dict(files_of([table()]))["study.gpkg"])
    found = geopandas.read_file(tmp_path / "study.gpkg", layer="call_data")
    assert found.geometry.x.tolist() == pytest.approx(CALLS.lon.tolist(), abs=1e-12)


def test_instants_are_those_of_the_wall_clock_on_the_days_that_change_it() -> None:
    instants = [
        datetime(2026, 3, 8, 9, 59, 59, tzinfo=UTC), datetime(2026, 3, 8, 10, tzinfo=UTC),
        datetime(2026, 11, 1, 8, 30, tzinfo=UTC), datetime(2026, 11, 1, 9, 30, tzinfo=UTC),
    ]  # fmt: skip
    zone = WORLD.release.city_policy.window.zone
    told = wall_clock(np.array([one.timestamp() for one in instants]), zone).tolist()
    assert told == ["2026-03-08T01:59:59", "2026-03-08T03:00:00",
                    "2026-11-01T01:30:00", "2026-11-01T01:30:00"]  # fmt: skip


def test_places_in_the_geometry_alone_are_enough(tmp_path: Path) -> None:
    whole = table()
    left = {n: c for n, c in whole.columns.items() if n not in _DEGREES}
    bare = Table(name="call_data", title="", columns=left, definitions=whole.definitions,
                 geometry=whole.geometry)  # fmt: skip
    for name in ("study.gpkg", "call_data.parquet"):
        (tmp_path / name).write_bytes(dict(files_of([bare]))[name])
        history = read_table(tmp_path / name, None)
        assert history.columns is CALL_DATA
        np.testing.assert_array_equal(history.lon, CALLS.lon)
        np.testing.assert_array_equal(history.lat, CALLS.lat)
