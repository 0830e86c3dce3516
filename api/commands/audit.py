"""`tandem audit`: check the log of what happened, keep its heads elsewhere, take a period out."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from api.commands.console import notes, out
from api.commands.opened import opened, progress_bar
from api.errors import StartError

if TYPE_CHECKING:
    from api.audit.pages import Pages
    from api.audit.verify import Verdict

EXIT_BAD: Final = 1


def run_verify(store: str | None, against: Path | None) -> None:
    """Check all chains; leave with 1 when a record is bad."""
    from api.audit.heads import read_kept
    from api.audit.pages import Pages
    from api.audit.verify import verify

    kept = [] if against is None else read_kept(against)
    with opened(store) as database, progress_bar() as bar:
        pages = Pages(database.reading)
        task = bar.add_task("checking", total=_count(pages))
        verdict = verify(pages, kept, lambda count: bar.advance(task, count))
    _show(verdict)
    if verdict.faults:
        raise typer.Exit(EXIT_BAD)


def run_check_export(file: Path) -> None:
    """Check an exported file by itself."""
    from api.audit.export import check_export

    out.print(f"OK: {check_export(file):,} records follow each other.", markup=False)


def _count(pages: "Pages") -> int:
    ends = (pages.ends(instance) for instance in pages.instances())
    return sum(0 if head is None else head.number - start.number for start, head in ends)


def _show(verdict: "Verdict") -> None:
    for chain in verdict.chains:
        begin = f" from {chain.start + 1} on" if chain.start else ""
        said = f"{chain.instance}: {chain.end - chain.start:,} records{begin} are good"
        out.print(f"{said}; number {chain.end}, {chain.head.hex()}", markup=False)
    for head in verdict.not_comparable:
        out.print(f"{head.instance}: number {head.number} was pruned, not compared", markup=False)
    for fault in verdict.faults:
        out.print(f"BAD {fault}", markup=False)
    if not verdict.faults:
        out.print(f"OK: {verdict.records:,} records in {len(verdict.chains)} chains.", markup=False)


def run_head(store: str | None) -> None:
    """Print the heads of all chains, to be kept elsewhere."""
    from api.audit.heads import heads_text
    from api.store.sql_heads import read_heads

    with opened(store) as database, database.reading() as connection:
        heads = read_heads(connection)
    sys.stdout.write(heads_text(heads, datetime.now(UTC)))


def run_export(store: str | None, file: Path, since: str, until: str) -> None:
    """Write the records of a period to a file."""
    from api.audit.export import export
    from api.audit.pages import Pages

    period = _instant(since, "--from"), _instant(until, "--until")
    with opened(store) as database, progress_bar() as bar:
        task = bar.add_task("exporting", total=None)
        pages = Pages(database.reading)
        done = export(pages, file, *period, lambda count: bar.advance(task, count))
    notes.print(f"{file}: {done.records:,} records of {done.chains} chains.", markup=False)


def _instant(said: str, option: str) -> datetime:
    try:
        told = datetime.fromisoformat(said)
    except ValueError:
        raise StartError(
            f"{option} is no instant.", remedy="Give 2026-07-21 or 2026-07-21T18:00:00-07:00."
        ) from None
    return told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)
