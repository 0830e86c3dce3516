"""Which units go to which calls: OR-Tools behind one function, and a verifier that trusts nobody.

What lives here: `pair_units` for one or many calls. What does not: which units may go, and in what
order equals come (the caller gives columns in that order; the lower column wins a tie).

One min-cost flow. Each served call is one path: source, a CARE unit, the call, an SPD unit, sink;
so that a call gets both kinds or none (rule 3), a unit goes to one call, and as many calls are
served as can be. Forbidden steps are left out, all numbers are integers, equal inputs give equal
answers. A unit costs max(its arrival, the nearest of the other kind at that call), then its own
arrival, then its column. For one call that is exactly the best pair; for several the sum of max is
priced from below, so the answer is feasible and good, but not proven best.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

NO_UNIT: Final = -1
IMPOSSIBLE: Final = 2**40
"""In a table of arrivals: this unit cannot go to this call."""
COST_MAX: Final = 2**58
"""The solver multiplies costs by the number of its nodes within int64 and checks that itself."""

Arrivals = Sequence[Sequence[int]]
"""One row for each call, one column for each unit: whole seconds, or IMPOSSIBLE."""


class UnsoundAssignment(Exception):
    """The verifier refused a solution: a bug, here or in the solver, never a matter of data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """The chosen pair of each call: columns of the tables, or NO_UNIT."""

    care: tuple[int, ...]
    spd: tuple[int, ...]
    proven_optimal: bool


def pair_units(care_s: Arrivals, spd_s: Arrivals) -> Pairing:
    """Return a pair for each call, or none.

    Parameters
    ----------
    care_s, spd_s
        Arrivals of the candidates, columns in the order in which equals are preferred. A half that
        is fixed already is a table with one column. Keep to the nearest few units of each call.

    Raises
    ------
    UnsoundAssignment
        When the solver's answer breaks a rule; see `verify`.
    """
    nearest_care = [min(row, default=IMPOSSIBLE) for row in care_s]
    nearest_spd = [min(row, default=IMPOSSIBLE) for row in spd_s]
    pairing = _solve(_steps(care_s, nearest_spd), _steps(spd_s, nearest_care), len(care_s))
    verify(pairing, care_s, spd_s)
    return pairing


_Step = tuple[int, int, int]
"""A call, a unit that can go there, and the cost."""


def _steps(arrivals: Arrivals, other_s: Sequence[int]) -> list[_Step]:
    """Return what one kind of unit can do at calls that the other kind can reach as well."""
    finite = [s for row in arrivals for s in row if s != IMPOSSIBLE]
    by_column = len(arrivals) * max(map(len, arrivals), default=0) + 1
    by_arrival = len(arrivals) * (max(finite, default=0) + 1) * by_column
    return [
        (call, unit, max(own, other) * by_arrival + own * by_column + unit)
        for call, (row, other) in enumerate(zip(arrivals, other_s, strict=True))
        for unit, own in enumerate(row)
        if IMPOSSIBLE not in (own, other)
    ]


def _solve(of_care: list[_Step], of_spd: list[_Step], n_calls: int) -> Pairing:
    """Return the cheapest pairs that serve as many calls as can be.

    Nodes: source, calls as CARE meets them, calls as they are left for SPD, sink, CARE units, SPD
    units. An arc from source to sink takes what cannot be served, at a cost above all pairs.
    """
    sink = 2 * n_calls + 1
    first_care = sink + 1
    first_spd = first_care + 1 + max((unit for _, unit, _ in of_care), default=-1)
    n_units = first_spd + 1 + max((unit for _, unit, _ in of_spd), default=-1) - first_care
    unserved = n_calls * (1 + sum(max((c for *_, c in s), default=0) for s in (of_care, of_spd)))
    arcs = [(first_care + unit, 1 + call, cost) for call, unit, cost in of_care]
    arcs += [(1 + n_calls + call, first_spd + unit, cost) for call, unit, cost in of_spd]
    arcs += [(1 + call, 1 + n_calls + call, 0) for call in range(n_calls)]
    arcs += [(0, node, 0) for node in range(first_care, first_spd)]
    arcs += [(node, sink, 0) for node in range(first_spd, first_care + n_units)]
    arcs.append((0, sink, unserved))
    if unserved * n_calls > COST_MAX:
        raise UnsoundAssignment(f"{n_calls} calls cost up to {unserved}: too much to add up")
    tails, heads, costs = np.array(arcs, np.int64).T
    capacities = np.ones(len(arcs), np.int64)
    capacities[-1] = n_calls
    flow = SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(tails, heads, capacities, costs)
    flow.set_node_supply(0, n_calls)
    flow.set_node_supply(sink, -n_calls)
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise UnsoundAssignment(f"the solver answered {status} for {n_calls} calls")
    n_steps = len(of_care) + len(of_spd)
    care, spd = [NO_UNIT] * n_calls, [NO_UNIT] * n_calls
    for step, used in enumerate(flow.flows(np.arange(n_steps)).tolist()):
        if used:
            is_care = step < len(of_care)
            call, unit, _ = of_care[step] if is_care else of_spd[step - len(of_care)]
            (care if is_care else spd)[call] = unit
    return Pairing(care=tuple(care), spd=tuple(spd), proven_optimal=n_calls == 1)


def verify(pairing: Pairing, care_s: Arrivals, spd_s: Arrivals) -> None:
    """Check a solution against the rules, without a look at how it was found.

    Raises
    ------
    UnsoundAssignment
        A unit on two calls, a unit that cannot go, half a pair, or, where it says that it is the
        best, a unit that is not the first to arrive or no pair where there is one.
    """
    for choice, table in ((pairing.care, care_s), (pairing.spd, spd_s)):
        used = [unit for unit in choice if unit != NO_UNIT]
        if len(set(used)) != len(used):
            raise UnsoundAssignment(f"one unit on two calls: {choice}")
        for row, unit in zip(table, choice, strict=True):
            if unit != NO_UNIT and row[unit] == IMPOSSIBLE:
                raise UnsoundAssignment(f"column {unit} cannot go: {row}")
    halves = list(zip(pairing.care, pairing.spd, strict=True))
    if any((care == NO_UNIT) != (spd == NO_UNIT) for care, spd in halves):
        raise UnsoundAssignment(f"half a pair: {halves}")
    if pairing.proven_optimal:
        best = _first(care_s[0]), _first(spd_s[0])
        if halves[0] != (best if NO_UNIT not in best else (NO_UNIT, NO_UNIT)):
            raise UnsoundAssignment(f"pair {halves[0]} is not the best, {best}")


def _first(row: Sequence[int]) -> int:
    """Return the first of the nearest columns of a row, or NO_UNIT."""
    nearest = min(row, default=IMPOSSIBLE)
    return NO_UNIT if nearest == IMPOSSIBLE else row.index(nearest)
