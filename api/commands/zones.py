"""`tandem zones check`, `import` and `export`: files of GIS staff, in and out."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from api.commands.console import notes, out
from api.errors import StartError
from api.whole_file import write_whole

if TYPE_CHECKING:
    from geodata.network import StreetNetwork
    from geodata.zone_reading import ZoneImport
    from geodata.zone_streets import EdgeMeasure

EXIT_PROBLEMS: Final = 1
COLUMNS: Final = (
    "zone", "kind", "km2", "edge m", "along a street", "calls a year: inside", "within 10 m",
    "within 25 m of the edge",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What `check` and `import` take."""

    file: Path
    network: Path | None
    calls: Path | None
    repair: bool
    assume_crs: str | None
    id_column: str
    spots: Path | None
    as_json: bool


def run_check(asked: Asked) -> None:
    """Print the report of a file; leave with 1 when it has errors."""
    done, measures = _report(asked)
    _print(done, measures, asked, None)
    _leave(done)


def run_import(asked: Asked, target: Path) -> None:
    """Write the zones of a file that has no errors, and print its report."""
    if target.suffix.lower() not in (".geojson", ".json"):
        raise StartError(f"{target} is no .geojson file.", remedy="Use --out zones.geojson")
    _require_new(target)
    done, measures = _report(asked)
    if done.is_accepted:
        _write(target, done.as_geojson())
    _print(done, measures, asked, target if done.is_accepted else None)
    _leave(done)


def run_export(release_file: Path | None, target: Path, crs: str) -> None:
    """Write the zones of a release as a GIS file."""
    from api.release_file import read_release
    from geodata.pilot.area import pilot_release_file
    from geodata.zone_import import write_zones

    _require_new(target)
    release = read_release(pilot_release_file() if release_file is None else release_file)
    with notes.status("Writing"):
        write_zones(release.zones.zones, target, crs)
    out.print(
        f"{len(release.zones)} zone(s) of {release.release_id} in {crs}: {target}", markup=False
    )


def _report(asked: Asked) -> "tuple[ZoneImport, Sequence[EdgeMeasure]]":
    """Read a file in the reader's process, and measure the edges of what was accepted."""
    from geodata.zone_reading import ImportOptions, ZoneReader
    from geodata.zone_streets import measure_edges, read_calls

    if not asked.file.is_file():
        raise StartError(f"{asked.file}: there is no such file.", remedy="Name a file of zones")
    with notes.status("Reading streets") as status:
        network = _network(asked.network)
        status.update("Reading calls")
        calls = None if asked.calls is None else read_calls(asked.calls)
        status.update("Reading and checking zones")
        options = ImportOptions(
            extent=network.bounds, repair=asked.repair, assume_crs=asked.assume_crs,
            id_column=asked.id_column,
        )  # fmt: skip
        with ZoneReader() as reader:
            done = reader.read(asked.file, options)
        status.update("Measuring edges")
        return done, list(measure_edges([z.zone for z in done.zones], network, calls))


def _network(folder: Path | None) -> "StreetNetwork":
    if folder is None:
        from geodata.pilot.streets import pilot_network

        return pilot_network()
    from geodata.artifacts import load_network

    return load_network(folder)


def _leave(done: "ZoneImport") -> None:
    if not done.is_accepted:
        raise typer.Exit(EXIT_PROBLEMS)


def _require_new(target: Path) -> None:
    if target.exists():
        raise StartError(f"{target} is there already.", remedy="Name another, or move it away")
    if not target.absolute().parent.is_dir():
        raise StartError(f"{target.parent} is no folder.", remedy="Make it, or name another")


def _write(target: Path, data: dict[str, Any]) -> None:
    try:
        write_whole(target, json.dumps(data).encode())
    except OSError as problem:
        raise StartError(f"{target}: {problem.strerror}.", remedy="Name another") from None


# -- the report -----------------------------------------------------------------------------------


def _print(
    done: "ZoneImport", measures: "Sequence[EdgeMeasure]", asked: Asked, written: Path | None
) -> None:
    from geodata.zone_findings import spots

    if asked.spots is not None:
        _write(asked.spots, spots(done.findings))
    if asked.as_json:
        sys.stdout.write(json.dumps(_as_object(done, measures, asked, written), indent=1) + "\n")
        return
    if measures:
        out.print(_edges(done, measures))
    for finding in done.findings:
        out.print(finding.as_text(), markup=False, soft_wrap=True)
    if done.n_findings > len(done.findings):
        out.print(f"... and {done.n_findings - len(done.findings):,} more.")
    for line in _verdict(done, asked, written):
        out.print(line, markup=False, soft_wrap=True)


def _as_object(
    done: "ZoneImport", measures: "Sequence[EdgeMeasure]", asked: Asked, written: Path | None
) -> dict[str, Any]:
    from geodata.zone_findings import as_objects

    return {
        "file": str(asked.file), "accepted": done.is_accepted, "format": done.format,
        "crs": done.crs, "columns": done.columns, "n_features": done.n_features,
        "n_findings": done.n_findings, "findings": as_objects(done.findings),
        "zones": [
            {**asdict(m), "along_street_share": round(m.along_street_share, 4)} for m in measures
        ],
        "written": None if written is None else str(written),
    }  # fmt: skip


def _edges(done: "ZoneImport", measures: "Sequence[EdgeMeasure]") -> Table:
    table = Table(title=f"{len(measures)} zones, {done.crs}, {done.format}", title_justify="left")
    for place, name in enumerate(COLUMNS):
        table.add_column(name, overflow="fold", justify="left" if place < 2 else "right")
    for imported, m in zip(done.zones, measures, strict=True):
        cells = (
            m.zone_id, imported.zone.kind, f"{m.area_km2:.3f}", f"{m.edge_m:,.0f}",
            f"{m.along_street_share:.0%}", *map(_count, (
                m.yearly_calls_inside, m.yearly_calls_10_m, m.yearly_calls_25_m,
            )),
        )  # fmt: skip
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _count(calls: float | None) -> str:
    return "-" if calls is None else f"{calls:,.0f}"


def _verdict(done: "ZoneImport", asked: Asked, written: Path | None) -> Iterator[str]:
    if not done.is_accepted:
        yield f"Refused: {asked.file} has errors; nothing was taken from it."
        if done.columns:
            yield f"Its columns: {', '.join(done.columns)}."
    elif written is None:
        yield f"OK: {asked.file} can be used."
    else:
        yield f"Written: {written}. Try it: tandem serve --zones {written}"
    if asked.spots is not None:
        yield f"Places of problems: {asked.spots}"
