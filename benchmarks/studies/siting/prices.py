"""The Lagrangian bound: what points would pay to be served, and what no choice costs less than.

What lives here: the subgradient method over the points' prices, for all sites or with some of them
decided. What does not: choices (`interchange`) and the search over decisions (`branching`).

With the rule "each point is served once" priced instead of kept, every site adds its reduced cost,
the sum over points of min(0, cost - price), and the `count` lowest are chosen (Cornuejols, Fisher
and Nemhauser 1977). Any prices give a bound. Before a bound is told they are rounded to whole parts
of a unit of cost, and it is computed in whole numbers: nothing is lost to rounding.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.siting.instance import Whole

Reals = NDArray[np.float64]

PARTS: Final = 1024
"""Of one unit of cost, in which prices are whole numbers."""
DEFLECTION: Final = 0.7
"""How much of the last direction is kept (Camerini, Fratta and Maffioli 1975)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long prices are moved, and how far."""

    rounds: int
    first_step: float
    shrink: float
    """A step becomes this share of itself when nothing was gained for `patience` rounds."""
    patience: int
    last_step: float = 1e-4


AT_ROOT: Final = Pace(rounds=800, first_step=1.5, shrink=0.5, patience=15)
AT_NODE: Final = Pace(rounds=30, first_step=0.3, shrink=0.6, patience=5)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Open:
    """Sites that may be chosen, with those that are decided."""

    cost: Whole
    """(n_open, n_points)"""
    sites: Whole
    """(n_open,) rows of the whole problem."""
    forced: NDArray[np.bool_]
    """(n_open,) sites that are chosen in any case."""
    count: int
    """How many are chosen, forced ones among them; at most n_open."""

    def only(self, kept: NDArray[np.bool_], forced: NDArray[np.bool_]) -> "Open":
        """Return some of the sites, with more of them decided."""
        cost = self.cost if kept.all() else self.cost[kept]
        return Open(cost=cost, sites=self.sites[kept], forced=forced[kept], count=self.count)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Priced:
    """The best prices that were found, and what they say exactly, in parts of a unit of cost."""

    price: Whole
    """(n_points,)"""
    reduced: Whole
    """(n_open,) what choosing a site adds at these prices, 0 or less."""
    used: Reals
    """(n_open,) how often, lately more than before, a site was among the lowest."""
    parts: int
    bound_parts: int

    @property
    def bound(self) -> int:
        """What no choice costs less than, in units of cost."""
        return -(-self.bound_parts // self.parts)


def first_price(cost: Whole, sites: Whole) -> Reals:
    """Return prices to begin with: half-way between a point's first and second chosen site."""
    return np.asarray(np.sort(cost[sites], axis=0)[:2].mean(axis=0))


def raise_bound(problem: Open, price: Reals, worth: int, pace: Pace) -> Priced:
    """Return prices with a high bound, ending as soon as it shows that nothing beats `worth`."""
    count, real, step, waited = problem.count, problem.cost.astype(np.float64), pace.first_step, 0
    best_price, best = price, -1.0
    used, direction = np.zeros(len(real)), np.zeros_like(price)
    for _ in range(pace.rounds):
        slack = np.minimum(real - price, 0.0)
        reduced = slack.sum(axis=1)
        chosen = lowest(np.where(problem.forced, -np.inf, reduced), count)
        value = float(price.sum() + reduced[chosen].sum())
        used *= 0.9
        used[chosen] += 0.1
        waited += 1
        if value > best + 1e-9 * abs(best):
            best, best_price, waited = value, price, 0
        elif waited >= pace.patience:
            step, waited = pace.shrink * step, 0
        direction = 1.0 - (slack[chosen] < 0).sum(axis=0) + DEFLECTION * direction
        length = float(direction @ direction)
        if best > worth - 1 + 1e-3 or step < pace.last_step or not length:
            break
        price = np.maximum(price + step * (1.02 * worth - value) / length * direction, 0.0)
    return told(problem, best_price, used)


def lowest(values: Reals, count: int) -> NDArray[np.intp]:
    """Return the places of the `count` lowest values."""
    if count == len(values):
        return np.arange(len(values))
    return np.argpartition(values, count - 1)[:count]


def told(problem: Open, price: Reals, used: Reals) -> Priced:
    """Return prices in whole parts, and what they say exactly."""
    n_points = problem.cost.shape[1]
    room = 2**61 // (max(1, int(problem.cost.max(initial=0))) * (n_points + 1))
    parts = max(1, min(PARTS, room))
    whole = np.rint(price * parts).astype(np.int64)
    reduced = np.minimum(problem.cost * parts - whole, 0).sum(axis=1)
    free = np.sort(reduced[~problem.forced])[: problem.count - int(problem.forced.sum())]
    total = int(whole.sum()) + int(reduced[problem.forced].sum()) + int(free.sum())
    return Priced(price=whole, reduced=reduced, used=used, parts=parts, bound_parts=total)


def decide(problem: Open, priced: Priced, worth: int) -> Open:
    """Return the problem with the sites decided that a choice better than `worth` has or lacks.

    A site whose choice, or whose absence, lifts the bound to `worth` is decided.
    """
    spare = (worth - 1) * priced.parts - priced.bound_parts
    chosen = problem.count - int(problem.forced.sum())
    free = np.sort(priced.reduced[~problem.forced])
    if not 0 < chosen < len(free):
        return problem
    last, following = free[chosen - 1], free[chosen]
    kept = problem.forced | (priced.reduced - last <= spare)
    needed = (priced.reduced <= last) & (following - priced.reduced > spare)
    return problem.only(kept, problem.forced | needed)
