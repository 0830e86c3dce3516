"""The check of a batch: everything anew from the calls, without a look at how it was found.

What lives here: the rules and the objective once more, in plain Python on the calls as they were
given. What does not: numpy, the solver's tables, OR-Tools.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from routing.assign import IMPOSSIBLE, NO_UNIT, UnsoundAssignment, check_units
from routing.pairing_tables import PendingCall

if TYPE_CHECKING:
    from routing.pairing_batch import BatchPairing

_Units = list[tuple[int, int]]


def verify_batch(pairing: "BatchPairing", calls: Sequence[PendingCall]) -> None:
    """Check a result.

    Raises
    ------
    UnsoundAssignment
        A unit on two calls, a unit that cannot go, part of what a call needs, a unit beside one
        that is fixed, a sum or a bound that is not right; or, where it says that nothing is
        better, a single call or two calls that swap units would be.
    """
    rows = [(_row(call.care_s), _row(call.spd_s)) for call in calls]
    lengths = {len(chosen) for chosen in (pairing.care, pairing.spd, pairing.served, calls)}
    if len(lengths) > 1:
        raise UnsoundAssignment(f"lengths {sorted(lengths)}; expected one answer for each call")
    units = list(zip(pairing.care, pairing.spd, strict=True))
    for kind, chosen in enumerate((pairing.care, pairing.spd)):
        check_units(chosen, [row[kind] for row in rows])
    for call, row, own, served in zip(calls, rows, units, pairing.served, strict=True):
        needed = {kind for kind, half in enumerate(row) if half is not None}
        has = {kind for kind in (0, 1) if own[kind] != NO_UNIT}
        if has != (needed if served else set()):
            raise UnsoundAssignment(f"part of a pair: {call.incident_id} served={served}: {own}")
    times = [_Times(call, row) for call, row in zip(calls, rows, strict=True)]
    worth = _worth(times, units, pairing.served)
    if worth != (pairing.sum_of_max_s, pairing.sum_of_both_s):
        raise UnsoundAssignment(
            f"sums {worth}; it says {pairing.sum_of_max_s}, {pairing.sum_of_both_s}"
        )
    _check_claims(pairing)
    if pairing.served_proven:
        _check_served(pairing, times, calls)
    if pairing.proven_optimal:
        _check_swaps(pairing, times, units)


_RowOrNone = list[int] | None


def _row(half: object) -> _RowOrNone:
    """Return the arrivals to choose from, or None when nobody is to be chosen."""
    if half is None or isinstance(half, int):
        return None
    return [int(arrive_s) for arrive_s in half]  # type: ignore[attr-defined]


class _Times:
    """When the units of one call arrive."""

    def __init__(self, call: PendingCall, rows: tuple[_RowOrNone, _RowOrNone]) -> None:
        self.rows = rows
        self.fixed = [half for half in (call.care_s, call.spd_s) if isinstance(half, int)]

    def worth(self, own: Sequence[int]) -> tuple[int, int] | None:
        """Return max and sum of the arrivals; None when a unit is missing or cannot go."""
        arrivals = list(self.fixed)
        for row, unit in zip(self.rows, own, strict=True):
            if row is not None:
                arrivals.append(IMPOSSIBLE if unit == NO_UNIT else row[unit])
        if IMPOSSIBLE in arrivals:
            return None
        return max(arrivals, default=0), sum(arrivals)


def _worth(times: Sequence[_Times], units: _Units, served: Sequence[bool]) -> tuple[int, int]:
    own = [t.worth(u) for t, u, s in zip(times, units, served, strict=True) if s]
    if None in own:
        raise UnsoundAssignment("a served call has a unit that cannot go")
    return sum(w[0] for w in own if w), sum(w[1] for w in own if w)


def _check_claims(pairing: "BatchPairing") -> None:
    claims = pairing.canonical, pairing.proven_optimal, pairing.served_proven
    if list(claims) != sorted(claims):
        raise UnsoundAssignment(f"a proof without the one before it: {claims}")
    if pairing.gap_s < 0 or (pairing.proven_optimal and pairing.gap_s):
        raise UnsoundAssignment(
            f"bound {pairing.bound_of_max_s} for a sum of {pairing.sum_of_max_s}, "
            f"proven_optimal={pairing.proven_optimal}"
        )
    if pairing.canonical and pairing.cut_short:
        raise UnsoundAssignment("cut_short with nothing left to do")


def _left(
    pairing: "BatchPairing", times: Sequence[_Times], but: int = -1
) -> Callable[[int, int], list[int]]:
    """Return a function to the columns of a kind that could go to a call and are free for it."""
    busy = [
        {unit for place, unit in enumerate(chosen) if place != but}
        for chosen in (pairing.care, pairing.spd)
    ]

    def left(place: int, kind: int) -> list[int]:
        row = times[place].rows[kind] or []
        return [u for u, s in enumerate(row) if s != IMPOSSIBLE and u not in busy[kind]]

    return left


def _importance(call: PendingCall) -> tuple[float, bool, int]:
    priority = float("inf") if call.priority is None else call.priority
    return priority, not call.escalated, -(call.queued_s or 0)


def _check_served(
    pairing: "BatchPairing", times: Sequence[_Times], calls: Sequence[PendingCall]
) -> None:
    """No call is left out that free units, or those of one less important call, could serve."""
    left_out = [place for place, served in enumerate(pairing.served) if not served]
    for loser in [-1, *(place for place, served in enumerate(pairing.served) if served)]:
        left = _left(pairing, times, but=loser)
        for place in left_out:
            if loser >= 0 and _importance(calls[loser]) <= _importance(calls[place]):
                continue
            kinds = [kind for kind in (0, 1) if times[place].rows[kind] is not None]
            if all(left(place, kind) for kind in kinds):
                raise UnsoundAssignment(f"{calls[place].incident_id} could be served")


def _check_swaps(pairing: "BatchPairing", times: Sequence[_Times], units: _Units) -> None:
    """No call has a better unit free, and no two calls gain by swapping units of one kind."""
    left = _left(pairing, times)
    served = [place for place, is_served in enumerate(pairing.served) if is_served]
    for place in served:
        for kind in (0, 1):
            for unit in left(place, kind):
                other = list(units[place])
                other[kind] = unit
                _check_no_better(times, units, {place: other})
    for one, two in combinations(served, 2):
        for kind in (0, 1):
            if times[one].rows[kind] is None or times[two].rows[kind] is None:
                continue
            first, second = list(units[one]), list(units[two])
            first[kind], second[kind] = second[kind], first[kind]
            _check_no_better(times, units, {one: first, two: second})


def _check_no_better(times: Sequence[_Times], units: _Units, changed: dict[int, list[int]]) -> None:
    after = [times[place].worth(own) for place, own in changed.items()]
    before = [times[place].worth(units[place]) for place in changed]
    if None in after:
        return
    totals = Counter[int]()
    for sign, worths in ((1, after), (-1, before)):
        for worth in worths:
            totals.update({0: sign * (worth or (0, 0))[0], 1: sign * (worth or (0, 0))[1]})
    if (totals[0], totals[1]) < (0, 0):
        raise UnsoundAssignment(f"not the best: {changed} would be better")
