"""Releases made for a test: the pilot's policy with other zones, and histories made by hand."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas
import shapely
from shapely.geometry.base import BaseGeometry

from api.release_file import read_release
from geodata.call_columns import PLAIN
from geodata.call_history import CallHistory, history_of
from geodata.pilot.area import pilot_release_file
from routing.release import Release

ZoneEntry = tuple[str, BaseGeometry, int]
"""Zone id, geometry in degrees, precedence; an id that begins with NO_ is an EXCLUDE zone."""
HEADER = ("call_id", "lon", "lat", "at", "call_type")


def write_release(folder: Path, release_id: str, zones: Sequence[ZoneEntry]) -> Path:
    """Write the pilot's release with other zones, and return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    features = [_feature(*zone) for zone in zones]
    collection = {"type": "FeatureCollection", "features": features}
    (folder / "zones.geojson").write_text(json.dumps(collection), encoding="utf-8")
    text = pilot_release_file().read_text(encoding="utf-8")
    text = text.replace('"zone.geojson"', '"zones.geojson"').replace("pilot-2023-10", release_id)
    file = folder / "release.toml"
    file.write_text(text, encoding="utf-8")
    return file


def release_of(folder: Path, release_id: str, zones: Sequence[ZoneEntry]) -> Release:
    return read_release(write_release(folder / release_id, release_id, zones))


def _feature(zone_id: str, geometry: BaseGeometry, precedence: int) -> dict[str, Any]:
    kind = "EXCLUDE" if zone_id.startswith("NO_") else "BASE"
    properties = {"zone_id": zone_id, "kind": kind, "precedence": precedence}
    return {
        "type": "Feature",
        "geometry": json.loads(shapely.to_geojson(geometry)),
        "properties": properties,
    }


def police_area(data: Path, name: str) -> BaseGeometry:
    """Return one of the police's neighbourhoods from the shared boundaries."""
    frame = geopandas.read_file(data / "boundaries" / "spd_mcpp_areas.geojson")
    return frame.geometry[frame.mcpp == name].iloc[0]


def pilot_outline(data: Path) -> BaseGeometry:
    """Return the outline of the pilot that is nearest to the press release."""
    frame = geopandas.read_file(data / "boundaries" / "pilot_boundary_candidates.geojson")
    return frame.geometry[frame.candidate == "mcpp_downtown_pioneer_cid_sodo"].iloc[0]


def history(*calls: tuple[float, float, datetime, str]) -> CallHistory:
    """Return past calls of lon, lat, instant and type."""
    rows = [
        (line, (str(line), str(lon), str(lat), at.isoformat(), kind))
        for line, (lon, lat, at, kind) in enumerate(calls, start=2)
    ]
    return history_of(rows, HEADER, PLAIN)
