"""What a simulation offers to the models of theory: rates, means and where calls are.

    load = load_of(found)

What lives here: `Load`, counted from the replications in the hours in which CARE is on duty. What
does not: the models (`analytic`) and what they say (`theory`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.generated_demand import hour_of_week_at
from benchmarks.studies.simulation.care_calls import POLICE_ALONE, SENT
from benchmarks.studies.simulation.measures import ReplicationResult
from benchmarks.studies.simulation.simulation_tables import Simulated, busy_shares
from benchmarks.studies.world import World
from geodata.driving_time import UNREACHABLE_MS
from routing.codes import Agency, Mode

Reals = NDArray[np.float64]
PLACES_MAX: Final = 400
"""Calls whose drives are computed, evenly taken from all of them."""
CARE, SPD = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Load:
    """Counts, rates and means of all replications together; `_h` by local hour of the day."""

    units_h: Reals
    """(2, 24) units on duty in the mean, CARE then SPD."""
    erlangs_h: Reals
    """(2, 24) units that are busy at once in the mean."""
    jobs_h: Reals
    """(24,) background police jobs."""
    open_s: float
    """Seconds in hours with CARE on duty."""
    calls: int
    """Eligible calls that were decided for good while CARE is on duty: CARE came, or police alone
    after a hold."""
    sent: int
    """Of them, those to which CARE came."""
    short_share: float
    """Of all, those for which a unit of either kind was missing."""
    care_short_share: float
    """Those for which CARE was."""
    solo_share: float
    care_s: Reals
    """(n_care,) mean seconds of each CARE unit on a call, from dispatch to clear; NaN: on none."""
    care_busy: Reals
    """(n_care,) share of its time on duty; above 1 by overtime."""
    care_units: tuple[str, ...]
    works_alike: bool
    """Whether all CARE units are on duty at the same times."""
    travel_s: float
    """CARE's mean from dispatch to arrival."""
    pair_spd_s: float
    """Police at a call of CARE, mean seconds from dispatch to clear."""
    tasks: float
    """Police units sent to background work, in hours with CARE on duty."""
    task_s: float
    """Mean seconds of a police unit on background work."""
    tasks_of_a_job: float


def load_of(found: Simulated) -> Load:
    """Return the load of all replications together."""
    busy, units = busy_shares(found)
    results = found.results
    is_open = units[CARE] > 0
    lacked, mode, outcome = (_column(found, name) for name in ("lacked", "mode", "outcome"))
    n = len(lacked)
    is_care = results[0].unit_agency == str(Agency.CARE)
    duty = np.sum([one.on_duty_s[is_care] for one in results], axis=0)
    jobs_h = _jobs_by_hour(found)
    tasks, task_s, jobs = _background(results, is_care)
    a_job = tasks / jobs if jobs else np.nan
    return Load(
        units_h=units, erlangs_h=np.nan_to_num(busy) * units, jobs_h=jobs_h,
        open_s=3600.0 * float(is_open.sum()) * sum(one.days for one in results),
        calls=n, sent=int((outcome == SENT).sum()),
        short_share=float(np.mean(lacked != "")) if n else np.nan,
        care_short_share=_mean_of([np.array(["CARE" in one for one in lacked.tolist()], np.bool_)]),
        solo_share=float(np.mean(mode == Mode.SOLO)) if n else 0.0,
        care_s=_service(results, is_care),
        care_busy=np.divide(
            np.sum([one.busy_s[is_care] for one in results], axis=0), duty,
            out=np.full(len(duty), np.nan), where=duty > 0,
        ),
        care_units=tuple(results[0].unit_id[is_care].tolist()),
        works_alike=bool(len(duty) and np.ptp(duty) < 1.0) and _one_roster(found.world),
        travel_s=_mean_of([one.care_arrived_s - one.care_dispatched_s for one in results]),
        pair_spd_s=_mean_of([one.spd_clear_s - one.spd_dispatched_s for one in results]),
        tasks=float(jobs_h[is_open].sum()) * a_job if jobs else 0.0,
        task_s=task_s, tasks_of_a_job=a_job,
    )  # fmt: skip


def _decided(found: Simulated) -> list[NDArray[np.bool_]]:
    """Return which calls of each replication count: decided for good, while CARE is on duty."""
    zone = found.world.release.city_policy.window.zone
    is_open = busy_shares(found)[1][CARE] > 0
    kept = []
    for one in found.results:
        ended = (one.outcome == SENT) | (one.outcome == POLICE_ALONE)
        kept.append(ended & is_open[hour_of_week_at(np.nan_to_num(one.asked_s), zone) % 24])
    return kept


def _column(found: Simulated, name: str) -> NDArray[Any]:
    """Return a column of the calls that count, all replications together."""
    pairs = zip(found.results, _decided(found), strict=True)
    return np.concatenate([getattr(one, name)[rows] for one, rows in pairs])


def _one_roster(world: World) -> bool:
    return len({group.shifts for group in world.scenario.group(Agency.CARE)}) == 1


def _mean_of(columns: Sequence[Reals | NDArray[np.bool_]]) -> float:
    values = np.concatenate(columns).astype(np.float64)
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else np.nan


def _jobs_by_hour(found: Simulated) -> Reals:
    zone = found.world.release.city_policy.window.zone
    queued_s = np.concatenate([one.police_queued_s for one in found.results])
    return np.bincount(hour_of_week_at(queued_s, zone) % 24, minlength=24).astype(np.float64)


def _background(
    results: Sequence[ReplicationResult], is_care: NDArray[np.bool_]
) -> tuple[float, float, int]:
    """Return police units sent to background work, mean seconds of each, and how many jobs."""
    sent = sum(float(one.dispatches[~is_care].sum()) for one in results)
    busy_s = sum(float(one.busy_s[~is_care].sum()) for one in results)
    for one in results:
        at_calls = one.spd_clear_s - one.spd_dispatched_s
        sent -= float((~np.isnan(at_calls)).sum())
        busy_s -= float(np.nansum(at_calls))
    jobs = sum(len(one.police_queued_s) for one in results)
    return max(sent, 0.0), busy_s / sent if sent > 0 else np.nan, jobs


def _service(results: Sequence[ReplicationResult], is_care: NDArray[np.bool_]) -> Reals:
    n = int(is_care.sum())
    unit = np.concatenate([one.care_unit for one in results])
    spent_s = np.concatenate([one.care_clear_s - one.care_dispatched_s for one in results])
    known = (unit >= 0) & ~np.isnan(spent_s)
    total = np.bincount(unit[known], spent_s[known], n)
    count = np.bincount(unit[known], minlength=n)
    found: Reals = np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
    return found


def care_travel(found: Simulated) -> Reals:
    """Return (n_units, n_places) seconds of CARE from each post to where eligible calls are.

    From dispatch to arrival, with the drive times of each call's hour; `PLACES_MAX` calls at most,
    evenly taken; places that some post has no way to are left out.
    """
    world = found.world
    lon, lat, at_s = (_column(found, name) for name in ("lon", "lat", "queued_s"))
    rows = np.unique(np.linspace(0, len(lon) - 1, min(len(lon), PLACES_MAX)).astype(np.int64))
    hour = hour_of_week_at(at_s[rows], world.release.city_policy.window.zone)
    posts, numbers = world.post_positions[Agency.CARE], post_of_unit(world)
    turnout_s, columns = world.release.city_policy.turnout_care_s, []
    for row, one_hour in zip(rows.tolist(), hour.tolist(), strict=True):
        times = world.times_at(one_hour)
        place = world.streets.snap_incident(lon[row], lat[row])
        drive_ms = times.drive_ms(times.unit_labels(posts), times.at_junction(place))[numbers]
        if (drive_ms < UNREACHABLE_MS).all():
            columns.append(turnout_s + (times.start_and_park_ms + drive_ms) / 1000.0)
    return np.array(columns, np.float64).reshape(len(columns), len(numbers)).T


def post_of_unit(world: World) -> NDArray[np.int64]:
    """Return the number of the post of each CARE unit, in the order of the fleet."""
    names = world.post_ids[Agency.CARE]
    return np.array(
        [
            names.index(group.posts[place % len(group.posts)].post_id)
            for group in world.scenario.group(Agency.CARE)
            for place in range(group.count if group.posts else 0)
        ],
        np.int64,
    )
