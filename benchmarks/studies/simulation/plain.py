"""The engine over plain columns: arrivals, how long each stays, where; for exact models.

    served = run_plain(times, PlainCalls(at_s=..., stay_s=..., positions=...), fleet, queues=True)

What lives here: a door to the event loop without a city, its hours, its policy or `recommend`. The
loop, the choice of units, the queue and the clearing are those of `study simulate`.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.simulation.event_loop import DONE, advance
from benchmarks.studies.simulation.run_columns import (
    ALONE,
    BEGIN,
    LOGGED,
    LOST,
    PAIR,
    TAKEN,
    Rules,
    Shifts,
)
from benchmarks.studies.simulation.run_making import GivenJobs, GivenUnits, new_run, plain_rules
from geodata.snap import Positions
from routing.travel_time import TravelTimes

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlainCalls:
    """Calls in the order of their instants, (n_calls,)."""

    at_s: Reals
    stay_s: Reals
    """How long each police unit stays from its own arrival."""
    positions: Positions
    care_stay_s: Reals | None = None
    """How long CARE stays of a call that needs CARE too; NaN: police alone. None: all alone."""
    units: NDArray[np.int8] | None = None
    """Police that it needs; None: one."""
    priority: NDArray[np.int32] | None = None
    """1 is the highest; None: all alike."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlainFleet:
    """Units that are always on duty and stay where their last call was, or drive home."""

    care: Positions
    """Where CARE units stand at first, one unit each."""
    spd: Positions
    goes_home: bool = False
    rules: Rules = field(default_factory=plain_rules)
    """With turnout, parking and the rest; `queues` is set by `run_plain`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlainOutcome:
    """What became of the calls, (n_calls,), and what the units did, (n_tasks,)."""

    served: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    dispatched_s: Reals
    """NaN where nobody went."""
    arrived_s: Reals
    """Of the first police unit; of a pair, when both are there."""
    unit: NDArray[np.int32]
    """The first police unit; CARE units are numbered first."""
    task_unit: NDArray[np.int32]
    task_call: NDArray[np.int32]
    task_begin_s: Reals
    task_end_s: Reals
    """NaN where it goes on at the end."""


def run_plain(
    times: TravelTimes,
    calls: PlainCalls,
    fleet: PlainFleet,
    *,
    queues: bool,
    until_s: float | None = None,
) -> PlainOutcome:
    """Let the calls come and return what became of them.

    Parameters
    ----------
    queues
        Whether a call for which too few units are free waits, first come first served within its
        priority; else it is lost.
    until_s
        When to stop; None goes on until the last call is cleared.
    """
    run = new_run(_jobs(calls), _units(fleet), np.zeros(1, np.int32), times)
    rules = fleet.rules._replace(queues=queues)
    end_s = np.inf if until_s is None else until_s
    why, _ = advance(run, -np.inf, end_s, times.kernel_columns, times.walk_columns, rules)
    assert why == DONE, "nobody is asked in a plain run"
    tasks = np.arange(run.registers[LOGGED])
    tasks = tasks[run.log.job[tasks] >= 0]
    return PlainOutcome(
        served=run.jobs.state == TAKEN,
        lost=run.jobs.state == LOST,
        dispatched_s=run.jobs.dispatched_s,
        arrived_s=run.jobs.arrived_s,
        unit=run.jobs.unit,
        task_unit=run.log.unit[tasks],
        task_call=run.log.job[tasks],
        task_begin_s=run.log.begin_s[tasks],
        task_end_s=run.log.end_s[tasks],
    )


def _jobs(calls: PlainCalls) -> GivenJobs:
    n, at = len(calls.at_s), calls.positions
    care = np.full(n, np.nan) if calls.care_stay_s is None else calls.care_stay_s
    unknown = np.full(n, -1, np.int32)
    return GivenJobs(
        at_s=np.asarray(calls.at_s, np.float64),
        kind=np.where(np.isnan(care), ALONE, PAIR).astype(np.int8),
        priority=np.ones(n, np.int32) if calls.priority is None else calls.priority,
        units=np.ones(n, np.int8) if calls.units is None else calls.units,
        stay_s=np.asarray(calls.stay_s, np.float64),
        care_stay_s=care,
        lon=at.lon,
        lat=at.lat,
        targets=at,
        on_street=np.ones(n, np.bool_),
        rests=at,
        sector=unknown,
        precinct=unknown,
    )


def _units(fleet: PlainFleet) -> GivenUnits:
    posts = Positions.of(*fleet.care, *fleet.spd)
    n, n_care = len(posts), len(fleet.care)
    unknown = np.full(n, -1, np.int32)
    shifts = Shifts(
        at_s=np.full(n, -np.inf),
        unit=np.arange(n, dtype=np.int32),
        kind=np.full(n, BEGIN, np.int8),
        value_s=np.full(n, np.nan),
    )
    return GivenUnits(
        agency=(np.arange(n) >= n_care).astype(np.int8),
        crew=np.ones(n, np.int32),
        sector=unknown,
        precinct=unknown,
        posting=np.full(n, fleet.goes_home, np.int8),
        post=np.arange(n, dtype=np.int32),
        posts=posts,
        shifts=shifts,
    )
