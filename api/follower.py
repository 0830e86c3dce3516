"""One thread that follows the feed: what other instances wrote reaches this one's memory.

What lives here: the thread, its number in the feed, and what it does when the connection is lost or
the feed was pruned past it. What does not: what memory there is (`api.mirrors`), and how changes
become events for listeners outside (`api.event_streams`).

The number moves only after the mirrors have taken what came before it. Numbers have no gaps, so one
that is missing means that the feed was pruned, and everything is read anew (a *refill*).
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from api.errors import StoreError
from api.operations import Clock, utc_now
from api.store.changes import READ_MAX, NumberedChange, changes_after, head_of
from api.store.database import Database
from api.store.signals import SIGNAL_FAILURES, Pause, Signal, Waker, listen

LOOK_S: Final = 0.5
"""Longest time between two looks at the feed, whatever was heard of it."""
GAP_S: Final = 0.025
"""Shortest time from one look to the next: what is written without a pause is taken together."""
OWN_MAX: Final = 4 * READ_MAX
"""Changes of this instance that are kept until they are taken; older ones are read."""

Noted = Callable[[BaseException, str], None]
"""Told of a fault of ours, and of where it came from."""


class Mirror(Protocol):
    """Something in memory that other instances change too; called by the follower's thread only."""

    @property
    def name(self) -> str:
        """What it is called in the log."""

    def follow(self, changes: Sequence[NumberedChange]) -> None:
        """Take changes, which may be known already.

        Raises
        ------
        StoreError
            The store cannot be read; the same changes come again.
        """

    def refill(self) -> None:
        """Read everything anew.

        Raises
        ------
        StoreError
            The store cannot be read.
        """


class Listener(Protocol):
    """Is told of all changes, in order, each once; called by the follower's thread only."""

    def told(self, changes: Sequence[NumberedChange]) -> None:
        """Take changes; must not wait."""

    def resync(self, number: int) -> None:
        """Go on from a number; what came before it is not told."""


def _unnoted(_error: BaseException, _place: str) -> None:
    return


class Follower:
    """Follows the feed of one database from a number on.

    Parameters
    ----------
    number
        What the mirrors have seen already.
    """

    def __init__(
        self,
        database: Database,
        number: int,
        *,
        mirrors: Sequence[Mirror] = (),
        listeners: Sequence[Listener] = (),
        now: Clock = utc_now,
        noted: Noted = _unnoted,
    ) -> None:
        self.database = database
        self.number = number
        self.mirrors = tuple(mirrors)
        self.listeners = tuple(listeners)
        self.lag_s = 0.0
        """From the instant of the last change that was taken until it was."""
        self.losses = 0
        """How often the feed could not be followed."""
        self.refills = 0
        self.failure: str | None = None
        """Why the feed is not followed now; None when it is."""
        self._now = now
        self._noted = noted
        self._own: deque[NumberedChange] = deque(maxlen=OWN_MAX)
        self._stale = set[str]()
        self._is_doubted = threading.Event()
        self._ended = threading.Event()
        self._moved = threading.Condition()
        self._waker = Waker()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def fill(self, *unread: Mirror) -> None:
        """Follow for mirrors that have seen nothing yet too; they are filled before all else."""
        self.mirrors = (*self.mirrors, *unread)
        self._stale |= {mirror.name for mirror in unread}

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the feed now."""
        self._waker.wake()

    def take_own(self, changes: Sequence[NumberedChange]) -> None:
        """Take what this instance added to the feed, which then need not be read; from any thread.

        Only what follows without a gap is taken so. All else, and what came too long ago, is read.
        """
        self._own.extend(changes)
        self.wake()

    def doubt(self) -> None:
        """Have every mirror read everything anew: something of ours may not have reached it."""
        self._is_doubted.set()
        self.wake()

    def close(self) -> None:
        """Stop following."""
        self._ended.set()
        self._waker.wake()
        if self._thread.is_alive():
            self._thread.join()
        self._waker.close()

    @property
    def degraded(self) -> tuple[str, ...]:
        """What works less well than it should, as code words."""
        lost = ("FEED_LOST",) if self.failure else ()
        return (*lost, *(("MIRROR_STALE",) if self._stale else ()))

    def wait_for(self, number: int, seconds: float) -> bool:
        """Wait until a number was taken, at most so long, and tell whether it was."""
        with self._moved:
            return self._moved.wait_for(lambda: self.number >= number, seconds)

    # -- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        pause = Pause()
        while not self._ended.is_set():
            try:
                signal = listen(self.database, self._waker)
            except SIGNAL_FAILURES as error:
                self._lose(error)
            else:
                self._follow(signal, pause)
            if not self._ended.is_set():
                pause.after_failure(self._ended)

    def _follow(self, signal: Signal, pause: Pause) -> None:
        """Follow until the connection is lost; what was missed meanwhile is read first."""
        try:
            while not self._ended.is_set():
                self._catch_up()
                pause.after_success()
                self.failure = None
                self._ended.wait(GAP_S)
                signal.wait(LOOK_S)
        except (StoreError, *SIGNAL_FAILURES) as error:
            self._lose(error)
        except Exception as error:  # noqa: BLE001  a bug of ours must not end the thread
            self._lose(error)
            self._noted(error, "follower")
        finally:
            signal.close()

    def _lose(self, error: BaseException) -> None:
        if self.failure is None:
            self.losses += 1
        self.failure = type(error).__name__

    def _catch_up(self) -> None:
        while not self._ended.is_set():
            while own := self._own_after():
                self._mend()
                self._take(own)
            with self.database.reading() as connection:
                head = head_of(connection)  # before the changes, so that none can be missing
                if self._own_after():
                    continue  # committed since
                found = (
                    changes_after(connection, self.number, READ_MAX) if head > self.number else []
                )
            self._mend()
            if not _goes_on(found, self.number, head):
                self._refill()
            elif found:
                self._take(found)
            if len(found) < READ_MAX:
                return

    def _own_after(self) -> list[NumberedChange]:
        """Return what this instance added to the feed right after our number."""
        while self._own and self._own[0].change_id <= self.number:
            self._own.popleft()
        own = list(self._own)[:READ_MAX]
        return [one for place, one in enumerate(own) if one.change_id == self.number + 1 + place]

    def _take(self, found: Sequence[NumberedChange]) -> None:
        for mirror in self.mirrors:
            self._guarded(mirror, partial(mirror.follow, found))
        for listener in self.listeners:
            listener.told(found)
        self.lag_s = max(0.0, _seconds(found[-1].at, self._now()))
        self._move(found[-1].change_id)

    def _refill(self) -> None:
        """Read everything anew: from the head on nothing is missed, and what is told twice is."""
        self._own.clear()  # of another feed, perhaps
        with self.database.reading() as connection:
            head = head_of(connection)
        for mirror in self.mirrors:
            self._guarded(mirror, mirror.refill)
        for listener in self.listeners:
            listener.resync(head)
        self.refills += 1
        self._move(head)

    def _guarded(self, mirror: Mirror, call: Callable[[], None]) -> bool:
        """Let a mirror do something; one that fails by a bug is read anew, the others go on."""
        try:
            call()
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  see above
            self._stale.add(mirror.name)
            self._noted(error, mirror.name)
            return False
        return True

    def _mend(self) -> None:
        if self._is_doubted.is_set():
            self._is_doubted.clear()
            self._stale |= {mirror.name for mirror in self.mirrors}
        for mirror in self.mirrors:
            if mirror.name in self._stale and self._guarded(mirror, mirror.refill):
                self._stale.discard(mirror.name)

    def _move(self, number: int) -> None:
        with self._moved:
            self.number = number
            self._moved.notify_all()


def _goes_on(found: Sequence[NumberedChange], number: int, head: int) -> bool:
    """Tell whether changes follow a number without a gap, up to the head at least."""
    if head < number or (head > number and not found):
        return False
    return all(change.change_id == number + 1 + place for place, change in enumerate(found))


def _seconds(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds()
