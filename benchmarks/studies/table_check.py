"""Tables that a scenario names, looked at by themselves: what can be told without a world.

What lives here: `faults_of_tables`, so that errors of a scenario and of its tables are told at
once. What does not: what takes streets, zones or a release (`data_check`).
"""

from collections.abc import Collection, Iterator

from benchmarks.studies.coverage.recorded import read_fixes
from benchmarks.studies.errors import Fault, faults_in
from benchmarks.studies.past_demand import history_of_file, require_types
from benchmarks.studies.post_files import read_posts
from benchmarks.studies.scenario import GeneratedCalls, PastCalls, Scenario
from routing.codes import Agency
from routing.policy import PACIFIC


def faults_of_tables(scenario: Scenario, wrong: Collection[str]) -> Iterator[Fault]:
    """Yield what is wrong with tables of calls, recorded positions and candidates.

    Parameters
    ----------
    wrong
        Files with faults that are known: no table is read by a wrong mapping.
    """
    for past in tables_of(scenario):
        if str(past.mapping) in wrong:
            continue
        yield from faults_in(lambda past=past: _read_calls(scenario, past))  # type: ignore[misc]
    positions = scenario.coverage.recorded_positions
    if positions is not None:
        yield from faults_in(lambda: read_fixes(positions, PACIFIC))
    if scenario.siting.candidates is not None:
        yield from read_posts(scenario.siting.candidates, Agency.CARE)[1]


def tables_of(scenario: Scenario) -> Iterator[PastCalls]:
    """Yield the tables of past calls that a scenario names."""
    for asked in (scenario.demand.care, scenario.demand.police):
        past = asked.pattern if isinstance(asked, GeneratedCalls) else asked
        if past is not None:
            yield past


def _read_calls(scenario: Scenario, past: PastCalls) -> None:
    history = history_of_file(scenario, past)
    if past.told_at[-1] != "pattern":
        require_types(scenario, past, history)
