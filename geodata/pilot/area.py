"""What stands in and around the built-in streets: the zone, the posts and demonstration calls.

What lives here: reading `zone.geojson`, `posts.csv` and `demo_calls.json`, and where `release.toml`
is. What does not: what a zone, a post, a call or a policy means (`geodata.zones`, `routing`).
"""

import csv
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A place where units start from, taken for their position when nothing better is known."""

    post_id: str
    name: str
    lon: float
    """WGS 84 degrees, as `lat`."""
    lat: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCall:
    """A made-up call with made-up units, at a fixed instant."""

    title: str
    """What it shows, in a line."""
    request: JsonObject
    """A request as `POST /v1/recommend-units` takes it."""


def pilot_zone_features() -> JsonObject:
    """Return the pilot's zone as a GeoJSON FeatureCollection of one feature, `PILOT_CORE`.

    A schematic of 33 corners, drawn from the city's description: Denny Way in the north, the
    waterfront in the west, Interstate 5 in the east but for the Chinatown-International District,
    which reaches to Rainier Avenue, and South Spokane Street in the south.
    """
    features: JsonObject = json.loads(_text("zone.geojson"))
    return features


def pilot_release_file() -> Path:
    """Return where the release of the pilot's launch is: its policy, as a city writes one."""
    return Path(str(files("geodata.pilot") / "release.toml"))


def pilot_posts() -> tuple[Post, ...]:
    """Return the posts of the pilot, from public addresses.

    The two of CARE are those its spokesperson named to the West Seattle Blog in February 2025.
    """
    return tuple(
        Post(
            post_id=row["post_id"],
            name=row["name"],
            lon=float(row["lon"]),
            lat=float(row["lat"]),
        )
        for row in csv.DictReader(_text("posts.csv").splitlines())
    )


def pilot_demo_calls() -> tuple[DemoCall, ...]:
    """Return the demonstration calls in the order in which they are shown."""
    calls = json.loads(_text("demo_calls.json"))["calls"]
    return tuple(DemoCall(title=call["title"], request=call["request"]) for call in calls)


def _text(file: str) -> str:
    return (files("geodata.pilot") / file).read_text(encoding="utf-8")
