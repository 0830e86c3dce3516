"""What a closure closes, and what it cuts off, on the streets that are loaded.

A street is *cut off* where it can no longer be reached from the rest of the network, or not be
left: it stood in the largest strongly connected part of the streets, is open, and does not stand in
it any more. A closed street is not cut off as long as it meets that part, since whoever is on it
may drive out.
"""

from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.closures.schedule import Schedule
from api.closures.schemas import CutOffPart, EffectPart
from geodata.closures import Closure, is_closed, next_change
from geodata.network import StreetFlag, StreetNetwork
from geodata.snap import NO_STREET
from routing.model import Situation

NAMES_MAX: Final = 20
SUPERVISOR_SHARE: Final = 0.01
"""A closure of more of the network's metres takes a supervisor."""

Flags = NDArray[np.bool_]


def effect_of(
    situation: Situation, schedule: Schedule, closure: Closure, at: datetime
) -> EffectPart:
    """Return what a closure does when it next closes, beside all else that is closed then."""
    network = situation.network
    closed = np.zeros(network.n_edges, np.bool_)
    closed[closure.edges] = True
    metres = _edge_metres(network)
    share = float(metres[closed].sum() / metres.sum())
    begins = at if is_closed(closure, at) else next_change(closure, at) or at
    others = [one for one in schedule.closures if one.closure_id != closure.closure_id]
    before = Schedule(closures=tuple(others), n_edges=network.n_edges).closed_at(begins)
    streets = np.unique(network.edge_street[closure.edges])
    return EffectPart(
        streets=_names(network, streets),
        edges=len(closure.edges),
        length_m=round(float(metres[closed].sum()), 1),
        network_share=round(share, 6),
        cut_off=_cut_off(situation, before.closed_routine, closed),
        needs_supervisor=share > SUPERVISOR_SHARE,
    )


def _cut_off(situation: Situation, before: Flags, closed: Flags) -> CutOffPart | None:
    network = situation.network
    reached, left = _reached(network, before), _reached(network, before | closed)
    lost = reached & ~left
    posts = [
        post_id
        for post_id, (lon, lat) in sorted(situation.homes.posts.items())
        if _is_lost(situation, lost, lon, lat)
    ]
    if not lost.any():
        return None
    streets = np.flatnonzero(lost)
    return CutOffPart(streets=_names(network, streets), street_count=len(streets), posts=posts)


def _is_lost(situation: Situation, lost: Flags, lon: float, lat: float) -> bool:
    street = situation.streets.snap_incident(lon, lat).street
    return street != NO_STREET and bool(lost[street])


def _reached(network: StreetNetwork, closed: Flags) -> Flags:
    """Return (n_streets,) which streets can be reached and left, open or not."""
    gated = (network.street_flags & np.uint8(StreetFlag.GATED)) != 0
    open_ = ~closed & ~gated[network.edge_street]
    core = _core(network, open_)
    tail, head = core[network.edge_tail], core[network.edge_head]
    in_core = np.where(open_, tail & head, closed & (tail | head))
    found = np.zeros(network.n_streets, np.bool_)
    found[network.edge_street[in_core]] = True
    return found


def _core(network: StreetNetwork, open_: Flags) -> Flags:
    """Return (n_junctions,) the largest part from which everywhere in it can be reached."""
    from scipy.sparse import csr_array  # a tenth of a second that no start should pay
    from scipy.sparse.csgraph import connected_components

    n = network.n_junctions
    tail, head = network.edge_tail[open_], network.edge_head[open_]
    graph = csr_array((np.ones(len(tail), np.int8), (tail, head)), shape=(n, n))
    _, part = connected_components(graph, connection="strong")
    size = np.bincount(part, minlength=1)
    largest: Flags = part == np.argmax(size)
    return largest


def _edge_metres(network: StreetNetwork) -> NDArray[np.float64]:
    metres: NDArray[np.float64] = network.street_length_m[network.edge_street]
    return metres


def _names(network: StreetNetwork, streets: NDArray[np.integer]) -> list[str]:
    """Return the names of streets, the longest together first; unnamed ones are passed over."""
    metres: dict[str, float] = {}
    for street in streets.tolist():
        name = network.name_of(street)
        if name:
            metres[name] = metres.get(name, 0.0) + network.street_length_m.item(street)
    return sorted(metres, key=lambda name: (-metres[name], name))[:NAMES_MAX]
