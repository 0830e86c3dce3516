"""`tandem replay`: recorded recommendations decided again, and what differs."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.commands.console import notes, out
from api.errors import StartError
from api.replay.differences import Difference, Why
from api.replay.errors import ReplayError
from api.replay.keeping import SqlShelf, Stretch, read_record
from api.replay.library import Library, Streets
from api.replay.reproduce import Replayed, reproduce
from api.settings import read_settings
from api.store.database import Database
from api.store.schema import require_schema

EXIT_DIFFERENT: Final = 1
NAMED_MAX: Final = 20
"""Recommendations of a stretch whose differences are shown in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which recommendations, and where they and their streets are."""

    store: str | None
    network: Path | None
    recommendation_id: str | None = None
    everything: bool = False
    since: datetime | None = None
    until: datetime | None = None


def run_replay(asked: Asked) -> None:
    """Replay one recommendation or a stretch of them; exit code 1 where any differs."""
    one = asked.recommendation_id
    if (one is None) != asked.everything:
        raise StartError("Name one recommendation, or ask for --all.", remedy="See --help.")
    with _opened(asked.store) as database:
        library = Library(SqlShelf(database), _streets(asked.network))
        if one is not None:
            with database.reading() as connection:
                record = read_record(connection, one)
            replayed = reproduce(record, library)
            _tell(replayed)
            is_same = replayed.identical
        else:
            is_same = _all(database, library, Stretch(asked.since, asked.until))
    if not is_same:
        raise typer.Exit(EXIT_DIFFERENT)


def run_show(store: str | None, recommendation_id: str) -> None:
    """Print the recorded answer."""
    with _opened(store) as database, database.reading() as connection:
        record = read_record(connection, recommendation_id)
    out.print_json(json.dumps(json.loads(record.answer)))


@contextmanager
def _opened(store: str | None) -> Iterator[Database]:
    location = store or getattr(read_settings(), "store", None)
    if not location:
        raise StartError(
            "No store is named.",
            remedy="Give --store FILE or --store postgresql://user@host/name, or set TANDEM_STORE.",
        )
    if "://" not in location and not Path(location).expanduser().is_file():
        raise StartError(f"{location}: no such file.", remedy="Name the store of the service.")
    database = Database(location)
    try:
        require_schema(database)
        yield database
    finally:
        database.close()


def _streets(network: Path | None) -> Streets:
    with notes.status("Preparing streets and drive times"):
        return Streets.loaded(network or read_settings().network)


# -- what is told ---------------------------------------------------------------------------------


def _tell(replayed: Replayed) -> None:
    for remark in replayed.remarks:
        out.print(f"remark: {remark}", markup=False)
    if replayed.verified:
        size = f"{replayed.answer_bytes:,} bytes"
        out.print(f"identical: {size}; the search was cut short: its choice is verified")
    elif replayed.identical:
        out.print(f"identical: {replayed.answer_bytes:,} bytes")
    for one in replayed.differences:
        out.print(_line(one), soft_wrap=True)


def _line(one: Difference) -> str:
    if one.why is Why.ANSWER:
        values = f"recorded {escape(one.recorded)}, replayed {escape(one.replayed)}"
        return f"[bold]different[/bold] {escape(one.path or '/')}: {values}"
    return f"[bold]{one.why}[/bold] {escape(one.said)}"


def _all(database: Database, library: Library, stretch: Stretch) -> bool:
    """Replay a stretch, tell what differs, and return whether nothing does."""
    with database.reading() as connection:
        count = stretch.count(connection)
    tally: Counter[str] = Counter()
    with _bar(count) as progress:
        task = progress.add_task("Replaying", total=count)
        for name in stretch.ids(database):
            replayed = _replayed(database, library, name)
            tally["verified" if replayed.verified else "identical"] += replayed.identical
            if not replayed.identical:
                tally["different"] += 1
                if tally["different"] <= NAMED_MAX:
                    out.print(f"{name}:", markup=False)
                    _tell(replayed)
            progress.advance(task)
    said = ", ".join(f"{tally[word]:,} {word}" for word in ("identical", "verified", "different"))
    out.print(f"{tally.total():,} replayed: {said}")
    return tally["different"] == 0


def _replayed(database: Database, library: Library, name: str) -> Replayed:
    """Return what became of one of many; what cannot be read is a difference like another."""
    try:
        with database.reading() as connection:
            record = read_record(connection, name)
    except ReplayError as error:
        damaged = Difference(why=Why.DAMAGED, said=error.detail)
        return Replayed(
            recommendation_id=name,
            identical=False,
            verified=False,
            differences=(damaged,),
            answer_bytes=0,
        )
    return reproduce(record, library)


def _bar(count: int) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=notes,
        transient=True,
        disable=count < 2 or not notes.is_terminal,
    )
