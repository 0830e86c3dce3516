"""Study compare, in order: scenarios with common random numbers, their differences, sensitivity.

result = compare_study(world, changes, work)

What lives here: the study. What does not: scenarios and their measures (`scenarios`), ranges of
assumptions (`ranges`), tables, words and pictures.
"""

from benchmarks.studies.comparing.compare_tables import (
    Comparison,
    changed,
    difference_table,
    overview_table,
    replication_table,
    scenario_table,
    sensitivity_table,
)
from benchmarks.studies.comparing.pictures import curve_picture, scenario_picture, tornado_picture
from benchmarks.studies.comparing.ranges import one_at_a_time, tried
from benchmarks.studies.comparing.scenarios import (
    base_and_variations,
    base_of,
    compared,
)
from benchmarks.studies.comparing.words import assumptions, cautions, in_short
from benchmarks.studies.scenario import Changes
from benchmarks.studies.simulation.study import first_calls
from benchmarks.studies.tables import Section, StudyResult
from benchmarks.studies.work import Work
from benchmarks.studies.world import World


def compare_study(world: World, changes: Changes, work: Work) -> StudyResult:
    """Return how the variations of a scenario differ from it, or, without any, its sensitivity.

    Raises
    ------
    BadScenario
        A variation or the demand cannot be used.
    StudyError
        A variation has another number of replications.
    """
    found = comparison_of(world, changes, work)
    work.tell("tables and pictures", 0, 0)
    return result_of(found)


def comparison_of(world: World, changes: Changes, work: Work) -> Comparison:
    """Return all scenarios with their measures.

    Raises
    ------
    BadScenario, StudyError
        See `compare_study`.
    """
    work.tell("reading the variations", 0, 0)
    calls = first_calls(world)
    if world.scenario.variations:
        base, *others = compared(list(base_and_variations(world, changes)), work)
        return Comparison(
            world=world, base=base, others=tuple(others), is_proxy=calls.is_proxy,
            demand=calls.source,
        )  # fmt: skip
    alone = base_of(world, changes)
    base, *ends = compared([alone, *one_at_a_time(alone, changes)], work)
    return Comparison(
        world=world, base=base, others=(), tried=tried(alone.scenario, ends),
        is_proxy=calls.is_proxy, demand=calls.source,
    )  # fmt: skip


def result_of(found: Comparison) -> StudyResult:
    """Return the report of a comparison."""
    scenario = found.base.scenario
    title = "Scenarios compared" if found.others else "One assumption at a time"
    return StudyResult(
        kind="COMPARISON",
        title=f"{title}: {scenario.name}",
        cautions=cautions(found),
        in_short=in_short(found),
        sections=_differences(found) if found.others else _sensitivity(found),
        tables=(scenario_table(found), replication_table(found)),
        assumptions=assumptions(found),
        manifest={
            "scenarios": {one.name: changed(one) for one in found.all},
            "assumptions_tried": [one.range.dotted for one in found.tried],
            "replications": scenario.simulation.replications, "days": scenario.simulation.days,
            "warm_up_days": scenario.simulation.warm_up_days, "demand": found.demand,
        },
    )  # fmt: skip


def _differences(found: Comparison) -> tuple[Section, ...]:
    curve = curve_picture(found)
    pictures = (scenario_picture(found),) if curve is None else (curve, scenario_picture(found))
    return (
        Section(title="The scenarios", tables=(overview_table(found),), pictures=pictures),
        Section(title="What differs from the base", tables=(difference_table(found),)),
    )


def _sensitivity(found: Comparison) -> tuple[Section, ...]:
    said = (
        "The scenario has no variations, so its own assumptions are varied: each alone, at the low "
        "and the high end of its range, with the same calls and random numbers."
    )
    return (
        Section(
            title="What moves the measures",
            paragraphs=(said,),
            tables=(sensitivity_table(found),),
            pictures=(tornado_picture(found),),
        ),
        Section(title="The base", tables=(overview_table(found),)),
    )
