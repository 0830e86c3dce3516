"""Addresses in answers: whole ones, as a GIS needs them, of the host that was asked."""

import re
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request

ROOT: Final = "/ogc"
JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
SCHEMA: Final = "application/schema+json"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA_RELATION: Final = "http://www.opengis.net/def/rel/ogc/1.0/schema"
_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")

Link = dict[str, str]


class Addresses:
    """The addresses of one service, as who asked it sees them."""

    def __init__(self, root: str) -> None:
        self.root = root

    @classmethod
    def of(cls, request: Request, public_url: str | None) -> "Addresses":
        """Return the addresses for an answer to a request.

        Parameters
        ----------
        public_url
            Where the service is reached, when a proxy before it is asked in its place.
        """
        if public_url is not None:
            return cls(f"{public_url.rstrip('/')}{ROOT}")
        host = request.headers.get("host", "")
        if not _HOST.fullmatch(host):
            at = request.scope.get("server") or ("127.0.0.1", None)
            host = f"{at[0]}:{at[1]}"
        return cls(f"{request.scope['scheme']}://{host}{ROOT}")

    def at(self, *parts: str) -> str:
        """Return the address below the root; ids are written so that they stay one part."""
        return "/".join((self.root, *(quote(part, safe="") for part in parts)))


def link(href: str, relation: str, media_type: str, title: str) -> Link:
    """Return a link as all documents have it."""
    return {"href": href, "rel": relation, "type": media_type, "title": title}


def items(addresses: Addresses, collection_id: str) -> str:
    """Return the address of the features of a collection."""
    return addresses.at("collections", collection_id, "items")


def with_query(address: str, query: str) -> str:
    """Return an address with a query, if there is one."""
    return f"{address}?{query}" if query else address


Document = dict[str, Any]
