"""GET /v1/events: what changes, as server-sent events."""

import asyncio
from contextlib import suppress
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.auth.guard import Gate
from api.errors import InvalidRequest, Problem
from api.event_streams import EventType, Stream, Streams
from api.observe import note
from api.service import Service

router = APIRouter(tags=["events"])

PATH: Final = "/v1/events"
MEDIA_TYPE: Final = "text/event-stream"
SEND_S_MAX: Final = 30.0
"""How long a listener may take to accept what is written before it is let go."""
CREDENTIALS_S: Final = 0.5
"""How often it is asked whether the listener's key still opens this."""
_DIGITS_MAX: Final = 18


class EventResponse(Response):
    """A stream until the listener goes, the service stops, or it is too slow.

    The framework's own response for server-sent events has no bound on how long one send may take.
    """

    media_type = MEDIA_TYPE

    def __init__(self, streams: Streams, stream: Stream) -> None:
        super().__init__(
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
            media_type=MEDIA_TYPE,
        )
        del self.headers["content-length"]
        self.streams = streams
        self.stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write until it ends."""
        gone = asyncio.create_task(self._watch(receive))
        ended = asyncio.create_task(self._watch_credentials(scope))
        try:
            start = {"status": 200, "headers": self.raw_headers}
            await send({"type": "http.response.start", **start})
            await self._write(send)
        finally:
            self.streams.closed(self.stream)
            gone.cancel()
            ended.cancel()
            note(scope, {"ended": self.stream.why})

    async def _write(self, send: Send) -> None:
        async for frame in self.stream.frames():
            body = {"type": "http.response.body", "body": frame, "more_body": True}
            try:
                await asyncio.wait_for(send(body), SEND_S_MAX)
            except TimeoutError:
                self.stream.end("TOO_SLOW")
                return
        with suppress(TimeoutError):
            await asyncio.wait_for(send({"type": "http.response.body", "body": b""}), SEND_S_MAX)

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.stream.end()

    async def _watch_credentials(self, scope: Scope) -> None:
        gate: Gate = scope["app"].state.gate
        is_admitted = True
        while is_admitted:
            await asyncio.sleep(CREDENTIALS_S)
            is_admitted = gate.still_admits(scope)
        self.stream.end("CREDENTIALS_ENDED")


@router.get(
    PATH,
    summary="What changes, as server-sent events",
    operation_id="stream_events",
    response_class=Response,
    responses={200: {"description": "A stream that ends only when one side goes"}},
)
async def stream(
    request: Request,
    after: str | None = None,
    topics: str | None = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Tell what changes from now on, or after the event that was seen last.

    `Last-Event-ID`, which wins, or `after` is the id of the last event that was seen; all after it
    are told, each once. `topics` names the types that are wanted, with commas. RESYNC says that
    everything is to be read anew, or, for TOO_SLOW, that the listener is sent away and may come
    back.
    """
    service: Service = request.app.state.service
    number = _number(last_event_id, "/header/Last-Event-ID")
    if number is None:
        number = _number(after, "/query/after")
    types = _types(topics)
    streams = service.current_streams()
    return EventResponse(streams, streams.opened(number, types))


def _number(told: str | None, path: str) -> int | None:
    if told is None or not told.strip():
        return None
    digits = told.strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX:
        return int(digits)
    raise _refused(path, "EVENT_ID_INVALID", "is no id of an event; expected a whole number")


def _types(told: str | None) -> frozenset[EventType]:
    if told is None:
        return frozenset(EventType)
    names = {name.strip() for name in told.split(",")}
    if not names <= set(EventType):
        known = ", ".join(EventType)
        raise _refused("/query/topics", "TOPIC_UNKNOWN", f"names none of {known}")
    return frozenset(map(EventType, names))


def _refused(path: str, code: str, detail: str) -> InvalidRequest:
    remedy = "Ask without it for what comes from now on, or read docs/events.md."
    problem = Problem(path=path, code=code, detail=detail, remedy=remedy)
    return InvalidRequest(f"{path}: {detail}.", remedy=remedy, problems=(problem,))
