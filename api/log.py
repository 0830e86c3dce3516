"""One JSON object a line on standard error; never a body, a name, a place or a narrative.

A line about a recommendation carries the id that the answer carries too, so that the CAD's own log
can be joined to it without any content being repeated here.
"""

import io
import json
import logging
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any, Final, TextIO, cast

import structlog
from msgspec.json import Encoder
from structlog.typing import FilteringBoundLogger

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


LINES_WAITING_MAX: Final = 10_000
WRITTEN_EVERY_S: Final = 0.05


class _StandardError(io.TextIOBase):
    """Standard error as it is now; a log that cannot be written must not cost an answer."""

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with suppress(OSError, ValueError):
            sys.stderr.flush()


class _Waiting(io.TextIOBase):
    """Lines that wait for a thread of their own to write them.

    Whoever reads standard error may stop reading, and a full pipe would then hold up the event
    loop, and with it every answer. Lines beyond LINES_WAITING_MAX are dropped and counted.
    """

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.dropped = 0
        self._lines: deque[str] = deque()
        self._is_over = Event()
        self._thread = Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, text: str) -> int:
        """Let a text wait; no call of this waits itself."""
        if len(self._lines) < LINES_WAITING_MAX:
            self._lines.append(text)
        else:
            self.dropped += 1
        return len(text)

    def close(self) -> None:
        """Write what waits, if that is possible within a second."""
        self._is_over.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while not self._is_over.wait(WRITTEN_EVERY_S):
            self._write()
        self._write()

    def _write(self) -> None:
        while self._lines:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            self.out.write("".join(lines))
            self.out.flush()
        if self.dropped:
            told, self.dropped = self.dropped, 0
            self.out.write(_as_json({"event": "log_lines_dropped", "count": told}) + "\n")
            self.out.flush()


_OUT: Final[list[TextIO]] = [cast(TextIO, _StandardError())]
"""Where lines go; one place, so that loggers made before the thread began use it as well."""


class _Out(io.TextIOBase):
    def write(self, text: str) -> int:
        return _OUT[0].write(text)

    def flush(self) -> None:
        _OUT[0].flush()


@contextmanager
def written_beside() -> Iterator[None]:
    """Let a thread of its own write the log while a service runs."""
    plain = _OUT[0]
    waiting = _Waiting(plain)
    _OUT[0] = cast(TextIO, waiting)
    try:
        yield
    finally:
        _OUT[0] = plain
        waiting.close()


_ENCODER: Final = Encoder(enc_hook=repr)
"""What JSON has no shape for is told as Python shows it."""


def _as_json(event: dict[str, Any], **_unused: object) -> str:
    """Return one line; fast for what we write ourselves, and safe for what libraries say."""
    with suppress(ValueError, OverflowError):
        line = _ENCODER.encode(event)
        if line.isascii():
            return line.decode()
    return json.dumps(event, default=repr)


def make_log(level: str) -> FilteringBoundLogger:
    """Return a logger that writes JSON lines to standard error."""
    log: Any = structlog.wrap_logger(
        structlog.WriteLogger(cast(TextIO, _Out())),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_as_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
    )
    return log.bind()  # type: ignore[no-any-return]


def fault_place(error: BaseException) -> str:
    """Return where an exception was raised, as `file.py:line`, without its message.

    A message may repeat a value of the request; the place cannot.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "?"
    name = trace.tb_frame.f_code.co_filename.rsplit("/", 1)[-1]
    return f"{name}:{trace.tb_lineno}"


class _OneLine(logging.Handler):
    """Writes what libraries log in our own shape; of an exception only its kind and place."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__()
        self.log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        event = {"logger": record.name, "message": record.getMessage().splitlines()[0]}
        if record.exc_info and record.exc_info[1]:
            event |= {
                "message": "exception",
                "kind": type(record.exc_info[1]).__name__,
                "place": fault_place(record.exc_info[1]),
            }
        self.log.log(record.levelno, "library", **event)


def route_library_logs(log: FilteringBoundLogger) -> None:
    """Send what uvicorn and asyncio log through our log, from level warning on."""
    for name in ("uvicorn", "uvicorn.error", "asyncio", "tandem"):
        logger = logging.getLogger(name)
        logger.handlers = [_OneLine(log)]
        logger.setLevel(logging.WARNING)
        logger.propagate = False
