"""Looks after the calls that wait: one look at a time, when something happened or a time has come.

What lives here: when a look is due, who of several instances does it, and what is written after it.
What does not: which calls wait (`book`), the decision (`looking`), and the writes (`keeping`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter
from typing import Final

from api.batch_schemas import INCIDENTS_MAX
from api.errors import TandemError
from api.metrics import Tally
from api.operations import Clock
from api.queue.book import QueueBook
from api.queue.keeping import Looked, keep_left, keep_looked
from api.queue.lease import Lease
from api.queue.looking import Found
from api.queue.waiting import LeftWhy, QueueEvent, Waiting
from api.store.calls import KnownCall, MemoryCalls
from api.store.writer import Transaction, Writer

SPACING_S: Final = 0.25
"""Least time between two looks."""
SHARE: Final = 4
"""A look is followed by at least so many times its own length without one."""
TICK_S: Final = 0.5
"""How often the clock is looked at: timers, the lease, claims whose time is over."""

Look = Callable[[Sequence[Waiting]], Awaitable[Found]]
"""Decides calls again, elsewhere than on the event loop."""
Expire = Callable[[], Awaitable[object]]
"""Ends claims whose time is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """What the keeper works with."""

    book: QueueBook
    lease: Lease
    writer: Writer
    calls: MemoryCalls
    look: Look
    now: Clock
    noted: Callable[[BaseException, str], None]
    looks: Tally
    changes: Tally
    age_s_max: float
    expire: Expire | None = None


class Keeper:
    """One task on the event loop."""

    def __init__(self, works: Works) -> None:
        self.works = works
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Event()
        self._looked_at: dict[str, datetime] = {}
        self._next_s = 0.0
        self._again_at: datetime | None = None
        """When a look may find more, because what was promised to others is over."""
        self._task: asyncio.Task[None] | None = None
        self._is_over = False
        """A wait that ends as it is cancelled may not tell that it was."""

    def start(self) -> None:
        """Begin."""
        self._task = self._loop.create_task(self._run())

    def wake(self) -> None:
        """Look soon; called by any thread."""
        with suppress(RuntimeError):  # the loop is closed when the service has stopped
            self._loop.call_soon_threadsafe(self._turn.set)

    async def close(self) -> None:
        """Stop after the look in hand, and let another instance have the lease at once."""
        self._is_over = True
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        with suppress(TandemError):
            await asyncio.to_thread(self.works.lease.release)

    async def _run(self) -> None:
        while not self._is_over:
            is_told = await self._told()
            try:
                await self._turn_of(is_told)
            except Exception as error:  # noqa: BLE001  a bug of ours must not end the queue
                if not isinstance(error, TandemError):  # the store is away, or others are first
                    self.works.noted(error, "queue")
                self._turn.set()  # what was to be looked at still is
                await asyncio.sleep(TICK_S)

    async def _told(self) -> bool:
        """Wait for a word or a tick, and until the last look is long enough ago; tell which."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._turn.wait(), TICK_S)
        await asyncio.sleep(max(0.0, self._next_s - self._loop.time()))
        told = self._turn.is_set()
        self._turn.clear()
        return told

    async def _turn_of(self, is_told: bool) -> None:
        works = self.works
        if works.expire is not None:
            await works.expire()
        once, now = works.book.once(), works.now()
        waiting = works.book.waiting()
        self._forget(waiting)
        if not waiting and not once:
            return
        if not await asyncio.to_thread(works.lease.hold):
            self._looked_at.clear()  # whoever holds it may end before it has seen the same
            return
        waiting = await self._without_left(waiting, now)
        is_told = is_told or (self._again_at is not None and self._again_at <= now)
        due = [one for one in waiting if self._is_due(one, now, is_told)]
        others = [one for one in waiting if not one.has_units and one not in due] if due else []
        asked = _together([*once, *due, *others])
        if asked:
            await self._look(asked, now)
            works.book.looked_at(once)

    def _is_due(self, one: Waiting, now: datetime, is_told: bool) -> bool:
        looked_at = self._looked_at.get(one.incident_id)
        if looked_at is None and not one.has_units:
            return True
        looked_at = looked_at or one.call.decided_at
        return (is_told and not one.has_units) or any(looked_at < t <= now for t in one.timers)

    def _forget(self, waiting: Iterable[Waiting]) -> None:
        names = {one.incident_id for one in waiting}
        self._looked_at = {n: at for n, at in self._looked_at.items() if n in names}

    async def _without_left(self, waiting: Sequence[Waiting], now: datetime) -> list[Waiting]:
        """Return the calls that go on waiting; the others leave."""
        oldest = now - timedelta(seconds=self.works.age_s_max)
        left = [(one, _why_left(one, oldest)) for one in waiting]
        for one, why in left:
            if why is not None:
                await self._leave(one, why)
        return [one for one, why in left if why is None]

    async def _leave(self, one: Waiting, why: LeftWhy) -> None:
        if await self.works.writer.write(partial(_left, one, why)):
            self.works.changes.add(QueueEvent.LEFT)

    async def _look(self, asked: Sequence[Waiting], now: datetime) -> None:
        began_s = perf_counter()
        found = await self.works.look(asked)
        kept = await asyncio.gather(
            *[self.works.writer.write(partial(self._keep, looked)) for looked in found.looked]
        )
        self._looked_at |= {one.incident_id: now for one in asked}
        self._again_at = found.again_at
        if found.roster_version < self.works.book.roster_version:
            self._turn.set()  # a write is told of before the view that shows it is made
        for looked, call in zip(found.looked, kept, strict=True):
            if call is None:  # it is another meanwhile: the book is to say which
                self._looked_at.pop(looked.waiting.incident_id, None)
            else:
                self.works.changes.add(looked.event)
        for one in found.unreadable:
            await self._leave(one, LeftWhy.UNREADABLE)
        self.works.looks.add("CHANGED" if found.looked else "SAME")
        self._next_s = self._loop.time() + max(SPACING_S, SHARE * (perf_counter() - began_s))

    def _keep(self, looked: Looked, tx: Transaction) -> KnownCall | None:
        kept = keep_looked(tx, looked)
        if kept is not None:
            tx.after.append(partial(self.works.calls.put, kept))
        return kept


def _left(one: Waiting, why: LeftWhy, tx: Transaction) -> bool:
    return keep_left(tx, one, why)


def _why_left(one: Waiting, oldest: datetime) -> LeftWhy | None:
    if one.is_assigned:
        return LeftWhy.ASSIGNED
    return LeftWhy.AGED_OUT if one.since <= oldest else None


def _together(calls: Sequence[Waiting]) -> list[Waiting]:
    """Return as many calls as may be decided together, the most urgent first, each once."""
    each = {one.incident_id: one for one in calls}
    return sorted(each.values(), key=lambda one: one.order)[:INCIDENTS_MAX]
