"""The min-cost flow under a batch of calls: exact whole numbers, about a millisecond each.

What lives here: the network, one solve, and what its prices rule out. What does not: which costs
are set (`pairing_served`, `pairing_bound`). This module and `pairing_program` import OR-Tools.

Each served call is one path: source, a CARE unit, the call, an SPD unit, sink; so that a call gets
all that it needs or nothing, and a unit goes to one call. A half that nobody is chosen for is a
step past the units of that kind. Calls that are not served go from source to sink directly.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from routing.assign import NO_UNIT, UnsoundAssignment
from routing.pairing_tables import Mask, Tables, Whole

COST_MAX: Final = 2**61
"""The solver multiplies costs by the number of its nodes plus one, within int64."""

EXACT_NODES_MAX: Final = 320
"""Up to so many nodes (20 ms) regrets are exact, beyond they are bounds from below."""

_SOURCE, _SINK = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """Arcs of capacity one: those of CARE, of SPD, of the calls, and the rest without a price."""

    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    n_calls: int
    n_nodes: int
    call: tuple[Whole, Whole]
    """For each arc of a unit of CARE, and of SPD, its call."""
    unit: tuple[Whole, Whole]
    """And its column."""
    forced: Mask
    """(n_arcs,) arcs that every solution uses."""
    free: Mask
    """(n_arcs,) arcs that a solution may use; all others are closed."""

    def arcs_of(self, kind: int) -> slice:
        """Return where the arcs of CARE (0) or SPD (1) units stand."""
        first = 0 if kind == 0 else len(self.call[0])
        return slice(first, first + len(self.call[kind]))

    @property
    def arcs_of_calls(self) -> slice:
        """Return where the arcs of calls stand: used when the call is served."""
        first = len(self.call[0]) + len(self.call[1])
        return slice(first, first + self.n_calls)


def make_network(tables: Tables, kept: tuple[Mask, Mask]) -> Network:
    """Return the network of all steps (call, unit) that are kept."""
    n = tables.n_calls
    (care_call, care), (spd_call, spd) = (np.nonzero(mask) for mask in kept)
    care_units, care_node = np.unique(care, return_inverse=True)
    spd_units, spd_node = np.unique(spd, return_inverse=True)
    first_care, first_spd = 2 + 2 * n, 2 + 2 * n + len(care_units)
    n_nodes = first_spd + len(spd_units)
    calls = np.arange(n)
    into, out = 2 + calls, 2 + n + calls
    no_care, no_spd = calls[~tables.chooses[0]], calls[~tables.chooses[1]]
    source_to = np.concatenate((np.arange(first_care, first_spd), into[no_care], calls * 0 + _SINK))
    to_sink = np.concatenate((np.arange(first_spd, n_nodes), out[no_spd]))
    parts = (
        (first_care + care_node, into[care_call]),
        (out[spd_call], first_spd + spd_node),
        (into, out),
        (np.full(len(source_to), _SOURCE), source_to),
        (to_sink, np.full(len(to_sink), _SINK)),
    )
    tail, head = (np.concatenate(ends).astype(np.int32) for ends in zip(*parts, strict=True))
    return Network(
        tail=tail,
        head=head,
        n_calls=n,
        n_nodes=n_nodes,
        call=(care_call, spd_call),
        unit=(care, spd),
        forced=np.zeros(len(tail), np.bool_),
        free=np.ones(len(tail), np.bool_),
    )


def cheapest(network: Network, cost: Whole) -> Mask:
    """Return which arcs a cheapest flow uses.

    Parameters
    ----------
    cost
        (n_arcs,) whole numbers; those of arcs that are not free do not matter.

    Raises
    ------
    UnsoundAssignment
        When the costs do not fit, or there is no flow, which the arcs past all calls exclude.
    """
    free = np.flatnonzero(network.free)
    costs = cost[free]
    if len(costs) and int(np.abs(costs).max()) * (network.n_nodes + 1) > COST_MAX:
        raise UnsoundAssignment(f"an arc costs up to {np.abs(costs).max()}: too much to add up")
    flow = SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(
        network.tail[free], network.head[free], np.ones(len(free), np.int64), costs
    )
    supply = np.zeros(network.n_nodes, np.int64)
    supply[_SOURCE], supply[_SINK] = network.n_calls, -network.n_calls
    np.subtract.at(supply, network.tail[network.forced], 1)
    np.add.at(supply, network.head[network.forced], 1)
    flow.set_nodes_supplies(np.arange(network.n_nodes, dtype=np.int32), supply)
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise UnsoundAssignment(f"the flow solver answered {status}; expected an optimal flow")
    used = network.forced.copy()
    used[free] = flow.flows(np.arange(len(free), dtype=np.int32)) != 0
    return used


def regrets(network: Network, cost: Whole, used: Mask) -> Whole:
    """Return how much dearer than the cheapest a flow is at least that differs in this arc.

    (n_arcs,) at or above 0; of an arc that is not used, the regret of using it; of one that is
    used, of going without. To change an arc, flow is moved around a cycle, and on what is left of
    a cheapest flow none is negative: the regret is that of the cheapest cycle through the arc.
    """
    at = np.flatnonzero(network.free)
    use = used[at]
    tail = np.where(use, network.head[at], network.tail[at])
    head = np.where(use, network.tail[at], network.head[at])
    step = np.where(use, -cost[at], cost[at])
    regret = np.zeros(len(cost), np.int64)
    regret[at] = step + _way_back(network.n_nodes, (tail, head, step))
    if (regret < 0).any():
        raise UnsoundAssignment("the flow solver's answer can be improved along a cycle")
    return regret


_FAR: Final = 2**60

_Arcs = tuple[NDArray[np.int32], NDArray[np.int32], Whole]
"""Tails, heads and costs of what is left of a flow."""


def _way_back(n_nodes: int, arcs: _Arcs) -> Whole:
    """Return for each arc the cost of the cheapest way from its head to its tail, or less."""
    tail, head, step = arcs
    if n_nodes > EXACT_NODES_MAX:
        price = _prices(n_nodes, arcs)
        return price[tail] - price[head]
    way = np.full((n_nodes, n_nodes), _FAR, np.int64)
    np.fill_diagonal(way, 0)
    np.minimum.at(way, (tail, head), step)
    for node in range(n_nodes):
        np.minimum(way, way[:, node, None] + way[node], out=way)
    return way[head, tail]


def _prices(n_nodes: int, arcs: _Arcs) -> Whole:
    """Return prices of the nodes such that no step is cheaper than their difference (Bellman)."""
    tail, head, step = arcs
    price = np.zeros(n_nodes, np.int64)
    for _ in range(n_nodes + 1):
        before = price.copy()
        np.minimum.at(price, head, before[tail] + step)
        if (price == before).all():
            break
    return price


def only_optimal(network: Network, cost: Whole, used: Mask) -> Network:
    """Return the network whose flows are exactly the cheapest flows of this one.

    By complementary slackness an arc with a regret stays as it is in every one of them.
    """
    return settled(network, used, regrets(network, cost, used) > 0)


def settled(network: Network, used: Mask, certain: Mask) -> Network:
    """Return the network in which the arcs that are certain stay as a flow uses them."""
    settles = network.free & certain
    return replace(network, free=network.free & ~settles, forced=network.forced | (settles & used))


def units_of(network: Network, used: Mask) -> tuple[Whole, Whole]:
    """Return (n_calls,) columns of CARE and of SPD in a flow, or NO_UNIT."""
    chosen = []
    for kind in (0, 1):
        units = np.full(network.n_calls, NO_UNIT, np.int64)
        arcs = np.flatnonzero(used[network.arcs_of(kind)])
        units[network.call[kind][arcs]] = network.unit[kind][arcs]
        chosen.append(units)
    return chosen[0], chosen[1]
