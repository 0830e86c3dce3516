"""Seconds for each edge: worked by hand on a few streets, then what every profile must keep."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from geodata.driving_time import (
    EMERGENCY,
    HOURS_PER_WEEK,
    ROUTINE,
    UNPOSTED_KMH,
    UNREACHABLE_MS,
    DrivingProfile,
    edge_times,
    hour_of_week,
)
from geodata.network import RoadClass, StreetFlag, StreetNetwork
from tests.builders import network_from_edges

PLAIN = DrivingProfile(name="PLAIN", limit_time_factor=1.0)
MPH = 0.44704
"""Metres per second."""


def one_way_streets(n: int) -> StreetNetwork:
    """Streets 0 to n - 1 in a row; edge k runs along street k."""
    corners = np.column_stack((np.arange(n + 1) * 0.001 - 122.3, np.full(n + 1, 47.6)))
    return network_from_edges(corners, [(k, k + 1, False) for k in range(n)])


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def test_posted_limits_in_mph_and_kmh_become_milliseconds() -> None:
    posted_s = column(400 / (25 * MPH), 500 / (50 / 3.6))
    network = replace(one_way_streets(2), edge_posted_s=posted_s)
    assert edge_times(network, PLAIN).move_ms.tolist() == [35791, 36000]


def test_routine_driving_takes_a_tenth_longer_than_the_limit_says() -> None:
    network = replace(one_way_streets(1), edge_posted_s=column(36.0))
    assert edge_times(network, ROUTINE).move_ms.tolist() == [39600]


def test_an_unposted_part_is_driven_at_the_speed_of_its_class() -> None:
    network = replace(
        one_way_streets(3),
        edge_posted_s=column(0, 10, 0),
        edge_unposted_m=column(400, 400, 1609.344),
        street_class=np.array([RoadClass.RESIDENTIAL, RoadClass.PRIMARY, RoadClass.MOTORWAY]),
    )
    by_hand_s = [400 / (20 * MPH), 10 + 400 / (25 * MPH), 60.0]
    assert edge_times(network, PLAIN).move_ms.tolist() == [round(1000 * s) for s in by_hand_s]


def test_signals_and_stop_signs_delay_only_who_drives_to_the_end() -> None:
    network = replace(
        one_way_streets(3),
        edge_posted_s=column(10, 10, 10),
        edge_signals=np.array([0, 1, 2], np.int16),
        edge_stops=np.array([0, 0, 3], np.int16),
    )
    times = edge_times(network, ROUTINE)
    assert times.end_ms.tolist() == [0, 10_500, 2 * 10_500 + 3 * 8_000]
    assert times.move_ms.tolist() == [11_000] * 3
    assert times.start_and_park_ms == 60_000


def test_lights_and_sirens_divide_motion_and_delays_but_not_parking() -> None:
    network = replace(
        one_way_streets(1), edge_posted_s=column(135), edge_signals=np.array([1], np.int16)
    )
    times = edge_times(network, replace(EMERGENCY, limit_time_factor=1.0))
    assert times.move_ms.tolist() == [100_000]
    assert times.end_ms.tolist() == [round(10_500 / 1.35)]
    assert times.start_and_park_ms == 60_000
    assert 1.3 <= EMERGENCY.speed_factor <= 1.4


def test_the_hour_scales_motion_and_delays_in_that_hour_alone() -> None:
    rush = 2 * 24 + 17
    factors = tuple(1.5 if hour == rush else 1.0 for hour in range(HOURS_PER_WEEK))
    network = replace(
        one_way_streets(1), edge_posted_s=column(10), edge_stops=np.array([1], np.int16)
    )
    profile = replace(PLAIN, hour_factor=factors)
    times = {hour: edge_times(network, profile, hour=hour) for hour in (rush - 1, rush, rush + 1)}
    assert [int(t.move_ms[0]) for t in times.values()] == [10_000, 15_000, 10_000]
    assert [int(t.end_ms[0]) for t in times.values()] == [8_000, 12_000, 8_000]


@pytest.mark.parametrize(
    ("local", "hour"),
    [
        ("2023-10-02T00:00", 0),
        ("2023-10-02T00:59:59", 0),
        ("2023-10-03T11:00", 35),
        ("2023-10-08T23:30", 167),
    ],
)
def test_the_week_begins_on_monday_at_midnight(local: str, hour: int) -> None:
    pacific = ZoneInfo("America/Los_Angeles")
    assert hour_of_week(datetime.fromisoformat(local).replace(tzinfo=pacific)) == hour


def test_the_hour_that_daylight_saving_repeats_counts_as_the_same_hour() -> None:
    pacific = ZoneInfo("America/Los_Angeles")
    twice = [datetime(2023, 11, 5, utc, 30, tzinfo=UTC).astimezone(pacific) for utc in (8, 9)]
    assert [hour_of_week(instant) for instant in twice] == [6 * 24 + 1] * 2


def test_a_closed_edge_is_unreachable_and_its_neighbours_are_not() -> None:
    network = replace(one_way_streets(3), edge_signals=np.ones(3, np.int16))
    times = edge_times(network, ROUTINE, closed_edges=np.array([False, True, False]))
    assert times.move_ms[1] == UNREACHABLE_MS
    assert times.end_ms[1] == 0
    assert (times.move_ms[[0, 2]] == edge_times(network, ROUTINE).move_ms[[0, 2]]).all()


def test_two_unreachable_times_add_up_within_int32() -> None:
    closed = edge_times(one_way_streets(1), ROUTINE, closed_edges=np.array([True])).move_ms
    assert int((closed + closed)[0]) == 2 * UNREACHABLE_MS > 0


def test_reversible_lanes_that_are_opened_may_be_driven_unless_they_are_closed() -> None:
    flags = np.array([StreetFlag.GATED, StreetFlag.GATED, 0], np.uint8)
    network = replace(one_way_streets(3), street_flags=flags)
    opened, closed = np.array([True, True, False]), np.array([False, True, False])
    times = edge_times(network, ROUTINE, opened_lanes=opened, closed_edges=closed)
    assert (times.move_ms < UNREACHABLE_MS).tolist() == [True, False, True]
    assert times.closed is not None
    assert times.closed.edges.tolist() == [1]
    shut = edge_times(network, ROUTINE, closed_edges=closed)
    assert (shut.move_ms < UNREACHABLE_MS).tolist() == [False, False, True]
    assert shut.closed is None


def test_gated_streets_are_closed_and_private_ones_open_unless_the_profile_says() -> None:
    flags = np.array([0, StreetFlag.GATED | StreetFlag.BRIDGE, StreetFlag.PRIVATE], np.uint8)
    network = replace(one_way_streets(3), street_flags=flags)
    profiles = [ROUTINE, replace(ROUTINE, gated_open=True), replace(ROUTINE, private_open=False)]
    closed = [(edge_times(network, p).move_ms == UNREACHABLE_MS).tolist() for p in profiles]
    assert closed == [[False, True, False], [False, False, False], [False, True, True]]


def test_an_open_edge_takes_at_least_a_millisecond() -> None:
    network = replace(one_way_streets(1), edge_posted_s=column(0.0))
    assert edge_times(network, ROUTINE).move_ms.tolist() == [1]


def test_the_weights_are_named_by_profile_hour_and_closures() -> None:
    times = edge_times(one_way_streets(1), EMERGENCY, hour=37, closure_id="12")
    assert times.profile_name == "EMERGENCY"
    assert re.fullmatch(r"emergency-[0-9a-f]{6}-x1-c12", times.weights_id)


def test_the_columns_are_int32_and_cannot_be_written() -> None:
    times = edge_times(one_way_streets(2), ROUTINE)
    for values in (times.move_ms, times.end_ms):
        assert values.dtype == np.int32
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1


@pytest.mark.parametrize("hour", [-1, 168])
def test_an_hour_outside_the_week_is_refused(hour: int) -> None:
    with pytest.raises(ValueError, match="expected 0"):
        edge_times(one_way_streets(1), ROUTINE, hour=hour)


@pytest.mark.parametrize("closed", [np.zeros(2, bool), np.zeros(1, np.int32)])
def test_closures_of_another_network_are_refused(closed: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected bool of shape"):
        edge_times(one_way_streets(1), ROUTINE, closed_edges=closed)


@pytest.mark.parametrize("seconds", [np.nan, np.inf, -5.0, 1e9])
def test_an_impossible_time_names_the_way(seconds: float) -> None:
    network = replace(
        one_way_streets(2),
        edge_posted_s=column(10, seconds),
        street_way_id=np.array([501, 502], np.int64),
    )
    with pytest.raises(ValueError, match=r"edge 1 on way 502 .* check its length"):
        edge_times(network, ROUTINE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "routine"},
        {"limit_time_factor": 0.0},
        {"speed_factor": float("nan")},
        {"signal_s": -1.0},
        {"start_and_park_s": float("inf")},
        {"unposted_kmh": UNPOSTED_KMH[1:]},
        {"unposted_kmh": (0.0, *UNPOSTED_KMH[1:])},
        {"hour_factor": (1.0,) * 24},
        {"hour_factor": (-1.0,) * HOURS_PER_WEEK},
    ],
)
def test_a_profile_that_makes_no_sense_names_its_field(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(ROUTINE, **wrong)


def test_on_the_real_network_lights_and_sirens_are_faster_everywhere(
    seattle: StreetNetwork,
) -> None:
    routine, emergency = edge_times(seattle, ROUTINE), edge_times(seattle, EMERGENCY)
    is_open = routine.move_ms < UNREACHABLE_MS
    assert is_open.mean() > 0.98
    assert (routine.move_ms[is_open] >= 1).all()
    long = is_open & (routine.move_ms > 10)
    assert (emergency.move_ms[long] < routine.move_ms[long]).all()
    ratio = routine.move_ms[is_open].sum() / emergency.move_ms[is_open].sum()
    assert ratio == pytest.approx(1.35, abs=0.001)


def test_on_the_real_network_the_mean_speed_is_that_of_a_city(seattle: StreetNetwork) -> None:
    times = edge_times(seattle, ROUTINE)
    is_open = times.move_ms < UNREACHABLE_MS
    metres = seattle.street_length_m[seattle.edge_street][is_open].sum()
    seconds = (times.move_ms[is_open].sum() + times.end_ms[is_open].sum()) / 1000
    assert 15 * MPH < metres / seconds < 25 * MPH
