"""The command `tandem release impact`; its work is in `api/commands/impact.py`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from api.commands.console import run
from api.commands.options import examples

DAY = ["%Y-%m-%d"]
Name = Annotated[
    str | None, typer.Argument(help="A draft of a running service; its file with --draft else.")
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url", metavar="URL", help="Address of the service; else TANDEM_URL. Key: TANDEM_KEY."
    ),
]
Draft = Annotated[
    Path | None, typer.Option("--draft", metavar="FILE", help="Release file (TOML) to be judged.")
]
Live = Annotated[
    Path | None,
    typer.Option(
        "--live",
        metavar="FILE",
        help="Release that it would replace; else that in force, or the pilot's.",
    ),
]
Calls = Annotated[
    Path,
    typer.Option("--calls", metavar="FILE", help="CSV of past calls, also .csv.gz."),
]
Mapping = Annotated[
    Path | None,
    typer.Option("--mapping", metavar="FILE", help="TOML: which columns are which; else by name."),
]
Network = Annotated[
    Path | None,
    typer.Option("--network", metavar="FOLDER", help="Streets; else the built-in schematic."),
]
PostsFile = Annotated[
    Path | None,
    typer.Option("--posts", metavar="FILE", help="CSV of agency, post_id, lon, lat; else pilot's."),
]
Beats = Annotated[
    Path | None,
    typer.Option("--beats", metavar="FILE", help="GeoJSON of beats: police stand in each."),
]
First = Annotated[
    datetime | None,
    typer.Option("--first-day", formats=DAY, help="Local day, included; else all calls."),
]
Last = Annotated[
    datetime | None, typer.Option("--last-day", formats=DAY, help="Local day, included.")
]
AssumeType = Annotated[
    str | None,
    typer.Option("--assume-type", metavar="TEXT", help="Take every call as of this type."),
]
CareUnits = Annotated[
    int, typer.Option("--care-units", min=1, max=1_000, help="CARE units, for their utilisation.")
]
DecideAgain = Annotated[
    bool, typer.Option("--what-if/--no-what-if", help="Decide every call again under both.")
]
Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write the report as one page.")
]
Json = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write every figure as JSON.")
]


def add_impact(release_app: typer.Typer) -> None:
    """Add the command to those of `tandem release`."""
    release_app.command(
        "impact",
        epilog=examples(
            "tandem release impact belltown --calls calls.csv.gz --network seattle/",
            "tandem release impact --draft draft.toml --calls calls.csv.gz --html impact.html",
            "tandem release impact --draft draft.toml --live live.toml --calls calls.csv "
            "--network seattle/ --beats beats.geojson --json impact.json",
        ),
    )(release_impact)


def release_impact(
    calls: Calls,
    name: Name = None,
    url: Url = None,
    draft: Draft = None,
    live: Live = None,
    network: Network = None,
    mapping: Mapping = None,
    posts: PostsFile = None,
    beats: Beats = None,
    first_day: First = None,
    last_day: Last = None,
    assume_type: AssumeType = None,
    care_units: CareUnits = 3,
    decide_again: DecideAgain = True,
    html: Html = None,
    json: Json = None,
) -> None:
    """Say what publishing a draft would change: calls, land, streets, coverage, workload."""
    from api.commands.impact import Asked, run_impact

    asked = Asked(
        name=name, url=url, draft=draft, live=live, calls=calls, mapping=mapping,
        network=network, posts=posts,
        beats=beats, first_day=None if first_day is None else first_day.date(),
        last_day=None if last_day is None else last_day.date(), assume_type=assume_type,
        care_units=care_units, decides_again=decide_again, html=html, json=json,
    )  # fmt: skip
    run(lambda: run_impact(asked))
