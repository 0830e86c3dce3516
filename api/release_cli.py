"""The commands `tandem release ...`; their work is in `api/commands`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.commands.console import run
from api.commands.options import examples

release_app = typer.Typer(
    no_args_is_help=True,
    help="Check what the city decides; draft, approve, publish and roll back releases.",
)

Url = Annotated[
    str | None,
    typer.Option(
        "--url", metavar="URL", help="Address of the service; else TANDEM_URL. Key: TANDEM_KEY."
    ),
]
DraftName = Annotated[str, typer.Argument(help="Name of the draft.")]
Version = Annotated[
    int | None, typer.Option("--version", metavar="N", help="The version that you have looked at.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Kept with it.")]
At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="INSTANT", help="With its offset: 2026-11-01T00:00:00-07:00; else at once."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@release_app.command("check", epilog=examples("tandem release check my-release.toml"))
def release_check(
    file: Annotated[Path, typer.Argument(help="Release file (TOML); docs/release.md.")],
) -> None:
    """Read a release as a whole: say OK and what it decides, or every problem with its line."""
    from api.commands.release import run_check

    run(lambda: run_check(file))


@release_app.command(
    "show",
    epilog=examples(
        "tandem release show",
        "tandem release show my-release.toml",
        "tandem release show --text > my-release.toml",
    ),
)
def release_show(
    file: Annotated[Path | None, typer.Argument(help="Release file; else the pilot's.")] = None,
    as_text: Annotated[
        bool, typer.Option("--text", help="Print the file as it is, to start one of your own.")
    ] = False,
) -> None:
    """Show what a release decides, with every parameter of every policy."""
    from api.commands.release import run_show

    run(lambda: run_show(file, as_text=as_text))


@release_app.command(
    "draft",
    epilog=examples(
        "tandem release draft",
        "tandem release draft night --note 'open until 1'",
        "tandem release draft night --policy night.toml --import zones.gpkg",
        "tandem release draft night --show > night.toml",
        "tandem release draft night --delete",
    ),
)
def release_draft(  # noqa: PLR0913, PLR0917  each is an option of the command
    name: Annotated[str | None, typer.Argument(help="Name of the draft; none lists all.")] = None,
    url: Url = None,
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="KEY", help="Release to begin from; else that in force."),
    ] = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What it is for.")] = "",
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="Release file without zones.")
    ] = None,
    zones: Annotated[
        Path | None, typer.Option("--zones", metavar="FILE", help="GeoJSON of all its zones.")
    ] = None,
    gis_file: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="GIS file; docs/zones.md.")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Import outlines that had to be mended.")
    ] = False,
    assume_crs: Annotated[
        str | None,
        typer.Option("--assume-crs", metavar="CODE", help="System of a file that names none."),
    ] = None,
    id_field: Annotated[
        str, typer.Option("--id-field", metavar="COLUMN", help="Column that names the zones.")
    ] = "zone_id",
    show: Annotated[bool, typer.Option("--show", help="Print its release file.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Forget it.")] = False,
) -> None:
    """Begin a draft of a release or change it, and check it as a whole.

    The exit code is 0 when it may be published, 1 when something is to be mended.
    """
    from api.commands import release_work

    if name is None:
        run(lambda: release_work.run_list(url))
    elif show:
        run(lambda: release_work.run_show(url, name))
    elif delete:
        run(lambda: release_work.run_delete(url, name))
    else:
        query = {"repair": str(repair).lower(), "id_field": id_field}
        query |= {} if assume_crs is None else {"assume_crs": assume_crs}
        asked = release_work.DraftAsked(
            name=name, base=base, note=note, policy=policy, zones=zones, gis_file=gis_file,
            query=query,
        )  # fmt: skip
        run(lambda: release_work.run_draft(url, asked))


@release_app.command(
    "diff",
    epilog=examples(
        "tandem release diff night",
        "tandem release diff night --calls calls.csv.gz --network seattle/",
    ),
)
def release_diff(
    name: DraftName,
    url: Url = None,
    as_json: AsJson = False,
    calls: Annotated[
        Path | None,
        typer.Option("--calls", metavar="FILE", help="CSV of past calls: which change hands."),
    ] = None,
    network: Annotated[
        Path | None,
        typer.Option("--network", metavar="FOLDER", help="Streets for --calls; else schematic."),
    ] = None,
) -> None:
    """Show what a draft would change: zones, streets and calls that change hands, policies."""
    from api.commands.impact import run_calls
    from api.commands.release_work import run_diff

    def show() -> None:
        run_diff(url, name, as_json=as_json)
        if calls is not None and not as_json:
            run_calls(name, url, calls, network)

    run(show)


@release_app.command(
    "approve",
    epilog=examples(
        "tandem release approve night --version 3",
        "tandem release approve night --operator V12 SUPERVISOR",
    ),
)
def release_approve(
    name: DraftName,
    url: Url = None,
    version: Version = None,
    operator: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--operator", metavar="ID ROLE", help="Who approves, where the key may assert it."
        ),
    ] = None,
) -> None:
    """Approve a draft that somebody else has made."""
    from api.commands.release_work import run_approve

    run(lambda: run_approve(url, name, version, operator))


@release_app.command(
    "publish",
    epilog=examples(
        "tandem release publish night --version 3 --reason 'council bill'",
        "tandem release publish night --at 2026-11-01T00:00:00-07:00",
    ),
)
def release_publish(
    name: DraftName,
    url: Url = None,
    version: Version = None,
    at: At = None,
    reason: Reason = "",
    replaces: Annotated[
        str | None,
        typer.Option("--replaces", metavar="KEY", help="The release in force, if begun before it."),
    ] = None,
) -> None:
    """Publish an approved draft on all instances, at once or at an instant."""
    from api.commands.release_work import run_publish

    said = {"effective_at": at, "reason": reason, "replaces": replaces}
    run(lambda: run_publish(url, name, version, said))


@release_app.command(
    "rollback",
    epilog=examples("tandem release rollback", "tandem release rollback rel-2026-07-21-2@0a1b"),
)
def release_rollback(
    release_key: Annotated[
        str | None, typer.Argument(help="Key of an earlier release; none is the one before.")
    ] = None,
    url: Url = None,
    at: At = None,
    reason: Reason = "",
) -> None:
    """Put an earlier release in force again, at once or at an instant."""
    from api.commands.release_work import run_rollback

    said: dict[str, Any] = {"release_key": release_key, "effective_at": at, "reason": reason}
    run(lambda: run_rollback(url, said))


@release_app.command("withdraw", epilog=examples("tandem release withdraw 7"))
def release_withdraw(
    number: Annotated[int, typer.Argument(help="Number of a scheduled publication.", min=1)],
    url: Url = None,
    reason: Reason = "",
) -> None:
    """Take a publication back whose instant has not come."""
    from api.commands.release_work import run_withdraw

    run(lambda: run_withdraw(url, number, reason))


@release_app.command("history", epilog=examples("tandem release history"))
def release_history(url: Url = None, as_json: AsJson = False) -> None:
    """List all publications, and what is decided by now."""
    from api.commands.release_work import run_history

    run(lambda: run_history(url, as_json=as_json))
