"""Driving figures with errors: each told with its line and remedy."""

from pathlib import Path

import pytest

from benchmarks.studies.errors import BadScenario, Fault
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.world_making import world_of

FIGURES = """[routine]
signal_s = -12
stop_s = "eight"
singal_s = 3

[routine.unposted_mph]
RESIDENTAL = 20
PRIMARY = 0

[[routine.hours]]
days = ["mon", "tues"]
from = 10
to = 7
factor = 1.2

[[routine.hours]]
days = ["sat"]
from = 7
to = 10
factor = 0
"""


def faults(folder: Path, text: str) -> list[Fault]:
    (folder / "driving.toml").write_text(text)
    (folder / "one.toml").write_text(
        'name = "x"\n[streets]\ndriving = "driving.toml"\n[demand.care]\nper_day = 3\n'
    )
    with pytest.raises(BadScenario) as told:
        world_of(read_scenario(folder / "one.toml"))
    return list(told.value.faults)


def test_every_wrong_figure_is_told_with_its_line_and_a_remedy(tmp_path: Path) -> None:
    found = faults(tmp_path, FIGURES)
    lines = FIGURES.split("\n")
    assert [(lines[(one.line or 0) - 1].split(" =")[0], one.where) for one in found] == [
        ("signal_s", "routine.signal_s"), ("stop_s", "routine.stop_s"),
        ("singal_s", "routine.singal_s"), ("RESIDENTAL", "routine.unposted_mph.RESIDENTAL"),
        ("PRIMARY", "routine.unposted_mph.PRIMARY"), ("days", "routine.hours[0].days[1]"),
        ("from", "routine.hours[0].from"), ("factor", "routine.hours[1].factor"),
    ]  # fmt: skip
    assert all(one.file.endswith("driving.toml") and one.remedy for one in found)
    assert "Did you mean signal_s?" in str(found[2])


def test_figures_that_make_no_drive_times_are_told_before_anything_is_computed(
    tmp_path: Path,
) -> None:
    text = "[routine]\nlimit_time_factor = 10\nspeed_factor = 0.1\nsignal_s = 3600\nstop_s = 3600\n"
    hours = 'hours = [{days = ["sun"], from = 1, to = 2, factor = 10}]\n'
    (fault,) = faults(tmp_path, text + hours)
    assert (fault.where, fault.line) == ("streets.driving", 3)
    assert "drive times that cannot be" in fault.message
