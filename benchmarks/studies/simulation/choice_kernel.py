"""Kernels that decide a police job: the nearest qualified units, by the rules of the service.

What lives here: `look_from` (the same survey of units as in `call_kernel.look`), scope and reserve
(rule 8), and `choose`. What does not: what follows (`event_loop`).
"""

from typing import Final

import numpy as np

from benchmarks.studies.simulation.fleet_kernel import AVAILABLE
from benchmarks.studies.simulation.run_columns import (
    Codes,
    Flags,
    Ints,
    Longs,
    Reals,
    Rules,
    Run,
)
from geodata.compiled import njit
from geodata.earth import metres_per_degree
from routing.call_kernel import Streets
from routing.candidates_kernel import SHIFT_ENDING, nearest_rows, survey
from routing.places import incident_label, times_to

CARE: Final = 0
SPD: Final = 1
OUT_OF_SCOPE: Final = 512
RESERVE: Final = 2048
PRECINCT: Final = 1
SECTOR: Final = 2


@njit
def look_from(
    run: Run, job: int, now_s: float, streets: Streets, rules: Rules
) -> tuple[Longs, Ints]:
    """Return arrival in whole seconds and the rules that each unit breaks by itself, (n_units,)."""
    jobs, units = run.jobs, run.units
    edge_by_street, move_ms, turns, rank, nodes, from_table, width = streets
    drive_ms = np.empty(0, np.int32)
    if jobs.on_street[job]:
        place = (jobs.street[job], jobs.fraction[job], jobs.ways[job])
        row, path, _ = incident_label(
            place, edge_by_street, move_ms, turns[1], turns[2], rank, nodes, from_table, width
        )
        drive_ms = times_to(
            units.rows, units.bases, (units.order, units.entered), row, path, units.street,
            units.fraction, units.ways, place, edge_by_street, move_ms,
        )  # fmt: skip
    lon, lat = jobs.lon[job], jobs.lat[job]
    per_lon, per_lat = metres_per_degree(lat)
    arrive_s, bits, _ = survey(
        drive_ms,
        (units.source, units.snap_m, units.lon, units.lat),
        (units.agency, units.status, units.crew, units.claimed, units.shift_end_s, units.skills),
        (lon, lat, per_lon, per_lat),
        (rules.refuse_m, rules.ms_per_m, rules.unknown_ms, rules.start_ms, now_s + rules.guard_s),
        ((rules.turnout_care_s, rules.crew_care, 0), (rules.turnout_spd_s, rules.crew_spd, 0)),
    )
    return arrive_s, bits


@njit
def in_scope(run: Run, job: int, rules: Rules) -> Flags:
    """Return (n_units,) False for police of another area; True where nobody knows (rule 8)."""
    units = run.units
    fits = np.ones(len(units.agency), np.bool_)
    if rules.scope == 0:
        return fits
    own = run.jobs.sector[job] if rules.scope == SECTOR else run.jobs.precinct[job]
    if own < 0:
        return fits
    agency, sector = units.agency, units.sector
    areas = sector if rules.scope == SECTOR else units.precinct
    for unit in range(len(fits)):
        fits[unit] = agency[unit] != SPD or sector[unit] < 0 or areas[unit] == own
    return fits


@njit
def limit(run: Run, bits: Ints, fits: Flags, rules: Rules) -> None:
    """Set the bits of rule 8 on the police: reserves first, then whose area it is."""
    agency, sector = run.units.agency, run.units.sector
    if rules.keeps_reserve:
        free = np.zeros(len(run.reserve), np.int64)
        for unit in range(len(bits)):
            if agency[unit] == SPD and bits[unit] == 0 and sector[unit] >= 0:
                free[sector[unit]] += 1
        for unit in range(len(bits)):
            if agency[unit] == SPD and bits[unit] == 0 and sector[unit] >= 0:
                kept = run.reserve[sector[unit]]
                if kept > 0 and free[sector[unit]] <= kept:
                    bits[unit] |= RESERVE
    for unit in range(len(bits)):
        if not fits[unit]:
            bits[unit] |= OUT_OF_SCOPE


@njit
def choose(
    arrive_s: Longs, since_s: Reals, agencies: Codes, bits: Ints, agency: int, needed: int
) -> Longs:
    """Return the first units of a kind in the order of rule 9, fewer where there are not enough.

    Units near the end of their shift come last, and only when too few others are left.
    """
    rows, n = nearest_rows(arrive_s, since_s, agencies, bits, agency, -1, 0, needed)
    if n >= needed:
        return rows
    guarded, _ = nearest_rows(
        arrive_s, since_s, agencies, bits, agency, -1, SHIFT_ENDING, needed - n
    )
    return np.concatenate((rows, guarded))


@njit
def n_free(status: Codes, agencies: Codes, fits: Flags, agency: int) -> int:
    """Return how many units of a kind are available in an area; no more can be chosen."""
    n = 0
    for unit in range(len(status)):
        n += agencies[unit] == agency and status[unit] == AVAILABLE and fits[unit]
    return n


@njit
def pick(
    run: Run,
    job: int,
    needed: tuple[int, int],
    now_s: float,
    streets: Streets,
    rules: Rules,
) -> tuple[Longs, Reals]:
    """Return the units that go to a job and when they arrive; none where too few qualify.

    Parameters
    ----------
    needed
        Units of CARE and of the police.
    """
    nobody, never = np.empty(0, np.int64), np.empty(0, np.float64)
    since_s, agencies = run.units.since_s, run.units.agency
    limited = rules.scope != 0 or rules.keeps_reserve
    fits = in_scope(run, job, rules) if limited else np.ones(len(agencies), np.bool_)
    for agency in range(2):
        if n_free(run.units.status, agencies, fits, agency) < needed[agency]:
            return nobody, never
    arrive_s, bits = look_from(run, job, now_s, streets, rules)
    if limited:
        limit(run, bits, fits, rules)
    chosen = choose(arrive_s, since_s, agencies, bits, CARE, needed[0])
    police = choose(arrive_s, since_s, agencies, bits, SPD, needed[1])
    if len(chosen) < needed[0] or len(police) < needed[1]:
        return nobody, never
    rows = np.concatenate((chosen, police))
    return rows, now_s + arrive_s[rows].astype(np.float64)
