"""The system calls of a process in the order in which they began and ended, as strace saw them.

The question is one: was an acknowledgement sent before the log of the database that holds its write
was synced to disk? So of each call is kept which file it was about, what bytes it wrote, and at
which line of the trace it began and ended.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CALLS: Final = ("pwrite64", "write", "sendto", "sendmsg", "writev", "fdatasync", "fsync")
SHOWN_BYTES_MAX: Final = 8_192
LOG_ENDING: Final = "-wal"

_BEGUN: Final = re.compile(r"^(\d+) +(\w+)\(\d+<(.*?)>(.*)$")
_RESUMED: Final = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
_TOKEN: Final = re.compile(r"(?<![\d.])\d+\.\d+\.\d+(?![\d.])")
_SAID: Final = re.compile(r"ack ([\d.]+)")
_UNFINISHED: Final = "<unfinished ...>"


def why_no_trace() -> str | None:
    """Return why nothing can be traced here, None when it can."""
    strace = shutil.which("strace")
    if strace is None:
        return "needs strace, which is not installed"
    tried = subprocess.run(
        [strace, "-f", "--seccomp-bpf", "-o", "/dev/null", "true"], capture_output=True, check=False
    )
    return None if tried.returncode == 0 else "tracing a process is not permitted here"


def traced(command: list[str], output: Path) -> list[str]:
    """Return a command that runs another one and writes its calls to a file."""
    told = ["-s", str(SHOWN_BYTES_MAX), "-e", f"trace={','.join(CALLS)}", "-o", str(output)]
    return ["strace", "-f", "--seccomp-bpf", "-y", *told, *command]


@dataclass(slots=True, kw_only=True)
class Call:
    """One system call."""

    name: str
    file: str
    said: str
    """Its arguments and its result."""
    began: int
    """Line of the trace."""
    ended: int


def calls_of(lines: Iterable[str]) -> Iterator[Call]:
    """Yield the calls of a trace in the order in which they ended."""
    under_way: dict[str, Call] = {}
    for number, line in enumerate(lines):
        resumed = _RESUMED.match(line)
        if resumed:
            call = under_way.pop(resumed[1], None)
            if call is not None and call.name == resumed[2]:
                call.said, call.ended = call.said + resumed[3], number
                yield call
            continue
        begun = _BEGUN.match(line)
        if begun is None:
            continue
        call = Call(name=begun[2], file=begun[3], said=begun[4], began=number, ended=number)
        if _UNFINISHED in call.said:
            under_way[begun[1]] = call
        else:
            yield call


@dataclass(slots=True, kw_only=True)
class Order:
    """What the trace says of acknowledgements."""

    acknowledged: int = 0
    too_early: tuple[str, ...] = ()
    """Tokens acknowledged though the log with their write was not synced before."""
    not_written: tuple[str, ...] = ()
    """Tokens acknowledged that no write of the log holds."""


def order_of(calls: Iterable[Call]) -> Order:
    """Compare each acknowledgement with the writes and syncs of the log.

    An acknowledgement (`ack TOKEN`) is right when a sync of the log began after the write that
    holds its token had ended, succeeded, and ended before the acknowledgement began.
    """
    written: dict[str, int] = {}
    syncs: list[Call] = []
    acknowledgements: list[Call] = []
    for call in calls:
        if call.file.endswith(LOG_ENDING) and call.name == "pwrite64":
            for token in _TOKEN.findall(call.said):
                written.setdefault(token, call.ended)
        elif call.file.endswith(LOG_ENDING) and call.said.rstrip().endswith("= 0"):
            syncs.append(call)
        elif '"ack ' in call.said:
            acknowledgements.append(call)
    early, missing, n = [], [], 0
    for said in acknowledgements:
        for token in _SAID.findall(said.said):
            n += 1
            at = written.get(token)
            if at is None:
                missing.append(token)
            elif not any(at < sync.began and sync.ended < said.began for sync in syncs):
                early.append(token)
    return Order(acknowledged=n, too_early=tuple(early), not_written=tuple(missing))
