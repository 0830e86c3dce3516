"""Random closures on all of Seattle: drives, metres inside and routes equal Dijkstra.

Half of the places lie on closed streets, a quarter beside them. The graph is edited for the oracle,
which shares no code with the kernel (`tests.routing.closed_dijkstra`). Its known-bad twins, four
wrong rules of the code, are in `tests.routing.test_closures`.
"""

import pytest

from geodata.driving_time import ROUTINE, edge_times
from geodata.network import StreetNetwork
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes
from tests.reliability.lengths import length
from tests.routing.closed_dijkstra import Whole
from tests.routing.closing import mismatches

CLOSURES = length(20, 100)
PARTS = length(1, 10)


@pytest.mark.parametrize("part", range(PARTS))
def test_random_closures_on_seattle_equal_dijkstra_on_the_edited_graph(
    seattle: StreetNetwork, part: int
) -> None:
    weights = edge_times(seattle, ROUTINE)
    base = TravelTimes(seattle, *build_hierarchy(seattle), weights)
    whole = Whole.of(seattle, weights)
    wrong = [
        one
        for seed in range(part * CLOSURES, (part + 1) * CLOSURES)
        for one in mismatches(seattle, base, whole, 5000 + seed, 24)
    ]
    assert wrong == []
