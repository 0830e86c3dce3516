"""A write that may be sent again: the first answer to an `Idempotency-Key` is the answer.

    answer = once(tx, Keyed(caller=..., key=..., route=..., body=...), do)

What lives here: `once`, which keeps an answer in the transaction of its write, so that no crash
can part them, and `KeysInHand`, which tells a second request that the first is not answered yet.

Only what changed something is kept. A write that was refused changed nothing and is judged anew.
Answers are forgotten with everything else that has its time (`api.store.sql_prune`).
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from api.errors import KeyInHand, KeyReused
from api.store.tables import idempotency, to_us
from api.store.writer import Transaction

HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotency-Replayed"
KEY_CHARACTERS_MAX: Final = 255


class Keyed(Struct, frozen=True, kw_only=True):
    """One request with its key."""

    caller: str
    """Whose key it is: the same word of another caller is another key."""
    key: str
    route: str
    """Method and address."""
    body: bytes

    @property
    def digest(self) -> bytes:
        """Hash (32 bytes) of the body; the body itself is not kept."""
        return hashlib.sha256(self.body).digest()


class Kept(Struct, frozen=True, kw_only=True):
    """An answer as it was sent first."""

    status: int
    answer: bytes
    is_replayed: bool = False
    is_kept: bool = True
    """False: it changed nothing, and the next request with this key is judged anew."""


def once(tx: Transaction, keyed: Keyed | None, do: Callable[[Transaction], Kept]) -> Kept:
    """Do a write and keep its answer, or return the answer that is kept.

    Parameters
    ----------
    keyed
        None for a request without a key, which is done as it is.

    Raises
    ------
    KeyReused
        The key came with another body, or to another address, before.
    KeyInHand
        Another instance answers the first request just now.
    """
    if keyed is None:
        return do(tx)
    first = first_answer(tx.connection, keyed)
    if first is not None:
        return first
    done = do(tx)
    if done.is_kept:
        keep_answer(tx, keyed, done)
    return done


def first_answer(connection: Connection, keyed: Keyed) -> Kept | None:
    """Return the answer that is kept for a key, or None.

    Raises
    ------
    KeyReused
        The key came with another body, or to another address, before.
    """
    asked = {"of_caller": keyed.caller, "of_key": keyed.key}
    first = connection.execute(_FIRST, asked).one_or_none()
    if first is None:
        return None
    if (first.route, bytes(first.body_sha256)) != (keyed.route, keyed.digest):
        raise _reused()
    return Kept(status=first.status, answer=bytes(first.answer), is_replayed=True)


_FIRST: Final = select(idempotency).where(
    idempotency.c.caller == bindparam("of_caller"), idempotency.c.key == bindparam("of_key")
)


def keep_answer(tx: Transaction, keyed: Keyed, done: Kept) -> None:
    """Keep an answer in the transaction of its write.

    Raises
    ------
    KeyInHand
        Another instance kept one meanwhile.
    """
    row = {
        "caller": keyed.caller,
        "key": keyed.key,
        "route": keyed.route,
        "body_sha256": keyed.digest,
        "at": to_us(tx.at),
        "status": done.status,
        "answer": done.answer,
    }
    try:
        tx.connection.execute(insert(idempotency).values(row))
    except IntegrityError:
        # Raised through the operation, so that what it did is taken back with it.
        raise in_hand() from None


def mend_answer(tx: Transaction, keyed: Keyed, answer: bytes) -> None:
    """Put the answer that was sent in the place of the one that was kept with the write."""
    of = (idempotency.c.caller == keyed.caller) & (idempotency.c.key == keyed.key)
    tx.connection.execute(update(idempotency).where(of).values(answer=answer))


class KeysInHand:
    """Keys whose first request is not answered yet, of this process; used on the event loop."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, str]] = set()

    @contextmanager
    def holding(self, keyed: Keyed | None) -> Iterator[None]:
        """Hold a key for as long as its request is in hand.

        Raises
        ------
        KeyInHand
            Another request holds it.
        """
        if keyed is None:
            yield
            return
        name = (keyed.caller, keyed.key)
        if name in self._keys:
            raise in_hand()
        self._keys.add(name)
        try:
            yield
        finally:
            self._keys.discard(name)


def in_hand() -> KeyInHand:
    """Return the refusal of a second request while the first is in hand."""
    return KeyInHand(
        "The first request with this Idempotency-Key is not answered yet.",
        remedy="Send it again after Retry-After; it is then answered with the first answer.",
    )


def _reused() -> KeyReused:
    return KeyReused(
        "This Idempotency-Key came with another body or to another address before.",
        remedy="Send a new key with each new write, and the same one only to repeat a write.",
    )
