"""The pictures of a report: what changes hands, where the pair is when, and the curves of coverage.

Only `tandem release impact` imports this module: the service never loads matplotlib. Colours are
from Okabe and Ito's palette or from plasma, which people with any common colour vision can tell
apart; hatches, widths, dashes and markers say the same in black and white.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import numpy as np
import shapely
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as DrawnPath
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from api.impact.judging import Level
from api.impact.measure import Impact
from api.impact.reach import PAIR, WITHIN_S
from geodata.earth import metres_per_degree
from geodata.network import RoadClass, StreetNetwork
from routing.codes import Agency
from routing.coverage import stretch_line

BLUE: Final = "#0072B2"
ORANGE: Final = "#D55E00"
GREEN: Final = "#009E73"
BLACK: Final = "#222222"
STREETS: Final = "#D2D2D2"
MARKER: Final = {Agency.CARE: "s", Agency.SPD: "^"}
OF_KIND: Final = {str(Agency.CARE): BLUE, str(Agency.SPD): ORANGE, PAIR: BLACK}
DPI: Final = 120
CLASSES_S: Final = (300, 480, 600, 780, 900)
"""Minutes 5, 8, 10, 13 and 15: where the classes of arrivals end."""
DOTS_MAX: Final = 4_000
NAMED_MAX: Final = 30
"""Zones whose ids are written on the map."""
HALO: Final = [withStroke(linewidth=3, foreground="white")]
Window = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """PNG files."""

    change: bytes
    arrival: bytes
    curves: bytes


def draw(impact: Impact) -> Pictures:
    """Return the pictures of an impact; equal impacts give equal bytes."""
    return Pictures(change=_change(impact), arrival=_arrival(impact), curves=_curves(impact))


def _bytes(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, dpi=DPI, metadata={"Software": None}, bbox_inches="tight")
    return buffer.getvalue()


# -- maps -----------------------------------------------------------------------------------------


def _window(impact: Impact) -> Window:
    """Return west, south, east, north around both areas, with a margin."""
    areas = [area for area in impact.ground.taken if not area.is_empty]
    boxes = [area.bounds for area in areas]
    if not boxes:
        boxes = [impact.reached.pieces.network.bounds]
    west, south = np.min([box[:2] for box in boxes], axis=0).tolist()
    east, north = np.max([box[2:] for box in boxes], axis=0).tolist()
    margin = 0.05 * max(east - west, north - south)
    return west - margin, south - margin, east + margin, north + margin


def _map(impact: Impact, title: str) -> tuple[Figure, Axes, Window]:
    window = _window(impact)
    west, south, east, north = window
    per_lon, per_lat = metres_per_degree(0.5 * (south + north))
    ratio = (north - south) * per_lat / ((east - west) * per_lon)
    wide = 7.6 if ratio < 1.4 else 6.4
    figure = Figure(figsize=(wide, min(wide * ratio, 11.0) + 1.5), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(west, east), ylim=(south, north), aspect=per_lat / per_lon, xticks=[], yticks=[])
    axes.set_title(title, loc="left", fontsize=11)
    _streets(axes, impact.reached.pieces.network, window)
    _scale_bar(axes, window, per_lon)
    return figure, axes, window


def _streets(axes: Axes, network: StreetNetwork, window: Window) -> None:
    west, south, east, north = window
    near = (
        (network.point_lon > west) & (network.point_lon < east)
        & (network.point_lat > south) & (network.point_lat < north)
    )  # fmt: skip
    inside = np.flatnonzero(np.logical_or.reduceat(near, network.street_point_first[:-1]))
    main = network.street_class[inside] <= RoadClass.TERTIARY_LINK
    for chosen, width in ((inside[~main], 0.5), (inside[main], 1.3)):
        lines = [network.street_line(int(street)) for street in chosen]
        axes.add_collection(LineCollection(lines, colors=STREETS, linewidths=width, zorder=1))


def _scale_bar(axes: Axes, window: Window, per_lon: float) -> None:
    west, south, east, north = window
    width_m = (east - west) * per_lon
    length_m = max(m for m in (50, 100, 200, 500, 1000, 2000, 5000) if m <= max(width_m / 4, 50))
    lon, lat = west + (east - west) * 0.03, south + (north - south) * 0.02
    axes.plot([lon, lon + length_m / per_lon], [lat, lat], color="black", lw=3, zorder=10)
    said = f"{length_m} m" if length_m < 1000 else f"{length_m // 1000} km"
    at = lat + (north - south) * 0.008
    axes.text(lon, at, said, fontsize=8, path_effects=HALO, zorder=10)


def _fill(axes: Axes, area: BaseGeometry, **style: Any) -> None:
    """Draw an area with its holes."""
    for part in shapely.get_parts(area):
        if part.geom_type == "Polygon" and not part.is_empty:
            rings = [part.exterior, *part.interiors]
            paths = [DrawnPath(np.asarray(ring.coords)[:, :2], closed=True) for ring in rings]
            axes.add_patch(PathPatch(DrawnPath.make_compound_path(*paths), **style))


def _outline(axes: Axes, area: BaseGeometry, **style: Any) -> None:
    for ring in shapely.get_parts(shapely.boundary(area)):
        points = shapely.get_coordinates(ring)
        axes.plot(points[:, 0], points[:, 1], **style)


def _posts(axes: Axes, impact: Impact, window: Window) -> list[Line2D]:
    """Draw the posts within the window; police behind CARE where both stand at one place."""
    west, south, east, north = window
    shared = set(impact.question.posts.of[Agency.CARE].values())
    for agency in (Agency.SPD, Agency.CARE):
        for lon, lat in impact.question.posts.of[agency].values():
            if west < lon < east and south < lat < north:
                size = 19 if agency is Agency.SPD and (lon, lat) in shared else 9
                axes.plot(
                    lon, lat, MARKER[agency], ms=size, color=OF_KIND[agency], mec="white",
                    mew=1.2, zorder=8,
                )  # fmt: skip
    return [
        Line2D([], [], marker=MARKER[a], color=OF_KIND[a], ls="none", ms=8, mec="white",
               label=f"{a} post")
        for a in (Agency.CARE, Agency.SPD)
    ]  # fmt: skip


def _legend(axes: Axes, handles: Sequence[Any], columns: int) -> None:
    axes.legend(
        handles=list(handles), loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=columns,
        fontsize=8.5, frameon=False,
    )  # fmt: skip


def _change(impact: Impact) -> bytes:
    figure, axes, window = _map(impact, "What changes hands")
    live, draft = impact.ground.taken
    won, lost = shapely.difference(draft, live), shapely.difference(live, draft)
    _fill(axes, live, facecolor="#F0E442", alpha=0.18, lw=0, zorder=0)
    _fill(axes, won, facecolor=BLUE, alpha=0.22, lw=0, zorder=2)
    _fill(axes, won, facecolor="none", edgecolor=BLUE, hatch="///", lw=0, alpha=0.6, zorder=2)
    _fill(axes, lost, facecolor=ORANGE, alpha=0.22, lw=0, zorder=2)
    _fill(axes, lost, facecolor="none", edgecolor=ORANGE, hatch="...", lw=0, alpha=0.8, zorder=2)
    _outline(axes, live, color=BLACK, lw=1.6, ls="-", zorder=4)
    _outline(axes, draft, color=BLUE, lw=1.8, ls=(0, (5, 3)), zorder=5)
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
    _legend(axes, handles, 2)
    return _bytes(figure)


def _zone_names(axes: Axes, impact: Impact) -> None:
    """Draw the edges of the draft's zones, and write their ids where there are but a few."""
    zones = impact.question.draft.release.zones.zones
    for zone in zones:
        _outline(axes, zone.geometry, color=BLACK, lw=0.9, ls=":", zorder=3)
    for zone in zones if len(zones) <= NAMED_MAX else ():
        at = zone.geometry.representative_point()
        axes.text(
            at.x, at.y, zone.zone_id, fontsize=9, fontweight="bold", color=BLACK, ha="center",
            path_effects=HALO, zorder=9, clip_on=True, parse_math=False,
        )  # fmt: skip


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
    classes = np.digitize(seconds, CLASSES_S, right=True)
    colours = colormaps["plasma"](np.linspace(0.0, 0.92, len(CLASSES_S) + 1))
    widths = np.linspace(3.6, 1.2, len(CLASSES_S) + 1)
    bounds = (0, *(limit // 60 for limit in CLASSES_S))
    handles = []
    for number in range(len(CLASSES_S) + 1):
        rows = np.flatnonzero((classes == number) & (seconds < 86_400)).tolist()
        lines = [
            stretch_line(pieces.network, pieces.street.item(k), pieces.low.item(k),
                         pieces.high.item(k))
            for k in rows
        ]  # fmt: skip
        style = {"colors": [colours[number]], "linewidths": widths[number]}
        axes.add_collection(LineCollection(lines, zorder=3, **style))
        last = number == len(CLASSES_S)
        said = (
            f"over {bounds[number]} min" if last else f"{bounds[number]}-{bounds[number + 1]} min"
        )
        handles.append(Line2D([], [], color=colours[number], lw=widths[number], label=said))
    never = np.flatnonzero(seconds >= 86_400).tolist()
    lines = [pieces.network.street_line(pieces.street.item(k)) for k in never]
    axes.add_collection(LineCollection(lines, colors=ORANGE, linewidths=1.5, linestyles=":"))
    if never:
        handles.append(Line2D([], [], color=ORANGE, lw=1.5, ls=":", label="never"))
    _outline(axes, impact.ground.taken[1], color=BLUE, lw=1.5, ls=(0, (5, 3)), zorder=5)
    _legend(axes, [*handles, *_posts(axes, impact, window)], 3)
    return _bytes(figure)


# -- curves ---------------------------------------------------------------------------------------

_TITLES: Final = {
    "CALLS_IN_HOURS": "Calls in hours", "ELIGIBLE_CALLS": "Eligible calls",
    "STREETS": "Metres of street", "LAND": "Land near a street",
}  # fmt: skip
_MARKS: Final = {str(Agency.CARE): "s", str(Agency.SPD): "^", PAIR: "o"}


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
                    marker=_MARKS[kind], ms=4, markevery=2 if is_draft else (1, 2),
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
    return _bytes(figure)
