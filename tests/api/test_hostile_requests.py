"""Seeded damage to good requests: whatever is sent, the answer is 200 or 422, never a fault."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from geodata.pilot.area import pilot_demo_calls
from tests.api.requests_made import request

VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, -1e308, 2**63, 2**64, float("nan"), float("inf"),
    "", "x", "\u0000", "\ud800", "\U0001f691", "x" * 300, "NaN", "1e999",
    [], {}, [[]], [None], {"lon": 0, "lat": 0}, {"": ""},
    "2026-07-21T13:05:02", "2026-07-21T13:05:02Z", "2000-01-01T00:00:00+23:59",
    "2099-12-31T23:59:59-23:59",
]  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value inside a request."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in inner:
        yield (*at, key)
        if isinstance(below, dict | list):
            yield from places(below, (*at, key))


def damaged(made: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Return a request with one to three values replaced, removed or doubled."""
    changed = copy.deepcopy(made)
    for _ in range(rng.randint(1, 3)):
        place = rng.choice(list(places(changed)) or [None])
        if place is None:  # nothing is left to damage
            break
        holder = changed
        for key in place[:-1]:
            holder = holder[key]
        kind = rng.random()
        if kind < 0.2:
            del holder[place[-1]]
        elif kind < 0.3 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[place[-1]]))
        else:
            holder[place[-1]] = copy.deepcopy(rng.choice(VALUES))
    return changed


@pytest.mark.parametrize("seed", range(8))
def test_damage_is_answered_or_refused_and_never_a_fault(client: TestClient, seed: int) -> None:
    rng = random.Random(seed)
    originals = [request(), *(call.request for call in pilot_demo_calls())]
    statuses = set()
    for _ in range(60):
        made = damaged(rng.choice(originals), rng)
        body = json.dumps(made).encode()
        response = client.post(
            "/v1/recommend-units", content=body, headers={"content-type": "application/json"}
        )
        assert response.status_code in {200, 422}, (response.text, made)
        statuses.add(response.status_code)
    assert statuses == {200, 422}
