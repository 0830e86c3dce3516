"""The bytes of answers, as one process makes them: `python -m tests.routing.answering TIMES`.

Prints one digest for each request, or stops when one request had two answers. `salted` after the
number lets the answers depend on the order of a set of texts: the twin that must be found.
"""

import hashlib
import json
import sys
from collections.abc import Callable

from api.live_view import LiveView, load_view
from api.operations import recommend_units
from api.settings import Settings
from geodata.pilot.area import pilot_demo_calls
from tests.api.requests_made import many_units, request

Answering = Callable[[LiveView, bytes], bytes]


def bodies() -> list[bytes]:
    """Return the demonstration calls, and a call with many units and its routes."""
    crowded = request(*many_units(150)) | {"options": {"explain": "ALL", "route": True}}
    return [json.dumps(one).encode() for one in (*(c.request for c in pilot_demo_calls()), crowded)]


def answer(view: LiveView, body: bytes) -> bytes:
    """Return the bytes of an answer under a fixed name; every request says its own instant."""
    return recommend_units(view, body, name=lambda _made_at: "rec_SAME").body


def salted(view: LiveView, body: bytes) -> bytes:
    return answer(view, body) + "".join({f"unit {i}" for i in range(40)}).encode()


def distinct(view: LiveView, body: bytes, times: int, answering: Answering = answer) -> set[bytes]:
    return {answering(view, body) for _ in range(times)}


def digests(view: LiveView, times: int, answering: Answering = answer) -> list[str]:
    """Return a digest for each request; `ValueError` when a request has more than one answer."""
    found = []
    for body in bodies():
        (only,) = distinct(view, body, times, answering)
        found.append(hashlib.sha256(only).hexdigest())
    return found


if __name__ == "__main__":
    loaded = load_view(Settings(), lambda _stage: None)
    chosen = salted if sys.argv[2:] == ["salted"] else answer
    sys.stdout.write(json.dumps(digests(loaded, int(sys.argv[1]), chosen)))
