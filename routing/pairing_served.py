"""Which calls of a batch are served: exact, by flows, one after another.

What lives here: the first levels of rule 10. What does not: seconds (`pairing_bound`).

A set of calls can be served when CARE units can be matched to it and, apart from that, SPD units
can: a common independent set of two matroids, so the best by any weights is a min-cost flow. The
weights of many levels do not fit into one number: as many levels as fit are solved at once, then
the network is cut down to their optimal flows, and the next levels are solved on what is left.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from routing.pairing_flow import Network, cheapest, only_optimal
from routing.pairing_tables import Tables, Whole

WEIGHT_MAX: Final = 2**48
"""Of one call, in one flow."""


def serving_most(network: Network, tables: Tables) -> tuple[Network, int]:
    """Return the network whose flows all serve the best calls, and how many flows that took."""
    rounds = _weights(tables.classes, tables.n_calls)
    for weight in rounds:
        cost = np.zeros(len(network.tail), np.int64)
        cost[network.arcs_of_calls] = -weight
        network = only_optimal(network, cost, cheapest(network, cost))
    return network, len(rounds)


def _weights(classes: Sequence[tuple[int, ...]], n_calls: int) -> list[Whole]:
    """Return for each flow the (n_calls,) weights.

    Within a flow one call of a class outweighs all that the classes after it can add up to.
    """
    rounds, start = [], 0
    while start < len(classes):
        end, sizes = start, 1
        while end < len(classes) and sizes * (len(classes[end]) + 1) <= WEIGHT_MAX:
            sizes *= len(classes[end]) + 1
            end += 1
        weight, unit = np.zeros(n_calls, np.int64), 1
        for members in reversed(classes[start:end]):
            weight[list(members)] += unit
            unit *= len(members) + 1
        rounds.append(weight)
        start = end
    return rounds
