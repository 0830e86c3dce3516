"""What the tests of /ogc share: an app with drafts of two people, and one question to it."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from starlette.types import ASGIApp

from tests.api.asgi_caller import call

ROOT: Final = "/ogc"
COLLECTIONS: Final = f"{ROOT}/collections"
CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG_4326: Final = "http://www.opengis.net/def/crs/EPSG/0/4326"
EPSG_2926: Final = "http://www.opengis.net/def/crs/EPSG/0/2926"
GEOJSON: Final = "application/geo+json"
MERGE_PATCH: Final = "application/merge-patch+json"


@dataclass(frozen=True)
class Told:
    """An answer: its status, its headers by their small names, its JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any = field(default=None)


def ask(
    app: ASGIApp,
    path: str,
    /,
    method: str = "GET",
    *,
    query: Mapping[str, Any] | None = None,
    body: Any = None,
    **headers: str,
) -> Told:
    """Ask one question; a `_` in the name of a header is a `-`."""
    address = f"{path}?{urlencode(query)}" if query else path
    sent = b"" if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = asyncio.run(call(app, method, address, sent, named))
    parsed = json.loads(reply.body) if reply.body else None
    found = {name.decode(): value.decode() for name, value in reply.headers}
    return Told(reply.status, found, reply.body, parsed)


def items_of(collection_id: str) -> str:
    return f"{COLLECTIONS}/{collection_id}/items"


def links(document: Mapping[str, Any]) -> dict[str, str]:
    return {one["rel"]: one["href"] for one in document["links"]}


def every_page(app: ASGIApp, collection_id: str, **query: Any) -> list[dict[str, Any]]:
    """Return all features, page by page, as a client follows the link `next`."""
    found: list[dict[str, Any]] = []
    path, asked = items_of(collection_id), dict(query)
    page = ask(app, path, query=asked).json
    while True:
        assert page["numberReturned"] == len(page["features"])
        found += page["features"]
        following = links(page).get("next")
        if following is None:
            assert len(found) == page["numberMatched"]
            return found
        page = ask(app, following[following.index(ROOT) :]).json
        assert page["features"], "the link next leads to an empty page"
