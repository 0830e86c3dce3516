"""Work that is done one at a time in a thread of its own, so that the event loop never waits."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from api.errors import TandemError

Done = TypeVar("Done")


class Line:
    """One thread and a bounded line before it, served in the order of arrival.

    Parameters
    ----------
    in_hand_max
        How many may be in hand, the one that is being done included.
    full
        The refusal of one more, for the number in hand.
    """

    def __init__(self, name: str, in_hand_max: int, full: Callable[[int], TandemError]) -> None:
        self.in_hand_max = in_hand_max
        self.full = full
        self.in_hand = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, work: Callable[[], Done]) -> Done:
        """Do some work after all that came before, and return what it returns.

        Raises
        ------
        TandemError
            The refusal: as many as may be are in hand.
        """
        if self.in_hand >= self.in_hand_max:
            raise self.full(self.in_hand)
        self.in_hand += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self.in_hand -= 1

    def begin(self, work: Callable[[], object]) -> None:
        """Do some work that nobody waits for; it is not counted."""
        self._thread.submit(work)

    def close(self) -> None:
        """Let the work in hand end."""
        self._thread.shutdown(wait=True)
