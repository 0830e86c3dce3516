"""Sites that serve all points at the least cost: the engine of p-median.

    min  sum over points of the least cost among the chosen sites,  `count` sites chosen

The recipe: a good choice (`interchange`), the Lagrangian bound (`prices`), and a search over what
both leave open (`branching`). MCLP could be asked so as well, with 0 for a covered point and its
weight otherwise, but there prices rise slowly and the program of `covering` proves much sooner.
"""

from dataclasses import replace

import numpy as np

from benchmarks.studies.siting.branching import Served, search
from benchmarks.studies.siting.instance import Limits, Whole
from benchmarks.studies.siting.interchange import cost_of, greedy, interchange
from benchmarks.studies.siting.prices import AT_ROOT, Open, decide, first_price, lowest, raise_bound


def least_cost(cost: Whole, count: int, limits: Limits) -> Served:
    """Return `count` sites, or all, at the least cost, with the bound.

    Parameters
    ----------
    cost
        (n_sites, n_points) of serving a point from a site, whole numbers, 0 or more.
    count
        How many sites are chosen, 1 or more.
    """
    n_sites, n_points = cost.shape
    if count >= n_sites or not n_points:
        sites = np.arange(min(count, n_sites))
        worth = cost_of(cost, sites) if n_points else 0
        return Served(sites=tuple(sites.tolist()), cost=worth, bound=worth)
    nearest = int(cost.min(axis=0).sum())  # where police come last anyway, this is the bound
    best = _served(cost, interchange(cost, greedy(cost, count)))
    if best.cost == nearest:
        return replace(best, bound=nearest)
    root = Open(
        cost=cost, sites=np.arange(n_sites), forced=np.zeros(n_sites, np.bool_), count=count
    )
    priced = raise_bound(root, first_price(cost, np.array(best.sites)), best.cost, AT_ROOT)
    for order in (priced.reduced.astype(np.float64), -priced.used):
        tried = _served(cost, interchange(cost, np.sort(lowest(order, count))))
        best = min(best, tried, key=lambda one: one.cost)
    best = replace(best, bound=min(max(priced.bound, nearest), best.cost))
    if best.bound == best.cost:
        return best
    return search(decide(root, priced, best.cost), priced.price / priced.parts, best, limits)


def _served(cost: Whole, sites: Whole) -> Served:
    return Served(sites=tuple(sorted(sites.tolist())), cost=cost_of(cost, sites), bound=0)
