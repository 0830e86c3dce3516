"""OGC API - Features: /ogc and everything below it, as QGIS, GDAL and OWSLib ask for it."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from fastapi import APIRouter, Request
from msgspec.json import decode, encode
from starlette.responses import Response

from api.auth.guard import other_role
from api.auth.principal import Principal, principal_of
from api.body import read_body
from api.error_answers import problem_response
from api.errors import NoSuchFeature, WrongMethod
from api.idempotency import REPLAYED_HEADER, Kept
from api.keyed_writes import keyed_of, write_once
from api.ogc import documents
from api.ogc.asked import known_parameters, read_item_query, read_items_query, read_system
from api.ogc.catalogue import Catalogue
from api.ogc.collections import Collection, Editable
from api.ogc.description import api_page
from api.ogc.edits import Feature, read_feature, read_patch
from api.ogc.links import GEOJSON, JSON, OPENAPI, ROOT, SCHEMA, Addresses, Document
from api.ogc.systems import CRS84, System
from api.service import Service
from api.store.writer import Transaction

router = APIRouter(tags=["features"])

LANDING: Final = f"{ROOT}/"
CONFORMANCE: Final = f"{ROOT}/conformance"
API: Final = f"{ROOT}/api"
COLLECTIONS: Final = f"{ROOT}/collections"
COLLECTION: Final = f"{COLLECTIONS}/{{collection_id}}"
SCHEMA_PATH: Final = f"{COLLECTION}/schema"
ITEMS: Final = f"{COLLECTION}/items"
ITEM: Final = f"{ITEMS}/{{feature_id:path}}"
"""An id may hold a slash."""

ONLY_READ: Final = "GET, OPTIONS"
ITEMS_EDITED: Final = "GET, OPTIONS, POST"
ITEM_EDITED: Final = "DELETE, GET, OPTIONS, PATCH, PUT"
CONTENT_CRS: Final = "content-crs"

Made = TypeVar("Made")
Read = Callable[[bytes, System], Feature]
Edit = Callable[[Editable, Transaction, Principal, Feature], Kept]


@router.get(ROOT, summary="Landing page", operation_id="ogc_root", response_class=Response)
async def root(request: Request) -> Response:
    """Answer the links from which a GIS finds everything else."""
    known_parameters(request.query_params, documents.PLAIN)
    return _json(documents.landing_page(_addresses(request)))


@router.get(LANDING, summary="Landing page", operation_id="ogc_landing", response_class=Response)
async def landing(request: Request) -> Response:
    """Answer the same; some clients ask with a slash at the end."""
    return await root(request)


@router.get(
    CONFORMANCE,
    summary="Conformance",
    operation_id="ogc_conformance",
    response_class=Response,
)
async def conformance(request: Request) -> Response:
    """Answer the classes of requirements of OGC API - Features that are met."""
    known_parameters(request.query_params, documents.PLAIN)
    return _json(documents.conformance())


@router.get(API, summary="Description of /ogc", operation_id="ogc_api", response_class=Response)
async def api(request: Request) -> Response:
    """Answer the part of the API description that is about features, as OpenAPI 3.0."""
    known_parameters(request.query_params, documents.PLAIN)
    addresses = _addresses(request)
    page = await asyncio.to_thread(lambda: api_page(request.app.openapi(), addresses))
    return _json(page, OPENAPI)


@router.get(
    COLLECTIONS,
    summary="The collections",
    operation_id="ogc_collections",
    response_class=Response,
)
async def collections(request: Request) -> Response:
    """Answer the collections that the caller may read."""
    known_parameters(request.query_params, documents.PLAIN)
    addresses = _addresses(request)

    def made(catalogue: Catalogue, by: Principal) -> Document:
        found = catalogue.readable(by)
        pages = [documents.collection_page(addresses, one, one.layer()) for one in found]
        return documents.collections_page(addresses, pages)

    return _json(await _of_catalogue(request, made))


@router.get(
    COLLECTION,
    summary="One collection",
    operation_id="ogc_collection",
    response_class=Response,
)
async def collection(request: Request, collection_id: str) -> Response:
    """Answer what a collection says of itself: where it is, its systems, its features."""
    known_parameters(request.query_params, documents.PLAIN)
    addresses = _addresses(request)

    def made(catalogue: Catalogue, by: Principal) -> Document:
        found = catalogue.find(collection_id, by)
        return documents.collection_page(addresses, found, found.layer())

    return _json(await _of_catalogue(request, made))


@router.get(
    SCHEMA_PATH,
    summary="Schema of the features",
    operation_id="ogc_schema",
    response_class=Response,
)
async def schema(request: Request, collection_id: str) -> Response:
    """Answer the fields and the geometry of the features, also where there are none yet."""
    known_parameters(request.query_params, documents.PLAIN)
    addresses = _addresses(request)
    about = (await _found(request, collection_id)).about
    return _json(documents.schema_page(addresses, about), SCHEMA)


@router.get(
    ITEMS,
    summary="Features of a collection",
    operation_id="ogc_items",
    response_class=Response,
)
async def items(request: Request, collection_id: str) -> Response:
    """Answer one page of the features that a box and a time meet, in the order of the collection.

    The link `next` leads to the page after it.
    """
    asked = read_items_query(request.query_params)
    addresses = _addresses(request)

    def made(catalogue: Catalogue, by: Principal) -> bytes:
        found = catalogue.find(collection_id, by)
        layer = found.layer()
        rows = layer.rows(asked.box, asked.during)
        page = rows[asked.offset : asked.offset + asked.limit].tolist()
        features = layer.features(page, asked.system)
        document = documents.items_page(addresses, found.about, asked, len(rows), features)
        return encode(document)

    return _features(await _of_catalogue(request, made), asked.system)


@router.get(ITEM, summary="One feature", operation_id="ogc_item", response_class=Response)
async def item(request: Request, collection_id: str, feature_id: str) -> Response:
    """Answer one feature."""
    system = read_item_query(request.query_params)
    addresses = _addresses(request)

    def made(catalogue: Catalogue, by: Principal) -> bytes:
        found = catalogue.find(collection_id, by)
        layer = found.layer()
        row = layer.row_of(feature_id)
        if row is None:
            raise no_such_feature()
        (feature,) = layer.features([row], system)
        return encode(documents.item_page(addresses, found.about, feature))

    return _features(await _of_catalogue(request, made), system)


# -- edits ----------------------------------------------------------------------------------------


@router.options(
    ITEMS,
    summary="What may be done with a collection",
    operation_id="ogc_items_options",
    response_class=Response,
)
async def items_options(request: Request, collection_id: str) -> Response:
    """Answer in the header Allow whether the caller may add features."""
    return await _allowed(request, collection_id, ITEMS_EDITED)


@router.options(
    ITEM,
    summary="What may be done with a feature",
    operation_id="ogc_item_options",
    response_class=Response,
)
async def item_options(request: Request, collection_id: str, feature_id: str) -> Response:
    """Answer in the header Allow whether the caller may change features, whatever the id."""
    del feature_id  # an empty collection is asked with an id that nothing has
    return await _allowed(request, collection_id, ITEM_EDITED)


@router.post(ITEMS, summary="Add a feature", operation_id="ogc_create", response_class=Response)
async def create(request: Request, collection_id: str) -> Response:
    """Add a feature to a draft or to the proposed closures; `Location` names it."""

    def edit(found: Editable, tx: Transaction, by: Principal, feature: Feature) -> Kept:
        return Kept(status=201, answer=encode({"id": found.create(tx, feature, by)}))

    return await _edited(request, collection_id, read_feature, edit)


@router.put(ITEM, summary="Replace a feature", operation_id="ogc_replace", response_class=Response)
async def replace(request: Request, collection_id: str, feature_id: str) -> Response:
    """Put a whole feature in the place of the one with this id."""

    def edit(found: Editable, tx: Transaction, by: Principal, feature: Feature) -> Kept:
        found.replace(tx, feature_id, feature, by)
        return DONE

    return await _edited(request, collection_id, read_feature, edit)


@router.patch(ITEM, summary="Change a feature", operation_id="ogc_update", response_class=Response)
async def update(request: Request, collection_id: str, feature_id: str) -> Response:
    """Change the geometry, some properties or both; what is not sent stays (RFC 7396)."""

    def edit(found: Editable, tx: Transaction, by: Principal, patch: Feature) -> Kept:
        found.update(tx, feature_id, patch, by)
        return DONE

    return await _edited(request, collection_id, read_patch, edit)


@router.delete(ITEM, summary="Remove a feature", operation_id="ogc_delete", response_class=Response)
async def delete(request: Request, collection_id: str, feature_id: str) -> Response:
    """Remove a feature from a draft, or a closure that is only proposed."""

    def edit(found: Editable, tx: Transaction, by: Principal, _nothing: Feature) -> Kept:
        found.delete(tx, feature_id, by)
        return DONE

    return await _edited(request, collection_id, None, edit)


DONE: Final = Kept(status=204, answer=b"")


def no_such_feature() -> NoSuchFeature:
    """Return the refusal of an id that no feature has."""
    return NoSuchFeature(
        "The collection has no feature with this id.",
        remedy="Read the collection again: it may have been removed meanwhile.",
    )


async def _allowed(request: Request, collection_id: str, edited: str) -> Response:
    known_parameters(request.query_params, documents.PLAIN)
    found, by = await _found(request, collection_id), principal_of(request.scope)
    may_edit = (
        isinstance(found, Editable)
        and not found.about.writers.isdisjoint(by.roles)
        and found.may_edit(by)
    )
    return Response(status_code=204, headers={"allow": edited if may_edit else ONLY_READ})


async def _edited(request: Request, collection_id: str, read: Read | None, edit: Edit) -> Response:
    """Do an edit once for its Idempotency-Key, in a transaction of the desk.

    Parameters
    ----------
    read
        What makes a feature, or a part of one, of the body; None where there is no body.
    """
    known_parameters(request.query_params, ())
    service: Service = request.app.state.service
    name = request.headers.get(CONTENT_CRS)
    system = CRS84 if name is None else read_system(name, "Content-Crs")
    found, by = await _found(request, collection_id), principal_of(request.scope)
    if not isinstance(found, Editable):
        return _only_read()
    if found.about.writers.isdisjoint(by.roles):
        raise other_role(by, found.about.writers)
    body = b"" if read is None else await read_body(request, service.settings)
    sent = {} if read is None else read(body, system)
    kept = await write_once(
        service.current_desk(), keyed_of(request, body), lambda tx: edit(found, tx, by, sent)
    )
    headers = {REPLAYED_HEADER: "true"} if kept.is_replayed else {}
    if kept.status == 201:
        parts = ("collections", collection_id, "items", decode(kept.answer)["id"])
        headers["location"] = _addresses(request).at(*parts)
    return Response(kept.answer, kept.status, headers=headers, media_type=JSON)


def _only_read() -> Response:
    refusal = WrongMethod(
        "Features of this collection cannot be changed here.",
        remedy="Zones are changed in a draft (zones_draft_NAME), closures where they are proposed.",
    )
    return problem_response(refusal, {"allow": ONLY_READ})


# -- reading --------------------------------------------------------------------------------------


async def _of_catalogue(request: Request, made: Callable[[Catalogue, Principal], Made]) -> Made:
    """Return what is made of the collections, in a thread: some have many features."""
    service: Service = request.app.state.service
    catalogue = Catalogue(view=service.current_view(), desk=service.desk, at=service.now())
    return await asyncio.to_thread(made, catalogue, principal_of(request.scope))


async def _found(request: Request, collection_id: str) -> Collection:
    return await _of_catalogue(request, lambda known, by: known.find(collection_id, by))


def _addresses(request: Request) -> Addresses:
    service: Service = request.app.state.service
    return Addresses.of(request, service.settings.public_url)


def _json(document: Document, media_type: str = JSON) -> Response:
    return Response(encode(document), media_type=media_type)


def _features(body: bytes, system: System) -> Response:
    headers = {CONTENT_CRS: f"<{system.uri}>"}
    return Response(body, headers=headers, media_type=GEOJSON)
