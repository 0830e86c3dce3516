"""What units did at past calls: read where a table tells it, unknown and counted where not."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.call_columns import CallColumns, CallFileError, RecordColumns, read_columns
from geodata.call_history import CallHistory, history_of, read_history

MAPPING = """
[columns]
lon = "X"
lat = "Y"
at = "Queued"
call_id = "Event"

[records.SPD]
unit = "Car"
unit_lon = "Car X"
unit_lat = "Car Y"
unit_status = "Car Status"
dispatched_at = "Sent"
at_scene_at = "There"
in_service_at = "Free"
"""
HEADER = "Event,X,Y,Queued,Car,Car X,Car Y,Car Status,Sent,There,Free"
DAY = "2024-05-01 "


def read(folder: Path, *rows: str, mapping: str = MAPPING, header: str = HEADER) -> CallHistory:
    (folder / "columns.toml").write_text(mapping, encoding="utf-8")
    file = folder / "calls.csv"
    file.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return read_history(file, read_columns(folder / "columns.toml"))


def row(
    number: int,
    sent: str = "12:01:00",
    there: str = "12:09:30",
    car: str = "2K1,-122.34,47.6,available",
) -> str:
    return f"{number},-122.33,47.6,{DAY}12:00:00,{car},{DAY}{sent},{DAY}{there},{DAY}13:00:00"


def test_unit_place_status_and_instants_are_read(tmp_path: Path) -> None:
    records = read(tmp_path, row(1)).records["SPD"]
    assert (records.unit, records.status, records.has_status) == (("2K1",), ("AVAILABLE",), True)
    assert (records.lon.item(), records.lat.item()) == (-122.34, 47.6)
    assert (records.at_scene_s - records.dispatched_s).item() == 510.0
    assert (records.in_service_s - records.dispatched_s).item() == 3_540.0


def test_a_cell_that_is_no_instant_or_no_place_is_unknown_and_counted_and_the_call_stays(
    tmp_path: Path,
) -> None:
    history = read(tmp_path, row(1, sent="noon"), row(2, car="2K1,0,47.6,BUSY"), row(3, car=",,,"))
    records = history.records["SPD"]
    assert len(history) == len(records) == 3
    assert np.isnan(records.dispatched_s).tolist() == [True, False, False]
    assert np.isnan(records.lon).tolist() == [False, True, True]
    assert records.n_unreadable == 2  # an empty cell is none


@pytest.mark.parametrize("text", ["NULL", "-", "unknown", ""])
def test_a_text_that_means_that_nobody_says_names_no_unit(tmp_path: Path, text: str) -> None:
    records = read(tmp_path, row(1, car=f"{text},-122.34,47.6,{text}")).records["SPD"]
    assert (records.unit, records.status) == (("",), ("",))


CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters='",\r\n'), max_size=12
) | st.sampled_from(
    ["nan", "-inf", "1e400", "0", "2024-05-01T12:00:00+14:00", "0001-01-01", "9999-12-31", "99:99"]
)


@given(cells=st.lists(CELLS, min_size=7, max_size=7))
def test_no_cell_of_a_record_stops_the_reading(cells: list[str]) -> None:
    line = ["1", "-122.33", "47.6", f"{DAY}12:00:00", *cells]
    columns = CallColumns(
        name="any", lon=("x",), lat=("y",), at=("queued",), call_id=("event",),
        records={"SPD": RecordColumns(
            unit=("car",), unit_lon=("car_x",), unit_lat=("car_y",), unit_status=("car_status",),
            dispatched_at=("sent",), response_s=("there",), in_service_at=("free",),
        )},
    )  # fmt: skip
    history = history_of([(2, line)], HEADER.split(","), columns)
    records = history.records["SPD"]
    assert len(history) == len(records) == 1
    assert not records.at_scene_s.item() < records.dispatched_s.item()
    assert np.isnan(records.lon.item()) == np.isnan(records.lat.item())


def test_an_instant_before_the_one_that_it_must_follow_is_unknown(tmp_path: Path) -> None:
    records = read(tmp_path, row(1, sent="11:59:59"), row(2, there="12:00:59")).records["SPD"]
    assert np.isnan(records.dispatched_s).tolist() == [True, False]
    assert np.isnan(records.at_scene_s).tolist() == [False, True]
    assert records.n_disordered == 2


def test_delays_of_the_2024_sample_are_from_when_the_call_was_queued(tandem_data: Path) -> None:
    history = read_history(tandem_data / "calls" / "spd_dispatch_2024_sample1000.csv")
    (agency,) = history.records
    records = history.records[agency]
    assert agency == "SPD"
    assert not any(records.unit)
    assert np.isnan(records.lon).all()
    assert (records.dispatched_s - history.at_s)[:3].tolist() == [131, 10_220, 71]
    assert (records.at_scene_s - history.at_s)[0] == 516
    assert np.isnan(records.at_scene_s[1])


def test_the_public_call_data_tells_of_both_agencies(tmp_path: Path) -> None:
    header = (
        "CAD Event Number,Initial Call Type,CAD Event Original Time Queued,Dispatch Longitude,"
        "Dispatch Latitude,First CARE Call Sign Dispatch Time,First CARE Call Sign At Scene Time,"
        "First SPD Call Sign Dispatch Delay Time (s),First SPD Call Sign Response Time (s)"
    )
    line = "7,X,2024-05-01T12:00:00,-122.33,47.6,2024-05-01T12:02:00,1900-01-01T00:00:00,30,400"
    file = tmp_path / "calls.csv"
    file.write_text(f"{header}\n{line}\n", encoding="utf-8")
    history = read_history(file)
    care, spd = history.records["CARE"], history.records["SPD"]
    assert (care.dispatched_s - history.at_s).item() == 120
    assert np.isnan(care.at_scene_s).item()
    assert (spd.at_scene_s - spd.dispatched_s).item() == 370


def test_the_records_of_2015_are_none(tandem_data: Path) -> None:
    file = tandem_data / "calls" / "spd_911_incident_response_2015.csv.gz"
    assert not read_history(file).records


def test_some_calls_keep_their_own_records(tmp_path: Path) -> None:
    history = read(tmp_path, row(1), row(2, car="2K2,-122.35,47.6,BUSY"))
    kept = history.only(np.array([False, True])).records["SPD"]
    assert (kept.unit, kept.lon.tolist()) == (("2K2",), [-122.35])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[records.SPD]", "[records.FIRE]", "records.FIRE is no agency"),
        ('unit = "Car"', "unit = 3", "records.SPD.unit is no text"),
        ('unit = "Car"', 'car = "Car"', "records.SPD.car is no column"),
        ('unit_lat = "Car Y"\n', "", "unit_lon stands without unit_lat"),
        ('unit = "Car"', 'dispatch_delay_s = "Delay"', "both dispatched_at and dispatch_delay_s"),
    ],
)
def test_a_mapping_of_records_with_a_fault_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in MAPPING
    with pytest.raises(CallFileError, match=said):
        read(tmp_path, row(1), mapping=MAPPING.replace(old, new))
