"""Ten years of clock changes: releases that begin near them, with hours across midnight.

The reference walks every minute by the wall clock alone (`tests.routing.wall_clock`): it carries on
the release whose instant it has passed last, and reads its hours off the walls.
"""

import datetime as dt
import random
from collections.abc import Callable, Sequence

import pytest

from api.releases.publications import (
    Publication,
    PublicationKind,
    in_force_at,
    scheduled_after,
)
from api.releases.schemas import PublishWrite
from routing.hours import TimeWindow
from tests.routing.wall_clock import MINUTE, PACIFIC, Stretch, clock_changes, stretches, walk

CHANGES = clock_changes(2021, 2030)
HOURS = (
    (dt.time(11), dt.time(23)), (dt.time(19), dt.time(4)), (dt.time(22), dt.time(2, 30)),
    (dt.time(20), dt.time(1, 30)), (dt.time(1, 30), dt.time(9)), (dt.time(12), dt.time(0)),
    (dt.time(2, 30), dt.time(2, 30)), (dt.time(23, 30), dt.time(0, 30)),
)  # fmt: skip
NEAR = dt.timedelta(hours=6)
PER_CHANGE = 12
SPREAD_MIN = 5 * 60
Rule = Callable[[Sequence[Publication], dt.datetime], Publication | None]


def written(instant: dt.datetime) -> str:
    """Return an instant as a person in Seattle writes it: the wall clock with its offset."""
    return instant.astimezone(PACIFIC).isoformat()


def read(text: str) -> dt.datetime:
    """Return what the service makes of it."""
    sent = PublishWrite.model_validate_json(f'{{"effective_at": "{text}"}}')
    assert sent.effective_at is not None
    return sent.effective_at.astimezone(dt.UTC)


def drawn(change: dt.datetime, rng: random.Random) -> list[Publication]:
    """Return publications around a change in no order, some at one instant, some withdrawn."""
    offsets = [rng.randint(-SPREAD_MIN, SPREAD_MIN) for _ in range(PER_CHANGE - 3)]
    offsets += [0, -1, rng.choice(offsets)]
    return [
        Publication(
            number=number,
            release_key=str(number % len(HOURS)),
            effective_at=read(written(change + offset * MINUTE)),
            published_at=change - NEAR,
            published_by="pat",
            kind=PublicationKind.PUBLISH,
            withdrawn_at=change - NEAR if rng.random() < 0.2 else None,
        )
        for number, offset in enumerate(offsets, 1)
    ]


def expected(told: Sequence[Publication], minutes: Sequence[dt.datetime]) -> list[int | None]:
    """Return the number in force in each minute, by walking them."""
    begins: dict[str, list[int]] = {}
    for one in told:
        if one.withdrawn_at is None:
            begins.setdefault(written(one.effective_at), []).append(one.number)
    found: list[int | None] = []
    current: int | None = None
    for minute in minutes:
        current = max(begins.get(written(minute), ()), default=current)
        found.append(current)
    return found


def wrong_answers(change: dt.datetime, rule: Rule, rng: random.Random) -> list[str]:
    """Return where release or hours differ from the walk, in every minute around a change."""
    seen, told = walk(change), drawn(change, rng)
    minutes = [one for one in seen.minutes if abs(one - change) <= NEAR]
    windows = [TimeWindow(start=start, end=end, zone=PACIFIC) for start, end in HOURS]
    opened: list[list[Stretch]] = [
        [*stretches(seen, start, end, frozenset(range(7))).values()] for start, end in HOURS
    ]
    wrong = []
    for minute, number in zip(minutes, expected(told, minutes), strict=True):
        found = rule(told, minute)
        if (None if found is None else found.number) != number:
            wrong.append(f"{minute}: {found}, not {number}")
        elif found is not None:
            kind = int(found.release_key)
            is_open = any(begin <= minute < end for begin, end in opened[kind])
            if (windows[kind].open_at(minute) is not None) != is_open:
                wrong.append(f"{minute}: open is not {is_open}")
    return wrong


def test_no_minute_near_a_change_of_the_clocks_has_another_release_or_other_hours() -> None:
    rng = random.Random(2031)
    wrong = [one for change in CHANGES for one in wrong_answers(change, in_force_at, rng)]
    assert wrong == []


def by_wall(told: Sequence[Publication], instant: dt.datetime) -> Publication | None:
    """The known-bad twin: walls are compared, without their offset."""

    def wall(at: dt.datetime) -> dt.datetime:
        return at.astimezone(PACIFIC).replace(tzinfo=None)

    begun = [
        one for one in told if one.withdrawn_at is None and wall(one.effective_at) <= wall(instant)
    ]
    return max(begun, key=lambda one: (wall(one.effective_at), one.number), default=None)


def by_number(told: Sequence[Publication], instant: dt.datetime) -> Publication | None:
    """The known-bad twin: the last that was published wins, though another began later."""
    begun = [one for one in told if one.withdrawn_at is None and one.effective_at <= instant]
    return max(begun, key=lambda one: one.number, default=None)


def with_withdrawn(told: Sequence[Publication], instant: dt.datetime) -> Publication | None:
    """The known-bad twin: what was taken back is in force."""
    begun = [one for one in told if one.effective_at <= instant]
    return max(begun, key=lambda one: one.rank, default=None)


@pytest.mark.parametrize("rule", [by_wall, by_number, with_withdrawn])
def test_a_wrong_rule_is_found_out(rule: Rule) -> None:
    rng = random.Random(2031)
    assert [one for change in CHANGES[:4] for one in wrong_answers(change, rule, rng)]


def test_the_next_instant_is_the_one_at_which_the_release_changes_next() -> None:
    rng = random.Random(7)
    for change in CHANGES:
        told = drawn(change, rng)
        instant: dt.datetime = change - NEAR
        met = []
        while ahead := scheduled_after(told, instant):
            instant = ahead[0].effective_at
            met.append(instant)
        assert met == sorted({one.effective_at for one in told if one.withdrawn_at is None})
