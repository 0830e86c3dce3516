"""Two instances over one store: what one writes decides the other's recommendations in a second."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import pytest

from api.live_roster import LiveRoster
from api.live_view import LiveView
from tests.api.call_story import ADDRESS, OPERATOR, FakeClock, on_the_call, told
from tests.api.loopback import Served, served
from tests.api.requests_made import ROSTER
from tests.api.store.engines import DATABASES, new_location
from tests.api.test_follower import kill_listeners
from tests.api.waiting import wait_until
from tests.conftest import REPOSITORY

ASK = "/v1/recommend-units"
SECOND = 1.0
N_WRITES = 5


@pytest.fixture(params=DATABASES)
def location(request: pytest.FixtureRequest) -> Iterator[str]:
    with new_location(request.param) as made:
        yield made


@contextmanager
def two(view: LiveView, location: str) -> Iterator[tuple[Served, Served]]:
    clock = FakeClock()
    with (
        served(view, location, now=clock, instance="a") as first,
        served(view, location, now=clock, instance="b") as second,
    ):
        yield first, second


def chosen(service: Served) -> set[str]:
    """Return the units that a service would send now."""
    _, answer = service.ask("POST", ASK, told() | {"units": None})
    return {one["unit_id"] for one in answer["assign"]}


def seconds_until(holds: Callable[[], bool], since_s: float) -> float:
    """Return how long after an instant something held; it is asked without a pause."""
    while not holds():
        assert time.time() < since_s + 30, "it never held"
    return time.time() - since_s


def put(service: Served, unit: dict[str, Any], status: str, version: int) -> None:
    record = unit | {"status": status, "version": version}
    path = f"/v1/units/{unit['unit_id']}".replace("#", "%23")
    assert service.ask("PUT", path, {"unit": record})[0] == 200


def test_what_one_service_writes_decides_the_others_answers_within_a_second(
    view: LiveView, location: str
) -> None:
    took_s = []
    with two(view, location) as (first, second):
        assert first.ask("PUT", "/v1/units", {"units": list(ROSTER)})[0] == 200
        took_s.append(seconds_until(lambda: "2M1#b" in chosen(second), time.time()))
        for i in range(N_WRITES):
            status = "AVAILABLE" if i % 2 else "BUSY"
            put(first, ROSTER[2], status, 100 + i)
            took_s.append(
                seconds_until(lambda i=i: ("2M1#b" in chosen(second)) == bool(i % 2), time.time())
            )
    assert median(took_s) < SECOND, took_s


def test_without_the_refresh_the_other_service_goes_on_sending_units_that_are_busy(
    view: LiveView, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with two(view, location) as (first, second):
        assert first.ask("PUT", "/v1/units", {"units": list(ROSTER)})[0] == 200
        seconds_until(lambda: "2M1#b" in chosen(second), time.time())
        monkeypatch.setattr(LiveRoster, "refresh", lambda *_told, **_how: None)
        put(first, ROSTER[2], "BUSY", 100)
        number = first.service.desk.follower.number
        assert second.service.desk.follower.wait_for(number, 10.0)
        assert "2M1#b" in chosen(second)


def test_what_another_process_writes_decides_the_answers_within_a_second(
    view: LiveView, location: str
) -> None:
    took_s = []
    with served(view, location, now=FakeClock(), instance="a") as service:
        assert service.ask("PUT", "/v1/units", {"units": list(ROSTER)})[0] == 200
        assert "2M1#b" in chosen(service)
        with another_process(location) as write:
            for i in range(N_WRITES):
                at_s = write("2M1#b", "AVAILABLE" if i % 2 else "BUSY")
                took_s.append(
                    seconds_until(lambda i=i: ("2M1#b" in chosen(service)) == bool(i % 2), at_s)
                )
    assert median(took_s) < SECOND, took_s


@contextmanager
def another_process(location: str) -> Iterator[Callable[[str, str], float]]:
    """Yield what lets a second process write a status; it returns the instant of the commit."""
    command = [sys.executable, "-m", "tests.api.other_process", location]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=REPOSITORY, **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        def write(unit_id: str, status: str) -> float:
            process.stdin.write(f"{unit_id} {status}\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        yield write
        process.stdin.close()
        assert process.wait(30) == 0


def test_calls_and_alerts_are_known_to_both(view: LiveView, location: str) -> None:
    sent = [on_the_call("CARE2#a", "CARE"), on_the_call("2M1#b", "SPD")]
    with two(view, location) as (first, second):
        first.ask("PUT", ADDRESS, told(assigned=sent))
        first.ask("PUT", ADDRESS, told(2, screening={"weapon": "YES"}, assigned=sent))
        wait_until(lambda: len(second.ask("GET", "/v1/alerts")[1]["alerts"]) == 1, "it is known")
        (alert,) = second.ask("GET", "/v1/alerts")[1]["alerts"]
        assert second.ask("GET", ADDRESS)[1]["version"] == 2
        late = second.ask("PUT", ADDRESS, told(1, assigned=sent))[1]
        assert (late["applied"], late["known_version"]) == (False, 2)
        path = f"/v1/alerts/{alert['alert_id']}/acknowledge"
        assert second.ask("POST", path, OPERATOR)[0] == 200
        wait_until(lambda: first.ask("GET", "/v1/alerts")[1]["alerts"] == [], "it is known")


def test_a_lost_connection_is_reported_and_what_was_missed_is_read(view: LiveView) -> None:
    with new_location("postgresql") as location, two(view, location) as (first, second):
        assert first.ask("PUT", "/v1/units", {"units": list(ROSTER)})[0] == 200
        kill_listeners(location)
        put(first, ROSTER[2], "BUSY", 100)
        wait_until(lambda: "2M1#b" not in chosen(second), "the change came through")
        wait_until(lambda: "tandem_follower_losses 1.0" in second.ask("GET", "/metrics")[1], "told")
        wait_until(lambda: not second.service.desk.behind, "it listens again")


def test_readyz_says_that_the_feed_is_lost_and_stays_ready(view: LiveView, location: str) -> None:
    with served(view, location) as service:
        follower = service.service.desk.follower
        follower.close()
        follower.failure = "OperationalError"
        status, told_ = service.ask("GET", "/readyz")
    assert status == 200
    assert "FEED_LOST" in told_["degraded"]
