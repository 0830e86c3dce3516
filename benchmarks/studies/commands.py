"""`tandem study ...`: one study from its scenario file to its folder, with progress.

What lives here: `run_study` and `check_scenario`. What does not: what a study computes
(`studies`), and the options (`api.study_cli`).
"""

import json
import platform
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from api.commands.console import notes, out, progress_bars
from api.impact.judging import Tell
from benchmarks.studies.data_check import require_data, variations_of
from benchmarks.studies.demand_making import Part, calls_of
from benchmarks.studies.engine import engine_for
from benchmarks.studies.errors import BadScenario, StudyError
from benchmarks.studies.left_out import left_out_of, with_left_out
from benchmarks.studies.report.result_files import PAGE, result_files
from benchmarks.studies.run_folder import open_folder
from benchmarks.studies.scenario import Changes, Scenario
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.siting.places import places_of_file
from benchmarks.studies.studies import STUDIES, require_fit
from benchmarks.studies.tables import StudyResult
from benchmarks.studies.work import Work
from benchmarks.studies.world import World
from benchmarks.studies.world_making import world_of
from geodata.artifacts import software_version

LIBRARIES: Final = ("numpy", "numba", "scipy", "shapely", "ortools", "pyarrow", "matplotlib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What `tandem study KIND` takes; see `api.study_cli`."""

    kind: str
    scenario: Path
    out: Path
    workers: int | None = None
    dask: str | None = None
    seed: int | None = None
    changes: Sequence[str] = ()
    """Such as `units.CARE.count=4`."""
    fresh: bool = False
    json_progress: bool = False


def run_study(asked: Asked) -> None:
    """Compute a study, write its folder, and say what was found.

    Raises
    ------
    StudyError
        With everything that is wrong with the scenario and its data, or with the folder.
    """
    show = _json_lines if asked.json_progress else progress_bars
    with show() as tell:
        result, paths = _computed(asked, tell)
    if asked.json_progress:
        _say({"state": "DONE", "files": [path.name for path in paths], "in_short": result.in_short})
        return
    for caution in result.cautions:
        notes.print(caution, markup=False)
    for sentence in result.in_short:
        out.print(sentence, markup=False, soft_wrap=True)
    out.print(
        f"Written: {asked.out / PAGE} and {len(paths) - 1} files beside it.",
        markup=False, soft_wrap=True,
    )  # fmt: skip


def _computed(asked: Asked, tell: Tell) -> tuple[StudyResult, list[Path]]:
    changes = changes_of(asked.changes, asked.seed)
    tell("reading the scenario", 0, 0)
    with _told_of_the_command(changes):
        scenario = read_scenario(asked.scenario, changes)
        require_fit(asked.kind, scenario)
        world = world_of(scenario, tell)
        tell("data", 0, 0)
        require_data(world, changes)
    told = _manifest(asked.kind, scenario, world, changes)
    with open_folder(asked.out, told, fresh=asked.fresh) as folder:
        work = Work(engine=engine_for(asked.workers, asked.dask), folder=folder, tell=tell)
        result = STUDIES[asked.kind](world, changes, work)
        tell("writing", 0, 0)
        others = variations_of(world, changes) if asked.kind == "compare" else ()
        result = with_left_out(result, world, others)
        whole = replace(result, manifest={**told, **result.manifest})
        return whole, folder.write(result_files(whole))


@contextmanager
def _told_of_the_command(changes: Mapping[str, object]) -> Iterator[None]:
    """Say of faults in values of `--set` and `--seed` that they are, in place of a line."""
    try:
        yield
    except BadScenario as bad:
        raise BadScenario(
            [
                replace(one, line=None, where=f"--set {one.where}")
                if any(one.where.startswith(key) for key in changes)
                else one
                for one in bad.faults
            ]
        ) from None


def changes_of(texts: Sequence[str], seed: int | None) -> dict[str, object]:
    """Return the values that `--set key=value` and `--seed` put in place of the file's.

    A value is written as in TOML; one that is not, such as 11:00-23:00, is taken as a text.

    Raises
    ------
    StudyError
        One has no key.
    """
    changes: dict[str, object] = {} if seed is None else {"seed": seed}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise StudyError(
                f"--set {text}: there is no key.", remedy="Write it as --set units.CARE.count=4."
            )
        try:
            changes[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            changes[key.strip()] = value.strip()
    return changes


def _manifest(kind: str, scenario: Scenario, world: World, changes: Changes) -> dict[str, Any]:
    """Return what the results are made of: equal manifests mean equal results."""
    source = world.network.source
    return {
        "study": kind,
        "scenario": scenario.name,
        "scenario_file": scenario.file.name,
        "scenario_sha256": scenario.sha256,
        "seed": scenario.seed,
        "changes": dict(changes),
        "parameters": dict(scenario.told),
        "data_sha256": dict(sorted(world.hashes.items())),
        "network": source.network_id,
        "network_description": source.description,
        "network_licence": source.licence,
        "schematic": source.schematic,
        "release": world.release.release_id,
        "attribution": list(scenario.attribution),
        "software": software_version(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def check_scenario(file: Path, changes: Sequence[str]) -> None:
    """Read a scenario and all data that it names, and say what it describes.

    Raises
    ------
    StudyError
        With everything that is wrong.
    """
    told = changes_of(changes, None)
    with progress_bars() as tell, _told_of_the_command(told):
        scenario = read_scenario(file, told)
        world = world_of(scenario, tell)
        tell("data", 0, 0)
        require_data(world, told)
        said = list(_demand(world))
    for group in scenario.units:
        out.print(f"{group.count} {group.agency} units: {group.told}.", markup=False)
    zones = ", ".join(world.areas["zone"].names)
    out.print(
        f"Streets: {world.network.source.description}. Zones: {zones}. "
        f"{len(scenario.variations)} variations.",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    for words in said:
        out.print(words, markup=False, soft_wrap=True)
    out.print(f"{file} can be studied.", markup=False, soft_wrap=True)


def _demand(world: World) -> Iterator[str]:
    """Yield what comes in of each kind."""
    parts: list[Part] = ["CARE"] if world.scenario.demand.police is None else ["CARE", "POLICE"]
    for part in parts:
        calls = calls_of(world, part, world.scenario.seed)
        yield f"{part}: {len(calls):,} calls in {calls.weeks:.1f} weeks, {calls.source}."
    yield from (one.words for one in left_out_of(world))
    if world.scenario.siting.candidates is not None:
        yield f"CARE could stand at {places_of_file(world)[2]}."


# -- progress -------------------------------------------------------------------------------------


@contextmanager
def _json_lines() -> Iterator[Tell]:
    """Say each stage as a line of JSON on standard output, and errors as one more."""
    try:
        yield lambda stage, done, total: _say({"stage": stage, "done": done, "total": total})
    except BadScenario as error:
        _say({"state": "FAILED", "faults": [_fault(one) for one in error.faults]})
        raise
    except StudyError as error:
        _say({"state": "FAILED", "detail": error.detail, "remedy": error.remedy})
        raise


def _fault(fault: Any) -> dict[str, object]:
    return {
        "file": Path(fault.file).name, "line": fault.line, "where": fault.where,
        "message": fault.message, "remedy": fault.remedy,
    }  # fmt: skip


def _say(line: Mapping[str, object]) -> None:
    out.file.write(json.dumps(line) + "\n")
    out.file.flush()
