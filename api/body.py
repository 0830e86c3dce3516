"""The bytes of a request's body: the right kind, not too many, not too slow."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from api.errors import BodyTooLarge, BodyTooSlow, NotJson
from api.settings import Settings


async def read_body(request: Request, settings: Settings) -> bytes:
    """Return the body, refused before it is parsed when it cannot be a request of ours.

    Raises
    ------
    NotJson
        The content type is missing or another one; a web page could otherwise post here unasked.
    BodyTooLarge
        More than `body_bytes_max`, whether announced or sent.
    BodyTooSlow
        Not complete within `body_read_s_max`.
    ClientDisconnect
        The caller went away before it was complete.
    """
    headers = dict(reversed(request.scope["headers"]))  # of two of a name, the first counts
    _require_json(headers.get(b"content-type", b""))
    announced = headers.get(b"content-length", b"")
    _require_size(int(announced) if announced.isdigit() else 0, settings.body_bytes_max)
    try:
        async with asyncio.timeout(settings.body_read_s_max):
            return await _received(request, settings.body_bytes_max)
    except TimeoutError:
        raise BodyTooSlow(
            f"The body was not complete after {settings.body_read_s_max:g} s.",
            remedy="Send it at once; look at the network between the CAD and this service.",
        ) from None


async def _received(request: Request, size_max: int) -> bytes:
    """Return what arrives; nearly always that is one part, which is not copied."""
    parts, size, more = [], 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part, more = message.get("body", b""), message.get("more_body", False)
        parts.append(part)
        size += len(part)
        _require_size(size, size_max)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _require_json(content_type: bytes) -> None:
    if content_type == b"application/json":
        return
    kind = content_type.decode("latin-1").partition(";")[0].strip().lower()
    if kind != "application/json" and not (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        raise NotJson(
            "The content type is missing or is not JSON.",
            remedy="Send the header Content-Type: application/json.",
        )


def _require_size(size: int, size_max: int) -> None:
    if size > size_max:
        raise BodyTooLarge(
            f"The body has more than {size_max:,} bytes.",
            remedy="Send the units on duty only, or raise TANDEM_BODY_BYTES_MAX.",
        )
