"""Calls that wait, and claims: a confirmed pair ends the waiting, a claim that ends begins it."""

from collections.abc import Iterator

import pytest

from api.live_view import LiveView
from tests.api.call_story import OPERATOR
from tests.api.queue.test_serving import BUSY, Queue, outcomes, queueing
from tests.api.requests_made import CARE_2, SPD_1
from tests.api.store.engines import DATABASES, new_location
from tests.api.waiting import wait_until


@pytest.fixture(params=DATABASES)
def location(request: pytest.FixtureRequest) -> Iterator[str]:
    with new_location(request.param) as made:
        yield made


def confirm(queue: Queue, recommendation_id: str) -> int:
    path = f"/v1/recommendations/{recommendation_id}/confirm"
    return queue.service.ask("POST", path, OPERATOR)[0]


def with_a_pair(queue: Queue) -> str:
    """Let a call wait until the queue has its pair, and return that recommendation."""
    queue.roster(BUSY, SPD_1)
    queue.ask()
    wait_until(lambda: queue.names() == ["A"], "it waits")
    queue.roster(CARE_2 | {"version": 89}, SPD_1)
    wait_until(lambda: outcomes(queue) == ["DISPATCH"], "it has its pair")
    assert queue.event().data["event"] == "DISPATCH"
    return str(queue.waiting()[0]["recommendation_id"])


def test_what_the_queue_found_can_be_confirmed_and_the_call_waits_no_more(
    view: LiveView, location: str
) -> None:
    with queueing(view, location) as queue:
        assert confirm(queue, with_a_pair(queue)) == 200
        event = queue.event()
        assert (event.data["event"], event.data["why"]) == ("LEFT", "ASSIGNED")
        assert queue.names() == []


def test_a_claim_that_nobody_reported_on_ends_and_its_call_is_looked_at_again(
    view: LiveView, location: str
) -> None:
    with queueing(view, location, claim_s=60) as queue:
        first = with_a_pair(queue)
        assert confirm(queue, first) == 200
        assert queue.event().data["event"] == "LEFT"
        queue.clock.pass_by(61)
        assert queue.event().data["why"] == "CLAIM_EXPIRED"
        again = queue.event()
        assert again.data["event"] == "DISPATCH"
        assert set(again.data["unit_ids"]) == {"CARE2#a", "2M1#b"}
        assert again.data["recommendation_id"] != first
        wait_until(lambda: queue.names() == ["A"], "it waits again")
        assert confirm(queue, again.data["recommendation_id"]) == 200


def test_a_call_that_nobody_looked_at_before_the_end_is_looked_at_after_it(
    view: LiveView, location: str
) -> None:
    with queueing(view, location) as queue:
        queue.roster(CARE_2, SPD_1)
        answer = queue.ask()
        assert (answer["outcome"], queue.names()) == ("DISPATCH", [])
        assert confirm(queue, answer["recommendation_id"]) == 200
        queue.service.service.queue.keeper._task.cancel()  # it dies before it looks
        (claim,) = queue.service.ask("GET", "/v1/claims")[1]["claims"]
        queue.clock.pass_by(1)
        path, why = f"/v1/claims/{claim['claim_id']}/release", {"reason_code": "UNIT_CLOSER"}
        assert queue.service.ask("POST", path, OPERATOR | why)[0] == 200
    with queueing(view, location) as queue:
        queue.clock.pass_by(2)
        wait_until(lambda: outcomes(queue) == ["DISPATCH"], "it was looked at")
