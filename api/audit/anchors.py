"""Chains record each other's heads, so that no chain can be rewritten with its head unnoticed.

An anchor is a record of kind `ANCHOR` that tells the head of every other chain as it was then. One
is written when a service starts and stops, and every minute in which something was written
(`keep_anchored`).
"""

import asyncio
from typing import Final

from api.audit.heads import ANCHOR
from api.errors import StoreError
from api.store.sql_heads import read_heads
from api.store.writer import Transaction, Writer

ANCHOR_EVERY_S: Final = 60.0


def anchor_heads(tx: Transaction) -> None:
    """Record the heads of all chains that have records, as they are before this write."""
    heads = {
        head.instance: [head.number, head.hash.hex()]
        for head in read_heads(tx.connection)
        if head.number > 0
    }
    tx.note(ANCHOR, str(len(heads)), {"heads": heads})


async def keep_anchored(writer: Writer, every_s: float = ANCHOR_EVERY_S) -> None:
    """Write an anchor now, then whenever something was written meanwhile; until cancelled.

    A store that cannot be reached is tried again at the next turn.
    """
    seen = -1
    while True:
        if writer.committed != seen:
            try:
                await writer.write(anchor_heads)
            except StoreError:
                seen = -1
            else:
                seen = writer.committed
        await asyncio.sleep(every_s)
