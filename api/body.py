"""The bytes of a request's body: the right kind, not too many, not too slow."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, cast

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

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
    return await read_bytes(request, settings, settings.body_bytes_max)


async def read_bytes(request: Request, settings: Settings, bytes_max: int) -> bytes:
    """Return the body, whatever it is; raises what `read_body` does but for its kind."""
    headers = dict(reversed(request.scope["headers"]))
    announced = headers.get(b"content-length", b"")
    _require_size(int(announced) if announced.isdigit() else 0, bytes_max)
    first = Begun(cast(Coroutine[Any, Any, Message], request.receive()))
    if first.came is not None and not first.came.get("more_body", False):
        return _part(first.came, bytes_max)
    try:
        async with asyncio.timeout(settings.body_read_s_max):
            return await _parts(request, await first, bytes_max)
    except TimeoutError:
        raise BodyTooSlow(
            f"The body was not complete after {settings.body_read_s_max:g} s.",
            remedy="Send it at once; look at the network between the CAD and this service.",
        ) from None


class Begun:
    """A coroutine that has run up to its first wait, if it has one.

    Nearly always the body came with the headers. Then there is nothing to wait for, and no need of
    a timer, which costs more than the reading.
    """

    __slots__ = ("_receiving", "_waits_for", "came")

    def __init__(self, receiving: Coroutine[Any, Any, Message]) -> None:
        self.came: Message | None = None
        self._receiving, self._waits_for = receiving, None
        try:
            self._waits_for = receiving.send(None)
        except StopIteration as done:
            self.came = done.value

    def __await__(self) -> Generator[Any, Any, Message]:
        """Wait on, as the coroutine itself would have."""
        while self.came is None:
            try:
                try:
                    sent = yield self._waits_for
                except BaseException as thrown:  # noqa: BLE001  a cancellation belongs further in
                    self._waits_for = self._receiving.throw(thrown)
                else:
                    self._waits_for = self._receiving.send(sent)
            except StopIteration as done:
                self.came = done.value
        return self.came


async def _parts(request: Request, message: Message, size_max: int) -> bytes:
    parts, size = [_part(message, size_max)], 0
    while message.get("more_body", False):
        size += len(parts[-1])
        message = await request.receive()
        parts.append(_part(message, size_max, before=size))
    return b"".join(parts)


def _part(message: Message, size_max: int, *, before: int = 0) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    part: bytes = message.get("body", b"")
    _require_size(before + len(part), size_max)
    return part


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
            remedy="Send less at a time: the units on duty only, fewer or simpler zones. "
            "TANDEM_BODY_BYTES_MAX is the limit of JSON.",
        )
