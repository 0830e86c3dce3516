"""What all commands share: consoles, bars of progress, one clear message for a traceback."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console

from api.errors import TandemError

if TYPE_CHECKING:
    from rich.progress import TaskID

EXIT_ERROR: Final = 2
EXIT_INTERRUPTED: Final = 130
WIDTH_COLUMNS: Final = 80
"""Of what is printed into a file or a pipe, where COLUMNS does not tell another width."""

out = Console(highlight=False)
notes = Console(stderr=True, highlight=False)
"""Progress and remarks, so that standard output holds the result alone."""


def run(command: Callable[[], None]) -> None:
    """Run a command; an error that the project raises on purpose becomes one message and exit 2."""
    _set_widths()
    try:
        command()
    except KeyboardInterrupt:
        notes.print("Stopped.")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except TandemError as error:
        fail(str(error))
    except Exception as error:
        if not _is_ours(error):
            raise
        fail(str(error))


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each stage, on standard error.

    Yields what is told a stage, how much of it is done, and how much there is (0: nobody knows).
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeElapsedColumn(), console=notes, transient=True) as progress:
        bars: dict[str, TaskID] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in bars:
                bars[stage] = progress.add_task(stage, total=total or None)
            progress.update(bars[stage], completed=done, total=total or None)

        yield tell


def fail(message: str) -> None:
    """Print one message on standard error and leave with exit code 2."""
    notes.print(f"[bold red]Error:[/bold red] {_plain(message)}", soft_wrap=True)
    raise typer.Exit(EXIT_ERROR) from None


def _set_widths() -> None:
    """Make what goes to no terminal as wide as COLUMNS says now, not when the consoles were made.

    Otherwise rich keeps the COLUMNS of its first import (which readline sets too), or takes the
    width of whatever terminal standard input happens to be.
    """
    told = os.environ.get("COLUMNS", "")
    for console in (out, notes):
        if not console.is_terminal:
            console.width = (int(told) if told.isdecimal() else 0) or WIDTH_COLUMNS


def _is_ours(error: Exception) -> bool:
    """Whether an error belongs to the tree of `geodata`, whose message says the remedy."""
    from geodata.errors import GeodataError

    return isinstance(error, GeodataError)


def _plain(message: str) -> str:
    from rich.markup import escape

    return escape(message)
