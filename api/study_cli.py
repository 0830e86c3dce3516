"""The commands `tandem study ...`; their work is in `benchmarks/studies`, a process of its own."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from api.commands.options import examples

ScenarioFile = Annotated[
    Path, typer.Argument(metavar="SCENARIO", help="Scenario (TOML); docs/studies.md has its keys.")
]
OutFolder = Annotated[
    Path,
    typer.Option("--out", metavar="FOLDER", help="Where results go; run again, it goes on."),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, max=256, help="Processes for a study of several parts; else one a core."
    ),
]
Dask = Annotated[
    str | None,
    typer.Option(
        "--dask", metavar="ADDRESS", help="Compute several parts on a Dask cluster: its scheduler."
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="In place of the scenario's own.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A value in place of the scenario's."),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Throw away what an earlier run has kept in the folder.")
]
JsonProgress = Annotated[
    bool, typer.Option("--json-progress", help="Progress as lines of JSON on standard output.")
]
KINDS: Final = {
    "compare": "Variations beside their scenario with intervals; without any, its assumptions.",
    "coverage": "How much a pair reaches in X minutes, of calls, streets and land.",
    "replay": "A past period's calls, decided again under today's release or a draft.",
    "siting": "Where CARE should stand by five models, each with its bound, beside today's posts.",
    "simulate": "Days of calls and police work: responses, workload, officer time, intervals.",
}
"""What each study answers, in a line."""
_MORE: Final = {
    "compare": "tandem study compare staffing.toml --set simulation.replications=20 --out long/",
    "coverage": "tandem study coverage night.toml --set 'coverage.hours=[3, 27]' --out night/",
    "replay": "tandem study replay pilot.toml --set zone.release=draft.toml --out draft/",
    "siting": "tandem study siting pilot.toml --set siting.within_s=300 --out five-minutes/",
    "simulate": "tandem study simulate year.toml --set units.CARE.count=6 --workers 2 --out six/",
}


Run = Callable[[dict[str, Any]], None]
"""Takes what `benchmarks.studies.commands.Asked` has, by name."""
Check = Callable[[Path, Sequence[str]], None]


def study_app(run: Run, check: Check) -> typer.Typer:
    """Return the commands; only `api.cli` may know who does their work."""
    made = typer.Typer(
        no_args_is_help=True,
        help="Coverage studies: what a pair reaches, when, with whom.",
    )
    for kind in KINDS:
        _add(made, kind, run)

    @made.command("check", epilog=examples("tandem study check pilot.toml"))
    def check_scenario(scenario: ScenarioFile, changes: Changes = None) -> None:
        """Read a scenario and all data that it names; list everything that is wrong."""
        check(scenario, changes or ())

    return made


def _add(made: typer.Typer, kind: str, run: Run) -> None:
    def study(  # noqa: PLR0913, PLR0917  the options that every study takes
        scenario: ScenarioFile,
        out: OutFolder,
        workers: Workers = None,
        dask: Dask = None,
        seed: Seed = None,
        changes: Changes = None,
        fresh: Fresh = False,
        json_progress: JsonProgress = False,
    ) -> None:
        run(
            {
                "kind": kind, "scenario": scenario, "out": out, "workers": workers, "dask": dask,
                "seed": seed, "changes": changes or (), "fresh": fresh,
                "json_progress": json_progress,
            }
        )  # fmt: skip

    made.command(
        kind,
        help=KINDS[kind],
        epilog=examples(f"tandem study {kind} pilot.toml --out {kind}/", _MORE[kind]),
    )(study)
