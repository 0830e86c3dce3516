"""The calls of a scenario as columns: past or generated, for CARE or for police.

    calls = calls_of(world, "CARE", seed=1, days=None)

What lives here: `calls_of`. What does not: reading tables (`past_demand`), drawing places and
instants (`generated_demand`). Zones and hours are no matter here: whoever decides a call asks them.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from api.impact.reach import on_streets
from benchmarks.studies.demand import CARE_911, CARE_OFFICER, POLICE, Calls
from benchmarks.studies.errors import StudyError
from benchmarks.studies.generated_demand import draw_calls
from benchmarks.studies.past_demand import (
    Past,
    care_calls,
    days_of,
    history_of_file,
    police_jobs,
)
from benchmarks.studies.random_streams import Purpose, stream
from benchmarks.studies.scenario import GeneratedCalls, PastCalls
from benchmarks.studies.world import World, some_of
from geodata.call_history import CallHistory
from geodata.snap import Positions
from routing.codes import Agency
from routing.release import Release

Part = Literal["CARE", "POLICE"]
Days = tuple[date, date]
POLICE_TYPE: Final = ""
GENERATED: Final = "generated"
Rows = NDArray[np.int64]


def calls_of(world: World, part: Part, seed: int, days: Days | None = None) -> Calls:
    """Return the calls of a part of demand.

    Parameters
    ----------
    seed
        Of everything that is drawn; the same seed gives the same calls, whatever the units.
    days
        First and last local day; None takes all of a table, and of generated calls `study_days`.

    Raises
    ------
    BadScenario
        A table cannot be used, or nothing is left to draw from.
    StudyError
        The scenario has no police work.
    """
    demand = world.scenario.demand
    asked = demand.care if part == "CARE" else demand.police
    if asked is None:
        raise StudyError("The scenario has no [demand.police]: police have no other work in it.")
    if isinstance(asked, GeneratedCalls):
        calls = _generated(world, asked, part, seed, days or study_days(world))
    else:
        calls = _past(world, asked, part, seed, days)
    return _screened(world, calls, seed) if part == "CARE" else calls


def study_days(world: World) -> Days:
    """Return the first and last local day that count: those of the simulation after its warm-up.

    Where CARE's calls are past ones and the scenario says no `simulation.first_day`, they begin
    with the first day of the table (or of its `first_day`), and end with its last at the latest.

    Raises
    ------
    BadScenario
        The table of past calls cannot be used.
    """
    spec, care = world.scenario.simulation, world.scenario.demand.care
    warm_up = timedelta(days=spec.warm_up_days)
    first = spec.first_day + warm_up
    last = first + timedelta(days=spec.days - 1)
    table = world.scenario.told.get("simulation")
    is_told = isinstance(table, Mapping) and "first_day" in table
    if is_told or not isinstance(care, PastCalls):
        return first, last
    history = history_of_file(world.scenario, care)
    first = min(history.first_day + warm_up, history.last_day)
    return first, min(first + timedelta(days=spec.days - 1), history.last_day)


# -- past -----------------------------------------------------------------------------------------


def _past(world: World, asked: PastCalls, part: Part, seed: int, days: Days | None) -> Calls:
    past = _counting(world, asked, part)
    history = days_of(world.scenario, past, days)
    rows, notes = _repeated(history, asked.rate_factor, part, seed)
    types, said = _types(asked, history, rows, world.release, part)
    return _calls(
        world, part, seed,
        Calls(
            call_id=_ids(history, rows),
            kind=np.empty(0, np.int8),
            at_s=history.at_s[rows],
            lon=history.lon[rows],
            lat=history.lat[rows],
            positions=_on_streets(world, history.lon[rows], history.lat[rows]),
            call_type=types,
            priority=history.priority[rows],
            units_needed=np.ones(len(rows), np.int8),
            source=history.source,
            is_proxy=past.is_proxy,
            notes=(*past.notes, *notes, *said),
            weeks=history.weeks,
            records={Agency(name): one.rows(rows) for name, one in history.records.items()},
        ),
    )  # fmt: skip


def _counting(world: World, asked: PastCalls, part: Part) -> Past:
    counting = care_calls if part == "CARE" else police_jobs
    return counting(world.scenario, asked, world.release)


def _repeated(
    history: CallHistory, factor: float, part: Part, seed: int
) -> tuple[Rows, tuple[str, ...]]:
    """Return rows in the order of their instants, thinned or repeated by a factor."""
    order = np.argsort(history.at_s, kind="stable")
    if factor == 1:
        return order, ()
    whole = int(factor)
    more = stream(seed, part, Purpose.THINNING).random(len(order)) < factor - whole
    note = f"Every call counts {factor:g} times on average: an assumption."
    return np.repeat(order, whole + more), (note,)


def _ids(history: CallHistory, rows: Rows) -> tuple[str, ...]:
    """Return the ids of rows; a call that is repeated has a number after its id."""
    seen: dict[int, int] = {}
    ids = []
    for row in rows.tolist():
        times = seen.get(row, 0)
        seen[row] = times + 1
        ids.append(history.call_id[row] + (f"-{times + 1}" if times else ""))
    return tuple(ids)


def _types(
    asked: PastCalls, history: CallHistory, rows: Rows, release: Release, part: Part
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the type of each call as the release is asked about it.

    A type that the scenario counts and the release does not take is told as one that it takes.
    """
    numbers = history.type_number[rows].tolist()
    texts = [*history.types, ""]
    types = tuple([texts[number] for number in numbers])
    if part == "POLICE" or not (asked.call_types or asked.assume_type):
        return types, ()
    policy = release.city_policy.call_types
    taken = taken_type(release)
    unknown = {text for text in set(types) if policy.kind(text) not in policy.eligible}
    if not unknown:
        return types, ()
    said = f"The release is asked about {taken} in place of {', '.join(sorted(unknown))}."
    return tuple([taken if text in unknown else text for text in types]), (said,)


def taken_type(release: Release) -> str:
    """Return a text that the release takes; '' where it takes none."""
    types = release.city_policy.call_types
    return next((text for text, kind in types.kind_of.items() if kind in types.eligible), "")


# -- generated ------------------------------------------------------------------------------------


def _generated(world: World, asked: GeneratedCalls, part: Part, seed: int, days: Days) -> Calls:
    drawn = draw_calls(world, asked, part, seed, days)
    n = len(drawn.at_s)
    letter = part[0]
    text = taken_type(world.release) if part == "CARE" else POLICE_TYPE
    return _calls(
        world, part, seed,
        Calls(
            call_id=tuple([f"{letter}{k:07d}" for k in range(n)]),
            kind=np.empty(0, np.int8),
            at_s=drawn.at_s,
            lon=drawn.lon,
            lat=drawn.lat,
            positions=_on_streets(world, drawn.lon, drawn.lat),
            call_type=(text,) * n,
            priority=np.zeros(n, np.int16),
            units_needed=np.ones(n, np.int8),
            source=GENERATED,
            is_proxy=True,
            notes=drawn.notes,
            weeks=((days[1] - days[0]).days + 1) / 7,
        ),
    )  # fmt: skip


# -- what calls are -------------------------------------------------------------------------------


def _calls(world: World, part: Part, seed: int, calls: Calls) -> Calls:
    """Return the calls with what is drawn for each: its origin, or its priority and units."""
    n, scenario = len(calls), world.scenario
    if part == "CARE":
        by_officer = stream(seed, part, Purpose.ORIGIN).random(n) < scenario.demand.officer_share
        kind = np.where(by_officer, CARE_OFFICER, CARE_911).astype(np.int8)
        return replace(calls, kind=kind)
    share = scenario.durations.police_two_units_share
    two = stream(seed, part, Purpose.UNITS).random(n) < share
    priority, said = _priorities(scenario.demand.police, calls, seed)
    notes = (*calls.notes, *said, f"{share:.0%} of police jobs take two units: an assumption.")
    return replace(
        calls,
        kind=np.full(n, POLICE, np.int8),
        priority=priority,
        units_needed=(1 + two).astype(np.int8),
        notes=notes,
    )


def _priorities(
    asked: PastCalls | GeneratedCalls | None, calls: Calls, seed: int
) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    """Return the priority of each police job; drawn where the table has none."""
    unknown = calls.priority == 0
    if not unknown.any():
        return calls.priority, ()
    weights = np.array((asked if isinstance(asked, GeneratedCalls) else _DEFAULT).priorities)
    rng = stream(seed, "POLICE", Purpose.PRIORITY)
    drawn = 1 + rng.choice(len(weights), len(calls), p=weights / weights.sum())
    shares = ", ".join(f"{share:.0%}" for share in weights / weights.sum())
    said = f"Priorities 1 to 4 of {unknown.sum():,} police jobs are drawn: {shares} (2024 sample)."
    return np.where(unknown, drawn, calls.priority).astype(np.int16), (said,)


_DEFAULT: Final = GeneratedCalls(per_day=1.0)


def _screened(world: World, calls: Calls, seed: int) -> Calls:
    """Return the calls that the call taker's screening lets pass."""
    share = world.scenario.demand.screened_out_share
    if not share:
        return calls
    keeps = stream(seed, "CARE", Purpose.SCREENING).random(len(calls)) >= share
    said = f"Screening refuses {share:.0%} of CARE's calls: an assumption."
    return only(replace(calls, notes=(*calls.notes, said)), keeps)


def only(calls: Calls, rows: NDArray[np.bool_]) -> Calls:
    """Return some of the calls."""
    chosen = np.flatnonzero(rows).tolist()
    columns = ("kind", "at_s", "lon", "lat", "priority", "units_needed")
    return replace(
        calls,
        call_id=tuple([calls.call_id[row] for row in chosen]),
        call_type=tuple([calls.call_type[row] for row in chosen]),
        positions=some_of(calls.positions, rows),
        records={agency: one.only(rows) for agency, one in calls.records.items()},
        **{name: getattr(calls, name)[rows] for name in columns},
    )


def _on_streets(world: World, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Positions:
    """Return where calls are on the streets; on none where the policy would refuse it."""
    return on_streets(world.at_hour(0), lon, lat, world.release.city_policy.snap.refuse_m)
