"""A process that sends one write again and the next one for the first time, each with its key.

It may end itself between the commit of the second and its reply, where a caller learns nothing of
what became of the write: `Transaction.after` runs exactly there.
"""

import os
import random
import signal
from collections.abc import Callable
from typing import Any

from api.idempotency import Kept, Keyed, once
from api.store.writer import Transaction, Writer
from tests.reliability.writing import KINDS, VERSIONS_OF_RUN, Acknowledge, writing_to


def keyed_write(writer: Writer, number: int, seed: int, then: Callable[[], None] | None) -> Kept:
    """Do the write of a number, as its caller sends it each time; the same bytes, the same key.

    Parameters
    ----------
    then
        Called after the commit and before the reply.
    """
    rng = random.Random(f"{seed} {number}")
    token = f"0.0.{number}"
    operation = rng.choice(KINDS)(token, 0, VERSIONS_OF_RUN + number)
    keyed = Keyed(caller="cad", key=f"key-{number}", route="POST /v1/write", body=token.encode())

    def do(tx: Transaction) -> Kept:
        operation(tx)
        return Kept(status=200, answer=f"{token} at {tx.at.isoformat()}".encode())

    def whole(tx: Transaction) -> Kept:
        if then is not None:
            tx.after.append(then)
        return once(tx, keyed, do)

    return writer.call(whole)


def retry_on(options: dict[str, Any], acknowledge: Acknowledge) -> None:
    """Send a write again, then the next one.

    Parameters
    ----------
    options
        number (of the write that is new), seed, killed, and what `writing_to` takes.
    """
    number, seed = options["number"], options["seed"]
    with writing_to(options) as writer:
        if number > 1:
            again = keyed_write(writer, number - 1, seed, None)
            said = "replayed" if again.is_replayed else "new"
            acknowledge(f"{said} {again.answer.decode()}")
        keyed_write(writer, number, seed, _end_here if options["killed"] else None)
        acknowledge("answered")


def _end_here() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
