"""Too many requests at once: reads are refused before feeds, feeds before calls, health never."""

import asyncio
import timeit
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.app import make_app
from api.limits import Deadline, InHand, Kind, Limited, kind_of, limited
from api.live_view import LiveView
from api.metrics import Metrics
from api.settings import Settings
from tests.api.call_story import ASK, told
from tests.api.waiting import wait_until

SETTINGS = Settings(calls_in_hand_max=6, feeds_in_hand_max=4, reads_in_hand_max=2)
DOOR = {"type": "http", "method": "POST", "path": "/v1/recommend-units"}
PATHS = {
    Kind.HEALTH: ("GET", "/readyz"),
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
        ("POST", "/v1/units/CARE2/status", Kind.CALLS),
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
        self.entered = 0
        self.go = asyncio.Event()

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.entered += 1
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
        caller = Caller(Limited(held, in_hand=InHand(SETTINGS, metrics.shed)))
        await story(held, caller, metrics)
        held.go.set()
        await asyncio.gather(*caller.tasks)

    asyncio.run(run())


def test_reads_are_refused_first_then_feeds_then_calls_and_health_never() -> None:
    async def story(held: Held, caller: Caller, metrics: Metrics) -> None:
        admitted = dict.fromkeys((Kind.READS, Kind.FEEDS, Kind.CALLS), 0)
        for kind in (Kind.READS, Kind.FEEDS, Kind.CALLS):
            while not await caller.ask(kind):
                admitted[kind] += 1
        assert admitted == {Kind.READS: 2, Kind.FEEDS: 2, Kind.CALLS: 2}
        assert await caller.ask(Kind.HEALTH) == []
        assert held.entered == 7
        for kind in (Kind.READS, Kind.FEEDS, Kind.CALLS):
            assert f'tandem_shed_total{{kind="{kind}"}} 1.0' in metrics.text().decode()

    running(story)


def test_a_refusal_says_when_to_come_back_without_a_look_at_the_body() -> None:
    async def story(_held: Held, caller: Caller, _metrics: Metrics) -> None:
        for _ in range(6):
            await caller.ask(Kind.CALLS)
        start, body = await caller.ask(Kind.CALLS)
        assert start["status"] == 503
        assert (b"retry-after", b"1") in start["headers"]
        assert b'"code":"OVERLOADED"' in body["body"]

    running(story)


def test_room_is_given_back_however_a_request_ends() -> None:
    async def fails(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ConnectionError

    async def run() -> None:
        in_hand = InHand(SETTINGS, Metrics().shed)
        app = limited(fails, in_hand, Kind.CALLS)
        for _ in range(10):
            with pytest.raises(ConnectionError):
                await app({"type": "http"}, never, never)  # type: ignore[arg-type]
        assert in_hand.requests == 0

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
        in_hand = app.state.in_hand
        in_hand.requests = 1
        assert client.get("/v1/units").status_code == 503
        assert client.post(ASK, json=told()).status_code == 200
        in_hand.requests = 2
        refused = client.post(ASK, content=b"not even JSON")
        assert (refused.status_code, refused.json()["code"]) == (503, "OVERLOADED")
        assert client.get("/readyz").status_code == 200
        in_hand.requests = 0
        assert client.get("/v1/units").status_code == 200


def test_the_layer_before_the_door_costs_less_than_two_microseconds() -> None:
    async def nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
        return

    def runs(app: ASGIApp) -> Callable[[], None]:
        def once() -> None:
            serving = app(DOOR, never, never)  # type: ignore[arg-type]
            try:
                serving.send(None)  # type: ignore[attr-defined]
            except StopIteration:
                return

        return once

    behind = Limited(nothing, in_hand=InHand(SETTINGS, Metrics().shed))
    n = 2_000
    took_s = [min(timeit.repeat(runs(app), number=n, repeat=50)) / n for app in (behind, nothing)]
    assert took_s[0] - took_s[1] < 2e-6
