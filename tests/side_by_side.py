"""Long seeded work in two processes, because the machine that runs the tests has two cores."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from typing import TypeVar

Found = TypeVar("Found")


def side_by_side(work: Callable[[range], Found], seeds: range) -> tuple[Found, Found]:
    """Return what a function of a module finds in each half of some seeds.

    The second half is done in a new process, which imports the function by its name: what it needs
    beside the seeds it makes or loads itself.
    """
    half = len(seeds) // 2
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=_end_with_parent) as other:
        beside = other.submit(work, seeds[half:])
        return work(seeds[:half]), beside.result()


def _end_with_parent() -> None:
    """Let this process end when the tests do, even if they are killed."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
