"""Seeded damage to what changes the roster: it is taken or refused, and the roster stays whole."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from api.errors import InvalidRequest
from api.live_view import LiveView
from api.position_feed import move_units
from api.roster_operations import list_units, put_unit, reconcile
from tests.api.story import NOW, Story, place, position, record

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


SNAPSHOT: Any = {
    "operator": {"id": "D1", "role": "SUPERVISOR"},
    "units": [record(name, position=position(-5)) for name in ("C1", "C2", "S1", "S2")],
}
ONE: Any = {"operator": None, "unit": record("S1", version=2, position=position(-4, 20))}
FEED: Any = {"positions": [place(name, -3, 10) for name in ("C1", "C2", "S1", "S2")]}


@pytest.mark.parametrize("seed", range(6))
def test_damage_is_taken_or_refused_and_store_and_view_agree(view: LiveView, seed: int) -> None:
    rng, story, refused = random.Random(seed), Story(view), 0
    for _ in range(80):
        kind = rng.randrange(3)
        made = damaged(copy.deepcopy((SNAPSHOT, ONE, FEED)[kind]), rng)
        body = json.dumps(made).encode()
        try:
            if kind == 0:
                reconcile(story.live, body, now=lambda: NOW)
            elif kind == 1:
                put_unit(story.live, "S1", body, now=lambda: NOW)
            else:
                move_units(story.live, body, now=lambda: NOW)
        except InvalidRequest:
            refused += 1
        agree(story)
    assert 0 < refused < 80


def agree(story: Story) -> None:
    """Require that the view shows what the store keeps."""
    kept, roster = list_units(story.live.store), story.live.view.on_duty.roster
    assert story.live.view.roster_version == kept.roster_version
    assert roster.unit_id == tuple(unit.unit_id for unit in kept.units)
    assert roster.version == tuple(unit.version for unit in kept.units)
    for row, unit in enumerate(kept.units):
        lat = unit.position.lat if unit.position else None
        assert (roster.lat[row] == lat) or (lat is None and roster.lat[row] != roster.lat[row])
