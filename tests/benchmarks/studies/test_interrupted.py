"""A run that ends before its time, at any step: the former results, or none; parts apart."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from benchmarks.studies.report.result_files import PAGE
from benchmarks.studies.run_folder import FINISHED, PARTS, UNFINISHED, open_folder
from tests.benchmarks.studies.test_engine import IDENTITY
from tests.benchmarks.studies.test_run_folder import shown

OLD: Final = [("a.csv", b"1"), ("b.csv", b"2"), (PAGE, b"<html>")]
NEW: Final = [("a.csv", b"3"), ("c.csv", b"4"), ("d.csv", b"5"), (PAGE, b"<p>")]
STEPS_MAX: Final = 200
KILLED: Final = 137
CHANGING: Final = frozenset({"os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"})


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Run some work in a process that is killed as it changes the disk for the n-th time."""
    pid = os.fork()
    if not pid:
        left = [step]

        def count(event: str, args: tuple[object, ...]) -> None:
            if event in CHANGING or (event == "open" and "w" in str(args[1])):
                left[0] -= 1
                if left[0] < 0:
                    os._exit(KILLED)

        sys.addaudithook(count)
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == KILLED


def write_new(folder: Path) -> None:
    with open_folder(folder, IDENTITY) as opened:
        opened.write(NEW)


@pytest.mark.parametrize("former", [[], OLD])
def test_a_kill_at_any_step_leaves_the_former_results_or_none_or_all_new_ones(
    tmp_path: Path, former: list[tuple[str, bytes]]
) -> None:
    found, taking_place = [], 0
    for step in range(STEPS_MAX):
        folder = tmp_path / f"{step}"
        folder.mkdir()
        if former:
            with open_folder(folder, IDENTITY) as opened:
                opened.write(former)
        if not killed_at(step, lambda at=folder: write_new(at)):  # type: ignore[misc]
            break
        there = shown(folder)
        if (folder / FINISHED).exists() and there not in (dict(former), dict(NEW)):
            taking_place += 1  # all are on the disk; no report stands beside a mixture
            assert PAGE not in there
            with open_folder(folder, IDENTITY):
                there = shown(folder)
            assert there == dict(NEW)
        assert there in (dict(former), dict(NEW))
        found.append(there == dict(NEW))
        write_new(folder)
        assert shown(folder) == dict(NEW)
        assert not [name for name in (FINISHED, UNFINISHED) if (folder / name).exists()]
    assert len(found) > 15
    assert {True, False} == set(found)
    assert 0 < taking_place < len(found) / 2


def test_an_error_while_results_are_written_leaves_the_former_ones(tmp_path: Path) -> None:
    def broken() -> object:
        yield from NEW[:2]
        raise ZeroDivisionError

    with open_folder(tmp_path, IDENTITY) as folder:
        folder.write(OLD)
        with pytest.raises(ZeroDivisionError):
            folder.write(broken())  # type: ignore[arg-type]
    assert shown(tmp_path) == dict(OLD)
    assert not (tmp_path / UNFINISHED).exists()


# -- a whole study --------------------------------------------------------------------------------

SCENARIO: Final = """name = "short"
[units.CARE]
count = 2
[demand.care]
per_day = 6
[simulation]
days = 1
warm_up_days = 0
replications = 3
"""
CHILD: Final = """
import os, signal, sys
from api.cli import app
how, scenario, out, seed = sys.argv[1:]
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
seen = 0
def end(event, args):
    global seen
    if event == "os.rename" and "/.parts" in str(args[1]):
        seen += 1
        if seen == 2 and how == "error":
            raise RuntimeError("an error in the middle of the work")
        if seen == 2:
            os.kill(os.getpid(), int(how))
sys.addaudithook(end)
app(["study", "simulate", scenario, "--out", out, "--workers", "1", "--seed", seed, "--fresh"])
"""


@pytest.mark.parametrize(
    ("how", "code"), [(int(signal.SIGKILL), -9), (int(signal.SIGINT), 130), ("error", 1)]
)
def test_a_study_that_ends_in_the_middle_leaves_the_former_result_and_its_parts_apart(
    tmp_path: Path, how: object, code: int
) -> None:
    (tmp_path / "one.toml").write_text(SCENARIO)
    out, told = tmp_path / "out", str(how)
    with open_folder(out, IDENTITY) as folder:
        folder.write(OLD)
    command = [sys.executable, "-c", CHILD, told, str(tmp_path / "one.toml"), str(out), "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code, done.stderr
    assert shown(out) == dict(OLD)
    assert len(list((out / PARTS).iterdir())) >= 1
    assert json.loads((out / ".study.json").read_bytes())["seed"] == 2
    assert "Written" not in done.stdout


NARROW: Final = """
import resource, sys
from api.cli import app
scenario, out, most = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
app(["study", "coverage", scenario, "--out", out, "--fresh"])
"""


@pytest.mark.parametrize(("most", "says"), [(20_000, "out/.unfinished"), (90_000, "TMPDIR")])
def test_a_disk_without_room_is_one_message_and_leaves_the_former_result(
    tmp_path: Path, most: int, says: str
) -> None:
    (tmp_path / "one.toml").write_text(SCENARIO)
    out = tmp_path / "out"
    with open_folder(out, IDENTITY) as folder:
        folder.write(OLD)
    command = [sys.executable, "-c", NARROW, str(tmp_path / "one.toml"), str(out), str(most)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "Make room" in done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert shown(out) == dict(OLD)
    assert not (out / UNFINISHED).exists()
