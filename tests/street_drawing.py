"""Street maps drawn in text, so that a person can check a routing test by eye.

    A---B-->C
    |   ^   |
    D---E---F

Capital letters are junctions, `-` and `|` two-way streets, `>` `<` `^` `v` one-way streets, `.` a
bend and `+` two streets that cross at different levels. Four columns, or two rows, are one block.
Each street is named by its two letters in the order in which it was found (reading order), so that
none are joined; `streets={"AB": {...}}` gives it other attributes of `RawWay`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from geodata.earth import metres_per_degree
from geodata.network import NO_EDGE, RoadClass, Source, StreetFlag, StreetNetwork
from geodata.opening_hours import hours_touched, minutes_of_week
from geodata.raw_streets import Control, Direction, RawRestriction, RawStreets, RawWay
from geodata.street_build import build_network

LON, LAT = -122.335, 47.605
"""Where the top left corner of every drawing lies: downtown Seattle."""
LIMIT_KMH = 36.0
"""10 m/s unless a street says otherwise: a block of 100 m takes 10 s."""

STEPS = {"right": (0, 1), "down": (1, 0), "left": (0, -1), "up": (-1, 0)}
ARROWS = {">": "right", "v": "down", "<": "left", "^": "up"}
FLAT, STEEP = "-<>+", "|^v+"


@dataclass(frozen=True, kw_only=True)
class StreetMap:
    """A drawing, as its raw streets and as a network, with its letters."""

    raw: RawStreets
    network: StreetNetwork
    node_of: Mapping[str, int]

    def junction(self, letter: str) -> int:
        """Return the junction drawn as this letter; `KeyError` when it is not in the network."""
        found = np.flatnonzero(self.network.junction_id == self.node_of[letter])
        if len(found) != 1:
            raise KeyError(f"{letter} is no junction of the network")
        return int(found[0])

    def edge(self, letters: str, name: str | None = None) -> int:
        """Return the edge from the first letter to the second, by street name if there are two."""
        tail, head = (self.junction(letter) for letter in letters)
        network = self.network
        found = [
            edge
            for edge in range(network.edge_first[tail], network.edge_first[tail + 1])
            if network.edge_head[edge] == head
            and name in (None, network.name_of(int(network.edge_street[edge])))
        ]
        if len(found) != 1:
            raise KeyError(f"{len(found)} edges from {letters[0]} to {letters[1]}")
        return found[0]

    def street(self, letters: str, name: str | None = None) -> int:
        """Return the street on which one may drive from the first letter to the second."""
        return int(self.network.edge_street[self.edge(letters, name)])

    def position(self, letters: str, fraction: float) -> tuple[float, float]:
        """Return lon and lat of a point on a straight street, as a fraction of the way."""
        edge = self.edge(letters)
        tail, head = self.network.edge_tail[edge], self.network.edge_head[edge]
        lon, lat = self.network.junction_lon, self.network.junction_lat
        return (
            float(lon[tail] + fraction * (lon[head] - lon[tail])),
            float(lat[tail] + fraction * (lat[head] - lat[tail])),
        )

    def letter(self, junction: int) -> str:
        """Return the letter of a junction."""
        node = int(self.network.junction_id[junction])
        return next(letter for letter, number in self.node_of.items() if number == node)


def draw(
    text: str,
    *,
    block_m: float = 100.0,
    streets: Mapping[str, Mapping[str, Any]] | None = None,
    controls: Mapping[str, Control] | None = None,
    bans: Iterable[str] = (),
    only: Iterable[str] = (),
) -> StreetMap:
    """Return the map of a drawing.

    `controls={"B": Control.SIGNAL_ALONG}` puts a control at a letter; `bans=["ABC"]` forbids to go
    from AB into BC, `["ABA"]` to turn round at B, and `only=["ABC"]` all but BC after AB. Of
    `["ABCD"]` BC is a whole way between; `["ABC @ Mo-Fr 07:00-09:00"]` holds in these hours.
    """
    raw, node_of = draw_raw(text, block_m=block_m, streets=streets, controls=controls)
    turns = [(turn, False) for turn in bans] + [(turn, True) for turn in only]
    rows = tuple(_restriction(turn, raw, node_of, only=alone) for turn, alone in turns)
    raw = replace(raw, restrictions=rows)
    return StreetMap(raw=raw, network=build_network(raw), node_of=node_of)


def draw_raw(
    text: str,
    *,
    block_m: float = 100.0,
    streets: Mapping[str, Mapping[str, Any]] | None = None,
    controls: Mapping[str, Control] | None = None,
) -> tuple[RawStreets, dict[str, int]]:
    """Return the raw streets of a drawing and the node id of each letter."""
    cells = {
        (row, column): sign
        for row, line in enumerate(text.splitlines())
        for column, sign in enumerate(line)
        if sign != " "
    }
    levels = [(*cell, 0) for cell in cells] + [(*cell, 1) for cell in cells if cells[cell] == "+"]
    nodes = {place: number for number, place in enumerate(levels, 1)}
    node_of = {sign: nodes[(*cell, 0)] for cell, sign in cells.items() if sign.isupper()}
    wanted = {name: dict(attributes) for name, attributes in (streets or {}).items()}
    ways: list[RawWay] = []
    seen: set[frozenset[tuple[int, int, int]]] = set()
    for start in (cell for cell, sign in cells.items() if sign.isupper()):
        for heading in STEPS:
            trail, one_way = _follow(cells, start, heading)
            if len(trail) < 2 or frozenset(trail[:2] + trail[-2:]) in seen:
                continue
            seen.add(frozenset(trail[:2] + trail[-2:]))
            name = cells[start] + cells[trail[-1][:2]]
            node_ids = [nodes[place] for place in (trail if one_way >= 0 else trail[::-1])]
            way = _way(1000 + len(ways), node_ids, bool(one_way))
            ways.append(replace(way, **{"name": name, **wanted.pop(name, {})}))
    if wanted:
        raise ValueError(f"no such streets in the drawing: {sorted(wanted)}")
    marked = {node_of[letter]: control for letter, control in (controls or {}).items()}
    return _raw(nodes, marked, ways, block_m), node_of


def _follow(
    cells: Mapping[tuple[int, int], str], start: tuple[int, int], heading: str
) -> tuple[list[tuple[int, int, int]], int]:
    """Return the places from a letter to the next, and +1 / -1 for arrows with / against the way.

    A place is row, column and level; the street drawn downwards over a `+` is on level 1.
    """
    trail, one_way, cell = [(*start, 0)], 0, start
    while True:
        cell = (cell[0] + STEPS[heading][0], cell[1] + STEPS[heading][1])
        sign = cells.get(cell, " ")
        flat = heading in ("left", "right")
        if sign.isupper():
            return ([*trail, (*cell, 0)] if len(trail) > 1 else []), one_way
        if sign == ".":
            turns = ("up", "down") if flat else ("left", "right")
            signs = {turn: _beside(cells, cell, turn) for turn in turns}
            heading = next(turn for turn in turns if signs[turn] in (STEEP if flat else FLAT) + ".")
        elif sign not in (FLAT if flat else STEEP):
            return [], 0
        if sign in ARROWS:
            one_way = 1 if ARROWS[sign] == heading else -1
        trail.append((*cell, int(sign == "+" and not flat)))


def _beside(cells: Mapping[tuple[int, int], str], cell: tuple[int, int], heading: str) -> str:
    return cells.get((cell[0] + STEPS[heading][0], cell[1] + STEPS[heading][1]), " ")


def _way(way_id: int, node_ids: list[int], one_way: bool) -> RawWay:
    return RawWay(
        way_id=way_id,
        node_ids=tuple(node_ids),
        name="",
        road_class=RoadClass.RESIDENTIAL,
        direction=Direction.ALONG if one_way else Direction.BOTH,
        limit_along_kmh=LIMIT_KMH,
        limit_against_kmh=LIMIT_KMH,
        flags=StreetFlag(0),
    )


def _raw(
    nodes: Mapping[tuple[int, int, int], int],
    controls: Mapping[int, Control],
    ways: list[RawWay],
    block_m: float,
) -> RawStreets:
    per_lon, per_lat = metres_per_degree(LAT)
    return RawStreets(
        source=Source(
            network_id="drawing",
            description="A map drawn for a test",
            kind="DRAWING",
            extract_date=None,
            licence="none",
            schematic=True,
        ),
        node_id=np.array(list(nodes.values()), np.int64),
        node_lon=np.array([LON + column * block_m / 4 / per_lon for _, column, _ in nodes]),
        node_lat=np.array([LAT - row * block_m / 2 / per_lat for row, _, _ in nodes]),
        node_control=np.array([controls.get(node, 0) for node in nodes.values()], np.uint8),
        ways=tuple(ways),
    )


def _restriction(
    turn: str, raw: RawStreets, node_of: Mapping[str, int], *, only: bool
) -> RawRestriction:
    letters, _, when = turn.partition(" @ ")
    nodes = [node_of[letter] for letter in letters]
    between = {frozenset((way.node_ids[0], way.node_ids[-1])): way.way_id for way in raw.ways}
    first, *over, last = (between[frozenset(pair)] for pair in pairwise(nodes))
    minutes = minutes_of_week(when or "24/7")
    assert minutes is not None, f"hours that are not read: {when}"
    return RawRestriction(
        from_way=first,
        via_node=None if over else nodes[1],
        via_ways=tuple(over),
        to_way=last,
        only=only,
        u_turn=nodes[0] == nodes[-1] and not over,
        hours=hours_touched(minutes),
    )


def one_way_edges(street_map: StreetMap) -> set[str]:
    """Return the edges without an opposite one, as pairs of letters."""
    network = street_map.network
    return {
        street_map.letter(int(network.edge_tail[edge]))
        + street_map.letter(int(network.edge_head[edge]))
        for edge in range(network.n_edges)
        if network.edge_opposite[edge] == NO_EDGE
    }
