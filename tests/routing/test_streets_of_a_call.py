"""Where a call lies on its street, and where CARE may wait on the way to it."""

from datetime import timedelta

import pytest

from geodata.driving_time import ROUTINE, edge_times
from geodata.network import StreetFlag
from geodata.snap import StreetIndex
from routing.model import Fix, Location
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes
from tests.routing.situations import NOON, call, decide, unit
from tests.street_drawing import StreetMap, draw


def decide_in(town: StreetMap, care: tuple[str, float], at: tuple[str, float]):
    """Return the CARE unit's line of the answer for units and a call in another town."""
    times = TravelTimes(
        town.network, *build_hierarchy(town.network), edge_times(town.network, ROUTINE)
    )
    lon, lat = town.position(*care)
    fresh = Fix(lon=lon, lat=lat, fixed_at=NOON - timedelta(seconds=5))
    lon, lat = town.position(*at)
    answer = decide(
        [unit("C1", fresh), unit("S1", fresh)],
        call(location=Location(lon=lon, lat=lat)),
        network=town.network,
        streets=StreetIndex.build(town.network),
        travel_times=times,
    )
    return answer.assign[1]


@pytest.mark.parametrize("banned", [(), ("BEF",)])
@pytest.mark.parametrize("side", ["EF", "ED"])
def test_a_call_at_a_junction_is_reached_from_every_street_that_meets_there(side, banned):
    town = draw("A---B---C\n|   v   |\nD---E---F", bans=banned)
    care = decide_in(town, (side, 0.5), ("BE", 1.0))
    assert care.arrive_s == 60 + 60 + 6  # turnout, start and park, 50 m
    assert care.drive_m == pytest.approx(50, abs=1)


@pytest.mark.parametrize("call_at", [0.5, 0.8])
@pytest.mark.parametrize("flag", [StreetFlag.CONTROLLED, StreetFlag.TUNNEL])
def test_care_waits_on_no_ramp_and_in_no_tunnel(flag, call_at):
    town = draw("Z---A---B---C", block_m=200.0, streets={"AB": {"flags": flag}})
    care = decide_in(town, ("ZA", 0.5), ("BC", call_at))
    lon, _ = town.position("BC", max(0.0, call_at - 150 / 200))
    assert care.stage.lon == pytest.approx(lon, abs=2e-5)


def test_a_ramp_that_ends_beside_the_call_is_no_reason_to_wait_beside_it():
    town = draw("Z---A---B---C", block_m=200.0, streets={"AB": {"flags": StreetFlag.CONTROLLED}})
    care = decide_in(town, ("ZA", 0.5), ("BC", 0.1))
    assert care.stage.lon == pytest.approx(town.position("AB", 0.35)[0], abs=2e-5)
