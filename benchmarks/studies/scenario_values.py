"""What a value of a scenario file may be: each kind reads one, or says what is wrong with it.

What lives here: the kinds, without any file. What does not: which key has which kind
(`scenario_keys`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, Final, Protocol

TEXT_MAX: Final = 300
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY: Final = 24 * 60


class BadValue(ValueError):
    """A value that cannot be used; `where` leads to the item of a list or table, if it is one."""

    def __init__(self, message: str, remedy: str, where: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.remedy, self.where = message, remedy, where


class Kind(Protocol):
    """Reads one value."""

    @property
    def words(self) -> str:
        """What is expected, in words for a message and for the documentation."""

    def read(self, value: object) -> Any:
        """Return the value as a scenario has it; raises `BadValue`."""


def shown(value: object) -> str:
    """Return a value as a message shows it, cut to a length that can be read."""
    try:
        text = repr(value)
    except ValueError:  # a whole number of more digits than Python writes
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _refuse(value: object, kind: Kind) -> BadValue:
    return BadValue(f"is {shown(value)}.", f"Give {kind.words}.")


@dataclass(frozen=True, slots=True)
class Text:
    """A text with something in it."""

    words: str = "a text"

    def read(self, value: object) -> str:
        """Return it without space at its ends."""
        if not isinstance(value, str) or not value.strip() or len(value) > TEXT_MAX:
            raise _refuse(value, self)
        return value.strip()


@dataclass(frozen=True, slots=True)
class Number:
    """A number within a range, both ends included."""

    low: float
    high: float
    whole: bool = False

    @property
    def words(self) -> str:
        """What is expected."""
        return f"a {'whole ' if self.whole else ''}number, {self.low:g} to {self.high:g}"

    def read(self, value: object) -> float | int:
        """Return it, as a whole number where only those are meant."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not self.low <= value <= self.high:  # type: ignore[operator]
            raise _refuse(value, self)
        if not self.whole:
            return float(value)  # type: ignore[arg-type]
        if int(value) != value:  # type: ignore[call-overload]
            raise _refuse(value, self)
        return int(value)  # type: ignore[call-overload,no-any-return]


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words, capitals or not."""

    known: type[StrEnum]

    @property
    def words(self) -> str:
        """What is expected."""
        return f"one of {', '.join(self.known)}"

    def read(self, value: object) -> StrEnum:
        """Return the word."""
        if not isinstance(value, str) or value.strip().upper() not in tuple(self.known):
            raise _refuse(value, self)
        return self.known(value.strip().upper())


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar."""

    words: str = "a day such as 2026-01-05, from 1970 to 2200"

    def read(self, value: object) -> date:
        """Return the day, from TOML's own form or from a text."""
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value.strip())
            except ValueError:
                raise _refuse(value, self) from None
        if not isinstance(value, date) or isinstance(value, datetime):
            raise _refuse(value, self)
        if not 1970 <= value.year <= 2200:
            raise _refuse(value, self)
        return value


@dataclass(frozen=True, slots=True)
class Span:
    """Daily hours of the wall clock."""

    words: str = 'hours such as "11:00-23:00"; "00:00-24:00" is all day'

    def read(self, value: object) -> tuple[time, time]:
        """Return start and end; equal ones are all day, an earlier end lies on the next day."""
        if not isinstance(value, str) or value.count("-") != 1:
            raise _refuse(value, self)
        try:
            start, end = (_minutes(part) for part in value.split("-"))
        except ValueError:
            raise _refuse(value, self) from None
        if start == MINUTES_A_DAY:
            raise _refuse(value, self)
        if start == end:
            raise BadValue(
                f"is {shown(value)}, hours without any length.",
                'Give an end other than the start; "00:00-24:00" is all day.',
            )
        return _clock(start), _clock(end)


def _minutes(text: str) -> int:
    hours, colon, minutes = text.strip().partition(":")
    if not (hours.isascii() and hours.isdigit() and 1 <= len(hours) <= 2):
        raise ValueError(text)
    if colon and not (minutes.isascii() and minutes.isdigit() and len(minutes) == 2):
        raise ValueError(text)
    hour, minute = int(hours), int(minutes or "0")
    if minute > 59 or 60 * hour + minute > MINUTES_A_DAY:
        raise ValueError(text)
    return 60 * hour + minute


def _clock(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Days of the week."""

    words: str = 'days such as "mon-fri", "sat,sun" or "daily"'

    def read(self, value: object) -> frozenset[int]:
        """Return them, Monday 0."""
        if not isinstance(value, str):
            raise _refuse(value, self)
        if value.strip().lower() == "daily":
            return frozenset(range(7))
        found: set[int] = set()
        for part in value.lower().split(","):
            first, _, last = (piece.strip() for piece in part.partition("-"))
            if first not in DAYS or (last and last not in DAYS):
                raise _refuse(value, self)
            begin, end = DAYS.index(first), DAYS.index(last or first)
            found |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Many:
    """A list of values of one kind."""

    of: Kind
    fewest: int = 1
    most: int = 1_000
    distinct: bool = True

    @property
    def words(self) -> str:
        """What is expected."""
        counted = f"{self.fewest} to {self.most:,}" if self.fewest != self.most else f"{self.most}"
        return f"a list of {counted}{', each once' if self.distinct else ''}, each {self.of.words}"

    def read(self, value: object) -> tuple[Any, ...]:
        """Return them in their order."""
        if not isinstance(value, list) or not self.fewest <= len(value) <= self.most:
            raise _refuse(value, self)
        found = []
        for place, one in enumerate(value):
            try:
                found.append(self.of.read(one))
            except BadValue as bad:
                raise BadValue(bad.message, bad.remedy, (place, *bad.where)) from None
        if self.distinct:
            _require_distinct(found)
        return tuple(found)


def _require_distinct(found: Sequence[Any]) -> None:
    for place, one in enumerate(found):
        if one in found[:place]:
            raise BadValue(f"is {shown(one)} once more.", "Name each once.", (place,))


@dataclass(frozen=True, slots=True)
class HourWeights:
    """How calls are shared over the hours: of a day, or of a week from Monday 00."""

    words: str = "24 numbers (a day) or 168 (a week from Monday 00), 0 or more, some above 0"

    def read(self, value: object) -> tuple[float, ...]:
        """Return (168,) weights."""
        if not isinstance(value, list) or len(value) not in (24, 168):
            raise _refuse(value, self)
        weights = Many(Number(0, 1e9), 24, 168, distinct=False).read(value)
        if not sum(weights) > 0:
            raise BadValue("has no hour above 0.", f"Give {self.words}.")
        return weights * (168 // len(weights))


@dataclass(frozen=True, slots=True)
class Weights:
    """A weight for each name."""

    words: str = "a table of names and numbers of 0 or more, some above 0"

    def read(self, value: object) -> Mapping[str, float]:
        """Return weights by name."""
        if not isinstance(value, dict) or not value:
            raise _refuse(value, self)
        found = {}
        for name, weight in value.items():
            try:
                found[name] = float(Number(0, 1e12).read(weight))
            except BadValue as bad:
                raise BadValue(bad.message, bad.remedy, (name,)) from None
        if not sum(found.values()) > 0:
            raise BadValue("has no weight above 0.", f"Give {self.words}.")
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the earth."""

    words: str = "[lon, lat] in degrees of WGS 84, such as [-122.33, 47.61]"

    def read(self, value: object) -> tuple[float, float]:
        """Return lon and lat."""
        if not isinstance(value, list) or len(value) != 2:
            raise _refuse(value, self)
        try:
            lon, lat = Number(-180, 180).read(value[0]), Number(-90, 90).read(value[1])
        except BadValue:
            remedy = f"Give {self.words}: lon first, no feet and no metres."
            raise BadValue(f"is {shown(value)}.", remedy) from None
        if not lon or not lat:
            raise BadValue(f"is {shown(value)}, which is no place.", f"Give {self.words}.")
        return lon, lat


@dataclass(frozen=True, slots=True)
class Raw:
    """A value that is read where it is used."""

    words: str

    def read(self, value: object) -> object:
        """Return it as it is."""
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a scenario file."""

    kind: Kind
    needed: bool = False
    told: str = ""
    """What it is, with its unit."""


Keys = Mapping[str, Key]
Check = Callable[[object], Any]
