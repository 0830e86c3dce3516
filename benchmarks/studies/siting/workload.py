"""How busy CARE would be: the calls that come, times how long each keeps a unit, shared by units.

What lives here: the busy probability of MEXCLP, alike for every unit (Daskin 1983). What does not:
calls that find every unit busy; the simulation has them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.coverage.hours import hours_in_words, hours_of
from benchmarks.studies.coverage.standing import standings
from benchmarks.studies.demand import Calls
from benchmarks.studies.world import World
from geodata.network import HOURS_PER_WEEK
from routing.codes import Agency

BUSIEST: Final = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What keeps CARE busy."""

    offered: float
    """Units that are busy at once, in the mean, were there always one free."""
    told: str
    fixed: bool = False
    """Whether the scenario told the probability; `offered` then is that."""

    def busy(self, count: int) -> float:
        """Return the probability that one of so many units is busy."""
        return self.offered if self.fixed else min(self.offered / count, BUSIEST)


def workload_of(world: World, calls: Calls, kept: NDArray[np.bool_], drive_s: float) -> Workload:
    """Return how busy units are.

    Parameters
    ----------
    kept
        (n_calls,) calls that count.
    drive_s
        Mean seconds from dispatch until CARE is there.
    """
    told = world.scenario.siting.busy
    if told is not None:
        return Workload(offered=told, told=f"{told:g} for every unit (siting.busy)", fixed=True)
    on_duty = [hour for hour, one in standings(world).items() if one.units[Agency.CARE]]
    hours = on_duty or list(range(HOURS_PER_WEEK))
    n_calls = int(np.isin(hours_of(world.release, calls.at_s)[kept], hours).sum())
    an_hour = n_calls / (max(calls.weeks, 1 / HOURS_PER_WEEK) * len(hours))
    busy_s = drive_s + _at_call_s(world)
    return Workload(
        offered=an_hour * busy_s / 3600,
        told=f"{an_hour:.3g} calls an hour ({hours_in_words(hours)}) times {busy_s / 60:.0f} "
        f"minutes from dispatch to clear, shared by the units ({an_hour * busy_s / 3600:.2g} busy "
        f"at once); at most {BUSIEST:g}",
    )


def _at_call_s(world: World) -> float:
    """Return mean seconds on scene, with the share of calls that are driven somewhere."""
    durations = world.scenario.durations
    transport_s = durations.transport_drive_s + durations.facility_s
    return durations.care_on_scene_s + durations.transport_share * transport_s
