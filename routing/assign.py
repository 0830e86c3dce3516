"""The rules that no choice of units may break, whoever made it.

What lives here: the words of the solvers' tables and `check_units`. What does not: the pair of one
call, which is the nearest unit of each kind for the max and for the sum alike (`halves` ranks
them, `dispatch.check_choice` holds it), and several calls at once (`pairing_batch`).
"""

from collections.abc import Sequence
from typing import Final

NO_UNIT: Final = -1
IMPOSSIBLE: Final = 2**40
"""In a table of arrivals: this unit cannot go to this call."""


class UnsoundAssignment(Exception):
    """The verifier refused a solution: a bug, here or in the solver, never a matter of data."""


def check_units(chosen: Sequence[int], rows: Sequence[Sequence[int] | None]) -> None:
    """Check the units of one kind: each on one call, and able to go there.

    Raises
    ------
    UnsoundAssignment
        A unit on two calls, a unit that cannot go, or one where nobody is to be chosen.
    """
    used = [unit for unit in chosen if unit != NO_UNIT]
    if len(set(used)) != len(used):
        raise UnsoundAssignment(f"one unit on two calls: {chosen}")
    for row, unit in zip(rows, chosen, strict=True):
        if unit == NO_UNIT:
            continue
        if row is None or not 0 <= unit < len(row) or row[unit] == IMPOSSIBLE:
            raise UnsoundAssignment(f"column {unit} cannot go: {row}")
