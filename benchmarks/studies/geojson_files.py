"""GeoJSON files that a scenario names: areas and zones, each fault with its line.

What lives here: `GeoJsonFile` and what areas and zones are made of. What does not: geographies and
which points lie in them (`geography`), closures, which need the streets (`placing`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from shapely.geometry.base import BaseGeometry

from api.json_lines import JsonLines
from api.release_lines import Path as KeyPath
from benchmarks.studies.errors import THE_FILE, Fault, fault_of, said_by
from benchmarks.studies.reading import like_one_of
from benchmarks.studies.scenario import dotted
from geodata.zones import ZoneMap, ZoneMapError, geometry_problem, read_outline

BYTES_MAX: Final = 200_000_000
FEATURES_MAX: Final = 10_000
FAULTS_MAX: Final = 500
FORM: Final = "Give a GeoJSON FeatureCollection in degrees of WGS 84."
ZONES: Final = "Give a GeoJSON FeatureCollection of polygons in degrees, with a zone_id each."
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "beat": ("beat",),
    "precinct": ("name", "precinct"),
    "tract": ("geoid", "GEOID20", "GEOID", "name", "NAME"),
}
"""Properties that name an area, looked for where the scenario names none."""


class GeoJsonFile:
    """A file of features: what it holds, and everything that is wrong with it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.data: dict[str, Any] = {}
        self.features: list[dict[str, Any]] = []
        self._lines: JsonLines | None = None
        self._read()

    def fault(self, path: KeyPath, message: str, remedy: str, *, name: str = "") -> None:
        """Keep what is wrong with the value at a path; `name` says whose it is."""
        if len(self.faults) < FAULTS_MAX:
            where = dotted(path) + (f" ({name})" if name else "") or THE_FILE
            line = None if self._lines is None or not path else self._lines.line(path)
            self.faults.append(fault_of(self.file, where, message, remedy, line=line))

    def _read(self) -> None:
        try:
            if self.file.stat().st_size > BYTES_MAX:
                self.fault((), f"has more than {BYTES_MAX:,} bytes.", "Give a smaller file.")
                return
            text = self.file.read_text(encoding="utf-8-sig")
            data = json.loads(text)
        except json.JSONDecodeError as problem:
            at = f"at column {problem.colno}"
            message = f"is no JSON: {problem.msg} {at}."
            self.faults.append(fault_of(self.file, THE_FILE, message, FORM, line=problem.lineno))
        except (OSError, ValueError, RecursionError) as problem:
            self.fault((), f"cannot be read: {said_by(problem)}.", FORM)
        else:
            self._lines = JsonLines(text)
            self._take(data)

    def _take(self, data: object) -> None:
        features = data.get("features") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(features, list):
            self.fault((), "is no FeatureCollection.", FORM)
            return
        if len(features) > FEATURES_MAX:
            self.fault(("features",), f"has more than {FEATURES_MAX:,} features.", "Give fewer.")
            return
        for place, one in enumerate(features):
            self._check(("features", place), one)
        if not self.faults:
            self.data, self.features = data, features

    def _check(self, path: KeyPath, feature: object) -> None:
        if not isinstance(feature, dict):
            self.fault(path, "is no feature.", FORM)
            return
        for key in ("properties", "geometry"):
            if not isinstance(feature.get(key) or {}, dict):
                self.fault((*path, key), "is no object.", FORM)


def properties_of(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of a feature, {} where it has none."""
    return feature.get("properties") or {}


# -- areas ----------------------------------------------------------------------------------------


class AreaFile(GeoJsonFile):
    """A GeoJSON of named areas."""

    field: str | None = None
    """The property that names each, as found."""

    def outlines(self, name: str, field: str | None) -> dict[str, BaseGeometry]:
        """Return the outlines of a geography by name; {} where there are faults."""
        if self.faults:
            return {}
        known = self.field = self._field(name, field)
        if known is None:
            return {}
        found: dict[str, BaseGeometry] = {}
        for place, feature in enumerate(self.features):
            self._outline(("features", place), feature, known, found)
        if not found and not self.faults:
            self.fault(("features",), "has no area.", "Give polygons, each with a name.")
        return {} if self.faults else found

    def _field(self, name: str, field: str | None) -> str | None:
        there = {key for one in self.features for key in properties_of(one)}
        wanted = (field,) if field else FIELDS.get(name, (name, "name"))
        found = next((one for one in wanted if one in there), None)
        if found is None:
            hint = like_one_of(wanted[0], there, "properties")
            message = f"No feature has the property {' or '.join(wanted)}."
            self.fault(("features",), message, f"{hint} Set field in [areas.{name}].")
        return found

    def _outline(
        self, path: KeyPath, feature: Mapping[str, Any], field: str, found: dict[str, BaseGeometry]
    ) -> None:
        told = properties_of(feature).get(field)
        name = "" if told is None else str(told).strip()
        if not name:
            self.fault((*path, "properties", field), "is empty.", "Name each area.")
            return
        at = (*path, "geometry")
        try:
            outline = read_outline(feature.get("geometry") or {})
        except ValueError as bad:
            self.fault(at, *said_of(str(bad), "Give a polygon."), name=name)
            return
        problem = geometry_problem(outline)
        if problem is not None:
            self.fault(at, *said_of(problem, "Give a polygon."), name=name)
            return
        before = found.get(name)
        found[name] = outline if before is None else before.union(outline)


# -- zones ----------------------------------------------------------------------------------------


_PROPERTIES: Final = ("zone_id", "kind", "precedence")
_OF_GEOMETRY: Final = ("geometry", "outline", "coordinates", "overlap")


def zones_of_file(file: Path, policies: Iterable[str]) -> tuple[ZoneMap | None, list[Fault]]:
    """Return the zones of a GeoJSON file, and everything that is wrong with it.

    Parameters
    ----------
    policies
        What `policy_id` of a zone may be.
    """
    read = GeoJsonFile(file)
    if read.faults:
        return None, read.faults
    zones = None
    try:
        zones = ZoneMap.from_geojson(read.data)
    except ZoneMapError as problem:
        for about, text in zip(problem.about, problem.problems, strict=True):
            _zone_fault(read, about, text)
    known = {"", *policies}
    for place, feature in enumerate(read.features):
        policy = str(properties_of(feature).get("policy_id") or "")
        if policy not in known:
            read.fault(("features", place, "properties", "policy_id"), f"is {policy!r}.",
                       like_one_of(policy, known - {""}, "policies of the release"))  # fmt: skip
    return (None if read.faults else zones), read.faults


def _zone_fault(read: GeoJsonFile, about: int | str | None, text: str) -> None:
    """Keep what is wrong with a zone: the one at a place, or the last one of an id."""
    if about is None:
        read.fault(_first_key(read.data, text), *said_of(text, ZONES))
        return
    place = about if isinstance(about, int) else _place_of(read.features, about)
    path: KeyPath = ("features", place)
    text = text.removeprefix(f"features[{place}]: ")
    known = properties_of(read.features[place])
    key = next((one for one in _PROPERTIES if text.startswith(f"{one} ")), None)
    if key is not None:
        path = (*path, "properties", key)
        text = text.removeprefix(f"{key} ")
    elif any(word in text for word in _OF_GEOMETRY):
        path = (*path, "geometry")
    read.fault(path, *said_of(text, ZONES), name=str(known.get("zone_id") or ""))


def _first_key(data: Mapping[str, Any], text: str) -> KeyPath:
    return ("crs",) if text.startswith("crs ") and "crs" in data else ()


def _place_of(features: Sequence[Mapping[str, Any]], zone_id: str) -> int:
    ids = [str(properties_of(one).get("zone_id")).strip() for one in features]
    return len(ids) - 1 - ids[::-1].index(zone_id)


def said_of(text: str, remedy: str) -> tuple[str, str]:
    """Return message and remedy of a sentence such as `kind is 'X'; expected one of ...`."""
    cut = "; " if "; " in text else ". Did you"
    message, found, hint = text.partition(cut)
    hint = f"{found.removeprefix('; ').removeprefix('. ')}{hint}"
    return _ended(message), _ended(f"{hint[:1].upper()}{hint[1:]}") if hint else remedy


def _ended(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."
