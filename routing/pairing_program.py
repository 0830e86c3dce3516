"""The last of the gap: an integer program over the few units that the bound leaves open.

What lives here: the program, and reading whole numbers back from it. What does not: which units
are open (`pairing_batch`). This module and `pairing_flow` import OR-Tools.

SCIP, one thread, fixed seed, ended by a number of nodes; a time limit is the safety net. The steps
of `pairing_bound` become variables: a step is paid when CARE or when SPD comes after it, which
is far tighter than one variable for the max (20 calls, 20 + 20 units: 0.2 s against 5 s and more).
Coefficients stay small because the levels of rule 10 are solved one after another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike
from ortools.linear_solver.python.model_builder_helper import (
    ModelBuilderHelper,
    ModelSolverHelper,
    SolveStatus,
)
from scipy.sparse import csr_matrix

from routing.assign import UnsoundAssignment
from routing.pairing_bound import Real, Steps
from routing.pairing_flow import units_of
from routing.pairing_tables import Choice, Whole, choice_of

ROUNDING: Final = 1e-4
"""How far from a whole number a value of the solver may be."""


_SETTINGS: Final = """
separating/maxroundsroot = 0
separating/maxrounds = 0
heuristics/alns/freq = -1
heuristics/rens/freq = -1
heuristics/rins/freq = -1
branching/pscost/priority = 20000
"""
"""Cuts and searches within the search do not pay here: a good choice is known and the steps are
tight, so plain branching took about half the time on 14 batches of 20 calls, 20 + 20 units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """When the solver ends without a proof."""

    nodes_max: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What the solver found."""

    choice: Choice | None
    bound: int
    """No choice of the program costs less, in whole numbers."""
    proven: bool


class _Rows:
    """Rows of a sparse matrix while they are written."""

    def __init__(self) -> None:
        self.least: list[Real] = []
        self.most: list[Real] = []
        self.entries: list[tuple[Whole, Whole, Real]] = []
        self.count = 0

    def add(self, n: int, least: float, most: float) -> int:
        """Add n rows and return the number of the first."""
        self.least.append(np.full(n, least))
        self.most.append(np.full(n, most))
        self.count += n
        return self.count - n

    def put(self, row: ArrayLike, column: Whole, value: ArrayLike) -> None:
        """Write values; a single row or value goes with every column."""
        row, column, value = np.broadcast_arrays(row, column, np.asarray(value, np.float64))
        self.entries.append((row, column, value))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """Variables are the open arcs of units, then the calls, then the steps.

    The last two rows of the matrix bound the sum of max and the sum of both.
    """

    steps: Steps
    arcs: Whole
    """Number in the network of each variable that stands for an arc."""
    matrix: csr_matrix
    row_min: Real
    row_max: Real
    lower: Real
    upper: Real
    max_cost: Real
    """(n_variables,) of the sum of max."""
    both_cost: Real
    """(n_variables,) of the sum of both."""

    @property
    def n_entries(self) -> int:
        """How large the program is."""
        return int(self.matrix.nnz)


def make_program(steps: Steps, counts: Sequence[int]) -> Program:
    """Return the program of all arcs of the network that are not closed.

    Parameters
    ----------
    counts
        How many calls of each class of the tables are served.
    """
    network, tables, n = steps.network, steps.tables, steps.tables.n_calls
    is_open = network.free | network.forced
    arcs = np.flatnonzero(is_open[: network.arcs_of_calls.start])
    own_s = np.concatenate(steps.arrive_s)[arcs]
    paid = np.nonzero(steps.step_s)
    m, n_steps = len(arcs), len(paid[0])
    rows = _Rows()
    for kind in (0, 1):
        _add_units(rows, steps, arcs, kind)
        _add_steps(rows, steps, arcs, kind)
    served, may_be = network.forced[network.arcs_of_calls], is_open[network.arcs_of_calls]
    for members, count in zip(tables.classes, counts, strict=True):
        if not (served | ~may_be)[list(members)].all():
            rows.put(rows.add(1, count, count), m + np.array(members), 1.0)
    max_cost = np.concatenate((np.zeros(m), steps.base_s, steps.step_s[paid])).astype(float)
    both_cost = np.concatenate((own_s, tables.fixed_sum_s, np.zeros(n_steps))).astype(float)
    for cost in (max_cost, both_cost):
        rows.put(rows.add(1, -np.inf, np.inf), np.arange(len(cost)), cost)
    row, column, value = (np.concatenate(part) for part in zip(*rows.entries, strict=True))
    return Program(
        steps=steps,
        arcs=arcs,
        matrix=csr_matrix((value, (row, column)), shape=(rows.count, m + n + n_steps)),
        row_min=np.concatenate(rows.least),
        row_max=np.concatenate(rows.most),
        lower=np.concatenate((network.forced[arcs], served, np.zeros(n_steps))).astype(float),
        upper=np.concatenate((np.ones(m), may_be, np.ones(n_steps))).astype(float),
        max_cost=max_cost,
        both_cost=both_cost,
    )


def _add_units(rows: _Rows, steps: Steps, arcs: Whole, kind: int) -> None:
    """Give a served call one unit of the kind, and a unit to one call at most."""
    network, chooses = steps.network, steps.tables.chooses[kind]
    own = _own(steps, arcs, kind)
    call = np.concatenate(network.call)[arcs[own]]
    of_call, place = np.flatnonzero(chooses), np.cumsum(chooses) - 1
    first = rows.add(len(of_call), 0.0, 0.0)
    rows.put(first + place[call], own, 1.0)
    rows.put(first + place[of_call], len(arcs) + of_call, -1.0)
    units, unit = np.unique(np.concatenate(network.unit)[arcs[own]], return_inverse=True)
    rows.put(rows.add(len(units), -np.inf, 1.0) + unit, own, 1.0)


def _add_steps(rows: _Rows, steps: Steps, arcs: Whole, kind: int) -> None:
    """Have each step paid that a unit of the kind comes after."""
    own = _own(steps, arcs, kind)
    call, level = (np.concatenate(part)[arcs[own]] for part in (steps.network.call, steps.level))
    paid = np.nonzero(steps.step_s)
    number = np.zeros(steps.step_s.shape, np.int64)
    number[paid] = np.arange(len(paid[0]))
    arc = np.repeat(own, level)
    place = np.arange(len(arc)) - np.repeat(np.cumsum(level) - level, level)
    first = rows.add(len(paid[0]), 0.0, np.inf)
    rows.put(first + number[np.repeat(call, level), place + 1], arc, -1.0)
    variables = len(arcs) + steps.tables.n_calls + np.arange(len(paid[0]))
    rows.put(first + np.arange(len(paid[0])), variables, 1.0)


def _own(steps: Steps, arcs: Whole, kind: int) -> Whole:
    """Return the variables that stand for arcs of one kind of unit."""
    of_kind = steps.network.arcs_of(kind)
    return np.flatnonzero((arcs >= of_kind.start) & (arcs < of_kind.stop))


def solve(program: Program, cost: Real, most: tuple[int, int], stop: Stop) -> Answer:
    """Return a choice of the least cost.

    Parameters
    ----------
    cost
        (n_variables,) small whole numbers.
    most
        The sum of max and the sum of both must not be above these; a choice that keeps them is
        known, so that there always is an answer.

    Raises
    ------
    UnsoundAssignment
        The solver says that there is no answer, or gives one that is not in whole numbers.
    """
    model: Any = ModelBuilderHelper()
    row_max = program.row_max.copy()
    row_max[-2:] = np.array(most) + 0.5
    model.fill_model_from_sparse_data(
        program.lower, program.upper, cost, program.row_min, row_max, program.matrix
    )
    for variable in range(len(program.arcs) + program.steps.tables.n_calls):
        model.set_var_integrality(variable, True)  # noqa: FBT003  the name says what is true
    solver: Any = ModelSolverHelper("scip")
    solver.set_solver_specific_parameters(f"{_SETTINGS}limits/totalnodes = {stop.nodes_max}")
    solver.set_time_limit_in_seconds(max(stop.seconds, 0.0))
    solver.solve(model)
    status = solver.status()
    if status not in (SolveStatus.OPTIMAL, SolveStatus.FEASIBLE, SolveStatus.NOT_SOLVED):
        raise UnsoundAssignment(f"the solver answered {status} where a choice is known")
    if not solver.has_solution():
        return Answer(choice=None, bound=0, proven=False)
    proven = status == SolveStatus.OPTIMAL
    bound = solver.objective_value() if proven else solver.best_objective_bound()
    return Answer(
        choice=_read(program, solver.variable_values()),
        bound=int(np.ceil(min(max(bound, -1e12), 1e12) - ROUNDING)),
        proven=proven,
    )


def _read(program: Program, values: Real) -> Choice:
    """Return the choice that the values stand for; `choice_of` computes its worth anew."""
    taken = values[: len(program.arcs)]
    if np.abs(taken - np.rint(taken)).max(initial=0.0) > ROUNDING:
        raise UnsoundAssignment("the solver gave a unit to a call in part")
    network = program.steps.network
    used = np.zeros(len(network.tail), np.bool_)
    used[program.arcs[np.rint(taken) == 1]] = True
    return choice_of(program.steps.tables, *units_of(network, used))
