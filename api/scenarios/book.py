"""The calls of the book, read from their files and answered: used by `tandem scenarios` and tests.

What lives here: `Scenario`, reading all of them, and running one as the service would. What does
not: the short form of a request (`short_form`), comparing (`expected`), and the calls themselves
(`calls/*.toml`, one file each, in the order of one day's clock).
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from api.errors import InvalidRequest, StartError
from api.live_view import LiveView
from api.operations import recommend_units
from api.scenarios.expected import differences
from api.scenarios.setting import Setting
from api.scenarios.short_form import request_of

DAY_FILE: Final = "day.toml"
_REQUIRED: Final = {"title", "why", "rules", "as_of", "units", "expect"}
_OPTIONAL: Final = {"incident", "unit", "request", "setting"}
REFUSED: Final = "REFUSED"
"""Stands for the outcome of a request that the service answers with 422."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scenario:
    """One call of the book."""

    name: str
    """Clock and a few words, such as `1104-nearest-pair`."""
    title: str
    why: str
    """Which rules demand the answer, in a sentence or two."""
    rules: tuple[int, ...]
    as_of: datetime
    request: Mapping[str, Any]
    """As a CAD sends it."""
    setting: Setting
    told: Mapping[str, Any]
    """The setting as the file tells it."""
    expect: Mapping[str, Any]

    @property
    def clock(self) -> str:
        """Local time of the call, which names it: no two of the book share a minute."""
        return f"{self.as_of:%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ran:
    """A scenario, what the software answers, and what of it is not as expected."""

    scenario: Scenario
    answer: Mapping[str, Any]
    differences: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


@cache
def read_book() -> tuple[Scenario, ...]:
    """Return every scenario, in the order of the clock."""
    folder = files("api.scenarios") / "calls"
    day = tomllib.loads((folder / DAY_FILE).read_text(encoding="utf-8"))
    calls = [file for file in folder.iterdir() if _is_call(file)]
    made = [
        parse_scenario(file.name.removesuffix(".toml"), file.read_text(encoding="utf-8"), day)
        for file in calls
    ]
    return tuple(sorted(made, key=lambda one: (one.as_of.time(), one.name)))


def _is_call(file: Traversable) -> bool:
    return file.name.endswith(".toml") and file.name != DAY_FILE


def parse_scenario(name: str, text: str, day: Mapping[str, Any]) -> Scenario:
    """Return the scenario of a file's text.

    Raises
    ------
    ValueError
        The text lacks something, or has something that is not known.
    """
    told = tomllib.loads(text)
    missing, unknown = _REQUIRED - set(told), set(told) - _REQUIRED - _OPTIONAL
    if missing or unknown:
        raise ValueError(f"{name}: lacks {sorted(missing)}, has unknown {sorted(unknown)}")
    return Scenario(
        name=name,
        title=told["title"],
        why=" ".join(told["why"].split()),
        rules=tuple(told["rules"]),
        as_of=told["as_of"],
        request=request_of(told, day),
        setting=Setting.of(told.get("setting", {})),
        told=told.get("setting", {}),
        expect=told["expect"],
    )


def find_scenario(wanted: str, book: Iterable[Scenario]) -> Scenario:
    """Return the scenario that a name, its clock (11:04 or 1104) or a part of its name means.

    Raises
    ------
    StartError
        None or several are meant.
    """
    listed = list(book)
    key = wanted.replace(":", "")
    found = [one for one in listed if one.name == key] or [one for one in listed if key in one.name]
    if len(found) == 1:
        return found[0]
    if not found:
        raise StartError(
            f"No scenario is named '{wanted}'.", remedy="tandem scenarios lists them by their time."
        )
    raise StartError(
        f"'{wanted}' may be {', '.join(one.name for one in found)}.", remedy="Name one of them."
    )


def run_scenario(view: LiveView, scenario: Scenario) -> Ran:
    """Return what the service answers, and what of it is not as expected."""
    answer = _answer(view, scenario)
    found = differences(scenario.expect, answer)
    return Ran(scenario=scenario, answer=answer, differences=tuple(found))


def _answer(view: LiveView, scenario: Scenario) -> Mapping[str, Any]:
    body = json.dumps(scenario.request).encode()
    try:
        answered = recommend_units(view, body, decide=scenario.setting.decide)
    except InvalidRequest as error:
        codes = [problem.code for problem in error.problems]
        return {"outcome": REFUSED, "codes": codes, "message": str(error)}
    answer: Mapping[str, Any] = json.loads(answered.body)
    return answer
