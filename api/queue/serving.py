"""The queue of a running service: its book, its keeper, and how they reach the rest.

What lives here: which thread does what. A look is decided in the thread of the batches, behind
those that others sent; the store is asked in other threads; the event loop only waits.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from api.claims.claim_rows import due_claims
from api.claims.ending import expire_claims
from api.desk import Desk
from api.ladder import Told, always_answering
from api.line import Line
from api.live_view import LiveView
from api.metrics import QueueMetrics
from api.operations import Clock
from api.queue.book import QueueBook
from api.queue.keeper import Keeper, Works
from api.queue.lease import Lease
from api.queue.looking import Found, Means, look
from api.queue.waiting import Waiting
from api.solver_process import SolverProcess
from api.store.writer import Transaction
from routing.codes import Eta

LEASE: Final = "queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What of a service the queue needs."""

    desk: Desk
    view: Callable[[], LiveView]
    batches: Line
    solver: SolverProcess
    now: Clock
    metrics: QueueMetrics
    fell: Told
    """Told of a decision that failed on a rung."""
    noted: Callable[[BaseException, str], None]
    age_s_max: float


class PendingQueue:
    """The calls that wait, and who looks after them; made on the event loop."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        desk = serving.desk
        self._lease = Lease(desk.database, LEASE, desk.writer.instance)
        self._loop = asyncio.get_running_loop()
        self.book = QueueBook(desk.database, self._wake)
        self.keeper = Keeper(
            Works(
                book=self.book,
                lease=self._lease,
                writer=desk.writer,
                calls=desk.calls,
                look=self._look,
                now=serving.now,
                noted=serving.noted,
                looks=serving.metrics.looks,
                changes=serving.metrics.changes,
                age_s_max=serving.age_s_max,
                expire=self._expire,
            )
        )

    def _wake(self) -> None:
        self.keeper.wake()

    async def _look(self, waiting: Sequence[Waiting]) -> Found:
        return await self._serving.batches.run(partial(self._decided, waiting))

    def _decided(self, waiting: Sequence[Waiting]) -> Found:
        from routing.recommend_batch import recommend_batch  # brings the solver: 0.1 s of a start

        serving = self._serving
        means = Means(
            view=serving.view(),
            calls=serving.desk.calls,
            now=serving.now,
            decide=always_answering(recommend_batch, self._fell),
            solver=serving.solver,
            records_of=serving.desk.records_of,
        )
        return look(waiting, means)

    def _fell(self, fault: BaseException, rung: Eta) -> None:
        self._loop.call_soon_threadsafe(self._serving.fell, fault, rung)

    async def _expire(self) -> None:
        """End the claims whose time is over, where this instance is the one that does."""
        if await asyncio.to_thread(self._has_due) and await asyncio.to_thread(self._lease.hold):
            await self._serving.desk.writer.write(self._expired)

    def _has_due(self) -> bool:
        desk = self._serving.desk
        with desk.database.reading() as connection:
            return bool(due_claims(connection, self._serving.now(), 1))

    def _expired(self, tx: Transaction) -> None:
        expire_claims(tx, self._serving.now())
        self._serving.desk.show_claims(tx)
