"""The commands `tandem store|audit|report ...`; their work is in `api/commands`."""

from pathlib import Path
from typing import Annotated

import typer

from api.commands.console import run
from api.commands.options import StorePlace, examples

store_app = typer.Typer(
    no_args_is_help=True, help="Upgrade, back up, restore and prune the durable store."
)
report_app = typer.Typer(no_args_is_help=True, help="What the programme measures of itself.")
audit_app = typer.Typer(no_args_is_help=True, help="Check and export the log of what happened.")


@store_app.command("upgrade", epilog=examples("tandem store upgrade --store tandem.db"))
def store_upgrade(store: StorePlace = None) -> None:
    """Bring the tables to the revision of this version, whole or not at all. Back it up first."""
    from api.commands.store import run_upgrade

    run(lambda: run_upgrade(store))


@store_app.command(
    "downgrade", epilog=examples("tandem store downgrade base --yes --store tandem.db")
)
def store_downgrade(
    revision: Annotated[str, typer.Argument(help="An older revision; base takes all tables away.")],
    yes: Annotated[bool, typer.Option("--yes", help="What gets no place is lost; do it.")] = False,
    store: StorePlace = None,
) -> None:
    """Take the tables back to an older revision, for an older version of the software."""
    from api.commands.store import run_downgrade

    run(lambda: run_downgrade(store, revision, yes=yes))


@store_app.command("info", epilog=examples("tandem store info --json"))
def store_info(
    store: StorePlace = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what a store holds: its engine, revision, size, rows and chains."""
    from api.commands.store import run_info

    run(lambda: run_info(store, as_json=as_json))


@store_app.command(
    "backup",
    epilog=examples(
        "tandem store backup tandem-2026-07-21.db",
        "tandem store backup tandem.dump --store postgresql://tandem@db/tandem",
    ),
)
def store_backup(
    file: Annotated[Path, typer.Argument(help="File to write; it must not be there yet.")],
    store: StorePlace = None,
) -> None:
    """Copy a store, also while the service writes; the copy is checked before it has its name."""
    from api.commands.store import run_backup

    run(lambda: run_backup(store, file))


@store_app.command(
    "restore", epilog=examples("tandem store restore tandem-2026-07-21.db --store tandem.db")
)
def store_restore(
    file: Annotated[Path, typer.Argument(help="File that `tandem store backup` has written.")],
    force: Annotated[
        bool, typer.Option("--force", help="A store is there: keep it beside, under another name.")
    ] = False,
    store: StorePlace = None,
) -> None:
    """Put a backup in the place of a store that nobody has open."""
    from api.commands.store import run_restore

    run(lambda: run_restore(store, file, force=force))


@store_app.command("prune", epilog=examples("tandem store prune --dry-run", "tandem store prune"))
def store_prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is old.")] = False,
    store: StorePlace = None,
) -> None:
    """Forget what is older than the TANDEM_KEEP_..._DAYS of its kind, in small steps."""
    from api.commands.store import run_prune

    run(lambda: run_prune(store, dry_run=dry_run))


@audit_app.command(
    "verify",
    epilog=examples(
        "tandem audit verify",
        "tandem audit verify --against /media/elsewhere/head.json",
        "tandem audit verify --export july.jsonl",
    ),
)
def audit_verify(
    against: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Heads that `tandem audit head` printed.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Check an exported file, not a store.")
    ] = None,
    store: StorePlace = None,
) -> None:
    """Check every record of every chain and name the first bad one; exit code 1 if there is one."""
    from api.commands.audit import run_check_export, run_verify

    run(lambda: run_verify(store, against) if export is None else run_check_export(export))


@audit_app.command("head", epilog=examples("tandem audit head > /media/elsewhere/head.json"))
def audit_head(store: StorePlace = None) -> None:
    """Print number and hash of the last record of each chain, to be kept where no one rewrites."""
    from api.commands.audit import run_head

    run(lambda: run_head(store))


@audit_app.command(
    "export", epilog=examples("tandem audit export july.jsonl --from 2026-07-01 --until 2026-08-01")
)
def audit_export(
    file: Annotated[Path, typer.Argument(help="File to write; it must not be there yet.")],
    since: Annotated[str, typer.Option("--from", help="Begin; UTC without an offset.")],
    until: Annotated[str, typer.Option("--until", help="End, not included.")],
    store: StorePlace = None,
) -> None:
    """Write the records of a period as JSON lines that prove themselves, or no file at all."""
    from api.commands.audit import run_export

    run(lambda: run_export(store, file, since, until))


@report_app.command(
    "daily", epilog=examples("tandem report daily", "tandem report daily --date 2026-07-21 --json")
)
def report_daily(
    day: Annotated[
        str | None, typer.Option("--date", metavar="DAY", help="Local day; else yesterday.")
    ] = None,
    zone: Annotated[str, typer.Option(help="Time zone of the day.")] = "America/Los_Angeles",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    store: StorePlace = None,
) -> None:
    """Print officer handover and time saved, calls by CARE, response, pair gap and overrides."""
    from api.commands.report import run_daily

    run(lambda: run_daily(store, day, zone, as_json=as_json))
