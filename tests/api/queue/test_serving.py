"""The queue of a running service: who waits, when it is looked at again, and what is told."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from api.cli import app
from api.live_view import LiveView
from api.operations import utc_now
from api.store.database import Database
from api.store.tables import audit, leases, recommendations, to_us
from tests.api.call_story import FakeClock, told
from tests.api.loopback import Listening, Served, Told, served
from tests.api.requests_made import CARE_2, SPD_1, SPD_2
from tests.api.store.engines import DATABASES, new_location
from tests.api.waiting import TRIES_MAX, wait_until

ASK = "/v1/recommend-units"
BUSY = CARE_2 | {"status": "BUSY", "expected_clear_at": "2026-07-21T14:00:00-07:00"}


@pytest.fixture(params=DATABASES)
def location(request: pytest.FixtureRequest) -> Iterator[str]:
    with new_location(request.param) as made:
        yield made


class Queue:
    """A service in which calls wait, its clock, and a listener of what becomes of them."""

    def __init__(self, service: Served, clock: FakeClock) -> None:
        self.service = service
        self.clock = clock
        self.listener = Listening(service.port, query="?topics=queue").greeted()
        self._events = self.listener.events()

    def roster(self, *units: dict[str, Any]) -> None:
        assert self.service.ask("PUT", "/v1/units", {"units": list(units)})[0] == 200

    def ask(self, name: str = "A", **incident: Any) -> dict[str, Any]:
        status, answer = self.service.ask(
            "POST", ASK, told(**incident, incident_id=name) | {"units": None}
        )
        assert (status, answer["recorded"]) == (200, True)
        return dict(answer)

    def waiting(self) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = self.service.ask("GET", "/v1/pending")[1]["calls"]
        return calls

    def names(self) -> list[str]:
        return [one["incident_id"] for one in self.waiting()]

    def event(self) -> Told:
        """Return what is told of the queue next."""
        return next(self._events)

    def settled(self) -> None:
        """Wait until the queue has looked at all that waits and found nothing new."""
        looks = self.service.service.queue.keeper
        wait_until(lambda: set(looks._looked_at) == set(self.names()), "all were looked at")


@contextmanager
def queueing(
    view: LiveView, location: str, instance: str = "a", **settings: Any
) -> Iterator[Queue]:
    clock = FakeClock()
    with served(view, location, now=clock, instance=instance, **settings) as service:
        queue = Queue(service, clock)
        try:
            yield queue
        finally:
            queue.listener.close()


def is_dispatched_when_a_unit_frees_up(
    view: LiveView, location: str, tries_max: int = TRIES_MAX
) -> bool:
    """Tell whether a call on HOLD gets its pair, recorded and announced, without being asked."""
    with queueing(view, location) as queue:
        queue.roster(BUSY, SPD_1)
        first = queue.ask()
        assert first["outcome"] == "HOLD"
        wait_until(lambda: queue.names() == ["A"], "it waits")
        queue.settled()
        queue.clock.pass_by(0.5)
        queue.roster(CARE_2 | {"version": 89}, SPD_1)
        try:
            wait_until(lambda: queue.waiting()[0]["outcome"] == "DISPATCH", "it has it", tries_max)
        except AssertionError:
            return False
        event, (call,) = queue.event(), queue.waiting()
        _, known = queue.service.ask("GET", "/v1/incidents/A")
    kept = rows(location, select(recommendations).order_by(recommendations.c.decided_at))
    assert [row.outcome for row in kept] == ["HOLD", "DISPATCH"]
    assert event.data["event"] == "DISPATCH"
    assert set(event.data["unit_ids"]) == set(call["unit_ids"]) == {"CARE2#a", "2M1#b"}
    assert known["recommendation_id"] == call["recommendation_id"] == kept[1].recommendation_id
    return f'"supersedes":"{first["recommendation_id"]}"'.encode() in kept[1].answer


def rows(location: str, asked: Any) -> list[Any]:
    database = Database(location)
    with database.reading() as connection:
        found = list(connection.execute(asked))
    database.close()
    return found


def test_a_call_on_hold_gets_its_pair_when_a_unit_frees_up(view: LiveView, location: str) -> None:
    assert is_dispatched_when_a_unit_frees_up(view, location)


def test_a_queue_that_forgets_to_look_when_units_change_is_noticed(
    view: LiveView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.queue.book.LOOK_NEEDED", frozenset({"claim"}))
    with new_location("sqlite") as location:
        assert not is_dispatched_when_a_unit_frees_up(view, location, 40)


def test_calls_are_decided_together_so_that_no_unit_has_two(view: LiveView, location: str) -> None:
    with queueing(view, location) as queue:
        queue.roster(BUSY, SPD_1, SPD_2)
        for name in "AB":
            assert queue.ask(name)["outcome"] == "HOLD"
        wait_until(lambda: len(queue.names()) == 2, "both wait")
        queue.settled()
        queue.roster(CARE_2 | {"version": 89}, SPD_1, SPD_2)
        wait_until(lambda: "DISPATCH" in outcomes(queue), "one has a pair")
        queue.settled()
        named = [unit for call in queue.waiting() for unit in call["unit_ids"]]
        assert sorted(outcomes(queue)) == ["DISPATCH", "HOLD"]
    assert len(set(named)) == len(named)


def outcomes(queue: Queue) -> list[str]:
    return [call["outcome"] for call in queue.waiting()]


def test_units_that_another_call_was_just_promised_are_not_named_for_one_that_waits(
    view: LiveView, location: str
) -> None:
    with queueing(view, location) as queue:
        queue.roster(BUSY, SPD_1, SPD_2)
        queue.ask()
        wait_until(lambda: queue.names() == ["A"], "it waits")
        queue.settled()
        other = told(incident_id="B") | {"units": [CARE_2, SPD_2]}
        _, promised = queue.service.ask("POST", ASK, other)
        assert promised["outcome"] == "DISPATCH"
        looks = queue.service.service.metrics.queue.looks
        before = sum(looks._counts.values())
        queue.roster(CARE_2 | {"version": 89}, SPD_1, SPD_2)
        wait_until(lambda: sum(looks._counts.values()) > before, "it was looked at")
        assert outcomes(queue) == ["HOLD"]
        queue.clock.pass_by(61)
        wait_until(lambda: outcomes(queue) == ["DISPATCH"], "the promise is over")


def test_a_hold_escalates_at_its_time_once_without_anything_else_happening(
    view: LiveView, location: str
) -> None:
    with queueing(view, location) as queue:
        queue.roster(BUSY, SPD_1)
        hold = queue.ask()["hold"]
        wait_until(lambda: queue.names() == ["A"], "it waits")
        queue.settled()
        assert queue.waiting()[0]["next_look_at"] == hold["escalate_at"]
        queue.clock.at = dt.datetime.fromisoformat(hold["escalate_at"])
        event = queue.event()
        assert (event.data["event"], event.data["escalate_to"]) == (
            "ESCALATED",
            hold["escalate_to"],
        )
        wait_until(lambda: queue.waiting()[0]["escalated"], "it is shown")
        queue.roster(BUSY, SPD_1, SPD_2)
        queue.ask("B")
        wait_until(lambda: sorted(queue.names()) == ["A", "B"], "both wait")
        queue.settled()
        told_of = queue.service.service.metrics.queue.changes._counts
    assert told_of["ESCALATED",] == 1


def test_a_hold_for_the_opening_is_looked_at_when_the_window_opens(
    view: LiveView, location: str
) -> None:
    with queueing(view, location) as queue:
        queue.clock.at = dt.datetime(2026, 7, 21, 17, 55, tzinfo=dt.UTC)  # 10:55 in Seattle
        queue.roster(CARE_2, SPD_1)
        answer = queue.ask(received_at="2026-07-21T10:54:00-07:00")
        assert answer["hold"]["reasons"] == ["WINDOW_NOT_OPEN"]
        wait_until(lambda: queue.names() == ["A"], "it waits")
        queue.settled()
        queue.clock.at = dt.datetime(2026, 7, 21, 18, 0, tzinfo=dt.UTC)
        assert queue.event().data["event"] == "DISPATCH"


def test_a_call_that_is_no_longer_eligible_leaves(view: LiveView, location: str) -> None:
    with queueing(view, location) as queue:
        queue.roster(BUSY, SPD_1)
        queue.ask()
        wait_until(lambda: queue.names() == ["A"], "it waits")
        queue.ask(version=2, screening={"weapon": "YES"})
        wait_until(lambda: queue.names() == [], "it left")


def test_a_call_leaves_when_it_waited_longer_than_any_may(view: LiveView, location: str) -> None:
    with queueing(view, location, pending_age_s_max=600.0) as queue:
        queue.roster(BUSY, SPD_1)
        queue.ask()
        wait_until(lambda: queue.names() == ["A"], "it waits")
        queue.settled()
        queue.clock.pass_by(601)
        event = queue.event()
        assert (event.data["event"], event.data["why"]) == ("LEFT", "AGED_OUT")
        wait_until(lambda: queue.names() == [], "it left")
    kinds = [row.kind for row in rows(location, select(audit.c.kind))]
    assert kinds.count("QUEUE_LEFT") == 1


def test_a_call_waits_over_a_restart(view: LiveView, location: str) -> None:
    with queueing(view, location) as queue:
        queue.roster(BUSY, SPD_1)
        queue.ask()
        wait_until(lambda: queue.names() == ["A"], "it waits")
    with queueing(view, location) as queue:
        wait_until(lambda: queue.names() == ["A"], "it waits again")
        queue.roster(CARE_2 | {"version": 89}, SPD_1)
        wait_until(lambda: outcomes(queue) == ["DISPATCH"], "it has its pair")


def test_of_two_instances_one_looks_and_the_other_goes_on_when_it_is_gone(
    view: LiveView, location: str
) -> None:
    with queueing(view, location, "a") as first, queueing(view, location, "b") as second:
        first.roster(BUSY, SPD_1)
        first.ask()
        for queue in (first, second):
            wait_until(lambda queue=queue: queue.names() == ["A"], "both know that it waits")
        wait_until(lambda: len(holders(first, second)) == 1, "one has the lease")
        (holder,) = holders(first, second)
        other = second if holder is first else first
        holder.service.service.queue.keeper._task.cancel()  # it dies without giving the lease back
        other.roster(CARE_2 | {"version": 89}, SPD_1)
        wait_until(lambda: outcomes(other) == ["DISPATCH"], "the other goes on")
    kept = rows(location, select(recommendations.c.outcome))
    assert sorted(row.outcome for row in kept) == ["DISPATCH", "HOLD"]


def holders(*queues: Queue) -> list[Queue]:
    return [queue for queue in queues if queue.service.service.queue._lease.is_held]


def test_figures_say_how_many_wait_and_for_how_long(view: LiveView) -> None:
    with new_location("sqlite") as location, queueing(view, location) as queue:
        queue.roster(BUSY, SPD_1)
        queue.ask()
        wait_until(lambda: queue.names() == ["A"], "it waits")
        queue.clock.pass_by(30)
        text = queue.service.ask("GET", "/metrics")[1]
    assert "tandem_queue_calls 1.0" in text
    assert "tandem_queue_oldest_seconds 30" in text


def test_without_a_store_no_call_waits(view: LiveView) -> None:
    with served(view, "") as service:
        status, problem = service.ask("GET", "/v1/pending")
    assert (status, problem["code"]) == (503, "STORE_NOT_CONFIGURED")


def test_what_the_queue_recorded_is_replayed_byte_for_byte(view: LiveView) -> None:
    with new_location("sqlite") as location:
        assert is_dispatched_when_a_unit_frees_up(view, location)
        done = CliRunner().invoke(app, ["replay", "--all", "--store", location])
    assert "2 replayed: 2 identical" in done.output, done.output


def test_a_call_that_brought_its_units_is_looked_at_only_when_its_time_has_come(
    view: LiveView,
) -> None:
    with new_location("sqlite") as location, queueing(view, location) as queue:
        _, answer = queue.service.ask("POST", ASK, told(incident_id="A") | {"units": [BUSY, SPD_1]})
        assert answer["outcome"] == "HOLD"
        wait_until(lambda: queue.names() == ["A"], "it waits")
        queue.roster(CARE_2, SPD_1)
        queue.ask("B", assigned=[])
        queue.clock.at = dt.datetime.fromisoformat(answer["hold"]["escalate_at"])
        event = queue.event()
        assert (event.data["event"], event.data["incident_id"]) == ("ESCALATED", "A")
        assert queue.service.service.metrics.queue.looks._counts["CHANGED",] == 1


def test_whoever_loses_the_lease_looks_at_all_when_it_has_it_again(view: LiveView) -> None:
    with new_location("sqlite") as location, queueing(view, location) as queue:
        queue.roster(BUSY, SPD_1)
        queue.ask()
        wait_until(lambda: queue.names() == ["A"], "it waits")
        queue.settled()
        database = Database(location)
        far = {"instance": "another", "until": to_us(utc_now()) + 3_600_000_000}
        with database.writing() as connection:
            connection.execute(update(leases).values(far))
        database.close()
        keeper = queue.service.service.queue.keeper
        wait_until(lambda: not keeper._looked_at, "another looks now")
