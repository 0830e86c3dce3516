"""The pictures of a comparison: measures by scenario, by one number that varies, and a tornado.

Equal results give equal bytes; everything can be told apart in black and white.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from api.map_drawing import BLACK, BLUE, ORANGE, STREETS, png_of
from benchmarks.studies.comparing.compare_tables import KEY_MEASURES, Comparison, by_swing, short
from benchmarks.studies.comparing.ranges import SENSITIVE, Tried
from benchmarks.studies.comparing.scenarios import Compared
from benchmarks.studies.simulation.intervals import Interval
from benchmarks.studies.simulation.simulation_tables import shown_in
from benchmarks.studies.tables import Picture

NAME_MAX: Final = 28
COLUMNS: Final = 3
TRIED_SHOWN: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """Scenarios that differ in one number alone, sorted by it."""

    key: str
    numbers: tuple[float, ...]
    scenarios: tuple[Compared, ...]


def curve_of(found: Comparison) -> Curve | None:
    """Return the curve with most scenarios, the base among them; None where no number varies."""
    by_key: dict[str, dict[float, Compared]] = {}
    for one in found.others:
        if len(one.changes) == 1:
            ((key, value),) = one.changes.items()
            if _is_number(value):
                by_key.setdefault(key, {})[float(value)] = one  # type: ignore[arg-type]
    if not by_key:
        return None
    key, points = max(by_key.items(), key=lambda item: len(item[1]))
    own = _at(found.base.scenario.told, key)
    if _is_number(own):
        points[float(own)] = found.base  # type: ignore[arg-type]
    if len(points) < 3:
        return None
    numbers = tuple(sorted(points))
    return Curve(key=key, numbers=numbers, scenarios=tuple(points[number] for number in numbers))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _at(told: Mapping[str, object], key: str) -> object:
    at: Any = told
    for part in key.split("."):
        if isinstance(at, Mapping):
            at = at.get(part)
        elif isinstance(at, Sequence) and part.isdigit() and int(part) < len(at):
            at = at[int(part)]
        else:
            return None
    return at


def curve_picture(found: Comparison) -> Picture | None:
    """Return the first measures by the number that varies, None where none does."""
    curve = curve_of(found)
    if curve is None:
        return None
    figure, panels = _panels(2.7)
    for axes, measure in zip(panels, KEY_MEASURES, strict=True):
        means, lows, highs = _spans([one.interval(measure) for one in curve.scenarios], measure)
        axes.fill_between(curve.numbers, lows, highs, color=BLUE, alpha=0.25, lw=0)
        axes.plot(curve.numbers, means, color=BLUE, marker="o", ms=4.5, lw=1.6)
        axes.set(xticks=curve.numbers)
        axes.set_xlabel(curve.key, fontsize=8)
        if found.base in curve.scenarios:
            own = curve.numbers[curve.scenarios.index(found.base)]
            axes.axvline(own, color=BLACK, lw=0.8, ls=":")
        _headed(axes, measure)
    return Picture(
        name="compare_curve", png=png_of(figure),
        words=f"The first measures by {curve.key}: means over the replications (points) and their "
        f"{found.confidence:.0%} intervals (bands). The dotted line is the base.",
    )  # fmt: skip


def scenario_picture(found: Comparison) -> Picture:
    """Return the first measures of every scenario."""
    n = len(found.all)
    figure, panels = _panels(max(2.2, 0.6 + 0.26 * n))
    names = [_name(one.name) for one in found.all]
    rows = np.arange(n)
    for place, (axes, measure) in enumerate(zip(panels, KEY_MEASURES, strict=True)):
        means, lows, highs = _spans([one.interval(measure) for one in found.all], measure)
        axes.hlines(rows, lows, highs, color=BLUE, lw=2.2)
        axes.plot(means[1:], rows[1:], "o", color=BLUE, ms=5)
        axes.plot(means[:1], rows[:1], "D", color=BLACK, ms=6)
        if means[0] == means[0]:
            axes.axvline(means[0], color=BLACK, lw=0.8, ls=":")
        axes.set(ylim=(n - 0.4, -0.6), yticks=rows)
        axes.set_yticklabels(names if place % COLUMNS == 0 else [], fontsize=8)
        _headed(axes, measure)
    return Picture(
        name="compare_scenarios", png=png_of(figure),
        words="The first measures of each scenario: means over the replications and their "
        f"{found.confidence:.0%} intervals. The diamond and the dotted line are the base. Whether "
        "a difference is clear is in the table of differences: it is taken pair by pair and often "
        "clear where these intervals overlap.",
    )  # fmt: skip


def tornado_picture(found: Comparison) -> Picture:
    """Return how far each assumption moves each of three measures."""
    shown = min(TRIED_SHOWN, len(found.tried))
    figure = Figure(figsize=(12.6, 1.4 + 0.3 * shown), layout="constrained")
    drawn = figure.subplots(1, len(SENSITIVE), squeeze=False)[0]
    for axes, measure in zip(drawn, SENSITIVE, strict=True):
        _tornado(axes, found, by_swing(found, measure)[:shown], measure)
    handles, labels = drawn[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=8.5, frameon=False)
    return Picture(
        name="compare_tornado", png=png_of(figure),
        words="How far a measure moves from the base (the line at 0) when one assumption alone is "
        "at the low (plain) or the high (hatched) end of its range, which stands beside its key; "
        f"the {shown} that move it most. Thin lines are intervals.",
    )  # fmt: skip


def _tornado(axes: Axes, found: Comparison, tried: Sequence[Tried], measure: str) -> None:
    rows = np.arange(len(tried))
    for name, colour, hatch in (("low", ORANGE, ""), ("high", "white", "////")):
        ends = [getattr(one, name).difference(found.base, measure) for one in tried]
        means, lows, highs = _spans(ends, measure)
        axes.barh(
            rows, np.nan_to_num(means), height=0.66, color=colour, edgecolor=BLACK, lw=0.7,
            hatch=hatch, label=f"{name} end of the range", alpha=0.85,
        )  # fmt: skip
        axes.hlines(rows + (0.12 if hatch else -0.12), lows, highs, color=BLACK, lw=0.9)
    axes.axvline(0, color=BLACK, lw=1)
    axes.set(ylim=(len(tried) - 0.4, -0.6), yticks=rows)
    axes.set_yticklabels(
        [f"{one.range.key} {one.range.low:g}-{one.range.high:g}" for one in tried], fontsize=7.5
    )
    _headed(axes, measure)


def _panels(height: float) -> tuple[Figure, list[Axes]]:
    rows = -(-len(KEY_MEASURES) // COLUMNS)
    figure = Figure(figsize=(10.8, rows * height), layout="constrained")
    return figure, list(figure.subplots(rows, COLUMNS, squeeze=False).ravel())


def _headed(axes: Axes, measure: str) -> None:
    unit, _ = shown_in(measure)
    axes.set_title(f"{short(measure).replace('_', ' ')} ({unit})", loc="left", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(color=STREETS, lw=0.6)
    axes.set_axisbelow(True)


def _spans(told: Sequence[Interval], measure: str) -> tuple[list[float], list[float], list[float]]:
    """Return means and ends as they are shown; an end that nobody knows is the mean."""
    _, by = shown_in(measure)
    means = [one.mean / by for one in told]
    lows = [(one.low if one.n > 1 else one.mean) / by for one in told]
    highs = [(one.high if one.n > 1 else one.mean) / by for one in told]
    return means, lows, highs


def _name(name: str) -> str:
    return name if len(name) <= NAME_MAX else f"{name[: NAME_MAX - 1]}…"
