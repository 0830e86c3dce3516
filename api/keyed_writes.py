"""Writes of the desk over HTTP: once for each Idempotency-Key, and seen by decisions afterwards.

What lives here: from a request and its key to the answer that is kept with the write. What does
not: how an answer is kept (`idempotency`), and what is written (`claims`).
"""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from api.caller import CALLER
from api.desk import Desk
from api.errors import InvalidRequest, Problem
from api.idempotency import (
    HEADER,
    KEY_CHARACTERS_MAX,
    REPLAYED_HEADER,
    Kept,
    Keyed,
    first_answer,
    keep_answer,
    once,
)
from api.store.writer import Transaction

NOBODY: Final = "development"
"""Whose key it is where no credentials are asked for."""

Do = Callable[[Transaction], Kept]


def keyed_of(request: Request, body: bytes) -> Keyed | None:
    """Return the request with its key, or None when it has none.

    Raises
    ------
    InvalidRequest
        The key is empty, too long, or holds what is not printable ASCII.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 0 < len(key) <= KEY_CHARACTERS_MAX or not (key.isascii() and key.isprintable()):
        problem = Problem(
            path="",
            code="IDEMPOTENCY_KEY_INVALID",
            detail=f"the header {HEADER} is no key",
            remedy=f"Send 1 to {KEY_CHARACTERS_MAX} printable ASCII characters, such as a UUID.",
        )
        raise InvalidRequest(
            f"The header {HEADER} is no key.", remedy=problem.remedy, problems=(problem,)
        )
    route = f"{request.method} {request.url.path}"
    return Keyed(caller=CALLER.get() or NOBODY, key=key, route=route, body=body)


async def write_once(desk: Desk, keyed: Keyed | None, do: Do) -> Kept:
    """Do a write of the desk, or return the first answer to its key.

    Raises
    ------
    KeyReused
        The key came with another body, or to another address, before.
    KeyInHand
        The first request with this key is not answered yet.
    StoreUnavailable, StoreBusy
        Nothing was written.
    """

    def operation(tx: Transaction) -> Kept:
        desk.show_claims(tx)
        return once(tx, keyed, do)

    with desk.keys.holding(keyed):
        return await desk.writer.write(operation)


async def answered_before(desk: Desk, keyed: Keyed) -> Kept | None:
    """Return the first answer to a key, for what is decided before it is written.

    Raises
    ------
    KeyReused
        The key came with another body, or to another address, before.
    """

    def read() -> Kept | None:
        with desk.database.reading() as connection:
            return first_answer(connection, keyed)

    return await asyncio.to_thread(read)


async def keep_later(desk: Desk, keyed: Keyed, kept: Kept) -> None:
    """Keep the answer of a write that changes nothing when it is done again."""
    await desk.writer.write(lambda tx: keep_answer(tx, keyed, kept))


def response_of(kept: Kept) -> Response:
    """Return an answer as it was sent first."""
    headers = {REPLAYED_HEADER: "true"} if kept.is_replayed else None
    return Response(kept.answer, kept.status, headers=headers, media_type="application/json")
