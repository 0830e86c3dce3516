"""A picture of one decision: the call, the zone, the units and the routes on the streets.

Only `tandem recommend --map` imports this module: the service never loads matplotlib. The colours
are from Okabe and Ito's palette, which people with any common colour vision can tell apart; agency
and role are told by shape and label too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from api.map_drawing import HALO, Window, scale_bar
from geodata.earth import metres_per_degree
from geodata.network import RoadClass, StreetFlag, StreetNetwork

Answer = Mapping[str, Any]
LonLat = tuple[float, float]

COLOUR: Final = {"CARE": "#0072B2", "SPD": "#D55E00"}
CALL_COLOUR: Final = "#000000"
ZONE_COLOUR: Final = "#009E73"
STREET_COLOUR: Final = "#B8B8B8"
ROUTE_STYLE: Final = {"CARE": ((0, (3, 1)), 3.0, 5), "SPD": ("-", 7.0, 4)}
"""Dashes, width and order: where both drive the same street the narrow one lies on the wide one."""
MARKER: Final = {"CARE": "s", "SPD": "^"}
MARGIN: Final = 0.12
NARROWEST_M: Final = 900.0
"""The picture is never narrower than this."""
OTHERS_SHOWN: Final = 4
"""Units that the picture reaches to where no pair was named."""
NAMES_MAX: Final = 24
NAME_GAP: Final = 0.11
"""Least distance between names and marks, as a share of the picture."""
NO_PLACE: Final = int(StreetFlag.CONTROLLED | StreetFlag.TUNNEL)
OTHER_UNITS_MAX: Final = 200
NARROWEST_MAIN: Final = RoadClass.TERTIARY_LINK


@dataclass(frozen=True, slots=True, kw_only=True)
class MapData:
    """All that is drawn, in degrees."""

    title: str
    network: StreetNetwork
    call: LonLat
    zones: Sequence[tuple[str, Sequence[NDArray[np.float64]]]]
    """Name and rings of each zone, (n, 2) lon and lat."""
    routes: Mapping[str, NDArray[np.float64]]
    """By agency, (n, 2) lon and lat from the unit to the call."""
    labels: Mapping[str, str]
    """By agency, what is written beside the unit that is sent."""
    others: Sequence[tuple[str, LonLat]]
    """Agency and place of the units that are not sent."""
    stage: tuple[LonLat, str] | None
    """Where CARE waits, and the name of the place."""


def draw_map(data: MapData, path: Path) -> None:
    """Write the picture as PNG; fixed size, no window."""
    figure = Figure(figsize=(10, 11.9), dpi=130, layout="constrained")
    axes = figure.subplots()
    window = _window(data)
    axes.set(xlim=window[::2], ylim=window[1::2])
    _draw_streets(axes, data.network, window)
    _draw_zones(axes, data)
    _draw_routes(axes, data)
    _draw_places(axes, data)
    _draw_names(axes, data, window)
    _frame(axes, data, window)
    figure.savefig(path)


def _window(data: MapData) -> Window:
    """Return west, south, east, north around all that matters, with a margin."""
    points = [np.array([data.call]), *data.routes.values()]
    if len(data.routes) < len(COLOUR):
        points.append(np.array(_nearest_others(data)).reshape(-1, 2))
    together = np.concatenate(points)
    west, south = together.min(axis=0)
    east, north = together.max(axis=0)
    per_lon, per_lat = metres_per_degree(float(south))
    half_m = max((east - west) * per_lon, (north - south) * per_lat, NARROWEST_M) * (0.5 + MARGIN)
    lon, lat = (west + east) / 2, (south + north) / 2
    return (
        lon - half_m / per_lon,
        lat - half_m / per_lat,
        lon + half_m / per_lon,
        lat + half_m / per_lat,
    )


def _nearest_others(data: MapData) -> list[LonLat]:
    """Return the units nearest to the call: of interest where no pair was named."""
    per_lon, per_lat = metres_per_degree(data.call[1])

    def distance_m(place: LonLat) -> float:
        east, north = (place[0] - data.call[0]) * per_lon, (place[1] - data.call[1]) * per_lat
        return float(np.hypot(east, north))

    return sorted((place for _, place in data.others), key=distance_m)[:OTHERS_SHOWN]


def _draw_streets(axes: Axes, network: StreetNetwork, window: Window) -> None:
    inside = _streets_inside(network, window)
    main = network.street_class[inside] <= NARROWEST_MAIN
    for chosen, width in ((inside[~main], 0.7), (inside[main], 1.8)):
        lines = [network.street_line(int(street)) for street in chosen]
        axes.add_collection(LineCollection(lines, colors=STREET_COLOUR, linewidths=width, zorder=1))


def _streets_inside(network: StreetNetwork, window: Window) -> NDArray[np.int64]:
    """Return the streets with a point in the window or near it."""
    west, south, east, north = window
    wide, high = east - west, north - south
    near = (
        (network.point_lon > west - wide) & (network.point_lon < east + wide)
        & (network.point_lat > south - high) & (network.point_lat < north + high)
    )  # fmt: skip
    return np.flatnonzero(np.logical_or.reduceat(near, network.street_point_first[:-1]))


def _draw_zones(axes: Axes, data: MapData) -> None:
    for i, (name, rings) in enumerate(data.zones):
        for ring in rings:
            axes.fill(ring[:, 0], ring[:, 1], color=ZONE_COLOUR, alpha=0.07, zorder=0)
            axes.plot(
                ring[:, 0], ring[:, 1], color=ZONE_COLOUR, lw=2, ls=(0, (6, 3)), zorder=2,
                label=f"Zone {name}" if ring is rings[0] and i < 3 else None,
            )  # fmt: skip


def _draw_routes(axes: Axes, data: MapData) -> None:
    for agency, line in data.routes.items():
        style, width, order = ROUTE_STYLE[agency]
        axes.plot(line[:, 0], line[:, 1], color="white", lw=10, zorder=3, solid_capstyle="round")
        axes.plot(
            line[:, 0], line[:, 1], color=COLOUR[agency], lw=width, ls=style, zorder=order,
            label=f"Route of {agency}",
        )  # fmt: skip


def _draw_places(axes: Axes, data: MapData) -> None:
    for agency in ("CARE", "SPD"):
        places = [place for which, place in data.others if which == agency][:OTHER_UNITS_MAX]
        if places:
            axes.plot(
                *zip(*places, strict=True), MARKER[agency], ms=8, mfc="white", mec=COLOUR[agency],
                mew=1.6, ls="none", zorder=5, label=f"Other {agency} units",
            )  # fmt: skip
    for agency, line in data.routes.items():
        axes.plot(
            *line[0], MARKER[agency], ms=15, color=COLOUR[agency], mec="white", mew=1.5, zorder=7,
            label=f"{agency} unit to send",
        )  # fmt: skip
        _label(axes, tuple(line[0]), data.labels[agency], COLOUR[agency])
    if data.stage:
        place, near = data.stage
        axes.plot(
            *place, "D", ms=11, color="#F0E442", mec="black", mew=1.3, zorder=8,
            label=f"CARE stages at {near}",
        )  # fmt: skip
    axes.plot(
        *data.call, "*", ms=24, color=CALL_COLOUR, mec="white", mew=1.5, zorder=9, label="Call"
    )


def _label(axes: Axes, place: LonLat, text: str, colour: str) -> None:
    """Write beside a mark, on the side where there is more room; never beyond the frame."""
    west, east = axes.get_xlim()
    to_the_left = place[0] > 0.5 * (west + east)
    label = axes.annotate(
        text, place, xytext=(-14 if to_the_left else 14, 10), textcoords="offset points",
        ha="right" if to_the_left else "left", color=colour, fontsize=11, fontweight="bold",
        path_effects=HALO, zorder=10, annotation_clip=True,
    )  # fmt: skip
    label.set_in_layout(False)


def _draw_names(axes: Axes, data: MapData, window: Window) -> None:
    """Write the names of the longest streets, each once, where there is room for it."""
    network, (west, south, east, north) = data.network, window
    size = np.array([east - west, north - south])
    taken = [np.array(place) for place in _marked_places(data)]
    for streets in _streets_by_name(network, window)[:NAMES_MAX]:
        middles = np.array([network.street_line(street).mean(axis=0) for street in streets])
        gaps = np.min(
            [np.hypot(*((middles - place) / size).T) for place in taken], axis=0, initial=1.0
        )
        best = int(np.argmax(gaps))
        if gaps[best] > NAME_GAP:
            taken.append(middles[best])
            street = streets[best]
            _name_street(axes, network.street_line(street), network.name_of(street), south)


def _marked_places(data: MapData) -> Iterable[LonLat]:
    yield data.call
    yield from ((float(line[0, 0]), float(line[0, 1])) for line in data.routes.values())
    yield from (place for _, place in data.others)
    if data.stage:
        yield data.stage[0]


def _streets_by_name(network: StreetNetwork, window: Window) -> list[list[int]]:
    """Return the named streets of the window by name, the longest name first; no ramps."""
    west, south, east, north = window
    inset = 0.05 * (east - west), 0.04 * (north - south)
    by_name: dict[str, list[int]] = {}
    for street in _streets_inside(network, window).tolist():
        lon, lat = network.street_line(street).mean(axis=0)
        within = (
            west + inset[0] < lon < east - inset[0] and south + inset[1] < lat < north - inset[1]
        )
        if within and network.name_of(street) and not network.street_flags[street] & NO_PLACE:
            by_name.setdefault(network.name_of(street), []).append(street)
    length = network.street_length_m
    ranked = sorted(by_name.items(), key=lambda item: (-length[item[1]].sum(), item[0]))
    return [streets for _, streets in ranked]


def _name_street(axes: Axes, line: NDArray[np.float64], name: str, lat: float) -> None:
    per_lon, per_lat = metres_per_degree(lat)
    middle = line[len(line) // 2 - 1 : len(line) // 2 + 1] if len(line) > 2 else line
    east, north = (middle[-1] - middle[0]) * (per_lon, per_lat)
    angle = float(np.degrees(np.arctan2(north, east)))
    angle = angle - 180 if angle > 90 else angle + 180 if angle < -90 else angle
    x, y = middle.mean(axis=0).tolist()
    axes.text(
        x, y, name, fontsize=7.5, color="#444444", rotation=angle, ha="center",
        va="center", path_effects=HALO, zorder=6, clip_on=True,
    )  # fmt: skip


def _frame(axes: Axes, data: MapData, window: Window) -> None:
    west, south, east, north = window
    per_lon, per_lat = metres_per_degree((south + north) / 2)
    axes.set(xlim=(west, east), ylim=(south, north), aspect=per_lat / per_lon, xticks=[], yticks=[])
    axes.set_title(data.title, loc="left", fontsize=11)
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.03), ncols=3, fontsize=9, frameon=False,
        markerscale=0.7,
    )  # fmt: skip
    scale_bar(axes, window, per_lon, up=0.03)
    source = data.network.source
    kind = "SCHEMATIC, not a survey. " if source.schematic else ""
    axes.set_xlabel(
        f"{kind}Streets: {source.description} ({source.licence})", fontsize=8, loc="left"
    )


def rings_of(geometry: Any) -> Iterable[NDArray[np.float64]]:
    """Yield the outer rings of a shapely polygon or multipolygon."""
    for part in getattr(geometry, "geoms", [geometry]):
        yield np.asarray(part.exterior.coords)[:, :2]
