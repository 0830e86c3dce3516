"""Who is refused when requests are too many: reads first, then feeds, calls, what is urgent last.

A plain ASGI layer before everything else. It counts the requests of all kinds that are in hand or
wait. A read or a feed is refused when there are as many as its own limit, so that they are shed
while calls still have room; a call begins, or waits its turn in a short line (`api.turns`), or is
refused when that is full. Urgent are reports of a unit's status and SPD_ADD: CARE in trouble. They
go before all other calls. A refusal is bytes made beforehand. Whether the process is alive and
ready is always answered; streams of events, which last, have a limit of their own
(`event_clients_max`).

What a call waits for is bounded without cutting it off (rule 12): before it, by the line; after it
is decided, by `record_s_max`, when the answer goes out with `recorded: false`. Other requests get
an answer after `request_s_max`, whatever holds them up.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from enum import StrEnum
from typing import Any, Final, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.body import Begun
from api.error_answers import problem_response
from api.errors import Overloaded, TandemError, TookTooLong
from api.metrics import Metrics
from api.settings import Settings
from api.turns import Turns


class Kind(StrEnum):
    """What a request is for, the last to be refused first."""

    HEALTH = "HEALTH"
    URGENT = "URGENT"
    CALLS = "CALLS"
    FEEDS = "FEEDS"
    READS = "READS"
    STREAMS = "STREAMS"


HEALTH_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
STREAM_PATH: Final = "/v1/events"
UNITS_PATH: Final = "/v1/units"
WORKSHOP_PATHS: Final = ("/v1/drafts", "/v1/releases", "/ogc/")
"""Where releases are worked on, and maps drawn, which never takes room from calls."""
STATUS_ENDING: Final = "/status"
RECOMMEND_PATH: Final = "/v1/recommend-units"
URGENT_WORD: Final = b'"SPD_ADD"'
"""Wherever it stands in the body of a recommendation."""
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_CALLS: Final = Kind.CALLS  # a member of an enumeration is looked up much more slowly
_LIMITED_S: Final = frozenset({Kind.FEEDS, Kind.READS})

_BY_HAND: Final = "Calls are refused too; pair by hand until this is over."
_WORDS: Final[Mapping[Kind, str]] = {
    Kind.URGENT: _BY_HAND,
    Kind.CALLS: _BY_HAND,
    Kind.FEEDS: "Calls are still answered. Send fewer and larger writes.",
    Kind.READS: "Calls are still answered. Ask less often.",
    Kind.STREAMS: "As many listeners as may be are connected; end one of them.",
}


def kind_of(method: str, path: str) -> Kind:
    """Return what a request is for, by its method and address alone.

    What a CAD tells of a unit on a call is urgent; all other writes of the roster are feeds.
    """
    if method in _READING:
        if path in HEALTH_PATHS:
            return Kind.HEALTH
        return Kind.STREAMS if path == STREAM_PATH else Kind.READS
    if path.startswith(WORKSHOP_PATHS):
        return Kind.FEEDS
    if path.startswith(UNITS_PATH):
        return Kind.URGENT if path.endswith(STATUS_ENDING) else Kind.FEEDS
    return _CALLS


class InHand:
    """The requests that are in hand or wait, and the limits of each kind."""

    __slots__ = ("limits", "refusals", "shed", "streams", "turns", "wait_s")

    def __init__(self, settings: Settings, metrics: Metrics, turns: Turns | None = None) -> None:
        calls_max = settings.calls_in_hand_max
        self.turns = turns or Turns(
            in_hand_max=calls_max,
            waiting_max=settings.calls_waiting_max,
            wait_s_max=settings.calls_wait_s_max,
        )
        """Of all kinds but health and streams."""
        self.streams = 0
        """Streams that are open."""
        self.limits: dict[Kind, int] = {
            Kind.FEEDS: min(settings.feeds_in_hand_max, calls_max),
            Kind.READS: min(settings.reads_in_hand_max, settings.feeds_in_hand_max, calls_max),
            Kind.STREAMS: settings.event_clients_max,
        }
        self.shed, self.wait_s = metrics.shed, metrics.wait_s
        self.refusals = {kind: _messages(_overloaded(kind)) for kind in _WORDS}

    async def refuse(self, kind: Kind, send: Send) -> None:
        """Answer 503 at once."""
        self.shed.add(kind)
        start, body = self.refusals[kind]
        await send(start)
        await send(body)


def limited(app: ASGIApp, in_hand: InHand, kind: Kind) -> ASGIApp:
    """Return an app that serves reads, or feeds, within their limit."""
    limit, turns = in_hand.limits[kind], in_hand.turns

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if turns.in_hand + turns.waiting >= limit:
            await in_hand.refuse(kind, send)
            return
        turns.in_hand += 1
        try:
            await app(scope, receive, send)
        finally:
            turns.end()

    return serve


def in_turn(app: ASGIApp, in_hand: InHand, kind: Kind) -> ASGIApp:
    """Return an app that serves calls, or what is urgent, each in its turn."""
    turns = in_hand.turns

    async def wait(scope: Scope, receive: Receive, send: Send) -> Receive | None:
        """Return what gives the body once it is its turn; None where it was refused."""
        is_urgent = kind is Kind.URGENT
        if not is_urgent and scope["path"] == RECOMMEND_PATH:
            receive, begun = _again(receive)
            is_urgent = begun.came is not None and URGENT_WORD in begun.came.get("body", b"")
        as_kind = Kind.URGENT if is_urgent else kind
        if not turns.has_room(is_urgent=is_urgent):
            turns.note_refusal()
            await in_hand.refuse(as_kind, send)
            return None
        in_hand.wait_s.observe((as_kind, await turns.wait(is_urgent=is_urgent)))
        return receive

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if not turns.take():
            receives = await wait(scope, receive, send)
            if receives is None:
                return
            receive = receives
        try:
            await app(scope, receive, send)
        finally:
            turns.end()

    return serve


def _again(receive: Receive) -> tuple[Receive, Begun]:
    """Look at what has come of a body, without waiting, and return what gives it once more."""
    begun = Begun(cast(Coroutine[Any, Any, Message], receive()))
    looked_at = [begun]

    async def again() -> Message:
        return await (looked_at.pop() if looked_at else receive())

    return again, begun


def limited_streams(app: ASGIApp, in_hand: InHand) -> ASGIApp:
    """Return an app that serves as many streams at a time as may be open."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if in_hand.streams >= in_hand.limits[Kind.STREAMS]:
            await in_hand.refuse(Kind.STREAMS, send)
            return
        in_hand.streams += 1
        try:
            await app(scope, receive, send)
        finally:
            in_hand.streams -= 1

    return serve


class Limited:
    """The layer before an app that serves requests of all kinds."""

    def __init__(self, app: ASGIApp, *, in_hand: InHand) -> None:
        self.app = app
        self.in_hand = in_hand
        self.calls = in_turn(app, in_hand, Kind.CALLS)
        self.by_kind: dict[Kind, ASGIApp] = {
            Kind.HEALTH: app,
            Kind.URGENT: in_turn(app, in_hand, Kind.URGENT),
            Kind.FEEDS: limited(app, in_hand, Kind.FEEDS),
            Kind.READS: limited(app, in_hand, Kind.READS),
            Kind.STREAMS: limited_streams(app, in_hand),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        kind = kind_of(scope["method"], scope["path"])
        app = self.calls if kind is _CALLS else self.by_kind[kind]
        await app(scope, receive, send)


class Deadline:
    """The layer that answers feeds and reads in time, whatever holds them up.

    Parameters
    ----------
    request_s_max
        Seconds after which they are answered 503, if they have no answer yet.
    """

    def __init__(self, app: ASGIApp, *, request_s_max: float) -> None:
        self.app = app
        self.request_s_max = request_s_max
        self.late = _messages(
            TookTooLong(
                f"The request was not done after {request_s_max:g} s.",
                remedy="Ask again with the same Idempotency-Key: a write may have been kept.",
            )
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or kind_of(scope["method"], scope["path"]) not in _LIMITED_S:
            await self.app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        limit = asyncio.timeout(self.request_s_max)
        try:
            async with limit:
                await self.app(scope, receive, watched)
        except TimeoutError:
            if begun or not limit.expired():
                raise
            for message in self.late:
                await send(message)


def _overloaded(kind: Kind) -> Overloaded:
    return Overloaded("As many requests as may be are in hand.", remedy=_WORDS[kind])


def _messages(error: TandemError) -> tuple[Message, Message]:
    """Return the two messages of a refusal, which can be sent as often as one likes."""
    response = problem_response(error)
    start: Message = {
        "type": "http.response.start",
        "status": response.status_code,
        "headers": response.raw_headers,
    }
    return start, {"type": "http.response.body", "body": bytes(response.body)}
