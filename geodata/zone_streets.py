"""How much of a zone's edge runs along a street, and how many calls lie close to it.

What lives here: the two measures of an import that need streets and a file of past calls. An edge
in the middle of a street splits its calls by chance; `edge_tolerance_m` of a policy is chosen by
these. What does not: faults of a file (`zone_checks`).
"""

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TextIO

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.call_columns import CallFileError
from geodata.earth import metres_per_degree
from geodata.network import StreetNetwork
from geodata.zones import Zone

ALONG_M: Final = 5.0
"""An edge this close to the centre line runs along the street."""
CALL_DISTANCES_M: Final = (10.0, 25.0)
CALLS_MAX: Final = 5_000_000
DAYS_PER_YEAR: Final = 365.25

LON_NAMES: Final = ("longitude", "dispatch_longitude", "lon", "lng", "x")
LAT_NAMES: Final = ("latitude", "dispatch_latitude", "lat", "y")
TIME_WORDS: Final = ("time", "date", "queued")


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCalls:
    """Where calls were, and over how long."""

    lonlat: NDArray[np.float64]
    """(n_calls, 2) degrees."""
    years: float
    """Between the first and the last; 1 where the file has no times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeMeasure:
    """The edge of one zone."""

    zone_id: str
    area_km2: float
    edge_m: float
    along_street_m: float
    """Metres of it within 5 m of a centre line."""
    yearly_calls_inside: float | None
    yearly_calls_10_m: float | None
    """Calls a year within 10 m of the edge, on either side; None without a file of calls."""
    yearly_calls_25_m: float | None

    @property
    def along_street_share(self) -> float:
        """Share of the edge that runs along a street, 0 to 1."""
        return self.along_street_m / self.edge_m if self.edge_m else 0.0


def measure_edges(
    zones: Sequence[Zone], network: StreetNetwork, calls: PastCalls | None = None
) -> Iterator[EdgeMeasure]:
    """Yield the measures of each zone, in order."""
    _, south, _, north = network.bounds
    scale = np.array(metres_per_degree(0.5 * (south + north)))
    streets = street_lines(network, scale)
    tree = shapely.STRtree(streets)
    points = None if calls is None else shapely.points(calls.lonlat * scale)
    point_tree = None if points is None else shapely.STRtree(points)
    for zone in zones:
        area = shapely.transform(zone.geometry, lambda degrees: degrees * scale)
        edge = area.boundary
        near = streets[tree.query(edge, predicate="dwithin", distance=ALONG_M)]
        along = shapely.intersection(edge, shapely.union_all(shapely.buffer(near, ALONG_M)))
        counts: list[float | None] = [None, None, None]
        if calls is not None and point_tree is not None:
            hits = [point_tree.query(area, predicate="intersects")]
            hits += [point_tree.query(edge, "dwithin", distance=m) for m in CALL_DISTANCES_M]
            counts = [len(hit) / calls.years for hit in hits]
        yield EdgeMeasure(
            zone_id=zone.zone_id, area_km2=area.area / 1e6, edge_m=edge.length,
            along_street_m=along.length, yearly_calls_inside=counts[0],
            yearly_calls_10_m=counts[1], yearly_calls_25_m=counts[2],
        )  # fmt: skip


def street_lines(network: StreetNetwork, scale: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return the centre lines in metres of the plane."""
    points = np.column_stack((network.point_lon, network.point_lat)) * scale
    street = np.repeat(np.arange(network.n_streets), np.diff(network.street_point_first))
    lines: NDArray[np.object_] = np.asarray(shapely.linestrings(points, indices=street))
    return lines


# -- past calls -----------------------------------------------------------------------------------


def read_calls(file: Path) -> PastCalls:
    """Return the places of a CSV file of calls (also .csv.gz).

    Columns are found by their names: Longitude and Latitude, and the first that speaks of a time.
    A row without a place is left out.

    Raises
    ------
    CallFileError
        There is no such file, or no such columns, or no call in it.
    """
    try:
        with _opened(file) as text:
            rows = csv.DictReader(text)
            names = {name.strip().lower(): name for name in rows.fieldnames or ()}
            lon, lat = (_column(names, wanted, file) for wanted in (LON_NAMES, LAT_NAMES))
            when = next((n for key, n in names.items() if any(w in key for w in TIME_WORDS)), None)
            found = list(_places(rows, lon, lat, when))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as problem:
        raise CallFileError(f"{file}: {problem}. Give a CSV file of past calls.") from None
    if not found:
        raise CallFileError(f"{file}: no row has a longitude and a latitude in degrees.")
    instants = [instant for _, instant in found if instant is not None]
    days = (max(instants) - min(instants)).total_seconds() / 86_400 if instants else DAYS_PER_YEAR
    lonlat = np.array([place for place, _ in found], np.float64)
    return PastCalls(lonlat=lonlat, years=max(days, 1.0) / DAYS_PER_YEAR)


def _opened(file: Path) -> TextIO:
    if file.suffix == ".gz":
        return gzip.open(file, "rt", encoding="utf-8", newline="")
    return file.open(encoding="utf-8-sig", newline="")


def _column(names: dict[str, str], wanted: Sequence[str], file: Path) -> str:
    for name in wanted:
        if name in names:
            return names[name]
    raise CallFileError(
        f"{file} has the columns {', '.join(names)[:300]}; one of them must be called "
        f"{' or '.join(wanted)}."
    )


Place = tuple[float, float]


def _places(
    rows: "csv.DictReader[str]", lon: str, lat: str, when: str | None
) -> Iterator[tuple[Place, datetime | None]]:
    for number, row in enumerate(rows):
        if number >= CALLS_MAX:
            return
        try:
            place = float(row[lon]), float(row[lat])
        except (TypeError, ValueError):
            continue
        if -180 <= place[0] <= 180 and -90 <= place[1] <= 90 and all(place):
            yield place, _instant(row.get(when) if when else None)


def _instant(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat((text or "").strip()).replace(tzinfo=None)
    except ValueError:
        return None
