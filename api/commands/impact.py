"""`tandem release impact`: two releases compared on past calls, in the command's own process."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.table import Table

from api.commands.console import notes, out, progress_bars
from api.commands.impact_bundles import Files, bundle, files_of
from api.errors import StartError
from api.whole_file import write_whole

if TYPE_CHECKING:
    from api.impact.counting import Counts
    from api.impact.judging import Tell
    from api.impact.measure import Impact, Question
    from geodata.call_history import CallHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What `impact` takes; see `api.impact_cli`."""

    name: str | None
    """Of a draft of a service."""
    url: str | None
    draft: Path | None
    live: Path | None
    calls: Path
    mapping: Path | None
    network: Path | None
    posts: Path | None
    beats: Path | None
    first_day: date | None
    last_day: date | None
    assume_type: str | None
    care_units: int
    decides_again: bool
    html: Path | None
    json: Path | None


def run_impact(asked: Asked) -> None:
    """Measure, write the files that were asked for, whole or not at all, and print the sum."""
    from api.impact.measure import measure

    for target in (asked.html, asked.json):
        if target is not None and not target.absolute().parent.is_dir():
            raise StartError(f"{target.parent} is no folder.", remedy="Make it, or name another.")
    with progress_bars() as tell:
        with TemporaryDirectory(prefix="tandem-impact-") as folder:
            files = files_of(asked.name, asked.url, asked.draft, asked.live, Path(folder))
            question = _question(asked, files, tell)
        impact = measure(question, tell)
        made = _written(impact, asked, tell)
        for target, content in made:
            _write(target, content)
    _print(impact)
    for target, _ in made:
        out.print(f"Written: {target}", markup=False, soft_wrap=True)


def run_calls(name: str, url: str | None, calls: Path, network: Path | None) -> None:
    """Print the past calls that change hands under a draft of a service."""
    from api.impact.counting import count
    from api.impact.measure import judged_by_both

    asked = Asked(
        name=name, url=url, draft=None, live=None, calls=calls, mapping=None, network=network,
        posts=None, beats=None, first_day=None, last_day=None, assume_type=None, care_units=1,
        decides_again=False, html=None, json=None,
    )  # fmt: skip
    with progress_bars() as tell, TemporaryDirectory(prefix="tandem-impact-") as folder:
        files = files_of(name, url, None, None, Path(folder))
        question = _question(asked, files, tell)
        counts = count(question.history, *judged_by_both(question, tell))
    _print_counts(question, counts)


def _question(asked: Asked, files: Files, tell: "Tell") -> "Question":
    """Read everything that is compared; what is cheap to refuse comes first."""
    from api.impact.measure import Question
    from api.impact.posts import posts_of
    from api.live_view import load_beats, load_view
    from api.settings import read_settings

    settings = read_settings(
        {
            "zones": None, "release": files.live, "beats": asked.beats,
            **({} if asked.network is None else {"network": asked.network}),
        }
    )  # fmt: skip
    draft = bundle(files.draft, files.draft_key)
    live = bundle(files.live, files.live_key)
    posts = posts_of(asked.posts, None if asked.beats is None else load_beats(asked.beats))
    history = _history(asked, tell)
    view = load_view(settings, lambda stage: tell(stage, 0, 0))
    return Question(
        at=view.at,
        live=live,
        draft=draft,
        history=history,
        posts=posts,
        care_units=asked.care_units,
        decides_again=asked.decides_again,
    )


def _history(asked: Asked, tell: "Tell") -> "CallHistory":
    from geodata.call_columns import read_columns
    from geodata.call_history import read_history

    columns = None if asked.mapping is None else read_columns(asked.mapping)
    history = read_history(
        asked.calls, columns, progress=lambda n_rows: tell("reading calls", n_rows, 0)
    )
    history = history.between(asked.first_day, asked.last_day)
    return history if asked.assume_type is None else history.assuming(asked.assume_type)


# -- files ----------------------------------------------------------------------------------------


def _written(impact: "Impact", asked: Asked, tell: "Tell") -> list[tuple[Path, str]]:
    """Return what is to be written, so that nothing is before all of it is there."""
    from api.impact.as_object import as_object

    files = []
    if asked.html is not None:
        from api.impact.page import page_of
        from api.impact.pictures import draw

        tell("drawing", 0, 0)
        files.append((asked.html, page_of(impact, draw(impact))))
    if asked.json is not None:
        files.append((asked.json, json.dumps(as_object(impact), indent=1) + "\n"))
    return files


def _write(target: Path, content: str) -> None:
    try:
        write_whole(target, content.encode())
    except OSError as problem:
        raise StartError(f"{target}: {problem.strerror}.", remedy="Name another.") from None


# -- what is printed ------------------------------------------------------------------------------


def _print(impact: "Impact") -> None:
    ground = impact.ground
    _print_counts(impact.question, impact.counts)
    out.print(
        f"{ground.live_km2:.2f} km2 become {ground.draft_km2:.2f}, "
        f"{ground.live_street_m / 1000:.1f} km of street {ground.draft_street_m / 1000:.1f}.",
        markup=False,
    )
    if impact.what_if is not None:
        for words, n in impact.what_if.changed:
            out.print(f"{n:,} answers: {words}", markup=False)


def _print_counts(question: "Question", counts: "Counts") -> None:
    from api.impact.counting import LEVELS
    from api.impact.measure import levels_of
    from api.impact.words import PROXY

    history = question.history
    if history.is_proxy:
        notes.print(PROXY, markup=False)
    if history.n_bad:
        notes.print(f"{history.n_bad:,} of {history.n_rows:,} rows left out.", markup=False)
    out.print(
        f"{question.live.key} to {question.draft.key}, calls of "
        f"{history.weeks:.4g} weeks:",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    table = Table()
    for name in ("", "live", "draft", "gained", "lost", "moved"):
        table.add_column(name, justify="right" if name else "left")
    for level, change in zip(LEVELS, counts.total.change, strict=True):
        if level in levels_of(history):
            counted = (change.live, change.draft, change.gained, change.lost, change.moved_in)
            table.add_row(level.name.lower(), *(f"{n:,}" for n in counted))
    out.print(table)
