"""The one writer of an instance: operations wait in a bounded line and are committed in groups.

An operation is a function of a `Transaction`. What arrives while one group is being synced to disk
becomes the next group, and so does what an event loop has in hand at once; none waits for a timer.
An operation is acknowledged after the sync, and only then. One that fails takes back its own writes
and no other's.

What each operation notes for the audit, and announces to readers, is written in the same
transaction; a commit without its audit record cannot happen, nor the reverse.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection, text

from api.caller import CALLER
from api.errors import StoreBusy
from api.store.audit_chain import ChainEnd, Note, append_notes
from api.store.changes import Change, NumberedChange, append_changes
from api.store.checkpoints import Checkpoints
from api.store.database import Database, Pen, closed, is_failure, unavailable
from api.store.statements import Statement

Done = TypeVar("Done")
Clock = Callable[[], datetime]
WAITING_MAX: Final = 1_000
GROUP_MAX: Final = 64
GATHER_S_MAX: Final = 0.003
"""How long an event loop that is busy gathers what it writes together."""
QUIET_ROUNDS: Final = 3
"""Of an event loop: a request that has arrived is in the line by then."""
_BEGIN_ONE: Final = Statement(text("SAVEPOINT tandem_operation"))
_TAKE_BACK_ONE: Final = Statement(text("ROLLBACK TO SAVEPOINT tandem_operation"))
_END_ONE: Final = Statement(text("RELEASE SAVEPOINT tandem_operation"))
_LOG: Final = logging.getLogger("tandem.writer")


class _TakenBackError(Exception):
    """The only operation of a group failed, so that all of the group is taken back."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _nobody(_changes: Sequence[NumberedChange] = ()) -> None:
    return


class Transaction:
    """What an operation writes with."""

    __slots__ = ("after", "at", "by", "changes", "connection", "notes")

    def __init__(self, connection: Connection, at: datetime, by: str | None = None) -> None:
        self.connection = connection
        self.by = by
        """The key of who asked for it (`api.caller`); None where the service acts by itself."""
        self.at = at
        """The instant of the write, UTC."""
        self.notes: list[Note] = []
        self.changes: list[Change] = []
        self.after: list[Callable[[], None]] = []
        """Called by the writer's thread in the order of commits, before anyone is answered."""

    def note(
        self, kind: str, subject: str, said: Mapping[str, Any], *, at: datetime | None = None
    ) -> None:
        """Add one audit record, under another instant than now where `at` says so."""
        self.notes.append(Note(kind=kind, subject=subject, by=self.by, said=said, at=at or self.at))

    def announce(
        self,
        topic: str,
        key: str,
        said: Mapping[str, Any] | None = None,
        *,
        is_shown: Callable[[], bool] | None = None,
    ) -> None:
        """Tell readers, other instances and listeners that something is another now.

        Parameters
        ----------
        is_shown
            Asked after the commit whether this process's memory holds it, so that it need not be
            read; without it, it is read.
        """
        told = Change(topic=topic, key=key, said=said or {}, at=self.at, is_shown=is_shown)
        self.changes.append(told)


Operation = Callable[[Transaction], Done]


@dataclass(slots=True, eq=False)
class _Item(Generic[Done]):
    operation: Operation[Done]
    future: "Future[Done] | asyncio.Future[Done]"
    loop: asyncio.AbstractEventLoop | None = None
    by: str | None = field(default_factory=CALLER.get)
    result: Done | None = None
    error: BaseException | None = None
    after: list[Callable[[], None]] = field(default_factory=list)

    def settle(self) -> None:
        """Answer who waits, who may be gone."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


class Writer:
    """One thread, one line.

    Parameters
    ----------
    instance
        Name of this process among those that share the database.
    waiting_max
        Operations in the line above which one more is refused.
    """

    def __init__(
        self,
        database: Database,
        *,
        instance: str,
        now: Clock = _utc_now,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self.database = database
        self.instance = instance
        self.now = now
        self.waiting_max = waiting_max
        self.committed = 0
        """Operations committed."""
        self.groups = 0
        """Commits."""
        self.failure: str | None = None
        """Why the last commit failed; None when it did not."""
        self.after_failed = 0
        """Calls after a commit that raised: bugs of ours, logged; the commit stands."""
        self.told: Callable[[Sequence[NumberedChange]], None] = _nobody
        """Called by the writer's thread after each commit, with what it added to the feed."""
        self.doubted: Callable[[], None] = _nobody
        """Called when a call after a commit failed: memory may not hold what the store does."""
        self.checkpoints = Checkpoints(database)
        self._pen = Pen(database)
        self._head: ChainEnd | None = None
        """Where our chain of audit records ended at the last commit."""
        self._line: deque[_Item[Any]] = deque()
        self._turn = threading.Condition()
        self._is_open = True
        self._gathering: asyncio.AbstractEventLoop | None = None
        """The event loop that puts more in the line before the thread is called."""
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many operations wait."""
        return len(self._line)

    async def write(self, operation: Operation[Done]) -> Done:
        """Do an operation and return what it returns, once it is synced.

        Raises
        ------
        StoreUnavailable
            The engine cannot be reached.
        StoreBusy
            As many as may wait are waiting.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Done] = loop.create_future()
        self._take(_Item(operation, future, loop))
        if self._gathering is not loop:
            self._gathering = loop
            self._gather(loop, loop.time() + GATHER_S_MAX, -1, 0)
        return await future

    def call(self, operation: Operation[Done]) -> Done:
        """Do what `write` does, from a thread that may wait."""
        future: Future[Done] = Future()
        self._take(_Item(operation, future))
        self._call()
        return future.result()

    def close(self) -> None:
        """Commit what waits, and stop."""
        with self._turn:
            self._is_open = False
            self._turn.notify()
        self._thread.join()
        self.checkpoints.close()

    def _take(self, item: _Item[Any]) -> None:
        with self._turn:
            if not self._is_open:
                raise closed()
            if len(self._line) >= self.waiting_max:
                raise StoreBusy(
                    f"{len(self._line)} writes wait for the store.",
                    remedy="Ask again after Retry-After.",
                )
            self._line.append(item)

    def _gather(
        self, loop: asyncio.AbstractEventLoop, ends_s: float, known: int, quiet: int
    ) -> None:
        """Call the thread once an event loop has nothing more to put in the line, or time is up.

        So what came together is written together, and the thread does not fight for the
        interpreter with requests that are answered meanwhile.
        """
        waiting = len(self._line)
        quiet = quiet + 1 if waiting == known else 0
        if quiet < QUIET_ROUNDS and loop.time() < ends_s:
            loop.call_soon(self._gather, loop, ends_s, waiting, quiet)
            return
        self._gathering = None
        self._call()

    def _call(self) -> None:
        """Tell the thread that there is something in the line."""
        with self._turn:
            self._turn.notify()

    def _run(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._line or not self._is_open)
                group = [self._line.popleft() for _ in range(min(len(self._line), GROUP_MAX))]
            if not group:
                self._pen.close()
                return
            self._commit(group)
            self._settle(group)

    def _commit(self, group: list[_Item[Any]]) -> None:
        try:
            with self._pen.writing() as connection:
                notes, changes = self._operate(connection, group)
                head = append_notes(connection, self.instance, notes, self._head)
                numbered = append_changes(connection, self.instance, changes)
        except _TakenBackError:
            self.failure = None
            return
        except BaseException as error:  # noqa: BLE001  whoever waits must be told, whatever it is
            told = unavailable(error) if is_failure(error) else error
            self.failure = type(error).__name__
            self._head = None
            for item in group:
                item.error = item.error or told
            return
        self.failure = None
        self._head = head
        self.groups += 1
        self.checkpoints.committed(len(group))
        for item in group:
            if item.error is None:
                self.committed += 1
                for call in item.after:
                    self._call_after(call)
        self._call_after(lambda: self.told(_shown(changes, numbered)))

    def _call_after(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:  # noqa: BLE001  the write is kept, and the thread must live
            self.after_failed += 1
            _LOG.exception("a call after a commit failed")
            self.doubted()

    def _operate(
        self, connection: Connection, group: list[_Item[Any]]
    ) -> tuple[list[Note], list[Change]]:
        notes: list[Note] = []
        changes: list[Change] = []
        at = self.now()
        is_alone = len(group) == 1
        for item in group:
            transaction = Transaction(connection, at, item.by)
            try:
                if not is_alone:
                    _BEGIN_ONE.run(connection)
                item.result = item.operation(transaction)
            except Exception as error:
                if is_failure(error):
                    raise
                item.error = error
                if is_alone:
                    raise _TakenBackError from None
                _TAKE_BACK_ONE.run(connection)
                continue
            if not is_alone:
                _END_ONE.run(connection)
            notes += transaction.notes
            changes += transaction.changes
            item.after = transaction.after
        return notes, changes

    @staticmethod
    def _settle(group: list[_Item[Any]]) -> None:
        """Answer all that wait; an event loop is woken once for all of its own."""
        by_loop: dict[asyncio.AbstractEventLoop, list[_Item[Any]]] = {}
        for item in group:
            if item.loop is None:
                item.settle()
            else:
                by_loop.setdefault(item.loop, []).append(item)
        for loop, items in by_loop.items():
            with suppress(RuntimeError):  # a loop that is closed has nobody who waits
                loop.call_soon_threadsafe(_settle_all, items)


def _shown(changes: Sequence[Change], numbered: Sequence[NumberedChange]) -> list[NumberedChange]:
    """Return changes that are committed, with what memory holds of them."""
    return [
        replace(one, is_shown=True) if change.is_shown is not None and change.is_shown() else one
        for change, one in zip(changes, numbered, strict=True)
    ]


def _settle_all(items: Sequence[_Item[Any]]) -> None:
    for item in items:
        item.settle()
