"""Long seeded work in two processes, because the machine that runs the tests has two cores."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Found = TypeVar("Found")


def side_by_side(work: Callable[[range], Found], seeds: range) -> tuple[Found, Found]:
    """Return what a function of a module finds in each half of some seeds.

    The second half is done in a new process, which imports the function by its name: what it needs
    beside the seeds it makes or loads itself.
    """
    half = len(seeds) // 2
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
        beside = other.submit(work, seeds[half:])
        return work(seeds[:half]), beside.result()
