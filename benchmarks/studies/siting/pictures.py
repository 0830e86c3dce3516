"""The pictures of a siting study: where each model posts CARE, and what each further post gains.

Equal results give equal bytes.
"""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from api.map_drawing import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    legend,
    outline,
    png_of,
    street_map,
    window_around,
)
from benchmarks.studies.scenario import Model
from benchmarks.studies.siting.siting_tables import Sitings
from benchmarks.studies.tables import Picture
from benchmarks.studies.world import some_of
from routing.codes import Agency
from routing.coverage import LONGEST_MS

LOOKS: Final = {
    Model.P_MEDIAN: ("o", BLUE, 17.0, "-", "p-median: least mean"),
    Model.MCLP: ("D", GREEN, 12.5, "--", "MCLP: most within the standard"),
    Model.P_CENTER: ("X", ORANGE, 10.0, "-.", "p-center: least longest"),
    Model.MEXCLP: ("P", PURPLE, 8.0, ":", "MEXCLP: most, units busy"),
    Model.LSCP: ("*", SKY, 11.0, (0, (1, 4)), "LSCP: fewest that cover"),
}  # fmt: skip
"""Marker, colour, size on the map, dashes and name; sizes differ: one post shows them all."""
DOT: Final = 2.0


def drawn_count(found: Sitings) -> int:
    """Return the number of posts tried that is nearest to how many there are today."""
    tried = sorted({one.count for one in found.sited if one.count}) or [1]
    return min(tried, key=lambda count: (abs(count - found.candidates.n_today), count))


def post_map(found: Sitings) -> Picture:
    """Return the map of the posts of every model, with as many as there are today."""
    count, world = drawn_count(found), found.world
    areas = world.areas["zone"].outlines
    window = window_around(areas, world.network)
    title = f"Where CARE would stand with {count} {'post' if count == 1 else 'posts'}"
    figure, axes = street_map(world.network, window, title)
    for area in areas:
        outline(axes, area, color=BLACK, lw=1.2, ls=(0, (5, 3)), zorder=3)
    _calls(axes, found)
    handles = _standing(axes, found)
    for model, (marker, colour, size, _, name) in LOOKS.items():
        chosen = [s for s in found.sited if s.model == model and s.count in {0, count}]
        for one in chosen[:1]:
            at = some_of(found.candidates.at, np.unique(one.sites))
            axes.plot(at.lon, at.lat, marker, ms=size, color=colour, mec="white", mew=1.0,
                      zorder=8 - size / 100)  # fmt: skip
            handles.append(
                Line2D([], [], marker=marker, color=colour, ls="none", ms=min(size, 10.0),
                       mec="white", label=name)
            )  # fmt: skip
    legend(axes, handles, 3)
    return Picture(
        name="siting_map", png=png_of(figure),
        words=f"The posts of each model with {count} to place (LSCP: as many as it needs); models "
        "that choose one place are drawn upon each other, the larger beneath. Grey dots are calls, "
        "the larger the more; triangles are police, open squares today's posts of CARE.",
    )  # fmt: skip


def _calls(axes: Axes, found: Sitings) -> None:
    at = some_of(found.points.calls, found.points.row)
    axes.scatter(at.lon, at.lat, s=DOT * found.points.weight, color="#8C8C8C", lw=0, zorder=2)


def _standing(axes: Axes, found: Sitings) -> list[Line2D]:
    """Draw today's posts; returns the lines of a legend."""
    police = found.arrivals.standing.at[Agency.SPD]
    care = some_of(found.candidates.at, found.today)
    window = axes.axis()
    axes.plot(police.lon, police.lat, "^", ms=7, color="#5A5A5A", mec="white", zorder=5)
    axes.plot(care.lon, care.lat, "s", ms=22, mfc="none", mec=BLACK, mew=1.8, zorder=6)
    axes.axis(window)
    return [
        Line2D([], [], marker="s", color=BLACK, mfc="none", ls="none", ms=10, label="CARE today"),
        Line2D([], [], marker="^", color="#5A5A5A", mec="white", ls="none", ms=7, label="SPD"),
    ]


def post_curves(found: Sitings) -> Picture:
    """Return what each number of posts does, by model, beside today's."""
    figure = Figure(figsize=(9.6, 5.6), layout="constrained")
    panels = figure.subplots(1, 3)
    minutes = f"{found.within_s / 60:g} min"
    said = (f"% of calls within {minutes}", "mean minutes", "minutes of the latest call reached")
    for column, (axes, title) in enumerate(zip(panels, said, strict=True)):
        _curve(axes, found, column)
        axes.set_title(title, loc="left", fontsize=11)
        axes.set_xlabel("posts (MEXCLP: units)")
        axes.xaxis.get_major_locator().set_params(integer=True)
        if column == 0:
            axes.set_ylim(top=102, bottom=max(0.0, min(95.0, axes.get_ylim()[0])))
        axes.grid(color="#E0E0E0", lw=0.7)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8.5, frameon=False)
    return Picture(
        name="siting_curves", png=png_of(figure),
        words="What the solutions do at all calls, by their number of posts; the square is today, "
        "the line across is police alone, which no post of CARE can beat.",
    )  # fmt: skip


def _curve(axes: Axes, found: Sitings, column: int) -> None:
    for model, (marker, colour, _, dashes, name) in LOOKS.items():
        chosen = [one for one in found.sited if one.model == model and len(one.sites)]
        posts = [len(np.unique(one.sites)) if not one.count else one.count for one in chosen]
        told = [_told(found, one.sites)[column] for one in chosen]
        if chosen:
            axes.plot(posts, told, marker=marker, color=colour, ls=dashes, lw=1.6, ms=6, label=name)
    if found.candidates.n_today:
        axes.plot([found.candidates.n_today], [_told(found, found.today)[column]], "s", ms=12,
                  mfc="none", mec=BLACK, mew=1.6, ls="none", label="today")  # fmt: skip
    axes.axhline(_of(found.spd_ms, found)[column], color=BLACK, lw=1.0, label="police alone")


def _told(found: Sitings, sites: np.ndarray) -> tuple[float, float, float]:
    return _of(found.pair_ms(sites), found)


def _of(ms: np.ndarray, found: Sitings) -> tuple[float, float, float]:
    """Return per cent within the standard, mean minutes and the longest minutes."""
    reached = ms[ms < LONGEST_MS] / 60_000
    share = 100 * float((ms <= 1000 * found.within_s).mean())
    if not len(reached):
        return share, np.nan, np.nan
    return share, float(reached.mean()), float(reached.max())
