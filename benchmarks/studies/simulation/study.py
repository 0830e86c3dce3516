"""Study simulate, in order: replications of a city through time, what they are measured by.

result = simulation_study(world, changes, work)

What lives here: the study. What does not: one replication (`city`), tables, words and pictures.
"""

import numpy as np

from api.impact.words import PROXY
from benchmarks.studies.demand import Calls
from benchmarks.studies.demand_making import calls_of, only
from benchmarks.studies.scenario import Changes
from benchmarks.studies.simulation.draws import replication_seed
from benchmarks.studies.simulation.incoming import period_of
from benchmarks.studies.simulation.measures import ReplicationResult
from benchmarks.studies.simulation.pictures import busy_bars, response_curves, travel_bars
from benchmarks.studies.simulation.replicating import parts_of, replicate
from benchmarks.studies.simulation.simulation_tables import (
    Simulated,
    call_table,
    hour_table,
    measure_table,
    outcome_table,
    replication_table,
    simulated_call_data,
    unit_table,
)
from benchmarks.studies.simulation.theory import theory_section
from benchmarks.studies.simulation.words import assumptions, cautions, in_short
from benchmarks.studies.tables import Section, StudyResult
from benchmarks.studies.work import Work
from benchmarks.studies.world import World


def simulation_study(world: World, changes: Changes, work: Work) -> StudyResult:
    """Return what the units of a scenario would do and achieve over a period.

    Raises
    ------
    BadScenario
        The demand cannot be used.
    """
    results = work.map("replications", replicate, parts_of(world, changes), ReplicationResult)
    work.tell("tables and pictures", 0, 0)
    return result_of(Simulated(world=world, results=results, calls=first_calls(world)))


def first_calls(world: World) -> Calls:
    """Return CARE's calls of the first replication after its warm-up."""
    period = period_of(world)
    calls = calls_of(world, "CARE", replication_seed(world.scenario.seed, 0), period.days)
    return only(calls, np.asarray(calls.at_s >= period.count_s))


def result_of(found: Simulated) -> StudyResult:
    """Return the report of what was simulated."""
    scenario = found.world.scenario
    notes = [note for note in found.calls.notes if note != PROXY]
    return StudyResult(
        kind="SIMULATION",
        title=f"Simulated: {scenario.name}",
        cautions=cautions(found),
        in_short=in_short(found),
        sections=(
            Section(
                title="What is achieved",
                paragraphs=(" ".join(notes),) if notes else (),
                tables=(measure_table(found), outcome_table(found)),
                pictures=(response_curves(found), travel_bars(found)),
            ),
            Section(
                title="How busy units are",
                tables=(unit_table(found), hour_table(found)),
                pictures=(busy_bars(found),),
            ),
            theory_section(found),
        ),
        tables=(replication_table(found), call_table(found), simulated_call_data(found)),
        assumptions=assumptions(found),
        manifest={
            "replications": len(found.results), "days": scenario.simulation.days,
            "warm_up_days": scenario.simulation.warm_up_days, "demand": found.calls.source,
            "notes": list(found.calls.notes),
        },
    )  # fmt: skip
