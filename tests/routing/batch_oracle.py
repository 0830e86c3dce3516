"""Pending calls made from a seed, and the best choice for them by trying everything.

The oracle shares no code with the solver: one dynamic program over the sets of units used. The cost
of an option is a tuple of all levels of rule 10, added up as one whole number.
"""

from collections.abc import Sequence

import numpy as np

from routing.assign import IMPOSSIBLE, NO_UNIT
from routing.pairing_tables import PendingCall

SECONDS = 10**6
"""More than any sum of seconds."""
COLUMNS = 16
"""More columns than there are, so that having none comes last."""


def random_calls(seed, sizes, late_s=900, odd=0.2):
    """Return calls with ties, impossible cells, fixed halves, SOLO and police-only needs."""
    rng = np.random.default_rng(seed)
    n_calls, n_care, n_spd = sizes
    hard = rng.uniform(0, 0.7)

    def half(n):
        kind = rng.uniform()
        if kind < odd:
            return None if kind < odd / 2 else int(rng.integers(0, late_s))
        return np.where(rng.uniform(size=n) < hard, IMPOSSIBLE, rng.integers(0, late_s, n))

    return [
        PendingCall(
            incident_id=f"I{place:02}",
            priority=[None, 1, 2, 3][rng.integers(0, 4)],
            escalated=bool(rng.integers(0, 2)),
            queued_s=[None, 60, 900, 901][rng.integers(0, 4)],
            care_s=half(n_care),
            spd_s=half(n_spd),
        )
        for place in rng.permutation(n_calls)
    ]


def best_by_trying_all(calls):
    """Return (care, spd, served, sum of max, sum of both) of the best choice, as given."""
    order = sorted(range(len(calls)), key=lambda i: (*age(calls[i]), calls[i].incident_id))
    gains = gains_of_serving([calls[i] for i in order])
    states = {(0, 0): (0, ())}
    for turn, i in enumerate(order):
        found = {}
        after = COLUMNS ** (2 * (len(order) - turn - 1))
        moves = [
            (1 << care if care >= 0 else 0, 1 << spd if spd >= 0 else 0, cost, (care, spd, done))
            for care, spd, cost, done in options(calls[i], gains[turn], after, len(order))
        ]
        for (care_used, spd_used), (cost, chosen) in states.items():
            for care, spd, own, move in moves:
                if not (care & care_used or spd & spd_used):
                    key, total = (care | care_used, spd | spd_used), cost + own
                    if key not in found or total < found[key][0]:
                        found[key] = total, (*chosen, move)
        states = found
    cost, chosen = min(states.values())
    rest = cost % (SECONDS**2 * COLUMNS ** (2 * len(order))) // COLUMNS ** (2 * len(order))
    by_place = [chosen[order.index(i)] for i in range(len(calls))]
    care, spd, served = zip(*by_place, strict=True) if by_place else ((), (), ())
    return care, spd, served, rest // SECONDS, rest % SECONDS


def age(call):
    """Return what makes a call come before others, without its id."""
    rank = 99 if call.priority is None else call.priority
    return rank, 0 if call.escalated else 1, -(call.queued_s or 0)


def gains_of_serving(calls):
    """Return for each call what serving it is worth, levels 1 to 3, as one number."""
    levels = [[age(c)[:1] for c in calls]]
    levels += [[age(c)[:2] if c.escalated else None for c in calls], [age(c) for c in calls]]
    gains, weight = [0] * len(calls), 1
    for level in reversed(levels):
        for group in sorted({key for key in level if key is not None}, reverse=True):
            for i, key in enumerate(level):
                gains[i] += weight if key == group else 0
            weight *= len(calls) + 1
    return gains


def options(call, gain, after, n_calls):
    """Yield (care, spd, cost, served) of all that a call can get."""
    columns, seconds = after * COLUMNS, COLUMNS ** (2 * n_calls)
    none = (COLUMNS - 1) * (columns + after)
    yield NO_UNIT, NO_UNIT, none, False
    for care, care_s in half_options(call.care_s):
        for spd, spd_s in half_options(call.spd_s):
            arrivals = [s for s in (care_s, spd_s) if s is not None]
            both = SECONDS * max(arrivals, default=0) + sum(arrivals)
            place = (care % COLUMNS) * columns + (spd % COLUMNS) * after
            yield care, spd, (both - gain * SECONDS**2) * seconds + place, True


def half_options(half):
    if half is None or isinstance(half, int):
        return [(NO_UNIT, half)]
    return [(i, int(s)) for i, s in enumerate(half) if s != IMPOSSIBLE]


def nearest_pair(care: Sequence[int], spd: Sequence[int]) -> tuple[int, int]:
    """Return the columns of the best pair of one call by trying all: max, sum, then columns."""
    pairs = [
        (max(c, s), c + s, i, j)
        for i, c in enumerate(care)
        for j, s in enumerate(spd)
        if IMPOSSIBLE not in (c, s)
    ]
    return min(pairs)[2:] if pairs else (NO_UNIT, NO_UNIT)
