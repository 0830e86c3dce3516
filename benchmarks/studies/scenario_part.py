"""A scenario as a part of work names it, and what a process makes of it once.

    told = scenario_part(world, changes)     # in a part, which goes to other processes
    world = world_of_part(told)              # there

What lives here: `ScenarioPart` and `Latest`. What does not: reading and making (`scenario_file`,
`world_making`), and what is computed (each study).
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Generic, TypeVar

from benchmarks.studies.errors import StudyError
from benchmarks.studies.scenario import Changes
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.world import World
from benchmarks.studies.world_making import world_of

LATEST_MAX: Final = 2
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioPart:
    """Everything that a world depends on; its `repr` says it."""

    file: str
    """Scenario."""
    changes: tuple[tuple[str, object], ...]
    """Of its keys, sorted."""
    data: str
    """Digest of the scenario file and of all files that it names: another file is another part."""


class Latest(Generic[T]):
    """What a process has made last of scenarios; a few, since each may be hundreds of MB."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, T] = OrderedDict()

    def put(self, part: ScenarioPart, made: T) -> None:
        """Keep what has been made of a scenario."""
        key = repr(part)  # values of changes may be lists
        self._made[key] = made
        self._made.move_to_end(key)
        while len(self._made) > LATEST_MAX:
            self._made.popitem(last=False)

    def get(self, part: ScenarioPart, make: Callable[[ScenarioPart], T]) -> T:
        """Return what has been made of a scenario, or make it."""
        if repr(part) not in self._made:
            self.put(part, make(part))
        return self._made[repr(part)]


_WORLDS: Latest[World] = Latest()


def scenario_part(world: World, changes: Changes) -> ScenarioPart:
    """Return how parts of work name the scenario of a world, which this process has already."""
    told = tuple(sorted(changes.items()))
    part = ScenarioPart(file=str(world.scenario.file), changes=told, data=_data_of(world))
    _WORLDS.put(part, world)
    return part


def world_of_part(part: ScenarioPart) -> World:
    """Return the world of a scenario; depends on the part alone.

    Raises
    ------
    StudyError
        This process sees other files than the one that made the part.
    """
    return _WORLDS.get(part, _made)


def _made(part: ScenarioPart) -> World:
    world = world_of(read_scenario(Path(part.file), dict(part.changes)))
    if _data_of(world) != part.data:
        raise StudyError(
            f"{part.file} or a file that it names is not what it was when the study began.",
            remedy="Leave the files alone while it runs; all machines must see the same ones.",
        )
    return world


def _data_of(world: World) -> str:
    return sha256(repr(sorted(world.hashes.items())).encode()).hexdigest()
