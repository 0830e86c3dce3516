"""One view, one store of what it rests on, and records of single requests."""

import datetime as dt
import json
from functools import cache
from typing import Any

from msgspec.structs import replace

from api.live_view import LiveView
from api.operations import Decider, recommend_units
from api.recording import Record
from api.replay.block import UnitBlocks
from api.replay.library import Library, Streets
from api.replay.record import SeenRecord, encode, seen_record
from api.replay.sources import MemoryShelf, Sources, sources_of
from api.settings import Settings
from api.store.calls import CallStore
from routing.codes import Mode, Outcome
from routing.recommend import recommend
from tests.api.builtin_view import builtin_view
from tests.api.requests_made import as_bytes, request

NOW = dt.datetime(2026, 7, 21, 20, 5, 2, 120_000, tzinfo=dt.UTC)


@cache
def sources() -> Sources:
    return sources_of(Settings(), builtin_view().situation.network)


@cache
def streets() -> Streets:
    return Streets.of(builtin_view().situation)


def library(*others: Sources) -> Library:
    return Library(MemoryShelf(sources(), *others), streets())


def row_of(record: SeenRecord) -> Record:
    """Return a record as the store takes it."""
    answer = json.loads(record.answer)
    return Record(
        recommendation_id=record.recommendation_id,
        incident_id=answer["incident_id"],
        incident_version=answer["incident_version"],
        decided_at=record.decided_at,
        outcome=Outcome(answer["outcome"]),
        mode=None if answer["mode"] is None else Mode(answer["mode"]),
        answer=record.answer,
        seen=encode(replace(record, answer=b"")),
        request=record.body,
        operator=None,
        decided=None,
    )


def recorded(
    made: Any = None,
    *,
    view: LiveView | None = None,
    calls: CallStore | None = None,
    at: dt.datetime = NOW,
    decide: Decider = recommend,
) -> SeenRecord:
    """Return what a request saw when it was answered by a view."""
    view = view or builtin_view()
    body = as_bytes(request(as_of=None) if made is None else made)
    answered = recommend_units(view, body, now=lambda: at, calls=calls, decide=decide)
    return seen_record(answered, body, sources(), UnitBlocks())
