"""From values to the columns of a run, before anything happened.

What lives here: `JobColumns`, `UnitColumns` with only what somebody must say, and `new_run`. What
does not: from which calls and groups of units they come (`city`, `fleet`, `plain`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.simulation.fleet_kernel import OFF_DUTY, label, label_posts
from benchmarks.studies.simulation.run_columns import (
    ASK,
    COMING,
    N_REGISTERS,
    OFFICER,
    ROUTE_EDGES_MAX,
    Heap,
    Jobs,
    Log,
    Posts,
    Rules,
    Run,
    Shifts,
    Units,
)
from geodata.snap import NO_STREET, Positions
from routing.travel_time import TravelTimes

Reals = NDArray[np.float64]
EVENTS_SPARE: int = 4096
"""Room for events beside those of units: timers and officers who ask."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GivenJobs:
    """Jobs in the order of their instants, (n_jobs,); see `run_columns.Jobs`."""

    at_s: Reals
    kind: NDArray[np.int8]
    priority: NDArray[np.int32]
    units: NDArray[np.int8]
    stay_s: Reals
    care_stay_s: Reals
    lon: Reals
    lat: Reals
    """Of the call itself."""
    targets: Positions
    """Where units drive to."""
    on_street: NDArray[np.bool_]
    rests: Positions
    """Where they stand afterwards."""
    sector: NDArray[np.int32]
    precinct: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GivenUnits:
    """Units in the order of the roster, (n_units,); see `run_columns.Units`."""

    agency: NDArray[np.int8]
    crew: NDArray[np.int32]
    sector: NDArray[np.int32]
    precinct: NDArray[np.int32]
    posting: NDArray[np.int8]
    post: NDArray[np.int32]
    posts: Positions
    """(n_posts,)."""
    shifts: Shifts


def new_run(
    jobs: GivenJobs, units: GivenUnits, reserve: NDArray[np.int32], times: TravelTimes
) -> Run:
    """Return the columns of a run in which nobody is on duty yet and nothing has happened."""
    n_jobs, n_units = len(jobs.at_s), len(units.agency)
    rows = int(jobs.units.astype(np.int64).sum()) + 8 * n_jobs // 4 + 2 * len(units.shifts.at_s)
    decided = (jobs.kind == ASK) | (jobs.kind == OFFICER)  # each may have timers and cleared units
    run = Run(
        jobs=_jobs(jobs),
        units=_units(units, times),
        posts=_posts(units.posts, times),
        shifts=units.shifts,
        heap=_heap(4 * n_units + 8 * int(decided.sum()) + EVENTS_SPARE),
        log=_log(rows + 4 * n_jobs + 64),
        queue=np.zeros(n_jobs + 1, np.int32),
        reserve=reserve,
        registers=np.zeros(N_REGISTERS, np.int64),
    )
    streets, ways = times.kernel_columns, times.walk_columns
    label_posts(run.posts, streets)
    for unit in range(n_units):
        label(run.units, unit, streets, ways)
    return run


def plain_rules(*, queues: bool = True) -> Rules:
    """Return rules by which nobody turns out, parks, or is near the end of a shift."""
    return Rules(
        refuse_m=1e9, ms_per_m=0.0, unknown_ms=0, start_ms=0, guard_s=0.0, turnout_care_s=0,
        turnout_spd_s=0, crew_care=0, crew_spd=0, scope=0, keeps_reserve=False, queues=queues,
    )  # fmt: skip


def _jobs(jobs: GivenJobs) -> Jobs:
    n = len(jobs.at_s)
    return Jobs(
        at_s=jobs.at_s,
        kind=jobs.kind.copy(),
        priority=jobs.priority,
        units=jobs.units.copy(),
        stay_s=jobs.stay_s.copy(),
        care_stay_s=jobs.care_stay_s,
        street=jobs.targets.street,
        fraction=jobs.targets.fraction,
        ways=jobs.targets.leaves,
        lon=jobs.lon,
        lat=jobs.lat,
        on_street=jobs.on_street,
        rest_street=jobs.rests.street,
        rest_fraction=jobs.rests.fraction,
        rest_ways=jobs.rests.leaves,
        sector=jobs.sector,
        precinct=jobs.precinct,
        state=np.full(n, COMING, np.int8),
        dispatched_s=np.full(n, np.nan),
        arrived_s=np.full(n, np.nan),
        unit=np.full(n, -1, np.int32),
    )


def _units(units: GivenUnits, times: TravelTimes) -> Units:
    n, at = len(units.agency), units.posts
    width = times.kernel_columns[6]
    street = at.street[units.post].copy()
    return Units(
        agency=units.agency,
        status=np.full(n, OFF_DUTY, np.int8),
        crew=units.crew,
        claimed=np.zeros(n, np.bool_),
        shift_end_s=np.full(n, np.nan),
        skills=np.ones(n, np.int64),
        since_s=np.zeros(n),
        sector=units.sector,
        precinct=units.precinct,
        posting=units.posting,
        post=units.post,
        street=street,
        fraction=at.fraction[units.post].copy(),
        ways=at.leaves[units.post].copy(),
        lon=at.lon[units.post].copy(),
        lat=at.lat[units.post].copy(),
        snap_m=np.where(street == NO_STREET, np.inf, 0.0),
        source=np.zeros(n, np.int8),
        rest_street=np.full(n, NO_STREET, np.int32),
        rest_fraction=np.zeros(n),
        rest_ways=np.zeros(n, np.uint8),
        rows=np.empty((n, width), np.int32),
        bases=np.full(n, -1, np.int32),
        order=np.arange(n, dtype=np.int32),
        entered=np.full(n, -1, np.int32),
        job=np.full(n, -1, np.int32),
        token=np.zeros(n, np.int64),
        log_row=np.full(n, -1, np.int64),
        duty_row=np.full(n, -1, np.int64),
        off_due=np.zeros(n, np.bool_),
        break_due_s=np.zeros(n),
        home_begin_s=np.full(n, np.nan),
        home_edges=np.zeros(n, np.int32),
        home_edge=np.zeros((n, ROUTE_EDGES_MAX), np.int32),
        home_ms=np.zeros((n, ROUTE_EDGES_MAX), np.int32),
        home_share=np.zeros((n, 2)),
    )


def _posts(at: Positions, times: TravelTimes) -> Posts:
    n, width = len(at), times.kernel_columns[6]
    return Posts(
        street=at.street,
        fraction=at.fraction,
        ways=at.leaves,
        rows=np.empty((n, width), np.int32),
        paths=np.zeros((n, 2, width + 1), np.int32),
        depths=np.zeros(n, np.int32),
    )


def _heap(room: int) -> Heap:
    return Heap(
        at_s=np.empty(room),
        number=np.empty(room, np.int64),
        kind=np.empty(room, np.int8),
        subject=np.empty(room, np.int32),
        token=np.empty(room, np.int64),
    )


def _log(room: int) -> Log:
    return Log(
        unit=np.full(room, -1, np.int32),
        job=np.full(room, -1, np.int32),
        begin_s=np.full(room, np.nan),
        arrive_s=np.full(room, np.nan),
        end_s=np.full(room, np.nan),
        from_street=np.full(room, NO_STREET, np.int32),
        from_fraction=np.zeros(room),
        from_home=np.zeros(room, np.bool_),
    )
