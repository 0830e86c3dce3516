"""What all commands share: two consoles, and one clear message instead of a traceback."""

from collections.abc import Callable
from typing import Final

import typer
from rich.console import Console

from api.errors import TandemError

EXIT_ERROR: Final = 2
EXIT_INTERRUPTED: Final = 130

out = Console(highlight=False)
notes = Console(stderr=True, highlight=False)
"""Progress and remarks, so that standard output holds the result alone."""


def run(command: Callable[[], None]) -> None:
    """Run a command; an error that the project raises on purpose becomes one message and exit 2."""
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


def fail(message: str) -> None:
    """Print one message on standard error and leave with exit code 2."""
    notes.print(f"[bold red]Error:[/bold red] {_plain(message)}", soft_wrap=True)
    raise typer.Exit(EXIT_ERROR) from None


def _is_ours(error: Exception) -> bool:
    """Whether an error belongs to the tree of `geodata`, whose message says the remedy."""
    from geodata.errors import GeodataError

    return isinstance(error, GeodataError)


def _plain(message: str) -> str:
    from rich.markup import escape

    return escape(message)
