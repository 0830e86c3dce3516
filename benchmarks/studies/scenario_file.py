"""From a scenario file (TOML) to a `Scenario`, or everything that is wrong with it at once.

    scenario = read_scenario(Path("pilot.toml"), {"units.CARE.count": 4})

What lives here: the file as a whole, changes by dotted keys, and the check of what it names on its
streets. What does not: what a key may be (`scenario_keys`, `scenario_values`), units
(`unit_groups`) and demand (`demand_reading`). Nothing is written.
"""

import copy
import hashlib
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from api.errors import StartError
from api.release_errors import ReleaseFileError
from api.release_file import read_release
from api.release_lines import Path as KeyPath
from api.release_lines import line_of, lines_of_keys
from benchmarks.studies.demand_reading import read_demand
from benchmarks.studies.errors import THE_FILE, BadScenario, Fault, fault_of, said_by
from benchmarks.studies.geography import zones_of
from benchmarks.studies.geojson_files import AreaFile, zones_of_file
from benchmarks.studies.placing import far_posts, places_of_beats, read_closures
from benchmarks.studies.reading import Found, Reading
from benchmarks.studies.scenario import (
    Changes,
    CoverageSpec,
    Durations,
    Mode,
    Scenario,
    SimulationSpec,
    SitingSpec,
    Variation,
    dotted,
)
from benchmarks.studies.scenario_keys import (
    AREAS,
    COVERAGE,
    DURATIONS,
    NAMES_AT_TOP,
    SIMULATION,
    SITING,
    STREETS,
    TOP,
    VARIATION,
    ZONE,
)
from benchmarks.studies.scenario_values import shown
from benchmarks.studies.streets import load_streets, street_index
from benchmarks.studies.table_check import faults_of_tables
from benchmarks.studies.unit_groups import Police, read_groups, sectors_of
from geodata.beats import BeatMap, BeatMapError, sector_of
from geodata.driving_file import DrivingFileError, read_profiles
from geodata.errors import GeodataError
from geodata.network import StreetNetwork
from geodata.pilot.area import pilot_release_file
from geodata.snap import StreetIndex
from geodata.zones import ZoneMap
from routing.release import Release

BYTES_MAX: Final = 2_000_000
VARIATIONS_MAX: Final = 200
NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
OF_BEATS: Final = ("sector", "precinct")
"""Geographies that the beats make up."""
_FILES: Final = MappingProxyType({"streets": STREETS, "zone": ZONE, "areas": AREAS})
_AT_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")


def read_scenario(file: Path, changes: Changes = NOTHING) -> Scenario:
    """Return the scenario of a file, with some keys changed.

    Parameters
    ----------
    changes
        New values by dotted key, such as `units.CARE.count`; `units.SPD.0.count` is of the first
        group. None takes a key away.

    Raises
    ------
    BadScenario
        With every fault of the file and of the files that it names.
    """
    content, text = _text(file)
    raw = _tables(file, text)
    reading = Reading(file, _lines(text))
    raw = _changed(reading, raw, changes)
    scenario = _Scenario(reading, raw).read(hashlib.sha256(content).hexdigest())
    if reading.found:
        raise BadScenario(_in_order(reading, scenario))
    return scenario


def _in_order(reading: Reading, scenario: Scenario) -> list[Fault]:
    """Return what was found, with what is wrong with the tables of what could be read."""
    own = str(reading.file)
    found = [one.fault for one in reading.found]
    wrong = {one.file for one in found}
    faults = list(dict.fromkeys([*found, *faults_of_tables(scenario, wrong)]))
    return sorted(faults, key=lambda one: (one.file != own, one.file, one.line or 0))


def _text(file: Path) -> tuple[bytes, str]:
    remedy = "Give a scenario file: TOML, as docs/studies.md describes it."
    try:
        with file.open("rb") as stream:
            content = stream.read(BYTES_MAX + 1)
        if len(content) > BYTES_MAX:
            raise BadScenario([fault_of(file, THE_FILE, f"has over {BYTES_MAX:,} bytes.", remedy)])
        return content, content.decode("utf-8-sig")
    except (OSError, ValueError) as problem:
        fault = fault_of(file, THE_FILE, f"cannot be read: {said_by(problem)}.", remedy)
        raise BadScenario([fault]) from None


def _of_file(at: KeyPath, file: Path, problem: Exception) -> Fault:
    """Return the fault of a file that a key names and that cannot be used as a whole."""
    said = str(problem).removeprefix(f"{file}: ")
    if isinstance(problem, OSError):
        said = f"cannot be read: {said_by(problem)}: {problem.filename or file}."
    found = _AT_LINE.search(said)
    remedy = getattr(problem, "remedy", None) or f"Give {_FILES[str(at[0])][str(at[-1])].told}."
    line = int(found[1]) if found and found[1] else None
    return fault_of(file, THE_FILE, said, remedy, line=line)


def _tables(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as problem:  # a number of 5,000 digits is a ValueError
        said = str(problem) or "too many levels"
        found = _AT_LINE.search(said)
        line = int(found[1]) if found and found[1] else max(1, len(text.splitlines()))
        message = f"is no TOML: {_AT_LINE.sub('', said).strip()}."
        fault = fault_of(file, THE_FILE, message, "Correct this line.", line=line)
        raise BadScenario([fault]) from None


def _lines(text: str) -> Mapping[KeyPath, int]:
    try:
        return lines_of_keys(text)
    except (ValueError, RecursionError):
        return {}


def _of_beats(
    names: Mapping[str, object], beats: BeatMap | None, release: Release
) -> dict[str, Collection[str] | None]:
    """Return the names of the geographies that beats make up, but those that have a file."""
    if "beat" not in names:
        return {}
    made: dict[str, Collection[str] | None] = dict.fromkeys(OF_BEATS)
    if beats is not None:
        sectors = {sector_of(beat) for beat in beats.outlines}
        precincts = {release.precinct_of[one] for one in sectors if one in release.precinct_of}
        made = {"sector": sectors, **({"precinct": precincts} if precincts else {})}
    found = {name: one for name, one in made.items() if name not in names}
    return found if beats is None else found | {"beat": tuple(beats.outlines)}


# -- changes --------------------------------------------------------------------------------------


def _changed(reading: Reading, raw: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Return the tables with other values; a key that leads nowhere is kept as a fault."""
    after: dict[str, Any] = copy.deepcopy(dict(raw))
    for key, value in changes.items():
        path = path_of_key(key)
        if not _set(after, path, value):
            reading.fault(path, "leads to no table of the scenario.", "Name a key of it.")
    return after


def path_of_key(key: str) -> KeyPath:
    """Return the path of a dotted key; numbers are places in a list."""
    return tuple(
        int(part) if part.isascii() and part.isdigit() else part for part in key.split(".")
    )


def _set(at: Any, path: KeyPath, value: object) -> bool:
    for place, part in enumerate(path):
        last = place == len(path) - 1
        if isinstance(at, list):
            if not isinstance(part, int) or part >= len(at):
                return False
        elif isinstance(at, dict):
            part = str(part)  # noqa: PLW2901
            if value is None and last:
                at.pop(part, None)
                return True
            if not last:
                at.setdefault(part, {})
        else:
            return False
        if last:
            at[part] = copy.deepcopy(value)
            return True
        at = at[part]
    return False


# -- the whole ------------------------------------------------------------------------------------


class _Scenario:
    """One reading of the tables."""

    def __init__(self, reading: Reading, raw: dict[str, Any], *, base: bool = True) -> None:
        self._reading, self._raw, self._base = reading, raw, base

    def read(self, sha256: str) -> Scenario:
        """Return the scenario; where anything is wrong it is good for nothing."""
        reading, raw = self._reading, self._raw
        top = reading.take((), raw, TOP, NAMES_AT_TOP)
        streets = self._values("streets", STREETS)
        zone = self._values("zone", ZONE)
        network_file = reading.path_of(("streets", "network"), streets.get("network"), folder=True)
        closures = reading.path_of(("streets", "closures"), streets.get("closures"))
        driving = self._driving(streets.get("driving"))
        release_file, release = self._release(zone.get("release"))
        zones, taken = self._zones(zone.get("geojson"), release)
        areas, names, beats = self._areas(taken, release)
        network, index = self._streets(network_file)
        limits = release.city_policy.snap
        places = None if beats is None else beats.beat_centres
        if beats is not None and network is not None and index is not None:
            places = places_of_beats(beats, network, index, limits)
        police = Police(beats=places, sectors=sectors_of(release.precinct_of))
        units, posts = read_groups(reading, raw, police)
        demand = read_demand(reading, raw, names)
        specs = self._specs(set(names))
        if network is not None and index is not None:
            for path, fault in far_posts(index, limits, posts):
                reading.keep(path, fault)
            self._closures(closures, network, index)
        scenario = Scenario(
            file=reading.file, sha256=sha256, name=top.get("name", "?"),
            seed=top.get("seed", 1), network=network_file, driving=driving, release=release_file,
            zones=zones, window=zone.get("hours"), mode=zone.get("mode", Mode.BY_POLICY),
            closures=closures, areas=areas, units=units, demand=demand,
            attribution=top.get("attribution", ()), told=MappingProxyType(raw),
            lines=reading.lines, **specs,
        )  # fmt: skip
        return replace(scenario, variations=self._variations()) if self._base else scenario

    def _values(self, name: str, keys: Mapping[str, Any]) -> dict[str, Any]:
        return self._reading.take((name,), self._reading.table((name,), self._raw), keys)

    # -- files ----------------------------------------------------------------------------------

    def _driving(self, told: str | None) -> Path | None:
        at: KeyPath = ("streets", "driving")
        file = self._reading.path_of(at, told)
        if file is None:
            return None
        try:
            read_profiles(file)
        except DrivingFileError as problem:
            lines = _lines(file.read_text(encoding="utf-8")) if problem.problems else {}
            for one in problem.problems:
                self._reading.keep(at, fault_of(
                    file, dotted(one.keys), f"{one.message}.", one.remedy,
                    line=line_of(one.keys, lines),
                ))  # fmt: skip
            if not problem.problems:
                self._reading.keep(at, _of_file(at, file, problem))
        return file

    def _try(self, at: KeyPath, file: Path, read: Any) -> Any:
        """Return what is read, None (and a fault) where the file cannot be used."""
        try:
            return read()
        except ReleaseFileError as problem:
            for one in problem.found:
                fault = fault_of(file, one.path, f"{one.detail}.", one.remedy, line=one.line)
                self._reading.keep(at, fault)
        except (StartError, GeodataError, OSError, ValueError) as problem:
            self._reading.keep(at, _of_file(at, file, problem))
        return None

    def _release(self, told: str | None) -> tuple[Path | None, Release]:
        at: KeyPath = ("zone", "release")
        file = self._reading.path_of(at, told)
        release = None if file is None else self._try(at, file, lambda: read_release(file))
        return file, release or read_release(pilot_release_file())

    def _zones(self, told: str | None, release: Release) -> tuple[Path | None, ZoneMap | None]:
        """Return the file of zones, and the zones that hold; None where the file is wrong."""
        at: KeyPath = ("zone", "geojson")
        file = self._reading.path_of(at, told)
        if file is None:
            return None, release.zones if told is None else None
        zones, faults = zones_of_file(file, release.zone_policies)
        for fault in faults:
            self._reading.keep(at, fault)
        return file, zones

    def _areas(
        self, zones: ZoneMap | None, release: Release
    ) -> tuple[dict[str, tuple[Path, str]], dict[str, Collection[str] | None], BeatMap | None]:
        """Return files and fields of geographies, the names of their areas, and the beats."""
        reading = self._reading
        found, beats = {}, None
        names: dict[str, Collection[str] | None] = {
            "zone": None if zones is None else zones_of(zones).names
        }
        table = reading.table(("areas",), self._raw)
        for name in table:
            at: KeyPath = ("areas", name)
            if name == "zone":
                reading.fault(at, "is a name of its own.", "Name the geography otherwise.")
                continue
            values = reading.take(at, reading.table(at, self._raw), AREAS)
            file = reading.path_of((*at, "file"), values.get("file"))
            if file is None:
                continue
            geography = AreaFile(file)
            outlines = geography.outlines(name, values.get("field"))
            for fault in geography.faults:
                reading.keep(at, fault)
            found[name] = file, geography.field or values.get("field", name)
            names[name] = tuple(outlines) or None
            if name == "beat" and outlines:
                beats = self._beats(at, file, outlines)
        return found, names | _of_beats(names, beats, release), beats

    def _beats(self, at: KeyPath, file: Path, outlines: Mapping[str, Any]) -> BeatMap | None:
        try:
            return BeatMap.among(outlines)
        except BeatMapError as problem:
            self._reading.keep((*at, "file"), _of_file((*at, "file"), file, problem))
            return None

    # -- specs ----------------------------------------------------------------------------------

    def _specs(self, geographies: set[str]) -> dict[str, Any]:
        values = {
            "durations": self._values("durations", DURATIONS),
            "coverage": self._values("coverage", COVERAGE),
            "siting": self._values("siting", SITING),
            "simulation": self._values("simulation", SIMULATION),
        }
        for table, name in (("coverage", "recorded_positions"), ("siting", "candidates")):
            if name in values[table]:
                at: KeyPath = (table, name)
                values[table][name] = self._reading.path_of(at, values[table][name])
        for place, name in enumerate(values["coverage"].get("by", ())):
            if name not in geographies:
                self._reading.fault(
                    ("coverage", "by", place),
                    f"is {shown(name)}, which is no geography.",
                    f"Give one of {', '.join(sorted(geographies))}, or add [areas.{name}].",
                )
        return {
            "durations": Durations(**values["durations"]),
            "coverage": CoverageSpec(**values["coverage"]),
            "siting": SitingSpec(**values["siting"]),
            "simulation": SimulationSpec(**values["simulation"]),
        }

    # -- the streets ----------------------------------------------------------------------------

    def _streets(self, file: Path | None) -> tuple[StreetNetwork | None, StreetIndex | None]:
        at: KeyPath = ("streets", "network")
        if file is None and any(one.path[:2] == at for one in self._reading.found):
            return None, None
        try:
            network, _, _ = load_streets(file)
        except (GeodataError, OSError, ValueError) as problem:
            self._reading.keep(at, _of_file(at, file or self._reading.file, problem))
            return None, None
        return network, street_index(network)

    def _closures(self, file: Path | None, network: StreetNetwork, index: StreetIndex) -> None:
        if file is not None:
            for fault in read_closures(file, network, index)[1]:
                self._reading.keep(("streets", "closures"), fault)

    # -- variations -----------------------------------------------------------------------------

    def _variations(self) -> tuple[Variation, ...]:
        reading = self._reading
        told = self._raw.get("variations", [])
        if not isinstance(told, list) or len(told) > VARIATIONS_MAX:
            reading.fault(("variations",), f"is {shown(told)}.",
                          f"Write [[variations]], at most {VARIATIONS_MAX} of them.")  # fmt: skip
            return ()
        found: dict[str, Variation] = {}
        for place, one in enumerate(told):
            path: KeyPath = ("variations", place)
            variation = self._variation(path, one)
            if variation is None:
                continue
            if variation.name in found:
                reading.fault((*path, "name"), f"is {variation.name!r} once more.",
                              "Name each once.")  # fmt: skip
            found[variation.name] = variation
        return tuple(found.values())

    def _variation(self, path: KeyPath, told: object) -> Variation | None:
        reading = self._reading
        if not isinstance(told, dict):
            reading.fault(path, f"is {shown(told)}, and no table.", "Write [[variations]].")
            return None
        changes = dict(_leaves(told))
        top = {name: told[name] for name in VARIATION if name in told}
        values = reading.take(path, top, VARIATION)
        where = {path_of_key(key): at for key, (_, at) in changes.items()}
        plain = {key: value for key, (value, _) in changes.items()}
        self._check(path, plain, where)
        if "name" not in values:
            return None
        return Variation(name=values["name"], changes=MappingProxyType(plain))

    def _check(self, path: KeyPath, changes: Changes, where: Mapping[KeyPath, KeyPath]) -> None:
        """Keep what is wrong with the scenario after the changes of a variation alone."""
        before = {(one.path, one.fault.message) for one in self._reading.found}
        trial = Reading(self._reading.file, {})
        base = {name: value for name, value in self._raw.items() if name != "variations"}
        raw = _changed(trial, base, changes)
        _Scenario(trial, raw, base=False).read("")
        for one in trial.found:
            if (one.path, one.fault.message) not in before:
                self._keep_varied(path, one, where)

    def _keep_varied(self, path: KeyPath, one: Found, where: Mapping[KeyPath, KeyPath]) -> None:
        changed = next((key for key in where if one.path[: len(key)] == key), None)
        at = path if changed is None else (*path, *where[changed])
        fault = one.fault
        if fault.file == str(self._reading.file):
            line = self._reading.line(at)
            fault = replace(fault, line=line, where=f"{dotted(path)}: {fault.where}")
        self._reading.keep(at, fault)


def _leaves(
    table: Mapping[str, Any], key: str = "", at: KeyPath = ()
) -> Iterator[tuple[str, tuple[object, KeyPath]]]:
    """Yield each change by its dotted key, with its value and the keys as they are written."""
    for name, value in table.items():
        here = f"{key}.{name}" if key else name
        if isinstance(value, dict) and value:
            yield from _leaves(value, here, (*at, name))
        elif here not in VARIATION:
            yield here, (value, (*at, name))
