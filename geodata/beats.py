"""Police geography: in which beat a call lies, and where beats and sectors have their centres.

What lives here: `BeatMap`, read from a GeoJSON of beats. What does not: what a sector means for a
call (`routing.police`). The first letter of a beat is its sector; a beat that is not a letter
followed by something (Seattle's `99` is "outside") is left out.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from geodata.errors import GeodataError
from geodata.zones import Zone, ZoneKind, ZoneMap, ZoneMapError, read_outline

Point = tuple[float, float]
"""lon and lat in degrees."""

BEAT_FIELD: Final = "beat"


class BeatMapError(GeodataError, ValueError):
    """Beats that cannot be used."""


def sector_of(beat: str) -> str:
    """Return the sector of a beat, its first letter in capitals."""
    return beat[:1].upper()


class BeatMap:
    """All beats, ready for look-ups. Immutable; safe to read from any thread."""

    __slots__ = ("_beats", "beat_centres", "outlines", "sector_centres")

    def __init__(self, outlines: Mapping[str, Any]) -> None:
        """Make the beats ready; `outlines` are shapely areas in degrees by the name of the beat.

        Raises
        ------
        BeatMapError
            An outline is unusable.
        """
        zones = [
            Zone(zone_id=beat, name=beat, kind=ZoneKind.BASE, precedence=-place, geometry=area)
            for place, (beat, area) in enumerate(sorted(outlines.items()))
        ]
        try:
            self._beats = ZoneMap(zones)
        except ZoneMapError as error:
            raise BeatMapError(f"beats: {error}") from None
        self.outlines: Mapping[str, Any] = {zone.zone_id: zone.geometry for zone in zones}
        """The area of each beat, in degrees."""
        self.beat_centres: Mapping[str, Point] = {
            zone.zone_id: _centre(zone.geometry) for zone in zones
        }
        """A point inside each beat."""
        self.sector_centres: Mapping[str, Point] = _sector_centres(self.beat_centres)
        """The mean of the centres of each sector's beats."""

    @classmethod
    def from_geojson(cls, data: Mapping[str, Any]) -> "BeatMap":
        """Return the beats of a GeoJSON FeatureCollection with a property `beat`.

        Raises
        ------
        BeatMapError
            It is no such collection, or holds no beat.
        """
        features = data.get("features")
        if data.get("type") != "FeatureCollection" or not isinstance(features, list):
            raise BeatMapError("expected a GeoJSON FeatureCollection of beats")
        outlines = {}
        for place, feature in enumerate(features):
            try:
                beat = str(feature["properties"][BEAT_FIELD]).strip().upper()
                if _is_beat(beat):
                    outlines[beat] = read_outline(feature["geometry"])
            except (KeyError, TypeError, ValueError) as error:
                raise BeatMapError(
                    f"features[{place}]: {error}; expected a polygon with the property "
                    f"{BEAT_FIELD!r}, such as M1"
                ) from None
        return cls.among(outlines)

    @classmethod
    def among(cls, outlines: Mapping[str, Any]) -> "BeatMap":
        """Return the beats among areas by name; those that name no beat are left out.

        Raises
        ------
        BeatMapError
            None names a beat, or an outline is unusable.
        """
        beats = {name.upper(): area for name, area in outlines.items() if _is_beat(name)}
        if not beats:
            raise BeatMapError("no feature names a beat such as M1; is it a file of beats?")
        return cls(beats)

    def __len__(self) -> int:
        return len(self.beat_centres)

    def beat_at(self, lon: float, lat: float) -> str | None:
        """Return the beat that a point lies in, or None outside all."""
        hits = self._beats.zones_at(lon, lat)
        return hits[0].zone_id if hits else None

    def sector_at(self, lon: float, lat: float) -> str | None:
        """Return the sector that a point lies in, or None outside all."""
        beat = self.beat_at(lon, lat)
        return None if beat is None else sector_of(beat)


def _is_beat(name: str) -> bool:
    return len(name) > 1 and name[0].isalpha()


def _centre(area: Any) -> Point:
    point = area.representative_point()
    return float(point.x), float(point.y)


def _sector_centres(beat_centres: Mapping[str, Point]) -> Mapping[str, Point]:
    of_sector: dict[str, list[Point]] = {}
    for beat, centre in beat_centres.items():
        of_sector.setdefault(sector_of(beat), []).append(centre)
    return {
        sector: (float(np.mean([p[0] for p in points])), float(np.mean([p[1] for p in points])))
        for sector, points in of_sector.items()
    }
