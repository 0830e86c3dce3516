"""Integer programs, solved by SCIP of OR-Tools: one worker, a number of nodes, then the clock.

What lives here: rows and columns in, whole numbers and a bound out. What does not: what they mean
(`covering`).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver.python.model_builder_helper import (
    ModelBuilderHelper,
    ModelSolverHelper,
    SolveStatus,
)
from scipy.sparse import csr_matrix

from benchmarks.studies.siting.instance import Limits

Reals = NDArray[np.float64]

ROUNDING: Final = 1e-4
"""How far from a whole number a value of the solver may be."""
INFINITE: Final = 1e15
"""Bounds beyond it say nothing."""

CLOCK_SHARE: Final = 0.02
"""Of the seconds given: a solver that ends with no more left was ended by its clock."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """min cost x with row_min <= matrix x and 0 <= x <= upper; the first `n_whole` are whole."""

    cost: Reals
    matrix: csr_matrix
    row_min: Reals
    row_max: Reals
    upper: Reals
    n_whole: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What the solver found."""

    values: NDArray[np.int64] | None
    """(n_whole,) None without a solution."""
    bound: float
    """No solution costs less; -inf where nothing is known, inf where there is none."""
    cut_short: bool = False


def solve(program: Program, limits: Limits) -> Answer:
    """Return the best solution that the limits allow, with a bound."""
    model: Any = ModelBuilderHelper()
    model.fill_model_from_sparse_data(
        np.zeros(len(program.cost)), program.upper, program.cost, program.row_min,
        program.row_max, program.matrix,
    )  # fmt: skip
    for variable in range(program.n_whole):
        model.set_var_integrality(variable, True)  # noqa: FBT003  the name says what is true
    solver: Any = ModelSolverHelper("scip")
    solver.set_solver_specific_parameters(
        f"limits/totalnodes = {limits.nodes}\nlimits/gap = 0\nlimits/absgap = 0"
    )
    solver.set_time_limit_in_seconds(limits.left_s)
    solver.solve(model)
    status = solver.status()
    if status == SolveStatus.INFEASIBLE:
        return Answer(values=None, bound=np.inf)
    known = (SolveStatus.OPTIMAL, SolveStatus.FEASIBLE, SolveStatus.NOT_SOLVED)
    assert status in known, f"the solver answered {status}"
    proven = status == SolveStatus.OPTIMAL
    bound = float(solver.objective_value() if proven else solver.best_objective_bound())
    return Answer(
        values=_whole(solver, program.n_whole) if solver.has_solution() else None,
        bound=bound if proven or 0 < abs(bound) < INFINITE else -np.inf,
        cut_short=not proven and limits.left_s <= CLOCK_SHARE * limits.seconds,
    )


def _whole(solver: Any, n: int) -> NDArray[np.int64]:
    values = np.asarray(solver.variable_values())[:n]
    assert np.abs(values - np.rint(values)).max(initial=0.0) <= ROUNDING, "a site taken in part"
    return np.asarray(np.rint(values), np.int64)
