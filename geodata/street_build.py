"""Ways and nodes, as a map source tells them, become streets: cut at junctions, counted, summed.

What lives here: `build_network`, which makes a `StreetNetwork` of `RawStreets`, as a recipe; its
steps are `street_cut` (pieces and streets), `street_controls` (signals and stop signs),
`street_core` (what can be reached and left) and `street_turns` (restrictions). What does not:
reading any file.
"""

from dataclasses import replace

import numpy as np

from geodata.errors import NoStreetsError
from geodata.network import NO_EDGE, Source, StreetFlag, StreetNetwork
from geodata.raw_streets import (
    Control,
    Direction,
    Progress,
    RawRestriction,
    RawStreets,
    RawWay,
    say_nothing,
)
from geodata.street_controls import count_controls
from geodata.street_core import Core, find_core
from geodata.street_cut import Pieces, Streets, cut_pieces, join_streets
from geodata.street_edges import Edges, lay_edges
from geodata.street_turns import Bans, ban_turns

__all__ = [
    "Control",
    "Direction",
    "Progress",
    "RawRestriction",
    "RawStreets",
    "RawWay",
    "build_network",
]


def build_network(raw: RawStreets, progress: Progress | None = None) -> StreetNetwork:
    """Cut, join, count and keep the part of the streets that can be reached and left again.

    Streets end where streets meet or end and where name, class, flags or kind of direction
    change. Kept is the largest strongly connected part without reversible lanes (the core; turn
    restrictions are not considered), and with it what hangs on it by reversible lanes, flagged
    GATED. What is left out is counted in `source.dropped`. The result does not depend on the
    order of ways, nor on how a way is split into rows.

    Raises
    ------
    NoStreetsError
        No way, or no part of the ways that is connected in both directions.
    CoordinateError
        A node of a way is not at a longitude and latitude in degrees.
    """
    say = progress or say_nothing
    say("cut ways into pieces", None)
    pieces = cut_pieces(raw)
    say("join pieces to streets", None)
    streets = join_streets(pieces)
    say("count signals and stop signs", None)
    controls = count_controls(pieces, streets)
    say("find the connected core", None)
    core = find_core(pieces, streets)
    edges = lay_edges(pieces, streets, controls, core)
    say("apply turn restrictions", None)
    bans, ban_counts = ban_turns(raw.restrictions, pieces, core, edges)
    source = _count_dropped(raw.source, {**pieces.dropped, **core.dropped, **ban_counts})
    return _assemble(source, pieces, streets, core, edges, bans)


def _count_dropped(source: Source, counts: dict[str, int]) -> Source:
    """Return the source with what this build left out, beside what its importer did."""
    found = tuple((reason, count) for reason, count in counts.items() if count)
    return replace(source, dropped=source.dropped + found)


def _assemble(
    source: Source,
    pieces: Pieces,
    streets: Streets,
    core: Core,
    edges: Edges,
    bans: Bans,
) -> StreetNetwork:
    """Put the kept junctions, streets and edges into their final columns."""
    kept = core.kept_streets
    if not len(kept):
        raise NoStreetsError(
            f"No two places of '{source.network_id}' can be reached from each other by car. "
            "Check that the extract covers whole streets and has car roads (`highway=...`)."
        )
    way = streets.first_way[kept]
    name_number = pieces.way_name[way]
    name_used, street_name = np.unique(np.append(name_number, 0), return_inverse=True)
    first, point_node, point_m = streets.lines_of(kept, pieces)
    along, against = (np.full(len(kept), NO_EDGE, np.int32) for _ in range(2))
    number = np.arange(len(edges.tail), dtype=np.int32)
    along[edges.street[edges.along]] = number[edges.along]
    against[edges.street[~edges.along]] = number[~edges.along]
    gated = np.where(core.street_gated[kept], int(StreetFlag.GATED), 0)
    return StreetNetwork(
        source=source,
        names=tuple(pieces.names[number] for number in name_used),
        junction_id=pieces.node_id[core.junction_node],
        junction_lon=pieces.node_lon[core.junction_node],
        junction_lat=pieces.node_lat[core.junction_node],
        edge_first=edges.first,
        edge_tail=edges.tail,
        edge_head=edges.head,
        edge_street=edges.street,
        edge_along=edges.along,
        edge_posted_s=edges.posted_s,
        edge_unposted_m=edges.unposted_m,
        edge_signals=edges.signals,
        edge_stops=edges.stops,
        street_along=along,
        street_against=against,
        street_name=street_name[:-1].astype(np.int32),
        street_class=pieces.way_class[way],
        street_flags=(pieces.way_flags[way] | gated).astype(np.uint8),
        street_way_id=pieces.way_id[way],
        street_length_m=streets.length_m[kept],
        street_point_first=first,
        point_lon=pieces.node_lon[point_node],
        point_lat=pieces.node_lat[point_node],
        point_m=point_m,
        banned_turns=bans.turns,
        path_first=bans.path_first,
        path_edge=bans.path_edge,
        path_hours=bans.path_hours,
    )
