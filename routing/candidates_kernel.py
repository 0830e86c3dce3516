"""The kernels that look at every unit of a roster for one call: when each arrives, what it breaks.

What lives here: `survey` (rules 7 and 9), `nearest_rows` (the order of rule 9), `facts` and
`tally`. What does not: what the figures mean (`arrivals`, `eligibility`) and who goes (`halves`).
Whatever is left out of `survey` because it names units one by one (excluded, on the call already)
is marked in its bits by the caller.

The constants repeat those of `codes`, `roster`, `placement` and `arrivals`, and a test compares
them: compiled code keeps the values it was compiled with, and knows of edits in this module alone.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import njit
from geodata.driving_time import UNREACHABLE_MS

Reals = NDArray[np.float64]
Longs = NDArray[np.int64]
Ints = NDArray[np.int32]
Codes = NDArray[np.int8]
Flags = NDArray[np.bool_]

NEVER_S: Final = 2**31
FIX: Final = 0
NOWHERE: Final = 3
BASIS_OF_SOURCE: Final = (2, 3, 4, 5)
"""Place in `POSITION_BASES` by source, for other sources than a fix."""
AVAILABLE: Final = 1
CREW_NOT_TOLD: Final = -1
STATUS_NOT_AVAILABLE: Final = 4
CLAIMED: Final = 8
CREW_BELOW_MINIMUM: Final = 16
CREW_UNKNOWN: Final = 32
SKILL_MISSING: Final = 64
SHIFT_ENDING: Final = 128
NOT_REACHABLE: Final = 256
N_RULES: Final = 13

Places = tuple[Codes, Reals, Reals, Reals]
"""Columns of a `Placement`: source, `positions.distance_m`, lon, lat."""
Columns = tuple[Codes, Codes, Ints, Flags, Reals, Longs]
"""Columns of a roster: agency, status, crew_count, claimed, shift_end_s, and skills as bits."""
Call = tuple[float, float, float, float]
"""Lon and lat of the call in degrees, and `metres_per_degree` at its latitude."""
Limits = tuple[float, float, int, int, float]
"""Metres beyond which no street is used; milliseconds for a metre of a straight line (detour and
speed); milliseconds of driving for a unit without a place; start and park in milliseconds; the
instant (seconds since 1970) that a shift must not end before."""
Spots = tuple[Codes, Ints, Reals]
"""Columns of a `Placement`: source, and street and distance_m of its positions."""
Clock = tuple[float, float, float]
"""The instant of decision (seconds since 1970), and up to which age a fix is AVL and AVL_AGED."""
Needs = tuple[tuple[int, int, int], tuple[int, int, int]]
"""For CARE and SPD: turnout in seconds, least crew, required skills as bits."""


@njit
def _line_ms(lon: float, lat: float, call: Call, ms_per_m: float) -> int:
    metres = math.hypot((lon - call[0]) * call[2], (lat - call[1]) * call[3])
    return math.floor(min(metres * ms_per_m, UNREACHABLE_MS - 1.0) + 0.5)


@njit
def _broken(
    status: int, crew: int, claimed: bool, ends_s: float, skills: int, need: tuple[int, int, int],
    shift_end_s: float,
) -> int:  # fmt: skip
    """Return the rules that a unit breaks by itself; no branch for the processor to guess."""
    told = crew != CREW_NOT_TOLD
    return int(
        STATUS_NOT_AVAILABLE * (status != AVAILABLE)
        | CLAIMED * claimed
        | SHIFT_ENDING * (shift_end_s > ends_s)
        | CREW_BELOW_MINIMUM * (told & (crew < need[1]))
        | CREW_UNKNOWN * ((not told) & (need[1] > 1))
        | SKILL_MISSING * (need[2] & ~skills != 0)
    )


@njit
def survey(
    drive_ms: Ints, places: Places, columns: Columns, call: Call, limits: Limits, needs: Needs
) -> tuple[Longs, Ints, Flags]:
    """Return arrival in seconds, broken rules and whether by a line, each (n_units,).

    Parameters
    ----------
    drive_ms
        (n_units,) milliseconds by the streets, UNREACHABLE_MS without a way; (0,) when there are
        no times by the streets, so that straight lines stand in.

    Returns
    -------
    arrive_s
        Turnout + start and park + drive, rounded once, half up; NEVER_S without a way.
    bits
        `UnitRule` bits, NOT_REACHABLE included; ALREADY_ASSIGNED and EXCLUDED are the caller's.
    by_line
        True where the drive is a straight-line estimate.
    """
    source, distance_m, lon, lat = places
    agency, status, crew, claimed, ends_s, skills = columns
    refuse_m, ms_per_m, unknown_ms, start_ms, shift_end_s = limits
    n = len(source)
    ms = np.full(n, unknown_ms, np.int64)
    bits, by_line = np.empty(n, np.int32), np.empty(n, np.bool_)
    by_streets = len(drive_ms) > 0
    n_lines = 0
    for i in range(n):
        placed = source[i] != NOWHERE
        if placed and by_streets:
            ms[i] = drive_ms[i]
        by_line[i] = placed and (not by_streets or distance_m[i] > refuse_m)
        n_lines += by_line[i]
    # Apart, because the compiler would work out every unit's line beside its way by the streets.
    if n_lines > 0:
        for i in range(n):
            if by_line[i]:
                ms[i] = _line_ms(lon[i], lat[i], call, ms_per_m)
    arrive_s = ms
    for i in range(n):
        need = needs[1] if agency[i] else needs[0]
        never = ms[i] >= UNREACHABLE_MS
        whole_s = (1000 * need[0] + start_ms + ms[i] + 500) // 1000
        bits[i] = NOT_REACHABLE * never | _broken(
            status[i], crew[i], claimed[i], ends_s[i], skills[i], need, shift_end_s
        )
        arrive_s[i] = NEVER_S if never else whole_s
    return arrive_s, bits, by_line


@njit
def _is_before(arrive_s: Longs, since_s: Reals, row: int, other: int) -> bool:
    """Tell whether a row comes before one with a lower number: arrival, then longest available."""
    if arrive_s[row] != arrive_s[other]:
        return bool(arrive_s[row] < arrive_s[other])
    known = not np.isnan(since_s[row])
    return bool(known and not since_s[row] >= since_s[other])


@njit
def place_row(arrive_s: Longs, since_s: Reals, row: int, rows: Longs, n: int) -> int:
    """Put a row among the first n of lower numbers in the order of rule 9; return how many then."""
    place = n
    while place > 0 and _is_before(arrive_s, since_s, row, rows[place - 1]):
        place -= 1
    if place >= len(rows):
        return n
    n = min(n + 1, len(rows))
    for i in range(n - 1, place, -1):
        rows[i] = rows[i - 1]
    rows[place] = row
    return n


@njit
def nearest_rows(
    arrive_s: Longs,
    available_since_s: Reals,
    agency: Codes,
    bits: Ints,
    of_agency: int,
    mask: int,
    value: int,
    most: int,
) -> tuple[Longs, int]:
    """Return the first rows of one kind in the order of rule 9, and how many there are in all.

    The order is arrival, longest available (unknown comes last), row. The time grows with the
    product of units and `most`; for more than some thirty rows sort them all instead.

    Parameters
    ----------
    of_agency
        The kind: CARE or SPD, a code of the column `agency`.
    mask, value
        Only units with `bits & mask == value`: (-1, 0) those that break no rule, (-1, SHIFT_ENDING)
        those near their shift's end, (0, 0) all.
    most
        How many rows to return, fewer where there are not so many.
    """
    rows = np.empty(max(most, 0), np.int64)
    n, n_all = 0, 0
    for row in range(len(arrive_s)):
        if agency[row] != of_agency or bits[row] & mask != value:
            continue
        n_all += 1
        n = place_row(arrive_s, available_since_s, row, rows, n)
    return rows[:n], n_all


@njit
def facts(
    rows: Longs, arrive_s: Longs, by_line: Flags, fixed_at_s: Reals, spots: Spots, clock: Clock
) -> Longs:
    """Return (4 * n_rows,) what an answer tells of some units, so that Python reads one array.

    For each row: arrival; place in `POSITION_BASES`; whole seconds since the fix, -1 when not
    known; whole metres to the street it drives from, -1 when no street is used.
    """
    source, street, distance_m = spots
    now_s, fresh_s, aged_s = clock
    told = np.empty((len(rows), 4), np.int64)
    for i in range(len(rows)):
        row = rows[i]
        age_s = now_s - fixed_at_s[row]
        basis = BASIS_OF_SOURCE[source[row]]
        if source[row] == FIX:
            basis = 0 if age_s <= fresh_s else 1 if age_s <= aged_s else 2
        known = source[row] == FIX and not math.isnan(age_s)
        told[i, 0] = arrive_s[row]
        told[i, 1] = basis
        told[i, 2] = max(0, math.floor(age_s)) if known else -1
        used = not by_line[row] and street[row] >= 0
        told[i, 3] = int(np.rint(distance_m[row])) if used else -1
    return told.ravel()


@njit
def tally(bits: Ints, agency: Codes) -> Longs:
    """Return (2, 2 + n_rules): units of CARE and SPD, those that break no rule, those per rule.

    The rules stand in the order of their bits; a unit that breaks two counts under both.
    """
    counts = np.zeros((2, 2 + N_RULES), np.int64)
    for row in range(len(bits)):
        own = counts[agency[row]]
        own[0] += 1
        left, rule = bits[row], 2
        if left == 0:
            own[1] += 1
        while left > 0:
            own[rule] += left & 1
            left >>= 1
            rule += 1
    return counts
