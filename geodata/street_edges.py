"""Directed edges are laid along the kept streets, sorted by the junction where they begin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.raw_streets import Direction
from geodata.street_controls import Controls
from geodata.street_core import Core
from geodata.street_cut import Pieces, Streets


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """The edge columns of `StreetNetwork`, which says what they mean."""

    first: NDArray[np.int32]
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    street: NDArray[np.int32]
    """(n_edges,) position in `Core.kept_streets`."""
    along: NDArray[np.bool_]
    posted_s: NDArray[np.float64]
    unposted_m: NDArray[np.float64]
    signals: NDArray[np.int16]
    stops: NDArray[np.int16]
    arrival_way: NDArray[np.int64]
    """(n_edges,) way of the last piece, by the source's id."""
    leaving_way: NDArray[np.int64]
    """(n_edges,) way of the first piece, by the source's id."""


def lay_edges(pieces: Pieces, streets: Streets, controls: Controls, core: Core) -> Edges:
    """Lay one edge along each one-way street and two along each other."""
    kept = core.kept_streets
    ends = np.searchsorted(core.junction_node, np.stack((streets.tail[kept], streets.head[kept])))
    two_way = pieces.way_direction[streets.first_way[kept]] != Direction.ALONG
    number = np.arange(len(kept))
    street = np.concatenate((number, number[two_way]))
    along = np.arange(len(street)) < len(kept)
    tail = np.where(along, ends[0][street], ends[1][street])
    head = np.where(along, ends[1][street], ends[0][street])
    order = np.lexsort((~along, street, head, tail))
    street, along, tail, head = street[order], along[order], tail[order], head[order]
    row, whole = np.where(along, 0, 1), kept[street]
    posted_s, unposted_m = _posted(pieces, streets)
    way_ids = pieces.way_id[np.stack((streets.first_way, streets.last_way))]
    n_leaving = np.bincount(tail, minlength=len(core.junction_node))
    return Edges(
        first=np.concatenate(([0], np.cumsum(n_leaving))).astype(np.int32),
        tail=tail.astype(np.int32),
        head=head.astype(np.int32),
        street=street.astype(np.int32),
        along=along,
        posted_s=posted_s[row, whole],
        unposted_m=unposted_m[row, whole],
        signals=controls.signals[row, whole].astype(np.int16),
        stops=controls.stops[row, whole].astype(np.int16),
        arrival_way=way_ids[1 - row, whole],
        leaving_way=way_ids[row, whole],
    )


def _posted(pieces: Pieces, streets: Streets) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return seconds at the posted limits and metres without one, (2, n_streets) each.

    Times are summed piece by piece, so that no stretch's limit is lost. Row 0 is for travel along
    the drawing, row 1 against it.
    """
    length = pieces.length_m[streets.order]
    limits = pieces.way_limits_kmh[:, pieces.way[streets.order]]
    start = streets.first[:-1]
    seconds, metres = [], []
    for own, other in ((0, 1), (1, 0)):
        limit_kmh = np.where(streets.flipped, limits[other], limits[own])
        unposted = np.isnan(limit_kmh)
        time_s = np.where(unposted, 0.0, length * 3.6 / np.where(unposted, 1.0, limit_kmh))
        seconds.append(np.add.reduceat(time_s, start))
        metres.append(np.add.reduceat(np.where(unposted, length, 0.0), start))
    return np.stack(seconds), np.stack(metres)
