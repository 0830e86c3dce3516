"""The bytes of a request's body: the right kind, not too many, not too slow."""

import asyncio

from starlette.requests import Request

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
    """
    _require_json(request.headers.get("content-type", ""))
    announced = request.headers.get("content-length", "")
    _require_size(int(announced) if announced.isdecimal() else 0, settings.body_bytes_max)
    body = bytearray()
    try:
        async with asyncio.timeout(settings.body_read_s_max):
            async for part in request.stream():
                body += part
                _require_size(len(body), settings.body_bytes_max)
    except TimeoutError:
        raise BodyTooSlow(
            f"The body was not complete after {settings.body_read_s_max:g} s.",
            remedy="Send it at once; look at the network between the CAD and this service.",
        ) from None
    return bytes(body)


def _require_json(content_type: str) -> None:
    kind = content_type.partition(";")[0].strip().lower()
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
