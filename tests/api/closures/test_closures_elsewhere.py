"""Closures on two instances over one store, and on the whole of Seattle."""

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import pytest

from api.live_view import LiveView
from benchmarks.closures import Lived, lives, view_of
from geodata.network import StreetNetwork
from tests.api.call_story import FakeClock, told
from tests.api.closures.http_closures import CLOSURES, point
from tests.api.loopback import Served, served
from tests.api.requests_made import ROSTER
from tests.api.store.engines import DATABASES, new_location

LIVE_S_MAX = 0.1
SECOND = 1.0


@pytest.fixture(params=DATABASES)
def location(request: pytest.FixtureRequest) -> Iterator[str]:
    with new_location(request.param) as made:
        yield made


def active(service: Served) -> int:
    """Return how many closures an answer counts."""
    status, answer = service.ask("POST", "/v1/recommend-units", told() | {"units": None})
    assert status == 200
    return int(answer["basis"]["closures_active"])


def closed(service: Served) -> str:
    body: dict[str, Any] = {"name": "Fire", **point()}
    status, made = service.ask("POST", CLOSURES, body)
    assert status == 201
    closure_id = str(made["closure"]["closure_id"])
    status, _ = service.ask("POST", f"{CLOSURES}/{closure_id}/activate", {"accept_cut_off": True})
    assert status == 200
    return closure_id


def seconds_until(service: Served, wanted: int) -> float:
    since_s = time.monotonic()
    while active(service) != wanted:
        assert time.monotonic() < since_s + 30, "it never held"
    return time.monotonic() - since_s


def test_what_one_instance_closes_and_opens_the_other_knows_within_a_second(
    view: LiveView, location: str
) -> None:
    clock, took_s = FakeClock(), []
    with (
        served(view, location, now=clock, instance="a", dev=True) as first,
        served(view, location, now=clock, instance="b", dev=True) as second,
    ):
        assert first.ask("PUT", "/v1/units", {"units": list(ROSTER)})[0] == 200
        for _ in range(2):
            closure_id = closed(first)
            assert active(first) == 1  # at once
            took_s.append(seconds_until(second, 1))
            assert second.ask("POST", f"{CLOSURES}/{closure_id}/end", {})[0] == 200
            assert active(second) == 0
            took_s.append(seconds_until(first, 0))
    assert median(took_s) < SECOND, took_s


@pytest.fixture(scope="module")
def lived(seattle: StreetNetwork) -> list[Lived]:
    return lives(view_of(seattle, 120), 8)


def test_on_seattle_a_closure_is_live_within_100_ms_of_its_commit(lived: list[Lived]) -> None:
    assert min(one.edges for one in lived) > 0
    assert median(one.live_s for one in lived) < LIVE_S_MAX
