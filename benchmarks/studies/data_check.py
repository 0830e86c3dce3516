"""All data that a scenario names, read before anything is computed: every fault at once.

    require_data(world, changes)

What lives here: `require_data`, for `tandem study check` and for every study before it begins. What
does not: the scenario file and its GeoJSON (`scenario_file`, which has read them by then).
"""

from collections.abc import Iterator
from dataclasses import replace

from api.release_lines import line_of
from benchmarks.studies.coverage.recorded import read_fixes
from benchmarks.studies.demand_making import Part, calls_of, study_days
from benchmarks.studies.errors import BadScenario, Fault, faults_in
from benchmarks.studies.scenario import (
    Changes,
    GeneratedCalls,
    Scenario,
    Variation,
    without_variations,
)
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.siting.places import places_of_file
from benchmarks.studies.world import World
from benchmarks.studies.world_making import world_of


def require_data(world: World, changes: Changes) -> None:
    """Read all data that a scenario and its variations name.

    Parameters
    ----------
    changes
        That the scenario was read with.

    Raises
    ------
    BadScenario
        With everything that is wrong with it, and with what is drawn from it.
    """
    found = dict.fromkeys(_faults(world))
    for place, variation in enumerate(world.scenario.variations):
        found |= dict.fromkeys(_of_variation(world, changes, place, variation))
    if found:
        raise BadScenario(list(found))


def _faults(world: World) -> Iterator[Fault]:
    scenario = world.scenario
    parts: tuple[Part, ...] = ("CARE",) if scenario.demand.police is None else ("CARE", "POLICE")
    for part in parts:
        yield from faults_in(lambda part=part: _read_calls(world, part))  # type: ignore[misc]
    positions = scenario.coverage.recorded_positions
    if positions is not None:
        zone = world.release.city_policy.window.zone
        yield from faults_in(lambda: read_fixes(positions, zone))
    if scenario.siting.candidates is not None:
        yield from faults_in(lambda: places_of_file(world))


def _read_calls(world: World, part: Part) -> None:
    """Read a table of calls, or draw the calls of one day: enough to see that some can be."""
    demand = world.scenario.demand
    is_drawn = isinstance(demand.care if part == "CARE" else demand.police, GeneratedCalls)
    first = study_days(world)[0] if is_drawn else None
    calls_of(world, part, world.scenario.seed, None if first is None else (first, first))


def _of_variation(
    world: World, changes: Changes, place: int, variation: Variation
) -> Iterator[Fault]:
    """Yield what is wrong with the data of a variation, on the line of what it changes."""
    scenario = world.scenario
    try:
        _require(world_of(_varied(world, changes, variation)))
    except BadScenario as bad:
        for one in bad.faults:
            changed = next((key for key in variation.changes if one.where.startswith(key)), None)
            if one.file != str(scenario.file) or changed is None:
                yield one
                continue
            line = line_of(("variations", place, changed), scenario.lines)
            yield replace(one, line=line, where=f"variations[{place}]: {one.where}")


def variations_of(world: World, changes: Changes) -> list[Scenario]:
    """Return each variation of a scenario as a scenario of its own."""
    return [_varied(world, changes, one) for one in world.scenario.variations]


def _varied(world: World, changes: Changes, variation: Variation) -> Scenario:
    whole = without_variations({**changes, **variation.changes})
    return read_scenario(world.scenario.file, whole)


def _require(world: World) -> None:
    found = list(_faults(world))
    if found:
        raise BadScenario(found)
