"""Who stands where in which hour of the week: at posts by shifts, or as positions were recorded.

What lives here: `Standing` and `standings`. What does not: the file of recorded positions
(`recorded`) and how far anybody reaches from there (`arrivals`).

A group is on duty in an hour when one of its shifts holds the middle of it. Of a group on duty,
units stand at its posts in turn, so a post counts as soon as one unit stands there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.studies.coverage.recorded import read_recorded
from benchmarks.studies.scenario import Shift, UnitGroup
from benchmarks.studies.world import World, some_of
from geodata.network import HOURS_PER_WEEK
from geodata.snap import Positions
from routing.codes import Agency

MINUTES_A_DAY: Final = 24 * 60
MINUTES_A_WEEK: Final = 7 * MINUTES_A_DAY
KINDS: Final = (Agency.CARE, Agency.SPD)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """Units of both kinds on the streets."""

    key: tuple[object, ...]
    """Standings with equal keys are the same."""
    at: Mapping[Agency, Positions]
    units: Mapping[Agency, int]
    """On duty; several may stand at one place."""
    names: Mapping[Agency, tuple[str, ...]]
    """Posts or units."""


def standings(world: World) -> dict[int, Standing]:
    """Return who stands where by hour of the week; an hour that was not recorded has no entry.

    Raises
    ------
    BadScenario
        The file of recorded positions has faults.
    """
    recorded = world.scenario.coverage.recorded_positions
    if recorded is None:
        return {hour: _at_posts(world, hour) for hour in range(HOURS_PER_WEEK)}
    return _as_recorded(world)


def is_on_duty(shift: Shift, hour: int) -> bool:
    """Tell whether a shift holds the middle of an hour of the week (Monday 00 = 0)."""
    start, end = (one.hour * 60 + one.minute for one in (shift.start, shift.end))
    length = (end - start) % MINUTES_A_DAY or MINUTES_A_DAY
    middle = 60 * hour + 30
    begins = (day * MINUTES_A_DAY + start for day in shift.days)
    return any((middle - begin) % MINUTES_A_WEEK < length for begin in begins)


def _on_duty(group: UnitGroup, hour: int) -> bool:
    return any(is_on_duty(shift, hour) for shift in group.shifts)


def _at_posts(world: World, hour: int) -> Standing:
    at, units, names = {}, {}, {}
    for agency in KINDS:
        groups = [group for group in world.scenario.group(agency) if _on_duty(group, hour)]
        staffed = {post.post_id for group in groups for post in group.posts[: group.count]}
        ids = world.post_ids[agency]
        rows = np.array([row for row, post in enumerate(ids) if post in staffed], np.int64)
        at[agency] = some_of(world.post_positions[agency], rows)
        units[agency] = sum(group.count for group in groups)
        names[agency] = tuple(ids[row] for row in rows.tolist())
    key = tuple((agency, names[agency], units[agency]) for agency in KINDS)
    return Standing(key=key, at=at, units=units, names=names)


def _as_recorded(world: World) -> dict[int, Standing]:
    file = world.scenario.coverage.recorded_positions
    assert file is not None, "no recorded positions"
    found = {}
    for hour, fixes in read_recorded(file, world.release.city_policy.window.zone).items():
        at, names = {}, {}
        for agency in KINDS:
            places = fixes.get(agency, {})
            lon, lat = (np.array([place[k] for place in places.values()]) for k in (0, 1))
            at[agency] = world.streets.snap_units(lon, lat)
            names[agency] = tuple(places)
        units = {agency: len(names[agency]) for agency in KINDS}
        found[hour] = Standing(key=("recorded", hour), at=at, units=units, names=names)
    return found
