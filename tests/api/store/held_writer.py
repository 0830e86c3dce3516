"""A writer that is held, so that what waits behind it becomes one group."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from api.store.tables import status_events
from api.store.writer import Operation, Transaction, Writer

WAIT_S_MAX = 20


@contextmanager
def held(writer: Writer) -> Iterator[None]:
    """Keep the writer's thread in an operation until the block ends."""
    entered, leave = threading.Event(), threading.Event()

    def hold(_tx: Transaction) -> None:
        entered.set()
        leave.wait(WAIT_S_MAX)

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(writer.call, hold)
        assert entered.wait(WAIT_S_MAX)
        try:
            yield
        finally:
            leave.set()
            holding.result(WAIT_S_MAX)


def in_one_group(writer: Writer, *operations: Operation[Any]) -> list[Future[Any]]:
    """Do operations in one group, in their order, and return how each ended."""
    with ThreadPoolExecutor(len(operations)) as pool:
        with held(writer):
            ended = []
            for place, operation in enumerate(operations, 1):
                ended.append(pool.submit(writer.call, operation))
                wait_for_line(writer, place)
        for one in ended:
            one.exception(WAIT_S_MAX)
    return ended


def wait_for_line(writer: Writer, length: int) -> None:
    """Wait until so many operations are in the line."""
    turn = threading.Event()
    for _ in range(10_000):
        if writer.waiting >= length:
            return
        turn.wait(0.001)
    raise AssertionError(f"{writer.waiting} wait; expected {length}")


def keeps(name: str, *, said: str = "KEPT") -> Operation[str]:
    """Return an operation that writes a row, a note and a change of a name."""

    def operation(tx: Transaction) -> str:
        tx.connection.execute(
            status_events.insert().values(
                event_id=name, unit_id=name, status="BUSY", at=0, received_at=0, body="{}"
            )
        )
        tx.note(said, name, {"id": name})
        tx.announce("units", name)
        return name

    return operation
