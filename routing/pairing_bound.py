"""Two assignments at a time: a good choice for a batch, and a bound that says how good.

What lives here: the seconds of rule 10 by min-cost flows. What does not: the last of the gap,
which takes a program (`pairing_program`).

The sum over calls of max(CARE, SPD) couples two assignments. It is counted in steps: a call that
both reach by t, but not before, pays all steps up to t, and each step is to be paid if one of the
units comes after it. Let CARE pay a share of each step and SPD the rest: then both pay at most the
max, and the cheapest flow under such costs is a bound (a Lagrangian one). Shares are moved, step by
step, to whoever came late in the cheapest flow, which raises the bound; and each flow, mended by
choosing SPD for the CARE chosen, CARE for that SPD and so on, is a choice.

Seconds of max weigh more than all sums of both can differ, so one whole number holds both levels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.assign import NO_UNIT
from routing.pairing_flow import Network, cheapest, units_of
from routing.pairing_tables import Choice, Mask, Tables, Whole, choice_of

Real = NDArray[np.float64]

SHARES: Final = 64
"""A step is shared in whole parts of this many."""
MENDS_MAX: Final = 8
"""Alternations for one flow; each makes the choice better, so they end on their own before."""


PATIENCE: Final = 5
"""After so many rounds without a higher bound, shares are moved half as far."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Steps:
    """The network with what its arcs cost."""

    network: Network
    tables: Tables
    base_s: Whole
    """(n_calls,) no choice reaches the call earlier."""
    step_s: Whole
    """(n_calls, n_steps) seconds of each step after base_s; 0 from the last on."""
    level: tuple[Whole, Whole]
    """For each arc of CARE, and of SPD, how many steps of its call it needs, less one."""
    arrive_s: tuple[Whole, Whole]
    """And its arrival."""
    max_weight: int
    """What a second of max costs, where a second of the sum of both costs 1."""

    def price(self, choice: Choice) -> int:
        """Return both sums as one number."""
        _, max_s, both_s = choice.worth
        return max_s * self.max_weight + both_s


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounded:
    """The best choice so far, and that no other is better than `bound`."""

    choice: Choice
    bound: int
    """As `Steps.price` counts."""
    cost: Whole
    """(n_arcs,) SHARES times the costs under which the bound is the price of the cheapest flow."""
    used: Mask
    """(n_arcs,) that flow."""
    flows: int


def make_steps(network: Network, tables: Tables) -> Steps:
    """Return the steps of all arcs of the network that are not closed."""
    is_open = network.free | network.forced
    arrive_s = [tables.arrive_s[k][network.call[k], network.unit[k]] for k in (0, 1)]
    base_s, latest_s = tables.fixed_max_s.copy(), tables.fixed_sum_s.copy()
    for kind in (0, 1):
        own_open = is_open[network.arcs_of(kind)]
        call, own_s = network.call[kind][own_open], arrive_s[kind][own_open]
        nearest_s, farthest_s = np.full(tables.n_calls, _NOBODY_S), np.zeros_like(base_s)
        np.minimum.at(nearest_s, call, own_s)
        np.maximum.at(farthest_s, call, own_s)
        base_s = np.maximum(base_s, np.where(nearest_s == _NOBODY_S, 0, nearest_s))
        latest_s += farthest_s
    step_s, level = _counted(network, base_s, arrive_s)
    return Steps(
        network=network,
        tables=tables,
        base_s=base_s,
        step_s=step_s,
        level=(level[0], level[1]),
        arrive_s=(arrive_s[0], arrive_s[1]),
        max_weight=1 + int(latest_s.sum()),
    )


_NOBODY_S: Final = np.iinfo(np.int64).max


def _counted(
    network: Network, base_s: Whole, arrive_s: Sequence[Whole]
) -> tuple[Whole, list[Whole]]:
    """Return (n_calls, n_steps) seconds of the steps, and for each arc the steps it needs."""
    is_open = network.free | network.forced
    rows, owns = [], []
    for call in range(network.n_calls):
        own = [np.flatnonzero(network.call[k] == call) for k in (0, 1)]
        own = [o[is_open[network.arcs_of(k)][o]] for k, o in enumerate(own)]
        levels_s = [np.maximum(arrive_s[k][own[k]], base_s[call]) for k in (0, 1)]
        rows.append(np.unique(np.concatenate([base_s[[call]], *levels_s])))
        owns.append((own, levels_s))
    step_s = np.zeros((network.n_calls, max(map(len, rows), default=0)), np.int64)
    level = [np.zeros(len(s), np.int64) for s in arrive_s]
    for call, (row, (own, levels_s)) in enumerate(zip(rows, owns, strict=True)):
        step_s[call, 1 : len(row)] = np.diff(row)
        for kind in (0, 1):
            level[kind][own[kind]] = np.searchsorted(row, levels_s[kind])
    return step_s, level


def _cost(steps: Steps, care_share: Whole) -> Whole:
    """Return SHARES times what the arcs cost when CARE pays these shares of the steps."""
    network = steps.network
    cost = np.zeros(len(network.tail), np.int64)
    for kind, share in ((0, care_share), (1, SHARES - care_share)):
        paid = np.cumsum(share * steps.step_s, axis=1)[network.call[kind], steps.level[kind]]
        cost[network.arcs_of(kind)] = paid * steps.max_weight + SHARES * steps.arrive_s[kind]
    always = steps.base_s * steps.max_weight + steps.tables.fixed_sum_s
    cost[network.arcs_of_calls] = SHARES * always
    return cost


def _mended(steps: Steps, used: Mask) -> tuple[Choice, int]:
    """Return the choice after alternating, first from the CARE of a flow, and the flows it took."""
    network, tables = steps.network, steps.tables
    best = choice_of(tables, *units_of(network, used))
    kept = 0
    for flows in range(1, MENDS_MAX + 1):
        latest_s = np.maximum(steps.base_s, _arrival(tables, best, kept))
        free = network.free.copy()
        free[network.arcs_of(kept)] &= used[network.arcs_of(kept)]
        kept = 1 - kept
        own_s = steps.arrive_s[kept]
        late_s = np.maximum(own_s, latest_s[network.call[kept]])
        cost = np.zeros(len(network.tail), np.int64)
        cost[network.arcs_of(kept)] = late_s * steps.max_weight + own_s
        used = cheapest(replace(network, free=free), cost)
        choice = choice_of(tables, *units_of(network, used))
        if flows > 1 and choice.worth >= best.worth:
            return best, flows
        best = min(best, choice, key=lambda c: c.worth)
    return best, MENDS_MAX


def _arrival(tables: Tables, choice: Choice, kind: int) -> Whole:
    units = choice.units[kind]
    rows = np.flatnonzero(units != NO_UNIT)
    arrive_s = np.zeros(tables.n_calls, np.int64)
    arrive_s[rows] = tables.arrive_s[kind][rows, units[rows]]
    return arrive_s


def bounded(steps: Steps, best: Choice, rounds_max: int, in_time: Callable[[], bool]) -> Bounded:
    """Return a choice and a bound; the gap is often closed by the first round.

    Parameters
    ----------
    best
        Any choice; kept while none is found that is better.
    rounds_max
        At least one round is made.
    """
    share = np.full(steps.step_s.shape, float(SHARES))
    share[~steps.tables.chooses[0]] = 0.0
    kept, bound = (np.zeros(0, np.int64), np.zeros(0, np.bool_)), -1
    flows, reach, in_vain = 0, 1.0, 0
    for _ in range(max(rounds_max, 1)):
        cost = _cost(steps, np.rint(share).astype(np.int64))
        used = cheapest(steps.network, cost)
        flows += 1
        own_bound = -(-int(cost[used].sum()) // SHARES)
        if own_bound > bound:
            kept, bound, in_vain = (cost, used), own_bound, 0
            choice, more = _mended(steps, used)
            best, flows = min(best, choice, key=lambda c: c.worth), flows + more
        else:
            in_vain += 1
            if in_vain == PATIENCE:
                reach, in_vain = reach / 2, 0
        gap = steps.price(best) - bound
        if gap <= 0 or not in_time():
            break
        share = _moved(steps, share, used, reach * gap)
    return Bounded(choice=best, bound=bound, cost=kept[0], used=kept[1], flows=flows)


def _moved(steps: Steps, share: Real, used: Mask, gain: float) -> Real:
    """Return the shares, moved to whoever came late, as far as would gain so much if all held."""
    network = steps.network
    late = np.zeros((2, steps.tables.n_calls), np.int64)
    for kind in (0, 1):
        arcs = np.flatnonzero(used[network.arcs_of(kind)])
        late[kind, network.call[kind][arcs]] = steps.level[kind][arcs]
    places = np.arange(steps.step_s.shape[1])
    towards = (places <= late[0][:, None]).astype(np.int64) - (places <= late[1][:, None])
    towards[~(steps.tables.chooses[0] & steps.tables.chooses[1])] = 0
    towards[:, 0] = 0
    slope = int((np.abs(towards) * steps.step_s).sum()) * steps.max_weight
    if slope == 0:
        return share
    moved: Real = np.clip(share + towards * (gain * SHARES / slope), 0.0, float(SHARES))
    return moved
