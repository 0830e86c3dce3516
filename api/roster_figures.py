"""What the service tells of its roster: in /readyz, in /metrics and in the log.

Counts and ages only; ids of units never become labels.
"""

import datetime as dt
from collections import Counter
from typing import Any

import numpy as np

from api.live_view import LiveView
from api.metrics import Metrics
from api.roster_schemas import (
    ConflictPart,
    PositionsWritten,
    SnapshotWritten,
    UnitResult,
    UnitWritten,
)
from routing.roster import AGENCIES, STATUSES, UnitColumns


def units_by_status(roster: UnitColumns) -> dict[str, dict[str, int]]:
    """Return how many units of each agency have each status; statuses that occur only."""
    found: dict[str, dict[str, int]] = {str(agency): {} for agency in AGENCIES}
    codes = Counter(zip(roster.agency.tolist(), roster.status.tolist(), strict=True))
    for (agency, status), n in sorted(codes.items()):
        found[AGENCIES[agency]][STATUSES[status]] = n
    return found


def position_ages_s(roster: UnitColumns, now: dt.datetime) -> tuple[float, float] | None:
    """Return the ages of the oldest and the newest dated position, or None without any."""
    dated = roster.fixed_at_s[np.isfinite(roster.fixed_at_s)]
    if not len(dated):
        return None
    oldest_s, newest_s = now.timestamp() - dated.min(), now.timestamp() - dated.max()
    return round(float(oldest_s), 3), round(float(newest_s), 3)


def roster_state(view: LiveView, now: dt.datetime) -> dict[str, Any]:
    """Return what /readyz says of the roster."""
    roster = view.on_duty.roster
    ages = position_ages_s(roster, now)
    return {
        "version": view.roster_version,
        "units": units_by_status(roster),
        "oldest_position_age_s": None if ages is None else ages[0],
        "newest_position_age_s": None if ages is None else ages[1],
    }


def set_gauges(metrics: Metrics, view: LiveView, now: dt.datetime) -> None:
    """Bring the gauges of the roster up to now; called when they are asked for."""
    roster = view.on_duty.roster
    counts = units_by_status(roster)
    for agency in AGENCIES:
        for status in STATUSES:
            metrics.units.labels(agency, status).set(counts[agency].get(status, 0))
    for which, age_s in zip(
        ("oldest", "newest"),
        position_ages_s(roster, now) or (float("nan"), float("nan")),
        strict=True,
    ):
        metrics.position_age_s.labels(which).set(age_s)
    metrics.roster_version.set(view.roster_version)


def count_unit(metrics: Metrics, written: UnitWritten) -> None:
    """Count the record of one unit."""
    metrics.unit_writes.add(written.result)
    _count_warnings(metrics, written)
    _count_conflicts(metrics, written.conflicts)


def count_snapshot(metrics: Metrics, written: SnapshotWritten) -> None:
    """Count the records of a snapshot."""
    by_result = {
        UnitResult.ADDED: len(written.added),
        UnitResult.CHANGED: len(written.changed),
        UnitResult.REMOVED: len(written.removed),
        UnitResult.UNCHANGED: written.unchanged,
        UnitResult.IGNORED_OLDER: len(written.ignored_older),
    }
    for result, n in by_result.items():
        metrics.unit_writes.add(result, n=n)
    _count_warnings(metrics, written)
    _count_conflicts(metrics, written.conflicts)


def count_positions(metrics: Metrics, written: PositionsWritten) -> None:
    """Count the rows of a feed, the discarded ones by their code."""
    metrics.position_writes.add("APPLIED", n=written.applied)
    metrics.position_writes.add("UNCHANGED", n=written.unchanged)
    for code, n in written.discarded_by_code.items():
        metrics.position_writes.add(code, n=n)
    _count_warnings(metrics, written)


def _count_warnings(
    metrics: Metrics, written: UnitWritten | SnapshotWritten | PositionsWritten
) -> None:
    for warning in written.warnings:
        metrics.warnings.add(warning.code)


def _count_conflicts(metrics: Metrics, conflicts: list[ConflictPart]) -> None:
    for conflict in conflicts:
        metrics.conflicts.add(conflict.code)
