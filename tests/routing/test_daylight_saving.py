"""Ten years of clock changes: windows, shifts and holds against a walk of every minute."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from routing.codes import GateCode
from routing.gates import check_window
from routing.hours import EVERY_DAY, Opening, TimeWindow
from routing.model import PILOT, Location, Status
from routing.policy import Policy
from tests.routing.situations import ALL_NO, Incident, IncidentId, call, decide, fix, unit
from tests.routing.wall_clock import (
    MINUTE,
    PACIFIC,
    Stretch,
    Walk,
    clock_changes,
    stretches,
    walk,
)

CHANGES = clock_changes(2021, 2030)
WINDOWS = {
    "pilot": (time(11), time(23)),
    "later": (time(12), time(22)),
    "night": (time(19), time(4)),
    "starts in the hour": (time(2, 30), time(6)),
    "starts in the repeated hour": (time(1, 30), time(9)),
    "ends in the hour": (time(22), time(2, 30)),
    "ends in the repeated hour": (time(20), time(1, 30)),
    "within the hours": (time(1, 15), time(2, 45)),
    "ends at the change": (time(0), time(2)),
    "starts at the change": (time(2), time(3)),
    "whole day": (time(0), time(0)),
    "whole day from the hour": (time(2, 30), time(2, 30)),
    "midnight": (time(12), time(0)),
}


def test_the_clocks_change_twice_a_year() -> None:
    assert len(CHANGES) == 20
    assert {change.month for change in CHANGES} == {3, 11}
    assert {walk(change).skipped for change in CHANGES} == {timedelta(0), timedelta(hours=1)}


# -- windows --------------------------------------------------------------------------------------


def wrong_openings(window: TimeWindow, change: datetime) -> list[str]:
    """Return where a window differs from the walk: its openings, and every minute of two days."""
    seen = walk(change)
    expected = stretches(seen, window.start, window.end, window.days)
    wrong = [
        f"opening of {day}"
        for day in seen.days()
        if _stretch(window.opening_on(day)) != expected.get(day)
    ]
    near = minutes_to_look_at(seen, change, expected)
    for minute in near:
        open_now = any(begin <= minute < end for begin, end in expected.values())
        if (window.open_at(minute) is not None) != open_now:
            wrong.append(f"{minute} open: {not open_now}")
    return wrong + _wrong_neighbours(window, expected, near)


def minutes_to_look_at(
    seen: Walk, change: datetime, expected: dict[date, Stretch]
) -> list[datetime]:
    """Return every minute within four hours of the change or by an edge, and some of two days."""
    edges = {
        edge + k * MINUTE for stretch in expected.values() for edge in stretch for k in (-1, 0, 1)
    }
    return [
        minute
        for i, minute in enumerate(seen.minutes)
        if abs(minute - change) <= timedelta(hours=26)
        and (i % 17 == 0 or minute in edges or abs(minute - change) <= timedelta(hours=4))
    ]


def _stretch(opening: Opening | None) -> Stretch | None:
    return None if opening is None else (opening.opens_at, opening.closes_at)


def _wrong_neighbours(
    window: TimeWindow, expected: dict[date, Stretch], near: list[datetime]
) -> list[str]:
    wrong = []
    for minute in near[::13]:
        following = min(begin for begin, _ in expected.values() if begin > minute)
        last = max(end for _, end in expected.values() if end <= minute)
        found_next, found_last = window.next_after(minute), window.last_before(minute)
        if found_next is None or found_next.opens_at != following:
            wrong.append(f"next after {minute}")
        if found_last is None or found_last.closes_at != last:
            wrong.append(f"last before {minute}")
    return wrong


def window(name: str, **changes: Any) -> TimeWindow:
    start, end = WINDOWS[name]
    return TimeWindow(**{"start": start, "end": end, "zone": PACIFIC} | changes)


@pytest.mark.parametrize("name", WINDOWS)
def test_every_window_is_open_in_the_minutes_in_which_the_wall_says_so(name: str) -> None:
    assert [wrong for change in CHANGES for wrong in wrong_openings(window(name), change)] == []


@dataclass(frozen=True, slots=True, kw_only=True)
class ByDuration(TimeWindow):
    """A known-bad window: it stays open for its nominal length."""

    def opening_on(self, day: date) -> Opening | None:
        begin = datetime.combine(day, self.start, self.zone).astimezone(UTC)
        hours = (self.end.hour - self.start.hour) % 24 or 24
        minutes = self.end.minute - self.start.minute
        return Opening(opens_at=begin, closes_at=begin + timedelta(hours=hours, minutes=minutes))


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOccurrence(TimeWindow):
    """A known-bad window: it forgets that a time may be shown twice."""

    def opening_on(self, day: date) -> Opening | None:
        last = day if self.end > self.start else day + timedelta(days=1)
        begin, end = (
            datetime.combine(d, t, self.zone) for d, t in ((day, self.start), (last, self.end))
        )
        return Opening(opens_at=begin.astimezone(UTC), closes_at=end.astimezone(UTC))


def _bad(kind: type[TimeWindow], name: str, **changes: Any) -> TimeWindow:
    start, end = WINDOWS[name]
    return kind(**{"start": start, "end": end, "zone": PACIFIC} | changes)


@pytest.mark.parametrize(
    "bad",
    [
        _bad(TimeWindow, "pilot", zone=ZoneInfo("Etc/GMT+8")),
        _bad(TimeWindow, "pilot", zone=ZoneInfo("America/Phoenix")),
        _bad(ByDuration, "night"),
        _bad(FirstOccurrence, "ends in the repeated hour"),
    ],
    ids=["standard time", "no change", "by duration", "first occurrence"],
)
def test_a_window_that_forgets_the_change_is_found(bad: TimeWindow) -> None:
    assert [wrong for change in CHANGES for wrong in wrong_openings(bad, change)] != []


# -- the gate: calls before opening and after closing ---------------------------------------------

Gate = Callable[[Policy, Incident, datetime], Any]


def wrong_gates(name: str, change: datetime, gate: Gate = check_window) -> list[str]:
    """Return the decisions around a change for which the gate says something else than the walk."""
    rng = random.Random(f"{name} {change}")
    seen = walk(change)
    policy = replace(PILOT, window=window(name))
    expected = sorted(stretches(seen, *WINDOWS[name], EVERY_DAY).values())
    wrong = []
    for _ in range(60):
        decided_at = change + rng.randrange(-36 * 60, 36 * 60) * MINUTE
        received_at = (decided_at - rng.randrange(20 * 60) * MINUTE).astimezone(PACIFIC)
        incident = Incident(
            incident_id=IncidentId("1"), location=Location(lon=0, lat=0), call_type="",
            received_at=received_at,
        )  # fmt: skip
        found = gate(policy, incident, decided_at)
        if (found.code, found.opens_at) != _expected_gate(expected, received_at, decided_at):
            wrong.append(f"{decided_at} received {received_at}: {found.code} {found.opens_at}")
    return wrong


def _expected_gate(
    expected: list[Stretch], received_at: datetime, decided_at: datetime
) -> tuple[GateCode | None, datetime | None]:
    if any(begin <= decided_at < end for begin, end in expected):
        return None, None
    begin, end = max(stretch for stretch in expected if stretch[1] <= decided_at)
    if begin <= received_at.astimezone(UTC) < end:
        return GateCode.ACCEPTED_BEFORE_CLOSING, None
    opens_at = min(begin for begin, _ in expected if begin > decided_at)
    today = decided_at.astimezone(PACIFIC).date() == opens_at.astimezone(PACIFIC).date()
    soon = opens_at - decided_at <= timedelta(hours=12)
    return GateCode.BEFORE_OPENING if today and soon else GateCode.OUTSIDE_WINDOW, opens_at


@pytest.mark.parametrize("name", WINDOWS)
def test_calls_wait_for_the_opening_that_the_wall_shows(name: str) -> None:
    assert [wrong for change in CHANGES for wrong in wrong_gates(name, change)] == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a known-bad gate says."""

    code: GateCode | None
    opens_at: datetime | None


def test_a_gate_that_goes_by_the_offset_of_the_day_before_is_found() -> None:
    def late(policy: Policy, incident: Incident, decided_at: datetime) -> Said:
        found = check_window(policy, incident, decided_at)
        if found.opens_at is None:
            return Said(code=found.code, opens_at=None)
        before, after = (
            (found.opens_at - k * timedelta(days=1)).astimezone(PACIFIC) for k in (1, 0)
        )
        drift = (after.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
        return Said(code=found.code, opens_at=found.opens_at + drift)

    assert [wrong for change in CHANGES for wrong in wrong_gates("pilot", change, late)] != []


# -- shifts and holds -----------------------------------------------------------------------------

ALWAYS = replace(PILOT, window=TimeWindow(start=time(0), end=time(0), zone=PACIFIC))


def moments(change: datetime, n: int) -> Iterator[tuple[datetime, random.Random]]:
    """Yield instants within three hours of a change."""
    rng = random.Random(str(change))
    for _ in range(n):
        yield change + rng.randrange(-180, 180) * MINUTE, rng


def decided(now: datetime, units: list[Any], policy: Policy = ALWAYS, **incident: Any) -> Any:
    received = {"received_at": now, "queued_at": now}
    screening = replace(ALL_NO, completed_at=now)
    return decide(units, call(**received, screening=screening, **incident), now=now, policy=policy)


def ready(unit_id: str, at: str, now: datetime, **changes: Any) -> Any:
    """Return a unit that was seen just now."""
    place = replace(fix(at), fixed_at=wall(now))
    return unit(unit_id, place, **{"shift_end": None, "status_since": wall(now)} | changes)


def wall(instant: datetime) -> datetime:
    """Return an instant as a CAD in Seattle holds it: by the wall, told apart by its fold."""
    return instant.astimezone(PACIFIC)


def shift_is_ending(now: datetime, shift_end: datetime) -> bool:
    units = [
        ready("C1", "BG", now), ready("S1", "AB", now, shift_end=shift_end), ready("S2", "NO", now),
    ]  # fmt: skip
    answer = decided(wall(now), units)
    return any("SHIFT_ENDING" in one.rules for one in answer.explain.units)


def hold_since(now: datetime, held_since: datetime) -> tuple[datetime, bool]:
    hold = decided(wall(now), [ready("C1", "BG", now)], held_since=held_since).hold
    return hold.escalate_at.astimezone(UTC), hold.escalated


def wrong_shifts(change: datetime, ending: Callable[[datetime, datetime], bool]) -> list[str]:
    """Return the shifts that end otherwise than by the minutes that were walked."""
    seen, wrong = walk(change), []
    for now, rng in moments(change, 24):
        shift_end = now + rng.choice((29, 30, 31, rng.randrange(-90, 150))) * MINUTE
        expected = seen.minutes_between(now, shift_end) < 30
        if ending(now, wall(shift_end)) != expected:
            wrong.append(f"{now}, shift to {wall(shift_end)}")
    return wrong


def wrong_holds(
    change: datetime, escalation: Callable[[datetime, datetime], tuple[datetime, bool]]
) -> list[str]:
    """Return the holds that escalate otherwise than after fifteen minutes that were walked."""
    seen, wrong = walk(change), []
    for now, rng in moments(change, 24):
        held_since = now - rng.randrange(25) * MINUTE
        escalate_at, escalated = escalation(now, wall(held_since))
        late = seen.minutes_between(held_since, now) >= 15
        if seen.minutes_between(held_since, escalate_at) != 15 or escalated != late:
            wrong.append(f"{now}, held since {wall(held_since)}: {escalate_at} {escalated}")
    return wrong


def test_a_shift_ends_after_as_many_minutes_as_pass() -> None:
    assert [wrong for change in CHANGES for wrong in wrong_shifts(change, shift_is_ending)] == []


def test_a_hold_escalates_after_as_many_minutes_as_pass() -> None:
    assert [wrong for change in CHANGES for wrong in wrong_holds(change, hold_since)] == []


def test_a_hold_before_opening_dispatches_when_the_wall_shows_the_opening() -> None:
    for change in CHANGES:
        expected = stretches(walk(change), time(11), time(23), EVERY_DAY)
        opens_at = expected[change.astimezone(PACIFIC).date()][0]
        for now, _ in moments(change, 6):
            units = [ready("C1", "BG", now), ready("S1", "AB", now)]
            answer = decided(wall(now), units, policy=PILOT)
            if now.astimezone(PACIFIC).date() == opens_at.astimezone(PACIFIC).date():
                assert answer.hold.earliest_dispatch_at == opens_at


def test_the_earliest_pair_counts_real_minutes() -> None:
    for change in CHANGES:
        seen = walk(change)
        for now, rng in moments(change, 12):
            clears_in = rng.randrange(1, 240)
            busy = ready(
                "S1", "AB", now, status=Status.ON_SCENE,
                expected_clear_at=wall(now + clears_in * MINUTE),
            )  # fmt: skip
            hold = decided(wall(now), [ready("C1", "BG", now), busy]).hold
            assert seen.minutes_between(now, hold.earliest_dispatch_at) == clears_in
            assert 0 < seen.minutes_between(hold.earliest_dispatch_at, hold.earliest_pair_at) < 10


def test_shifts_and_holds_by_the_wall_clock_are_found() -> None:
    def ending(now: datetime, shift_end: datetime) -> bool:
        return shift_end.replace(tzinfo=None) - wall(now).replace(tzinfo=None) < 30 * MINUTE

    def escalation(now: datetime, held_since: datetime) -> tuple[datetime, bool]:
        escalate_at = held_since + 15 * MINUTE
        return escalate_at.astimezone(UTC), wall(now) >= escalate_at

    assert [wrong for change in CHANGES for wrong in wrong_shifts(change, ending)] != []
    assert [wrong for change in CHANGES for wrong in wrong_holds(change, escalation)] != []
