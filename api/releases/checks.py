"""The check of a draft as a whole: its file, its zones together, and its zones on the streets.

What lives here: `check`, which gathers what `read_release` and the checks of imported zones find.
What does not: any rule about a release or a zone.
"""

from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from api.release_errors import ReleaseFileError
from api.releases.content import read_content
from api.releases.drafts import Content, Feature
from geodata.network import StreetNetwork
from geodata.zone_findings import Finding
from routing.release import Release


class Found(Struct, frozen=True, kw_only=True):
    """One thing that a check has found."""

    weight: str
    """ERROR: it cannot be published. WARNING: for a person to judge."""
    part: str
    """policy or zones."""
    place: str
    """Keys of the file with their line, or the zone_id."""
    code: str
    detail: str
    remedy: str
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What became of a check."""

    found: tuple[Found, ...]
    release: Release | None
    """What would be decided by; None where the file cannot be read."""

    @property
    def is_usable(self) -> bool:
        """Whether it may be published."""
        return self.release is not None and not any(one.weight == "ERROR" for one in self.found)


def check(content: Content, network: StreetNetwork) -> Checked:
    """Check everything about some content; takes a tenth of a second for hundreds of zones."""
    release = None
    found: list[Found] = []
    try:
        release = read_content(content)
    except ReleaseFileError as refused:
        found += [
            Found(
                weight="ERROR",
                part="zones" if one.path.startswith("zones") else "policy",
                place=f"line {one.line}: {one.path}",
                code=one.code,
                detail=one.detail,
                remedy=one.remedy,
            )
            for one in refused.found
        ]
    found += _zone_findings(content, network)
    return Checked(found=tuple(found), release=release)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """As `geodata.zone_checks` takes it."""

    number: int
    values: dict[str, Any]
    geometry: BaseGeometry | None


def _zone_findings(content: Content, network: StreetNetwork) -> list[Found]:
    import json

    from geodata.zone_checks import check_rows
    from geodata.zone_neighbours import neighbour_findings

    features: list[Feature] = json.loads(content.zones)["features"]
    rows = [
        _Row(number=place, values=one["properties"], geometry=shape(one["geometry"]))
        for place, one in enumerate(features, 1)
    ]
    checked = check_rows(rows, network.bounds, repair=False)
    found = [*checked.findings, *neighbour_findings([one.zone for one in checked.zones])]
    return [found_of_zones(one) for one in found]


def found_of_zones(one: Finding) -> Found:
    """Return what a check of zones has found, as one thing that a check of a draft has."""
    return Found(
        weight=str(one.weight),
        part="zones",
        place=one.feature,
        code=one.code,
        detail=one.detail,
        remedy=one.remedy,
        lon=one.lon,
        lat=one.lat,
    )
