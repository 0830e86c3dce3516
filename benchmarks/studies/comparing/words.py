"""What a comparison says in sentences: findings, cautions, assumptions."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from benchmarks.studies.comparing.compare_tables import Comparison, by_swing, short
from benchmarks.studies.comparing.ranges import SENSITIVE, Tried
from benchmarks.studies.comparing.scenarios import Compared
from benchmarks.studies.coverage.words import of_the_data
from benchmarks.studies.scenario import Durations
from benchmarks.studies.simulation.intervals import Interval
from benchmarks.studies.simulation.simulation_tables import shown_in
from benchmarks.studies.simulation.words import CARE_DRIVE, NO_POLICE_WORK, published

OTHER_CALLS: Final = (
    "OTHER CALLS than the base's: {names}. The change makes other calls or police jobs, so that "
    "differences there are those of the calls as well, and their intervals are wider."
)
TOLD: Final = (
    "pair_response_p90_s", "care_utilisation_share", "unserved_share", "officer_saved_per_call_s",
    "police_response_p90_s",
)  # fmt: skip
"""Measures of which the differences are told in sentences."""
TOLD_MAX: Final = 12
"""Scenarios of which sentences are told; the table has all."""


def cautions(found: Comparison) -> tuple[str, ...]:
    """Return what stands on the face of the report."""
    of_data = of_the_data(found.world, is_proxy=found.is_proxy)
    said = [published(found.base.interval(CARE_DRIVE)), *of_data]
    if found.base.scenario.demand.police is None:
        said.append(NO_POLICE_WORK)
    others = [one.name for one in found.others if not one.has_the_calls_of(found.base)]
    if others:
        said.append(OTHER_CALLS.format(names=", ".join(others)))
    return tuple(said)


def in_short(found: Comparison) -> tuple[str, ...]:
    """Return the findings, a sentence each."""
    return (_base(found), *_differences(found), *_sensitivity(found))


def _base(found: Comparison) -> str:
    spec = found.base.scenario.simulation
    parts = [
        f"{_words(measure)} {_plain(told.mean, measure)}"
        for measure in TOLD
        if (told := found.base.interval(measure)).n
    ]
    return (
        f"The base, {spec.replications} replications of {spec.days} days: {'; '.join(parts)}."
        if parts
        else "Nothing of the base can be measured."
    )


def _differences(found: Comparison) -> Iterator[str]:
    for one in found.others[:TOLD_MAX]:
        yield _difference(found, one)
    left = len(found.others) - TOLD_MAX
    if left > 0:
        yield f"{left} more scenarios are in the table of differences."


def _difference(found: Comparison, one: Compared) -> str:
    told = {measure: one.difference(found.base, measure) for measure in TOLD}
    clear = [
        f"{_words(measure)} {_signed(change, measure)}"
        for measure, change in told.items()
        if change.is_apart_from_zero
    ]
    rest = [_words(measure) for measure, change in told.items() if not change.is_apart_from_zero]
    said = "; ".join(clear) if clear else "no clear difference"
    unclear = f" Not clear: {', '.join(rest)}." if clear and rest else ""
    return f"{one.name}, beside the base: {said}.{unclear}"


def _sensitivity(found: Comparison) -> Iterator[str]:
    if not found.tried:
        return
    for measure in SENSITIVE:
        most = [one for one in by_swing(found, measure) if _is_clear(found, one, measure)][:2]
        if most:
            said = " and ".join(
                f"{one.range.dotted} (by {_moved(one.swing(found.base, measure), measure)} between "
                f"{one.range.low:g} and {one.range.high:g})"
                for one in most
            )
            yield f"What clearly moves {_words(measure)} most, one assumption at a time: {said}."


def _is_clear(found: Comparison, one: Tried, measure: str) -> bool:
    """Whether the end that moves a measure most does so clearly."""
    ends = [end.difference(found.base, measure) for end in (one.low, one.high)]
    known = [end for end in ends if end.n]
    return bool(known) and max(known, key=lambda end: abs(end.mean)).is_apart_from_zero


def _moved(value: float, measure: str) -> str:
    return _plain(value, measure).replace("%", "points")


def _words(measure: str) -> str:
    return short(measure).replace("_", " ")


def _plain(value: float, measure: str) -> str:
    unit, by = shown_in(measure)
    return f"{value / by:.1f} {_UNITS.get(unit, unit)}"


def _signed(change: Interval, measure: str) -> str:
    unit, by = shown_in(measure)
    unit = "points" if unit == "per cent" else _UNITS.get(unit, unit)
    low, high = change.low / by, change.high / by
    return f"{change.mean / by:+.1f} {unit} ({low:+.1f} to {high:+.1f})"


_UNITS: Final = {"minutes": "min", "per cent": "%"}


def assumptions(found: Comparison) -> dict[str, str]:
    """Return what was assumed, by key of the scenario."""
    scenario = found.base.scenario
    said = {
        "every scenario": "is simulated as in tandem study simulate; its assumptions hold",
        "replication k": "has the same calls, places and durations in every scenario, so that a "
        "difference is taken replication by replication",
        "an interval": f"of {found.confidence:.0%}, Student's t over the replications; it tells "
        "of chance alone, not of what is assumed",
        "demand": found.demand,
        "seed": str(scenario.seed),
    }
    for one in fields(Durations):
        said[f"durations.{one.name}"] = str(getattr(scenario.durations, one.name))
    for each in found.tried:
        key, own = each.range.dotted, getattr(scenario.durations, each.range.key)
        said[key] = f"{own:g}; tried {each.range.low:g} to {each.range.high:g}: {each.range.source}"
    for group in scenario.units:
        key, told = f"units.{group.agency}", f"{group.count} at {len(group.posts)} places"
        said[key] = f"{said[key]}; {told}" if key in said else told
    return said
