"""The tables of a comparison: scenarios, differences, replications, and one assumption at a time.

What lives here: from `Comparison` to tables. What does not: measures (`scenarios`), pictures and
words.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from benchmarks.studies.comparing.ranges import SENSITIVE, Tried
from benchmarks.studies.comparing.scenarios import Compared
from benchmarks.studies.past.replay_tables import table_of
from benchmarks.studies.simulation.intervals import Interval
from benchmarks.studies.simulation.measures import MEASURES
from benchmarks.studies.simulation.simulation_tables import shown_in
from benchmarks.studies.tables import Table
from benchmarks.studies.world import World

CLEAR: Final = "clear"
NOT_CLEAR: Final = "not clear"
KEY_MEASURES: Final = (
    "pair_response_p90_s", "care_response_p90_s", "unserved_share", "care_utilisation_share",
    "officer_saved_per_call_s", "police_response_p90_s",
)  # fmt: skip
"""What is shown first, and drawn."""
UNIT: Final = "Of the figures of this row."
MANY: Final = (
    "One in twenty 95 % intervals lies apart from 0 by chance alone: of many differences some are "
    "clear that are none."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """All that was compared."""

    world: World
    """Of the base."""
    base: Compared
    others: tuple[Compared, ...]
    tried: tuple[Tried, ...] = ()
    """Only of a scenario without variations."""
    is_proxy: bool = False
    demand: str = ""

    @property
    def all(self) -> tuple[Compared, ...]:
        """The base and the others."""
        return (self.base, *self.others)

    @property
    def confidence(self) -> float:
        """Of all intervals."""
        return self.base.scenario.simulation.confidence


def is_clear(told: Interval) -> str:
    """Return whether the interval of a difference lies apart from 0."""
    return CLEAR if told.is_apart_from_zero else NOT_CLEAR


def changed(one: Compared) -> str:
    """Return what a scenario changes, in words."""
    said = [f"{key} = {_value(value)}" for key, value in one.changes.items()]
    return "; ".join(said) or "nothing"


def _value(value: object) -> str:
    said = json.dumps(value, default=str)
    return said if len(said) <= 60 else f"{said[:57]}..."


def short(measure: str) -> str:
    """Return the name of a measure without its unit."""
    return measure.removesuffix("_share").removesuffix("_s")


def overview_table(found: Comparison) -> Table:
    """Return one row for each scenario, with the means of the first measures."""
    rows = [
        {
            "scenario": one.name, "changes": changed(one),
            "same_calls": "yes" if one.has_the_calls_of(found.base) else "NO",
            **{name: one.interval(name).mean for name in KEY_MEASURES},
        }
        for one in found.all
    ]  # fmt: skip
    means = {name: f"Mean of the replications. {MEASURES[name]}" for name in KEY_MEASURES}
    return table_of(
        "overview", "Scenarios", rows,
        {
            "scenario": "Name of the variation.",
            "changes": "What it has in place of the base's values.",
            "same_calls": "Whether every replication has the calls and police jobs of the base; "
            "where not, differences are those of other calls too.",
            **means,
        },
    )  # fmt: skip


def scenario_table(found: Comparison) -> Table:
    """Return one row for each scenario and measure."""
    rows = [
        {"scenario": one.name, **_told(measure, one.interval(measure)),
         "replications": one.interval(measure).n}
        for one in found.all
        for measure in MEASURES
    ]  # fmt: skip
    return table_of(
        "scenarios", "Every measure of every scenario", rows,
        {
            "scenario": "Name of the variation.",
            "measure": "Name of the measure; the definitions of the overview and of study simulate "
            "hold: " + " ".join(f"{short(name)}: {said}" for name, said in MEASURES.items()),
            "mean": "Mean over the replications.",
            "low": f"Lower end of its {found.confidence:.0%} interval (Student's t).",
            "high": "Its upper end.",
            "unit": UNIT,
            "replications": "That have the measure.",
        },
    )  # fmt: skip


def _told(measure: str, told: Interval) -> dict[str, Any]:
    unit, by = shown_in(measure)
    return {
        "measure": short(measure), "mean": told.mean / by, "low": told.low / by,
        "high": told.high / by, "unit": unit,
    }  # fmt: skip


def difference_table(found: Comparison) -> Table:
    """Return one row for each scenario but the base and each measure."""
    rows = []
    for one in found.others:
        for measure in MEASURES:
            told = one.difference(found.base, measure)
            rows.append({
                "scenario": one.name, **_told(measure, told), "replications": told.n,
                "difference": is_clear(told),
            })  # fmt: skip
    made = table_of(
        "differences", "Differences to the base", rows,
        {
            "scenario": "Name of the variation.",
            "measure": "Name of the measure.",
            "mean": "Mean over the replications of the scenario's less the base's, each "
            "replication beside the one with the same calls and durations.",
            "low": f"Lower end of its {found.confidence:.0%} interval (Student's t, paired).",
            "high": "Its upper end.",
            "unit": "Of the figures of this row; shares in percentage points.",
            "replications": "In which both have the measure.",
            "difference": f"{CLEAR}: the interval lies on one side of 0. {NOT_CLEAR}: it holds 0, "
            "or there are too few replications.",
        },
    )  # fmt: skip
    return replace(made, notes=(MANY,))


def replication_table(found: Comparison) -> Table:
    """Return one row for each scenario, replication and measure, from which all else is made."""
    scenarios = (*found.all, *(end for one in found.tried for end in (one.low, one.high)))
    rows = [
        {"scenario": one.name, "replication": run.replication, "measure": measure,
         "value": float(value)}
        for one in scenarios
        for run in one.measured
        for measure, value in zip(MEASURES, run.values, strict=True)
    ]  # fmt: skip
    return table_of(
        "replications", "Every replication", rows,
        {
            "scenario": "Name of the variation.",
            "replication": "Number from 0; the same one has the same calls in every scenario.",
            "measure": "Name of the measure; _s in seconds, _share of 1.",
            "value": "What was measured; none where there is nothing to measure.",
        },
    )  # fmt: skip


def sensitivity_table(found: Comparison) -> Table:
    """Return one row for each assumption and measure, the greatest swing of each first."""
    rows = [
        _sensitivity(found, one, measure)
        for measure in SENSITIVE
        for one in by_swing(found, measure)
    ]
    made = table_of(
        "sensitivity", "One assumption at a time", rows,
        {
            "measure": "Name of the measure.",
            "assumption": "Key of the scenario.",
            "taken": "Value of the base.",
            "tried_low": "Value tried.",
            "tried_high": "Value tried.",
            "at_low": "Mean of the measure above the base's with the low value, pair by pair.",
            "low_difference": f"{CLEAR}: its {found.confidence:.0%} interval lies apart from 0.",
            "at_high": "The same with the high value.",
            "high_difference": f"{CLEAR}: its {found.confidence:.0%} interval lies apart from 0.",
            "unit": "Of at_low and at_high; shares in percentage points.",
            "source": "Of the range.",
        },
    )  # fmt: skip
    return replace(made, notes=(MANY,))


def by_swing(found: Comparison, measure: str) -> Sequence[Tried]:
    """Return the assumptions, the one that changes a measure most first."""
    return sorted(found.tried, key=lambda one: -one.swing(found.base, measure))


def _sensitivity(found: Comparison, one: Tried, measure: str) -> dict[str, Any]:
    unit, by = shown_in(measure)
    low, high = (end.difference(found.base, measure) for end in (one.low, one.high))
    return {
        "measure": short(measure), "assumption": one.range.dotted,
        "taken": float(getattr(found.base.scenario.durations, one.range.key)),
        "tried_low": float(one.range.low), "tried_high": float(one.range.high),
        "at_low": low.mean / by, "low_difference": is_clear(low),
        "at_high": high.mean / by, "high_difference": is_clear(high),
        "unit": unit, "source": one.range.source,
    }  # fmt: skip
