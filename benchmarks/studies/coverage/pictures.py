"""The pictures of a coverage study: where the pair is when, how many it reaches, and at what hours.

Equal results give equal bytes.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from api.impact.reach import PAIR, WITHIN_S
from api.map_drawing import (
    BLUE,
    KIND_MARKS,
    OF_KIND,
    arrival_classes,
    legend,
    outline,
    png_of,
    posts,
    street_map,
    window_around,
)
from benchmarks.studies.coverage.arrivals import ALL, Arrivals
from benchmarks.studies.coverage.coverage_tables import HourMeasured, minutes_of
from benchmarks.studies.coverage.hours import DAYS, in_words
from benchmarks.studies.coverage.standing import KINDS
from benchmarks.studies.tables import Picture
from benchmarks.studies.world import World
from geodata.network import HOURS_PER_WEEK
from routing.coverage import Pieces, Shares

UNKNOWN: Final = -1.0
DARK: Final = 0.6
"""Of the scale of colours, from where figures in cells are dark: the scale ends in yellow."""


def arrival_map(world: World, arrivals: Arrivals, pieces: Pieces, hour: int) -> Picture:
    """Return the map of the pair's arrival along every street of the zones."""
    areas = world.areas["zone"].outlines
    window = window_around(areas, world.network)
    title = f"When the pair is there, {in_words(hour)}"
    figure, axes = street_map(world.network, window, title)
    handles = arrival_classes(axes, pieces, _middle_s(arrivals, pieces))
    for area in areas:
        outline(axes, area, color=BLUE, lw=1.5, ls=(0, (5, 3)), zorder=5)
    at = arrivals.standing.at
    places = {
        kind: list(zip(at[kind].lon.tolist(), at[kind].lat.tolist(), strict=True)) for kind in KINDS
    }
    handles += posts(axes, places, window)
    legend(axes, handles, 3)
    return Picture(
        name="coverage_map", png=png_of(figure),
        words="Minutes from dispatch until both CARE and SPD are there, along every street of the "
        "zones (dashed outline); thicker is sooner. Squares are CARE, triangles police.",
    )  # fmt: skip


def _middle_s(arrivals: Arrivals, pieces: Pieces) -> NDArray[np.float64]:
    """Return (n_pieces,) seconds until the pair is in the middle of each stretch."""
    care, spd = (times.middle_ms for times in arrivals.over(pieces)[PAIR])
    seconds: NDArray[np.float64] = np.maximum(care, spd) / 1000
    return seconds


def curves(panels: Mapping[str, Mapping[str, Shares]], hour: int) -> Picture:
    """Return the shares reached by each minute; each panel's shares are within `WITHIN_S`."""
    figure = Figure(figsize=(9.6, 4.0), layout="constrained")
    drawn = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    minutes = np.array(WITHIN_S) / 60
    for axes, (title, shares) in zip(drawn, panels.items(), strict=True):
        for kind in ALL:
            is_pair = kind == PAIR  # wide and pale, beneath the kind that it mostly waits for
            axes.plot(
                minutes, 100 * np.array(shares[kind].within), color=OF_KIND[kind],
                alpha=0.4 if is_pair else 1.0, lw=5.0 if is_pair else 1.8,
                zorder=1 if is_pair else 2, marker=KIND_MARKS[kind], ms=4, markevery=2,
                label="both" if is_pair else kind,
            )  # fmt: skip
        axes.set_title(title, loc="left", fontsize=11)
        axes.set(
            xlim=(0, 20), ylim=(0, 102), xticks=range(0, 21, 5), xlabel="minutes from dispatch"
        )
        axes.grid(color="#E0E0E0", lw=0.7)
    drawn[0].set_ylabel("% reached")
    drawn[-1].legend(fontsize=8.5, frameon=False, loc="lower right")
    return Picture(
        name="coverage_curves", png=png_of(figure),
        words=f"Share reached within so many minutes of dispatch, {in_words(hour)}: by CARE "
        "(squares), by SPD (triangles) and by both (circles, wide).",
    )  # fmt: skip


def week_heat(found: Sequence[HourMeasured], standard: tuple[int, float]) -> Picture:
    """Return the week, an hour a cell: share of all calls that the pair would reach in time."""
    k, limit_s = standard
    share = np.full(HOURS_PER_WEEK, UNKNOWN)
    for one in found:
        if all(one.arrivals.standing.units.values()) and one.calls.shares[PAIR].total:
            share[one.hour] = one.calls.shares[PAIR].within[k]
    grid = share.reshape(7, 24)
    figure = Figure(figsize=(9.6, 3.6), layout="constrained")
    axes = figure.subplots()
    colours = colormaps["cividis"].with_extremes(bad="#F2F2F2")
    image = axes.imshow(np.ma.masked_less(grid, 0), cmap=colours, vmin=0, vmax=1, aspect="auto")
    for day, hour in np.ndindex(grid.shape):
        value = grid[day, hour]
        said = "-" if value < 0 else f"{100 * value:.0f}"
        dark = value < 0 or value > DARK
        axes.text(hour, day, said, ha="center", va="center", fontsize=7.5,
                  color="black" if dark else "white")  # fmt: skip
    axes.set(xticks=range(24), yticks=range(7), yticklabels=DAYS, xlabel="local hour")
    axes.tick_params(labelsize=8)
    title = f"% of the calls in the zones that the pair would reach within {minutes_of(limit_s)}"
    axes.set_title(title, loc="left", fontsize=11)
    figure.colorbar(image, ax=axes, shrink=0.9)
    return Picture(
        name="coverage_week", png=png_of(figure),
        words="By hour of the week, with the units on duty and the drive times of the hour; a dash "
        "where no pair is on duty or nobody knows who was.",
    )  # fmt: skip
