"""What the public is told gives no small count away: an attacker tries every table there is."""

import datetime as dt
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from api.measures.day import CallOfDay, DayMeasures, PoliceAloneAssumption, UnitOnCall, measure_day
from api.measures.public import CELL_MIN, CountTable, public, without_small
from routing.codes import ReasonCode

START = dt.datetime(2026, 7, 21, 20, tzinfo=dt.UTC)
NAMES = ("a", "b", "c")
Publish = Callable[[Mapping[str, int]], CountTable]


def given_away(publish: Publish, cells: int, most: int) -> list[tuple[int, ...]]:
    """Return the tables of which someone who knows the method can tell a small count exactly."""
    by_publication: dict[Any, list[tuple[int, ...]]] = {}
    for counts in itertools.product(range(most + 1), repeat=cells):
        table = publish(dict(zip(NAMES, counts, strict=False)))
        seen = (tuple(table.cells.values()), table.total)
        by_publication.setdefault(seen, []).append(counts)
    found = []
    for alike in by_publication.values():
        for place in range(cells):
            possible = {counts[place] for counts in alike}
            if len(possible) == 1 and min(possible) < CELL_MIN:
                found += alike
    return found


@pytest.mark.parametrize(("cells", "most"), [(2, 24), (3, 16)])
def test_no_small_count_can_be_worked_out(cells: int, most: int) -> None:
    assert given_away(without_small, cells, most) == []


def naive(cells: Mapping[str, int]) -> CountTable:
    """Leaves out small counts alone; the total gives a single one away."""
    shown = {name: count if count >= CELL_MIN else None for name, count in cells.items()}
    return CountTable(cells=shown, total=sum(cells.values()))


def with_the_next_smallest(cells: Mapping[str, int]) -> CountTable:
    """Leaves out small counts and as many others as make two, and five together."""
    total = sum(cells.values())
    out = {name for name, count in cells.items() if count < CELL_MIN}
    larger = sorted(cells.keys() - out, key=lambda name: (cells[name], name))
    while out and larger and (len(out) < 2 or sum(cells[name] for name in out) < CELL_MIN):
        out.add(larger.pop(0))
    shown = {name: None if name in out else count for name, count in cells.items()}
    return CountTable(cells=shown, total=total if total >= CELL_MIN else None)


@pytest.mark.parametrize(
    ("publish", "given"), [(naive, (9, 3, 9)), (with_the_next_smallest, (5, 4, 4))]
)
def test_methods_that_give_a_small_count_away_are_found(
    publish: Publish, given: tuple[int, ...]
) -> None:
    assert given in given_away(publish, 3, 10)


def test_what_is_not_small_is_told() -> None:
    assert without_small({"a": 5, "b": 9}) == CountTable(cells={"a": 5, "b": 9}, total=14)
    hidden = without_small({"a": 4, "b": 9, "c": 20})
    assert hidden == CountTable(cells={"a": None, "b": None, "c": None}, total=33)
    assert without_small({"a": 1, "b": 1}) == CountTable(cells={"a": None, "b": None}, total=None)


def day(with_police: int, alone: int) -> DayMeasures:
    """Return a day of so many calls that all took the same time."""

    def unit(agency: str, minutes: int) -> UnitOnCall:
        at = {"on_scene": START, "cleared": START + dt.timedelta(minutes=minutes)}
        return UnitOnCall(unit_id=agency, agency=agency, stamps=at)

    calls = [
        CallOfDay(
            incident_id=str(number),
            queued_at=START - dt.timedelta(minutes=9),
            units=(unit("CARE", 40), unit("SPD", 20))
            if number < with_police
            else (unit("CARE", 40),),
        )
        for number in range(with_police + alone)
    ]
    return measure_day(START.date(), "UTC", calls, [], PoliceAloneAssumption())


def test_nothing_that_is_told_of_a_day_gives_a_small_count_away() -> None:
    seen: dict[Any, set[tuple[int, int]]] = {}
    for counts in itertools.product(range(13), repeat=2):
        seen.setdefault(msgspec.json.encode(public(day(*counts))), set()).add(counts)
    for alike in seen.values():
        for place in (0, 1):
            possible = {counts[place] for counts in alike}
            assert len(possible) > 1 or min(possible) >= CELL_MIN


def test_a_day_with_enough_calls_is_told_in_whole_minutes() -> None:
    told = public(day(6, 5))
    assert told.calls_by_care == CountTable(cells={"with_police": 6, "alone": 5}, total=11)
    p50s = (told.response.p50_min, told.pair_gap.p50_min, told.officer_handover.p50_min)
    assert p50s == (9, 0, 20)
    assert told.overrides_by_reason.total is None
    assert set(told.overrides_by_reason.cells) == set(map(str, ReasonCode))
    few = public(day(6, 4))
    assert few.calls_by_care.total == 10
    assert few.response.p50_min == 9
    assert few.pair_gap.p50_min is None
    assert few.officer_handover.p50_min is None
