"""The reading of one scenario file: what has been found wrong so far, and on which line.

What lives here: `Reading`, which takes the keys of a table and collects faults. What does not:
what the keys are (`scenario_keys`), and what is made of them (`scenario_file` and its parts).
"""

import difflib
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from api.release_lines import Path as KeyPath
from api.release_lines import line_of
from benchmarks.studies.errors import THE_FILE, Fault, fault_of
from benchmarks.studies.scenario import dotted
from benchmarks.studies.scenario_values import BadValue, Keys, shown

FAULTS_MAX: Final = 500
"""Faults that are kept of one file, its data and its variations."""
NEAREST_MAX: Final = 3
LISTED_MAX: Final = 20
"""Names that a remedy lists."""
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def nearest(word: str, known: Collection[str]) -> str | None:
    """Return the known word that is most like another, None where none is."""
    spelled = {name.casefold(): name for name in sorted(known)}
    found = difflib.get_close_matches(word.casefold(), spelled, n=1, cutoff=0.6)
    return spelled[found[0]] if found else None


def like_one_of(word: str, known: Collection[str], what: str) -> str:
    """Return a remedy: the known words most like another, or which there are."""
    spelled = {name.casefold(): name for name in sorted(known)}
    found = difflib.get_close_matches(word.casefold(), spelled, n=NEAREST_MAX, cutoff=0.6)
    if found:
        return f"Did you mean {' or '.join(spelled[one] for one in found)}?"
    listed = ", ".join(sorted(known)[:LISTED_MAX]) or "none"
    more = len(known) - LISTED_MAX
    return f"The {what} are {listed}{f' and {more:,} more' if more > 0 else ''}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A fault with the keys that it is about."""

    path: KeyPath
    fault: Fault


class Reading:
    """One pass over the tables of a scenario; used by one call of `read_scenario`."""

    def __init__(self, file: Path, lines: Mapping[KeyPath, int]) -> None:
        self.file = file
        self.found: list[Found] = []
        self.lines = lines

    def line(self, path: KeyPath) -> int:
        """Return the line of a key, or of the nearest thing around it."""
        return line_of(path, self.lines)

    def fault(self, path: KeyPath, message: str, remedy: str) -> None:
        """Keep what is wrong with a key."""
        self.keep(path, self.at(path, dotted(path) or THE_FILE, message, remedy))

    def missing(self, path: KeyPath, remedy: str) -> None:
        """Keep that a key is missing; its line is that of the table around it."""
        self.keep(path, self.at(path[:-1], dotted(path), "is missing.", remedy))

    def at(self, path: KeyPath, where: str, message: str, remedy: str) -> Fault:
        """Return a fault on the line of a key."""
        return fault_of(self.file, where, message, remedy, line=self.line(path))

    def keep(self, path: KeyPath, fault: Fault) -> None:
        """Keep a fault, such as one of a data file that a key names; each once."""
        if len(self.found) < FAULTS_MAX and all(fault != one.fault for one in self.found):
            self.found.append(Found(path=path, fault=fault))

    # -- tables ---------------------------------------------------------------------------------

    def table(self, path: KeyPath, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Return the table at a path, {} where there is none or something else stands there."""
        at: Any = raw
        for part in path:
            if not isinstance(at, Mapping) or part not in at:
                return {}
            at = at[part]
        if isinstance(at, dict):
            return at
        remedy = f"Write [{dotted(path)}] and its keys below it."
        self.fault(path, f"is {shown(at)}, and no table.", remedy)
        return {}

    def take(
        self, path: KeyPath, raw: Mapping[str, Any], keys: Keys, besides: Collection[str] = ()
    ) -> dict[str, Any]:
        """Return the good values of a table by key; what is wrong is kept.

        Parameters
        ----------
        besides
            Keys that are read elsewhere.
        """
        self.unknown(path, raw, {*keys, *besides})
        values = {}
        for name, key in keys.items():
            at = (*path, name)
            if name not in raw:
                if key.needed:
                    self.missing(at, f"Give {key.kind.words}: {key.told}.")
                continue
            try:
                values[name] = key.kind.read(raw[name])
            except BadValue as bad:
                self.fault((*at, *bad.where), bad.message, bad.remedy)
        return values

    def unknown(self, path: KeyPath, raw: Mapping[str, Any], known: Collection[str]) -> None:
        """Keep a fault for each key that nobody knows."""
        for name in raw:
            if name not in known:
                like = nearest(name, known)
                listed = ", ".join(sorted(known))
                remedy = f"Did you mean {like}?" if like else f"The keys here are {listed}."
                self.fault((*path, name), "is no key of a scenario.", remedy)

    # -- files ----------------------------------------------------------------------------------

    def path_of(self, path: KeyPath, text: str | None, *, folder: bool = False) -> Path | None:
        """Return the file that a key names, None (and a fault) where there is none.

        Relative paths start at the scenario file; `${NAME}` is a variable of the environment.
        """
        if text is None:
            return None
        try:
            file = self.file.parent / _VARIABLE.sub(_variable, text)
            there = file.is_file() or (folder and file.is_dir())
        except KeyError as missing:
            name = missing.args[0]
            remedy = f"Set it (export {name}=...), or write the path in full."
            self.fault(path, f"needs the variable {name}, which is not set.", remedy)
            return None
        except (OSError, ValueError) as problem:
            self.fault(path, f"is {shown(text)}: {problem}.", "Correct the path.")
            return None
        if not there:
            kind = "file or folder" if folder else "file"
            remedy = "Correct the path: it is relative to the scenario file."
            self.fault(path, f"is {shown(text)}; there is no {kind} {file}.", remedy)
            return None
        return file


def _variable(found: "re.Match[str]") -> str:
    value = os.environ.get(found[1])
    if not value:
        raise KeyError(found[1])
    return value
