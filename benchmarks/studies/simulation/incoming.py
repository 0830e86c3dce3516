"""What comes in during one replication: the period, its calls, and how long each thing takes.

    incoming = incoming_of(world, replication=3)

What lives here: `Incoming`, drawn before anything happens, whatever units there are. What does not:
how calls and durations are drawn (`demand_making`, `draws`), what becomes of them (`city`).
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.demand import Calls
from benchmarks.studies.demand_making import calls_of, study_days
from benchmarks.studies.simulation.draws import (
    CareDraws,
    care_draws,
    police_stays,
    replication_seed,
)
from benchmarks.studies.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What is simulated: instants, seconds since 1970, and local days, the warm-up included."""

    begin_s: float
    count_s: float
    """End of the warm-up."""
    end_s: float
    days: tuple[date, date]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Incoming:
    """Calls and durations of one replication."""

    period: Period
    care: Calls
    draws: CareDraws
    """Of CARE's calls."""
    police: Calls | None
    """Background police jobs; None: police have no other work."""
    police_stay_s: NDArray[np.float64]
    """How long police stay on scene at each of them, (n_jobs,)."""


def period_of(world: World) -> Period:
    """Return the period of a scenario, in the time zone of its policy."""
    first, last = study_days(world)
    warm = first - timedelta(days=world.scenario.simulation.warm_up_days)
    zone, midnight = world.release.city_policy.window.zone, time()
    begin_s, count_s, end_s = (
        datetime.combine(day, midnight, zone).timestamp()
        for day in (warm, first, last + timedelta(days=1))
    )
    return Period(begin_s=begin_s, count_s=count_s, end_s=end_s, days=(warm, last))


def incoming_of(world: World, replication: int) -> Incoming:
    """Return what comes in during a replication."""
    scenario, period = world.scenario, period_of(world)
    seed = replication_seed(scenario.seed, replication)
    care = calls_of(world, "CARE", seed, period.days)
    has_police = scenario.demand.police is not None
    police = calls_of(world, "POLICE", seed, period.days) if has_police else None
    n_jobs = 0 if police is None else len(police)
    return Incoming(
        period=period,
        care=care,
        draws=care_draws(scenario.durations, seed, len(care)),
        police=police,
        police_stay_s=police_stays(scenario.durations, seed, n_jobs),
    )
