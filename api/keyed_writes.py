"""Writes of the desk over HTTP: once for each Idempotency-Key, and seen by decisions afterwards.

What lives here: from a request and its key to the answer that is kept with the write. What does
not: how an answer is kept (`idempotency`), and what is written (`claims`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from api.answer_schemas import Part
from api.caller import CALLER
from api.desk import Desk
from api.errors import InvalidRequest, Problem, StoreError
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
from api.service import Service
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


async def answered_once(
    service: Service,
    request: Request,
    body: bytes,
    answer: Callable[[Keyed | None], Awaitable[Response]],
    *,
    keeps: bool = False,
    whatever: bool = False,
) -> Response:
    """Answer a request, or return the first answer to its key.

    Parameters
    ----------
    answer
        Is given the key, if there is one and a store to keep it in.
    keeps
        Whether it keeps its answer with its write. What does not is kept here afterwards: writes
        that change nothing when they are done again, so that a crash between the two is harmless.
    whatever
        Whether it is answered even where nobody can say if it was answered before.

    Raises
    ------
    KeyReused
        The key came with another body, or to another address, before.
    KeyInHand
        The first request with this key is not answered yet.
    """
    desk, keyed = service.desk, keyed_of(request, body)
    if desk is None or keyed is None:
        return await answer(None)
    with desk.keys.holding(keyed):
        first = await _first_or_none(desk, keyed, is_needed=not whatever)
        if first is not None:
            return response_of(first)
        response = await answer(keyed)
        if not keeps and response.status_code < 300:
            kept = Kept(status=response.status_code, answer=bytes(response.body))
            await desk.writer.write(lambda tx: keep_answer(tx, keyed, kept))
        return response


class KeepOnce:
    """Keeps the answer to a request with a key in the transaction of its write.

    Parameters
    ----------
    status_of
        The HTTP status that an answer goes out with.
    """

    def __init__(self, keyed: Keyed | None, status_of: Callable[[Any], int]) -> None:
        self._keyed = keyed
        self._status_of = status_of
        self.is_owed = keyed is not None
        """Whether the answer is still to be kept, because nothing was written."""

    def kept(self, answer: Part) -> Kept:
        """Return an answer as it is sent."""
        told = answer.model_dump_json().encode()
        return Kept(status=self._status_of(answer), answer=told)

    def __call__(self, tx: Transaction, answer: Part) -> None:
        """Keep an answer."""
        if self._keyed is not None:
            keep_answer(tx, self._keyed, self.kept(answer))
            tx.after.append(self._done)

    def _done(self) -> None:
        self.is_owed = False


async def _first_or_none(desk: Desk, keyed: Keyed, *, is_needed: bool) -> Kept | None:
    """Return the first answer; a store that is down holds up no recommendation (rule 12)."""
    reading = asyncio.to_thread(_first, desk, keyed)
    if is_needed:
        return await reading
    try:
        return await asyncio.wait_for(reading, desk.record_s_max)
    except (StoreError, TimeoutError):
        return None


def _first(desk: Desk, keyed: Keyed) -> Kept | None:
    with desk.database.reading() as connection:
        return first_answer(connection, keyed)


def response_of(kept: Kept) -> Response:
    """Return an answer as it was sent first."""
    headers = {REPLAYED_HEADER: "true"} if kept.is_replayed else None
    return Response(kept.answer, kept.status, headers=headers, media_type="application/json")
