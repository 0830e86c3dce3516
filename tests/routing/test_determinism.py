"""Equal questions have equal answers, byte for byte, in every process and with any threads."""

import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.live_view import LiveView, load_view
from api.settings import Settings
from tests.conftest import REPOSITORY
from tests.routing.answering import answer, bodies, digests, distinct

TIMES = 1_000
TIMES_ELSEWHERE = 40
PROCESSES = (("0", "1"), ("0", "2"), ("1", "1"), ("424242", "2"))
"""PYTHONHASHSEED and the number of threads of each process."""


@pytest.fixture(scope="module")
def view() -> LiveView:
    return load_view(Settings(), lambda _stage: None)


def elsewhere(hash_seed: str, threads: str, *more: str) -> list[str]:
    """Return the digests that another process finds."""
    names = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    env = os.environ | dict.fromkeys(names, threads) | {"PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "tests.routing.answering", str(TIMES_ELSEWHERE), *more]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def in_processes(*more: str, processes: tuple[tuple[str, str], ...]) -> list[list[str]]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda one: elsewhere(*one, *more), processes))


def test_the_same_request_has_the_same_answer_a_thousand_times(view: LiveView) -> None:
    dispatch, *_, crowded = bodies()
    assert len(distinct(view, dispatch, TIMES)) == 1
    assert len(distinct(view, crowded, TIMES // 10)) == 1


def test_every_process_hash_seed_and_number_of_threads_finds_the_same_bytes(
    view: LiveView,
) -> None:
    here = digests(view, TIMES_ELSEWHERE)
    assert len(set(here)) == len(bodies())
    assert in_processes(processes=PROCESSES) == [here] * len(PROCESSES)


def test_an_answer_that_differs_within_a_process_is_found(view: LiveView) -> None:
    number = itertools.count()

    def counting(view: LiveView, body: bytes) -> bytes:
        return answer(view, body) + str(next(number)).encode()

    with pytest.raises(ValueError, match="too many values"):
        digests(view, 2, counting)


def test_an_answer_that_hangs_on_the_order_of_a_set_is_found() -> None:
    one, two = in_processes("salted", processes=PROCESSES[1:3])
    assert one != two
