"""What maps of reports are drawn with: streets, areas, posts, a scale bar, classes of minutes.

Only commands that write a report import this module: the service never loads matplotlib. Colours
are from Okabe and Ito's palette or from plasma, which people with any common colour vision can tell
apart; hatches, widths, dashes and markers say the same in black and white.
"""

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any, Final

import numpy as np
import shapely
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path as DrawnPath
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from api.impact.reach import PAIR
from geodata.earth import metres_per_degree
from geodata.network import RoadClass, StreetNetwork
from routing.codes import Agency
from routing.coverage import Pieces, stretch_line

BLUE: Final = "#0072B2"
ORANGE: Final = "#D55E00"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
PURPLE: Final = "#CC79A7"
SKY: Final = "#56B4E9"
BLACK: Final = "#222222"
STREETS: Final = "#D2D2D2"
MARKER: Final = {Agency.CARE: "s", Agency.SPD: "^"}
OF_KIND: Final = {str(Agency.CARE): BLUE, str(Agency.SPD): ORANGE, PAIR: BLACK}
KIND_MARKS: Final = {str(Agency.CARE): "s", str(Agency.SPD): "^", PAIR: "o"}
DPI: Final = 120
CLASSES_S: Final = (300, 480, 600, 780, 900)
"""Minutes 5, 8, 10, 13 and 15: where the classes of arrivals end."""
NEVER_S: Final = 86_400
"""What takes longer than a day counts as unreached."""
HALO: Final = [withStroke(linewidth=3, foreground="white")]
Window = tuple[float, float, float, float]
"""West, south, east and north, in degrees."""
Point = tuple[float, float]
"""lon and lat."""


def png_of(figure: Figure) -> bytes:
    """Return a figure as a PNG file; equal figures give equal bytes."""
    buffer = BytesIO()
    figure.savefig(buffer, dpi=DPI, metadata={"Software": None}, bbox_inches="tight")
    return buffer.getvalue()


def window_around(areas: Iterable[BaseGeometry], network: StreetNetwork) -> Window:
    """Return the window around areas with a margin; around all streets where there is none."""
    boxes = [area.bounds for area in areas if not area.is_empty] or [network.bounds]
    west, south = np.min([box[:2] for box in boxes], axis=0).tolist()
    east, north = np.max([box[2:] for box in boxes], axis=0).tolist()
    margin = 0.05 * max(east - west, north - south)
    return west - margin, south - margin, east + margin, north + margin


def street_map(network: StreetNetwork, window: Window, title: str) -> tuple[Figure, Axes]:
    """Return a map with the streets of a window, a title and a scale bar."""
    west, south, east, north = window
    per_lon, per_lat = metres_per_degree(0.5 * (south + north))
    ratio = (north - south) * per_lat / ((east - west) * per_lon)
    wide = 7.6 if ratio < 1.4 else 6.4
    figure = Figure(figsize=(wide, min(wide * ratio, 11.0) + 1.5), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(west, east), ylim=(south, north), aspect=per_lat / per_lon, xticks=[], yticks=[])
    axes.set_title(title, loc="left", fontsize=11)
    _streets(axes, network, window)
    scale_bar(axes, window, per_lon)
    return figure, axes


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


def scale_bar(axes: Axes, window: Window, per_lon: float, up: float = 0.02) -> None:
    """Draw a bar of round metres, this share of the height above the lower left corner."""
    west, south, east, north = window
    width_m = (east - west) * per_lon
    length_m = max(m for m in (50, 100, 200, 500, 1000, 2000, 5000) if m <= max(width_m / 4, 50))
    lon, lat = west + (east - west) * 0.03, south + (north - south) * up
    axes.plot([lon, lon + length_m / per_lon], [lat, lat], color="black", lw=3, zorder=10)
    said = f"{length_m} m" if length_m < 1000 else f"{length_m // 1000} km"
    at = lat + (north - south) * 0.008
    axes.text(lon, at, said, fontsize=8, path_effects=HALO, zorder=10)


def fill(axes: Axes, area: BaseGeometry, **style: Any) -> None:
    """Draw an area with its holes."""
    for part in shapely.get_parts(area):
        if part.geom_type == "Polygon" and not part.is_empty:
            rings = [part.exterior, *part.interiors]
            paths = [DrawnPath(np.asarray(ring.coords)[:, :2], closed=True) for ring in rings]
            axes.add_patch(PathPatch(DrawnPath.make_compound_path(*paths), **style))


def outline(axes: Axes, area: BaseGeometry, **style: Any) -> None:
    """Draw the edges of an area."""
    for ring in shapely.get_parts(shapely.boundary(area)):
        points = shapely.get_coordinates(ring)
        axes.plot(points[:, 0], points[:, 1], **style)


def name_at(axes: Axes, area: BaseGeometry, name: str) -> None:
    """Write a name into an area."""
    at = area.representative_point()
    axes.text(
        at.x, at.y, name, fontsize=9, fontweight="bold", color=BLACK, ha="center",
        path_effects=HALO, zorder=9, clip_on=True, parse_math=False,
    )  # fmt: skip


def posts(axes: Axes, of: Mapping[Agency, Sequence[Point]], window: Window) -> list[Line2D]:
    """Draw the posts within the window; police behind CARE where both stand at one place.

    Returns the lines of a legend.
    """
    west, south, east, north = window
    shared = set(of.get(Agency.CARE, ()))
    for agency in (Agency.SPD, Agency.CARE):
        for lon, lat in of.get(agency, ()):
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


def legend(axes: Axes, handles: Sequence[Any], columns: int) -> None:
    """Draw a legend under a map."""
    axes.legend(
        handles=list(handles), loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=columns,
        fontsize=8.5, frameon=False,
    )  # fmt: skip


def arrival_classes(axes: Axes, pieces: Pieces, seconds: NDArray[np.float64]) -> list[Line2D]:
    """Draw stretches of street by the class of minutes in which they are reached.

    Parameters
    ----------
    seconds
        (n_pieces,) arrival at the middle of each stretch; NEVER_S or more where nobody comes.

    Returns the lines of a legend.
    """
    classes = np.digitize(seconds, CLASSES_S, right=True)
    colours = colormaps["plasma"](np.linspace(0.0, 0.92, len(CLASSES_S) + 1))
    widths = np.linspace(3.6, 1.2, len(CLASSES_S) + 1)
    bounds = (0, *(limit // 60 for limit in CLASSES_S))
    handles = []
    for number in range(len(CLASSES_S) + 1):
        rows = np.flatnonzero((classes == number) & (seconds < NEVER_S)).tolist()
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
    never = np.flatnonzero(seconds >= NEVER_S).tolist()
    lines = [pieces.network.street_line(pieces.street.item(k)) for k in never]
    axes.add_collection(LineCollection(lines, colors=ORANGE, linewidths=1.5, linestyles=":"))
    if never:
        handles.append(Line2D([], [], color=ORANGE, lw=1.5, ls=":", label="never"))
    return handles
