"""Where parts of a study are computed: here, in processes of this machine, or on a Dask cluster.

    for place, result in engine.run(replicate_part, parts):
        ...

What lives here: the three engines, which give the same results for the same parts. What does not:
what is kept of them (`work`). A part is a picklable value; its function stands at the top of a
module, takes the part alone, and depends on nothing else: no clock, no other part.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from threading import Thread
from typing import Any, Final, Protocol, TypeVar

from benchmarks.studies.errors import StudyError

P = TypeVar("P")
R = TypeVar("R")
TRIES_MAX: Final = 2
"""How often a part is begun whose process died, the first time included."""
CONNECT_S_MAX: Final = 10


class EngineError(StudyError):
    """Parts that could not be computed where they were sent."""


class Engine(Protocol):
    """Where parts are computed."""

    def run(self, function: Callable[[P], R], parts: Sequence[P]) -> Iterator[tuple[int, R]]:
        """Yield the place of each part and its result, as each is done.

        Raises
        ------
        EngineError
            The process of a part died again and again, or the cluster cannot be reached.
        """
        ...


class Here:
    """One part after the other, in this process."""

    def run(self, function: Callable[[P], R], parts: Sequence[P]) -> Iterator[tuple[int, R]]:
        """Yield the place of each part and its result."""
        for place, part in enumerate(parts):
            yield place, function(part)


class Processes:
    """Several processes of this machine.

    Parameters
    ----------
    workers
        How many; each makes its own world once.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, function: Callable[[P], R], parts: Sequence[P]) -> Iterator[tuple[int, R]]:
        """Yield the place of each part and its result, as each is done.

        When a process dies, the parts that were not done are begun once more in new ones.
        """
        left = dict(enumerate(parts))
        for _ in range(TRIES_MAX):
            try:
                for place, result in self._run_once(function, left):
                    del left[place]
                    yield place, result
            except BrokenProcessPool:
                continue
            return
        names = ", ".join(str(left[place]) for place in sorted(left)[:3])
        raise EngineError(
            f"A process of the study died {TRIES_MAX} times; {len(left)} parts are not done, "
            f"first {names}.",
            remedy="It may have run out of memory: ask for fewer --workers or fewer days.",
        )

    def _run_once(self, function: Callable[[P], R], parts: dict[int, P]) -> Iterator[tuple[int, R]]:
        count = min(self.workers, max(len(parts), 1))
        pool = ProcessPoolExecutor(
            count, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
        )
        try:
            waiting = {pool.submit(function, part): place for place, part in parts.items()}
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                yield from _results(done, waiting)
        except BaseException:
            _end(pool)
            raise
        pool.shutdown()


def _begin() -> None:
    """Leave Ctrl-C to the process that began this one, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_the_first, daemon=True).start()


def _end_with_the_first() -> None:
    first = multiprocessing.parent_process()
    assert first is not None, "a process of the pool"
    first.join()
    os._exit(1)


def _results(done: set[Future[R]], waiting: dict[Future[R], int]) -> Iterator[tuple[int, R]]:
    """Yield what is done: all results first, then the error of a part, if any has one."""
    faulty = [future for future in done if future.exception() is not None]
    for future in sorted(done - set(faulty), key=waiting.__getitem__):
        yield waiting.pop(future), future.result()
    for future in faulty:
        future.result()


def _end(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool now, whatever they are doing."""
    processes = list((pool._processes or {}).values())  # noqa: SLF001  3.14 has kill_workers()
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        with suppress(ValueError, OSError):
            process.terminate()
    for process in processes:
        with suppress(ValueError, OSError, AssertionError):
            process.join()


class Cluster:
    """A Dask cluster, whose workers have the same software and read the same files.

    Parameters
    ----------
    address
        Of its scheduler, such as `tcp://10.0.0.5:8786`.
    connect_s_max
        How long it may take to answer.
    """

    def __init__(self, address: str, connect_s_max: float = CONNECT_S_MAX) -> None:
        self.address = address
        self.connect_s_max = connect_s_max

    def run(self, function: Callable[[P], R], parts: Sequence[P]) -> Iterator[tuple[int, R]]:
        """Yield the place of each part and its result, as each is done."""
        distributed = _distributed()
        try:
            client = distributed.Client(self.address, timeout=self.connect_s_max)
        except (OSError, ValueError, TimeoutError) as problem:
            raise EngineError(
                f"No Dask scheduler answers at {self.address}: {problem}.",
                remedy="Start one (dask scheduler), or leave out --dask.",
            ) from None
        with client:
            futures = [
                client.submit(function, part, pure=False, retries=TRIES_MAX - 1) for part in parts
            ]
            places = {future.key: place for place, future in enumerate(futures)}
            try:
                for future in distributed.as_completed(futures):
                    yield places[future.key], self._result(distributed, future)
            except BaseException:
                client.cancel(futures, force=True)
                raise

    def _result(self, distributed: Any, future: Any) -> Any:
        try:
            return future.result()
        except distributed.KilledWorker as problem:
            raise EngineError(
                f"A worker of the cluster died: {problem}.",
                remedy="It may have run out of memory; its own log says more.",
            ) from None


def _distributed() -> Any:
    try:
        import distributed
    except ModuleNotFoundError:
        raise EngineError(
            "Dask is not installed here.",
            remedy="Install Tandem with its extra: pip install 'tandem-dispatch[dask]'.",
        ) from None
    return distributed


def engine_for(workers: int | None, dask: str | None) -> Engine:
    """Return where a study is computed: a cluster, some processes, or this one.

    Parameters
    ----------
    workers
        None takes as many as the machine has cores for this process.
    """
    if dask is not None:
        return Cluster(dask)
    count = workers or len(os.sched_getaffinity(0))
    return Here() if count == 1 else Processes(count)
