"""The matrix of posts: what the libraries find is what our kernel finds, and a twin is told."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.posts_matrix import report, timings, without_long_bans
from geodata.driving_time import ROUTINE, edge_times
from geodata.pilot.streets import pilot_network
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes


def test_every_value_of_the_matrix_is_that_of_the_libraries() -> None:
    said = report(pilot_network(), 5)
    assert "scipy" in said
    assert "networkx" in said


def test_one_edge_that_is_slower_for_the_libraries_alone_is_told() -> None:
    network = without_long_bans(pilot_network())
    weights = edge_times(network, ROUTINE)
    times = TravelTimes(network, *build_hierarchy(network), weights)
    slower = replace(weights, move_ms=(weights.move_ms + 1).astype(np.int32))
    object.__setattr__(times, "edge_times", slower)
    with pytest.raises(AssertionError, match="scipy differs"):
        timings(times, 3)
