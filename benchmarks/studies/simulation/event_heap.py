"""Kernels of the events that wait: a binary heap in columns, by instant, then as pushed.

What lives here: `push`, `pop`. What does not: what the events mean (`event_loop`).
"""

from typing import Final

import numpy as np

from benchmarks.studies.simulation.run_columns import HEAP_FULL, HEAP_SIZE, PUSHED, Heap, Longs
from geodata.compiled import njit

CLEAR: Final = 0
"""A unit is done with its job."""
BREAK_OVER: Final = 1
OFFICER_ASKS: Final = 2
TIMER: Final = 3
"""The loop stops; its subject is the caller's."""


@njit
def _before(heap: Heap, one: int, other: int) -> bool:
    if heap.at_s[one] != heap.at_s[other]:
        return bool(heap.at_s[one] < heap.at_s[other])
    return bool(heap.number[one] < heap.number[other])


@njit
def _swap(heap: Heap, one: int, other: int) -> None:
    heap.at_s[one], heap.at_s[other] = heap.at_s[other], heap.at_s[one]
    heap.number[one], heap.number[other] = heap.number[other], heap.number[one]
    heap.kind[one], heap.kind[other] = heap.kind[other], heap.kind[one]
    heap.subject[one], heap.subject[other] = heap.subject[other], heap.subject[one]
    heap.token[one], heap.token[other] = heap.token[other], heap.token[one]


@njit
def push(heap: Heap, registers: Longs, at_s: float, kind: int, subject: int, token: int) -> None:
    """Add an event; HEAP_FULL is set where there is no room, and the run is void."""
    size = registers[HEAP_SIZE]
    if size >= len(heap.at_s):
        registers[HEAP_FULL] = 1
        return
    heap.at_s[size], heap.kind[size] = at_s, np.int8(kind)
    heap.subject[size], heap.token[size] = np.int32(subject), token
    heap.number[size] = registers[PUSHED]
    registers[PUSHED] += 1
    registers[HEAP_SIZE] = size + 1
    child = size
    while child > 0:
        parent = (child - 1) >> 1
        if not _before(heap, child, parent):
            break
        _swap(heap, child, parent)
        child = parent


@njit
def pop(heap: Heap, registers: Longs) -> tuple[int, int, int]:
    """Remove the first event; return its kind, subject and token."""
    kind, subject, token = heap.kind[0], heap.subject[0], heap.token[0]
    size = registers[HEAP_SIZE] - 1
    registers[HEAP_SIZE] = size
    _swap(heap, 0, size)
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            break
        if child + 1 < size and _before(heap, child + 1, child):
            child += 1
        if not _before(heap, child, parent):
            break
        _swap(heap, child, parent)
        parent = child
    # All as the same wide kind of number, so that compiled code is made once for each caller.
    return 0 + kind, 0 + subject, 0 + token
