"""Study coverage, in order: who stands where, what they reach of calls, streets and land, and when.

result = coverage_study(world, calls, tell)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.impact.judging import Tell
from api.impact.reach import WITHIN_S
from api.impact.words import PROXY
from benchmarks.studies.coverage.arrivals import Arrivals, Week
from benchmarks.studies.coverage.coverage_tables import (
    HourMeasured,
    call_table,
    hour_table,
    long_table,
    seconds_of,
    short_table,
    staffing_table,
)
from benchmarks.studies.coverage.hours import hours_of, open_hours
from benchmarks.studies.coverage.measuring import (
    CALLS,
    STREETS,
    ZONES,
    Ground,
    Measured,
    Meter,
    calls_at_their_hour,
    ground_of,
    of_points,
    of_streets,
)
from benchmarks.studies.coverage.pictures import arrival_map, curves, week_heat
from benchmarks.studies.coverage.standing import KINDS
from benchmarks.studies.coverage.street_lines import isochrone_table, street_table
from benchmarks.studies.coverage.words import assumptions, cautions, in_short, standard_of
from benchmarks.studies.demand import Calls
from benchmarks.studies.errors import StudyError
from benchmarks.studies.report.call_data import UnitTimes, call_data_table
from benchmarks.studies.tables import Section, StudyResult, Table
from benchmarks.studies.world import NO_AREA, World, some_of

Ints = NDArray[np.int32]
_CALL_DATA: Final = (
    "Each call has the units on duty and the drive times of the hour in which it came; all units "
    "are free, and dispatched durations.dispatch_delay_s after the call is queued, whatever the "
    "release would make of the call."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """All that was measured."""

    world: World
    calls: Calls
    week: Week
    ground: Ground
    hours: tuple[int, ...]
    """Whose drive times stand for all; the first is drawn."""
    overall: tuple[Measured, ...]
    by_area: dict[str, tuple[Measured, ...]]
    by_hour: tuple[HourMeasured, ...]
    call_hours: Ints
    own: dict[str, Ints]
    """Arrivals at each call in its own hour."""

    @property
    def arrivals(self) -> Arrivals:
        """Those of the first hour."""
        return self.week.at(self.hours[0])

    @property
    def standard(self) -> tuple[int, float]:
        """Which of the limits sentences are about, and the limit."""
        within_s = self.world.scenario.coverage.within_s
        k = standard_of(within_s)
        return k, within_s[k]


def coverage_study(world: World, calls: Calls, tell: Tell) -> StudyResult:
    """Return what CARE, police and the pair reach from where they stand.

    Raises
    ------
    BadScenario
        The file of recorded positions has faults.
    StudyError
        A geography is asked for that the scenario does not have.
    """
    found = measure(world, calls, tell)
    tables = tables_of(found)
    tell("pictures", 0, 1)
    sections = (
        _overall(found, tables), *_areas(found, tables),
        Section(
            title="By hour of the week",
            paragraphs=("Hours with the same units on duty and the same drive times are one row.",),
            tables=(tables["coverage_by_staffing"],),
            pictures=(week_heat(found.by_hour, found.standard),),
        ),
        Section(
            title="Isochrones",
            paragraphs=("As lines along the streets in study.gpkg, for a GIS.",),
            tables=(tables["isochrones"],),
        ),
    )  # fmt: skip
    tell("pictures", 1, 1)
    shown = {one.name for section in sections for one in section.tables}
    return StudyResult(
        kind="COVERAGE",
        title=f"What the pair reaches: {world.scenario.name}",
        cautions=cautions(world, calls),
        in_short=in_short(
            found.overall,
            _mostly_in_zones(found),
            found.by_hour,
            world.scenario.coverage.within_s,
        ),
        sections=sections,
        tables=tuple(one for one in tables.values() if one.name not in shown),
        assumptions=assumptions(world, calls, found.hours),
        manifest=_manifest(found),
    )


def measure(world: World, calls: Calls, tell: Tell) -> Found:
    """Return all that is counted, without a picture; raises what `coverage_study` does."""
    spec = world.scenario.coverage
    missing = [name for name in spec.by if name not in world.areas]
    if missing:
        raise StudyError(
            f"coverage.by names {', '.join(missing)}, which the scenario does not have.",
            remedy=f"It has {', '.join(sorted(world.areas))}; others come from [areas].",
        )
    week = Week(world)
    hours = tuple(hour for hour in spec.hours if hour in week.hours) or week.hours[:1]
    tell("streets and areas", 0, 1)
    ground = ground_of(world, calls, spec.by, week.places)
    meter = Meter(world, calls, ground)
    call_hours = hours_of(world.release, calls.at_s)
    own, told = calls_at_their_hour(calls, call_hours, week.hours, week.at)
    overall = [one for hour in hours for one in meter.overall(week.at(hour), hour)]
    by_area = {}
    for done, name in enumerate(spec.by):
        tell("areas", done, len(spec.by))
        by_area[name] = tuple(
            one for hour in hours for one in meter.by_area(week.at(hour), hour, name)
        )
    return Found(
        world=world, calls=calls, week=week, ground=ground, hours=hours,
        overall=(*overall, meter.own_hour(own, told)), by_area=by_area,
        by_hour=tuple(_week(world, week, meter, call_hours[ground.calls_in_zones], tell)),
        call_hours=call_hours, own=own,
    )  # fmt: skip


def _week(
    world: World, week: Week, meter: Meter, call_hours: Ints, tell: Tell
) -> Sequence[HourMeasured]:
    """Return every hour of the week; what is alike is measured once."""
    is_open, known, found = open_hours(world.release), dict[object, list[Measured]](), []
    for done, hour in enumerate(week.hours):
        tell("hours of the week", done, len(week.hours))
        arrivals = week.at(hour)
        if arrivals.key not in known:
            known[arrivals.key] = list(meter.overall(arrivals, hour))
        of = {one.of: one for one in known[arrivals.key] if one.area == ZONES}
        found.append(
            HourMeasured(
                hour=hour, is_open=bool(is_open[hour]), arrivals=arrivals,
                n_calls=int((call_hours == hour).sum()), calls=of[CALLS], streets=of[STREETS],
            )
        )  # fmt: skip
    return found


# -- what is shown --------------------------------------------------------------------------------


def tables_of(found: Found) -> dict[str, Table]:
    """Return every table by its name."""
    world, hour = found.world, found.hours[0]
    within_s = world.scenario.coverage.within_s
    made = [long_table("coverage_overall", "What is reached", found.overall, within_s)]
    for name, measured in found.by_area.items():
        first = [one for one in measured if one.hour == hour]
        made.append(short_table(name, first, within_s, found.standard[0]))
        title = f"By {name}, everything"
        made.append(long_table(f"coverage_by_{name}", title, measured, within_s))
    made += [
        staffing_table(found.by_hour, within_s),
        isochrone_table(found.arrivals, hour, world.scenario.coverage.isochrones_s),
        hour_table(found.by_hour, within_s),
        street_table(world, found.arrivals, hour),
        _call_table(found),
        _call_data(found),
    ]
    return {one.name: one for one in made}


def _overall(found: Found, tables: Mapping[str, Table]) -> Section:
    arrivals, hour = found.arrivals, found.hours[0]
    pieces = found.ground.pieces.only(found.ground.in_zones)
    at = some_of(found.calls.positions, found.ground.calls_in_zones)
    panels = {
        "Calls in the zones": of_points(arrivals.at(at), np.ones(len(at)), WITHIN_S),
        "Streets of the zones": of_streets(pieces, arrivals.over(pieces), WITHIN_S),
    }
    return Section(
        title="What is reached",
        paragraphs=(_ground_words(found),),
        tables=(tables["coverage_overall"],),
        pictures=(arrival_map(found.world, arrivals, pieces, hour), curves(panels, hour)),
    )


def _ground_words(found: Found) -> str:
    kinds = ", ".join(
        f"{n} {kind} units at {len(found.arrivals.standing.names[kind])} places"
        for kind, n in found.arrivals.standing.units.items()
    )
    said = (note for note in found.calls.notes if note != PROXY)
    return f"On duty in the hour that is drawn: {kinds}. {' '.join(said)}".strip()


def _areas(found: Found, tables: Mapping[str, Table]) -> list[Section]:
    return [
        Section(
            title=f"By {name}",
            paragraphs=(f"Every limit, and land: coverage_by_{name}.csv.",),
            tables=(tables[f"coverage_by_{name}_short"],),
        )
        for name in found.by_area
    ]


def _mostly_in_zones(found: Found) -> dict[str, list[Measured]]:
    """Return what was measured of areas at least half of whose calls lie in the zones."""
    kept = {}
    for name, measured in found.by_area.items():
        number, names = found.ground.call_area[name], found.world.areas[name].names
        inside = np.bincount(number[(number != NO_AREA) & found.ground.calls_in_zones],
                             minlength=len(names))  # fmt: skip
        whole = np.bincount(number[number != NO_AREA], minlength=len(names))
        mostly = {area for area, a, n in zip(names, inside, whole, strict=True) if 2 * a >= n > 0}
        kept[name] = [one for one in measured if one.area in mostly]
    return kept


def _call_table(found: Found) -> Table:
    zones = found.world.areas["zone"].names
    numbers = found.ground.call_area["zone"].tolist()
    named = ["" if number == NO_AREA else zones[number] for number in numbers]
    fixed = found.hours[0], found.arrivals.at(found.calls.positions)
    return call_table(found.calls, named, found.call_hours, fixed, found.own)


def _call_data(found: Found) -> Table:
    """Return the calls in the city's columns, each with the units on duty in its own hour."""
    queued_s = found.calls.at_s
    dispatched_s = queued_s + found.world.scenario.durations.dispatch_delay_s
    times = {}
    for kind in KINDS:
        arrival_s = seconds_of(found.own[kind])
        sent_s = np.where(np.isnan(arrival_s), np.nan, dispatched_s)
        times[kind] = UnitTimes(dispatched_s=sent_s, at_scene_s=sent_s + arrival_s)
    return call_data_table(found.world, found.calls, times, notes=(_CALL_DATA,))


def _manifest(found: Found) -> dict[str, object]:
    return {
        "calls": len(found.calls), "demand": found.calls.source,
        "weeks": found.calls.weeks, "notes": list(found.calls.notes),
        "hours_told": len(found.week.hours),
        "different_hours": found.week.n_different,
    }  # fmt: skip
