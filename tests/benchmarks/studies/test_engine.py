"""Parts of a study: the same results wherever they are computed, kept, and never done twice."""

import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.studies.engine import Cluster, EngineError, Here, Processes, engine_for
from benchmarks.studies.run_folder import RunFolder, open_folder
from benchmarks.studies.work import Work
from tests.api.waiting import wait_until

IDENTITY = {"study": "TEST", "seed": 1}


@dataclass(frozen=True)
class Part:
    number: int
    folder: str = ""


@dataclass(frozen=True)
class Drawn:
    number: int
    values: NDArray[np.float64]


def draw(part: Part) -> Drawn:
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([7, part.number])))
    return Drawn(number=part.number, values=generator.standard_normal(1_000))


def draw_and_note(part: Part) -> Drawn:
    with (Path(part.folder) / "begun").open("a") as file:
        file.write(f"{part.number}\n")
    return draw(part)


def die_once(part: Part) -> Drawn:
    mark = Path(part.folder) / "died"
    if part.number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(part)


def die(part: Part) -> Drawn:
    os.kill(os.getpid(), signal.SIGKILL)
    return draw(part)


def wait_for_ever(part: Part) -> Drawn:
    (Path(part.folder) / f"{os.getpid()}").touch()
    while True:
        signal.pause()


def refuse(part: Part) -> Drawn:
    if part.number == 2:
        raise ValueError("part 2 cannot be done")
    return draw(part)


def parts(n: int = 6, folder: Path | None = None) -> list[Part]:
    return [Part(number, "" if folder is None else str(folder)) for number in range(n)]


def bytes_in_order(found: list[tuple[int, Drawn]]) -> list[bytes]:
    return [drawn.values.tobytes() for _, drawn in sorted(found, key=lambda pair: pair[0])]


def test_every_engine_gives_the_same_bytes(cluster: str) -> None:
    wanted = bytes_in_order(list(Here().run(draw, parts())))
    assert bytes_in_order(list(Processes(2).run(draw, parts()))) == wanted
    assert bytes_in_order(list(Cluster(cluster).run(draw, parts()))) == wanted


def test_a_part_whose_process_dies_is_begun_once_more(tmp_path: Path) -> None:
    found = list(Processes(2).run(die_once, parts(folder=tmp_path)))
    assert bytes_in_order(found) == bytes_in_order(list(Here().run(draw, parts())))
    assert (tmp_path / "died").exists()


def test_parts_whose_processes_die_for_ever_are_named() -> None:
    with pytest.raises(EngineError, match=r"Part\(number=0.*memory"):
        list(Processes(1).run(die, parts(1)))


def test_the_error_of_a_part_is_told_as_it_is() -> None:
    with pytest.raises(ValueError, match="part 2 cannot be done"):
        list(Processes(2).run(refuse, parts()))


def test_a_cluster_that_is_not_there_is_named() -> None:
    with pytest.raises(EngineError, match=r"127\.0\.0\.1:1 .*dask scheduler"):
        list(Cluster("tcp://127.0.0.1:1", connect_s_max=1).run(draw, parts(1)))


def test_one_worker_needs_no_other_process() -> None:
    assert isinstance(engine_for(1, None), Here)
    assert isinstance(engine_for(2, None), Processes)
    assert isinstance(engine_for(None, "tcp://127.0.0.1:1"), Cluster)


# -- what is kept ---------------------------------------------------------------------------------


class Interrupted(Exception):
    pass


class BreaksAfter:
    """An engine that is interrupted after some parts."""

    def __init__(self, n: int) -> None:
        self.n = n

    def run(self, function, wanted):
        for done, pair in enumerate(Here().run(function, wanted)):
            if done == self.n:
                raise Interrupted
            yield pair


def mapped(folder: RunFolder, engine, place: Path) -> list[Drawn]:
    return Work(engine=engine, folder=folder).map("draws", draw_and_note, parts(6, place), Drawn)


def test_an_interrupted_study_goes_on_where_it_was(tmp_path: Path) -> None:
    with open_folder(tmp_path / "out", IDENTITY) as folder, pytest.raises(Interrupted):
        mapped(folder, BreaksAfter(4), tmp_path)
    with open_folder(tmp_path / "out", IDENTITY) as folder:
        found = mapped(folder, Here(), tmp_path)
    begun = Counter((tmp_path / "begun").read_text().split())
    assert [one.number for one in found] == list(range(6))
    assert [one.values.tobytes() for one in found] == [draw(p).values.tobytes() for p in parts()]
    assert begun == Counter({"0": 1, "1": 1, "2": 1, "3": 1, "4": 2, "5": 1})


def test_a_part_that_was_damaged_on_the_disk_is_done_again(tmp_path: Path) -> None:
    with open_folder(tmp_path / "out", IDENTITY) as folder:
        mapped(folder, Here(), tmp_path)
        damaged = sorted((tmp_path / "out" / ".parts").iterdir())[2]
        damaged.write_bytes(damaged.read_bytes()[:-20] + bytes(20))
        found = mapped(folder, Here(), tmp_path)
    assert [one.values.tobytes() for one in found] == [draw(p).values.tobytes() for p in parts()]
    assert len((tmp_path / "begun").read_text().split()) == 7


def test_other_parts_are_never_taken_for_these(tmp_path: Path) -> None:
    with open_folder(tmp_path / "out", IDENTITY) as folder:
        work = Work(engine=Here(), folder=folder)
        work.map("draws", draw, parts(2), Drawn)
        found = work.map("draws", draw, [Part(5), Part(1)], Drawn)
    assert [one.number for one in found] == [5, 1]


FIRST = """
import sys
from benchmarks.studies.engine import Processes
from tests.benchmarks.studies.test_engine import Part, wait_for_ever
list(Processes(2).run(wait_for_ever, [Part(k, sys.argv[1]) for k in range(2)]))
"""


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_processes_of_a_study_that_is_killed_end_with_it(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", FIRST, str(tmp_path)])
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2, "both parts are begun")
    others = [int(one.name) for one in tmp_path.iterdir()]
    assert all(map(is_there, others))
    first.kill()
    first.wait()
    try:
        wait_until(lambda: not any(map(is_there, others)), "the others have ended", tries_max=100)
    finally:
        for pid in filter(is_there, others):
            os.kill(pid, signal.SIGKILL)
