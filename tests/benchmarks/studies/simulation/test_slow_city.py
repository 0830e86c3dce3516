"""The engine and its slow twin do the same in small scenes drawn at random, event by event."""

import os
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from benchmarks.studies.simulation.city import City, CityOutcome
from benchmarks.studies.simulation.incoming import Incoming, incoming_of
from benchmarks.studies.simulation.run_columns import LOGGED, ON_BREAK, ON_DUTY
from benchmarks.studies.world import World
from tests.benchmarks.studies.simulation.slow_city import (
    EVENT,
    LEFT_OF_EVERY,
    SlowCity,
    SlowJob,
    SlowLine,
    SlowUnit,
)
from tests.benchmarks.studies.simulation.slow_roads import SlowRoads
from tests.benchmarks.studies.simulation.slow_scenes import drawn_world, slow_scene

SEEDS = range(1, 201 if os.environ.get("TANDEM_STUDIES") == "long" else 7)
Told = tuple[float | int | str | None, ...]
CLOSE_S = 1e-6


@cache
def drawn(seed: int) -> tuple[World, Incoming]:
    world = drawn_world(seed)
    return world, incoming_of(world, 0)


@cache
def fast(seed: int) -> tuple[list[Told], list[Told]]:
    """Return every line of the engine's log and every call of CARE."""
    found = City(*drawn(seed)).run()
    return fast_lines(found), fast_calls(found)


def slow(seed: int, twin: type[SlowCity] = SlowCity, **rules: object) -> SlowCity:
    scene = slow_scene(*drawn(seed))
    city = twin(replace(scene, rules=replace(scene.rules, **rules)))
    city.run()
    return city


def differences(seed: int, city: SlowCity) -> list[str]:
    """Return the first line of the logs and the first call that are not alike."""
    told = slow_lines(city.lines), slow_calls(list(city.scene.jobs))
    found = [first_difference(*pair) for pair in zip(fast(seed), told, strict=True)]
    return [one for one in found if one]


def fast_lines(found: CityOutcome) -> list[Told]:
    log = found.run.log
    rows = [r for r in range(found.run.registers[LOGGED]) if log.job[r] != ON_DUTY]
    lines: list[Told] = []
    for r in rows:
        job = -1 if log.job[r] == ON_BREAK else int(log.job[r])
        place = (None, None, False)
        if job >= 0:
            place = (int(log.from_street[r]), float(log.from_fraction[r]), bool(log.from_home[r]))
        times = (_or_none(t[r]) for t in (log.begin_s, log.arrive_s, log.end_s))
        lines.append((int(log.unit[r]), job, *times, *place))
    return sorted(lines, key=lambda line: (line[2], line[0]))


def slow_lines(lines: list[SlowLine]) -> list[Told]:
    told: list[Told] = [
        (
            line.unit, line.job, line.begin_s, line.arrive_s, line.end_s,
            *((None, None) if line.place is None else line.place[:2]), line.from_home,
        )
        for line in lines
    ]  # fmt: skip
    return sorted(told, key=lambda line: (line[2], line[0]))


def fast_calls(found: CityOutcome) -> list[Told]:
    told: list[Told] = []
    for call in found.calls:
        on_call = [call.on_call.get(agency, (None,) * 3) for agency in ("CARE", "SPD")]
        clears = [call.clears.get(agency) for agency in ("CARE", "SPD")]
        is_told = call.outcome == "SENT" and call.row % LEFT_OF_EVERY == 0
        left_share = call.left_share if is_told else None
        told.append((
            call.row, call.outcome, _or_none(call.asked_s), call.waited_s, *on_call[0],
            *on_call[1], *clears, left_share,
        ))  # fmt: skip
    return told


def slow_calls(jobs: list[SlowJob]) -> list[Told]:
    told: list[Told] = []
    for call in sorted((job for job in jobs if job.is_care), key=lambda one: one.row):
        on_call = [call.on_call.get(agency, (None,) * 3) for agency in ("CARE", "SPD")]
        clears = [call.clears.get(agency) for agency in ("CARE", "SPD")]
        left_share = call.left_share if call.outcome == "SENT" else None
        told.append((
            call.row, call.outcome, call.asked_s, call.waited_s, *on_call[0], *on_call[1],
            *clears, left_share,
        ))  # fmt: skip
    return told


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def first_difference(fast: list[Told], slow: list[Told]) -> str:
    for one, other in zip(fast, slow, strict=False):
        if not all(map(_alike, one, other)):
            return f"engine {one}\ntwin   {other}"
    return "" if len(fast) == len(slow) else f"engine {len(fast)}, twin {len(slow)} lines"


def _alike(one: float | int | str | None, other: float | int | str | None) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= CLOSE_S
    return one == other


@pytest.mark.parametrize("seed", SEEDS)
def test_the_engine_and_its_slow_twin_do_the_same(seed: int) -> None:
    assert differences(seed, slow(seed)) == []


def test_the_scenes_have_what_the_rules_are_about() -> None:
    cities = [slow(seed) for seed in SEEDS[:6]]
    lines = [line for city in cities for line in city.lines]
    calls = [job for city in cities for job in city.scene.jobs if job.is_care]
    assert {call.outcome for call in calls} >= {"SENT", "REFUSED", "POLICE_ALONE"}
    assert sum(line.from_home for line in lines) > 20, "units on their way home are sent"
    assert sum(line.job < 0 for line in lines) > 20, "breaks"
    assert sum(call.waited_s > 0 and call.outcome == "SENT" for call in calls) > 10, "holds"
    assert sum(job.units == 2 for city in cities for job in city.scene.jobs) > 100
    assert any(len(city.scene.roads) > 4 for city in cities), "drive times change"
    left = {call.left_share for call in calls if call.outcome == "SENT"} - {None}
    assert len(left) > 10, "what is left behind differs"


class BreaksAreLost(SlowCity):
    def _break(self, unit: SlowUnit, long_s: float) -> None:
        if unit.status == "FREE":
            self._rest(unit, long_s)


class ShiftsEndAtOnce(SlowCity):
    def _end_shift(self, unit: SlowUnit) -> None:
        unit.clear = -1
        self._leave(unit)


class ShiftsNeverEnd(SlowCity):
    def _end_shift(self, unit: SlowUnit) -> None:
        pass


class HomeIsReachedAtOnce(SlowCity):
    def _go_home(self, unit: SlowUnit) -> None:
        unit.place = unit.post


class HoldsWaitForTheirTimer(SlowCity):
    def _freed(self, unit: SlowUnit) -> None:
        held, self.held = self.held, {}
        super()._freed(unit)
        self.held |= held


class PoliceLeaveCareAlone(SlowCity):
    def _finish(self, call: SlowJob) -> None:
        super()._finish(call)
        if "SPD" in call.on_call:
            self._clear_from(call, "SPD", call.on_call["SPD"][2] + call.safe_s)


class JobsWaitInTheOrderOfTheirComing(SlowCity):
    def _serve_or_wait(self, job: SlowJob) -> None:
        job.priority = 3
        super()._serve_or_wait(job)


class CallsWaitForTheHours(SlowCity):
    def _before_opening(self, call: SlowJob, opens_s: float) -> None:
        self._hold(call, ())
        call.waits_s = opens_s
        self._later(opens_s, EVENT, lambda: self._timer(call))


class WeightsStay(SlowCity):
    def _reweigh(self, roads: SlowRoads) -> None:
        pass


WRONG = (
    BreaksAreLost, ShiftsEndAtOnce, ShiftsNeverEnd, HomeIsReachedAtOnce, HoldsWaitForTheirTimer,
    PoliceLeaveCareAlone, JobsWaitInTheOrderOfTheirComing, CallsWaitForTheHours, WeightsStay,
)  # fmt: skip


@pytest.mark.parametrize("twin", WRONG)
def test_a_twin_that_breaks_a_rule_is_found(twin: type[SlowCity]) -> None:
    assert any(differences(seed, slow(seed, twin)) for seed in SEEDS[:6])


@pytest.mark.parametrize(
    "rules",
    [
        {"guard_s": 0.0}, {"reserve": 0}, {"scope": "ANY"}, {"escalate_s": 1300.0},
        {"crew": {"CARE": 3, "SPD": 1}}, {"sends_spd": False}, {"is_solo": False},
    ],
    ids=str,
)  # fmt: skip
def test_a_twin_with_other_rules_is_found(rules: dict[str, object]) -> None:
    assert any(differences(seed, slow(seed, **rules)) for seed in SEEDS[:6])
