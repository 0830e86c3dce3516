"""When a rule of the map holds: OpenStreetMap's opening hours, the common part of them.

What lives here: `minutes_of_week`, from text to minutes, and `hours_touched`, from minutes to
hours. What does not: which tags hold such a text (`restriction_tags`).

Read are weekdays (`Mo-Fr`, `Sa,Su`, `Fr-Mo`), times (`07:00-09:00,16:00-18:00`, `22:00-06:00` and
`22:00-26:00` over midnight, `24/7`), `off`, and several rules: after `;` a rule takes the place of
earlier ones on its days, after `,` it adds to them (`Key:opening_hours/specification`). Public
holidays (`PH`) are passed over: a rule of weekdays holds on them as on any other. Months, dates,
weeks, school terms, the sun and the weather are not read.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MINUTES_PER_DAY: Final = 24 * 60
MINUTES_PER_WEEK: Final = 7 * MINUTES_PER_DAY
TEXT_MAX: Final = 1000
"""Longer texts are not read; OpenStreetMap itself allows 255 characters."""

_DAYS: Final = ("mo", "tu", "we", "th", "fr", "sa", "su")
_DAY: Final = "(?:" + "|".join((*_DAYS, "ph")) + ")"
_CLOCK: Final = r"\d{1,2}:[0-5]\d"
_TOKEN: Final = re.compile(
    rf"\s*(?:(?P<days>{_DAY}(?:\s*-\s*{_DAY})?)(?![a-z\[])"
    rf"|(?P<times>{_CLOCK}\s*-\s*{_CLOCK}|24/7)(?![\d+/])"
    r"|(?P<off>off|closed)|(?P<comma>,)|(?P<rule>;))\s*"
)


@dataclass(slots=True, kw_only=True)
class _Rule:
    """One rule while it is read."""

    adds: bool
    days: set[int]
    times: list[tuple[int, int]]
    """Minutes from the midnight before each of the days."""
    dated: bool = False
    """Whether days are named at all; otherwise the rule is for every day."""
    off: bool = False


def minutes_of_week(text: str) -> NDArray[np.bool_] | None:
    """Return (10080,) the minutes of the week, from Monday 00:00, that a text covers.

    None for a text that says more than is read here, or nothing of weekdays and times.
    """
    rules = _rules(text)
    if not rules:
        return None
    by_day = np.zeros((7, 2 * MINUTES_PER_DAY), np.bool_)
    for rule in rules:
        days = sorted(rule.days) if rule.dated else list(range(7))
        if not rule.adds and not (rule.off and rule.times):
            by_day[days] = False
        whole_day = [] if rule.off else [(0, MINUTES_PER_DAY)]
        for begin, end in rule.times or whole_day:
            by_day[days, begin:end] = not rule.off
    today, over_midnight = np.split(by_day, 2, axis=1)
    return (today | np.roll(over_midnight, 1, axis=0)).ravel()


def hours_touched(minutes: NDArray[np.bool_]) -> int:
    """Return the hours of the week (bit 0 is Monday 00) of which any minute is covered."""
    touched = minutes.reshape(-1, 60).any(axis=1)
    return sum(1 << int(hour) for hour in np.flatnonzero(touched))


def _rules(text: str) -> list[_Rule] | None:
    """Return the rules of a text but those of public holidays alone, None for a foreign text."""
    lowered = text.strip().strip(";").lower().replace("\N{EN DASH}", "-")
    rules, at, before = [_Rule(adds=False, days=set(), times=[])], 0, ""
    while at < len(lowered):
        found = _TOKEN.match(lowered, at) if len(lowered) <= TEXT_MAX else None
        if found is None or found.lastgroup is None:
            return None
        at, kind = found.end(), found.lastgroup
        if kind == "rule" or (kind == "days" and rules[-1].times):
            if kind == "days" and before != "comma":
                return None  # "07:00-09:00 Mo-Fr" has its days where nobody can tell whose they are
            rules.append(_Rule(adds=kind == "days", days=set(), times=[]))
        if not _take(rules[-1], kind, found.group(kind)):
            return None
        before = kind
    return [rule for rule in rules if rule.days or (rule.times and not rule.dated)]


def _take(rule: _Rule, kind: str, value: str) -> bool:
    """Add a token to a rule; False when its times cannot be."""
    if kind == "days":
        rule.dated = True
        rule.days |= _days(value)
    elif kind == "times":
        rule.times.append(_time(value))
        begin, end = rule.times[-1]
        return begin < MINUTES_PER_DAY and end <= 2 * MINUTES_PER_DAY
    elif kind == "off":
        rule.off = True
    return True


def _days(value: str) -> set[int]:
    """Return the days of `mo` or `fr-mo`, Monday 0; none for a public holiday."""
    first, _, last = (part.strip() for part in value.partition("-"))
    if "ph" in (first, last):
        return set()
    begin, end = _DAYS.index(first), _DAYS.index(last or first)
    return {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}


def _time(value: str) -> tuple[int, int]:
    """Return begin and end in minutes; an end not after the begin lies on the next day."""
    if value == "24/7":
        return 0, MINUTES_PER_DAY
    begin, end = (
        60 * int(hour) + int(minute) for hour, minute in re.findall(r"(\d+):(\d+)", value)
    )
    return begin, end if end > begin else end + MINUTES_PER_DAY
