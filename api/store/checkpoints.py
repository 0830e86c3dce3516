"""SQLite's log is brought into its file beside the writer, so that hardly a commit has to wait.

What is committed stands in the log (`-wal`), synced; a checkpoint writes its pages into the file
and syncs that too, which made the longest commits. Here a thread with a connection of its own
does it every so many operations, without a lock that a reader or writer would wait for (PASSIVE).
The bound of the log stays where it was: a commit that finds it at `CHECKPOINT_PAGES` brings in the
rest before it is acknowledged. SQLite does that by itself, but not while a checkpoint is in hand:
then the writer waits for that one, or a disk that is slow would let the log grow for good.
"""

import logging
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import Final

from api.store.database import LOG_BYTES_MAX, Database

OPERATIONS_BETWEEN: Final = 200
"""Operations after which the log is brought in; 400 measured the same."""
PASSES_MAX: Final = 3
"""What is committed during one pass is brought in by the next: a log that is brought in whole is
written from its beginning again."""
_LOG: Final = logging.getLogger("tandem.checkpoints")


class Checkpoints:
    """One thread, which begins with the first checkpoint.

    Parameters
    ----------
    operations_between
        Operations that are committed from one checkpoint to the next.
    """

    def __init__(self, database: Database, operations_between: int = OPERATIONS_BETWEEN) -> None:
        is_file = database.is_embedded and not database.is_in_memory
        self.made = 0
        """Checkpoints so far."""
        self.failure: str | None = None
        """Why the last one failed; None when it did not."""
        self._file = str(database.url.database) if is_file else None
        self._operations_between = operations_between
        self._operations = 0
        self._turn, self._in_hand = Condition(), Lock()
        self._is_due, self._is_open = False, True
        self._thread: Thread | None = None

    def committed(self, operations: int) -> None:
        """Count operations; called by the writer's thread after each commit."""
        if self._file is None:
            return
        if self._thread is not None and _log_bytes(self._file) > LOG_BYTES_MAX:
            self._bring_in_now()
        self._operations += operations
        if self._operations < self._operations_between:
            return
        self._operations = 0
        with self._turn:
            self._is_due = True
            self._turn.notify()
        if self._thread is None:
            self._thread = Thread(target=self._run, name="checkpoints", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the checkpoint in hand, and stop; once nothing is committed any more."""
        with self._turn:
            self._is_open = False
            self._turn.notify()
        if self._thread is not None:
            self._thread.join()

    def _bring_in_now(self) -> None:
        """Bring the log in before anything more is written, after the checkpoint in hand."""
        try:
            with self._in_hand, closing(self._connected()) as connection:
                _bring_in(connection)
        except sqlite3.Error as error:
            self._fail(error)

    # -- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        while self._is_next():
            try:
                self._follow()
            except sqlite3.Error as error:  # commits still bring in what is too much
                self._fail(error)

    def _follow(self) -> None:
        """Make the checkpoint that is due, and all that follow, until the end."""
        with closing(self._connected()) as connection:
            is_next = True
            while is_next:
                with self._in_hand:
                    _bring_in(connection)
                self.failure = None
                self.made += 1
                is_next = self._is_next()

    def _is_next(self) -> bool:
        """Wait for the next checkpoint to be due, and tell whether there is one."""
        with self._turn:
            self._turn.wait_for(lambda: self._is_due or not self._is_open)
            self._is_due = False
            return self._is_open

    def _connected(self) -> sqlite3.Connection:
        assert self._file is not None, "a checkpoint of what is no file"
        connection = sqlite3.connect(self._file, isolation_level=None)
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def _fail(self, error: sqlite3.Error) -> None:
        self.failure = type(error).__name__
        _LOG.error("a checkpoint failed: %s", self.failure)


def _log_bytes(file: str) -> int:
    with suppress(OSError):
        return Path(f"{file}-wal").stat().st_size
    return 0


def _bring_in(connection: sqlite3.Connection) -> None:
    for _ in range(PASSES_MAX):
        _, pages, brought_in = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if brought_in >= pages:
            return
