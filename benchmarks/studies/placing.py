"""What a scenario names, on the streets: posts too far from any, closures that close none.

What lives here: the checks that need the streets. What does not: the limits themselves, which are
those of the release's policy.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from api.release_lines import Path as KeyPath
from benchmarks.studies.errors import Fault
from benchmarks.studies.geojson_files import GeoJsonFile, properties_of, said_of
from benchmarks.studies.post_files import PostAt
from benchmarks.studies.scenario_values import shown
from geodata.beats import BeatMap
from geodata.closure_places import ClosedDirection, closed_edges
from geodata.closures import ClosedNow, Closure, Effect, Traffic
from geodata.earth import metres_per_degree
from geodata.errors import ClosurePlaceError
from geodata.network import StreetNetwork
from geodata.snap import NO_STREET, SnapLimits, StreetIndex
from routing.codes import Agency
from routing.coverage import cut_streets, incident_streets, middle_points

ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STREETS: Final = ("street", "from_street", "to_street")
_WORDS: Final = {"traffic": Traffic, "effect": Effect, "direction": ClosedDirection}
_SEE: Final = "docs/closures.md says what a closure may be."

PlacedPost = tuple[Agency, KeyPath, PostAt]


def far_posts(
    streets: StreetIndex, limits: SnapLimits, posts: Sequence[PlacedPost]
) -> Iterator[tuple[KeyPath, Fault]]:
    """Yield a fault for each post that no street is near to."""
    if not posts:
        return
    lon, lat = (np.array([getattr(p.post, axis) for _, _, p in posts]) for axis in ("lon", "lat"))
    at = streets.snap_units(lon, lat)
    for row, (_, path, told) in enumerate(posts):
        metres = at.distance_m.item(row)
        if at.street[row] != NO_STREET and metres <= limits.refuse_m:
            continue
        far = (
            "no street near" if at.street[row] == NO_STREET else f"{metres:,.0f} m from any street"
        )
        yield (
            path,
            told.fault(
                f"at lon {told.post.lon:g}, lat {told.post.lat:g}: {far}.",
                f"Move it within {limits.refuse_m:g} m of a street of the network, or check that "
                "lon and lat are not exchanged.",
            ),
        )


def places_of_beats(
    beats: BeatMap, network: StreetNetwork, streets: StreetIndex, limits: SnapLimits
) -> dict[str, tuple[float, float]]:
    """Return where a unit of each beat stands: in its middle, or on its street nearest to that.

    The middle may be a lake. A beat without any street, such as the harbour's, is left out.
    """
    pieces = cut_streets(network, incident_streets(network))
    lon, lat = middle_points(pieces)
    found = {}
    for beat, (x, y) in beats.beat_centres.items():
        if streets.snap_incident(x, y).distance_m <= limits.refuse_m:
            found[beat] = x, y
            continue
        inside = np.flatnonzero(shapely.contains_xy(beats.outlines[beat], lon, lat))
        if len(inside):
            per_lon, per_lat = metres_per_degree(y)
            metres = np.hypot((lon[inside] - x) * per_lon, (lat[inside] - y) * per_lat)
            row = inside[metres.argmin()]
            found[beat] = lon.item(row), lat.item(row)
    return found


def read_closures(
    file: Path, network: StreetNetwork, streets: StreetIndex
) -> tuple[ClosedNow | None, list[Fault]]:
    """Return what a GeoJSON of closures closes for good, and everything that is wrong with it.

    Properties of a feature: `name`, `traffic`, `effect`, `direction`, and `street`, `from_street`,
    `to_street` in place of a geometry. Times and windows are not read: it holds always.
    """
    reader = GeoJsonFile(file)
    closures = []
    for place, feature in enumerate(reader.features):
        path: KeyPath = ("features", place)
        if _words_fit(reader, path, feature):
            try:
                closures.append(_closure(place, feature, network, streets))
            except (ClosurePlaceError, ValueError, TypeError) as problem:
                reader.fault(path, *said_of(str(problem), _SEE), name=_name(place, feature))
    if reader.faults or not closures:
        return None, reader.faults
    return ClosedNow.at(closures, ALWAYS, network.n_edges), []


def _words_fit(reader: GeoJsonFile, path: KeyPath, feature: Mapping[str, Any]) -> bool:
    """Tell whether words of a closure are known; a fault is kept for each that is not."""
    before, told = len(reader.faults), properties_of(feature)
    for key, known in _WORDS.items():
        word = str(told.get(key) or "").upper()
        if word and word not in tuple(known):
            reader.fault((*path, "properties", key), f"is {shown(told[key])}.",
                         f"Give one of {', '.join(known)}.")  # fmt: skip
    return len(reader.faults) == before


def _name(place: int, feature: Mapping[str, Any]) -> str:
    return str(properties_of(feature).get("name") or f"closure {place + 1}")


def _closure(
    place: int, feature: Mapping[str, Any], network: StreetNetwork, streets: StreetIndex
) -> Closure:
    told = properties_of(feature)
    geometry = feature.get("geometry")
    where = dict(geometry) if geometry else {n: told[n] for n in _STREETS if told.get(n)}
    if not where:
        raise ClosurePlaceError("neither a geometry nor street, from_street and to_street")
    if told.get("direction"):
        where["direction"] = str(told["direction"]).upper()
    return Closure(
        closure_id=str(told.get("closure_id") or f"{place:04d}"),
        name=_name(place, feature),
        traffic=Traffic(str(told.get("traffic") or Traffic.ALL).upper()),
        effect=Effect(str(told.get("effect") or Effect.CLOSES).upper()),
        starts_at=ALWAYS,
        ends_at=None,
        windows=(),
        time_zone=ZoneInfo("America/Los_Angeles"),
        edges=closed_edges(network, streets, where),
    )
