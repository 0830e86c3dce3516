"""Which studies there are: from a world, changes of its scenario and work to a result.

Each study is imported when it is asked for.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from benchmarks.studies.demand_making import calls_of
from benchmarks.studies.scenario import Changes, Scenario
from benchmarks.studies.tables import StudyResult
from benchmarks.studies.work import Work
from benchmarks.studies.world import World


def _coverage(world: World, _changes: Changes, work: Work) -> StudyResult:
    from benchmarks.studies.coverage.study import coverage_study

    return coverage_study(world, calls_of(world, "CARE", world.scenario.seed), work.tell)


def _compare(world: World, changes: Changes, work: Work) -> StudyResult:
    from benchmarks.studies.comparing.study import compare_study

    return compare_study(world, changes, work)


def _replay(world: World, changes: Changes, work: Work) -> StudyResult:
    from benchmarks.studies.past.study import replay_study

    return replay_study(world, changes, work)


def _siting(world: World, _changes: Changes, work: Work) -> StudyResult:
    from benchmarks.studies.siting.study import siting_study

    return siting_study(world, calls_of(world, "CARE", world.scenario.seed), work)


def _simulate(world: World, changes: Changes, work: Work) -> StudyResult:
    from benchmarks.studies.simulation.study import simulation_study

    return simulation_study(world, changes, work)


def require_fit(kind: str, scenario: Scenario) -> None:
    """Refuse a scenario that a kind of study cannot be about.

    Raises
    ------
    BadScenario
        It is a replay without past calls.
    """
    if kind == "replay":
        from benchmarks.studies.past.study import past_calls_of

        past_calls_of(scenario)


STUDIES: Final[Mapping[str, Callable[[World, Changes, Work], StudyResult]]] = MappingProxyType(
    {
        "compare": _compare, "coverage": _coverage, "replay": _replay, "siting": _siting,
        "simulate": _simulate,
    }
)  # fmt: skip
