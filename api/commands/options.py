"""Options that several commands take, and how a help text ends."""

from typing import Annotated

import typer

StorePlace = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="PLACE", help="File or postgresql:// address; else TANDEM_STORE."
    ),
]


def examples(*lines: str) -> str:
    """Return the end of a help text: one example on each line."""
    return "\n\n".join(["[bold]Examples[/bold]", *(f"[cyan]{line}[/cyan]" for line in lines)])
