"""Erlang's formulas for servers that are all alike: how many calls are lost, or how long they wait.

What lives here: the loss system (M/M/c/c, Erlang B) and the queue (M/M/c, Erlang C). What does not:
servers that differ by place (`hypercube`), calls that need two (`two_types`).

Source: A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in
automatic telephone exchanges", 1917; as in Gross and Harris, "Fundamentals of Queueing Theory",
chapter 2. The offered load is calls a second times mean seconds of service, in erlangs.
"""

import math
from dataclasses import dataclass


def erlang_b(load: float, servers: int) -> float:
    """Return the share of calls that are lost when all servers are busy; any service times.

    By the recursion B(0) = 1, B(c) = a B(c-1) / (c + a B(c-1)), which neither overflows nor
    cancels.

    Raises
    ------
    ValueError
        The load is below 0, or there are fewer than 0 servers.
    """
    _check(load, servers)
    lost = 1.0
    for count in range(1, servers + 1):
        lost = load * lost / (count + load * lost)
    return lost


def erlang_c(load: float, servers: int) -> float:
    """Return the share of calls that wait when nobody is lost; exponential service times.

    1 where the load is as large as the number of servers or larger, so that the line grows.
    """
    _check(load, servers)
    if load >= servers:
        return 1.0
    lost = erlang_b(load, servers)
    return servers * lost / (servers - load * (1.0 - lost))


def _check(load: float, servers: int) -> None:
    if not load >= 0 or servers < 0:
        raise ValueError(f"load {load} and {servers} servers; expected 0 or more of both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """M/M/c: calls at random, exponential service, first come first served."""

    calls_per_s: float
    service_s: float
    """Mean seconds of service."""
    servers: int

    @property
    def load(self) -> float:
        """Erlangs."""
        return self.calls_per_s * self.service_s

    @property
    def utilisation(self) -> float:
        """Share of the time that a server is busy; 1 when the line grows for ever."""
        return min(self.load / self.servers, 1.0) if self.servers else 1.0

    @property
    def waiting_share(self) -> float:
        """Of calls, those that wait."""
        return erlang_c(self.load, self.servers)

    @property
    def mean_wait_s(self) -> float:
        """Mean seconds of waiting, of all calls; inf when the line grows for ever."""
        spare = self.servers - self.load
        return math.inf if spare <= 0 else self.waiting_share * self.service_s / spare

    def share_waiting_longer(self, wait_s: float) -> float:
        """Return the share of calls that wait longer than some seconds."""
        spare = self.servers - self.load
        if spare <= 0:
            return 1.0
        return self.waiting_share * math.exp(-spare * wait_s / self.service_s)

    def wait_percentile_s(self, share: float) -> float:
        """Return the seconds that a share of the calls does not wait longer than."""
        if self.waiting_share <= 1.0 - share:
            return 0.0
        spare = self.servers - self.load
        if spare <= 0:
            return math.inf
        return self.service_s / spare * math.log(self.waiting_share / (1.0 - share))
