"""The place of a study: streets, drive times by the hour, release, posts and geographies.

What lives here: `World` and `Areas`. What does not: reading a scenario (`scenario_file`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from benchmarks.studies.scenario import Scenario
from geodata.beats import BeatMap
from geodata.network import StreetNetwork
from geodata.snap import COLUMN_TYPES, Positions, StreetIndex
from routing.codes import Agency
from routing.model import Situation
from routing.release import Release
from routing.travel_time import TravelTimes

NO_AREA: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Areas:
    """One geography, such as the beats."""

    name: str
    """zone, beat, precinct, tract, or as the scenario names it."""
    names: tuple[str, ...]
    outlines: tuple[BaseGeometry, ...]
    """Degrees, one for each name."""
    number_at: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.int32]]
    """From lon and lat, (n,) each, to the place in `names`, NO_AREA outside all."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """Everything that stands still while a study computes."""

    scenario: Scenario
    network: StreetNetwork
    streets: StreetIndex
    release: Release
    """With the zones, hours and mode of the scenario."""
    beats: BeatMap | None
    areas: Mapping[str, Areas]
    """`zone` always; the others that the scenario names."""
    at_hour: Callable[[int], Situation]
    """The situation of an hour of the week (Monday 00 = 0), without units, closures applied."""
    post_ids: Mapping[Agency, tuple[str, ...]]
    """Every post at which a unit stands, sorted."""
    post_positions: Mapping[Agency, Positions]
    """Where they are on the streets, in that order."""
    hashes: Mapping[str, str]
    """sha256 by the name of every file that was read."""

    def times_at(self, hour: int) -> TravelTimes:
        """Return the drive times of an hour of the week."""
        times = self.at_hour(hour).travel_times
        assert times is not None, "a study has drive times"
        return times


def some_of(positions: Positions, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Positions:
    """Return some of many positions."""
    return Positions(**{name: getattr(positions, name)[rows] for name in COLUMN_TYPES})
