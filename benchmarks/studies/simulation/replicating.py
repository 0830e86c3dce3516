"""Replications as parts of work: from a scenario file and a number to what happened.

    results = work.map("replications", replicate, parts_of(world, changes), ReplicationResult)

What lives here: `ReplicationPart`, `parts_of`, `replicate`. What does not: what happens in one
(`city`).
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from benchmarks.studies.errors import StudyError
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.simulation.city import City
from benchmarks.studies.simulation.measures import ReplicationResult, result_of_city
from benchmarks.studies.world import World
from benchmarks.studies.world_making import world_of

WORLDS_MAX: Final = 2
Changes = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationPart:
    """One replication of a scenario; everything that its result depends on."""

    file: str
    """Scenario."""
    scenario: str
    """sha256 of the scenario file."""
    changes: tuple[tuple[str, object], ...]
    """Of its keys, sorted."""
    data: str
    """Of all files that the scenario names: another file is another part."""
    replication: int


def parts_of(world: World, changes: Changes) -> list[ReplicationPart]:
    """Return the replications of a scenario; this process has its world already."""
    told = tuple(sorted(changes.items()))
    scenario = world.scenario
    parts = [
        ReplicationPart(
            file=str(scenario.file), scenario=scenario.sha256, changes=told, data=data_of(world),
            replication=number,
        )
        for number in range(scenario.simulation.replications)
    ]  # fmt: skip
    if parts:
        _remember(_key(parts[0]), world)
    return parts


def data_of(world: World) -> str:
    """Return one digest of every file of a world."""
    return sha256(repr(sorted(world.hashes.items())).encode()).hexdigest()


_WORLDS: OrderedDict[tuple[str, ...], World] = OrderedDict()
"""What a process has made so far."""


def _key(part: ReplicationPart) -> tuple[str, ...]:
    return part.file, part.scenario, repr(part.changes), part.data


def _remember(key: tuple[str, ...], world: World) -> None:
    _WORLDS[key] = world
    _WORLDS.move_to_end(key)
    while len(_WORLDS) > WORLDS_MAX:
        _WORLDS.popitem(last=False)


def replicate(part: ReplicationPart) -> ReplicationResult:
    """Return what happens in one replication; depends on the part alone.

    Raises
    ------
    StudyError
        This process sees other files than the one that made the part.
    """
    key = _key(part)
    if key not in _WORLDS:
        world = world_of(read_scenario(Path(part.file), dict(part.changes)))
        if data_of(world) != part.data or world.scenario.sha256 != part.scenario:
            raise StudyError(
                f"{part.file} or a file that it names is not what it was when the study began.",
                remedy="Leave the files alone while it runs; all machines must see the same ones.",
            )
        _remember(key, world)
    city = City(_WORLDS[key], part.replication)
    return result_of_city(city.run(), part.replication, city.fleet.roster.unit_id, city.zone)
