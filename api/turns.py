"""Whose turn it is: calls begin a few at a time, the others wait in a line that is bounded.

One event loop reads, decides and refuses. What is begun there holds up all that comes after it,
refusals too; so in one pass of the loop at most `BEGUN_A_PASS_MAX` calls are begun, and between two
passes it reads what has arrived. The line bears a burst, such as a CAD that connects again and asks
for all that it has; a load that lasts would only make it longer for everybody. So once a call was
refused the line is short, until `SHEDDING_S` have gone by without a refusal. (The idea is that of
controlled delay: Nichols and Jacobson, "Controlling Queue Delay", 2012.)

What is refused, and in which order, is said in `api.limits`.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Final

BEGUN_A_PASS_MAX: Final = 4
"""A recorded call takes about 1 ms to begin: what has arrived is looked at every few ms."""
SHEDDING_S: Final = 1.0
"""As long as refusals tell callers to wait (`Retry-After`)."""

_Waiter = tuple[float, "asyncio.Future[None]"]


class Turns:
    """The requests in hand, and the calls that wait until it is their turn.

    Parameters
    ----------
    in_hand_max
        Requests in hand above which a call waits.
    waiting_max
        Calls in a line above which one more is refused; while some are refused, `in_hand_max`.
    wait_s_max
        Seconds after which the first of a line begins, whatever is in hand; meanwhile calls that
        are not urgent are refused.
    """

    __slots__ = ("begun", "calls", "in_hand", "in_hand_max", "now", "refused_at_s", "urgent",
                 "wait_s_max", "waiting_max")  # fmt: skip

    def __init__(
        self,
        *,
        in_hand_max: int,
        waiting_max: int,
        wait_s_max: float,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self.in_hand_max, self.waiting_max, self.wait_s_max = in_hand_max, waiting_max, wait_s_max
        self.now = now
        self.in_hand = 0
        """Begun and not ended, of all kinds."""
        self.begun = 0
        """Calls that were begun in this pass of the event loop."""
        self.urgent: deque[_Waiter] = deque()
        self.calls: deque[_Waiter] = deque()
        self.refused_at_s = float("-inf")
        """When a call was refused last."""

    @property
    def waiting(self) -> int:
        """Calls that wait, urgent ones too."""
        return len(self.urgent) + len(self.calls)

    def take(self) -> bool:
        """Begin a call now, if nobody waits and there is a turn; tell whether it is begun."""
        if (
            self.begun >= BEGUN_A_PASS_MAX
            or self.in_hand >= self.in_hand_max
            or self.calls
            or self.urgent
        ):
            return False
        self._begin()
        return True

    def end(self) -> None:
        """Give back the room of a request that is answered."""
        self.in_hand -= 1
        if (self.calls or self.urgent) and not self.begun:
            self._next_pass()

    def has_room(self, *, is_urgent: bool) -> bool:
        """Whether one more call may wait."""
        if is_urgent:
            return len(self.urgent) < self.waiting_max
        now_s = self.now()
        is_shedding = now_s - self.refused_at_s < SHEDDING_S
        longest = min(self.in_hand_max, self.waiting_max) if is_shedding else self.waiting_max
        return len(self.calls) < longest and not self._is_due(self.calls, now_s)

    def note_refusal(self) -> None:
        """Keep the line short for a while; whoever has waited long enough begins."""
        self.refused_at_s = self.now()
        if not self.begun:
            self._next_pass()

    async def wait(self, *, is_urgent: bool) -> float:
        """Wait for a turn, and return for how many seconds."""
        turn = asyncio.get_running_loop().create_future()
        line, waiter = self.urgent if is_urgent else self.calls, (self.now(), turn)
        line.append(waiter)
        if not self.begun:
            self._next_pass()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.end()
            elif waiter in line:
                line.remove(waiter)
            raise
        return self.now() - waiter[0]

    def _begin(self) -> None:
        if not self.begun:
            asyncio.get_running_loop().call_soon(self._next_pass)
        self.begun += 1
        self.in_hand += 1

    def _next_pass(self) -> None:
        """Begin the next of those who wait; called once in a pass in which something began."""
        self.begun = 0
        while self.begun < BEGUN_A_PASS_MAX and (turn := self._next()) is not None:
            if not turn.done():
                self._begin()
                turn.set_result(None)

    def _next(self) -> "asyncio.Future[None] | None":
        now_s = self.now()
        for line in (self.urgent, self.calls):
            if line and (self.in_hand < self.in_hand_max or self._is_due(line, now_s)):
                return line.popleft()[1]
        return None

    def _is_due(self, line: deque[_Waiter], now_s: float) -> bool:
        return bool(line) and now_s - line[0][0] > self.wait_s_max
