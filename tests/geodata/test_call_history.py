"""Past calls from tables: Seattle's files as they are, others by a mapping, bad rows counted."""

import csv
import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from geodata.call_cells import LISTED_MAX, BadRow
from geodata.call_columns import BUILT_IN, CALL_DATA, RESPONSES_2015, CallFileError, read_columns
from geodata.call_history import read_history

HEADER = "call_id,lon,lat,received_at,call_type"
GOOD = "7,-122.33,47.6,2024-05-01 12:00:00,WELFARE CHECK"


def written(folder: Path, *lines: str, header: str = HEADER, name: str = "calls.csv") -> Path:
    file = folder / name
    file.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return file


def test_the_responses_of_2015_work_as_they_are_and_none_is_lost(tandem_data: Path) -> None:
    file = tandem_data / "calls" / "spd_911_incident_response_2015.csv.gz"
    history = read_history(file)
    with gzip.open(file, "rt") as text:
        rows = list(csv.DictReader(text))
    assert history.columns is RESPONSES_2015
    assert history.is_proxy
    assert (len(history), history.n_bad, history.n_repeats) == (len(rows), 0, 0)
    assert [history.call_type(k) for k in range(50)] == [
        row["Initial Type Description"] for row in rows[:50]
    ]
    assert history.lon.tolist() == [float(row["Longitude"]) for row in rows]
    assert history.weeks == 52.0
    # 00:02 in Seattle's winter is 08:02 UTC.
    assert history.instant(0) == datetime(2015, 1, 1, 8, 2, tzinfo=UTC)


def test_the_sample_of_2024_works_as_it_is_and_its_one_bad_row_is_told(tandem_data: Path) -> None:
    history = read_history(tandem_data / "calls" / "spd_dispatch_2024_sample1000.csv")
    assert history.columns is CALL_DATA
    assert (history.n_rows, len(history)) == (1_000, 999)
    assert dict(history.bad) == {BadRow.ZERO_PLACE: 1}
    assert not history.has_types
    assert history.priority.max() <= 9


def test_the_columns_of_the_public_call_data_work_and_each_event_counts_once(
    tmp_path: Path,
) -> None:
    header = (
        "CAD Event Number,Call Type,Priority,Initial Call Type,CAD Event Original Time Queued,"
        "Dispatch Longitude,Dispatch Latitude,Call Sign Dispatch ID"
    )
    row = '1,911,2,"DOWN - CHECK FOR PERSON DOWN",05/01/2025 01:02:03 PM,-122.33,47.6,{}'
    hidden = "2,911,1,ASSAULT,2025 May 01 01:02:03 PM,REDACTED,REDACTED,9"
    file = written(tmp_path, row.format(7), row.format(8), hidden, header=header)
    history = read_history(file)
    assert history.columns is CALL_DATA
    assert (len(history), history.n_repeats, dict(history.bad)) == (1, 1, {BadRow.NO_PLACE: 1})
    assert history.call_type(0) == "DOWN - CHECK FOR PERSON DOWN"
    assert history.instant(0) == datetime(2025, 5, 1, 20, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,,47.6,2024-05-01,X", BadRow.NO_PLACE),
        ("1,NULL,47.6,2024-05-01,X", BadRow.NO_PLACE),
        ("1,-122.33", BadRow.NO_PLACE),
        ("1,-122.33,0,2024-05-01,X", BadRow.ZERO_PLACE),
        ("1,47.6,-122.33,2024-05-01,X", BadRow.NOT_DEGREES),
        ("1,1271000,223000,2024-05-01,X", BadRow.NOT_DEGREES),
        ("1,nan,47.6,2024-05-01,X", BadRow.NO_PLACE),
        ("1,inf,47.6,2024-05-01,X", BadRow.NOT_DEGREES),
        ("1,west,47.6,2024-05-01,X", BadRow.NOT_DEGREES),
        ("1,-122.33,47.6,,X", BadRow.NO_TIME),
        ("1,-122.33,47.6,yesterday,X", BadRow.BAD_TIME),
        ("1,-122.33,47.6,2024-13-01,X", BadRow.BAD_TIME),
        ("1,-122.33,47.6,0001-01-01,X", BadRow.BAD_TIME),
        ("1,-122.33,47.6,2024-05-01,X,Y", BadRow.CELLS),
    ],
)
def test_a_bad_row_is_left_out_and_named_by_line_and_reason(
    tmp_path: Path, row: str, reason: BadRow
) -> None:
    history = read_history(written(tmp_path, row, GOOD))
    assert (len(history), history.n_rows, dict(history.bad)) == (1, 2, {reason: 1})
    (told,) = history.left_out
    assert (told.line, told.reason) == (2, reason)
    columns = {"CELLS": "the row", "NO_TIME": "received_at", "BAD_TIME": "received_at"}
    assert told.column == columns.get(reason, "lon, lat")
    assert all(text.strip() in row for text in told.value.split(",")) or reason is BadRow.CELLS


def test_all_bad_rows_are_counted_and_the_first_listed(tmp_path: Path) -> None:
    history = read_history(written(tmp_path, *["1,,,,"] * (LISTED_MAX + 50), GOOD))
    assert (history.n_bad, len(history.left_out)) == (LISTED_MAX + 50, LISTED_MAX)


def test_a_row_that_was_left_out_does_not_make_its_call_a_repeat(tmp_path: Path) -> None:
    bad = GOOD.replace("47.6", "0")
    history = read_history(written(tmp_path, bad, GOOD, GOOD))
    assert (len(history), history.n_bad, history.n_repeats) == (1, 1, 1)


@pytest.mark.parametrize("lines", [(), ("1,,,,",)])
def test_a_table_without_a_call_is_refused(tmp_path: Path, lines: tuple[str, ...]) -> None:
    with pytest.raises(CallFileError, match="No row holds a call"):
        read_history(written(tmp_path, *lines))


def test_a_table_of_other_columns_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(CallFileError, match="mapping file"):
        read_history(written(tmp_path, "1,2,3", header="a,b,c"))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x1f\x8b\x08broken", b""])
def test_bytes_that_are_no_table_are_refused(tmp_path: Path, content: bytes) -> None:
    for name in ("calls.csv", "calls.csv.gz"):
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises(CallFileError):
            read_history(file)


# -- mapping files --------------------------------------------------------------------------------

MAPPING = """
name = "City export"
time_is = "RECEIVED"
time_format = "%d.%m.%Y %H:%M"
time_zone = "America/New_York"
is_record_of_eligible_calls = true

[columns]
lon = "X-Coord"
lat = "Y-Coord"
at = "When"
call_type = "Kind"

[call_types]
"WC" = "WELFARE CHECK"
"""


def mapped(folder: Path, text: str = MAPPING) -> Path:
    file = folder / "columns.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_mapping_file_names_columns_types_times_and_what_the_rows_are(tmp_path: Path) -> None:
    file = written(tmp_path, "-122.3,47.6,24.12.2024 18:30,WC", header="X Coord,Y Coord,when,kind")
    history = read_history(file, read_columns(mapped(tmp_path)))
    assert history.instant(0) == datetime(2024, 12, 24, 23, 30, tzinfo=UTC)
    assert history.types == ("WELFARE CHECK",)
    assert not history.is_proxy
    assert history.assuming("PERSON DOWN").is_proxy


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[columns]", "[columns", "line"),
        ('lat = "Y-Coord"', "", "columns.lat is missing"),
        ('lat = "Y-Coord"', "lat = 3", "columns.lat is no text"),
        ("lon =", 'length = "x"\nlon =', "columns.length is no column"),
        ("RECEIVED", "LATE", "time_is is 'LATE'"),
        ("New_York", "Gotham", "time_zone"),
        ("= true", '= "yes"', "neither true nor false"),
        ("name =", "nmae =", "nmae is no key"),
    ],
)
def test_a_wrong_mapping_file_says_what_is_wrong(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(CallFileError, match=said):
        read_columns(mapped(tmp_path, MAPPING.replace(old, new)))


def test_a_table_without_a_column_of_its_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallFileError, match="no column x_coord, y_coord, when"):
        read_history(written(tmp_path, GOOD), read_columns(mapped(tmp_path)))


def test_every_built_in_table_requires_a_place_and_a_time() -> None:
    assert all(len(names) > 0 for known in BUILT_IN for names in known.required)


# -- periods --------------------------------------------------------------------------------------


def test_a_period_is_whole_local_days_over_both_clock_changes(tmp_path: Path) -> None:
    days = [f"{n},-122.33,47.6,2024-{when},X" for n, when in enumerate((
        "03-09 23:59:59", "03-10 00:00:00", "03-10 23:59:59", "03-11 00:00:00",
        "11-03 00:00:00", "11-03 23:59:59", "11-04 00:00:00",
    ))]  # fmt: skip
    history = read_history(written(tmp_path, *days))
    spring = history.between(date(2024, 3, 10), date(2024, 3, 10))
    assert spring.call_id == ("1", "2")
    assert spring.weeks == pytest.approx(1 / 7)
    assert history.between(date(2024, 11, 3), date(2024, 11, 3)).call_id == ("4", "5")
    assert history.between(None, None).call_id == history.call_id
    with pytest.raises(CallFileError, match="No day"):
        history.between(date(2025, 1, 1), None)
