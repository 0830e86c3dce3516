"""The solver of batches in a process of its own, so that it takes nothing from single calls.

OR-Tools' min-cost flow holds Python's lock for about a millisecond at a time, and a recommendation
beside it would wait that often. What goes over is whole-number tables, what comes back is columns.
Where the process is not there, still starting, or gone, the batch is solved in the caller's thread.
"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from math import inf
from multiprocessing import get_context, parent_process
from time import perf_counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # OR-Tools comes when it is used, so that a start does not wait for it
    from routing.pairing_batch import BatchLimits, BatchPairing
    from routing.pairing_tables import PendingCall

LATE_S: Final = 0.25
"""How long after its deadline the process is waited for, before the thread answers without it."""


class SolverProcess:
    """One process that solves one batch at a time."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._ready: Future[None] | None = None

    def start(self) -> None:
        """Begin to start the process; nobody waits for it."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                max_workers=1, mp_context=get_context("spawn"), initializer=_end_with_parent
            )
            self._ready = self._pool.submit(_load)

    @property
    def is_ready(self) -> bool:
        """Whether the process has loaded what it needs."""
        ready = self._ready
        return ready is not None and ready.done() and ready.exception() is None

    def wait(self, seconds: float) -> None:
        """Wait until the process is ready, as long as that."""
        if self._ready is not None:
            self._ready.result(timeout=seconds)

    def solve(
        self,
        calls: "Sequence[PendingCall]",
        *,
        limits: "BatchLimits",
        seconds_left: Callable[[], float],
    ) -> "BatchPairing":
        """Return what `pair_batch` says, from the process where it can be asked."""
        from routing.pairing_batch import pair_batch

        pool = self._pool
        if pool is None or not self.is_ready:
            return pair_batch(calls, limits=limits, seconds_left=seconds_left)
        left_s = seconds_left()
        try:
            asked = pool.submit(_solve, list(calls), limits, left_s)
            return asked.result(timeout=None if left_s == inf else max(0.0, left_s) + LATE_S)
        except (OSError, RuntimeError, TimeoutError):  # gone, or too slow: rule 12, it answers
            self.close()
            return pair_batch(calls, limits=limits, seconds_left=seconds_left)

    def close(self) -> None:
        """End the process, whatever it does."""
        pool, self._pool, self._ready = self._pool, None, None
        if pool is not None:
            for worker in list((pool._processes or {}).values()):  # noqa: SLF001  no public way
                worker.terminate()
            pool.shutdown(wait=True, cancel_futures=True)  # its semaphores go with its thread


# -- in the process -------------------------------------------------------------------------------


def _end_with_parent() -> None:
    """Let this process end when the service does, however that ends."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _load() -> None:
    import routing.pairing_program  # noqa: F401  what the first batch would wait for


def _solve(calls: "list[PendingCall]", limits: "BatchLimits", left_s: float) -> "BatchPairing":
    from routing.pairing_batch import pair_batch

    ends_s = perf_counter() + left_s
    return pair_batch(calls, limits=limits, seconds_left=lambda: ends_s - perf_counter())
