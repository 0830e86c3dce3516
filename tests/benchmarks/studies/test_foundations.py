"""A scenario, its world and its calls, from the files of the examples."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.studies.demand import CARE_OFFICER
from benchmarks.studies.demand_making import calls_of
from benchmarks.studies.errors import BadScenario
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.world import World
from benchmarks.studies.world_making import world_of
from routing.codes import Agency

EXAMPLES = Path(__file__).resolve().parents[3] / "benchmarks" / "studies" / "examples"


@pytest.fixture(scope="module")
def builtin() -> World:
    return world_of(read_scenario(EXAMPLES / "builtin.toml"))


def test_the_example_without_data_becomes_a_world(builtin: World) -> None:
    assert builtin.network.source.schematic
    assert builtin.post_ids[Agency.CARE] == ("CARE_911", "CARE_HQ")
    assert builtin.times_at(37).weights_id.startswith("routine")


def test_the_same_seed_draws_the_same_calls_and_another_seed_others(builtin: World) -> None:
    first, again, other = (calls_of(builtin, "CARE", seed) for seed in (1, 1, 2))
    assert np.array_equal(first.at_s, again.at_s)
    assert np.array_equal(first.lon, again.lon)
    assert len(other) != len(first) or not np.array_equal(first.lon, other.lon)


def test_officers_ask_for_about_the_share_that_is_told(builtin: World) -> None:
    calls = calls_of(builtin, "CARE", 3)
    assert 0.8 < (calls.kind == CARE_OFFICER).mean() < 0.96


def test_every_fault_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(
        'name = "x"\n[units.CARE]\ncuont = 3\n[demand.care]\nper_day = -1\n[zone]\n'
        'hours = "11-25"\n'
    )
    with pytest.raises(BadScenario) as caught:
        read_scenario(file)
    assert [(fault.line, fault.where) for fault in caught.value.faults] == [
        (3, "units.CARE.cuont"),
        (5, "demand.care.per_day"),
        (7, "zone.hours"),
    ]
    assert "count" in caught.value.faults[0].remedy
