"""Where a call lies on its street, and where CARE may wait on the way to it."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from geodata.driving_time import ROUTINE, UNREACHABLE_MS, edge_times
from geodata.network import StreetFlag
from geodata.raw_streets import Control
from geodata.snap import NO_INCIDENT, Position, Positions, StreetIndex, Way
from routing.model import Fix, Location
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes
from tests.builders import network_from_edges, position_on, random_bans
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


def test_a_call_at_a_junction_is_no_nearer_when_the_street_that_stands_for_it_is_closed():
    town = draw(
        "A-->B-->C\n^   |   |\nD---E---F",
        controls={"B": Control.SIGNAL_ALONG | Control.SIGNAL_AGAINST},
    )
    net = town.network
    closed = np.arange(net.n_edges) == town.edge("BC")
    arrived = []
    for shut in (np.zeros(net.n_edges, bool), closed):
        weights = edge_times(net, ROUTINE, closed_edges=shut, closure_id="x" if shut.any() else "")
        times = TravelTimes(net, *build_hierarchy(net), weights)
        call_at = times.at_junction(position_on(net, town.street("AB"), 1.0))
        units = times.unit_labels(Positions.of(position_on(net, town.street("EB"), 0.5)))
        arrived.append(int(times.drive_ms(units, call_at)[0]))
    assert arrived[0] == arrived[1] < UNREACHABLE_MS


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


def street_beyond(times: TravelTimes, place: Position) -> int:
    """Return, by looking at every edge, the street that stands for a one-way street's head, or -1.

    Of the open streets that a turn leads into, the one into which most ways lead, then the lowest.
    """
    net, move_ms = times.network, times.edge_times.move_ms
    along = place.fraction == 1.0
    edge = (net.street_along if along else net.street_against)[place.street]
    if place.leaves != (Way.ALONG if along else Way.AGAINST):
        return -1
    banned = set(map(tuple, net.banned_turns.tolist()))
    bans_of = {a: frozenset(f for e, f in banned if e == a) for a, _ in banned}
    arrivals = np.flatnonzero(net.edge_head == net.edge_head[edge]).tolist()
    kinds = {bans_of.get(arrival, frozenset()) for arrival in arrivals} | {frozenset()}
    leaving = np.flatnonzero(net.edge_tail == net.edge_head[edge]).tolist()
    choices = [
        (-sum(out not in bans for bans in kinds), int(net.edge_street[out]))
        for out in leaving
        if (edge, out) not in banned
        and move_ms[out] < UNREACHABLE_MS
        and not net.street_flags[net.edge_street[out]] & NO_INCIDENT
    ]
    return min(choices)[1] if choices else -1


def ways_out(times: TravelTimes, place: Position) -> int:
    """Return by which ways a place at the end of a street is entered that stands for a junction."""
    net, (out, into) = times.network, (Way.ALONG, Way.AGAINST)
    edges = {out: int(net.street_along[place.street]), into: int(net.street_against[place.street])}
    if place.fraction == 1.0:
        out, into = into, out
    banned = set(map(tuple, net.banned_turns.tolist()))
    return int(out | into) if (edges[into], edges[out]) in banned else int(out)


@pytest.mark.parametrize("share_banned", [0.0, 0.5])
def test_the_head_of_a_one_way_street_is_taken_for_the_street_that_most_turns_lead_into(
    share_banned: float,
) -> None:
    rng = np.random.default_rng(81)
    lonlat = np.column_stack((rng.uniform(-122.4, -122.3, 60), rng.uniform(47.5, 47.6, 60)))
    ends = rng.integers(0, 60, (260, 2))
    plain = network_from_edges(lonlat, [(int(a), int(b), bool(rng.integers(2))) for a, b in ends])
    flags = np.where(rng.random(260) < 0.2, int(StreetFlag.TUNNEL), 0).astype(np.uint8)
    network = replace(plain, street_flags=flags, banned_turns=random_bans(plain, rng, share_banned))
    closed = rng.random(network.n_edges) < 0.2
    weights = edge_times(network, ROUTINE, closed_edges=closed, closure_id="x")
    times = TravelTimes(network, *build_hierarchy(network), weights)
    n_moved = 0
    for place in (position_on(network, s, f) for s in range(260) for f in (0.0, 0.5, 1.0)):
        found = times.at_junction(place)
        expected = -1 if place.fraction == 0.5 else street_beyond(times, place)
        assert found.street == (place.street if expected < 0 else expected)
        whole = position_on(network, found.street, 0.0).leaves
        assert found.leaves == (ways_out(times, found) if expected >= 0 else whole)
        n_moved += expected >= 0
    assert n_moved > 50
