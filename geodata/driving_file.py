"""A city's own driving figures, from a TOML file; what it leaves out keeps its default.

    [routine]
    signal_s = 12.0
    [routine.unposted_mph]
    RESIDENTIAL = 18
    [[routine.hours]]
    days = ["mon", "tue", "wed", "thu", "fri"]
    from = 7
    to = 10
    factor = 1.2
    [emergency]
    speed_factor = 1.3

`from` is the first hour, `to` the hour after the last, 24 for midnight; a later entry of `hours`
wins over an earlier one. Everything that is wrong is told at once.
"""

import difflib
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from geodata.driving_time import (
    EMERGENCY,
    ROUTINE,
    DrivingProfile,
)
from geodata.errors import GeodataError
from geodata.network import HOURS_PER_WEEK, KMH_PER_MPH, RoadClass

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FACTORS_MAX: Final = 24
"""Most different hour factors of one profile: each takes the memory of one weight set."""
FILE_BYTES_MAX: Final = 1_000_000

Bounds = tuple[float, float]
FACTOR: Final[Bounds] = (0.1, 10)
DELAY_S: Final[Bounds] = (0, 3_600)
MPH: Final[Bounds] = (1, 150)
FIGURES: Final[Mapping[str, Bounds | None]] = MappingProxyType(
    {
        "limit_time_factor": FACTOR, "speed_factor": FACTOR, "signal_s": DELAY_S,
        "stop_s": DELAY_S, "start_and_park_s": DELAY_S, "gated_open": None, "private_open": None,
    }
)  # fmt: skip
"""Least and most of each figure; None: true or false."""
_BUILT_IN: Final = {"routine": ROUTINE, "emergency": EMERGENCY}
_TABLES: Final = ("hours", "unposted_mph")
_ENTRY: Final = ("days", "from", "to", "factor")
_SEE: Final = "docs/settings.md shows an example."

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrivingProblem:
    """One thing that is wrong with a file of driving figures."""

    keys: Keys
    """From the top of the file, such as `routine`, `hours`, 0, `from`."""
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.keys))} {self.message}. {self.remedy}"


class DrivingFileError(GeodataError):
    """A file of driving figures that cannot be used.

    Parameters
    ----------
    problems
        Of single keys; none where the file as a whole cannot be read.
    """

    def __init__(self, said: str, problems: Sequence[DrivingProblem] = ()) -> None:
        super().__init__("\n  ".join((said, *map(str, problems))))
        self.problems = tuple(problems)


def read_profiles(path: Path) -> Mapping[str, DrivingProfile]:
    """Return the profiles `ROUTINE` and `EMERGENCY` with the figures of a file.

    Raises
    ------
    DrivingFileError
        The file cannot be read, is no TOML, or figures in it are unknown or cannot be: all of them.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise DrivingFileError(f"{path}: more than {FILE_BYTES_MAX:,} bytes. {_SEE}")
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        said = str(error) or "too many levels"
        raise DrivingFileError(f"{path}: {said}. {_SEE}") from None
    figures = _Figures()
    figures.unknown((), tables, _BUILT_IN, "is unknown: expected [routine], [emergency]")
    made = {
        profile.name: figures.profile((name,), profile, tables.get(name, {}))
        for name, profile in _BUILT_IN.items()
    }
    if figures.problems:
        count = len(figures.problems)
        counted = "1 figure is" if count == 1 else f"{count} figures are"
        raise DrivingFileError(f"{path}: {counted} wrong. {_SEE}", figures.problems)
    return made


class _Figures:
    """What is read of one file, and what is wrong with it."""

    def __init__(self) -> None:
        self.problems: list[DrivingProblem] = []

    def profile(self, keys: Keys, profile: DrivingProfile, table: object) -> DrivingProfile:
        """Return a profile with the figures of its table."""
        if not isinstance(table, dict):
            self._bad(keys, f"is {_shown(table)}", f"Write [{keys[0]}] and its figures below it.")
            return profile
        self.unknown(keys, table, (*FIGURES, *_TABLES), "is an unknown figure")
        changes: dict[str, Any] = {}
        for name, bounds in FIGURES.items():
            if name in table and self._fits((*keys, name), table[name], bounds):
                changes[name] = table[name]
        if "hours" in table:
            changes["hour_factor"] = self._hour_factors((*keys, "hours"), table["hours"])
        if "unposted_mph" in table:
            at = (*keys, "unposted_mph")
            changes["unposted_kmh"] = self._unposted_kmh(at, profile, table["unposted_mph"])
        return replace(profile, **changes)

    def unknown(
        self, keys: Keys, table: Mapping[str, Any], known: Collection[str], said: str
    ) -> None:
        """Keep a problem for each key that nobody knows."""
        for name in table:
            if name not in known:
                like = difflib.get_close_matches(name, known, n=1)
                remedy = f"Did you mean {like[0]}?" if like else f"Known are {', '.join(known)}."
                self._bad((*keys, name), said, remedy)

    def _bad(self, keys: Keys, message: str, remedy: str) -> None:
        self.problems.append(DrivingProblem(keys=keys, message=message, remedy=remedy))

    def _fits(self, keys: Keys, value: object, bounds: Bounds | None) -> bool:
        if bounds is None:
            if not isinstance(value, bool):
                self._bad(keys, f"is {_shown(value)}", "Give true or false.")
            return isinstance(value, bool)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = is_number and bounds[0] <= value <= bounds[1]  # type: ignore[operator]
        if not fits:
            remedy = f"Give a number, {bounds[0]:g} to {bounds[1]:g}."
            self._bad(keys, f"is {_shown(value)}", remedy)
        return fits

    def _hour_factors(self, keys: Keys, entries: object) -> tuple[float, ...]:
        factors = [1.0] * HOURS_PER_WEEK
        if not isinstance(entries, list):
            self._bad(keys, f"is {_shown(entries)}", "Give a list of {days, from, to, factor}.")
            return tuple(factors)
        for place, entry in enumerate(entries):
            before = len(self.problems)
            self._entry((*keys, place), entry)
            if len(self.problems) == before:
                for hour in _hours_of(entry):
                    factors[hour] = float(entry["factor"])
        if len(set(factors)) > FACTORS_MAX:
            remedy = f"Give at most {FACTORS_MAX}: each takes the memory of one weight set."
            self._bad(keys, f"has {len(set(factors))} different factors", remedy)
            return (1.0,) * HOURS_PER_WEEK
        return tuple(factors)

    def _entry(self, keys: Keys, entry: object) -> None:
        """Keep what is wrong with one entry of hours."""
        if not isinstance(entry, dict):
            self._bad(keys, f"is {_shown(entry)}", "Give {days, from, to, factor}.")
            return
        self.unknown(keys, entry, _ENTRY, "is unknown")
        for name in _ENTRY:
            if name not in entry:
                self._bad((*keys, name), "is missing", f"Give {', '.join(_ENTRY)}.")
        begin, end, days = entry.get("from", 0), entry.get("to", 24), entry.get("days", [])
        hours = [isinstance(one, int) and not isinstance(one, bool) for one in (begin, end)]
        if not all(hours) or not 0 <= begin < end <= 24:
            self._bad((*keys, "from"), f"{_shown(begin)} to {_shown(end)} are no hours",
                      "Give whole hours with 0 <= from < to <= 24.")  # fmt: skip
        if not isinstance(days, list):
            self._bad((*keys, "days"), f"is {_shown(days)}", 'Give a list such as ["mon", "fri"].')
            days = []
        for place, day in enumerate(days):
            if day not in DAYS:
                self._bad((*keys, "days", place), f"is the unknown day {_shown(day)}",
                          f"Give one of {', '.join(DAYS)}.")  # fmt: skip
        if "factor" in entry:
            self._fits((*keys, "factor"), entry["factor"], FACTOR)

    def _unposted_kmh(self, keys: Keys, profile: DrivingProfile, mph: object) -> tuple[float, ...]:
        if not isinstance(mph, dict):
            self._bad(keys, f"is {_shown(mph)}", "Give a table of road classes and mph.")
            return profile.unposted_kmh
        self.unknown(keys, mph, [road.name for road in RoadClass], "is an unknown road class")
        good = {name for name in mph if self._fits((*keys, name), mph[name], MPH)}
        return tuple(
            mph[road.name] * KMH_PER_MPH if road.name in good else profile.unposted_kmh[road]
            for road in RoadClass
        )


def _hours_of(entry: Mapping[str, Any]) -> Iterator[int]:
    for day in entry["days"]:
        first = 24 * DAYS.index(day)
        yield from range(first + entry["from"], first + entry["to"])


def _shown(value: object) -> str:
    try:
        return f"{value!r:.60}"
    except ValueError:  # a whole number of more digits than Python writes
        return "a number of thousands of digits"
