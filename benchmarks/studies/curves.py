"""What the pictures of studies have in common: curves of how soon units come, and hours of a day.

What lives here: one axes drawn in one way. What does not: whose figures they show and in which
words (`past.pictures`, `simulation.pictures`).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from api.impact.reach import PAIR
from api.map_drawing import KIND_MARKS, OF_KIND, STREETS

Reals = NDArray[np.float64]
MARKS: Final = 12
"""Markers along a curve."""


def reach_curves(
    axes: Axes, seconds: Mapping[str, Reals], *, longest_min: int, counts: bool = False
) -> None:
    """Draw for each kind the share of its calls that is reached by each minute.

    Parameters
    ----------
    seconds
        By kind, a value for each call; NaN is left out.
    counts
        Whether the legend tells of how many calls the pair is.
    """
    for kind, values in seconds.items():
        known = np.sort(values[~np.isnan(values)]) / 60
        if not len(known):
            continue
        is_pair = kind == PAIR  # wide and pale, beneath the kind that it mostly waits for
        both = f"both ({len(known):,} calls)" if counts else "both"
        axes.plot(
            known, 100 * np.arange(1, len(known) + 1) / len(known), color=OF_KIND[kind],
            alpha=0.4 if is_pair else 1.0, lw=5.0 if is_pair else 1.8, marker=KIND_MARKS[kind],
            ms=4, markevery=max(1, len(known) // MARKS), zorder=1 if is_pair else 2,
            label=both if is_pair else kind,
        )  # fmt: skip
    axes.set(xlim=(0, longest_min), ylim=(0, 102), xticks=range(0, longest_min + 1, 5))
    axes.grid(color=STREETS, lw=0.6)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8.5, frameon=False, loc="lower right")


def hours_of_day(axes: Axes, ylabel: str, *, columns: int) -> None:
    """Give bars by the local hour their scale, and a legend of so many columns."""
    axes.set(xticks=range(24), xlim=(-0.7, 23.7), xlabel="local hour", ylabel=ylabel)
    axes.legend(fontsize=8.5, frameon=False, ncols=columns)
    axes.grid(axis="y", color=STREETS, lw=0.6)
    axes.set_axisbelow(True)
