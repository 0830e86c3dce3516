"""`tandem network build` and `tandem network info`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from api.commands.console import notes, out
from api.errors import StartError

if TYPE_CHECKING:
    from geodata.network import StreetNetwork


class Report(Protocol):
    """What an import calls as it goes on."""

    def __call__(self, stage: str, fraction: float | None) -> None:
        """Note the stage, and the share of it that is done, or None where that is not known."""


def run_build(
    source: Path | None, place: str | None, folder: Path, *, network_id: str | None
) -> None:
    """Read a file or ask for a place, save the network, and say what was dropped."""
    if (source is None) == (place is None):
        raise StartError(
            "Name one source of streets: a file, or a place with --place.",
            remedy="tandem network build streets.osm.pbf --out streets/",
        )
    from geodata.artifacts import describe_network, save_network
    from routing.road_hierarchy import HIERARCHY_FOLDER, build_hierarchy, save_hierarchy

    with _progress() as report:
        network = _import(source, place, network_id, report)
        report("save", None)
        save_network(network, folder)
        _, hierarchy = build_hierarchy(network, report)
        save_hierarchy(folder / HIERARCHY_FOLDER, network, hierarchy)
    _print_description(describe_network(folder), folder)


def _import(
    source: Path | None, place: str | None, network_id: str | None, report: Report
) -> "StreetNetwork":
    from geodata import osm_import

    if place is not None:
        return osm_import.import_place(place, network_id=network_id, progress=report)
    assert source is not None
    is_graph = ".graphml" in source.suffixes
    read = osm_import.import_graphml if is_graph else osm_import.import_osm_file
    return read(source, network_id=network_id, progress=report)


@contextmanager
def _progress() -> Iterator[Report]:
    """Show one line per stage; a stage that cannot tell its share gets a moving bar."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=notes) as progress:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, fraction: float | None) -> None:
            if stage not in tasks:
                for task in tasks.values():
                    progress.update(task, total=1.0, completed=1.0)
                    progress.stop_task(task)
                tasks[stage] = progress.add_task(stage, total=None)
            if fraction is not None:
                progress.update(tasks[stage], total=1.0, completed=fraction)

        yield report
        for task in tasks.values():
            progress.update(task, total=1.0, completed=1.0)


def run_info(folder: Path) -> None:
    """Print what a saved network holds."""
    from geodata.artifacts import describe_network

    _print_description(describe_network(folder), folder)


def _print_description(about: Mapping[str, Any], folder: Path) -> None:
    table = Table(
        title=f"{about['network_id']} in {folder}", title_justify="left", show_header=False
    )
    for name in ("description", "kind", "extract_date", "licence"):
        table.add_row(name.replace("_", " "), str(about[name] or "not known"))
    if about["schematic"]:
        table.add_row("schematic", "yes: a drawing from facts, not a survey")
    bounds = ", ".join(f"{value:.5f}" for value in about["bounds_west_south_east_north"])
    table.add_row("west, south, east, north", bounds)
    for name, count in about["counts"].items():
        table.add_row(name.replace("_", " "), f"{count:,}")
    for name, km in about["street_km"].items():
        table.add_row(f"km {name.replace('_', ' ')}", f"{km:,.1f}")
    if "bytes" in about:
        table.add_row("size", f"{about['bytes'] / 1e6:.1f} MB")
    out.print(table)
    _print_losses(about)


def _print_losses(about: Mapping[str, Any]) -> None:
    if about["dropped"]:
        out.print("Left out:")
        for reason, count in about["dropped"].items():
            out.print(f"  {count:>8,}  {reason.replace('_', ' ')}", markup=False)
    for note in about["notes"]:
        out.print(f"Note: {note}", markup=False)
