"""Small raw streets written as rows: nodes in metres from a corner, ways as lists of nodes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geodata.earth import metres_per_degree
from geodata.network import RoadClass, Source, StreetFlag, StreetNetwork
from geodata.raw_streets import Control, Direction, RawRestriction, RawStreets, RawWay

LON, LAT = -122.335, 47.605
SOURCE = Source(
    network_id="rows", description="Rows", kind="TABLE", extract_date=None, licence="none"
)
TWO_WAY, ONE_WAY, REVERSIBLE = Direction.BOTH, Direction.ALONG, Direction.REVERSIBLE


def way(way_id: int, *node_ids: int, **attributes: Any) -> RawWay:
    """Return a two-way residential way at 36 km/h (10 m/s) unless told otherwise."""
    limit = attributes.pop("limit_kmh", 36.0)
    usual: dict[str, Any] = {
        "name": "",
        "road_class": RoadClass.RESIDENTIAL,
        "direction": TWO_WAY,
        "limit_along_kmh": limit,
        "limit_against_kmh": limit,
        "flags": StreetFlag(0),
    }
    return RawWay(way_id=way_id, node_ids=node_ids, **usual | attributes)


def raw_streets(
    places_m: Mapping[int, tuple[float, float]],
    *ways: RawWay,
    controls: Mapping[int, Control] | None = None,
    restrictions: Sequence[RawRestriction] = (),
) -> RawStreets:
    """Return raw streets of nodes at metres east and north of a corner."""
    per_lon, per_lat = metres_per_degree(LAT)
    return RawStreets(
        source=SOURCE,
        node_id=np.array(list(places_m), np.int64),
        node_lon=np.array([LON + east / per_lon for east, _ in places_m.values()]),
        node_lat=np.array([LAT + north / per_lat for _, north in places_m.values()]),
        node_control=np.array([(controls or {}).get(node, 0) for node in places_m], np.uint8),
        ways=ways,
        restrictions=tuple(restrictions),
    )


def line(n_nodes: int, step_m: float = 100.0) -> dict[int, tuple[float, float]]:
    """Return nodes 1, 2, ... in a row from west to east."""
    return {number: ((number - 1) * step_m, 0.0) for number in range(1, n_nodes + 1)}


def edge_between(network: StreetNetwork, tail_id: int, head_id: int) -> int:
    """Return the only edge between two nodes."""
    found = np.flatnonzero(
        (network.junction_id[network.edge_tail] == tail_id)
        & (network.junction_id[network.edge_head] == head_id)
    )
    assert len(found) == 1, f"{len(found)} edges from {tail_id} to {head_id}"
    return int(found[0])


def same_columns(one: StreetNetwork, other: StreetNetwork) -> list[str]:
    """Return the names of the columns (or `names`) in which two networks differ."""
    mine, theirs = one.columns(), other.columns()
    differing = [
        name
        for name, column in mine.items()
        if column.dtype != theirs[name].dtype or not np.array_equal(column, theirs[name])
    ]
    return differing + (["names"] if one.names != other.names else [])
