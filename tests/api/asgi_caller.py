"""Calls of the app without a network: the ASGI scope in, the bytes out, in tens of microseconds.

The test client starts a thread and a portal for each request; thousands of requests want less.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Message

from api.app import make_app
from api.desk import Desk
from api.live_roster import LiveRoster
from api.live_view import LiveView
from api.replay.sources import sources_of
from api.settings import Settings
from api.store.memory import MemoryRoster

JSON: Mapping[str, str] = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def media_type(self) -> str:
        found = dict(self.headers).get(b"content-type", b"").decode()
        return found.partition(";")[0]


def ready_app(view: LiveView, **settings: Any) -> FastAPI:
    """Return an app that is ready at once, without a lifespan: none may close it after a while."""
    app = make_app(Settings(**settings), load=lambda _settings, _stage: view)
    app.router.lifespan_context = _nothing
    app.state.service.live = LiveRoster(MemoryRoster(), view)
    return app


@contextmanager
def ready_desk(view: LiveView, **settings: Any) -> Iterator[FastAPI]:
    """Yield an app with a store, ready for requests of many event loops; its studies wait."""
    folder = Path(tempfile.mkdtemp(prefix="tandem-desk-", dir=_FAST if _FAST.is_dir() else None))
    studies: dict[str, Any] = {
        "studies_folder": folder / "studies", "studies_waiting_max": 1_000, "studies_paused": True,
    }  # fmt: skip
    app = ready_app(view, store=str(folder / "store.sqlite"), **studies | settings)
    service = app.state.service
    desk = Desk.opened(
        service.settings.store,
        instance="main",
        now=service.now,
        log=service.log,
        sources=sources_of(service.settings, view.situation.network),
    )
    live = LiveRoster.opened(desk.roster, view)
    desk.mirror_claims(live)

    async def become_ready() -> None:
        service.become_ready(live, desk)

    loop = asyncio.new_event_loop()  # for what is told to listeners, of whom there are none
    loop.run_until_complete(become_ready())
    yield app
    loop.run_until_complete(service.queue.keeper.close())
    service.close()
    loop.close()
    shutil.rmtree(folder)


_FAST: Final = Path("/dev/shm")


@asynccontextmanager
async def _nothing(_app: object) -> AsyncIterator[None]:
    yield


async def call(
    app: ASGIApp, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = JSON
) -> Reply:
    """Send one request and return its reply."""
    parts = [body]
    sent: list[Message] = []

    async def receive() -> Message:
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(), "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    plain, _, query = path.partition("?")
    named = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await app(
        {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": plain,
            "raw_path": plain.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [*named, (b"content-length", str(len(body)).encode())],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 80),
        },
        receive,
        send,
    )
    start, *rest = sent
    return Reply(
        status=start["status"],
        headers=tuple(start["headers"]),
        body=b"".join(message.get("body", b"") for message in rest),
    )
