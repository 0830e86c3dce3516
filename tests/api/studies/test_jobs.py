"""Studies in the background run, are watched and ended, and go on after a stop of the service."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.errors import ChangeRefused, InvalidRequest, KeyReused, NoSuchStudy, Overloaded
from api.studies.jobs import SCENARIO_BYTES_MAX, Job, StudyJobs, StudyKind, StudyState
from tests.api.waiting import wait_until

EXAMPLES = Path(__file__).parents[3] / "benchmarks" / "studies" / "examples"
BUILTIN = (EXAMPLES / "builtin.toml").read_text(encoding="utf-8")
COVERAGE = StudyKind.COVERAGE


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[StudyJobs]:
    made = StudyJobs(tmp_path, waiting_max=2, workers=1)
    yield made
    made.close()


def over(jobs: StudyJobs, job: Job) -> Job:
    done = {StudyState.DONE, StudyState.FAILED, StudyState.CANCELLED}
    wait_until(lambda: jobs.one(job.study_id).state in done, "the study is over")
    return jobs.one(job.study_id)


def test_a_study_runs_and_its_files_are_there(jobs: StudyJobs) -> None:
    job = over(jobs, jobs.add(COVERAGE, BUILTIN, "analysis"))
    assert (job.state, job.faults) == (StudyState.DONE, ())
    assert job.in_short
    assert "report.html" in job.files
    assert jobs.file(job.study_id, "report.html").read_text().startswith("<!DOCTYPE html>")
    for name in ("../job.json", "job.json", "/etc/passwd", "..", ""):
        with pytest.raises(NoSuchStudy):
            jobs.file(job.study_id, name)


def test_every_fault_of_a_scenario_is_told_with_its_line(jobs: StudyJobs) -> None:
    wrong = BUILTIN.replace("[units.CARE]", "[units.CARE]\ncuont = 3", 1)
    job = over(jobs, jobs.add(COVERAGE, wrong, "analysis"))
    assert job.state is StudyState.FAILED
    line = wrong.splitlines().index("cuont = 3") + 1
    assert any(fault["line"] == line for fault in job.faults)
    assert job.files == ()


def test_a_study_that_runs_is_ended_with_its_process(jobs: StudyJobs) -> None:
    job = jobs.add(COVERAGE, BUILTIN, "analysis")
    wait_until(lambda: jobs._process is not None, "it runs")
    process = jobs._process
    ended = jobs.cancel(job.study_id)
    assert ended.state is StudyState.CANCELLED
    wait_until(lambda: process is None or process.poll() is not None, "it ended")
    assert jobs.cancel(job.study_id).state is StudyState.CANCELLED
    assert not (jobs.folder / "studies" / job.study_id / "out" / "report.html").exists()


def test_a_study_that_a_stop_interrupts_goes_on_at_the_next_start(tmp_path: Path) -> None:
    first = StudyJobs(tmp_path, waiting_max=2, workers=1)
    job = first.add(COVERAGE, BUILTIN, "analysis")
    wait_until(lambda: first._process is not None, "it runs")
    pid = first._process.pid if first._process else 0
    first.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    told = json.loads((tmp_path / "studies" / job.study_id / "job.json").read_text())
    assert told["state"] == "QUEUED"
    again = StudyJobs(tmp_path, waiting_max=2, workers=1)
    assert over(again, job).state is StudyState.DONE
    again.close()


def refused(name: str) -> str:
    return BUILTIN + f'\n[areas.tract]\nfile = "{name}"\n'


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../jobs.json", "a/../../b", "~/x", "${HOME}/x", "C:/x", "..\\\\x"]
)
def test_a_scenario_names_no_file_outside_the_data(jobs: StudyJobs, name: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        jobs.add(COVERAGE, refused(name), "analysis")
    assert error.value.problems[0].code == "SCENARIO_FILE_OUTSIDE"
    assert jobs.all() == []


def test_a_scenario_that_is_no_toml_is_refused(jobs: StudyJobs) -> None:
    with pytest.raises(InvalidRequest) as error:
        jobs.add(COVERAGE, "name = ", "analysis")
    assert error.value.problems[0].code == "SCENARIO_NOT_TOML"


def test_a_scenario_is_named_in_the_folder_of_data(jobs: StudyJobs) -> None:
    (jobs.data / "pilot.toml").write_text(BUILTIN, encoding="utf-8")
    (jobs.data / "long.toml").write_bytes(b"#" * (SCENARIO_BYTES_MAX + 1))
    (jobs.data / "latin.toml").write_bytes(b"name = '\xe9'")
    (jobs.data / "folder.toml").mkdir()
    jobs.cancel(jobs.add(COVERAGE, BUILTIN, "analysis").study_id)
    assert jobs.scenario_named("pilot.toml") == BUILTIN
    for name in ("long.toml", "latin.toml", "folder.toml", "none.toml"):
        with pytest.raises(InvalidRequest) as error:
            jobs.scenario_named(name)
        problem = error.value.problems[0]
        assert (problem.code, problem.path) == ("SCENARIO_FILE_UNREADABLE", "/scenario_file")
        assert problem.remedy == "There are: folder.toml, latin.toml, long.toml, pilot.toml."


def test_the_line_is_bounded_and_each_key_begins_one_study(jobs: StudyJobs) -> None:
    first = jobs.add(COVERAGE, BUILTIN, "analysis", "key-1")
    assert jobs.add(COVERAGE, BUILTIN, "analysis", "key-1").study_id == first.study_id
    with pytest.raises(KeyReused):
        jobs.add(COVERAGE, BUILTIN + "\n", "analysis", "key-1")
    assert jobs.add(COVERAGE, BUILTIN, "another", "key-1").study_id != first.study_id
    added = 2
    with pytest.raises(Overloaded):  # noqa: PT012  one runs, two wait: which is begun is its own
        while added < 10:
            jobs.add(COVERAGE, BUILTIN, "analysis")
            added += 1
    assert added <= 3
    for job in jobs.all():
        if job.state in {StudyState.QUEUED, StudyState.RUNNING}:
            jobs.cancel(job.study_id)


def test_what_is_over_cannot_be_ended(jobs: StudyJobs) -> None:
    job = over(jobs, jobs.add(COVERAGE, "name = 'x'", "analysis"))
    assert job.state is StudyState.FAILED
    with pytest.raises(ChangeRefused):
        jobs.cancel(job.study_id)
    with pytest.raises(NoSuchStudy):
        jobs.cancel("nothing")
