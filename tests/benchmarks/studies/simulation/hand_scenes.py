"""Scenes that a person can compute by hand: one road of four blocks, 100 s each, on one day.

    A---B---C---D---E

Nobody turns out or parks, so that an arrival is the drive alone. A place is a number of blocks from
A: 0.5 is the middle of AB. Times are minutes after 10:00 on Tuesday, 3 March 2026, in Seattle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any

import numpy as np

from benchmarks.studies.demand import CARE_911, CARE_OFFICER, POLICE, Calls
from benchmarks.studies.scenario import PostSite, Shift, UnitGroup
from benchmarks.studies.simulation.city import City, CityOutcome
from benchmarks.studies.simulation.draws import CareDraws
from benchmarks.studies.simulation.incoming import Incoming, Period
from benchmarks.studies.simulation.measures import ReplicationResult, measures_of, result_of_city
from benchmarks.studies.world import World
from geodata.driving_time import ROUTINE, edge_times
from geodata.snap import Position, Positions, StreetIndex
from routing.codes import Agency, Mode
from routing.hours import TimeWindow
from routing.model import PILOT
from routing.policy import PACIFIC, SOLO_RULES
from tests.benchmarks.studies.simulation.slow_scenes import with_policy
from tests.benchmarks.studies.worlds import world_on
from tests.street_drawing import draw

ROAD = draw("A---B---C---D---E", block_m=1000.0)
INDEX = StreetIndex.build(ROAD.network)
PROFILE = replace(ROUTINE, limit_time_factor=1.0, start_and_park_s=0.0)
BLOCK_S = 100.0
DAY = date(2026, 3, 3)
TEN_S = datetime.combine(DAY, time(10), PACIFIC).timestamp()
MIDNIGHT_S, END_S = TEN_S - 36_000, TEN_S + 50_400


def at(blocks: float) -> Position:
    """Return a place so many blocks from A."""
    street = min(int(blocks), 3)
    return INDEX.snap_incident(*ROAD.position("ABCDE"[street : street + 2], blocks - street))


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Units that are alike, one at each place."""

    agency: Agency
    blocks: Sequence[float]
    sector: str | None = None
    more: dict[str, Any]


def care(*blocks: float, **more: Any) -> Team:
    """Return CARE units."""
    return Team(agency=Agency.CARE, blocks=blocks, more=more)


def spd(*blocks: float, sector: str | None = None, **more: Any) -> Team:
    """Return police units of a sector."""
    return Team(agency=Agency.SPD, blocks=blocks, sector=sector, more=more)


def hours(start: int, end: int, break_min: int = 0) -> tuple[Shift, ...]:
    """Return one shift every day, by the full hour."""
    return (Shift(start=time(start % 24), end=time(end % 24), break_s=60 * break_min),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Come:
    """A call of CARE or a police job; minutes after ten, places in blocks, seconds."""

    at_min: float
    blocks: float
    kind: int
    stay_s: float = 600.0
    """Of police, without CARE."""
    safe_s: float = 0.0
    care_s: float = 1200.0
    priority: int = 3
    units: int = 1


def call_911(at_min: float, blocks: float, **more: Any) -> Come:
    """Return a 911 call."""
    return Come(at_min=at_min, blocks=blocks, kind=CARE_911, **more)


def officer(at_min: float, blocks: float, **more: Any) -> Come:
    """Return a call to which an officer goes, who asks for CARE at once."""
    return Come(at_min=at_min, blocks=blocks, kind=CARE_OFFICER, **more)


def job(at_min: float, blocks: float, stay_s: float = 600.0, **more: Any) -> Come:
    """Return a background police job."""
    return Come(at_min=at_min, blocks=blocks, kind=POLICE, stay_s=stay_s, **more)


def world_of_teams(teams: Sequence[Team], **policy: Any) -> World:
    """Return the road with units; a policy that is open all day unless told."""
    places = {a: [at(b) for t in teams if t.agency is a for b in t.blocks] for a in Agency}
    numbers = {agency: iter(range(999)) for agency in Agency}
    groups = tuple(
        UnitGroup(
            agency=team.agency, count=len(team.blocks), **team.more,
            posts=tuple(
                PostSite(
                    post_id=f"{team.agency}-{next(numbers[team.agency]):02}", sector=team.sector,
                    lon=at(b).lon, lat=at(b).lat,
                )
                for b in team.blocks
            ),
        )
        for team in teams
    )  # fmt: skip
    world = world_on(
        ROAD.network, places[Agency.CARE], places[Agency.SPD], units=groups,
        weights=lambda hour: edge_times(ROAD.network, PROFILE, hour=hour),
    )  # fmt: skip
    window = TimeWindow(start=time(0), end=time(0), zone=PACIFIC)
    told = {"turnout_care_s": 0, "turnout_spd_s": 0, "shift_guard_s": 0, "window": window}
    modes = MappingProxyType({**PILOT.modes, Mode.SOLO: SOLO_RULES})
    return with_policy(world, replace(PILOT, modes=modes, **(told | policy)))


def window(start: int, end: int) -> TimeWindow:
    """Return opening hours of every day."""
    return TimeWindow(start=time(start), end=time(end), zone=PACIFIC)


def incoming(comes: Sequence[Come]) -> Incoming:
    """Return what comes in: calls of CARE and police jobs, each in the order of time."""
    ordered = sorted(comes, key=lambda one: one.at_min)
    calls = [one for one in ordered if one.kind != POLICE]
    jobs = [one for one in ordered if one.kind == POLICE]
    n = len(calls)

    def column(name: str) -> Any:
        return np.array([getattr(one, name) for one in calls], np.float64)

    none = np.zeros(n)
    draws = CareDraws(
        delay_s=none, asking_s=none, scene_safe_s=column("safe_s"), care_s=column("care_s"),
        is_transport=np.zeros(n, np.bool_), transport_drive_s=none, facility_s=none,
        without_care_s=column("stay_s"),
    )  # fmt: skip
    period = Period(begin_s=MIDNIGHT_S, count_s=MIDNIGHT_S, end_s=END_S, days=(DAY, DAY))
    return Incoming(
        period=period, care=_calls(calls), draws=draws, police=_calls(jobs),
        police_stay_s=np.array([one.stay_s for one in jobs], np.float64),
    )  # fmt: skip


def _calls(comes: Sequence[Come]) -> Calls:
    places = [at(one.blocks) for one in comes]
    return Calls(
        call_id=tuple(f"call-{k}" for k in range(len(comes))),
        kind=np.array([one.kind for one in comes], np.int8),
        at_s=np.array([TEN_S + 60 * one.at_min for one in comes], np.float64),
        lon=np.array([one.lon for one in places], np.float64),
        lat=np.array([one.lat for one in places], np.float64),
        positions=Positions.of(*places),
        call_type=("PERSON DOWN",) * len(comes),
        priority=np.array([one.priority for one in comes], np.int16),
        units_needed=np.array([one.units for one in comes], np.int8),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Happened:
    """What became of a scene; instants in minutes after ten, NaN for never."""

    outcome: CityOutcome
    result: ReplicationResult

    def job_sent_min(self) -> list[float]:
        """Return when police went to each job."""
        run = self.outcome.run
        return minutes(run.jobs.dispatched_s[self.outcome.police_jobs])

    def job_drives_s(self) -> list[float]:
        """Return how long the first unit drove to each job."""
        jobs, rows = self.outcome.run.jobs, self.outcome.police_jobs
        return [round(s, 3) for s in (jobs.arrived_s - jobs.dispatched_s)[rows].tolist()]

    def job_units(self) -> list[int]:
        """Return the first unit of each job, -1 for none; CARE units have the first numbers."""
        return self.outcome.run.jobs.unit[self.outcome.police_jobs].tolist()

    def measure(self, name: str) -> float:
        """Return a measure of the report."""
        return measures_of(self.result)[name]


def minutes(instants_s: Any) -> list[float]:
    """Return instants as minutes after ten."""
    return [round((s - TEN_S) / 60, 3) for s in np.asarray(instants_s).tolist()]


def happens(teams: Sequence[Team], comes: Sequence[Come], **policy: Any) -> Happened:
    """Let things come to the units of some teams."""
    city = City(world_of_teams(teams, **policy), incoming(comes))
    outcome = city.run()
    result = result_of_city(outcome, 0, city.fleet.roster.unit_id, city.zone)
    return Happened(outcome=outcome, result=result)
