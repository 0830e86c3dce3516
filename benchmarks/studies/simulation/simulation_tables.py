"""The tables of a simulation: measures with intervals, units, hours, outcomes, every call.

What lives here: from `Simulated` to tables. What does not: measures (`measures`), sentences
(`words`), pictures (`pictures`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.demand import Calls
from benchmarks.studies.past.replay_tables import table_of
from benchmarks.studies.report.call_data import UnitTimes, call_data_table
from benchmarks.studies.simulation.intervals import Interval, interval_of
from benchmarks.studies.simulation.measures import MEASURES, ReplicationResult, measures_of
from benchmarks.studies.tables import Table, texts
from benchmarks.studies.world import World
from routing.codes import Agency

NOBODY = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulated:
    """What was simulated, in the order of the replications."""

    world: World
    results: Sequence[ReplicationResult]
    calls: Calls
    """CARE's calls of the first replication, as its columns have them."""
    measured: Sequence[dict[str, float]] = field(init=False)

    def __post_init__(self) -> None:
        without = self.world.scenario.durations.spd_units_without_care
        measured = tuple(measures_of(one, without) for one in self.results)
        object.__setattr__(self, "measured", measured)

    def interval(self, measure: str) -> Interval:
        """Return the mean of a measure over the replications, with its interval."""
        confidence = self.world.scenario.simulation.confidence
        return interval_of([one[measure] for one in self.measured], confidence)


def shown_in(measure: str) -> tuple[str, float]:
    """Return the unit in which a measure is shown, and what it is divided by."""
    if measure == "officer_saved_s":
        return "hours", 3600.0
    if measure.endswith("_s"):
        return "minutes", 60.0
    return ("per cent", 0.01) if measure.endswith("_share") else ("number", 1.0)


def measure_table(found: Simulated) -> Table:
    """Return one row for each measure."""
    confidence = found.world.scenario.simulation.confidence
    rows = []
    for measure, meaning in MEASURES.items():
        unit, by = shown_in(measure)
        told = found.interval(measure)
        rows.append({
            "measure": measure.removesuffix("_share").removesuffix("_s"),
            "mean": told.mean / by, "low": told.low / by, "high": told.high / by, "unit": unit,
            "replications": told.n, "meaning": meaning,
        })  # fmt: skip
    return table_of(
        "measures", "Measures", rows,
        {
            "measure": "Name of the measure.",
            "mean": "Mean over the replications, in the unit that follows.",
            "low": f"Lower end of the {confidence:.0%} interval of that mean (Student's t).",
            "high": "Its upper end.",
            "unit": "Of mean, low and high.",
            "replications": "Replications that have the measure.",
            "meaning": "What is measured.",
        },
    )  # fmt: skip


def outcome_table(found: Simulated) -> Table:
    """Return one row for each outcome and why, of all replications together."""
    n = sum(len(one.outcome) for one in found.results)
    kinds = Counter(
        key
        for one in found.results
        for key in zip(one.outcome.tolist(), one.mode.tolist(), one.why.tolist(), strict=True)
    )
    rows = [
        {
            "outcome": outcome, "mode": mode, "why": why or None, "calls": count,
            "calls_share": count / n,
        }
        for (outcome, mode, why), count in sorted(kinds.items(), key=lambda i: (-i[1], str(i[0])))
    ]  # fmt: skip
    return table_of(
        "outcomes", "What became of CARE's calls", rows,
        {
            "outcome": "SENT: CARE came. POLICE_ALONE: it was held for as long as a supervisor "
            "lets it. REFUSED: not eligible. OPEN: not decided at the end.",
            "mode": "Mode of the service's answer; none where the call is not eligible.",
            "why": "Codes of the gates that failed, or why it was held before.",
            "calls": "Of all replications.",
            "calls_share": "Share of all calls, 0 to 1.",
        },
    )  # fmt: skip


def unit_table(found: Simulated) -> Table:
    """Return one row for each unit, means over the replications."""
    first = found.results[0]
    busy = _mean([one.busy_s for one in found.results])
    duty = _mean([one.on_duty_s for one in found.results])
    sent = _mean([one.dispatches.astype(np.float64) for one in found.results])
    share = np.divide(busy, duty, out=np.full(len(busy), np.nan), where=duty > 0)
    posts = found.world.scenario.units
    names = [
        group.posts[place % len(group.posts)].post_id
        for agency in Agency
        for group in posts
        if group.agency is agency
        for place in range(group.count if group.posts else 0)
    ]
    return Table(
        name="units", title="Units",
        columns={
            "unit_id": first.unit_id, "agency": first.unit_agency, "post": texts(names),
            "on_duty_h": duty / 3600, "busy_h": busy / 3600, "utilisation_share": share,
            "dispatches": sent,
        },
        definitions={
            "unit_id": "Agency and a number.", "agency": "CARE or SPD.",
            "post": "Where it stands when nothing is on.",
            "on_duty_h": "Hours on duty in the period.",
            "busy_h": "Hours on calls, from dispatch to clear, overtime included.",
            "utilisation_share": "Unit-hour utilisation: busy by on duty; above 1 by overtime.",
            "dispatches": "Calls and jobs to which it was sent.",
        },
        notes=("Means over the replications.",),
    )  # fmt: skip


def hour_table(found: Simulated) -> Table:
    """Return one row for each local hour of the day."""
    busy, duty = busy_shares(found)
    return Table(
        name="hours", title="How busy units are by hour of the day",
        columns={
            "hour": np.arange(24),
            **{f"{a.lower()}_on_duty": duty[i] for i, a in enumerate((Agency.CARE, Agency.SPD))},
            **{f"{a.lower()}_busy_share": busy[i] for i, a in enumerate((Agency.CARE, Agency.SPD))},
        },
        definitions={
            "hour": "Local, from its beginning.",
            "care_on_duty": "CARE units on duty, mean.", "spd_on_duty": "Police on duty, mean.",
            "care_busy_share": "Busy probability: the share of CARE's time on duty spent on calls.",
            "spd_busy_share": "The same of police.",
        },
    )  # fmt: skip


def busy_shares(found: Simulated) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (2, 24) busy probability and mean units on duty, CARE then SPD."""
    busy = np.sum([one.busy_by_hour for one in found.results], axis=0).reshape(2, 24)
    duty = np.sum([one.duty_by_hour for one in found.results], axis=0).reshape(2, 24)
    hours_s = 3600.0 * sum(one.days for one in found.results)
    share = np.divide(busy, duty, out=np.full((2, 24), np.nan), where=duty > 0)
    return share, duty / hours_s


def replication_table(found: Simulated) -> Table:
    """Return every measure of every replication."""
    rows = [
        {"replication": one.replication + 1, **told}
        for one, told in zip(found.results, found.measured, strict=True)
    ]
    definitions = {"replication": "Number of the replication.", **MEASURES}
    return table_of("replications", "Replications", rows, definitions)


def call_table(found: Simulated) -> Table:
    """Return one row for each CARE call of every replication."""
    results = found.results
    names = (
        "call_id", "outcome", "mode", "why", "is_officer", "queued_s", "asked_s", "waited_s",
        "care_dispatched_s", "care_arrived_s", "care_clear_s", "spd_dispatched_s",
        "spd_arrived_s", "spd_clear_s", "left_share", "lon", "lat",
    )  # fmt: skip
    columns = {name: np.concatenate([getattr(one, name) for one in results]) for name in names}
    number = [np.full(len(one.call_id), one.replication + 1) for one in results]
    for kind in ("care", "spd"):
        columns[f"{kind}_unit"] = texts(
            [
                None if row == NOBODY else one.unit_id[row]
                for one in results
                for row in getattr(one, f"{kind}_unit").tolist()
            ]
        )
    instant = "seconds since 1970 (UTC); none: never."
    return Table(
        name="simulated_calls", title="Every CARE call of every replication",
        columns={"replication": np.concatenate(number), **columns},
        definitions={
            "replication": "Number of the replication.", "call_id": "Of the call.",
            "outcome": "SENT, POLICE_ALONE, REFUSED or OPEN.", "mode": "Mode of the answer.",
            "why": "Codes of failing gates, or why it was held.",
            "is_officer": "An officer who was on scene asked.",
            "queued_s": f"When it came: {instant}", "asked_s": f"When it was decided: {instant}",
            "waited_s": "Seconds on hold.",
            "care_dispatched_s": f"CARE dispatched: {instant}",
            "care_arrived_s": f"CARE on scene: {instant}",
            "care_clear_s": f"CARE free again: {instant}",
            "spd_dispatched_s": f"Police dispatched: {instant}",
            "spd_arrived_s": f"Police on scene: {instant}",
            "spd_clear_s": f"Police free again: {instant}",
            "left_share": "Coverage left behind right after CARE was sent, 0 to 1.",
            "lon": "Degrees, WGS 84.", "lat": "Degrees, WGS 84.",
            "care_unit": "CARE's unit.", "spd_unit": "The first police unit.",
        },
    )  # fmt: skip


def simulated_call_data(found: Simulated) -> Table:
    """Return the first replication in the columns of Seattle's public Call Data."""
    first = found.results[0]
    times = {
        Agency.CARE: UnitTimes(
            dispatched_s=first.care_dispatched_s, at_scene_s=first.care_arrived_s,
            in_service_s=first.care_clear_s,
        ),
        Agency.SPD: UnitTimes(
            dispatched_s=first.spd_dispatched_s, at_scene_s=first.spd_arrived_s,
            in_service_s=first.spd_clear_s,
        ),
    }  # fmt: skip
    return call_data_table(
        found.world, found.calls, times,
        notes=("Simulated: the first replication, after the warm-up.",),
    )  # fmt: skip


def _mean(columns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.asarray(np.mean(columns, axis=0), np.float64)
