"""What a command prints where nobody sits at a terminal is as wide on every machine."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

ASK = """
import os
os.environ.update({then!r})
from api.commands import console
os.environ.update({now!r})
console.run(lambda: console.out.print(console.out.width, console.notes.width))
"""


def widths(
    then: dict[str, str], now: dict[str, str], stdin: int = subprocess.DEVNULL
) -> tuple[int, ...]:
    """Of results and remarks, where the environment changes after the consoles are made."""
    clean = {name: text for name, text in os.environ.items() if name not in ("COLUMNS", "LINES")}
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(then=then, now=now)],
        env=clean,
        stdin=stdin,
        capture_output=True,
        check=True,
        text=True,
    )
    return tuple(map(int, done.stdout.split()))


def test_a_width_that_is_told_is_that_of_the_time_of_the_command() -> None:
    assert widths({}, {"COLUMNS": "200"}) == (200, 200)
    assert widths({"COLUMNS": "80", "LINES": "24"}, {"COLUMNS": "200"}) == (200, 200)


def test_no_width_that_can_be_used_is_80() -> None:
    assert widths({}, {}) == (80, 80)
    assert widths({"COLUMNS": "200", "LINES": "24"}, {"COLUMNS": ""}) == (80, 80)
    assert widths({}, {"COLUMNS": "0"}) == (80, 80)


def test_a_terminal_that_the_output_does_not_go_to_does_not_count() -> None:
    master, slave = pty.openpty()
    try:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 50, 0, 0))
        assert widths({}, {}, stdin=slave) == (80, 80)
    finally:
        os.close(slave)
        os.close(master)
