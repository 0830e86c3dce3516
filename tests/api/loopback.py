"""Real HTTP on the loopback address: a service in a thread, and listeners of its events."""

import http.client
import json
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.app import make_app
from api.commands.serve import make_server, open_listener
from api.live_view import LiveView
from api.operations import Clock, utc_now
from api.service import Service
from api.settings import Settings
from tests.api.waiting import wait_until

TIMEOUT_S = 30.0
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Served:
    """A service that runs, and what asks it."""

    port: int
    service: Service
    stop: Callable[[], None]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return the status and the JSON of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, JSON | headers)
            response = connection.getresponse()
            told = response.read()
            return response.status, json.loads(told) if told[:1] in (b"{", b"[") else told.decode()
        finally:
            connection.close()


@contextmanager
def served(
    view: LiveView, store: str, *, now: Clock = utc_now, **settings: Any
) -> Iterator[Served]:
    """Yield a service over a store, ready; it is stopped as a signal would."""
    folder = tempfile.TemporaryDirectory(prefix="tandem-spool-")
    spool = Path(folder.name) / "spool"
    chosen = Settings(log_level="error", store=store, shutdown_s_max=5, spool=spool, **settings)
    app = make_app(chosen, load=lambda _settings, _stage: view, now=now)
    listener = open_listener("127.0.0.1", 0)
    interval_s = sys.getswitchinterval()
    server = make_server(chosen, app)
    sys.setswitchinterval(interval_s)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()

    def stop() -> None:
        server.should_exit = True
        thread.join(TIMEOUT_S)
        assert not thread.is_alive(), "the service does not stop"

    service = app.state.service
    try:
        wait_until(lambda: service.view is not None or service.failure is not None, "ready")
        assert service.failure is None, service.failure
        yield Served(listener.getsockname()[1], service, stop)
    finally:
        stop()
        folder.cleanup()


@dataclass(frozen=True)
class Told:
    """One event as a listener reads it."""

    number: int | None
    type: str
    data: Any


class Listening:
    """One connection to GET /v1/events, which goes on after the last id that it saw."""

    def __init__(self, port: int, last_id: str | None = None, query: str = "") -> None:
        self.last_id = last_id
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        headers = {} if last_id is None else {"Last-Event-ID": last_id}
        self._connection.request("GET", f"/v1/events{query}", headers=headers)
        self.response = self._connection.getresponse()
        self.comments: list[str] = []

    def events(self) -> Iterator[Told]:
        """Yield events as they come, until the stream ends."""
        fields: dict[str, str] = {}
        while line := self.response.readline().decode():
            name, _, value = line.rstrip("\n").partition(":")
            if line == "\n":
                self.last_id = fields.pop("id", self.last_id)
                if "data" in fields:
                    number = None if self.last_id is None else int(self.last_id)
                    yield Told(number, fields.get("event", ""), json.loads(fields["data"]))
                fields = {}
            elif name == "":
                self.comments.append(value.strip())
            else:
                fields[name] = value.removeprefix(" ")

    def take(self, n: int) -> list[Told]:
        """Return the next n events."""
        events = self.events()
        return [next(events) for _ in range(n)]

    def greeted(self) -> "Listening":
        """Return this once the stream has said where it begins."""
        while self.last_id is None or "connected" not in self.comments:
            line = self.response.readline().decode()
            if line.startswith("id: "):
                self.last_id = line[4:].strip()
            elif line.startswith(": "):
                self.comments.append(line[2:].strip())
        return self

    def close(self) -> None:
        """Go without a word."""
        with suppress(OSError):
            if self._connection.sock is not None:
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        self.response.close()
        self._connection.close()
