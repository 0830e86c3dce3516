"""What a recommendation saw, as bytes and back."""

import json
import random
import zlib
from contextlib import suppress
from dataclasses import replace

import pytest

from api.live_view import LiveView
from api.replay.errors import DamagedRecord
from api.replay.record import MAGIC, VERSION, PastKind, decode, encode
from api.replay.sealing import HEAD_BYTES, sealed
from api.store.calls import MemoryCalls
from routing.live import with_roster
from routing.model import UnitSource
from tests.api.builtin_view import builtin_view
from tests.api.replay.recorded import NOW, recorded
from tests.api.replay.rosters import city
from tests.api.requests_made import as_bytes, request


def on_duty(n: int = 60) -> LiveView:
    view = builtin_view()
    return replace(view, on_duty=with_roster(view.on_duty, city(n)), roster_version=41)


def test_a_record_comes_back_as_it_was() -> None:
    for made in (request(as_of=None), request(units=None), request()):
        record = recorded(made, calls=MemoryCalls())
        assert decode(encode(record)) == record


def test_a_record_has_the_request_and_the_answer_byte_by_byte() -> None:
    made = request(as_of=None)
    record = recorded(made)
    assert record.body == as_bytes(made)
    answer = json.loads(record.answer)
    assert (record.recommendation_id, record.decided_at) == (answer["recommendation_id"], NOW)
    assert record.versions.weights_id == answer["basis"]["weights_id"]
    assert record.versions.emergency_weights_id.startswith("emergency-")
    assert record.versions.hour == 24 + 13  # Tuesday, one in the afternoon in Seattle


def test_the_units_are_kept_only_when_the_roster_was_read() -> None:
    assert recorded(request(as_of=None)).units == b""
    record = recorded(request(units=None), view=on_duty())
    assert record.versions.unit_source is UnitSource.ROSTER
    assert (len(record.units) > 1_000, record.versions.roster_version) == (True, 41)


def test_the_past_says_whether_it_was_asked_and_what_it_told() -> None:
    calls = MemoryCalls()
    first = recorded(request(as_of=None), calls=calls)
    again = recorded(request(as_of=None), calls=calls)
    assert [one.pasts[0].kind for one in (first, again)] == [PastKind.KNOWN] * 2
    assert first.pasts[0].known is None
    assert again.pasts[0].known is not None
    assert again.pasts[0].known.recommendation_id == first.recommendation_id
    assert recorded(request(), calls=calls).pasts[0].kind is PastKind.NONE  # with `as_of`


def test_a_record_with_any_byte_changed_is_refused() -> None:
    stored, rng = encode(recorded()), random.Random(3)
    for _ in range(300):
        place = rng.randrange(len(stored))
        changed = bytearray(stored)
        changed[place] ^= 1 + rng.randrange(255)
        with pytest.raises(DamagedRecord):
            decode(bytes(changed))


def test_sealed_nonsense_is_read_or_refused() -> None:
    rng, content = random.Random(5), encode(recorded())[HEAD_BYTES:]
    length = int.from_bytes(content[:4], "big")
    plain = zlib.decompress(content[4 : 4 + length])
    read = 0
    for _ in range(500):
        raw = bytearray(plain)
        raw[rng.randrange(len(raw))] = rng.randrange(256)
        stream = zlib.compress(bytes(raw), 1)
        told = len(stream) + rng.choice((0, 0, 0, -1, 2**31))
        with suppress(DamagedRecord):
            decode(sealed(told.to_bytes(4, "big") + stream, MAGIC, VERSION))
            read += 1
    assert 0 < read < 500
