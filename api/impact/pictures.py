"""The pictures of a report: what changes hands, where the pair is when, and the curves of coverage.

Only `tandem release impact` imports this module: the service never loads matplotlib.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from api.impact.judging import Level
from api.impact.measure import Impact
from api.impact.reach import PAIR, WITHIN_S
from api.map_drawing import (
    BLACK,
    BLUE,
    KIND_MARKS,
    OF_KIND,
    ORANGE,
    YELLOW,
    Window,
    arrival_classes,
    fill,
    legend,
    name_at,
    outline,
    png_of,
    posts,
    street_map,
    window_around,
)

DOTS_MAX: Final = 4_000
NAMED_MAX: Final = 30
"""Zones whose ids are written on the map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """PNG files."""

    change: bytes
    arrival: bytes
    curves: bytes


def draw(impact: Impact) -> Pictures:
    """Return the pictures of an impact; equal impacts give equal bytes."""
    return Pictures(change=_change(impact), arrival=_arrival(impact), curves=_curves(impact))


def _map(impact: Impact, title: str) -> tuple[Figure, Axes, Window]:
    network = impact.reached.pieces.network
    window = window_around(impact.ground.taken, network)
    return *street_map(network, window, title), window


def _posts(axes: Axes, impact: Impact, window: Window) -> list[Line2D]:
    of = impact.question.posts.of
    return posts(axes, {agency: list(places.values()) for agency, places in of.items()}, window)


def _change(impact: Impact) -> bytes:
    figure, axes, window = _map(impact, "What changes hands")
    live, draft = impact.ground.taken
    won, lost = shapely.difference(draft, live), shapely.difference(live, draft)
    fill(axes, live, facecolor=YELLOW, alpha=0.18, lw=0, zorder=0)
    fill(axes, won, facecolor=BLUE, alpha=0.22, lw=0, zorder=2)
    fill(axes, won, facecolor="none", edgecolor=BLUE, hatch="///", lw=0, alpha=0.6, zorder=2)
    fill(axes, lost, facecolor=ORANGE, alpha=0.22, lw=0, zorder=2)
    fill(axes, lost, facecolor="none", edgecolor=ORANGE, hatch="...", lw=0, alpha=0.8, zorder=2)
    outline(axes, live, color=BLACK, lw=1.6, ls="-", zorder=4)
    outline(axes, draft, color=BLUE, lw=1.8, ls=(0, (5, 3)), zorder=5)
    _zone_names(axes, impact)
    before, after = (one.level >= Level.IN_HOURS for one in impact.judged)
    dots = [
        _dots(axes, impact, after & ~before, "o", BLUE, "call gained, in hours"),
        _dots(axes, impact, before & ~after, "x", ORANGE, "call lost, in hours"),
    ]
    handles = [
        Line2D([], [], color=BLACK, lw=1.6, label="area of the live release"),
        Line2D([], [], color=BLUE, lw=1.8, ls=(0, (5, 3)), label="area of the draft"),
        Patch(facecolor="#CCE3F0", edgecolor=BLUE, hatch="///", lw=0, label="gained"),
        Patch(facecolor="#F7DFCC", edgecolor=ORANGE, hatch="...", lw=0, label="lost"),
        *dots, *_posts(axes, impact, window),
    ]  # fmt: skip
    legend(axes, handles, 2)
    return png_of(figure)


def _zone_names(axes: Axes, impact: Impact) -> None:
    """Draw the edges of the draft's zones, and write their ids where there are but a few."""
    zones = impact.question.draft.release.zones.zones
    for zone in zones:
        outline(axes, zone.geometry, color=BLACK, lw=0.9, ls=":", zorder=3)
    for zone in zones if len(zones) <= NAMED_MAX else ():
        name_at(axes, zone.geometry, zone.zone_id)


def _dots(
    axes: Axes, impact: Impact, rows: NDArray[np.bool_], marker: str, colour: str, label: str
) -> Line2D:
    """Draw calls, at most some thousands of them, evenly chosen."""
    chosen = np.flatnonzero(rows)
    chosen = chosen[:: max(1, len(chosen) // DOTS_MAX)]
    history = impact.question.history
    axes.plot(
        history.lon[chosen], history.lat[chosen], marker, ms=2.6, color=colour, alpha=0.55,
        mew=0 if marker == "o" else 0.8, ls="none", zorder=6,
    )  # fmt: skip
    return Line2D([], [], marker=marker, color=colour, ls="none", ms=4, label=label)


def _arrival(impact: Impact) -> bytes:
    figure, axes, window = _map(impact, "When the pair is there, under the draft")
    pieces, seconds = impact.reached.pieces, impact.reached.pair_ms / 1000
    handles = arrival_classes(axes, pieces, seconds)
    outline(axes, impact.ground.taken[1], color=BLUE, lw=1.5, ls=(0, (5, 3)), zorder=5)
    legend(axes, [*handles, *_posts(axes, impact, window)], 3)
    return png_of(figure)


# -- curves ---------------------------------------------------------------------------------------

_TITLES: Final = {
    "CALLS_IN_HOURS": "Calls in hours", "ELIGIBLE_CALLS": "Eligible calls",
    "STREETS": "Metres of street", "LAND": "Land near a street",
}  # fmt: skip


def _curves(impact: Impact) -> bytes:
    figure = Figure(figsize=(9.6, 4.0), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    minutes = np.array(WITHIN_S) / 60
    for axes, of in zip(panels, ("CALLS_IN_HOURS", "STREETS"), strict=True):
        for reach in impact.reached.reaches:
            if reach.of != of:
                continue
            is_draft = reach.release == "DRAFT"
            for kind, shares in reach.shares.items():
                is_pair = kind == PAIR  # wide and pale, beneath the kind that it mostly waits for
                axes.plot(
                    minutes, 100 * np.array(shares.within), color=OF_KIND[kind],
                    ls="-" if is_draft else (0, (2, 2)), alpha=0.4 if is_pair else 1.0,
                    lw=5.0 if is_pair else 1.8 if is_draft else 1.3, zorder=1 if is_pair else 2,
                    marker=KIND_MARKS[kind], ms=4, markevery=2 if is_draft else (1, 2),
                    mfc=OF_KIND[kind] if is_draft else "white",
                    label=f"{kind.lower() if is_pair else kind}, {reach.release.lower()}",
                )  # fmt: skip
        axes.set_title(_TITLES[of], loc="left", fontsize=11)
        axes.set(
            xlim=(0, 20), ylim=(0, 102), xticks=range(0, 21, 5), xlabel="minutes from dispatch"
        )
        axes.grid(color="#E0E0E0", lw=0.7)
    panels[0].set_ylabel("% reached")
    panels[1].legend(fontsize=8.5, frameon=False, loc="lower right")
    return png_of(figure)
