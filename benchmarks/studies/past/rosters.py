"""Who is on duty where at an instant: units at their posts by shift, or as positions were recorded.

    rosters = Rosters(world)
    at_call = rosters.at(instant)

What lives here: `Rosters`. What does not: what a decision makes of them (`deciding`).

A unit at its post is AVAILABLE for every call: no call of the period keeps it from the next.
Positions that were recorded within the five minutes before an instant take the place of posts, of
each agency by itself.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.coverage.recorded import RecordedFix, read_fixes
from benchmarks.studies.scenario import UnitGroup
from benchmarks.studies.scenario_values import MINUTES_A_DAY
from benchmarks.studies.unit_groups import week_minutes
from benchmarks.studies.world import World
from routing.codes import Agency, Status
from routing.roster import Fix, Unit, UnitId

FRESH_S: Final = 300
"""Older fixes tell nothing: DOMAIN's limit of AVL that is still used."""
MINUTES_A_WEEK: Final = 7 * MINUTES_A_DAY
POSTS: Final = "POSTS"
RECORDED: Final = "RECORDED_POSITIONS"
REMEMBERED_MAX: Final = 256
Minutes = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Units at one instant."""

    units: tuple[Unit, ...]
    is_recorded: Mapping[Agency, bool]
    """Whether they stand where they were recorded, by agency; else at posts."""
    key: object
    """Equal keys, equal places; None where they are of this instant alone."""

    def source(self, agency: Agency) -> str:
        """Return where the units of an agency were taken to be."""
        return RECORDED if self.is_recorded[agency] else POSTS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Group:
    units: tuple[Unit, ...]
    minutes: Minutes
    """(minutes of the week,) on which they are on duty."""


class Rosters:
    """Units of a scenario by instant.

    Raises
    ------
    BadScenario
        The file of recorded positions has faults.
    """

    def __init__(self, world: World) -> None:
        self._zone = world.release.city_policy.window.zone
        self._groups = list(_groups(world))
        self.fixes = _fixes_of(world, self._zone)
        self._crew = {
            agency: max([g.crew_count for g in world.scenario.group(agency)], default=2)
            for agency in Agency
        }
        self._skills = {
            agency: frozenset(s for g in world.scenario.group(agency) for s in g.skills)
            for agency in Agency
        }
        self._made: OrderedDict[object, tuple[Unit, ...]] = OrderedDict()

    def at(self, instant: datetime) -> OnDuty:
        """Return who is on duty at an instant."""
        at_posts, key = self._standing(instant)
        if self.fixes is None:
            return OnDuty(units=at_posts, is_recorded=dict.fromkeys(Agency, False), key=key)
        told = self.fixes.at(instant)
        is_recorded = {agency: any(fix.agency is agency for fix in told) for agency in Agency}
        recorded = [self.recorded_unit(fix.agency, fix.unit_id, fix) for fix in told]
        others = [one for one in at_posts if not is_recorded[one.agency]]
        names = {one.unit_id for one in recorded}
        units = (*recorded, *(_beside(one, names) for one in others))
        if not any(is_recorded.values()):
            return OnDuty(units=units, is_recorded=is_recorded, key=key)
        return OnDuty(units=units, is_recorded=is_recorded, key=None)

    def recorded_unit(self, agency: Agency, unit_id: str, fix: RecordedFix) -> Unit:
        """Return a unit where it was recorded; without a status it is taken to be free."""
        told = Status.AVAILABLE if fix.status is None else fix.status
        status = Status(told) if told in set(Status) else Status.UNKNOWN
        return Unit(
            unit_id=UnitId(unit_id),
            agency=agency,
            crew_count=self._crew[agency],
            skills=self._skills[agency],
            status=status,
            position=Fix(lon=fix.lon, lat=fix.lat, fixed_at=fix.at.astimezone(UTC)),
        )

    def _standing(self, instant: datetime) -> tuple[tuple[Unit, ...], object]:
        """Return the units at posts with the ends of their shifts, and what says where they are."""
        local = instant.astimezone(self._zone)
        minute = local.weekday() * MINUTES_A_DAY + 60 * local.hour + local.minute
        begin = local.replace(second=0, microsecond=0)
        on_duty = tuple(bool(group.minutes[minute]) for group in self._groups)
        ends = tuple(
            _later(begin, minutes_left(group.minutes, minute)) if there else None
            for group, there in zip(self._groups, on_duty, strict=True)
        )
        if (on_duty, ends) not in self._made:
            self._made[on_duty, ends] = tuple(
                replace(unit, shift_end=end)
                for group, there, end in zip(self._groups, on_duty, ends, strict=True)
                for unit in group.units
                if there
            )
            if len(self._made) > REMEMBERED_MAX:
                self._made.popitem(last=False)
        return self._made[on_duty, ends], on_duty


def _beside(unit: Unit, names: set[UnitId]) -> Unit:
    """Return a unit whose name is none of those that were recorded."""
    taken = unit.unit_id in names
    return replace(unit, unit_id=UnitId(f"{unit.agency}-{unit.unit_id}")) if taken else unit


def minutes_left(minutes: Minutes, minute: int) -> int | None:
    """Return the minutes until a unit goes off duty, None for one that never does."""
    if minutes.all():
        return None
    rolled = np.roll(minutes, -minute)
    return int(np.argmin(rolled))


def _later(begin: datetime, minutes: int | None) -> datetime | None:
    """Return a wall-clock time so many minutes on: clocks may change in between."""
    return None if minutes is None else (begin + timedelta(minutes=minutes)).astimezone(UTC)


# -- posts ----------------------------------------------------------------------------------------


def _groups(world: World) -> Iterator[_Group]:
    taken: set[str] = set()
    for group in world.scenario.units:
        places = range(group.count if group.posts else 0)
        units = tuple([_unit(world, group, place, taken) for place in places])
        yield _Group(units=units, minutes=_minutes_of(group))


def _minutes_of(group: UnitGroup) -> Minutes:
    minutes = np.zeros(MINUTES_A_WEEK, np.bool_)
    for shift in group.shifts:
        minutes[list(week_minutes(shift))] = True
    return minutes


def _unit(world: World, group: UnitGroup, place: int, taken: set[str]) -> Unit:
    post = group.posts[place % len(group.posts)]
    name = _free_name(post.post_id, group.agency, taken)
    taken.add(name)
    is_spd = group.agency is Agency.SPD
    beats = {} if world.beats is None else world.beats.beat_centres
    return Unit(
        unit_id=UnitId(name),
        agency=group.agency,
        crew_count=group.crew_count,
        skills=group.skills,
        status=Status.AVAILABLE,
        home_post=post.post_id,
        home_beat=post.post_id if is_spd and post.post_id in beats else None,
        home_sector=post.sector if is_spd else None,
    )


def _free_name(post_id: str, agency: Agency, taken: set[str]) -> str:
    """Return the name of a post, with the agency or a number where another unit has it."""
    if post_id not in taken:
        return post_id
    if post_id.startswith(agency):
        names = (f"{post_id}-{n}" for n in range(2, len(taken) + 3))
    else:
        names = (f"{agency}-{post_id}{'' if n == 1 else f'-{n}'}" for n in range(1, len(taken) + 3))
    return next(name for name in names if name not in taken)


# -- recorded positions ---------------------------------------------------------------------------


class FixBook:
    """Fixes of a file by unit, in the order of their instants; capitals do not matter."""

    def __init__(self, fixes: Sequence[RecordedFix]) -> None:
        by_unit: dict[tuple[Agency, str], list[RecordedFix]] = {}
        for fix in sorted(fixes, key=lambda one: (one.at, one.lon, one.lat)):
            by_unit.setdefault((fix.agency, fix.unit_id.casefold()), []).append(fix)
        self._fixes = dict(sorted(by_unit.items()))
        self._at_s = {
            unit: np.array([fix.at.timestamp() for fix in found])
            for unit, found in self._fixes.items()
        }

    def at(self, instant: datetime) -> list[RecordedFix]:
        """Return the last fix of each unit before an instant that is still fresh."""
        return [fix for unit in self._fixes if (fix := self.of(*unit, instant)) is not None]

    def of(self, agency: Agency, unit_id: str, instant: datetime) -> RecordedFix | None:
        """Return the last fix of one unit before an instant, None without a fresh one.

        One of the instant itself may tell of the dispatch that is looked at.
        """
        key = agency, unit_id.casefold()
        at_s, found = instant.timestamp(), self._at_s.get(key)
        if found is None:
            return None
        row = int(np.searchsorted(found, at_s, side="left")) - 1
        fresh = row >= 0 and at_s - found[row] <= FRESH_S
        return self._fixes[key][row] if fresh else None


def _fixes_of(world: World, zone: ZoneInfo) -> FixBook | None:
    file = world.scenario.coverage.recorded_positions
    return None if file is None else FixBook(read_fixes(file, zone).fixes)
