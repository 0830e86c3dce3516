"""The commands `tandem closures ...`; their work is in `api/commands/closures.py`."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.commands.console import run
from api.commands.options import examples

closures_app = typer.Typer(
    no_args_is_help=True,
    help="Close streets and open them again, in a running service. The key comes from TANDEM_KEY.",
)

ServiceUrl = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="Address of the service; else TANDEM_URL."),
]
ClosureId = Annotated[str, typer.Argument(help="The id that `tandem closures list` shows.")]
CutOff = Annotated[
    bool,
    typer.Option("--accept-cut-off", help="Streets or posts that are cut off are meant to be."),
]
_INSTANTS = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]


class Traffic(StrEnum):
    """Whom a closure keeps out."""

    ALL = "all"
    ALL_BUT_EMERGENCY = "all-but-emergency"


class Direction(StrEnum):
    """Which way is closed."""

    BOTH = "both"
    ALONG = "along"
    AGAINST = "against"


@closures_app.command(
    "add",
    epilog=examples(
        "tandem closures add 'Water main' --street 'Pine Street' '4th Avenue' '6th Avenue'"
        " --activate",
        "tandem closures add Stadium --geometry ring.geojson --windows 'sat,sun 16:00-23:30'",
        "tandem closures add 'Fallen tree' --at -122.3372 47.6104 --until 2026-07-22T06:00-07:00",
    ),
)
def closures_add(
    name: Annotated[str, typer.Argument(help="In words that a dispatcher understands.")],
    street: Annotated[
        tuple[str, str, str] | None,
        typer.Option(metavar="NAME FROM TO", help="A street between two others."),
    ] = None,
    at: Annotated[
        tuple[float, float] | None, typer.Option(metavar="LON LAT", help="The street beside it.")
    ] = None,
    geometry: Annotated[
        Path | None, typer.Option(metavar="FILE", help="GeoJSON point, line or polygon.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=_INSTANTS, help="Begins then; else when activated."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=_INSTANTS, help="Over then; else when ended."),
    ] = None,
    windows: Annotated[
        str | None, typer.Option(help="Only then, such as 'mon,tue 17:30-23:00; sat 10:00-02:00'.")
    ] = None,
    traffic: Annotated[Traffic, typer.Option(help="Whom it keeps out.")] = Traffic.ALL,
    direction: Annotated[Direction, typer.Option(help="Of the line or street.")] = Direction.BOTH,
    note: Annotated[str, typer.Option(help="A remark.")] = "",
    activate: Annotated[bool, typer.Option("--activate", help="Close at once.")] = False,
    accept_cut_off: CutOff = False,
    url: ServiceUrl = None,
) -> None:
    """Propose a closure, show what it would do, and print its id."""
    from api.commands.closures import instant_text, run_add

    fields = {
        "name": name,
        "note": note,
        "traffic": traffic.value.upper().replace("-", "_"),
        "direction": direction.value.upper(),
        "starts_at": None if since is None else instant_text(since),
        "ends_at": None if until is None else instant_text(until),
        "windows": windows,
    }
    run(
        lambda: run_add(
            fields,
            place=(geometry, at, street),
            url=url,
            accept_cut_off=accept_cut_off,
            activate=activate,
        )
    )


@closures_app.command("activate", epilog=examples("tandem closures activate clo_01K0P2..."))
def closures_activate(
    closure_id: ClosureId, accept_cut_off: CutOff = False, url: ServiceUrl = None
) -> None:
    """Close the streets of a proposed closure within its times, as it was shown."""
    from api.commands.closures import run_activate

    run(lambda: run_activate(closure_id, url=url, accept_cut_off=accept_cut_off))


@closures_app.command(
    "end",
    epilog=examples(
        "tandem closures end clo_01K0P2... --reason repaired",
        "tandem closures end clo_01K0P2... --at 2026-07-22T06:00-07:00",
    ),
)
def closures_end(
    closure_id: ClosureId,
    reason: Annotated[str, typer.Option(help="Why, for the audit.")] = "",
    at: Annotated[
        datetime | None, typer.Option(formats=_INSTANTS, help="End then instead of now.")
    ] = None,
    url: ServiceUrl = None,
) -> None:
    """Open the streets of a closure; other closures of the same streets go on."""
    from api.commands.closures import run_end

    run(lambda: run_end(closure_id, url=url, reason=reason, at=at))


@closures_app.command(
    "list", epilog=examples("tandem closures list", "tandem closures list --json")
)
def closures_list(
    state: Annotated[
        str | None, typer.Option(help="proposed, active, expired or ended; else the first two.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
    url: ServiceUrl = None,
) -> None:
    """Show closures, and which of them close their streets now."""
    from api.commands.closures import run_list

    run(lambda: run_list(url=url, state=state, as_json=as_json))
