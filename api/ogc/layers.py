"""Features as columns, and which of them a request selects.

What lives here: `Layer`, `Box`, `During` and the selection. What does not: what a request may ask
(`asked`), and where features come from (`live`, `drafts`, `closures`).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from msgspec import Raw
from numpy.typing import NDArray

from api.ogc.systems import CRS84, Bounds, System, bounds_in_degrees, to_system

Feature = dict[str, Any]
Properties = Callable[[int], dict[str, Any]]
_NULL: Final = Raw(b"null")
MARGIN: Final = 1e-6
"""Degrees by which the first, coarse choice is wider: a tenth of a metre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What `bbox` asks for; its west may exceed its east: then it crosses 180 degrees."""

    bounds: Bounds
    system: System = CRS84
    """One that is not latitude first; edges of features are straight in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class During:
    """What `datetime` asks for: seconds since 1970, both ends included, infinite when open."""

    from_s: float = -math.inf
    to_s: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When features are, in seconds since 1970; infinite where an end is open."""

    from_s: NDArray[np.float64]
    to_s: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """Features in a fixed order, (n,) each; immutable."""

    ids: Sequence[str]
    geometries: NDArray[np.object_]
    """In CRS84; None where a feature is nowhere."""
    bounds: NDArray[np.float64]
    """(n, 4) in degrees; NaN where a feature is nowhere."""
    properties: Properties
    """By the row."""
    times: Times | None = None
    """None where features have no time: they are always."""

    @classmethod
    def of(
        cls,
        ids: Sequence[str],
        geometries: Sequence[Any] | NDArray[np.object_],
        properties: Properties,
        *,
        times: Times | None = None,
    ) -> "Layer":
        """Return a layer of features."""
        shapes = np.empty(len(ids), dtype=object)
        shapes[:] = geometries
        bounds = shapely.bounds(shapes).reshape(-1, 4)
        return cls(ids=ids, geometries=shapes, bounds=bounds, properties=properties, times=times)

    def __len__(self) -> int:
        return len(self.ids)

    def extent(self) -> Bounds | None:
        """Return the box around everything, or None where there is nothing."""
        placed = self.bounds[~np.isnan(self.bounds[:, 0])]
        if not len(placed):
            return None
        west, south = placed[:, :2].min(axis=0).tolist()
        east, north = placed[:, 2:].max(axis=0).tolist()
        return west, south, east, north

    def rows(self, box: Box | None, during: During | None) -> NDArray[np.intp]:
        """Return the rows of the features that a box and a time meet, in order."""
        chosen = np.ones(len(self), dtype=np.bool_)
        if during is not None and self.times is not None:
            chosen &= (self.times.from_s <= during.to_s) & (self.times.to_s >= during.from_s)
        if box is not None:
            chosen &= np.logical_or.reduce([self._near(part) for part in _parts_of(box)])
        return np.flatnonzero(chosen)

    def _near(self, box: Box) -> NDArray[np.bool_]:
        """Return (n,) True where a feature meets a box, in the box's own system."""
        west, south, east, north = bounds_in_degrees(box.bounds, box.system)
        low_x, low_y, high_x, high_y = self.bounds.T
        near: NDArray[np.bool_] = (low_x <= east + MARGIN) & (high_x >= west - MARGIN)
        near &= (low_y <= north + MARGIN) & (high_y >= south - MARGIN)
        rows = np.flatnonzero(near)
        shapes = to_system(self.geometries[rows], box.system)
        near[rows] = shapely.intersects(shapes, shapely.box(*box.bounds))
        return near

    def features(self, rows: Sequence[int], system: System) -> list[Feature]:
        """Return features as GeoJSON has them, in a system."""
        shapes = self.geometries[np.asarray(rows, dtype=np.intp)]
        texts = shapely.to_geojson(to_system(shapes, system))
        return [
            {
                "type": "Feature",
                "id": self.ids[row],
                "geometry": _NULL if text is None else Raw(text.encode()),
                "properties": self.properties(row),
            }
            for row, text in zip(rows, texts, strict=True)
        ]

    def row_of(self, feature_id: str) -> int | None:
        """Return the row of a feature, or None."""
        try:
            return self.ids.index(feature_id)
        except ValueError:
            return None


def _parts_of(box: Box) -> tuple[Box, ...]:
    """Return a box, or the two that it is on both sides of 180 degrees."""
    west, south, east, north = box.bounds
    if west <= east:
        return (box,)
    first, second = (west, south, 180.0, north), (-180.0, south, east, north)
    return Box(bounds=first, system=box.system), Box(bounds=second, system=box.system)
