"""What a replication is measured by: columns of calls and units, and the figures made of them.

    result = result_of_city(City(world, incoming_of(world, replication)).run(), replication, ...)
    figures = measures_of(result)

What lives here: `ReplicationResult`, `MEASURES`, `measures_of`. What does not: means and intervals
over replications (`intervals`), the report.

A call counts when it is queued after the warm-up. Seconds are seconds; instants are seconds since
1970, NaN for never.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.demand import CARE_OFFICER
from benchmarks.studies.generated_demand import hour_of_week_at
from benchmarks.studies.simulation.care_calls import (
    OPEN,
    POLICE_ALONE,
    REFUSED,
    SENT,
    CareCall,
)
from benchmarks.studies.simulation.city import CityOutcome
from benchmarks.studies.simulation.run_columns import LOGGED
from benchmarks.studies.tables import texts
from routing.codes import Agency

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReplicationResult:
    """One replication; columns of CARE's calls (n_calls,) and of units (n_units,)."""

    replication: int
    days: float
    call_id: NDArray[np.object_]
    outcome: NDArray[np.object_]
    mode: NDArray[np.object_]
    why: NDArray[np.object_]
    is_officer: NDArray[np.bool_]
    queued_s: Reals
    lon: Reals
    lat: Reals
    asked_s: Reals
    """When it was decided first; of an officer's call, when the officer asked."""
    waited_s: Reals
    """On hold until it was decided for good."""
    lacked: NDArray[np.object_]
    """Of which kinds no unit was free when it was first held for units, such as `CARE;SPD`."""
    care_unit: NDArray[np.int64]
    """Row of the unit, -1 for none."""
    spd_unit: NDArray[np.int64]
    care_dispatched_s: Reals
    care_arrived_s: Reals
    care_clear_s: Reals
    spd_dispatched_s: Reals
    spd_arrived_s: Reals
    spd_clear_s: Reals
    left_share: Reals
    """Coverage left behind once it was sent: of CARE's demand, reached in time by a free unit."""
    without_care_s: Reals
    """How long police would have stayed on scene without CARE."""
    unit_id: NDArray[np.object_]
    unit_agency: NDArray[np.object_]
    on_duty_s: Reals
    """After the warm-up."""
    busy_s: Reals
    """On a call, from dispatch to clear, while the study counts."""
    dispatches: NDArray[np.int64]
    police_queued_s: Reals
    """Of background police jobs, (n_jobs,)."""
    police_dispatched_s: Reals
    police_arrived_s: Reals
    busy_by_hour: Reals
    """(2 * 24,) unit-seconds on calls by local hour of the day, CARE then SPD."""
    duty_by_hour: Reals
    """(2 * 24,) unit-seconds on duty."""


def result_of_city(
    found: CityOutcome, replication: int, unit_ids: Sequence[str], zone: Any
) -> ReplicationResult:
    """Return what a replication left, counted after the warm-up."""
    begin_s, end_s = found.count_s
    counts = found.care.at_s >= begin_s
    calls = [call for call in found.calls if counts[call.row]]
    care = found.care
    told = {agency: _unit_columns(calls, agency) for agency in Agency}
    (care_unit, *care_times), (spd_unit, *spd_times) = told[Agency.CARE], told[Agency.SPD]
    run, n_units = found.run, len(unit_ids)
    rows = np.arange(run.registers[LOGGED])
    rows = rows[run.log.job[rows] >= 0]
    unit = run.log.unit[rows]
    log_begin = np.clip(run.log.begin_s[rows], begin_s, end_s)
    log_end = np.clip(np.nan_to_num(run.log.end_s[rows], nan=end_s), begin_s, end_s)
    busy_s = np.bincount(unit, log_end - log_begin, n_units).astype(np.float64)
    after = run.log.begin_s[rows] >= begin_s
    spans = [(u, s, e) for u, some in enumerate(found.duty) for s, e in some]
    duty_unit = np.array([one[0] for one in spans], np.int64)
    duty_begin = np.clip([one[1] for one in spans], begin_s, end_s)
    duty_end = np.clip([one[2] for one in spans], begin_s, end_s)
    agency = run.units.agency
    police = found.police_jobs[run.jobs.at_s[found.police_jobs] >= begin_s]
    return ReplicationResult(
        replication=replication,
        days=(end_s - begin_s) / 86400.0,
        call_id=texts([care.call_id[call.row] for call in calls]),
        outcome=texts([call.outcome for call in calls]),
        mode=texts([call.mode for call in calls]),
        why=texts([call.why for call in calls]),
        is_officer=care.kind[counts] == CARE_OFFICER,
        queued_s=care.at_s[counts], lon=care.lon[counts], lat=care.lat[counts],
        asked_s=np.array([call.asked_s for call in calls]),
        waited_s=np.array([call.waited_s for call in calls]),
        lacked=texts([";".join(sorted(call.lacked)) for call in calls]),
        care_unit=care_unit.astype(np.int64), spd_unit=spd_unit.astype(np.int64),
        care_dispatched_s=care_times[0], care_arrived_s=care_times[1], care_clear_s=care_times[2],
        spd_dispatched_s=spd_times[0], spd_arrived_s=spd_times[1], spd_clear_s=spd_times[2],
        left_share=np.array(
            [call.left_share if call.outcome == SENT else np.nan for call in calls], np.float64
        ),
        without_care_s=found.without_care_s[counts],
        unit_id=texts(list(unit_ids)),
        unit_agency=texts([str((Agency.CARE, Agency.SPD)[code]) for code in agency.tolist()]),
        on_duty_s=np.bincount(duty_unit, duty_end - duty_begin, n_units).astype(np.float64),
        busy_s=busy_s,
        dispatches=np.bincount(unit[after], minlength=n_units).astype(np.int64),
        police_queued_s=run.jobs.at_s[police],
        police_dispatched_s=run.jobs.dispatched_s[police],
        police_arrived_s=run.jobs.arrived_s[police],
        busy_by_hour=_by_hour(log_begin, log_end, agency[unit], zone),
        duty_by_hour=_by_hour(duty_begin, duty_end, agency[duty_unit], zone),
    )  # fmt: skip


def _unit_columns(calls: Sequence[CareCall], agency: Agency) -> tuple[Reals, ...]:
    nobody = (-1.0, np.nan, np.nan)
    rows = [(*call.on_call.get(agency, nobody), call.clears.get(agency, np.nan)) for call in calls]
    table = np.array(rows, np.float64).reshape(len(rows), 4)
    return tuple(table.T.copy())


def _by_hour(begin_s: Reals, end_s: Reals, agency: NDArray[np.int8], zone: Any) -> Reals:
    """Return (2 * 24,) seconds of spans by local hour of the day, CARE then SPD."""
    found = np.zeros(2 * 24)
    at_s, to_s = np.asarray(begin_s, np.float64).copy(), np.asarray(end_s, np.float64)
    rows = np.flatnonzero(at_s < to_s)
    while len(rows):
        next_s = np.minimum(3600.0 * (np.floor(at_s[rows] / 3600.0) + 1), to_s[rows])
        hour = hour_of_week_at(at_s[rows], zone) % 24
        np.add.at(found, 24 * agency[rows].astype(np.int64) + hour, next_s - at_s[rows])
        at_s[rows] = next_s
        rows = rows[at_s[rows] < to_s[rows]]
    return found


# -- figures --------------------------------------------------------------------------------------

MEASURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "calls": "CARE's calls in the period.",
        "sent_share": "Share of them to which CARE came: with police, or alone in solo mode.",
        "refused_share": "Share that is not eligible: zone, hours, or type.",
        "unserved_share": "Share of the eligible calls to which CARE never came, because no unit "
        "was free for as long as a supervisor lets a call wait.",
        "care_dispatch_to_arrival_mean_s": "CARE, from dispatch to arrival, mean of the calls to "
        "which it came. Published: 13 minutes.",
        "care_response_p50_s": "CARE's arrival after the call was queued (after an officer asked), "
        "median.",
        "care_response_p90_s": "The same, nine tenths of the calls.",
        "spd_response_p50_s": "Police arrival after the call was queued, median of 911 calls.",
        "spd_response_p90_s": "The same, nine tenths of the calls.",
        "pair_response_p50_s": "Both there, after the call was queued, median of 911 calls with "
        "both.",
        "pair_response_p90_s": "The same, nine tenths of the calls.",
        "pair_gap_p50_s": "Between the first of the pair and the other, median of 911 calls.",
        "pair_gap_p90_s": "The same, nine tenths of the calls.",
        "held_share": "Share of the calls that waited on hold for a unit or for the hours.",
        "hold_total_s": "Time on hold, of all calls together.",
        "care_utilisation_share": "CARE: time on calls, of its time on duty.",
        "spd_utilisation_share": "Police: time on calls, of its time on duty.",
        "left_behind_share": "Coverage left behind: share of CARE's calls in the zones that a CARE "
        "unit which is free right after a dispatch would reach within simulation.within_s of its "
        "own dispatch, mean of CARE's dispatches.",
        "nothing_left_share": "Share of CARE's dispatches after which none of them would be "
        "reached.",
        "handover_p50_s": "Officer handover: police on scene until they leave CARE to it, median.",
        "officer_saved_s": "Net officer time saved over the period: what police would have stayed "
        "at the eligible calls without CARE, less what they stayed. May be negative.",
        "officer_saved_per_call_s": "The same for each eligible call.",
        "police_response_p50_s": "Background police jobs: arrival of the first unit after the job "
        "came, median.",
        "police_response_p90_s": "The same, nine tenths of the jobs.",
        "police_waited_share": "Share of the background police jobs that found no unit free.",
    }
)
"""Measures of a replication and their definitions; `_s` in seconds, `_share` of 1."""


def measures_of(found: ReplicationResult, units_without_care: float = 1.0) -> dict[str, float]:
    """Return every measure of MEASURES; NaN where there is nothing to measure.

    Parameters
    ----------
    units_without_care
        Police units that a call would take without CARE.
    """
    sent, refused = found.outcome == SENT, found.outcome == REFUSED
    eligible = ~refused & (found.outcome != OPEN)
    is_911 = sent & ~found.is_officer
    since_s = np.where(found.is_officer, found.asked_s, found.queued_s)
    care_s, spd_s = found.care_arrived_s - since_s, found.spd_arrived_s - found.queued_s
    pair_s = np.maximum(found.care_arrived_s, found.spd_arrived_s) - found.queued_s
    gap_s = np.abs(found.care_arrived_s - found.spd_arrived_s)
    stayed_s = np.nan_to_num(found.spd_clear_s - found.spd_arrived_s)
    alone = eligible & ~sent  # police stay as long as they would without the programme
    stayed_s = np.where(alone, np.fmax(stayed_s, found.without_care_s), stayed_s)
    saved_s = units_without_care * found.without_care_s - stayed_s
    saved_s = np.where(alone, np.minimum(saved_s, 0.0), saved_s)[eligible]
    is_care = found.unit_agency == str(Agency.CARE)
    left = found.left_share[sent]
    queue_s = found.police_dispatched_s - found.police_queued_s
    police_s = found.police_arrived_s - found.police_queued_s
    return {
        "calls": float(len(sent)),
        "sent_share": _share(sent),
        "refused_share": _share(refused),
        "unserved_share": _share((found.outcome == POLICE_ALONE)[eligible]),
        "care_dispatch_to_arrival_mean_s": _mean(
            (found.care_arrived_s - found.care_dispatched_s)[sent]
        ),
        **_quantiles("care_response", care_s[sent]),
        **_quantiles("spd_response", spd_s[is_911]),
        **_quantiles("pair_response", pair_s[is_911]),
        **_quantiles("pair_gap", gap_s[is_911]),
        "held_share": _share(found.waited_s > 0),
        "hold_total_s": float(found.waited_s.sum()),
        "care_utilisation_share": _ratio(found.busy_s[is_care], found.on_duty_s[is_care]),
        "spd_utilisation_share": _ratio(found.busy_s[~is_care], found.on_duty_s[~is_care]),
        "left_behind_share": _mean(left),
        "nothing_left_share": _mean(np.where(np.isnan(left), np.nan, left == 0.0)),
        "handover_p50_s": _quantile((found.spd_clear_s - found.spd_arrived_s)[sent], 0.5),
        "officer_saved_s": float(saved_s.sum()),
        "officer_saved_per_call_s": _mean(saved_s),
        **_quantiles("police_response", police_s),
        "police_waited_share": _share(~(queue_s <= 0)) if len(queue_s) else np.nan,
    }


def _share(flags: NDArray[Any]) -> float:
    return float(np.mean(flags)) if len(flags) else np.nan


def _mean(values: Reals) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _ratio(part: Reals, whole: Reals) -> float:
    return float(part.sum() / whole.sum()) if whole.sum() else np.nan


def _quantile(values: Reals, q: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.quantile(known, q)) if len(known) else np.nan


def _quantiles(name: str, values: Reals) -> dict[str, float]:
    return {f"{name}_p50_s": _quantile(values, 0.5), f"{name}_p90_s": _quantile(values, 0.9)}
