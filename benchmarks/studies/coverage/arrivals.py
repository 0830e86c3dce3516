"""When CARE, police and the pair arrive anywhere on the streets, by hour of the week.

What lives here: `Arrivals` of one hour, and `Week`, which makes those of hours that have the same
drive times and the same units on duty once. What does not: shares of anything (`measuring`).

An arrival is turnout, start and park, and drive; the pair is there when both are. Every unit that
stands somewhere is taken to be free.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.impact.reach import PAIR
from benchmarks.studies.coverage.standing import KINDS, Standing, standings
from benchmarks.studies.world import World
from geodata.network import NO_EDGE, StreetNetwork
from geodata.snap import Positions, Way
from routing.codes import Agency
from routing.coverage import Pieces, PieceTimes, Surface, as_targets, surface_from, times_over
from routing.travel_time import TravelTimes

Ints = NDArray[np.int32]
ALL: Final = (str(Agency.CARE), str(Agency.SPD), PAIR)
"""What arrives, in the order in which it is told."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrivals:
    """Of one standing with the drive times of one hour."""

    key: tuple[object, ...]
    """Equal keys, equal arrivals."""
    times: TravelTimes
    standing: Standing
    surfaces: Mapping[Agency, Surface]

    def at(self, places: Positions) -> dict[str, Ints]:
        """Return (n_places,) milliseconds of CARE, SPD and PAIR to where calls are."""
        targets = as_targets(self.times, places)
        found = {str(kind): self.surfaces[kind].ms_at(targets) for kind in KINDS}
        return {**found, PAIR: np.maximum(found[Agency.CARE], found[Agency.SPD])}

    def over(self, pieces: Pieces) -> dict[str, tuple[PieceTimes, ...]]:
        """Return the times along stretches that are cut where units stand; the pair has both."""
        care, spd = (times_over(self.surfaces[kind], pieces) for kind in KINDS)
        return {str(Agency.CARE): (care,), str(Agency.SPD): (spd,), PAIR: (care, spd)}


class Week:
    """Arrivals by hour of the week."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._standing = standings(world)
        self._known: dict[tuple[object, ...], Arrivals] = {}
        self.hours = tuple(sorted(self._standing))
        """Those that can be told: all, or those in which positions were recorded."""

    def at(self, hour: int) -> Arrivals:
        """Return the arrivals of an hour."""
        times, standing = self._world.times_at(hour), self._standing[hour]
        key = times.weights_id, *standing.key
        if key not in self._known:
            self._known[key] = _arrivals(self._world, times, standing, key)
        return self._known[key]

    @property
    def n_different(self) -> int:
        """Different pairs of drive times and units on duty so far."""
        return len(self._known)

    @property
    def places(self) -> Positions:
        """Wherever a unit stands in any hour."""
        different = {one.key: one for one in self._standing.values()}
        return Positions.of(*(
            place for one in different.values() for kind in KINDS for place in one.at[kind]
        ))  # fmt: skip


def _arrivals(
    world: World, times: TravelTimes, standing: Standing, key: tuple[object, ...]
) -> Arrivals:
    durations = world.scenario.durations
    turnout_s = {Agency.CARE: durations.turnout_care_s, Agency.SPD: durations.turnout_spd_s}
    surfaces = {
        kind: surface_from(
            times, standing.at[kind], round(1000 * turnout_s[kind]) + times.start_and_park_ms
        )
        for kind in KINDS
    }
    return Arrivals(key=key, times=times, standing=standing, surfaces=surfaces)


def middles(network: StreetNetwork, streets: Ints) -> Positions:
    """Return the places in the middle of streets, to be reached in every direction."""
    n = len(streets)
    along = np.where(network.street_along[streets] != NO_EDGE, int(Way.ALONG), 0)
    against = np.where(network.street_against[streets] != NO_EDGE, int(Way.AGAINST), 0)
    nowhere = np.full(n, np.nan)
    return Positions(
        street=streets, fraction=np.full(n, 0.5), leaves=(along | against).astype(np.uint8),
        lon=nowhere, lat=nowhere, distance_m=np.zeros(n), side=np.zeros(n, np.int8),
    )  # fmt: skip
