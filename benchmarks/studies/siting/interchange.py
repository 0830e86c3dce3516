"""Good choices of sites, soon: greedy, and interchange of one site for another.

What lives here: the cost of a choice, and choices that no single exchange makes better (Teitz and
Bart 1968, in the form of Whitaker 1983). What does not: a bound (`prices`).
"""

import numpy as np

from benchmarks.studies.siting.instance import Whole


def cost_of(cost: Whole, sites: Whole) -> int:
    """Return what chosen sites cost: every point goes to the cheapest."""
    return int(cost[sites].min(axis=0).sum())


def greedy(cost: Whole, count: int, first: Whole | None = None) -> Whole:
    """Return sites taken one after another, each the one that lowers the cost most."""
    sites = [] if first is None else first.tolist()
    now = cost[sites].min(axis=0) if sites else cost.max(axis=0)
    while len(sites) < count:
        worth = np.minimum(cost, now).sum(axis=1)
        worth[sites] = np.iinfo(np.int64).max
        sites.append(int(worth.argmin()))
        now = np.minimum(now, cost[sites[-1]])
    return np.array(sites, np.int64)


def interchange(cost: Whole, sites: Whole) -> Whole:
    """Return sites of which none can be exchanged for another at a lower cost."""
    sites = sites.copy()
    while True:
        leaves, enters, gain = best_exchange(cost, sites)
        if gain <= 0:
            return sites
        sites[leaves] = enters


def best_exchange(cost: Whole, sites: Whole) -> tuple[int, int, int]:
    """Return the place in `sites` that leaves, the site that enters, and what is gained."""
    points = np.arange(cost.shape[1])
    ranked = np.argsort(cost[sites], axis=0, kind="stable")
    own = ranked[0]
    near = cost[sites[own], points]
    far = cost[sites[ranked[1]], points] if len(sites) > 1 else cost.max(axis=0)
    order = np.argsort(own, kind="stable")
    used, first = np.unique(own[order], return_index=True)
    entered = cost[:, order]
    gain = np.maximum(near[order] - entered, 0).sum(axis=1)
    lost = np.minimum(entered, far[order]) - np.minimum(entered, near[order])
    loss = np.zeros((len(cost), len(sites)), np.int64)
    if len(used):
        loss[:, used] = np.add.reduceat(lost, first, axis=1)
    profit = gain[:, None] - loss
    profit[sites] = -1
    enters, leaves = divmod(int(profit.argmax()), len(sites))
    return leaves, enters, int(profit[enters, leaves])
