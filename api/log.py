"""One JSON object a line on standard error; never a body, a name, a place or a narrative.

A line about a recommendation carries the id that the answer carries too, so that the CAD's own log
can be joined to it without any content being repeated here.
"""

import io
import json
import logging
import sys
from contextlib import suppress
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
        structlog.WriteLogger(cast(TextIO, _StandardError())),
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
