"""Several pending calls solved together (rule 10): start reading at `pair_batch`.

What lives here: the recipe, its limits and its result. What does not: its steps (`pairing_tables`,
`pairing_served`, `pairing_bound`, `pairing_program`), the check of the result (`pairing_verify`).
The solver of programs is imported with the first program (0.1 to 0.3 s, scipy.sparse included); who
cannot wait then imports `routing.pairing_program` beforehand.

The objective is lexicographic:
1. as many served calls as can be of the best priority, then of the next, and so on;
2. by priority, as many as can be of those past `escalate_at`;
3. in the canonical order of calls (priority, escalated, longest queued), as many as can be of each
   age, so that among calls of different age the longer queued is served;
4. the least sum over served calls of max(CARE, SPD) arrival, units already assigned included;
5. the least sum of both arrivals;
6. the canonical step: the calls, in canonical order with incident_id last, each take, of all
   choices that are best so far, the one with its earliest CARE column, then its earliest SPD
   column; having none comes last.
A call is served with all that it needs or with nothing; one unit of each kind at most is chosen.
Where work or time does not suffice for a level, the answer says so: `served_proven`,
`proven_optimal` and `canonical` stand for levels 1 to 3, 4 and 5, and 6.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Final

import numpy as np

from routing.assign import NO_UNIT
from routing.pairing_bound import SHARES, Bounded, Real, Steps, bounded, make_steps
from routing.pairing_flow import Network, make_network, regrets, settled
from routing.pairing_served import serving_most
from routing.pairing_tables import (
    Choice,
    PendingCall,
    Tables,
    Whole,
    make_tables,
    one_after_the_other,
    that_can_matter,
)
from routing.pairing_verify import verify_batch

if TYPE_CHECKING:
    from routing.pairing_program import Answer, Program


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How much work a batch may take; part of the policy, so that equal inputs give equal bytes."""

    calls_max: int = 200
    """Larger batches are served one call after the other."""
    rounds_max: int = 80
    """Flows under moved costs, each with a few to mend it."""
    entries_max: int = 60_000
    """Larger programs are not started: they would not end within the deadline anyway."""
    nodes_max: int = 2_000
    """Of the search tree of one program."""
    programs_max: int = 60
    """Programs, the canonical step included."""
    settle_entries_max: int = 4_000
    """Larger programs are not started for the canonical step, which needs one for each call."""


DEFAULT_LIMITS: Final = BatchLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPairing:
    """Who goes to which call, calls in the order in which they were given."""

    care: tuple[int, ...]
    """Column of the CARE unit chosen, or NO_UNIT: not served, fixed already or not needed."""
    spd: tuple[int, ...]
    served: tuple[bool, ...]
    """Whether the call has all that it needs."""
    sum_of_max_s: int
    """Over served calls, of the later arrival of all their units."""
    sum_of_both_s: int
    """Over served calls, of the arrivals of all their units."""
    served_proven: bool
    """No choice serves better calls (levels 1 to 3)."""
    bound_of_max_s: int
    """No choice that serves as well has a lower sum of max; 0 when served_proven is False."""
    proven_optimal: bool
    """No choice is better on levels 1 to 5."""
    canonical: bool
    """And, of all choices as good, this is the one of level 6."""
    cut_short: bool
    """The deadline ended the work; another run may find a better choice."""
    flows: int
    """Work: min-cost flows solved."""
    programs: int
    """Work: integer programs solved."""

    @property
    def gap_s(self) -> int:
        """How far the sum of max may be from the least."""
        return self.sum_of_max_s - self.bound_of_max_s


def no_deadline() -> float:
    """Return the seconds left when nobody waits."""
    return inf


def pair_batch(
    calls: Sequence[PendingCall],
    *,
    limits: BatchLimits = DEFAULT_LIMITS,
    seconds_left: Callable[[], float] = no_deadline,
) -> BatchPairing:
    """Return the best units for all calls together.

    Parameters
    ----------
    seconds_left
        The safety net: asked between the steps, each of which takes a few milliseconds; the
        solver of programs keeps it on its own.

    Raises
    ------
    ValueError
        The calls cannot be read; see `make_tables`.
    UnsoundAssignment
        The result breaks a rule; see `pairing_verify.verify_batch`.
    """
    tables = make_tables(calls)
    search = _Search(tables=tables, limits=limits, seconds_left=seconds_left)
    if 0 < tables.n_calls <= limits.calls_max and search.in_time():
        search.run()
    pairing = search.result()
    verify_batch(pairing, calls)
    return pairing


SPARE_S: Final = 0.02
"""With less time than this left no step is begun."""
PROGRAM_S: Final = 0.05
"""With less time than this left no program is begun: the solver needs some to set up."""


class _Search:
    """What is known so far, from the first choice to the last proof; lives for one batch."""

    def __init__(
        self, *, tables: Tables, limits: BatchLimits, seconds_left: Callable[[], float]
    ) -> None:
        self.tables = tables
        self.limits = limits
        self.seconds_left = seconds_left
        self.best = one_after_the_other(tables)
        self.served_proven = tables.n_calls == 0
        self.max_bound = 0
        self.proven = self.canonical = tables.n_calls == 0
        self.cut_short = False
        self.flows = self.programs = 0
        self.left_s: float | None = None
        """Seconds left when last looked at; None where no step has been made since."""
        self.step_s = 0.0
        """The longest step so far."""

    def in_time(self, needed_s: float = SPARE_S) -> bool:
        """Tell whether another step may begin, and remember if not.

        A step may take as long as the longest so far, so with less time than that none begins.
        """
        if self.cut_short:
            return False
        left_s = self.seconds_left()
        if self.left_s is not None and left_s < inf:
            self.step_s = max(self.step_s, self.left_s - left_s)
        self.left_s = left_s
        if left_s < max(needed_s, self.step_s):
            self.cut_short = True
        return not self.cut_short

    def run(self) -> None:
        """Serve the best calls, then close the gap in seconds, then settle equals."""
        network = make_network(self.tables, that_can_matter(self.tables))
        network, self.flows = serving_most(network, self.tables)
        if not self.in_time():
            return
        steps = make_steps(network, self.tables)
        found = bounded(steps, self.best, self.limits.rounds_max, self.in_time)
        self.flows += found.flows
        self.served_proven = True
        self._take(found.choice)
        self.max_bound = found.bound // steps.max_weight
        self.proven = steps.price(self.best) <= found.bound
        if not self.proven:
            self._close(steps, found)
        if self.proven:
            self.cut_short = False
            self.max_bound = self.best.worth[1]
            self._settle(steps, found)

    def _take(self, choice: Choice | None) -> None:
        if choice is not None and choice.worth < self.best.worth:
            self.best = choice

    def _close(self, steps: Steps, found: Bounded) -> None:
        """Prove the least sum of max, then the least sum of both, or come as near as the limits."""
        for level in (1, 2):
            if level == 1 and self.max_bound == self.best.worth[1]:
                continue
            program = self._program(_open(steps, found, self.best), self.limits.entries_max)
            if program is None:
                return
            cost = program.max_cost if level == 1 else program.both_cost
            answer = self._solve(program, cost)
            if level == 1:
                self.max_bound = max(self.max_bound, answer.bound)
            if not answer.proven:
                return
        self.proven = True

    def _program(self, network: Network, entries_max: int) -> "Program | None":
        """Return the program of what is open, or None when it is too large."""
        from routing.pairing_program import make_program

        steps = make_steps(network, self.tables)
        program = make_program(steps, [-count for count in self.best.worth[0]])
        return program if program.n_entries <= entries_max else None

    def _solve(self, program: "Program", cost: Real) -> "Answer":
        """Solve a program within all limits and keep what is better."""
        from routing.pairing_program import Answer, Stop, solve

        if self.programs >= self.limits.programs_max or not self.in_time(PROGRAM_S):
            return Answer(choice=None, bound=0, proven=False)
        self.programs += 1
        stop = Stop(nodes_max=self.limits.nodes_max, seconds=self.seconds_left() - SPARE_S)
        answer = solve(program, cost, self.best.worth[1:], stop)
        self._take(answer.choice)
        self.left_s = None  # a program keeps its own time, however long it is
        if not answer.proven:
            self.in_time(2 * SPARE_S)  # the solver ends a little before its time is up
        return answer

    def _settle(self, steps: Steps, found: Bounded) -> None:
        """Make the canonical step: call by call, the earliest columns that an optimum can have.

        Only a call for which an earlier column is still open needs a program. The step is made as
        a whole or not at all, so that no answer depends on how far it came.
        """
        network, before = _open(steps, found, self.best), self.best
        for call in range(self.tables.n_calls):
            if _has_earlier(network, self.best, call):
                program = self._program(network, self.limits.settle_entries_max)
                answer = program and self._solve(program, _earliest(program, call))
                if not answer or not answer.proven or answer.choice is None:
                    self.best = before
                    return
                self.best = answer.choice
            network = _settled(network, self.best, call)
        self.canonical = True

    def result(self) -> BatchPairing:
        """Return what is known, calls as they were given."""
        place = self.tables.rank.argsort()
        care, spd = (units[place].tolist() for units in self.best.units)
        return BatchPairing(
            care=tuple(care),
            spd=tuple(spd),
            served=tuple(self.best.served[place].tolist()),
            sum_of_max_s=self.best.worth[1],
            sum_of_both_s=self.best.worth[2],
            served_proven=self.served_proven,
            bound_of_max_s=self.max_bound,
            proven_optimal=self.proven,
            canonical=self.canonical,
            cut_short=self.cut_short,
            flows=self.flows,
            programs=self.programs,
        )


def _open(steps: Steps, found: Bounded, best: Choice) -> Network:
    """Return the network without the arcs that no choice as good as the best can use.

    A choice that differs from the cheapest flow in an arc costs at least its regret more than the
    bound, so an arc whose regret is above the gap is settled. The best choice itself stays open.
    """
    slack = steps.price(best) * SHARES - int(found.cost[found.used].sum())
    regret = regrets(steps.network, found.cost, found.used)
    return settled(steps.network, found.used, regret > slack)


def _arcs_of_call(network: Network, call: int) -> list[tuple[Whole, Whole]]:
    """Return, for CARE and SPD, the open arcs of a call and their columns."""
    found = []
    for kind in (0, 1):
        own = np.flatnonzero(network.call[kind] == call)
        own = own[(network.free | network.forced)[network.arcs_of(kind)][own]]
        found.append((own + network.arcs_of(kind).start, network.unit[kind][own]))
    return found


def _has_earlier(network: Network, best: Choice, call: int) -> bool:
    """Tell whether the call could have an earlier column of either kind."""
    return any(
        (units[call] == NO_UNIT and len(columns) > 0) or bool((columns < units[call]).any())
        for units, (_, columns) in zip(best.units, _arcs_of_call(network, call), strict=True)
    )


def _earliest(program: "Program", call: int) -> Real:
    """Return the cost under which a call takes its first CARE column, then its first SPD column.

    Each unit is worth more the earlier it is, so being served comes before not being served.
    """
    network = program.steps.network
    widths = [table.shape[1] for table in program.steps.tables.arrive_s]
    cost = np.zeros(len(program.max_cost))
    weights = (widths[1] + 1, 1)
    for (arcs, columns), width, weight in zip(
        _arcs_of_call(network, call), widths, weights, strict=True
    ):
        cost[np.searchsorted(program.arcs, arcs)] = (columns - width) * weight
    return cost


def _settled(network: Network, best: Choice, call: int) -> Network:
    """Return the network in which the call has the units of the best choice, or none."""
    free, forced = network.free.copy(), network.forced.copy()
    for kind, (arcs, columns) in enumerate(_arcs_of_call(network, call)):
        chosen = arcs[columns == best.units[kind][call]]
        free[arcs] = False
        forced[chosen] = True
    served_by = network.arcs_of_calls.start + call
    free[served_by] = False
    forced[served_by] = best.served[call]
    return replace(network, free=free, forced=forced)
