"""Requests leave no work for the garbage collector, so it never stops one of them."""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

from api.app import App, make_app
from api.live_roster import LiveRoster
from api.live_view import LiveView
from api.routes.recommend_units import PATH
from api.settings import Settings
from api.store.memory import MemoryRoster
from tests.api.requests_made import as_bytes, request

REQUESTS = 50


async def answer(app: App, body: bytes) -> int:
    """Serve one request without a client, whose own garbage would be counted too."""
    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": PATH, "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    await app(scope, receive, send)
    return int(statuses[0])


def garbage_of(serve: Callable[[], Any]) -> int:
    """Return how many objects only the collector could free after so many calls."""

    async def many() -> int:
        await serve()
        gc.collect()
        for _ in range(REQUESTS):
            await serve()
        return gc.collect()

    gc.disable()
    try:
        return asyncio.run(many())
    finally:
        gc.enable()


def test_requests_make_no_reference_cycles(view: LiveView) -> None:
    app = make_app(Settings(log_level="error"))
    app.state.service.become_ready(LiveRoster(MemoryRoster(), view))

    async def serve() -> None:
        assert await answer(app, as_bytes(request())) == 200

    assert garbage_of(serve) == 0


def test_a_cycle_would_be_found() -> None:
    async def serve() -> None:
        ring: list[Any] = []
        ring.append(ring)

    assert garbage_of(serve) >= REQUESTS
