"""The core of a network of which little is left open."""

from time import process_time

import numpy as np

from routing.stretch_kernel import Fan, around_core


def ring(n: int) -> tuple[Fan, Fan]:
    """Return the arcs of a one-way ring, out of each node and into it."""
    nodes, first = np.arange(n, dtype=np.int32), np.arange(n + 1, dtype=np.int32)
    before = np.roll(nodes, 1)
    return (first, nodes, np.roll(nodes, -1)), (first, before, before)


def ends(n: int, *, is_open: bool) -> tuple[int, int]:
    """Return how many nodes lead to the core, and how many are reached from it."""
    order = np.arange(n, dtype=np.int32)
    leads, reached = around_core(*ring(n), np.full(n, is_open), order)
    return int(leads.sum()), int(reached.sum())


def test_streets_that_are_all_closed_take_no_longer_than_others() -> None:
    """Each node is then a part of its own; to look at all nodes for each would take ten seconds."""
    n = 100_000
    assert ends(3, is_open=True) == (3, 3)  # compiled
    begun_s = process_time()
    assert ends(n, is_open=False) == (1, 1)
    assert process_time() - begun_s < 1.0
    assert ends(n, is_open=True) == (n, n)
