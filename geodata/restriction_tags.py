"""The tag rules of turn restrictions: what a `type=restriction` relation forbids a car, and when.

What lives here: `read_restriction`, from tags to rules with their hours. What does not: the members
of the relation (`osm_file`). The rules follow the pages `Relation:restriction` and
`Conditional restrictions` of the OpenStreetMap wiki.

A car is bound by `restriction:motorcar`, `:motor_vehicle`, `:vehicle` and `restriction` itself; the
most specific one counts, and its `:conditional` twin changes it in some hours. Keys of other
vehicles (`restriction:hgv`, `:bus`) do not bind it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.opening_hours import MINUTES_PER_WEEK, hours_touched, minutes_of_week
from geodata.raw_streets import ALL_HOURS

CAR_KEYS: Final = (
    *("restriction:motorcar", "restriction:motor_vehicle", "restriction:vehicle"),
    "restriction",
)
"""Most specific first."""
CAR_EXCEPTIONS: Final = frozenset({"motorcar", "motor_vehicle", "vehicle"})
"""`except=emergency` is no exception here: CARE and routine police drive without lights."""
NO_RESTRICTION: Final = frozenset({"none", "no"})
OTHER_VEHICLES: Final = "turn restrictions for other vehicles"
CARS_EXCEPTED: Final = "turn restrictions that except cars"
KIND_NOT_READ: Final = "turn restrictions of a kind not read"
HOURS_NOT_READ: Final = "turn restrictions by conditions that are not read"

_PART: Final = re.compile(r"\s*([\w:]+)\s*@\s*(?:\(([^()]*)\)|([^()]+?))\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRule:
    """What one relation forbids in some hours.

    `only` and `u_turn` as in `RawRestriction`. `hours` are the bits of the hours of the week in
    which it binds; one that binds for part of an hour binds for all of it, the safe side.
    """

    only: bool
    u_turn: bool
    hours: int = ALL_HOURS


def read_restriction(tags: Mapping[str, str]) -> tuple[list[TurnRule], list[str]]:
    """Return the rules for cars, and the reasons why the relation or parts of it are left out."""
    plain_key = next((key for key in CAR_KEYS if key in tags), None)
    timed_key = next((key for key in CAR_KEYS if f"{key}:conditional" in tags), None)
    if plain_key is None and timed_key is None:
        return [], [OTHER_VEHICLES]
    if {part.strip() for part in tags.get("except", "").split(";")} & CAR_EXCEPTIONS:
        return [], [CARS_EXCEPTED]
    base = tags[plain_key].strip() if plain_key else "none"
    overruled = plain_key and timed_key and CAR_KEYS.index(plain_key) < CAR_KEYS.index(timed_key)
    if timed_key is None or overruled:
        return _kinds({base: ALL_HOURS})
    parts, left_out = _conditional(tags[f"{timed_key}:conditional"])
    rules, unknown = _kinds(_hours_of_values(base, parts))
    return rules, left_out + unknown


def _kinds(hours_of: Mapping[str, int]) -> tuple[list[TurnRule], list[str]]:
    """Return the rule of each value, and a reason for each value that is no known kind."""
    rules, left_out = [], []
    for value, hours in hours_of.items():
        if value in NO_RESTRICTION:
            continue
        if not re.fullmatch(r"(no|only)_\w+", value):
            left_out.append(KIND_NOT_READ)
            continue
        only, u_turn = value.startswith("only_"), value.endswith("u_turn")
        rules.append(TurnRule(only=only, u_turn=u_turn, hours=hours))
    return rules, left_out


def _conditional(text: str) -> tuple[list[tuple[str, NDArray[np.bool_]]], list[str]]:
    """Return (value, minutes of the week) of each part `value @ (hours)`, and what is left out."""
    parts, left_out = [], []
    for part in re.split(r";(?![^()]*\))", text):
        if not part.strip():
            continue
        found = _PART.fullmatch(part)
        minutes = minutes_of_week(found.group(2) or found.group(3) or "") if found else None
        if found is None or minutes is None:
            left_out.append(HOURS_NOT_READ)
        else:
            parts.append((found.group(1), minutes))
    return parts, left_out


def _hours_of_values(base: str, parts: list[tuple[str, NDArray[np.bool_]]]) -> dict[str, int]:
    """Return the hours in which each value holds for some minute; later parts win over earlier."""
    values = list(dict.fromkeys([base, *(value for value, _ in parts)]))
    in_force = np.zeros(MINUTES_PER_WEEK, np.int64)
    for value, minutes in parts:
        in_force[minutes] = values.index(value)
    hours = {value: hours_touched(in_force == place) for place, value in enumerate(values)}
    return {value: touched for value, touched in hours.items() if touched}
