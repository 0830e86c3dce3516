"""The folder of a study: one run at a time, of one study, results whole or none."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.studies.kept import NotKept, bytes_of, result_of
from benchmarks.studies.report.result_files import PAGE
from benchmarks.studies.run_folder import FolderError, open_folder
from tests.benchmarks.studies.test_engine import IDENTITY, Drawn

FILES = [("a.csv", b"1"), ("b.csv", b"2"), (PAGE, b"<html>")]


def shown(folder: Path) -> dict[str, bytes]:
    files = (one for one in folder.iterdir() if not one.name.startswith(".") and one.is_file())
    return {one.name: one.read_bytes() for one in files}


def test_the_results_are_there_and_nothing_half_written_is(tmp_path: Path) -> None:
    with open_folder(tmp_path / "out", IDENTITY) as folder:
        paths = folder.write(FILES)
    assert shown(tmp_path / "out") == dict(FILES)
    assert [path.name for path in paths] == ["a.csv", "b.csv", PAGE]


def test_files_of_an_earlier_run_do_not_stay_beside_new_ones(tmp_path: Path) -> None:
    with open_folder(tmp_path / "out", IDENTITY) as folder:
        folder.write(FILES)
        folder.write([("a.csv", b"3"), (PAGE, b"<p>")])
    assert shown(tmp_path / "out") == {"a.csv": b"3", PAGE: b"<p>"}


def test_results_that_cannot_take_their_place_leave_the_former_ones(tmp_path: Path) -> None:
    with open_folder(tmp_path / "out", IDENTITY) as folder:
        folder.write(FILES)
        (tmp_path / "out" / "c.csv").mkdir()  # a file that cannot be replaced
        with pytest.raises(FolderError, match=r"c\.csv"):
            folder.write([("a.csv", b"3"), ("c.csv", b"4"), (PAGE, b"<p>")])
        assert not (tmp_path / "out" / ".unfinished").exists()
    assert shown(tmp_path / "out") == dict(FILES)


def test_a_scenario_may_be_corrected_while_the_folder_holds_nothing_yet(tmp_path: Path) -> None:
    with open_folder(tmp_path, IDENTITY):
        pass
    with open_folder(tmp_path, {**IDENTITY, "seed": 2}) as folder:
        folder.write(FILES)
    with pytest.raises(FolderError, match="seed is '2' there"):
        open_folder(tmp_path, IDENTITY).__enter__()


def test_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    with open_folder(tmp_path, IDENTITY), pytest.raises(FolderError, match="Another study is"):
        open_folder(tmp_path, IDENTITY).__enter__()
    with open_folder(tmp_path, IDENTITY):
        pass


def test_another_study_is_not_mixed_in_and_the_difference_is_named(tmp_path: Path) -> None:
    with open_folder(tmp_path, IDENTITY) as folder:
        folder.keep_part("one", b"mine")
    with pytest.raises(FolderError, match=r"seed is '1' there.*--fresh"):
        open_folder(tmp_path, {**IDENTITY, "seed": 2}).__enter__()
    with open_folder(tmp_path, IDENTITY) as folder:
        assert folder.part("one") == b"mine"
    with open_folder(tmp_path, {**IDENTITY, "seed": 2}, fresh=True) as folder:
        assert folder.part("one") is None


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_bytes(b"years of work")
    with pytest.raises(FolderError, match="holds files of something else"):
        open_folder(tmp_path, IDENTITY, fresh=True).__enter__()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match=r"file.*--out"):
        open_folder(tmp_path / "file" / "out", IDENTITY).__enter__()


def test_what_is_kept_comes_back_as_it_was() -> None:
    drawn = Drawn(number=3, values=np.array([1.5, np.nan, -0.0]))
    found = result_of(Drawn, bytes_of(drawn))
    assert found.number == 3
    assert found.values.tobytes() == drawn.values.tobytes()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", bytes_of(Drawn(1, np.ones(2)))[:-30]])
def test_what_is_no_result_is_told(content: bytes) -> None:
    with pytest.raises(NotKept):
        result_of(Drawn, content)
