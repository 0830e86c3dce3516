"""What the API description says of /ogc, and the part of it that a GIS reads, as OpenAPI 3.0."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from api.answer_schemas import ProblemAnswer
from api.errors import PROBLEM_TYPE
from api.ogc.asked import LIMIT, LIMIT_MAX
from api.ogc.links import GEOJSON, JSON, OPENAPI, ROOT, SCHEMA, Addresses, Document
from api.ogc.systems import SYSTEMS

MERGE_PATCH: Final = "application/merge-patch+json"
_TEXT: Final = {"type": "string"}
_OBJECT: Final = {"type": "object"}
_SYSTEM: Final = {"type": "string", "enum": [system.uri for system in SYSTEMS]}
_OBJECT_OR_NULL: Final = {"anyOf": [_OBJECT, {"type": "null"}]}


def _parameter(name: str, schema: Document, meaning: str, **more: Any) -> Document:
    described = {"name": name, "in": "query", "description": meaning, "schema": schema}
    return described | {"required": False} | more


PARAMETERS: Final[dict[str, Document]] = {
    "f": _parameter("f", {"type": "string", "enum": ["json"]}, "The format; all is JSON."),
    "limit": _parameter(
        "limit",
        {"type": "integer", "minimum": 1, "default": LIMIT},
        f"Features of a page; more than {LIMIT_MAX:,} are taken for {LIMIT_MAX:,}.",
    ),
    "offset": _parameter(
        "offset", {"type": "integer", "minimum": 0, "default": 0}, "Features before the page."
    ),
    "bbox": _parameter(
        "bbox",
        {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
        "Two corners, least first, in `bbox-crs`; heights are passed over.",
        style="form",
        explode=False,
    ),
    "bbox-crs": _parameter("bbox-crs", _SYSTEM, "The system of `bbox`; CRS84 without it."),
    "crs": _parameter("crs", _SYSTEM, "The system of the answer; CRS84 without it."),
    "datetime": _parameter(
        "datetime", _TEXT, "An instant (RFC 3339), or two with `/` between; `..` leaves one open."
    ),
    "content-crs": _parameter("Content-Crs", _SYSTEM, "The system of the body.") | {"in": "header"},
}

_LINKS: Final = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["href", "rel", "type", "title"],
        "properties": dict.fromkeys(("href", "rel", "type", "title"), _TEXT),
    },
}


def _object(**properties: Document) -> Document:
    return {"type": "object", "required": list(properties), "properties": properties}


_FEATURE: Final[dict[str, Document]] = {
    "type": {"type": "string", "enum": ["Feature"]},
    "geometry": _OBJECT_OR_NULL,
    "properties": _OBJECT_OR_NULL,
}
_ANY_FEATURE: Final = _object(**_FEATURE)
SCHEMAS: Final[dict[str, Document]] = {
    "OgcPage": _object(title=_TEXT, description=_TEXT, links=_LINKS),
    "OgcConformance": _object(conformsTo={"type": "array", "items": _TEXT}),
    "OgcCollection": _object(
        id=_TEXT, title=_TEXT, description=_TEXT, itemType=_TEXT, extent=_OBJECT,
        crs={"type": "array", "items": _TEXT}, storageCrs=_TEXT, links=_LINKS,
    ),
    "OgcCollections": _object(
        links=_LINKS,
        crs={"type": "array", "items": _TEXT},
        collections={"type": "array", "items": {"$ref": "#/components/schemas/OgcCollection"}},
    ),
    "OgcFeatures": _object(
        type={"type": "string", "enum": ["FeatureCollection"]},
        numberMatched={"type": "integer", "minimum": 0},
        numberReturned={"type": "integer", "minimum": 0},
        timeStamp={"type": "string", "format": "date-time"},
        links=_LINKS,
        features={"type": "array", "items": _object(id=_TEXT, **_FEATURE)},
    ),
    "OgcFeature": _object(id=_TEXT, links=_LINKS, **_FEATURE),
    "OgcSent": _ANY_FEATURE,
    "OgcPatch": {
        "type": "object",
        "properties": {"geometry": _OBJECT_OR_NULL, "properties": _OBJECT_OR_NULL},
    },
    "OgcCreated": _object(id=_TEXT),
    "OgcObject": _OBJECT,
}  # fmt: skip

PLACES: Final = {
    "": ("OgcPage", JSON), "/": ("OgcPage", JSON), "/conformance": ("OgcConformance", JSON),
    "/api": ("OgcObject", OPENAPI), "/collections": ("OgcCollections", JSON),
    "/collections/{collection_id}": ("OgcCollection", JSON),
    "/collections/{collection_id}/schema": ("OgcObject", SCHEMA),
    "/collections/{collection_id}/items": ("OgcFeatures", GEOJSON),
    "/collections/{collection_id}/items/{feature_id}": ("OgcFeature", GEOJSON),
}  # fmt: skip
"""Below /ogc: what a GET answers."""

ITEMS: Final = "/collections/{collection_id}/items"
ITEM: Final = f"{ITEMS}/{{feature_id}}"
_QUERIES: Final[Mapping[str, tuple[str, ...]]] = {
    ITEMS: ("f", "limit", "offset", "bbox", "bbox-crs", "crs", "datetime"),
    ITEM: ("f", "crs"),
}
REFUSALS: Final = {
    "400": "A parameter that the address does not take, or a value that it cannot have.",
    "404": "There is no such collection or feature.",
    "503": "Not ready, or the store cannot be reached; ask again after Retry-After.",
}
EDIT_REFUSALS: Final = REFUSALS | {
    "403": "The credentials have none of the roles, or the draft is another person's.",
    "405": "Features of this collection cannot be changed here.",
    "408": "The body did not arrive in time.",
    "409": "What is kept does not allow it, or the first request with this key is in hand.",
    "413": "The body is too large.",
    "415": "The content type is not JSON.",
    "422": "The body is no feature, or none of this collection; see `errors`.",
}


def describe_features(document: Document, reference: str) -> None:
    """Complete the operations of /ogc; `reference` is the place of a model by its name."""
    components = document["components"]
    assert not components["schemas"].keys() & SCHEMAS.keys(), "two models of one name"
    components["schemas"].update(SCHEMAS)
    components["parameters"] = components.get("parameters", {}) | PARAMETERS
    problem = {PROBLEM_TYPE: {"schema": {"$ref": reference.format(model=ProblemAnswer.__name__)}}}
    for below, (model, media_type) in PLACES.items():
        for method, operation in document["paths"][f"{ROOT}{below}"].items():
            refusals = REFUSALS if method in ("get", "options") else EDIT_REFUSALS
            operation["responses"] = {
                **_done(method, reference.format(model=model), media_type, reference),
                **{
                    status: {"description": meaning, "content": problem}
                    for status, meaning in refusals.items()
                },
            }
            operation["parameters"] = [
                *operation.get("parameters", ()), *_parameters(method, below)
            ]  # fmt: skip
            if method in ("post", "put", "patch"):
                operation["requestBody"] = _body(method, reference)


def _parameters(method: str, below: str) -> Iterator[Document]:
    if method == "get":
        names = _QUERIES.get(below, ("f",))
    elif method == "options":
        names = ("f",)
    else:
        names = () if method == "delete" else ("content-crs",)
    return ({"$ref": f"#/components/parameters/{name}"} for name in names)


def _body(method: str, reference: str) -> Document:
    media_type = MERGE_PATCH if method == "patch" else GEOJSON
    model = "OgcPatch" if method == "patch" else "OgcSent"
    schema = {"$ref": reference.format(model=model)}
    return {"required": True, "content": {media_type: {"schema": schema}}}


def _done(method: str, model: str, media_type: str, reference: str) -> Document:
    """Return the answer of an operation that succeeds."""
    if method == "get":
        content = {media_type: {"schema": {"$ref": model}}}
        return {"200": {"description": "As asked", "content": content}}
    if method == "options":
        allow = {"description": "What the caller may do", "required": True, "schema": _TEXT}
        return {"204": {"description": "See the header Allow", "headers": {"Allow": allow}}}
    if method != "post":
        return {"204": {"description": "Done"}}
    created = {"$ref": reference.format(model="OgcCreated")}
    where = {"description": "Where the feature is", "required": True, "schema": _TEXT}
    return {
        "201": {
            "description": "Added",
            "headers": {"Location": where},
            "content": {JSON: {"schema": created}},
        }
    }


# -- the part that a GIS reads --------------------------------------------------------------------


def api_page(document: Document, addresses: Addresses) -> Document:
    """Return the description of /ogc alone, as OpenAPI 3.0.

    Parameters
    ----------
    document
        The description of the whole service.
    """
    paths = {
        path.removeprefix(ROOT): operations
        for path, operations in document["paths"].items()
        if path.startswith(f"{ROOT}/")
    }
    components = document["components"]
    wanted = {"ProblemAnswer", *_models_below(components, "ProblemAnswer"), *SCHEMAS}
    kept: Document = {
        "schemas": {name: components["schemas"][name] for name in sorted(wanted)},
        "parameters": PARAMETERS,
    }
    if "securitySchemes" in components:
        kept["securitySchemes"] = components["securitySchemes"]
    page: Document = as_3_0(
        {
            "openapi": "3.0.3",
            "info": {"title": "Tandem, features", "version": document["info"]["version"]},
            "servers": [{"url": addresses.root}],
            "paths": paths,
            "components": kept,
        }
    )
    # QGIS and GDAL take the size of their pages from here.
    page["components"]["parameters"]["limit"]["schema"]["maximum"] = LIMIT_MAX
    return page


def _models_below(components: Document, name: str) -> Iterator[str]:
    for found in _references(components["schemas"][name]):
        yield found
        yield from _models_below(components, found)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for below in value.values():
            yield from _references(below)
    elif isinstance(value, list):
        for below in value:
            yield from _references(below)


def as_3_0(value: Any) -> Any:
    """Return a part of a description of OpenAPI 3.1 as 3.0 has it: null and examples differ."""
    if isinstance(value, list):
        return [as_3_0(one) for one in value]
    if not isinstance(value, dict):
        return value
    choices = value.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        others = [as_3_0(one) for one in choices if one != {"type": "null"}]
        rest = {key: as_3_0(one) for key, one in value.items() if key != "anyOf"}
        only = others[0] if len(others) == 1 else {"anyOf": others}
        return rest | only | {"nullable": True}
    made = {key: as_3_0(one) for key, one in value.items()}
    if isinstance(made.get("examples"), list):
        made["example"] = made.pop("examples")[0]
    return made
