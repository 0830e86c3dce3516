"""A process that has imported all and forks one writing process after another, so that each starts
within milliseconds; and the side of whoever orders and ends them.

One line of JSON in is one process; what it writes comes back on the same pipe as it does, between
`begun PID` and `ended`.
"""

import json
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
ANSWER_S_MAX: Final = 60.0


def serve() -> None:
    """Fork a process for each line, one at a time, until there are no more."""
    from tests.reliability.contesting import contest_on
    from tests.reliability.retrying import retry_on
    from tests.reliability.writing import acknowledge_on, write_on

    tasks = {"write": write_on, "retry": retry_on, "contest": contest_on}
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                options = json.loads(line)
                tasks[options.get("task", "write")](options, acknowledge_on(1))
                os._exit(0)
            except BaseException:  # noqa: BLE001  told before the process ends
                traceback.print_exc()
            finally:
                os._exit(1)
        os.write(1, f"begun {child}\n".encode())
        os.waitpid(child, 0)
        os.write(1, b"ended\n")


class Nursery:
    """Orders processes that write, reads what they acknowledge, and ends them."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self._rest = b""
        self._lines: list[str] = []

    def order(self, options: dict[str, Any]) -> int:
        """Begin a process and return its id."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(options).encode() + b"\n")
        self.process.stdin.flush()
        word, _, child = self._line(ANSWER_S_MAX).partition(" ")
        assert word == "begun", word
        return int(child)

    def read(self, most: int, within_s: float) -> list[str]:
        """Return lines as they come, until there are so many, or time is up, or it ended."""
        found: list[str] = []
        deadline = perf_counter() + within_s
        while len(found) < most:
            line = self._line(deadline - perf_counter())
            if line in ("", "ended"):
                self._lines[:0] = [line] if line else []
                break
            found.append(line)
        return found

    def kill(self, child: int) -> list[str]:
        """End a process as nothing can prevent, and return what it had said until then."""
        os.kill(child, signal.SIGKILL)
        return self.rest()

    def rest(self, within_s: float = ANSWER_S_MAX) -> list[str]:
        """Return what a process says until it ends, which says something now and then."""
        found = []
        while (line := self._line(within_s)) != "ended":
            assert line, "the process neither ended nor said anything"
            found.append(line)
        return found

    def _line(self, within_s: float) -> str:
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        deadline = perf_counter() + within_s
        while not self._lines:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - perf_counter()))
            if not ready:
                return ""
            came = os.read(descriptor, 65_536)
            assert came, "the nursery is gone"
            *lines, self._rest = (self._rest + came).split(b"\n")
            self._lines += [line.decode() for line in lines]
        return self._lines.pop(0)


@contextmanager
def nursery() -> Iterator[Nursery]:
    """Start a nursery; it ends with the block."""
    command = [sys.executable, "-c", "from tests.reliability.nursery import serve; serve()"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()
