"""The zones of a draft, one by one, as GeoJSON features; as a GIS client edits them.

A zone that by itself cannot be one is refused at once, with every problem; whether zones go
together is a matter of the check of the whole draft (`checks`), so that they may be moved one after
the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from api.errors import ChangeRefused, InvalidRequest, NoSuchZone, Problem
from api.ids import new_id
from api.releases.content import zone_as_feature
from api.releases.draft_writes import change_draft, invalid, require_draft
from api.releases.drafts import Draft, Feature, zones_text
from api.store.writer import Transaction

COLUMNS: Final = ("zone_id", "name", "kind", "precedence", "policy_id", "note")
WORLD: Final = (-180.0, -90.0, 180.0, 90.0)
ZONES_MAX: Final = 10_000
ZONE_PREFIX: Final = "zone_"


def zone_features(draft: Draft) -> list[Feature]:
    """Return the zones of a draft as GeoJSON features with `id`, in the order of the draft."""
    return draft.features()


def create_zone(tx: Transaction, name: str, feature: Mapping[str, Any], by: str) -> str:
    """Add a zone and return its zone_id, which is made where the feature brings none.

    Raises
    ------
    NoSuchDraft, NotYours
        There is no such draft, or it is another's.
    InvalidRequest
        The feature is no zone; its problems say why.
    ChangeRefused
        The draft has a zone of this zone_id.
    """
    draft = require_draft(tx, name)
    told = _own_id(feature)
    zone_id = told or new_id(ZONE_PREFIX, tx.at)
    features = draft.features()
    if any(one["id"] == zone_id for one in features):
        raise ChangeRefused(
            "The draft has a zone of this zone_id.",
            remedy="Give it another zone_id, or replace that zone.",
        )
    made = zone_feature(feature, zone_id)
    change_draft(tx, draft, by, zones=zones_text([*features, made]))
    return zone_id


def replace_zone(
    tx: Transaction, name: str, zone_id: str, feature: Mapping[str, Any], by: str
) -> None:
    """Put a feature in the place of a zone, which keeps its zone_id; raises what the others do."""
    draft = require_draft(tx, name)
    features = draft.features()
    place = _place_of(features, zone_id)
    told = _own_id(feature)
    if told is not None and told != zone_id:
        raise invalid(
            "ZONE_ID_DIFFERS",
            "/properties/zone_id",
            "A zone keeps its zone_id.",
            "Send the one that it has; to rename it delete it and add another.",
        )
    features[place] = zone_feature(feature, zone_id)
    change_draft(tx, draft, by, zones=zones_text(features))


def update_zone(
    tx: Transaction, name: str, zone_id: str, patch: Mapping[str, Any], by: str
) -> None:
    """Change members of a zone's feature as RFC 7396 says; raises what the others do."""
    draft = require_draft(tx, name)
    features = draft.features()
    before = features[_place_of(features, zone_id)]
    replace_zone(tx, name, zone_id, merged(before, patch), by)


def delete_zone(tx: Transaction, name: str, zone_id: str, by: str) -> None:
    """Take a zone out; raises what the others do."""
    draft = require_draft(tx, name)
    features = draft.features()
    del features[_place_of(features, zone_id)]
    change_draft(tx, draft, by, zones=zones_text(features))


def merged(before: Any, patch: Any) -> Any:
    """Return a JSON value after a merge patch (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return patch
    kept = dict(before) if isinstance(before, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            kept.pop(key, None)
        elif key == "geometry":
            kept[key] = value  # a geometry is one value: its members belong together
        else:
            kept[key] = merged(kept.get(key), value)
    return kept


def _place_of(features: Sequence[Feature], zone_id: str) -> int:
    for place, one in enumerate(features):
        if one["id"] == zone_id:
            return place
    raise NoSuchZone("The draft has no zone of this zone_id.", remedy="Look at its zones again.")


def _own_id(feature: Mapping[str, Any]) -> str | None:
    """Return the zone_id that a feature brings, or None."""
    properties = feature.get("properties")
    told = properties.get("zone_id") if isinstance(properties, Mapping) else None
    if told is None or told == "":
        told = feature.get("id")
    return None if told is None or told == "" else str(told).strip()


# -- one feature ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """As `geodata.zone_checks` takes it."""

    number: int
    values: dict[str, Any]
    geometry: BaseGeometry | None


def zone_feature(feature: Mapping[str, Any], zone_id: str | None, *, number: int = 1) -> Feature:
    """Return a feature as a draft keeps it: checked, every property there, one winding.

    Parameters
    ----------
    zone_id
        None takes that of the feature.
    number
        Of the feature in its collection, from 1; names it where it has no zone_id.

    Raises
    ------
    InvalidRequest
        It is no zone; its problems say why.
    """
    # pyproj comes with it, which no start should wait for.
    from geodata.zone_checks import check_rows
    from geodata.zone_findings import Weight

    values = _values(feature, zone_id)
    row = _Row(number=number, values=values, geometry=_geometry(feature))
    found = check_rows([row], WORLD, repair=False)
    problems = tuple(
        Problem(
            path=f"/features/{number - 1}",
            code=one.code,
            detail=f"{one.feature}: {one.detail}",
            remedy=f"{one.remedy}.",
        )
        for one in found.findings
        if one.weight is Weight.ERROR
    )
    if problems or len(found.zones) != 1:
        first = problems[0] if problems else None
        raise InvalidRequest(
            first.detail if first else "The feature is no zone.",
            remedy=first.remedy if first else "Send a Polygon or MultiPolygon.",
            problems=problems,
        )
    read = found.zones[0]
    return zone_as_feature(read.zone, read.note)


def _values(feature: Mapping[str, Any], zone_id: str | None) -> dict[str, Any]:
    """Return the columns of a feature; refused where one is no plain value."""
    properties = feature.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise invalid("WRONG_VALUE", "/properties", "properties are no object.", "Send an object.")
    values = {name: properties.get(name) for name in COLUMNS}
    values["zone_id"] = zone_id if zone_id is not None else _own_id(feature)
    for name, value in values.items():
        if isinstance(value, bool | list | dict):
            path = f"/properties/{name}"
            raise invalid("WRONG_VALUE", path, f"{name} is no text or number.", "Send a text.")
    return values


def _geometry(feature: Mapping[str, Any]) -> BaseGeometry | None:
    told = feature.get("geometry")
    if told is None:
        return None
    try:
        made = shape(told)
    except (ShapelyError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise invalid(
            "NO_GEOMETRY",
            "/geometry",
            "The geometry cannot be read.",
            "Send a GeoJSON Polygon or MultiPolygon in WGS 84 degrees.",
        ) from None
    return shapely.force_2d(made)


def zone_collection(collection: Mapping[str, Any]) -> str:
    """Return the text of a FeatureCollection as a draft keeps it.

    Raises
    ------
    InvalidRequest
        It is none, or one of its features is no zone.
    """
    features = collection.get("features")
    if collection.get("type") != "FeatureCollection" or not isinstance(features, list):
        remedy = "Send a GeoJSON FeatureCollection of polygons in WGS 84 degrees."
        raise invalid("WRONG_VALUE", "", "This is no FeatureCollection.", remedy)
    if len(features) > ZONES_MAX:
        detail = f"There are more than {ZONES_MAX:,} zones."
        raise invalid("TOO_LARGE", "/features", detail, "Send fewer.")
    problems: list[Problem] = []
    made: list[Feature] = []
    for place, one in enumerate(features):
        try:
            made.append(
                zone_feature(one if isinstance(one, Mapping) else {}, None, number=place + 1)
            )
        except InvalidRequest as refused:
            problems += refused.problems
    names = [one["id"] for one in made]
    for repeated in sorted({name for name in names if names.count(name) > 1}):
        what = f"the zone_id {repeated[:64]} occurs more than once"
        problems.append(
            Problem(path="/features", code="ID_REPEATED", detail=what, remedy="Give each its own.")
        )
    if problems:
        raise InvalidRequest(
            problems[0].detail, remedy=problems[0].remedy, problems=tuple(problems)
        )
    return zones_text(made)
