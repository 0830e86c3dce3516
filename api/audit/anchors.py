"""Chains record each other's heads, so that no chain can be rewritten with its head unnoticed.

An anchor is a record of kind `ANCHOR` that tells the head of every other chain as it was then. A
service writes one when it starts and stops, and each minute in which it wrote something. Where
there is no other chain there is nothing to tell, and no record.
"""

import threading
from functools import partial
from typing import Final

from api.audit.heads import ANCHOR
from api.errors import StoreError
from api.store.sql_heads import read_heads
from api.store.writer import Transaction, Writer

ANCHOR_EVERY_S: Final = 60.0


def anchor_heads(tx: Transaction, own: str | None = None) -> bool:
    """Record the heads of all chains but one's own, as they are before this write."""
    heads = {
        head.instance: [head.number, head.hash.hex()]
        for head in read_heads(tx.connection)
        if head.number > 0 and head.instance != own
    }
    if heads:
        tx.note(ANCHOR, str(len(heads)), {"heads": heads})
    return bool(heads)


class Anchoring:
    """A thread that writes anchors in the chain of a writer."""

    def __init__(self, writer: Writer, every_s: float = ANCHOR_EVERY_S) -> None:
        self._writer = writer
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="anchoring", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write a last anchor and stop; to be called before the writer is closed."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        seen = -1
        while True:
            stopping = self._stop.is_set()
            if self._writer.committed != seen:
                seen = self._anchored()
            if stopping:
                return
            self._stop.wait(self._every_s)

    def _anchored(self) -> int:
        """Return what the writer had committed with the anchor; -1 to try again."""
        try:
            self._writer.call(partial(anchor_heads, own=self._writer.instance))
        except StoreError:
            return -1
        return self._writer.committed
