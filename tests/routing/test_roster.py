"""Units as columns: sorted, complete, and quick to make."""

import math
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.model import Status, unit_columns
from routing.roster import AVAILABLE, CARE, CREW_UNKNOWN, SPD
from tests.routing.situations import NOON, unit


def test_units_are_in_order_of_their_id_whatever_order_they_came_in():
    columns = unit_columns([unit("S2"), unit("C1", call_sign="CARE1"), unit("S1")])
    assert columns.unit_id == ("C1", "S1", "S2")
    assert columns.call_sign == ("CARE1", "S1", "S2")
    assert columns.agency.tolist() == [CARE, SPD, SPD]
    assert [columns.row_of(name) for name in ("S2", "S3", "A", "C1")] == [2, None, None, 0]


def test_what_is_not_known_is_nan_and_never_zero():
    columns = unit_columns([unit("S1", None, shift_end=None, status_since=None, crew_count=None)])
    for column in ("lon", "lat", "fixed_at_s", "shift_end_s", "available_since_s", "heading_deg"):
        assert math.isnan(getattr(columns, column)[0])
    assert columns.crew_count[0] == CREW_UNKNOWN


def test_available_since_falls_back_to_the_status_while_available():
    since = NOON - timedelta(minutes=3)
    free = unit_columns([unit("S1", status_since=since)])
    assert free.available_since_s[0] == since.timestamp()
    working = unit_columns([unit("S1", status_since=since, status=Status.BUSY)])
    assert math.isnan(working.available_since_s[0])
    assert (free.status[0], working.status[0] == AVAILABLE) == (AVAILABLE, False)


def test_columns_cannot_be_written():
    columns = unit_columns([unit("S1")])
    with pytest.raises(ValueError, match="read-only"):
        columns.lon[0] = 0.0
    assert not any(
        value.flags.writeable
        for value in (columns.agency, columns.status, columns.claimed, columns.shift_end_s)
        if isinstance(value, np.ndarray)
    )


def test_two_units_with_one_id_are_refused():
    with pytest.raises(ValueError, match="'S1' occurs twice"):
        unit_columns([unit("S1"), unit("S1")])


def test_an_empty_roster_is_a_roster():
    assert (len(unit_columns(())), unit_columns(()).row_of("S1")) == (0, None)


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_seconds_of_an_instant_are_its_timestamp(naive: datetime, offset_min: int) -> None:
    instant = naive.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    columns = unit_columns([unit("U1", None, shift_end=instant)])
    assert columns.shift_end_s[0] == pytest.approx(instant.timestamp(), abs=1e-5)
