"""Too many requests at once: reads are refused before feeds, feeds before calls, what is urgent
last, and health never."""

import asyncio
from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any

import pytest
import uvloop
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.app import make_app
from api.limits import RECOMMEND_PATH, Deadline, InHand, Kind, Limited, in_turn, kind_of, limited
from api.live_view import LiveView
from api.metrics import Metrics
from api.settings import Settings
from api.turns import BEGUN_A_PASS_MAX
from tests.api.call_story import ASK, told
from tests.api.waiting import wait_until

SETTINGS = Settings(
    calls_in_hand_max=6, calls_waiting_max=1, feeds_in_hand_max=4, reads_in_hand_max=2
)
DOOR = {"type": "http", "method": "POST", "path": "/v1/recommend-units"}
PATHS = {
    Kind.HEALTH: ("GET", "/readyz"),
    Kind.URGENT: ("POST", "/v1/units/CARE2/status"),
    Kind.CALLS: ("POST", "/v1/recommendations/rec_1/confirm"),
    Kind.FEEDS: ("POST", "/v1/units/positions"),
    Kind.READS: ("GET", "/v1/units"),
    Kind.STREAMS: ("GET", "/v1/events"),
}


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/healthz", Kind.HEALTH),
        ("GET", "/readyz", Kind.HEALTH),
        ("GET", "/metrics", Kind.HEALTH),
        ("POST", "/v1/recommend-units", Kind.CALLS),
        ("POST", "/v1/recommend-units/batch", Kind.CALLS),
        ("PUT", "/v1/incidents/2026000214377", Kind.CALLS),
        ("POST", "/v1/incidents/a/b/override", Kind.CALLS),
        ("POST", "/v1/recommendations/rec_1/confirm", Kind.CALLS),
        ("POST", "/v1/claims/c/release", Kind.CALLS),
        ("POST", "/v1/alerts/a/acknowledge", Kind.CALLS),
        ("POST", "/v1/units/CARE2/status", Kind.URGENT),
        ("PUT", "/v1/units", Kind.FEEDS),
        ("PUT", "/v1/units/CARE2", Kind.FEEDS),
        ("DELETE", "/v1/units/CARE2", Kind.FEEDS),
        ("POST", "/v1/units/positions", Kind.FEEDS),
        ("GET", "/v1/units", Kind.READS),
        ("GET", "/v1/incidents/2026000214377", Kind.READS),
        ("GET", "/openapi.json", Kind.READS),
        ("HEAD", "/anything", Kind.READS),
        ("GET", "/v1/events", Kind.STREAMS),
    ],
)
def test_each_request_is_of_one_kind(method: str, path: str, kind: Kind) -> None:
    assert kind_of(method, path) is kind


class Held:
    """An app whose requests wait until they are let go."""

    def __init__(self) -> None:
        self.entered: list[str] = []
        self.go = asyncio.Event()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.entered.append(scope["path"])
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


async def never() -> Message:
    raise AssertionError("the body was read")


class Caller:
    """Sends requests through the layer and keeps what they were answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.answers: list[list[Message]] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, kind: Kind) -> list[Message]:
        """Return the messages of an answer; empty as long as there is none."""
        method, path = PATHS[kind]
        said: list[Message] = []
        self.answers.append(said)

        async def send(message: Message) -> None:
            said.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": []}
        self.tasks.append(asyncio.ensure_future(_run(self.app(scope, never, send))))
        await asyncio.sleep(0)
        return said


async def _run(serving: Any) -> None:
    await serving


def running(story: Callable[[Held, Caller, Metrics], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        held, metrics = Held(), Metrics()
        caller = Caller(Limited(held, in_hand=InHand(SETTINGS, metrics)))
        await story(held, caller, metrics)
        held.go.set()
        await asyncio.gather(*caller.tasks)

    asyncio.run(run())


def test_reads_are_refused_first_then_feeds_then_calls_then_the_urgent_and_health_never() -> None:
    async def story(held: Held, caller: Caller, metrics: Metrics) -> None:
        kinds = (Kind.READS, Kind.FEEDS, Kind.CALLS, Kind.URGENT)
        admitted = dict.fromkeys(kinds, 0)
        for kind in kinds:
            while not await caller.ask(kind):
                admitted[kind] += 1
        assert admitted == {Kind.READS: 2, Kind.FEEDS: 2, Kind.CALLS: 3, Kind.URGENT: 1}
        assert await caller.ask(Kind.HEALTH) == []
        assert len(held.entered) == 7  # one call waits, and one that is urgent
        for kind in kinds:
            assert f'tandem_shed_total{{kind="{kind}"}} 1.0' in metrics.text().decode()

    running(story)


def test_who_waits_is_answered_in_turn_the_urgent_first_and_the_wait_is_counted() -> None:
    async def run() -> None:
        held, metrics = Held(), Metrics()
        caller = Caller(Limited(held, in_hand=InHand(SETTINGS, metrics)))
        for kind in (*[Kind.CALLS] * 7, Kind.URGENT):
            await caller.ask(kind)
        held.go.set()
        await asyncio.gather(*caller.tasks)
        assert held.entered[6:] == [PATHS[Kind.URGENT][1], PATHS[Kind.CALLS][1]]
        assert all(said[0]["status"] == 200 for said in caller.answers)
        assert 'tandem_wait_seconds_count{kind="URGENT"} 1.0' in metrics.text().decode()

    asyncio.run(run())


def test_room_is_counted_with_those_who_wait() -> None:
    async def story(_held: Held, caller: Caller, _metrics: Metrics) -> None:
        caller.app.in_hand.turns.calls.append((0.0, asyncio.Future()))  # type: ignore[attr-defined]
        assert await caller.ask(Kind.READS) == []
        assert await caller.ask(Kind.READS) != []
        caller.app.in_hand.turns.calls.clear()  # type: ignore[attr-defined]

    running(story)


@pytest.mark.parametrize(
    ("came", "kind"),
    [
        ([b'{"requested_mode":"SPD_ADD"}'], Kind.URGENT),
        ([b'{"requested_mode": "SPD_ADD", ', b'"incident": {}}'], Kind.URGENT),
        ([b'{"requested_mode":"DUAL"}'], Kind.CALLS),
        ([], Kind.CALLS),
    ],
)
def test_care_in_trouble_is_urgent_as_far_as_its_request_has_come(
    came: list[bytes], kind: Kind
) -> None:
    async def run() -> None:
        parts, more, bodies = iter(came), asyncio.Event(), []

        async def receive() -> Message:
            part = next(parts, None)
            if part is None:
                await more.wait()
            return {"type": "http.request", "body": part or b"late", "more_body": part is not None}

        async def reads(_scope: Scope, receive: Receive, _send: Send) -> None:
            while (message := await receive())["more_body"]:
                bodies.append(message["body"])

        in_hand = InHand(SETTINGS, Metrics())
        in_hand.turns.in_hand = 6
        app = in_turn(reads, in_hand, Kind.CALLS)
        serving = asyncio.ensure_future(_run(app({"path": RECOMMEND_PATH}, receive, _unsaid)))
        await asyncio.sleep(0)
        waits = {Kind.URGENT: in_hand.turns.urgent, Kind.CALLS: in_hand.turns.calls}
        assert [len(waits.pop(kind)), *map(len, waits.values())] == [1, 0]
        in_hand.turns.end()
        more.set()
        await serving
        assert bodies == came  # whole, and once

    asyncio.run(run())


async def _unsaid(_message: Message) -> None:
    raise AssertionError("it was answered")


def test_a_refusal_says_when_to_come_back_without_a_look_at_the_body() -> None:
    async def story(_held: Held, caller: Caller, _metrics: Metrics) -> None:
        for _ in range(7):
            await caller.ask(Kind.CALLS)
        turns = caller.app.in_hand.turns  # type: ignore[attr-defined]
        assert turns.refused_at_s < 0
        start, body = await caller.ask(Kind.CALLS)
        assert turns.refused_at_s > 0
        assert start["status"] == 503
        assert (b"retry-after", b"1") in start["headers"]
        assert b'"code":"OVERLOADED"' in body["body"]

    running(story)


def test_room_is_given_back_however_a_request_ends() -> None:
    async def fails(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ConnectionError

    async def run() -> None:
        in_hand = InHand(SETTINGS, Metrics())
        for app in (in_turn(fails, in_hand, Kind.CALLS), limited(fails, in_hand, Kind.READS)):
            for _ in range(10):
                with pytest.raises(ConnectionError):
                    await app({"path": "/"}, never, never)  # type: ignore[arg-type]
        assert in_hand.turns.in_hand == 0

    asyncio.run(run())


def test_a_stream_takes_no_room_from_others() -> None:
    async def story(_held: Held, caller: Caller, _metrics: Metrics) -> None:
        assert [await caller.ask(Kind.STREAMS) for _ in range(9)] == [[]] * 9
        assert [await caller.ask(Kind.READS) for _ in range(2)] == [[], []]

    running(story)


@pytest.mark.parametrize(
    ("kind", "status"), [(Kind.READS, 503), (Kind.FEEDS, 503), (Kind.CALLS, None)]
)
def test_reads_and_feeds_are_answered_in_time_and_calls_are_never_cut_off(
    kind: Kind, status: int | None
) -> None:
    async def run() -> None:
        held = Held()
        caller = Caller(Deadline(held, request_s_max=0.01))
        said = await caller.ask(kind)
        if status is None:
            await asyncio.wait(caller.tasks, timeout=0.05)
            assert said == []
            held.go.set()
        await asyncio.gather(*caller.tasks)
        assert [one["status"] for one in said[:1]] == [status or 200]

    asyncio.run(run())


def test_an_answer_that_has_begun_is_not_followed_by_another() -> None:
    async def half(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()

    async def run() -> None:
        caller = Caller(Deadline(half, request_s_max=0.01))
        said = await caller.ask(Kind.READS)
        with pytest.raises(TimeoutError):
            await asyncio.gather(*caller.tasks)
        assert len(said) == 1

    asyncio.run(run())


def test_the_service_refuses_reads_and_answers_calls_when_it_is_busy(view: LiveView) -> None:
    settings = Settings(log_level="error", calls_in_hand_max=2, reads_in_hand_max=1)
    app = make_app(settings, load=lambda _settings, _stage: view)
    with TestClient(app) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200, "the app is ready")
        turns = app.state.in_hand.turns
        turns.in_hand = 1
        assert client.get("/v1/units").status_code == 503
        assert client.post(ASK, json=told()).status_code == 200
        turns.in_hand, turns.waiting_max = 2, 0
        refused = client.post(ASK, content=b"not even JSON")
        assert (refused.status_code, refused.json()["code"]) == (503, "OVERLOADED")
        assert client.get("/readyz").status_code == 200
        turns.in_hand = 0
        assert client.get("/v1/units").status_code == 200


def test_the_layer_before_the_door_costs_less_than_two_microseconds() -> None:
    async def nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
        return

    async def once_s(app: ASGIApp) -> float:
        best_s, n = 1.0, BEGUN_A_PASS_MAX
        for _ in range(2_000):
            await asyncio.sleep(0)
            began_s = perf_counter()
            for _ in range(n):
                await app(DOOR, never, never)  # type: ignore[arg-type]
            best_s = min(best_s, (perf_counter() - began_s) / n)
        return best_s

    behind = Limited(nothing, in_hand=InHand(SETTINGS, Metrics()))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        took_s = [runner.run(once_s(app)) for app in (behind, nothing)]
    assert took_s[0] - took_s[1] < 2e-6
