"""A city's own driving figures: what a file changes, and how a wrong one is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from geodata.driving_file import DrivingFileError, read_profiles
from geodata.driving_time import EMERGENCY, ROUTINE, hour_of_week
from geodata.network import RoadClass

GOOD = """
[routine]
signal_s = 12
private_open = false
[routine.unposted_mph]
RESIDENTIAL = 10
[[routine.hours]]
days = ["mon", "fri"]
from = 7
to = 10
factor = 1.25
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "driving.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_figures_of_the_file_win_and_all_others_keep_their_defaults(tmp_path: Path) -> None:
    profiles = read_profiles(write(tmp_path, GOOD))
    routine = profiles["ROUTINE"]
    assert (routine.signal_s, routine.private_open, routine.stop_s) == (12, False, ROUTINE.stop_s)
    assert routine.unposted_kmh[RoadClass.RESIDENTIAL] == pytest.approx(16.09344)
    assert routine.unposted_kmh[RoadClass.PRIMARY] == ROUTINE.unposted_kmh[RoadClass.PRIMARY]
    assert profiles["EMERGENCY"] == EMERGENCY


def test_hours_begin_with_from_and_end_before_to_on_the_named_days(tmp_path: Path) -> None:
    factor = read_profiles(write(tmp_path, GOOD))["ROUTINE"].hour_factor
    monday, friday = 0, 4 * 24
    assert [factor[monday + h] for h in (6, 7, 9, 10)] == [1.0, 1.25, 1.25, 1.0]
    assert factor[friday + 8] == 1.25
    assert sum(value != 1.0 for value in factor) == 6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[routin]", "routin is unknown: expected \\[routine\\].*Did you mean routine"),
        ("[routine]\nsignal = 3", "routine.signal is an unknown figure. Did you mean signal_s"),
        ("[routine]\nsignal_s = -1", "signal_s"),
        ("[routine]\nsignal_s = true", "signal_s is True"),
        ("[routine]\nname = 'X'", "routine.name is an unknown figure"),
        ("[routine]\nstop_s = '8'", "stop_s is '8'"),
        ("[routine]\nstop_s = nan", "stop_s is nan"),
        ("[routine]\nsignal_s = 1e9", "Give a number, 0 to 3600"),
        ("[routine]\nsignal_s = " + "9" * 5000, "digits"),
        ("routine = 3", "routine is 3"),
        ("[routine]\nhours = 3", "hours is 3"),
        ("[routine]\nhours = [3]", "hours.0 is 3"),
        ("[routine]\nunposted_mph = [3]", "unposted_mph is"),
        ("[routine]\nunposted_mph = {PRIMARY = 0}", "PRIMARY is 0. Give a number, 1 to 150"),
        ("[routine]\nhours = [{days='mon', from=7, to=9, factor=1.0}]", "days is 'mon'"),
        ("[routine]\nhours = [{days=[['mon']], from=7, to=9, factor=1.0}]", "unknown day"),
        ("[routine]\nhours = [{days=['mon'], from=9, to=7, factor=1.0}]", "9 to 7 are no hours"),
        (
            "[routine]\nhours = [{days=['day'], from=7, to=9, factor=1.0}]",
            "hours.0.days.0 is the unknown day 'day'",
        ),
        ("[routine]\nhours = [{days=['mon'], from=7, to=9, factor=0.0}]", "hours.0.factor is 0.0"),
        ("[routine]\nunposted_mph = {LANE = 3}", "unposted_mph.LANE is an unknown road class"),
        ("[routine", "docs/settings.md"),
    ],
)
def test_a_wrong_figure_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DrivingFileError, match=said):
        read_profiles(write(tmp_path, text))


def test_everything_that_is_wrong_is_told_at_once_by_its_keys(tmp_path: Path) -> None:
    text = (
        "[routine]\nsignal_s = -1\nstops = 3\n"
        "[[routine.hours]]\ndays = ['mon']\nfrom = 7\nto = 10\n"
        "factor = 99\n[[routine.hours]]\ndays = ['mon', 'thr']\nfrom = 7.5\nto = 9\n"
        "[emergency]\nprivate_open = 1\n"
    )
    with pytest.raises(DrivingFileError) as told:
        read_profiles(write(tmp_path, text))
    assert [".".join(map(str, one.keys)) for one in told.value.problems] == [
        "routine.stops", "routine.signal_s", "routine.hours.0.factor", "routine.hours.1.factor",
        "routine.hours.1.from", "routine.hours.1.days.1", "emergency.private_open",
    ]  # fmt: skip


def test_equal_weights_have_equal_names_and_other_figures_another() -> None:
    assert ROUTINE.weights_id(0, "0") == ROUTINE.weights_id(hour_of_week_of_any(), "0")
    other = replace(ROUTINE, signal_s=11.0)
    busy = replace(ROUTINE, hour_factor=(1.5,) + (1.0,) * 167)
    names = {p.weights_id(0, "0") for p in (ROUTINE, EMERGENCY, other, busy)}
    assert len(names | {ROUTINE.weights_id(0, "1")}) == 5
    assert busy.weights_id(1, "0") == ROUTINE.weights_id(1, "0")


def hour_of_week_of_any() -> int:
    from datetime import datetime

    return hour_of_week(datetime(2026, 7, 21, 13, 5))  # noqa: DTZ001  a wall clock
