"""The fleet of a scenario as columns: who there is, where, and when each is on duty.

    fleet = fleet_of(world, begin_s, end_s)

What lives here: `Fleet`. What does not: what units do (`fleet_kernel`, `event_loop`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.scenario import Posting, UnitGroup
from benchmarks.studies.simulation.run_columns import BEGIN, BREAK, END, Shifts
from benchmarks.studies.simulation.run_making import GivenUnits
from benchmarks.studies.unit_groups import length_min
from benchmarks.studies.world import World
from geodata.snap import Positions
from routing.codes import Agency
from routing.policy import Policy, SpdScope
from routing.roster import AGENCIES, Unit, UnitColumns, UnitId, unit_columns

UNKNOWN: Final = -1
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sectors:
    """Police sectors and precincts by number, and the reserve that each sector keeps."""

    sector: Mapping[str, int]
    precinct: Mapping[str, int]
    """By sector."""
    reserve: NDArray[np.int32]
    """(n_sectors,) units."""

    def of(self, name: str | None) -> tuple[int, int]:
        """Return the numbers of a sector and of its precinct, UNKNOWN where nobody knows."""
        if name is None:
            return UNKNOWN, UNKNOWN
        return self.sector.get(name, UNKNOWN), self.precinct.get(name, UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fleet:
    """All units of a scenario, CARE first, in the order of their names."""

    roster: UnitColumns
    """As it stands before anybody is on duty."""
    given: GivenUnits
    duty: tuple[tuple[tuple[float, float], ...], ...]
    """Spans on duty of each unit, seconds since 1970."""


def sectors_of(world: World, policy: Policy) -> Sectors:
    """Return the sectors that the scenario knows."""
    precinct_of = world.at_hour(0).precinct_of
    posts = [post.sector for group in world.scenario.units for post in group.posts]
    names = sorted({*precinct_of, *(name for name in posts if name is not None)})
    precincts = sorted(set(precinct_of.values()))
    reserve = [policy.reserve_of_sector.get(name, policy.reserve_per_sector) for name in names]
    return Sectors(
        sector={name: number for number, name in enumerate(names)},
        precinct={name: precincts.index(precinct) for name, precinct in precinct_of.items()},
        reserve=np.array(reserve or [0], np.int32),
    )


def scope_code(scope: SpdScope) -> int:
    """Return how the event loop writes a scope."""
    return {SpdScope.ANY: 0, SpdScope.PRECINCT: 1, SpdScope.SECTOR: 2}[scope]


def fleet_of(world: World, sectors: Sectors, begin_s: float, end_s: float) -> Fleet:
    """Return the units of a scenario from an instant until another."""
    zone = world.release.city_policy.window.zone
    groups = [group for agency in AGENCIES for group in world.scenario.group(agency)]
    members = [
        (group.agency, group, place, work)
        for group, work in zip(
            groups, [_work(g, zone, begin_s, end_s) for g in groups], strict=True
        )
        for place in range(group.count if group.posts else 0)
    ]
    width = len(str(max(len(members), 1)))
    units, posts, known, duty = [], [], [], []
    events: list[tuple[float, int, int, float]] = []
    for number, (agency, group, place, work) in enumerate(members):
        post = group.posts[place % len(group.posts)]
        units.append(
            Unit(
                unit_id=UnitId(f"{agency}-{number + 1:0{width}d}"),
                agency=agency,
                call_sign=post.post_id,
                crew_count=group.crew_count,
                skills=group.skills,
                home_post=post.post_id,
                home_sector=post.sector if agency is Agency.SPD else None,
            )
        )
        row = world.post_ids[agency].index(post.post_id)
        posts.append(world.post_positions[agency][row])
        known.append(sectors.of(post.sector) if agency is Agency.SPD else (UNKNOWN, UNKNOWN))
        duty.append(work.duty)
        events += [(at_s, number, kind, value_s) for at_s, kind, value_s in work.changes]
    is_care = np.array([agency is Agency.CARE for agency, *_ in members], np.bool_)
    return Fleet(
        roster=unit_columns(units),
        given=GivenUnits(
            agency=np.where(is_care, 0, 1).astype(np.int8),
            crew=np.array([group.crew_count for _, group, *_ in members], np.int32),
            sector=np.array([one[0] for one in known], np.int32),
            precinct=np.array([one[1] for one in known], np.int32),
            posting=np.array([g.posting is Posting.RETURN for _, g, *_ in members], np.int8),
            post=np.arange(len(members), dtype=np.int32),
            posts=Positions.of(*posts),
            shifts=_columns(events),
        ),
        duty=tuple(duty),
    )


# -- shifts ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """When the units of a group are on duty, and what changes when."""

    duty: tuple[tuple[float, float], ...]
    changes: tuple[tuple[float, int, float], ...]
    """Instant, kind and value, as in `run_columns.Shifts`."""


def _work(group: UnitGroup, zone: ZoneInfo, begin_s: float, end_s: float) -> _Work:
    shifts = sorted(_shift_spans(group, zone, begin_s, end_s))
    duty = tuple(_duty_spans(shifts))
    return _Work(duty=duty, changes=tuple(_changes(shifts, duty, begin_s, end_s)))


def _shift_spans(
    group: UnitGroup, zone: ZoneInfo, begin_s: float, end_s: float
) -> Iterator[tuple[float, float, int]]:
    """Yield begin, end and break (seconds) of every shift that touches a period."""
    first = datetime.fromtimestamp(begin_s, zone) - timedelta(days=2)
    last = datetime.fromtimestamp(end_s, zone)
    day = first.replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= last:
        for shift in group.shifts:
            if day.weekday() not in shift.days:
                continue
            start = day.replace(hour=shift.start.hour, minute=shift.start.minute)
            stop = start + timedelta(minutes=length_min(shift.start, shift.end))  # wall clock
            span = start.astimezone(UTC).timestamp(), stop.astimezone(UTC).timestamp()
            if span[1] > begin_s and span[0] < end_s:
                yield *span, shift.break_s
        day += timedelta(days=1)


def _duty_spans(
    shifts: Sequence[tuple[float, float, int]],
) -> Iterator[tuple[float, float]]:
    """Yield the spans on duty; shifts that follow each other are one, the crew is relieved."""
    merged: list[list[float]] = []
    for start_s, stop_s, _ in shifts:
        if merged and start_s <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], stop_s)
        else:
            merged.append([start_s, stop_s])
    for start_s, stop_s in merged:
        yield start_s, stop_s


def _changes(
    shifts: Sequence[tuple[float, float, int]],
    duty: Sequence[tuple[float, float]],
    begin_s: float,
    end_s: float,
) -> Iterator[tuple[float, int, float]]:
    """Yield when a unit comes, goes and breaks: instant, kind, value."""
    for start_s, stop_s in duty:
        stays = stop_s >= end_s
        yield max(start_s, begin_s), BEGIN, np.nan if stays else stop_s
        if not stays:
            yield stop_s, END, 0.0
    for start_s, stop_s, break_s in shifts:
        middle_s = (start_s + stop_s - break_s) / 2
        if break_s and middle_s > begin_s:
            yield middle_s, BREAK, float(break_s)


def _columns(events: list[tuple[float, int, int, float]]) -> Shifts:
    events = sorted(events, key=lambda one: (one[0], one[2] != END, one[1]))
    return Shifts(
        at_s=np.array([one[0] for one in events], np.float64),
        unit=np.array([one[1] for one in events], np.int32),
        kind=np.array([one[2] for one in events], np.int8),
        value_s=np.array([one[3] for one in events], np.float64),
    )
