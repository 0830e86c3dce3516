"""What changed, told to listeners outside: many streams over one feed.

The last events stand encoded in memory, once for all listeners, and a listener is a number in the
feed: it is sent what follows its number. What is older than memory holds is read from the store. So
a listener that comes back with the number that it saw last misses nothing and is told nothing
twice, and one that is slow costs no memory.

What lives here: which changes are told and how they are written (text/event-stream), and what a
listener gets next. What does not: HTTP (`api.routes.events`).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import Struct

from api.answer_schemas import utc_text
from api.errors import StoreError
from api.metrics import Tally
from api.store.changes import READ_MAX, NumberedChange, changes_after, head_of
from api.store.database import Database

HEARTBEAT_S: Final = 15.0
RECENT_MAX: Final = 1_000
"""Events that are kept in memory: how far a listener may fall behind before it is sent away."""
CHUNK_MAX: Final = 100
"""Events that are written at once."""
STREAM_S_MAX: Final = 900.0
"""After how long a stream ends, so that one whose key was revoked does not hear on."""
RETRY_MS: Final = 1_000
"""After how long a listener is asked to come back."""


class EventType(StrEnum):
    """What an event is about.

    unit: units of the roster are others now. call: a version or a recommendation of a call.
    queue: what became of a call that waits. claim: units are held for a call, or no longer.
    alert: a safety alert was raised or acknowledged. release: zones or policies are others now.
    """

    UNIT = "unit"
    CALL = "call"
    QUEUE = "queue"
    CLAIM = "claim"
    ALERT = "alert"
    RELEASE = "release"


RESYNC: Final = "RESYNC"


class ResyncReason(StrEnum):
    """Why a listener has to read everything anew, or to come back.

    PRUNED: what followed its number is no longer kept. AHEAD: its number is not reached yet,
    because the store is another one. TOO_SLOW: it fell behind and is sent away; what it misses it
    is told when it comes back.
    """

    PRUNED = "PRUNED"
    AHEAD = "AHEAD"
    TOO_SLOW = "TOO_SLOW"


class _Topic(Struct, frozen=True):
    type: EventType
    key: str
    """What the key of such a change is called."""


TOPICS: Final[Mapping[str, _Topic]] = {
    "units": _Topic(EventType.UNIT, "roster_version"),
    "call": _Topic(EventType.CALL, "incident_id"),
    "queue": _Topic(EventType.QUEUE, "incident_id"),
    "claim": _Topic(EventType.CLAIM, "claim_id"),
    "alert": _Topic(EventType.ALERT, "alert_id"),
    "release": _Topic(EventType.RELEASE, "publication"),
}
"""Topics of the feed that are told outside."""


class Event(Struct, frozen=True):
    """One event as it is sent."""

    number: int
    type: EventType | None
    """None for a change that is not told outside."""
    frame: bytes


def event_of(change: NumberedChange) -> Event:
    """Return a change as it is told."""
    topic = TOPICS.get(change.topic)
    if topic is None:
        return Event(change.change_id, None, b"")
    data: dict[str, Any] = {"number": change.change_id, "at": utc_text(change.at)}
    data |= {"instance": change.instance, topic.key: change.key, **change.said}
    return Event(change.change_id, topic.type, frame(topic.type, data, change.change_id))


def frame(kind: str, data: Mapping[str, Any], number: int | None) -> bytes:
    """Return an event as it is written; without a number it leaves a listener's own as it is."""
    told = b"" if number is None else b"id: %d\n" % number
    return b"%sevent: %s\ndata: %s\n\n" % (told, kind.encode(), msgspec.json.encode(data))


def resync_frame(reason: ResyncReason, number: int, after: int) -> bytes:
    """Return the event that says that everything is to be read anew, or that one may come back."""
    data = {"reason": reason, "after": after, "resume_after": number}
    return frame(RESYNC, data, number)


class Streams:
    """The streams of one service.

    Parameters
    ----------
    number
        Of the feed, up to which listeners are told already.
    """

    def __init__(
        self,
        database: Database,
        number: int,
        *,
        ended: Tally,
        heartbeat_s: float = HEARTBEAT_S,
        stream_s_max: float = STREAM_S_MAX,
    ) -> None:
        self.database = database
        self.number = number
        self.heartbeat_s = heartbeat_s
        self.stream_s_max = stream_s_max
        self.is_open = True
        self._loop = asyncio.get_running_loop()
        self._recent: deque[Event] = deque(maxlen=RECENT_MAX)
        self._streams: set[Stream] = set()
        self._ended = ended

    @property
    def clients(self) -> int:
        """How many listeners there are."""
        return len(self._streams)

    # -- from the follower's thread ---------------------------------------------------------------

    def told(self, changes: Sequence[NumberedChange]) -> None:
        """Take changes."""
        events = [event_of(change) for change in changes]
        self._loop.call_soon_threadsafe(self._add, events)

    def resync(self, number: int) -> None:
        """Go on from a number; what came before is in the store, or is gone."""
        self._loop.call_soon_threadsafe(self._skip_to, number)

    # -- on the event loop ------------------------------------------------------------------------

    def _add(self, events: Sequence[Event]) -> None:
        self._recent.extend(events)
        self.number = events[-1].number
        self._wake()

    def _skip_to(self, number: int) -> None:
        self._recent.clear()
        self.number = number
        for stream in self._streams:
            stream.is_live = False  # it reads on from the store, which says what is gone
        self._wake()

    def _wake(self) -> None:
        for stream in self._streams:
            stream.turn.set()

    def opened(self, after: int | None, types: Collection[EventType]) -> "Stream":
        """Return a new stream of what follows a number, by default of what comes from now on."""
        stream = Stream(self, self.number if after is None else after, frozenset(types))
        stream.is_live = after is None
        if self.is_open:
            self._streams.add(stream)
        else:
            stream.end("STOPPING")
        return stream

    def closed(self, stream: "Stream") -> None:
        """Forget a stream."""
        if stream in self._streams:
            self._streams.discard(stream)
            self._ended.add(stream.why)

    def close(self) -> None:
        """End all streams; what was told already is written."""
        self.is_open = False
        for stream in self._streams:
            stream.end("STOPPING")

    def recent(self, number: int) -> list[Event] | None:
        """Return what follows a number; None when memory does not reach back so far."""
        if not self._recent or self._recent[0].number > number + 1:
            return None
        skipped = number + 1 - self._recent[0].number
        return list(islice(self._recent, skipped, skipped + CHUNK_MAX))


class Stream:
    """One listener: a number in the feed, and what it wants to hear of."""

    def __init__(self, streams: Streams, number: int, types: frozenset[EventType]) -> None:
        self.streams = streams
        self.number = number
        """It was sent all up to this one."""
        self.types = types
        self.is_live = False
        """Whether it has caught up once."""
        self.turn = asyncio.Event()
        self.why = "GONE"
        """How it ended."""
        self._is_open = True

    def end(self, why: str = "GONE") -> None:
        """Let `frames` end soon."""
        if self._is_open:
            self._is_open, self.why = False, why
            self.turn.set()

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield what is to be written next, until somebody ends it.

        The first says where it begins, so that one who is lost before the first event can come back
        too.
        """
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + self.streams.stream_s_max
        yield b"retry: %d\nid: %d\n: connected\n\n" % (RETRY_MS, self.number)
        while self._is_open:
            due_s = loop.time() + self.streams.heartbeat_s
            written = b""
            while not written and self._is_open:
                written = await self._next(due_s - loop.time())
                if not written and loop.time() >= due_s:
                    written = b": heartbeat\nid: %d\n\n" % self.number
            if written:
                yield written
            if loop.time() >= ends_s:
                self.end("TIME_OVER")

    async def _next(self, seconds: float) -> bytes:
        """Return what is to be written, nothing where there is none within so many seconds."""
        streams, told = self.streams, b""
        self.turn.clear()
        if self.is_live and self.number >= streams.number:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.turn.wait(), max(seconds, 0.0))
            return told
        events = streams.recent(self.number) if self.number < streams.number else None
        if events is not None:
            told = self._taken(events)
        elif self.is_live:
            told = self._sent_away()
        else:
            told = await self._read()
        self.is_live = self.is_live or self.number >= streams.number
        return told

    def _taken(self, events: Sequence[Event]) -> bytes:
        """Take events and return those that are wanted, as they are written."""
        if events:
            self.number = events[-1].number
        return b"".join([event.frame for event in events if event.type in self.types])

    def _sent_away(self) -> bytes:
        self.end("TOO_SLOW")
        return resync_frame(ResyncReason.TOO_SLOW, self.number, self.number)

    async def _read(self) -> bytes:
        """Return what the store has after the number."""
        try:
            head, found = await asyncio.to_thread(self._read_store)
        except StoreError:
            self.end("STORE_UNAVAILABLE")
            return b": the store cannot be reached\n\n"
        if self.number > head:
            return self._moved_to(head, ResyncReason.AHEAD)
        if not found and self.number < head:
            return self._moved_to(head, ResyncReason.PRUNED)
        if found and found[0].change_id != self.number + 1:
            return self._moved_to(found[0].change_id - 1, ResyncReason.PRUNED)
        whole = [one for i, one in enumerate(found) if one.change_id == self.number + 1 + i]
        return self._taken([event_of(change) for change in whole])

    def _moved_to(self, number: int, reason: ResyncReason) -> bytes:
        after, self.number = self.number, number
        return resync_frame(reason, number, after)

    def _read_store(self) -> tuple[int, list[NumberedChange]]:
        with self.streams.database.reading() as connection:
            head = head_of(connection)
            return head, changes_after(connection, self.number, READ_MAX)
