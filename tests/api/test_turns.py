"""Calls begin a few at a time; a burst waits and is answered; a load that lasts is shed at once."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from api import turns as module
from api.settings import Settings
from api.turns import BEGUN_A_PASS_MAX, Turns


class Clock:
    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        return self.s


Story = Callable[[Turns, Clock], Coroutine[Any, Any, None]]


def told(story: Story, **limits: Any) -> None:
    """Run a story of turns as the service has them by default, with a clock of its own."""
    asked = Settings()
    chosen = {
        "in_hand_max": asked.calls_in_hand_max,
        "waiting_max": asked.calls_waiting_max,
        "wait_s_max": asked.calls_wait_s_max,
    } | limits
    clock = Clock()
    asyncio.run(story(Turns(now=clock, **chosen), clock))


async def call(turns: Turns, lasts: Callable[[], Coroutine[Any, Any, Any]], **said: bool) -> bool:
    """Ask for one call as the layer of limits does; return whether it was answered."""
    is_urgent = said.get("is_urgent", False)
    if not turns.take():
        if not turns.has_room(is_urgent=is_urgent):
            turns.note_refusal()
            return False
        await turns.wait(is_urgent=is_urgent)
    try:
        await lasts()
    finally:
        turns.end()
    return True


async def passes(n: int) -> None:
    for _ in range(n):
        await asyncio.sleep(0)


def begun_in_each_pass(n: int) -> list[int]:
    """Return how many of n calls that came at once were begun in each pass of the loop."""
    begun: Counter[int] = Counter()

    async def story(turns: Turns, _clock: Clock) -> None:
        number = 0

        async def notes() -> None:
            begun[number] += 1

        calls = [asyncio.ensure_future(call(turns, notes)) for _ in range(n)]
        while not all(one.done() for one in calls):
            await asyncio.sleep(0)
            number += 1
        assert all(one.result() for one in calls)

    told(story)
    return list(begun.values())


def test_of_a_burst_of_200_calls_none_is_refused_and_few_begin_in_one_pass() -> None:
    begun = begun_in_each_pass(200)
    assert sum(begun) == 200
    assert max(begun) <= BEGUN_A_PASS_MAX


def test_a_burst_that_is_begun_whole_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEGUN_A_PASS_MAX", 1_000)
    assert max(begun_in_each_pass(200)) > BEGUN_A_PASS_MAX


def test_a_refusal_is_decided_before_those_who_wait_have_begun() -> None:
    async def story(turns: Turns, _clock: Clock) -> None:
        calls = [asyncio.ensure_future(call(turns, lambda: passes(3))) for _ in range(300)]
        await passes(1)
        refused = [one for one in calls if one.done()]
        assert len(refused) == 300 - BEGUN_A_PASS_MAX - turns.waiting_max
        assert turns.in_hand == BEGUN_A_PASS_MAX
        assert sum(await asyncio.gather(*calls)) == 300 - len(refused)

    told(story)


def test_as_many_are_in_hand_as_may_be_and_each_gives_its_room_to_the_next() -> None:
    async def story(turns: Turns, _clock: Clock) -> None:
        go = asyncio.Event()
        calls = [asyncio.ensure_future(call(turns, go.wait)) for _ in range(100)]
        await passes(100)
        assert (turns.in_hand, turns.waiting) == (24, 76)
        go.set()
        assert all(await asyncio.gather(*calls))
        assert (turns.in_hand, turns.waiting) == (0, 0)

    told(story)


def test_once_calls_are_refused_the_line_is_short_until_a_second_has_gone_without() -> None:
    async def story(turns: Turns, clock: Clock) -> None:
        async def waiting_after_refusals() -> int:
            while turns.has_room(is_urgent=False):
                calls.append(asyncio.ensure_future(call(turns, go.wait)))
                await passes(1)
            turns.note_refusal()
            return turns.waiting

        go, calls = asyncio.Event(), list[asyncio.Future[bool]]()
        assert await waiting_after_refusals() == turns.waiting_max
        go.set()
        await asyncio.gather(*calls)
        go.clear()
        clock.s += 0.9
        assert await waiting_after_refusals() == turns.in_hand_max
        clock.s += 0.9  # since the last refusal, that of a moment ago
        assert not turns.has_room(is_urgent=False)
        go.set()
        await asyncio.gather(*calls)
        go.clear()
        clock.s += 1.0
        assert await waiting_after_refusals() == turns.waiting_max
        go.set()
        await asyncio.gather(*calls)

    told(story)


def test_while_the_first_has_waited_too_long_calls_are_refused_and_it_begins() -> None:
    async def story(turns: Turns, clock: Clock) -> None:
        go = asyncio.Event()
        calls = [asyncio.ensure_future(call(turns, go.wait)) for _ in range(26)]
        await passes(20)
        assert (turns.in_hand, turns.waiting) == (24, 2)
        clock.s += turns.wait_s_max
        assert turns.has_room(is_urgent=False)
        clock.s += 0.001
        assert not turns.has_room(is_urgent=False)
        assert not await call(turns, go.wait)
        assert (turns.in_hand, turns.waiting) == (26, 0)
        go.set()
        assert all(await asyncio.gather(*calls))

    told(story)


def test_what_is_urgent_goes_first_and_has_room_when_calls_have_none() -> None:
    async def story(turns: Turns, _clock: Clock) -> None:
        order: list[str] = []

        async def notes(name: str) -> None:
            order.append(name)

        def ask(name: str, *, is_urgent: bool) -> "asyncio.Future[bool]":
            return asyncio.ensure_future(call(turns, lambda: notes(name), is_urgent=is_urgent))

        turns.in_hand = turns.in_hand_max
        calls = [ask("call", is_urgent=False) for _ in range(turns.waiting_max)]
        await passes(1)
        assert not await ask("refused", is_urgent=False)
        urgent = [ask("urgent", is_urgent=True) for _ in range(2)]
        await passes(1)
        turns.end()
        assert all(await asyncio.gather(*calls, *urgent))
        assert order[:3] == ["urgent", "urgent", "call"]

    told(story)


@pytest.mark.parametrize("is_its_turn", [False, True])
def test_a_call_that_is_given_up_while_it_waits_takes_no_room(*, is_its_turn: bool) -> None:
    async def story(turns: Turns, _clock: Clock) -> None:
        turns.in_hand = turns.in_hand_max
        given_up = asyncio.ensure_future(call(turns, lambda: passes(1)))
        await passes(1)
        if is_its_turn:
            turns.end()
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        expected = turns.in_hand_max - is_its_turn
        assert (turns.in_hand, turns.waiting) == (expected, 0)

    told(story)


def test_nobody_overtakes_who_waits_when_room_is_given_back_within_a_pass() -> None:
    async def story(turns: Turns, _clock: Clock) -> None:
        turns.in_hand = 1
        assert turns.take()
        waits = asyncio.ensure_future(turns.wait(is_urgent=False))
        await asyncio.ensure_future(_given_back_in_this_pass(turns))
        await waits
        assert turns.in_hand == 2

    told(story, in_hand_max=2)


async def _given_back_in_this_pass(turns: Turns) -> None:
    turns.begun = 1  # something began in this pass, so that the next pass gives the turns
    asyncio.get_running_loop().call_soon(turns._next_pass)
    turns.end()
    assert not turns.take()
