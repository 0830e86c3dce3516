"""Requests over sockets that stay open, at a rate that waits for nobody or as fast as answers come.

At a rate (open loop) each request has its instant, and what it took counts from there, also when it
had to wait for a connection: a service that is slow cannot make its figures look better.
"""

import re
import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

ANSWER_S_MAX = 30.0
CLOSED = 0
"""The status of a request whose connection was closed before it was answered."""
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)

Request = Callable[[int], bytes]
"""Returns the bytes of the n-th request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request."""

    at_s: float
    """When it was to be sent, from the begin."""
    took_s: float
    """From then to the whole answer."""
    status: int
    head: bytes
    body: bytes
    late_s: float = 0.0
    """From when it was to be sent until it was: the load's own, or for want of a connection."""

    @property
    def is_recorded(self) -> bool:
        """Whether it is an answer that is kept."""
        return self.status == 200 and b'"recorded":true' in self.body

    @property
    def is_refused(self) -> bool:
        """Whether it says when to come back."""
        return self.status == 503 and b"\r\nretry-after: " in self.head.lower()


@dataclass(slots=True, eq=False)
class _Flight:
    connection: socket.socket
    due_s: float = 0.0
    late_s: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def read(self, began_s: float) -> Answer | None:
        """Read what is there and return the answer when it is complete."""
        try:
            came = self.connection.recv(1 << 18)
        except ConnectionResetError:
            came = b""
        if not came:
            return Answer(self.due_s, perf_counter() - began_s - self.due_s, CLOSED, b"", b"")
        self.received += came
        head, separator, body = bytes(self.received).partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n") if separator else None
        if length is None or len(body) < int(length[1]):
            return None
        status = int(head[9:12])
        self.received.clear()
        took_s = perf_counter() - began_s - self.due_s
        return Answer(self.due_s, took_s, status, head + b"\r\n", body, self.late_s)


class Load:
    """Connections to a service on the loopback address.

    Parameters
    ----------
    connections_max
        As many are opened at most; a request for which none is free waits.
    """

    def __init__(self, port: int, connections_max: int) -> None:
        self.port = port
        self.connections_max = connections_max
        self._poll = selectors.DefaultSelector()
        self._idle: list[_Flight] = []
        self._busy: set[_Flight] = set()
        self.opened = 0

    def at_rate(self, request: Request, *, rate: float, seconds: float) -> list[Answer]:
        """Return the answers to requests sent at a rate, in the order in which they came."""
        due_s = np.arange(int(rate * seconds)) / rate
        return self._run(request, due_s)

    def in_turn(self, request: Request, *, n: int) -> list[Answer]:
        """Return the answers to n requests, each connection asking again when it is answered."""
        return self._run(request, np.zeros(n), from_sending=True)

    def close(self) -> None:
        """Close all connections."""
        for flight in [*self._idle, *self._busy]:
            flight.connection.close()
        self._poll.close()

    def _run(
        self, request: Request, due_s: NDArray[np.float64], *, from_sending: bool = False
    ) -> list[Answer]:
        answers: list[Answer] = []
        began_s, sent, n = perf_counter(), 0, len(due_s)
        while len(answers) < n:
            now_s = perf_counter() - began_s
            while sent < n and due_s[sent] <= now_s and (flight := self._free()) is not None:
                sent_s = perf_counter() - began_s
                flight.due_s = sent_s if from_sending else float(due_s[sent])
                flight.late_s = sent_s - flight.due_s
                flight.connection.sendall(request(sent))
                sent += 1
            wait_s = ANSWER_S_MAX
            if sent < n and self._has_free():
                wait_s = max(0.0, float(due_s[sent]) - (perf_counter() - began_s))
            ready = self._poll.select(wait_s)
            if not ready and wait_s == ANSWER_S_MAX:
                raise TimeoutError(f"no answer within {ANSWER_S_MAX:.0f} s")
            for key, _ in ready:
                answer = self._answer(key.data, began_s)
                if answer is not None:
                    answers.append(answer)
        return answers

    def _answer(self, flight: _Flight, began_s: float) -> Answer | None:
        answer = flight.read(began_s)
        if answer is None:
            return None
        was_busy = flight in self._busy
        self._busy.discard(flight)
        if answer.status == CLOSED:
            if not was_busy:
                self._idle.remove(flight)  # a service closes what nobody used for seconds
            self._poll.unregister(flight.connection)
            flight.connection.close()
            self.opened -= 1
        else:
            self._idle.append(flight)
        return answer if was_busy else None

    def _has_free(self) -> bool:
        return bool(self._idle) or self.opened < self.connections_max

    def _free(self) -> _Flight | None:
        if self._idle:
            flight = self._idle.pop()
        elif self.opened < self.connections_max:
            opened = socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_S_MAX)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            flight = _Flight(opened)
            self._poll.register(opened, selectors.EVENT_READ, flight)
            self.opened += 1
        else:
            return None
        self._busy.add(flight)
        return flight


@contextmanager
def load_on(port: int, connections_max: int) -> Iterator[Load]:
    """Yield connections to a service, which are closed with the block."""
    made = Load(port, connections_max)
    try:
        yield made
    finally:
        made.close()


def percentiles_ms(answers: list[Answer]) -> tuple[float, float]:
    """Return p50 and p99 of what answers took, in milliseconds; nan for none."""
    if not answers:
        return float("nan"), float("nan")
    p50, p99 = np.percentile([one.took_s * 1000 for one in answers], [50, 99])
    return float(p50), float(p99)
