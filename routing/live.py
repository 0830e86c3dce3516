"""The next situation after a change: other weights, or units that moved.

A situation is one reference that is swapped whole: whoever holds the old one goes on reading it,
and nothing in it changes. Everything that belongs together (weights and the labels made with them,
roster and positions) is made anew together here.
"""

from dataclasses import replace

from geodata.driving_time import EdgeTimes
from routing.model import Situation, place_units
from routing.roster import UnitColumns


def with_weights(situation: Situation, edge_times: EdgeTimes) -> Situation:
    """Return the situation with the weights of an hour or of closures, units relabelled."""
    assert situation.travel_times is not None, "no drive times are loaded"
    times = situation.travel_times.reweighed(edge_times)
    labels = times.unit_labels(situation.placement.positions)
    placement = replace(situation.placement, labels=labels)
    return replace(situation, travel_times=times, placement=placement)


def with_roster(situation: Situation, roster: UnitColumns) -> Situation:
    """Return the situation with other units, or the same units elsewhere, snapped and labelled."""
    placement = place_units(
        roster,
        network=situation.network,
        streets=situation.streets,
        travel_times=situation.travel_times,
        homes=situation.homes,
    )
    return replace(situation, roster=roster, placement=placement)
