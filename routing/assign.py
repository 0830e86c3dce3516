"""The best pair for one call, and the rules that no choice of units may break.

What lives here: `pair_units` for one call, which needs no solver. What does not: several calls at
once (`pairing_batch`); which units may go, and in what order equals come (the caller gives columns
in that order; the lower column wins a tie).

For one call the nearest unit of each kind is best, for the max and for the sum alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NO_UNIT: Final = -1
IMPOSSIBLE: Final = 2**40
"""In a table of arrivals: this unit cannot go to this call."""

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
    """Return the pair of one call, or none.

    Parameters
    ----------
    care_s, spd_s
        One row of arrivals each, columns in the order in which equals are preferred. A half that
        is fixed already is a row with one column.

    Raises
    ------
    UnsoundAssignment
        When the answer breaks a rule; see `verify`.
    """
    (care_row,), (spd_row,) = care_s, spd_s
    care, spd = _first(care_row), _first(spd_row)
    if NO_UNIT in (care, spd):
        care = spd = NO_UNIT
    pair = care, spd
    _check_pair(pair, care_row, spd_row)
    return Pairing(care=(care,), spd=(spd,), proven_optimal=True)


def _first(row: Sequence[int]) -> int:
    """Return the first of the nearest columns of a row, or NO_UNIT."""
    nearest = min(row, default=IMPOSSIBLE)
    return NO_UNIT if nearest == IMPOSSIBLE else row.index(nearest)


def verify(pairing: Pairing, care_s: Arrivals, spd_s: Arrivals) -> None:
    """Check pairs against the rules, without a look at how they were found.

    Raises
    ------
    UnsoundAssignment
        A unit on two calls, a unit that cannot go, half a pair, or, where it says that it is the
        best, a unit that is not the first to arrive or no pair where there is one.
    """
    check_units(pairing.care, care_s)
    check_units(pairing.spd, spd_s)
    halves = list(zip(pairing.care, pairing.spd, strict=True))
    if any((care == NO_UNIT) != (spd == NO_UNIT) for care, spd in halves):
        raise UnsoundAssignment(f"half a pair: {halves}")
    if pairing.proven_optimal and len(halves) > 1:
        raise UnsoundAssignment("a proof for several calls, which pair_units does not give")
    if pairing.proven_optimal:
        _check_pair(halves[0], care_s[0], spd_s[0])


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


def _check_pair(pair: tuple[int, int], care: Sequence[int], spd: Sequence[int]) -> None:
    """Check the pair of one call: both or none, both able to go, nobody nearer."""
    if (pair[0] == NO_UNIT) != (pair[1] == NO_UNIT):
        raise UnsoundAssignment(f"half a pair: {pair}")
    for unit, row in zip(pair, (care, spd), strict=True):
        if unit != NO_UNIT and row[unit] == IMPOSSIBLE:
            raise UnsoundAssignment(f"column {unit} cannot go: {row}")
    _check_nearest(pair, care, spd)


def _check_nearest(pair: tuple[int, int], care: Sequence[int], spd: Sequence[int]) -> None:
    """Check that nobody able to go comes earlier, nor equally early in an earlier column."""
    for unit, row in zip(pair, (care, spd), strict=True):
        if unit == NO_UNIT:
            if _can_go(care, spd):
                raise UnsoundAssignment(f"no pair is not the best: {care} and {spd} can go")
        elif row[unit] != min(row) or row[unit] in row[:unit]:
            raise UnsoundAssignment(f"pair {pair} is not the best: another of {row} is nearer")


def _can_go(care: Sequence[int], spd: Sequence[int]) -> bool:
    return any(s != IMPOSSIBLE for s in care) and any(s != IMPOSSIBLE for s in spd)
