"""The solver in a process of its own: the same answers, and answers when it is not there."""

from collections.abc import Iterator
from math import inf

import pytest

from api.solver_process import SolverProcess
from routing.pairing_batch import DEFAULT_LIMITS, pair_batch
from tests.routing.batch_oracle import random_calls

CALLS = random_calls(3, (5, 5, 5), late_s=20)


@pytest.fixture(scope="module")
def solver() -> Iterator[SolverProcess]:
    made = SolverProcess()
    made.start()
    made.wait(120.0)
    yield made
    made.close()


def no_hurry() -> float:
    return inf


def test_the_process_finds_what_the_thread_finds(solver: SolverProcess) -> None:
    assert solver.is_ready
    for seed in range(5):
        calls = random_calls(seed, (6, 5, 6), late_s=20)
        asked = solver.solve(calls, limits=DEFAULT_LIMITS, seconds_left=no_hurry)
        assert asked == pair_batch(calls, limits=DEFAULT_LIMITS)


def test_rule_12_a_process_that_never_started_is_done_without() -> None:
    asked = SolverProcess().solve(CALLS, limits=DEFAULT_LIMITS, seconds_left=no_hurry)
    assert asked == pair_batch(CALLS, limits=DEFAULT_LIMITS)


def test_rule_12_a_process_that_was_killed_is_done_without() -> None:
    solver = SolverProcess()
    solver.start()
    solver.wait(120.0)
    assert solver._pool is not None
    for worker in list(solver._pool._processes.values()):
        worker.kill()
        worker.join()
    asked = solver.solve(CALLS, limits=DEFAULT_LIMITS, seconds_left=no_hurry)
    assert asked == pair_batch(CALLS, limits=DEFAULT_LIMITS)
    assert not solver.is_ready
