"""Recommendations beside a study: what counts met one that computed; one that fails is told."""

from pathlib import Path

import pytest

from api.studies.jobs import StudyKind
from benchmarks import interference_study
from benchmarks.interference_study import RATE, report


@pytest.fixture(autouse=True)
def _on_the_schematic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TANDEM_DATA", str(tmp_path / "none"))
    monkeypatch.setattr(interference_study, "WARM_UP_S", 1)


def test_as_many_requests_count_beside_a_study_as_without() -> None:
    said = report(StudyKind.COVERAGE, rounds=1, seconds=1)
    assert f"{RATE:,} quiet, {RATE:,} beside a study" in said
    met = said.split("begun (")[1].split(")")[0]
    assert sum(int(part.rsplit(": ")[-1]) for part in met.split(", ")) == RATE


def test_a_study_that_fails_is_no_study_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = interference_study.SCENARIO.replace("count = 3", "cuont = 3")
    monkeypatch.setattr(interference_study, "SCENARIO", wrong)
    with pytest.raises(RuntimeError, match=r"the study failed: .*cuont"):
        report(StudyKind.COVERAGE, rounds=1, seconds=1)
