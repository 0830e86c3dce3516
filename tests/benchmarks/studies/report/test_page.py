"""The page of a study: whole without a network, nothing unexplained, nothing that runs."""

import re

import numpy as np

from benchmarks.studies.report.page import ROWS_SHOWN, page_of
from benchmarks.studies.report.result_files import result_files
from benchmarks.studies.tables import Picture, Section, StudyResult, Table, texts

HOSTILE = '<script>alert("x")</script>'


def result(n_rows: int = 3) -> StudyResult:
    shown = Table(
        name="by_zone",
        title=f"By zone {HOSTILE}",
        columns={
            "zone": texts([HOSTILE] * n_rows),
            "calls": np.arange(n_rows) + 1234,
            "pair_p50_s": np.full(n_rows, 450.0),
            "covered_share": np.full(n_rows, 0.5),
            "mean": np.full(n_rows, np.nan),
            "remark": texts(["none"] * n_rows),
        },
        definitions={
            "zone": f"Its name {HOSTILE}.", "calls": "Calls in it.", "pair_p50_s": "Median.",
            "covered_share": "Share.", "mean": "Mean.",
            "remark": "What to know of it.",
        },
    )  # fmt: skip
    calls = Table(
        name="calls", title="Calls", columns={"x": np.array([1])}, definitions={"x": "A number."}
    )
    return StudyResult(
        kind="COVERAGE",
        title=f"The pilot {HOSTILE}",
        cautions=(f"A proxy {HOSTILE}",),
        in_short=(f"Half {HOSTILE}.",),
        sections=(
            Section(
                title=f"Where {HOSTILE}",
                paragraphs=(HOSTILE,),
                tables=(shown,),
                pictures=(Picture(name="map", png=b"\x89PNG", words=f"A map {HOSTILE}"),),
            ),
        ),
        tables=(calls,),
        assumptions={"durations.turnout_care_s": f"60 (assumption) {HOSTILE}"},
        manifest={"seed": 1, "files": {"calls.csv": "ab" * 32}, "note": HOSTILE},
    )


def test_a_page_asks_for_nothing_and_runs_nothing() -> None:
    page = page_of(result())
    assert "<script" not in page
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources
    assert all(one.startswith(("data:image/png;base64,", "#")) for one in sources)
    assert not re.search(r"url\(|@import|<link|<iframe", page)


def test_every_column_of_every_table_is_explained_on_the_page() -> None:
    page = page_of(result())
    for name in ("zone", "calls", "pair_p50_s", "covered_share", "mean", "x"):
        assert f"<dt>{name}</dt>" in page
    assert 'href="#by_zone"' in page
    assert 'id="by_zone"' in page


def test_numbers_are_written_for_persons() -> None:
    page = page_of(result())
    assert "<th class=n>pair p50 (min)</th>" in page
    for cell in ("1,234", "7.5", "50.0", "-"):
        assert f"<td class=n>{cell}</td>" in page


def test_texts_stand_left_and_numbers_right_wherever_their_column_is() -> None:
    page = page_of(result())
    assert "<td>none</td>" in page
    assert "<td class=n>1,234</td>" in page
    assert "<th>remark</th>" in page


def test_a_long_table_says_what_it_leaves_to_its_file() -> None:
    page = page_of(result(ROWS_SHOWN + 5))
    assert f"The first {ROWS_SHOWN} of {ROWS_SHOWN + 5} rows" in page
    assert "rows; by_zone.csv" not in page_of(result(ROWS_SHOWN))


def test_what_stands_on_the_face_comes_before_the_findings() -> None:
    page = page_of(result())
    assert page.index("A proxy") < page.index("In short") < page.index("Assumptions")


def test_equal_results_give_equal_files() -> None:
    first = list(result_files(result()))
    assert first == list(result_files(result()))
    assert [name for name, _ in first][-1] == "report.html"
