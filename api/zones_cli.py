"""The commands `tandem zones ...`; their work is in `api/commands/zones.py`."""

from pathlib import Path
from typing import Annotated

import typer

from api.commands.console import run
from api.commands.options import examples

zones_app = typer.Typer(no_args_is_help=True, help="Check, import and export GIS files of zones.")

ZoneFile = Annotated[
    Path,
    typer.Argument(help="Zipped Shapefile, .gpkg, .geojson or zipped .gdb; docs/zones.md."),
]
NetworkFolder = Annotated[
    Path | None,
    typer.Option(
        "--network", metavar="FOLDER", help="Streets that zones must lie on; else the schematic."
    ),
]
CallsFile = Annotated[
    Path | None,
    typer.Option("--calls", metavar="FILE", help="CSV of past calls, to count those at the edges."),
]
Repair = Annotated[
    bool, typer.Option("--repair", help="Take outlines that had to be mended; each is reported.")
]
AssumeCrs = Annotated[
    str | None,
    typer.Option("--assume-crs", metavar="CODE", help="System of a file that names none."),
]
IdField = Annotated[
    str, typer.Option("--id-field", metavar="COLUMN", help="Column that names the zones.")
]
Spots = Annotated[
    Path | None,
    typer.Option("--spots", metavar="FILE", help="Write the places of problems as GeoJSON."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


@zones_app.command(
    "check",
    epilog=examples(
        "tandem zones check zones.zip --network seattle/",
        "tandem zones check beats.gpkg --network seattle/ --id-field beat --spots spots.geojson",
        "tandem zones check zones.gdb.zip --network seattle/ --calls calls-2015.csv.gz --json",
    ),
)
def zones_check(
    file: ZoneFile,
    network: NetworkFolder = None,
    calls: CallsFile = None,
    repair: Repair = False,
    assume_crs: AssumeCrs = None,
    id_field: IdField = "zone_id",
    spots: Spots = None,
    as_json: AsJson = False,
) -> None:
    """Read a file of zones and say what is wrong with it: which feature, where, and what to do.

    The exit code is 0 when it can be used, 1 when it has errors, 2 when it could not be checked.
    """
    from api.commands.zones import Asked, run_check

    asked = Asked(
        file=file, network=network, calls=calls, repair=repair, assume_crs=assume_crs,
        id_column=id_field, spots=spots, as_json=as_json,
    )  # fmt: skip
    run(lambda: run_check(asked))


@zones_app.command(
    "import",
    epilog=examples(
        "tandem zones import zones.zip --network seattle/ --out zones.geojson",
        "tandem zones import zones.gpkg --network seattle/ --repair --out zones.geojson",
    ),
)
def zones_import(
    file: ZoneFile,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="GeoJSON to write, for serve --zones.")
    ],
    network: NetworkFolder = None,
    calls: CallsFile = None,
    repair: Repair = False,
    assume_crs: AssumeCrs = None,
    id_field: IdField = "zone_id",
    spots: Spots = None,
    as_json: AsJson = False,
) -> None:
    """Check a file of zones and write them in WGS 84, whole or not at all.

    The exit code is 0 when they were written, 1 when the file has errors, 2 when it could not be
    checked or written.
    """
    from api.commands.zones import Asked, run_import

    asked = Asked(
        file=file, network=network, calls=calls, repair=repair, assume_crs=assume_crs,
        id_column=id_field, spots=spots, as_json=as_json,
    )  # fmt: skip
    run(lambda: run_import(asked, out))


@zones_app.command(
    "export",
    epilog=examples(
        "tandem zones export --out zones.zip --crs EPSG:2926",
        "tandem zones export --release my-release.toml --out zones.gpkg --crs EPSG:2285",
    ),
)
def zones_export(
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help=".zip, .gpkg, .geojson or .gdb.zip to write."),
    ],
    release: Annotated[
        Path | None,
        typer.Option("--release", metavar="FILE", help="Release to export; else the pilot's."),
    ] = None,
    crs: Annotated[str, typer.Option(help="Coordinate system to write in.")] = "EPSG:4326",
) -> None:
    """Write the zones of a release as a GIS file, to be edited and imported again."""
    from api.commands.zones import run_export

    run(lambda: run_export(release, out, crs))
