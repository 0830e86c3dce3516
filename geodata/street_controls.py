"""Traffic signals and stop signs are counted along each street, for each direction of travel.

A control at a node counts for the piece that arrives there, so along a street it counts after its
beginning, up to and including its end. What the bits of a node mean is said in
`raw_streets.Control`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.raw_streets import Control, Direction
from geodata.street_cut import Pieces, Streets

MIDDLE_M: Final = 1.0
"""Ends that differ in distance by less than this are equally near: the sign counts both ways."""
NO_CROSSROADS_M: Final = 1e7
"""Added to the distance of a street's end where no other street meets: it has no stop line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """Counts of each street; row 0 for travel along its drawing, row 1 against it."""

    signals: NDArray[np.int64]
    """(2, n_streets)"""
    stops: NDArray[np.int64]
    """(2, n_streets)"""


def count_controls(pieces: Pieces, streets: Streets) -> Controls:
    """Count the signals and stop signs that a driver meets on each street."""
    head_control = pieces.node_control[streets.piece_head(pieces)]
    tail_control = pieces.node_control[streets.piece_tail(pieces)]
    against = streets.flipped ^ pieces.way_turned[pieces.way[streets.order]]
    signals, stops = (
        _directed(streets, against, head_control, tail_control, along)
        for along in (Control.SIGNAL_ALONG, Control.STOP_ALONG)
    )
    undirected = _inside(pieces, streets, head_control) + _at_ends(pieces, streets)
    return Controls(signals=signals, stops=stops + undirected)


def _directed(
    streets: Streets,
    against: NDArray[np.bool_],
    head_control: NDArray[np.uint8],
    tail_control: NDArray[np.uint8],
    along: Control,
) -> NDArray[np.int64]:
    """Count one kind of control, whose AGAINST bit follows its ALONG bit.

    `against` tells per piece that the street runs against the source's order of nodes.
    """
    towards_head = np.where(against, along << 1, along)
    towards_tail = np.where(against, along, along << 1)
    start = streets.first[:-1]
    met_along = (head_control & towards_head) != 0
    met_against = (tail_control & towards_tail) != 0
    return np.stack(
        [np.add.reduceat(met.astype(np.int64), start) for met in (met_along, met_against)]
    )


def _inside(pieces: Pieces, streets: Streets, head_control: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count undirected stop signs inside streets: for travel towards the nearer crossroads."""
    counts = np.diff(streets.first)
    street = np.repeat(np.arange(len(counts)), counts)
    inside = (head_control & Control.STOP_NEAREST) != 0
    inside[streets.first[1:] - 1] = False
    place = np.flatnonzero(inside)
    on = street[place]
    from_start = streets.start_m(pieces)[place] + pieces.length_m[streets.order[place]]
    to_tail = from_start + _no_crossroads_m(pieces, streets.tail[on])
    to_head = streets.length_m[on] - from_start + _no_crossroads_m(pieces, streets.head[on])
    one_way = _one_way(pieces, streets)[on]
    found = np.zeros((2, len(counts)), np.int64)
    np.add.at(found[0], on[one_way | (to_head <= to_tail + MIDDLE_M)], 1)
    np.add.at(found[1], on[to_tail <= to_head + MIDDLE_M], 1)
    return found


def _at_ends(pieces: Pieces, streets: Streets) -> NDArray[np.int64]:
    """Count undirected stop signs at the ends of streets.

    At crossroads all approaches stop, or with STOP_MINOR those of lower class where classes differ.
    Where just two streets meet (the name or class changes) the sign lies on the way to crossroads,
    and counts for travel towards the nearer.
    """
    n_nodes = len(pieces.node_id)
    road_class = pieces.way_class[streets.first_way].astype(np.int64)
    ends = np.concatenate((streets.tail, streets.head))
    highest = np.full(n_nodes, 255)
    lowest = np.zeros(n_nodes, np.int64)
    np.minimum.at(highest, ends, np.tile(road_class, 2))
    np.maximum.at(lowest, ends, np.tile(road_class, 2))
    away_m = np.stack(
        [
            streets.length_m + _no_crossroads_m(pieces, streets.tail),
            streets.length_m + _no_crossroads_m(pieces, streets.head),
        ]
    )
    both_m = np.zeros(n_nodes)
    np.add.at(both_m, streets.head, away_m[0])
    np.add.at(both_m, streets.tail, away_m[1])
    found = np.zeros((2, len(road_class)), np.int64)
    for row, node in enumerate((streets.head, streets.tail)):
        control = pieces.node_control[node]
        minor = (control & Control.STOP_MINOR) != 0
        stops = ~minor | (road_class > highest[node]) | (highest[node] == lowest[node])
        plain = pieces.node_degree[node] == 2
        ahead_m = both_m[node] - away_m[row]
        stops = np.where(
            plain, (ahead_m <= away_m[row] + MIDDLE_M) | _one_way(pieces, streets), stops
        )
        found[row] = ((control & Control.STOP_NEAREST) != 0) & stops
    return found


def _no_crossroads_m(pieces: Pieces, node: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a very long way where fewer than three piece ends meet, else 0."""
    return np.where(pieces.node_degree[node] < 3, NO_CROSSROADS_M, 0.0)


def _one_way(pieces: Pieces, streets: Streets) -> NDArray[np.bool_]:
    """Return which streets are driven in their drawing direction only."""
    one_way: NDArray[np.bool_] = pieces.way_direction[streets.first_way] == Direction.ALONG
    return one_way
