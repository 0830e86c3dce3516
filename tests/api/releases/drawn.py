"""Zones and drafts that tests of releases share."""

from typing import Any, Final

from api.releases.draft_writes import create_draft
from api.releases.draft_zones import zone_collection
from api.releases.drafts import Content, Draft
from api.store.writer import Writer

TEXT: Final = """\
release_id = "mine"
zones_file = "zones.geojson"

[policies.DAY]
time_zone = "America/Los_Angeles"
windows = [{ from = "11:00", to = "23:00" }]
call_types.eligible = ["WELFARE_CHECK"]
call_types.texts.WELFARE_CHECK = ["WELFARE CHECK"]

[policies.DAY.modes.DUAL]
CARE = { units = 1 }
SPD = { units = 1 }
"""


def square(west: float, south: float, size: float = 0.01, /, **properties: Any) -> dict[str, Any]:
    """Return a square zone as a GIS client sends it, corners in degrees."""
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"kind": "BASE", "precedence": 0, **properties},
    }


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


CORE: Final = square(-122.34, 47.60, zone_id="CORE", name="Core")


def new_draft(writer: Writer, name: str = "night", by: str = "ed", *, text: str = TEXT) -> Draft:
    content = Content(text=text, zones=zone_collection(collection(CORE)))
    return writer.call(lambda tx: create_draft(tx, name, content, by=by, base_key="x@1"))
