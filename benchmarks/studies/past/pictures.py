"""The pictures of a replay: where calls are and what became of them, when, and how soon units come.

Equal results give equal bytes.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from api.impact.reach import PAIR
from api.map_drawing import (
    BLACK,
    BLUE,
    GREEN,
    OF_KIND,
    ORANGE,
    legend,
    outline,
    png_of,
    posts,
    street_map,
    window_around,
)
from benchmarks.studies.curves import hours_of_day, reach_curves
from benchmarks.studies.past.replay_tables import Replayed, gains
from benchmarks.studies.tables import Picture
from routing.codes import Agency, Outcome

Reals = NDArray[np.float64]
_STYLE: Final = (
    (Outcome.NOT_ELIGIBLE, "refused", "x", ORANGE, "", 14),
    (Outcome.DISPATCH, "sent", "D", GREEN, "", 13),
    (Outcome.HOLD, "held", "o", BLACK, "////", 18),
)
"""Outcome, words, marker, colour, hatch, size: told apart in black and white too."""
LONGEST_MIN: Final = 20
CALLS_CROWDED: Final = 2_000
"""From so many calls on markers are smaller."""


def call_map(found: Replayed) -> Picture:
    """Return the map of the calls by what became of them."""
    world, calls = found.world, found.calls
    areas = world.areas["zone"].outlines
    window = window_around(areas, world.network)
    figure, axes = street_map(world.network, window, "What became of the calls")
    small = max(0.2, min(1.0, (CALLS_CROWDED / max(len(calls), 1)) ** 0.5))
    handles: list[Line2D] = []
    for outcome, words, marker, colour, _, size in _STYLE:
        some = found.is_outcome(outcome)
        axes.scatter(
            calls.lon[some], calls.lat[some], s=size * small, marker=marker, zorder=4,
            lw=0.8 * max(small, 0.5), alpha=0.75,
            facecolors=colour if marker in "xD" else "none",
            edgecolors=None if marker == "x" else colour,
        )  # fmt: skip
        said = f"{words} ({some.sum():,})"
        face = colour if marker in "xD" else "none"
        handles.append(Line2D([], [], marker=marker, ls="none", color=colour, mfc=face, label=said))
    for area in areas:
        outline(axes, area, color=BLUE, lw=1.5, ls=(0, (5, 3)), zorder=5)
    at = world.post_positions
    places = {a: list(zip(at[a].lon.tolist(), at[a].lat.tolist(), strict=True)) for a in Agency}
    handles += posts(axes, places, window)
    legend(axes, handles, 3)
    return Picture(
        name="replay_map", png=png_of(figure),
        words="Every call within the map: a diamond where units are sent at once, a ring where the "
        "pair waits, a cross where the call is refused. The dashed line is the edge of the zones; "
        "counts are of all calls of the period, and calls at one place cover each other.",
    )  # fmt: skip


def hour_bars(found: Replayed) -> Picture:
    """Return what became of the calls by hour of the day."""
    hour = found.hour_of_week % 24
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    axes = figure.subplots()
    bottom = np.zeros(24)
    for outcome, words, _, colour, hatch, _ in (_STYLE[1], _STYLE[2], _STYLE[0]):
        n = np.bincount(hour[found.is_outcome(outcome)], minlength=24)
        face = colour if outcome is not Outcome.HOLD else "white"
        axes.bar(
            np.arange(24), n, bottom=bottom, width=0.85, color=face, edgecolor=BLACK, lw=0.6,
            hatch=hatch or ("" if outcome is Outcome.DISPATCH else ".."), label=words,
        )  # fmt: skip
        bottom += n
    hours_of_day(axes, "calls", columns=3)
    return Picture(
        name="replay_hours", png=png_of(figure),
        words="Calls by the local hour in which they came: sent at once (plain), held (hatched) "
        "and refused (dotted).",
    )  # fmt: skip


def arrival_curves(found: Replayed) -> Picture:
    """Return the shares of calls with DISPATCH that are reached by each minute."""
    sent = found.is_outcome(Outcome.DISPATCH)
    decided = found.decided
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots()
    kinds = {
        PAIR: decided.pair_s, str(Agency.CARE): decided.care_s, str(Agency.SPD): decided.spd_s
    }  # fmt: skip
    seconds = {kind: values[sent] for kind, values in kinds.items()}
    reach_curves(axes, seconds, longest_min=LONGEST_MIN, counts=True)
    axes.set(
        xlabel="minutes from the decision", ylabel="% of the calls to which they are sent"
    )  # fmt: skip
    return Picture(
        name="replay_arrivals", png=png_of(figure),
        words="How soon the units of the answers come, each free at its post: CARE (squares), SPD "
        "(triangles), both (circles, wide). Not comparable with what was recorded.",
    )  # fmt: skip


def gain_bars(found: Replayed) -> Picture | None:
    """Return how many seconds are gained, None where nothing is compared."""
    told = {kind: values[~np.isnan(values)] for kind, values in gains(found).items()}
    shown: Sequence[str] = [kind for kind in (*map(str, Agency), PAIR) if len(told[kind])]
    if not shown:
        return None
    figure = Figure(figsize=(3.4 * len(shown) + 0.6, 3.2), layout="constrained")
    drawn = figure.subplots(1, len(shown), sharey=False, squeeze=False)[0]
    for axes, kind in zip(drawn, shown, strict=True):
        minutes = np.clip(told[kind] / 60, -LONGEST_MIN / 2, LONGEST_MIN / 2)
        axes.hist(minutes, bins=np.arange(-10, 10.5, 1), color=OF_KIND[kind], ec="white")
        axes.axvline(0, color=BLACK, lw=1, ls="--")
        name = "both" if kind == PAIR else kind
        axes.set_title(f"{name} ({len(minutes):,} calls)", loc="left", fontsize=10)
        axes.set(xlabel="minutes gained: to the right sooner", ylabel="calls")
    return Picture(
        name="replay_gains", png=png_of(figure),
        words="Minutes by which the answer's unit is there before the recorded one, both by the "
        "drive times of the study; beyond 10 minutes in the last bar.",
    )  # fmt: skip
