"""The log never holds up an answer, whoever reads it or does not."""

import io
import json
from threading import Event, Thread
from typing import TextIO, cast

import pytest

from api import log
from api.log import LINES_WAITING_MAX, make_log, written_beside
from tests.api.waiting import wait_until


def test_lines_are_written_in_their_order_by_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = io.StringIO()
    monkeypatch.setattr("sys.stderr", lines)
    with written_beside():
        for number in range(500):
            make_log("info").info("said", number=number)
    told = [json.loads(line)["number"] for line in lines.getvalue().splitlines()]
    assert told == list(range(500))


class Unread(io.StringIO):
    """A pipe that is full until somebody reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_read = Event()

    def write(self, text: str) -> int:
        assert self.is_read.wait(60)
        return super().write(text)


def told_to_a_log(done: Event) -> Thread:
    def tell() -> None:
        make_log("info").info("said")
        done.set()

    thread = Thread(target=tell, daemon=True)
    thread.start()
    return thread


def test_a_pipe_that_nobody_reads_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    unread = Unread()
    monkeypatch.setattr("sys.stderr", unread)
    done = Event()
    with written_beside():
        told_to_a_log(done)
        assert done.wait(60)
        unread.is_read.set()
    assert "said" in unread.getvalue()


def test_without_a_thread_of_its_own_it_would(monkeypatch: pytest.MonkeyPatch) -> None:
    unread = Unread()
    monkeypatch.setattr("sys.stderr", unread)
    done = Event()
    thread = told_to_a_log(done)
    assert not done.wait(0.5)
    unread.is_read.set()
    thread.join()
    assert done.is_set()


def test_what_is_dropped_is_counted_in_the_log() -> None:
    out = Unread()
    waiting = log._Waiting(cast(TextIO, out))
    waiting.write("first\n")
    wait_until(lambda: not waiting._lines, "the thread has taken the first line")
    for _ in range(LINES_WAITING_MAX + 7):
        waiting.write("line\n")
    out.is_read.set()
    waiting.close()
    assert json.loads(out.getvalue().splitlines()[-1])["count"] == 7
    assert out.getvalue().count("line\n") == LINES_WAITING_MAX
