"""How a reader of the feed learns that it moved: a word from the server, or a look at the file.

On PostgreSQL a connection of its own listens (`NOTIFY` comes with the commit). On SQLite the file's
`data_version` is looked at ten times a second, and a commit of this process wakes at once. Either
way a wait ends after a while by itself, so that a word that was lost costs a moment and no change.
"""

import selectors
import socket
import sqlite3
import threading
from time import monotonic
from typing import Final, Protocol

import psycopg

from api.store.changes import CHANNEL
from api.store.database import CONNECT_S_MAX, LOCK_S_MAX, Database

POLL_S: Final = 0.1
"""Between two looks at the file of SQLite."""
SILENCE_MS_MAX: Final = 3_000
"""How long a server may leave a packet unanswered before its connection counts as lost."""

SIGNAL_FAILURES: Final = (psycopg.Error, sqlite3.Error, OSError)
"""What a lost connection raises."""


class Signal(Protocol):
    """Waits until the feed may have moved; raises one of SIGNAL_FAILURES when it cannot tell."""

    def wait(self, seconds: float) -> None:
        """Return when the feed may have moved, when woken, or after so long."""

    def close(self) -> None:
        """Let go of what it holds."""


class Waker:
    """Ends the wait of one thread from any other; a wake during no wait ends the next one."""

    def __init__(self) -> None:
        self._told, self._tell = socket.socketpair()
        self._told.settimeout(0)
        self._tell.settimeout(0)
        self._is_told = False

    def wake(self) -> None:
        """End the wait."""
        if self._is_told:
            return
        self._is_told = True
        try:
            self._tell.send(b"!")
        except (BlockingIOError, OSError):
            return  # it is full, so it is woken already; or it is closed

    def clear(self) -> None:
        """Forget the wakes so far; whoever waits looks at what there is after this."""
        self._is_told = False  # before what was told is read, so that none is lost between
        try:
            while self._told.recv(4_096):
                pass
        except BlockingIOError:
            return

    def fileno(self) -> int:
        """Return what a selector waits for."""
        return self._told.fileno()

    def close(self) -> None:
        """Let go of the pair."""
        self._tell.close()
        self._told.close()


def listen(database: Database, waker: Waker) -> Signal:
    """Return what tells of the feed of a database; its waits are ended by the waker too."""
    if not database.is_embedded:
        return _Listening(database, waker)
    name = database.url.database
    if name in (None, "", ":memory:"):
        return _Woken(waker)
    return _Looking(str(name), waker)


class _Listening:
    """LISTEN on a connection of its own."""

    def __init__(self, database: Database, waker: Waker) -> None:
        self._waker = waker
        self._connection = psycopg.connect(
            database.url.set(drivername="postgresql").render_as_string(hide_password=False),
            autocommit=True,
            connect_timeout=CONNECT_S_MAX,
            application_name="tandem-follower",
            keepalives_idle=1,
            keepalives_interval=1,
            keepalives_count=3,
            tcp_user_timeout=SILENCE_MS_MAX,
        )
        self._selector = selectors.DefaultSelector()
        self._connection.execute(f"LISTEN {CHANNEL}")
        self._selector.register(self._connection.fileno(), selectors.EVENT_READ)
        self._selector.register(waker, selectors.EVENT_READ)

    def wait(self, seconds: float) -> None:
        """Return on a word from the server."""
        if not self._selector.select(seconds):
            self._connection.execute("SELECT 1")  # raises when the server has gone
        self._waker.clear()
        for _word in self._connection.notifies(timeout=0):
            pass

    def close(self) -> None:
        self._selector.close()
        self._connection.close()


class _Looking:
    """Looks whether another connection, of any process, has written the file."""

    def __init__(self, file: str, waker: Waker) -> None:
        self._waker = waker
        self._connection = sqlite3.connect(
            file, timeout=LOCK_S_MAX, isolation_level=None, check_same_thread=False
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(waker, selectors.EVENT_READ)
        self._seen = self._version()

    def wait(self, seconds: float) -> None:
        """Return when the file was written."""
        ends_s = monotonic() + seconds
        while (left_s := ends_s - monotonic()) > 0:
            woken = self._selector.select(min(POLL_S, left_s))
            version = self._version()
            if woken or version != self._seen:
                self._seen = version
                break
        self._waker.clear()

    def close(self) -> None:
        self._selector.close()
        self._connection.close()

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


class _Woken:
    """A database in memory, which nobody else can write."""

    def __init__(self, waker: Waker) -> None:
        self._waker = waker
        self._selector = selectors.DefaultSelector()
        self._selector.register(waker, selectors.EVENT_READ)

    def wait(self, seconds: float) -> None:
        self._selector.select(seconds)
        self._waker.clear()

    def close(self) -> None:
        self._selector.close()


class Pause:
    """A growing wait between tries, up to a bound; a success begins it anew."""

    def __init__(self, first_s: float = 0.05, most_s: float = 2.0) -> None:
        self.first_s, self.most_s = first_s, most_s
        self._next_s = 0.0

    def after_failure(self, ended: threading.Event) -> None:
        """Wait before the next try, unless it ends; the first failure is tried again at once."""
        ended.wait(self._next_s)
        self._next_s = min(self.most_s, max(self.first_s, self._next_s * 2))

    def after_success(self) -> None:
        """Begin anew."""
        self._next_s = 0.0
