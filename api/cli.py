"""The command `tandem`. Each command's work is in `api/commands`, imported when it is called."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.closures_cli import closures_app
from api.commands.console import run
from api.commands.options import StorePlace, examples
from api.impact_cli import add_impact
from api.release_cli import release_app
from api.store_cli import audit_app, report_app, store_app
from api.study_cli import study_app
from api.zones_cli import zones_app

app = typer.Typer(
    name="tandem",
    help="Finds the best pair of CARE and SPD units for a 911 call, by drive time on the streets.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
network_app = typer.Typer(no_args_is_help=True, help="Build and look at street networks.")
app.add_typer(network_app, name="network")
app.add_typer(release_app, name="release")
add_impact(release_app)
keys_app = typer.Typer(no_args_is_help=True, help="Make, show, revoke and replace API keys.")
app.add_typer(keys_app, name="keys")
app.add_typer(store_app, name="store")
app.add_typer(audit_app, name="audit")
app.add_typer(report_app, name="report")
app.add_typer(zones_app, name="zones")
app.add_typer(closures_app, name="closures")


def _study(asked: dict[str, Any]) -> None:
    from benchmarks.studies.commands import Asked, run_study

    run(lambda: run_study(Asked(**asked)))


def _check(scenario: Path, changes: Sequence[str]) -> None:
    from benchmarks.studies.commands import check_scenario

    run(lambda: check_scenario(scenario, changes))


app.add_typer(study_app(_study, _check), name="study")

NetworkFolder = Annotated[
    Path | None,
    typer.Option(
        "--network", metavar="FOLDER", help="Streets to use; else the built-in schematic."
    ),
]
ReleaseFile = Annotated[
    Path | None,
    typer.Option("--release", metavar="FILE", help="Release to decide by; else the pilot's."),
]
ZonesFile = Annotated[
    Path | None,
    typer.Option("--zones", metavar="FILE", help="GeoJSON of zones, to try in the release."),
]

KeyId = Annotated[str, typer.Argument(help="The id that `tandem keys list` shows; no secret.")]
ExpiresDays = Annotated[
    int, typer.Option("--expires-days", min=1, max=3_650, help="Days until it expires.")
]


@app.command(epilog=examples("tandem demo", "tandem demo --calls 1"))
def demo(
    calls: Annotated[int | None, typer.Option(min=1, help="Send only the first so many.")] = None,
) -> None:
    """Start the service on this machine, send it the demo calls, show what it answers, and stop."""
    from api.commands.demo import run_demo

    run(lambda: run_demo(calls))


@app.command(epilog=examples("tandem serve --dev", "tandem serve --port 9000 --network seattle/"))
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one.")] = None,
    network: NetworkFolder = None,
    release: ReleaseFile = None,
    zones: ZonesFile = None,
    store: StorePlace = None,
    instance: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name among those that share a store; else main."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes; only 1: run instances over PostgreSQL instead."),
    ] = None,
    dev: Annotated[
        bool | None,
        typer.Option("--dev", help="Ask nobody for credentials; on this machine alone."),
    ] = None,
    allow_remote: Annotated[
        bool,
        typer.Option(
            "--allow-remote",
            help="Listen beyond this machine in plain HTTP; rather put a TLS proxy before it.",
        ),
    ] = False,
) -> None:
    """Serve POST /v1/recommend-units until told to stop (Ctrl-C)."""
    from api.commands.serve import run_serve

    chosen = {
        "host": host, "port": port, "network": network, "release": release, "zones": zones,
        "store": store, "instance": instance, "dev": dev,
    }  # fmt: skip
    run(lambda: run_serve(chosen, workers=workers, allow_remote=allow_remote))


@app.command(
    epilog=examples(
        "tandem recommend call.json",
        "tandem recommend --json - < call.json",
        "tandem recommend call.json --map call.png",
    )
)
def recommend(
    file: Annotated[Path, typer.Argument(help="A request as JSON, '-' reads standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    network: NetworkFolder = None,
    release: ReleaseFile = None,
    zones: ZonesFile = None,
    map_file: Annotated[
        Path | None, typer.Option("--map", metavar="FILE.png", help="Draw call, units and routes.")
    ] = None,
) -> None:
    """Answer one request without a service."""
    from api.commands.recommend import run_recommend

    chosen = {"network": network, "release": release, "zones": zones}
    run(lambda: run_recommend(file, chosen, as_json=as_json, map_file=map_file))


@app.command(
    epilog=examples(
        "tandem scenarios",
        "tandem scenarios 11:04",
        "tandem scenarios one-way-street --request | tandem recommend -",
    )
)
def scenarios(
    name: Annotated[
        str | None, typer.Argument(help="Time or name of one call, to see it in full.")
    ] = None,
    as_request: Annotated[
        bool, typer.Option("--request", help="Print the request as a CAD sends it.")
    ] = False,
) -> None:
    """Answer the calls of a working day and compare each answer with what the rules demand.

    They are decided on the built-in schematic streets. The exit code is 1 when an answer differs.
    """
    from api.commands.scenarios import run_scenarios

    run(lambda: run_scenarios(name, as_request=as_request))


@app.command(
    epilog=examples(
        "tandem replay rec_01KY34G8H83QAM0EVR6YXAJ28V --store tandem.sqlite",
        "tandem replay rec_01KY34G8H83QAM0EVR6YXAJ28V --show",
        "tandem replay --all --since 2026-07-20 --until 2026-07-21 --network seattle/",
    )
)
def replay(
    recommendation_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="A recommendation_id of an answer.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(metavar="STORE", help="File or postgresql:// URL; else TANDEM_STORE."),
    ] = None,
    network: NetworkFolder = None,
    everything: Annotated[bool, typer.Option("--all", help="Replay all, or a stretch.")] = False,
    since: Annotated[datetime | None, typer.Option(help="First instant, UTC; with --all.")] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Instant after the last, UTC; with --all.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the recorded answer only.")] = False,
) -> None:
    """Decide recorded recommendations again from what each saw, and compare byte for byte.

    The exit code is 1 when an answer differs; every difference is named.
    """
    from api.commands.replay import Asked, run_replay, run_show

    if show and recommendation_id is not None:
        run(lambda: run_show(store, recommendation_id))
        return
    asked = Asked(
        store=store,
        network=network,
        recommendation_id=recommendation_id,
        everything=everything,
        since=in_utc(since),
        until=in_utc(until),
    )
    run(lambda: run_replay(asked))


def in_utc(instant: datetime | None) -> datetime | None:
    """Return an instant of the command line, which has no offset, as one in UTC."""
    return None if instant is None else instant.replace(tzinfo=UTC)


@app.command(epilog=examples("tandem kernels", "TANDEM_CACHE_DIR=cache tandem kernels"))
def kernels() -> None:
    """Compile the routing kernels ahead, so that no start has to."""
    from api.commands.kernels import run_kernels

    run(run_kernels)


@network_app.command(
    "build",
    epilog=examples(
        "tandem network build seattle.osm.pbf --out seattle/",
        "tandem network build --place 'Seattle, Washington, USA' --out seattle/",
    ),
)
def network_build(
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where to write it.")],
    source: Annotated[
        Path | None, typer.Argument(help=".osm, .osm.gz, .osm.bz2, .pbf or OSMnx .graphml file.")
    ] = None,
    place: Annotated[
        str | None, typer.Option(help="Download a place from OpenStreetMap instead of a file.")
    ] = None,
    network_id: Annotated[str | None, typer.Option("--id", help="Name it in answers.")] = None,
) -> None:
    """Make a street network of a map file or of a place's name."""
    from api.commands.network import run_build

    run(lambda: run_build(source, place, out, network_id=network_id))


@network_app.command("info", epilog=examples("tandem network info seattle/"))
def network_info(
    folder: Annotated[Path, typer.Argument(help="Folder written by `tandem network build`.")],
) -> None:
    """Say what a saved street network holds and what was left out of it."""
    from api.commands.network import run_info

    run(lambda: run_info(folder))


@keys_app.command(
    "create",
    epilog=examples(
        "tandem keys create --label 'CAD production' --role cad --asserts DISPATCHER",
        "tandem keys create --label Prometheus --role analyst --expires-days 90 > prometheus.key",
    ),
)
def keys_create(
    label: Annotated[str, typer.Option(help="Which system will use it; no secret.")],
    role: Annotated[list[str], typer.Option(help="What it is for; may be given several times.")],
    asserts: Annotated[
        list[str] | None,
        typer.Option(help="Operator role that it may assert; may be given several times."),
    ] = None,
    expires_days: ExpiresDays = 365,
    store: StorePlace = None,
) -> None:
    """Make an API key and print it, this once. Only its digest is kept."""
    from api.commands.keys import run_create

    run(lambda: run_create(label, role, asserts or (), expires_days=expires_days, store=store))


@keys_app.command("list", epilog=examples("tandem keys list --store /var/lib/tandem/tandem.db"))
def keys_list(store: StorePlace = None) -> None:
    """Show all keys: what they may do, whether they are live, when they were last used."""
    from api.commands.keys import run_list

    run(lambda: run_list(store))


@keys_app.command("revoke", epilog=examples("tandem keys revoke 3f9a0c51d2e7"))
def keys_revoke(key_id: KeyId, store: StorePlace = None) -> None:
    """Let a key open nothing any more; a running service knows within a second."""
    from api.commands.keys import run_revoke

    run(lambda: run_revoke(key_id, store))


@keys_app.command(
    "rotate",
    epilog=examples(
        "tandem keys rotate 3f9a0c51d2e7",
        "tandem keys rotate 3f9a0c51d2e7 --overlap-hours 0 > cad.key",
    ),
)
def keys_rotate(
    key_id: KeyId,
    expires_days: ExpiresDays = 365,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=720, help="Hours for which the old key goes on working.")
    ] = 24,
    store: StorePlace = None,
) -> None:
    """Make a key that may do what another may, and let that one end after an overlap."""
    from api.commands.keys import run_rotate

    run(
        lambda: run_rotate(
            key_id, expires_days=expires_days, overlap_hours=overlap_hours, store=store
        )
    )


def main() -> None:
    """Run the command line."""
    app()
