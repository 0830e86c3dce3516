"""From the zones of a release file, and the GeoJSON file that it may name, to a `ZoneMap`.

What lives here: reading both, and saying on which key each problem of the map stands. What does
not: what is wrong with a geometry (`geodata.zones`).
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from typing import Any, Final

import shapely
from shapely.errors import ShapelyError

from api.json_lines import JsonLines
from api.release_findings import Findings, did_you_mean, read_table, shown
from api.release_lines import Path
from api.release_schema import ZonePart
from geodata.zones import Zone, ZoneMap, ZoneMapError, geometry_problem

ZONES_FILE_BYTES_MAX: Final = 50_000_000
ZONES_FILE: Final[Path] = ("zones_file",)
GEOJSON: Final = "Give a GeoJSON FeatureCollection of polygons in WGS 84 degrees with zone_id each."


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedZone:
    """A zone and where it stands in the release file."""

    zone: Zone
    path: Path

    def at(self, key: str) -> Path:
        """Return the path of one of its keys; of a zone from a file, the name of that file."""
        return self.path if self.path == ZONES_FILE else (*self.path, key)


def read_zones(raw: Sequence[object], findings: Findings) -> list[PlacedZone]:
    """Return the zones of `[[zones]]` that can be used; what is wrong with the others is noted."""
    placed = (_placed(entry, ("zones", place), findings) for place, entry in enumerate(raw))
    return [zone for zone in placed if zone is not None]


def _placed(raw: object, path: Path, findings: Findings) -> PlacedZone | None:
    entry, _ = read_table(ZonePart, raw, path, findings)
    if entry is None or findings.any_under((*path, "outline")):
        return None
    if findings.any_under((*path, "holes")):
        return None
    try:
        zone = _zone_of(entry)
        problem = geometry_problem(zone.geometry)
    except (ValueError, ShapelyError) as error:
        problem = str(error)
    else:
        if problem is None:
            return PlacedZone(zone=zone, path=path)
    remedy = "Check its corners: in order, without crossing, [lon, lat] each."
    findings.add((*path, "outline"), "BAD_OUTLINE", f"cannot be used: {problem}", remedy)
    return None


def _zone_of(entry: ZonePart) -> Zone:
    return Zone(
        zone_id=entry.zone_id,
        name=entry.name or entry.zone_id,
        kind=entry.kind,
        precedence=entry.precedence,
        geometry=shapely.normalize(shapely.Polygon(entry.outline, entry.holes)),
        policy_id=entry.policy_id or "",
    )


def read_zones_file(name: str, folder: FilePath, findings: Findings) -> list[PlacedZone]:
    """Return the zones of a GeoJSON file beside the release; its problems are noted."""
    if "\\" in name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        what = f"is {shown(name)}, which does not lie beside the release file"
        remedy = "Put it in the folder of the release: both are published together."
        findings.add(ZONES_FILE, "WRONG_VALUE", what, remedy)
        return []
    text = ""
    try:
        text = _text(folder / name)
        return [PlacedZone(zone=zone, path=ZONES_FILE) for zone in _features(text).zones]
    except ZoneMapError as error:
        for problem, line in zip(error.problems, lines_of_zones(text, error.about), strict=True):
            at = name if line is None else f"{name}, line {line}"
            findings.add(ZONES_FILE, "ZONES_FILE", f"{at}: {problem}", GEOJSON)
    except (OSError, ValueError, LookupError, RecursionError) as error:
        said = getattr(error, "strerror", None) or str(error)
        findings.add(ZONES_FILE, "ZONES_FILE", f"{name}: {said}", GEOJSON)
    return []


def lines_of_zones(text: str, about: Sequence[int | str | None]) -> Iterator[int | None]:
    """Yield the line of the feature that each problem of a `ZoneMapError` is about."""
    lines, features = JsonLines(text), json.loads(text).get("features")
    for one in about:
        place = one if isinstance(one, int) else None
        if isinstance(one, str):
            ids = [_zone_id(feature) for feature in features]
            place = len(ids) - 1 - ids[::-1].index(one)  # the last of an id that is told twice
        yield None if place is None else lines.line(("features", place))


def _zone_id(feature: Any) -> str:
    told = feature.get("properties") if isinstance(feature, dict) else None
    return str(told.get("zone_id")).strip() if isinstance(told, dict) else ""


def _text(file: FilePath) -> str:
    if file.stat().st_size > ZONES_FILE_BYTES_MAX:
        raise ValueError(f"more than {ZONES_FILE_BYTES_MAX:,} bytes")
    return file.read_text(encoding="utf-8")


def _features(text: str) -> ZoneMap:
    data: Any = json.loads(text)
    if not isinstance(data, dict):
        raise ValueError("not a GeoJSON object")  # noqa: TRY004  as every other fault of the file
    return ZoneMap.from_geojson(data)


def zone_map(
    placed: Sequence[PlacedZone],
    policies: Collection[str],
    edge_tolerance_m: float,
    findings: Findings,
) -> ZoneMap | None:
    """Return the map of all zones, or None when they do not go together; why not is noted."""
    first: dict[str, PlacedZone] = {}
    for zone in placed:
        _check_policy(zone, policies, findings)
        earlier = first.setdefault(zone.zone.zone_id, zone)
        if earlier is not zone:
            what = f"is {shown(zone.zone.zone_id)}, as that of an earlier zone"
            findings.add(zone.at("zone_id"), "NOT_UNIQUE", what, "Give every zone its own.")
    try:
        return ZoneMap([zone.zone for zone in first.values()], edge_tolerance_m=edge_tolerance_m)
    except ZoneMapError as error:
        for problem in error.problems:
            findings.add(_overlapping(problem, first), "OVERLAP", *_split(problem))
        return None


def _check_policy(zone: PlacedZone, policies: Collection[str], findings: Findings) -> None:
    policy_id = zone.zone.policy_id
    if policy_id and policy_id not in policies:
        what = f"of zone {zone.zone.zone_id} is {shown(policy_id)}, and there is no such policy"
        remedy = did_you_mean(policy_id, sorted(policies))
        findings.add(zone.at("policy_id"), "UNKNOWN_NAME", what, remedy)


def _overlapping(problem: str, zones: dict[str, PlacedZone]) -> Path:
    """Return the path of the later of the two zones that a message is about."""
    named = [
        zone
        for zone_id, zone in zones.items()
        if problem.startswith(f"zones {zone_id} and ") or f" and {zone_id} overlap by " in problem
    ]
    return named[-1].at("precedence") if named else ("zones",)


def _split(problem: str) -> tuple[str, str]:
    """Return what is wrong, and the remedy, of a message of `ZoneMap`."""
    what, _, remedy = problem.partition("; ")
    return what, remedy[:1].upper() + remedy[1:] + "."
