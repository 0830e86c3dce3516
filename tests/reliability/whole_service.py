"""The whole service in a process of its own, over loopback HTTP, on the built-in streets."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from tests.api.waiting import wait_until
from tests.reliability.nursery import REPOSITORY

ASK: Final = "/v1/recommend-units"
ANSWER_S_MAX: Final = 30
HEADERS: Final = {"Content-Type": "application/json"}
COMMAND: Final = (sys.executable, "-c", "from api.cli import main; main()", "serve", "--dev")


class WholeService:
    """One process of `tandem serve` over a store."""

    def __init__(self, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.port = port
        self.process = process

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection that stays open."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S_MAX)

    def is_ready(self) -> bool:
        """Tell whether it says so."""
        assert self.process.poll() is None, "the service ended at its start"
        with closing(self.connect()) as connection:
            try:
                return self.ask(connection, "GET", "/readyz")[0] == 200
            except OSError:
                return False

    @staticmethod
    def ask(
        connection: http.client.HTTPConnection, method: str, path: str, body: Any = None
    ) -> tuple[int, Any]:
        """Return the status and the body of an answer."""
        sent = None if body is None else json.dumps(body).encode()
        connection.request(method, path, sent, HEADERS)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())

    def kill(self) -> None:
        """End it as nothing can prevent."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, within_s: float) -> int:
        """Tell it to stop, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)


@contextmanager
def whole_service(store: str, **settings: str) -> Iterator[WholeService]:
    """Start a service and yield it when it is ready; however the block ends, it ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    told = {"store": store, "log_level": "error", "port": str(port)} | settings
    environment = os.environ | {f"TANDEM_{name.upper()}": value for name, value in told.items()}
    with subprocess.Popen(COMMAND, cwd=REPOSITORY, env=environment) as process:
        service = WholeService(port, process)
        try:
            wait_until(service.is_ready, "the service is ready")
            yield service
        finally:
            if process.poll() is None:
                service.kill()


def store_file(folder: Path) -> str:
    """Return where the store of a test is."""
    return str(folder / "desk.sqlite")
