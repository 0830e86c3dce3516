"""Scenarios side by side: the base and what varies it, measured with the same random numbers.

    found = compared(base_and_variations(world, changes), work)

What lives here: `Compared`, from a scenario and its changes to measures by replication. What does
not: which assumptions are varied (`ranges`), one replication (`simulation.city`).

Replication k of every scenario has the same calls and durations, so that differences are taken
replication by replication. A change of the demand itself, or of zones over which calls are drawn,
makes other calls; `has_the_calls_of` tells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.errors import BadScenario, StudyError
from benchmarks.studies.scenario import Changes, Scenario, without_variations
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.simulation.intervals import Interval, interval_of
from benchmarks.studies.simulation.measures import MEASURES, ReplicationResult, measures_of
from benchmarks.studies.simulation.replicating import ReplicationPart, parts_of, replicate
from benchmarks.studies.work import Work
from benchmarks.studies.world import World
from benchmarks.studies.world_making import world_of

Reals = NDArray[np.float64]
BASE: Final = "Base"
_COLUMN: Final = MappingProxyType({name: k for k, name in enumerate(MEASURES)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedPart:
    """One replication of one scenario; everything that its measures depend on."""

    replication: ReplicationPart
    units_without_care: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredReplication:
    """What one replication is measured by."""

    replication: int
    values: Reals
    """(n_measures,) in the order of MEASURES; NaN where there is nothing to measure."""
    calls: str
    """Digest of instants and places of all calls and police jobs that count."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Varied:
    """One scenario before it is measured."""

    name: str
    changes: Changes
    """Of the base, by key; none for the base."""
    scenario: Scenario
    parts: tuple[ComparedPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """One scenario and its measures, in the order of the replications."""

    name: str
    changes: Changes
    scenario: Scenario
    measured: tuple[MeasuredReplication, ...]

    def values(self, measure: str) -> Reals:
        """Return a measure of each replication, (n_replications,)."""
        return np.array([one.values[_COLUMN[measure]] for one in self.measured])

    def interval(self, measure: str) -> Interval:
        """Return the mean of a measure and its interval."""
        return interval_of(self.values(measure).tolist(), self.scenario.simulation.confidence)

    def difference(self, base: "Compared", measure: str) -> Interval:
        """Return the mean of what a measure is above the base's, pair by pair of replications."""
        paired = self.values(measure) - base.values(measure)
        return interval_of(paired.tolist(), base.scenario.simulation.confidence)

    def has_the_calls_of(self, base: "Compared") -> bool:
        """Tell whether every replication has the base's calls and police jobs."""
        both = zip(self.measured, base.measured, strict=True)
        return all(mine.calls == its.calls for mine, its in both)


def base_and_variations(world: World, changes: Changes) -> Iterator[Varied]:
    """Yield the base, then each variation of its scenario.

    Raises
    ------
    BadScenario
        A variation cannot be used together with the changes.
    StudyError
        A variation has another number of replications than the base.
    """
    base = base_of(world, changes)
    yield base
    for variation in world.scenario.variations:
        yield varied(base, changes, variation.name, variation.changes)


def base_of(world: World, changes: Changes) -> Varied:
    """Return the base, without its variations."""
    alone = replace(world, scenario=replace(world.scenario, variations=()))
    return _varied(BASE, {}, alone, without_variations(changes))


def varied(base: Varied, changes: Changes, name: str, more: Changes) -> Varied:
    """Return the base with more changes.

    Raises
    ------
    BadScenario
        With everything that is wrong with it then; `where` names the variation.
    StudyError
        It has another number of replications than the base.
    """
    whole = without_variations({**changes, **more})
    try:
        world = world_of(read_scenario(base.scenario.file, whole))
    except BadScenario as bad:
        raise BadScenario(
            [replace(one, where=f"{name}: {one.where}") for one in bad.faults]
        ) from None
    found = _varied(name, more, world, whole)
    if len(found.parts) != len(base.parts):
        raise StudyError(
            f"{name} has {len(found.parts)} replications and the base {len(base.parts)}: they "
            "cannot be compared pair by pair.",
            remedy="Leave simulation.replications to the base.",
        )
    return found


def _varied(name: str, more: Changes, world: World, whole: Changes) -> Varied:
    scenario = world.scenario
    units = scenario.durations.spd_units_without_care
    return Varied(
        name=name, changes=more, scenario=scenario,
        parts=tuple(
            ComparedPart(replication=part, units_without_care=units)
            for part in parts_of(world, whole)
        ),
    )  # fmt: skip


def compared(scenarios: Sequence[Varied], work: Work) -> list[Compared]:
    """Return the scenarios with their measures, in their order."""
    parts = [part for one in scenarios for part in one.parts]
    measured = iter(work.map("replications", measure, parts, MeasuredReplication))
    return [
        Compared(
            name=one.name, changes=one.changes, scenario=one.scenario,
            measured=tuple(next(measured) for _ in one.parts),
        )
        for one in scenarios
    ]  # fmt: skip


def measure(part: ComparedPart) -> MeasuredReplication:
    """Return what a replication is measured by; depends on the part alone."""
    found = replicate(part.replication)
    told = measures_of(found, part.units_without_care)
    return MeasuredReplication(
        replication=found.replication,
        values=np.array([told[name] for name in MEASURES]),
        calls=_digest(found),
    )


def _digest(found: ReplicationResult) -> str:
    said = sha256()
    for column in (found.queued_s, found.lon, found.lat, found.police_queued_s):
        said.update(np.ascontiguousarray(column).tobytes())
    return said.hexdigest()
