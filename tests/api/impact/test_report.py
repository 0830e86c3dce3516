"""The report as JSON and as one page, and the command that writes both."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.commands.impact import _write
from api.errors import StartError
from api.impact.as_object import as_object
from api.impact.judging import tell_nobody
from api.impact.measure import Bundle, Impact, Question, measure
from api.impact.page import page_of
from api.impact.pictures import Pictures, draw
from api.impact.posts import posts_of
from api.impact.words import DEFINITIONS
from geodata.call_history import CallHistory
from geodata.zones import ZoneMap
from tests.api.builtin_view import builtin_view
from tests.api.impact.drafts import history, release_of, write_release
from tests.api.impact.test_impact import BOTH_HALVES, NOON, WEST_HALF, random_calls
from tests.api.test_cli import tandem

HOSTILE = '<script>alert("1")</script>'
VOID = {"meta", "img", "br"}


def impact_of(folder: Path, calls: CallHistory) -> Impact:
    live = release_of(folder, "live", [("CORE", WEST_HALF, 0)])
    draft = release_of(folder, "draft", [("CORE", BOTH_HALVES, 0)])
    question = Question(
        at=builtin_view().at,
        live=Bundle(release=live, key="live@1"),
        draft=Bundle(release=draft, key="draft@2"),
        history=calls,
        posts=posts_of(None, None),
        care_units=3,
    )
    return measure(question, tell_nobody)


@pytest.fixture(scope="module")
def impact(tmp_path_factory: pytest.TempPathFactory) -> Impact:
    return impact_of(tmp_path_factory.mktemp("releases"), random_calls(7, 300))


@pytest.fixture(scope="module")
def pictures(impact: Impact) -> Pictures:
    return draw(impact)


@pytest.fixture(scope="module")
def page(impact: Impact, pictures: Pictures) -> str:
    return page_of(impact, pictures)


class _Tags(HTMLParser):
    """Follows open tags, and notes what does not match and what is loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.loaded: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.loaded += [str(v)[:40] for k, v in attrs if k in ("src", "href", "data", "srcset")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def read(page: str) -> _Tags:
    tags = _Tags()
    tags.feed(page)
    return tags


def test_the_page_is_whole_and_loads_nothing_from_elsewhere(page: str) -> None:
    tags = read(page)
    assert (tags.open, tags.wrong) == ([], [])
    assert len(tags.loaded) == 3
    assert all(source.startswith("data:image/png;base64,") for source in tags.loaded)
    assert "script" not in tags.seen
    assert not re.search(r"url\(|@import|https?://", page)


def test_a_page_that_loads_something_is_found(page: str) -> None:
    bad = page.replace("<h2>Calls</h2>", '<h2>Calls</h3><script src="a.js"></script>')
    tags = read(bad)
    assert tags.wrong
    assert "a.js" in tags.loaded


def test_the_page_says_on_its_face_that_its_calls_are_a_proxy(
    page: str, impact: Impact, pictures: Pictures
) -> None:
    assert page.index("A proxy:") < page.index("<h2>In short</h2>")
    record = replace(impact.question.history.columns, is_record=True)
    honest = replace(impact.question, history=replace(impact.question.history, columns=record))
    assert "A proxy:" not in page_of(replace(impact, question=honest), pictures)


def test_names_from_files_are_text_and_never_markup(tmp_path: Path, pictures: Pictures) -> None:
    made = impact_of(tmp_path, history((-122.33, 47.605, NOON, HOSTILE)))
    text = page_of(made, pictures)
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text


def test_a_zone_named_as_a_formula_is_drawn_as_it_is_written(tmp_path: Path) -> None:
    live = release_of(tmp_path, "live", [("CORE", WEST_HALF, 0)])
    zone = replace(live.zones.zones[0], zone_id="$\\frac$")
    draft = replace(live, zones=ZoneMap([zone]))
    question = Question(
        at=builtin_view().at,
        live=Bundle(release=live, key="a"),
        draft=Bundle(release=draft, key="b"),
        history=history((-122.33, 47.605, NOON, "THEFT")),
        posts=posts_of(None, None),
        care_units=1,
        decides_again=False,
    )
    assert draw(measure(question, tell_nobody)).change.startswith(b"\x89PNG")


def test_every_definition_and_the_manifest_are_in_both(page: str, impact: Impact) -> None:
    found = as_object(impact)
    for term, meaning in DEFINITIONS:
        assert found["definitions"][term] == meaning
        assert f"<dt>{term}</dt>" in page
    for key in ("live@1", "draft@2"):
        assert key in page
        assert key in (found["manifest"]["live"], found["manifest"]["draft"])


def test_equal_impacts_are_told_by_equal_bytes(page: str, impact: Impact, tmp_path: Path) -> None:
    again = impact_of(tmp_path, random_calls(7, 300))
    assert page_of(again, draw(again)) == page
    assert json.dumps(as_object(again)) == json.dumps(as_object(impact))


def test_a_week_is_the_count_by_the_weeks_of_the_period(impact: Impact) -> None:
    calls = as_object(impact)["calls"]
    in_area = calls["total"]["in_area"]
    assert in_area["gained"] > 0
    assert in_area["per_week"]["gained"] == round(in_area["gained"] / calls["weeks"], 3)


# -- the command ----------------------------------------------------------------------------------


def inputs(folder: Path) -> tuple[str, ...]:
    draft = write_release(folder / "draft", "draft", [("CORE", BOTH_HALVES, 0)])
    live = write_release(folder / "live", "live", [("CORE", WEST_HALF, 0)])
    calls = folder / "calls.csv"
    rows = ["lon,lat,at,call_type", "-122.33,47.605,2026-07-21T12:00:00,PERSON DOWN", "0,0,,"]
    calls.write_text("\n".join(rows) + "\n")
    return ("release", "impact", "--draft", str(draft), "--live", str(live), "--calls", str(calls))


def test_the_command_writes_page_and_figures_and_prints_the_sum(tmp_path: Path) -> None:
    page, figures = tmp_path / "impact.html", tmp_path / "impact.json"
    done = tandem(*inputs(tmp_path), "--html", str(page), "--json", str(figures))
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    assert found["calls"]["total"]["eligible"]["gained"] == 1
    assert found["manifest"]["calls"]["left_out"] == {"ZERO_PLACE": 1}
    assert found["manifest"]["live"].startswith("live@")
    assert found["what_if"]["changed"] == {"NOT_ELIGIBLE to DISPATCH": 1}
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert "NOT_ELIGIBLE to DISPATCH" in done.stdout
    assert "A proxy" in done.stderr


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"--calls": "nowhere.csv"}, ("nowhere.csv", "CSV file of past calls")),
        ({"--draft": "nowhere.toml"}, ("nowhere.toml",)),
        ({"--mapping": "nowhere.toml"}, ("nowhere.toml", "docs/impact.md")),
        ({"--json": "no/folder/impact.json"}, ("is no folder",)),
        ({"--first-day": "2027-01-01"}, ("No day is left",)),
    ],
)
def test_a_command_that_cannot_be_done_says_why_and_writes_nothing(
    tmp_path: Path, changed: dict[str, str], words: tuple[str, ...]
) -> None:
    page = tmp_path / "impact.html"
    options = [part for pair in changed.items() for part in pair]
    done = CliRunner().invoke(app, [*inputs(tmp_path), "--html", str(page), *options])
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr.replace("\n", " ") for word in words)
    assert not page.exists()


def test_an_interrupted_command_leaves_no_file(tmp_path: Path) -> None:
    """The calls come from a pipe, so that the command is in the middle of its work for sure."""
    arguments = list(inputs(tmp_path))
    pipe, out = tmp_path / "calls.pipe", tmp_path / "out"
    os.mkfifo(pipe)
    out.mkdir()
    arguments[-1] = str(pipe)
    # A shell that runs the tests in the background has them, and what they start, ignore Ctrl-C.
    heeds = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    started = [sys.executable, "-c", f"{heeds}; from api.cli import main; main()"]
    command = [*started, *arguments, "--html", str(out / "impact.html")]
    # The pipe opens once the command reads from it.
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process, pipe.open("wb") as calls:
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=120)
        finally:
            process.kill()
            calls.close()
    assert process.returncode == 130
    assert b"Stopped" in said
    assert list(out.iterdir()) == []


def test_what_cannot_be_written_leaves_nothing_half_written(tmp_path: Path) -> None:
    target = tmp_path / "impact.html"
    target.mkdir()  # a folder stands where the file would
    with pytest.raises(StartError):
        _write(target, "whole")
    assert [file.name for file in tmp_path.iterdir()] == ["impact.html"]
