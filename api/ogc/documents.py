"""The documents of OGC API - Features: landing page, conformance, collections, schemas, features.

What lives here: values that become JSON. What does not: the API description (`description`).
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from api.ogc.asked import FORMAT, Asked
from api.ogc.collections import About, Collection, Field
from api.ogc.layers import Feature, Layer
from api.ogc.links import (
    GEOJSON,
    JSON,
    OPENAPI,
    SCHEMA,
    SCHEMA_RELATION,
    Addresses,
    Document,
    Link,
    items,
    link,
    with_query,
)
from api.ogc.systems import CRS84, SYSTEMS

CONFORMANCE: Final = tuple(
    f"http://www.opengis.net/spec/{name}"
    for name in (
        "ogcapi-common-1/1.0/conf/core",
        "ogcapi-common-2/1.0/conf/collections",
        "ogcapi-features-1/1.0/conf/core",
        "ogcapi-features-1/1.0/conf/oas30",
        "ogcapi-features-1/1.0/conf/geojson",
        "ogcapi-features-2/1.0/conf/crs",
        "ogcapi-features-4/1.0/conf/create-replace-delete",
        "ogcapi-features-4/1.0/conf/update",
        "ogcapi-features-4/1.0/conf/features",
        "ogcapi-features-5/1.0/conf/schemas",
        "ogcapi-features-5/1.0/conf/core-roles-features",
    )
)
TITLE: Final = "Tandem"
PLAIN: Final = (FORMAT,)
"""The parameters of documents."""

DESCRIPTION: Final = (
    "Zones, drafts of zones, closures, posts, beats, units and streets of a dispatch center."
)


def landing_page(addresses: Addresses) -> Document:
    """Return the page from which everything else is found."""
    return {
        "title": TITLE,
        "description": DESCRIPTION,
        "links": [
            link(addresses.root, "self", JSON, "This page"),
            link(addresses.at("api"), "service-desc", OPENAPI, "The API description"),
            link(addresses.at("conformance"), "conformance", JSON, "What is conformed to"),
            link(addresses.at("collections"), "data", JSON, "The collections"),
        ],
    }


def conformance() -> Document:
    """Return the classes of requirements that are met."""
    return {"conformsTo": list(CONFORMANCE)}


def collections_page(addresses: Addresses, pages: Sequence[Document]) -> Document:
    """Return all collections that the caller may read."""
    return {
        "links": [link(addresses.at("collections"), "self", JSON, "The collections")],
        "crs": [system.uri for system in SYSTEMS],
        "collections": list(pages),
    }


def collection_page(addresses: Addresses, collection: Collection, layer: Layer) -> Document:
    """Return what a collection says of itself."""
    about = collection.about
    at = addresses.at("collections", about.collection_id)
    return {
        "id": about.collection_id,
        "title": about.title,
        "description": about.description,
        "itemType": "feature",
        "extent": _extent(layer, about),
        "crs": [system.uri for system in SYSTEMS],
        "storageCrs": CRS84.uri,
        "links": [
            link(at, "self", JSON, about.title),
            link(items(addresses, about.collection_id), "items", GEOJSON, "The features"),
            link(f"{at}/schema", SCHEMA_RELATION, SCHEMA, "The schema of the features"),
        ],
    }


def _extent(layer: Layer, about: About) -> Document:
    """Return where and when a collection is; an empty one has no place, so none is told."""
    found: Document = {}
    bounds = layer.extent()
    if bounds is not None:
        found["spatial"] = {"bbox": [list(bounds)], "crs": CRS84.uri}
    if about.has_time and layer.times is not None and len(layer):
        ends = (float(layer.times.from_s.min()), float(layer.times.to_s.max()))
        found["temporal"] = {"interval": [[_instant(end_s) for end_s in ends]]}
    return found


def _instant(seconds: float) -> str | None:
    if not math.isfinite(seconds):
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def schema_page(addresses: Addresses, about: About) -> Document:
    """Return the schema of the features of a collection (Part 5)."""
    at = addresses.at("collections", about.collection_id, "schema")
    first, *others = about.fields
    properties = {
        "geometry": {"format": about.shape.value, "x-ogc-role": "primary-geometry"},
        first.name: _property(first, 1) | {"x-ogc-role": "id"},
        **{field.name: _property(field, place) for place, field in enumerate(others, 2)},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": at,
        "type": "object",
        "title": about.title,
        "description": about.description,
        "properties": properties,
    }


def _property(field: Field, place: int) -> Document:
    return {
        "title": field.title,
        "type": field.kind.value,
        "x-ogc-propertySeq": place,
        **field.more,
    }


def items_page(
    addresses: Addresses, about: About, asked: Asked, matched: int, features: list[Feature]
) -> Document:
    """Return one page of features, with the way to the next and the one before."""
    at = items(addresses, about.collection_id)
    self_query = asked.page(asked.offset) if asked.query else ""
    links = [link(with_query(at, self_query), "self", GEOJSON, "This page")]
    links += [
        link(with_query(at, asked.page(offset)), relation, GEOJSON, f"The {relation} page")
        for relation, offset in _other_pages(asked, matched)
    ]
    links.append(_to_collection(addresses, about))
    return {
        "type": "FeatureCollection",
        "numberMatched": matched,
        "numberReturned": len(features),
        "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "links": links,
        "features": features,
    }


def _other_pages(asked: Asked, matched: int) -> list[tuple[str, int]]:
    found = []
    if asked.offset + asked.limit < matched:
        found.append(("next", asked.offset + asked.limit))
    if asked.offset > 0:
        found.append(("prev", max(asked.offset - asked.limit, 0)))
    return found


def item_page(addresses: Addresses, about: About, feature: Feature) -> Document:
    """Return one feature with its links."""
    at = addresses.at("collections", about.collection_id, "items", str(feature["id"]))
    links = [link(at, "self", GEOJSON, "This feature"), _to_collection(addresses, about)]
    return feature | {"links": links}


def _to_collection(addresses: Addresses, about: About) -> Link:
    at = addresses.at("collections", about.collection_id)
    return link(at, "collection", JSON, about.title)
