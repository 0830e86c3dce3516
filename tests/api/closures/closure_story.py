"""Closures as tests tell them: contents, and a store whose clock is the writer's."""

import datetime as dt
from typing import Any

from api.closures.records import ClosureContent
from geodata.closures import Traffic

NOW = dt.datetime(2026, 7, 21, 20, 5, 2, tzinfo=dt.UTC)
LINE: dict[str, Any] = {
    "type": "LineString",
    "coordinates": [[-122.335, 47.61], [-122.334, 47.611]],
}


def content(**fields: Any) -> ClosureContent:
    """Return a drawn line, closed for all until somebody ends it."""
    made: dict[str, Any] = {"name": "Stadium event", "geometry": LINE, "traffic": Traffic.ALL}
    return ClosureContent(**(made | fields))


def feature(**properties: Any) -> dict[str, Any]:
    """Return the same as QGIS sends it."""
    told = {"name": "Stadium event", **properties}
    return {"type": "Feature", "geometry": LINE, "properties": told}
