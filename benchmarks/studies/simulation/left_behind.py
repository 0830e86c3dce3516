"""Coverage left behind: what the free CARE units still reach in time once one has been sent.

    left = LeftBehind(world, care)
    left.drive_by(times)
    share = left.share(units)

What lives here: `LeftBehind`. What does not: who is sent (`city`).
"""

from typing import Final

import numpy as np

from benchmarks.studies.demand import Calls
from benchmarks.studies.simulation.fleet_kernel import AVAILABLE
from benchmarks.studies.simulation.run_columns import Units, positions_now
from benchmarks.studies.world import NO_AREA, World, some_of
from geodata.snap import NO_STREET
from routing.roster import CARE
from routing.travel_time import IncidentLabel, TravelTimes

PLACES_MAX: Final = 200
"""Calls that stand for all: the standard error of a share over them is at most 0.035."""


class LeftBehind:
    """The places of CARE's calls in the zones, and how free units reach them.

    Parameters
    ----------
    care
        All calls of a replication; where more lie in the zones than are looked at, as many of them
        as are, evenly over the period.
    """

    def __init__(self, world: World, care: Calls) -> None:
        turnout_ms = 1000 * world.release.city_policy.turnout_care_s
        self._rolling_ms = round(1000 * world.scenario.simulation.within_s) - turnout_ms
        inside = world.areas["zone"].number_at(care.lon, care.lat) != NO_AREA
        rows = np.flatnonzero(inside & (care.positions.street != NO_STREET))
        if len(rows) > PLACES_MAX:
            rows = rows[np.linspace(0, len(rows) - 1, PLACES_MAX).round().astype(np.int64)]
        self._places = [care.positions[row] for row in rows.tolist()]
        self._labels: dict[str, list[IncidentLabel]] = {}

    def drive_by(self, times: TravelTimes) -> None:
        """Take the drive times of another hour."""
        if times.weights_id not in self._labels:
            self._labels[times.weights_id] = [times.incident_label(at) for at in self._places]
        self._times = times

    def share(self, units: Units) -> float:
        """Return the share of the places that a CARE unit that is free now reaches in time.

        Parameters
        ----------
        units
            Settled: where each is now.
        """
        rows = np.flatnonzero((units.agency == CARE) & (units.status == AVAILABLE))
        if not self._places or not len(rows):
            return 0.0 if self._places else np.nan
        at = some_of(positions_now(units), rows)
        labels = self._times.labels_of(at, units.rows[rows], units.bases[rows])
        within_ms = self._rolling_ms - self._times.start_and_park_ms
        reached = [
            self._times.drive_ms(labels, place).min() <= within_ms
            for place in self._labels[self._times.weights_id]
        ]
        return float(np.mean(reached))
