"""Study replay, in order: the past calls, what the service would have said of each, what it means.

result = replay_study(world, changes, work)

What lives here: the study and its parts. What does not: one decision (`deciding`), tables
(`replay_tables`, `gain_tables`), words and pictures.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from api.impact.words import PROXY
from benchmarks.studies.demand import Calls
from benchmarks.studies.demand_making import calls_of
from benchmarks.studies.errors import BadScenario
from benchmarks.studies.past.deciding import Decided, Decider, joined
from benchmarks.studies.past.gain_tables import (
    beside_table,
    gain_table,
    model_table,
    n_compared,
    why_table,
)
from benchmarks.studies.past.pictures import arrival_curves, call_map, gain_bars, hour_bars
from benchmarks.studies.past.replay_tables import (
    Replayed,
    area_table,
    call_table,
    hour_table,
    outcome_table,
    reason_table,
    replay_call_data,
    unit_table,
)
from benchmarks.studies.past.words import assumptions, cautions, in_short
from benchmarks.studies.scenario import Changes, PastCalls, Scenario
from benchmarks.studies.scenario_part import (
    Latest,
    ScenarioPart,
    scenario_part,
    world_of_part,
)
from benchmarks.studies.tables import Section, StudyResult
from benchmarks.studies.work import Work
from benchmarks.studies.world import World

CALLS_A_PART: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPart:
    """Some calls of a scenario, in the order of their instants."""

    scenario: ScenarioPart
    first: int
    """Row of the first call."""
    end: int
    """Row after the last."""


def replay_study(world: World, changes: Changes, work: Work) -> StudyResult:
    """Return what the service would have said of a past period's calls.

    Raises
    ------
    BadScenario
        The demand is generated: there is no past to replay. Or the calls or the recorded positions
        cannot be used.
    """
    calls = replay_calls(world)
    told = scenario_part(world, changes)
    _DECIDERS.put(told, Decider(world, calls))
    parts = [
        ReplayPart(scenario=told, first=first, end=min(first + CALLS_A_PART, len(calls)))
        for first in range(0, len(calls), CALLS_A_PART)
    ]
    decided = joined(work.map("calls", decide_part, parts, Decided))
    work.tell("tables and pictures", 0, 0)
    return result_of(Replayed(world=world, calls=calls, decided=decided))


def past_calls_of(scenario: Scenario) -> PastCalls:
    """Return the calls that can be replayed.

    Raises
    ------
    BadScenario
        The demand is generated.
    """
    care = scenario.demand.care
    if isinstance(care, PastCalls):
        return care
    raise BadScenario([scenario.fault(
        care.told_at, "draws its own calls, and a replay needs past ones.",
        'Give [demand.care] with calls = "FILE", and first_day and last_day.',
    )])  # fmt: skip


def replay_calls(world: World) -> Calls:
    """Return the past calls as they were: none drawn, thinned, repeated or screened out.

    Raises
    ------
    BadScenario
        The demand is generated.
    """
    demand = world.scenario.demand
    care = past_calls_of(world.scenario)
    as_they_were = replace(
        demand, care=replace(care, rate_factor=1.0), officer_share=0.0,
        screened_out_share=0.0,
    )  # fmt: skip
    scenario = replace(world.scenario, demand=as_they_were)
    return calls_of(replace(world, scenario=scenario), "CARE", scenario.seed)


_DECIDERS: Latest[Decider] = Latest()


def decide_part(part: ReplayPart) -> Decided:
    """Return what is said of the calls of a part; depends on the part alone.

    Raises
    ------
    StudyError
        This process sees other files than the one that made the part.
    """
    return _DECIDERS.get(part.scenario, _decider).decide(np.arange(part.first, part.end))


def _decider(part: ScenarioPart) -> Decider:
    world = world_of_part(part)
    return Decider(world, replay_calls(world))


# -- what is shown --------------------------------------------------------------------------------


def result_of(found: Replayed) -> StudyResult:
    """Return the report of what was decided."""
    scenario = found.world.scenario
    return StudyResult(
        kind="REPLAY",
        title=f"A past period decided again: {scenario.name}",
        cautions=cautions(found),
        in_short=in_short(found),
        sections=(_calls(found), _recorded(found), _where(found), _when(found), _units(found)),
        tables=(call_table(found), replay_call_data(found)),
        assumptions=assumptions(found),
        manifest={
            "calls": len(found.calls), "demand": found.calls.source,
            "weeks": found.calls.weeks, "notes": list(found.calls.notes),
            "compared": n_compared(found),
        },
    )  # fmt: skip


def _calls(found: Replayed) -> Section:
    said = [note for note in found.calls.notes if note != PROXY]
    return Section(
        title="What became of the calls",
        paragraphs=(" ".join(said),) if said else (),
        tables=(outcome_table(found), reason_table(found)),
        pictures=(call_map(found), arrival_curves(found)),
    )


NOTHING_RECORDED: Final = "The table of calls tells nothing of units: neither who came nor when."


def _recorded(found: Replayed) -> Section:
    tables = [beside_table(found), why_table(found)]
    pictures = []
    if n_compared(found):
        tables = [gain_table(found), model_table(found), *tables]
        drawn = gain_bars(found)
        pictures = [] if drawn is None else [drawn]
    return Section(title="Beside what was recorded", tables=tuple(tables), pictures=tuple(pictures))


def _where(found: Replayed) -> Section:
    names = [name for name in found.world.scenario.coverage.by if name in found.world.areas]
    return Section(title="Where", tables=tuple(area_table(found, name) for name in names))


def _when(found: Replayed) -> Section:
    return Section(title="When", tables=(hour_table(found),), pictures=(hour_bars(found),))


def _units(found: Replayed) -> Section:
    said = "Who is named first, were every unit free for every call: no workload."
    return Section(title="Who", paragraphs=(said,), tables=(unit_table(found),))
