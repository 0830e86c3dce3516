"""Replications as parts of work: from a scenario file and a number to what happened.

    results = work.map("replications", replicate, parts_of(world, changes), ReplicationResult)

What lives here: `ReplicationPart`, `parts_of`, `replicate`. What does not: what happens in one
(`city`).
"""

from dataclasses import dataclass

from benchmarks.studies.scenario import Changes
from benchmarks.studies.scenario_part import ScenarioPart, scenario_part, world_of_part
from benchmarks.studies.simulation.city import City
from benchmarks.studies.simulation.incoming import incoming_of
from benchmarks.studies.simulation.measures import ReplicationResult, result_of_city
from benchmarks.studies.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationPart:
    """One replication of a scenario; everything that its result depends on."""

    scenario: ScenarioPart
    replication: int


def parts_of(world: World, changes: Changes) -> list[ReplicationPart]:
    """Return the replications of a scenario; this process has its world already."""
    told = scenario_part(world, changes)
    numbers = range(world.scenario.simulation.replications)
    return [ReplicationPart(scenario=told, replication=number) for number in numbers]


def replicate(part: ReplicationPart) -> ReplicationResult:
    """Return what happens in one replication; depends on the part alone.

    Raises
    ------
    StudyError
        This process sees other files than the one that made the part.
    """
    world = world_of_part(part.scenario)
    city = City(world, incoming_of(world, part.replication))
    return result_of_city(city.run(), part.replication, city.fleet.roster.unit_id, city.zone)
