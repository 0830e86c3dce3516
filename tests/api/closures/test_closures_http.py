"""Closures over HTTP: live at once, over to the second, each by itself."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from api.live_view import LiveView
from tests.api.call_story import NOW
from tests.api.claims.http_desk import served
from tests.api.closures.http_closures import CLOSURES, Closing, closing, point, star
from tests.api.store.engines import DATABASES, new_location

ELSEWHERE = point(-122.33, 47.605)


@pytest.fixture(params=DATABASES)
def story(request: pytest.FixtureRequest, view: LiveView) -> Iterator[Closing]:
    with closing(request.param, view) as made:
        yield made


def after(seconds: float) -> str:
    return (NOW + dt.timedelta(seconds=seconds)).isoformat()


def codes(reply: Any) -> list[str]:
    return [one["code"] for one in reply.json()["errors"]]


def test_a_proposal_changes_no_answer_and_an_activated_one_the_next(story: Closing) -> None:
    before = story.desk.ask()
    closure_id = story.proposed()
    assert story.told() == (0, [])
    reply = story.step(closure_id, "activate", accept_cut_off=True)
    assert reply.json()["closure"]["is_closed_now"] is True
    answer = story.desk.ask()
    assert answer["basis"]["closures_active"] == 1
    assert "tandem_closures_active 1.0" in story.desk.metrics()
    assert answer["closures"] == [
        {"closure_id": closure_id, "name": "Water main", "touches": ["INCIDENT"]}
    ]
    assert answer["basis"]["weights_id"] != before["basis"]["weights_id"]
    assert story.step(closure_id, "end", reason="repaired").json()["closure"]["state"] == "ENDED"
    assert story.told() == (0, [])
    assert story.desk.ask()["basis"]["weights_id"] == before["basis"]["weights_id"]


def test_a_closure_is_over_to_the_second_whether_a_timer_runs_or_not(story: Closing) -> None:
    story.desk.client.app.state.service.desk.closure_times.close()  # type: ignore[attr-defined]
    closure_id = story.active(starts_at=after(10), ends_at=after(20))
    seen = []
    for seconds in (9.999, 0.001, 9.999, 0.001):
        story.clock.pass_by(seconds)
        seen.append(story.told()[0])
    assert seen == [0, 1, 1, 0]
    assert story.read(closure_id)["closure"]["state"] == "EXPIRED"


def test_overlapping_closures_of_one_street_end_each_by_itself(story: Closing) -> None:
    first, second = story.active(), story.active(ends_at=after(60))
    assert story.told() == (2, sorted([first, second]))
    story.step(first, "end")
    assert story.told() == (1, [second])
    story.clock.pass_by(60)
    assert story.told() == (0, [])


def test_recurring_windows_open_and_close_by_the_wall_clock(story: Closing) -> None:
    """The story begins on a Tuesday, five past one in the afternoon."""
    story.active(windows=[{"days": ["tue"], "start": "13:10", "end": "13:20"}])
    seen = []
    for minutes in (0, 6, 10, 7 * 24 * 60 - 10):
        story.clock.pass_by(60 * minutes)
        seen.append(story.told()[0])
    assert seen == [0, 1, 0, 1]


def test_a_service_that_starts_reads_what_is_active(view: LiveView) -> None:
    with new_location("sqlite") as location:
        with served(location, view) as desk:
            closure_id = Closing(desk).active(**ELSEWHERE)
            Closing(desk).proposed()
        with served(location, view) as desk:
            assert Closing(desk).told()[0] == 1
            listed = desk.client.get(CLOSURES).json()["closures"]
    assert sorted(one["state"] for one in listed) == ["ACTIVE", "PROPOSED"]
    assert {one["closure_id"]: one["is_closed_now"] for one in listed}[closure_id]


def test_what_would_be_cut_off_is_said_before_it_takes_effect(
    story: Closing, view: LiveView
) -> None:
    """One end of a two-way block is shut off; with the other one nobody can reach it."""
    network = view.situation.network
    block = 0
    first, last = network.ends_of(block)
    story.active(geometry=star(network, first, block))
    closure_id = story.proposed(geometry=star(network, last, block))
    told = story.read(closure_id)["effect"]["cut_off"]
    assert (told["street_count"], told["streets"]) == (1, [network.name_of(block)])
    refused = story.step(closure_id, "activate")
    assert (refused.status_code, codes(refused)) == (409, ["CLOSURE_CUTS_OFF"])
    assert story.told()[0] == 1
    assert story.step(closure_id, "activate", accept_cut_off=True).status_code == 200
    assert story.told()[0] == 2


def test_a_write_that_is_sent_again_is_answered_as_the_first_time(story: Closing) -> None:
    closure_id = story.proposed()
    body = {"accept_cut_off": True}
    first = story.step(closure_id, "activate", "key-1", **body)
    again = story.step(closure_id, "activate", "key-1", **body)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    unkeyed = story.step(closure_id, "activate", **body, version=1)
    assert codes(unkeyed) == ["CLOSURE_NOT_PROPOSED"]


def test_a_place_without_a_street_is_refused_with_its_remedy(story: Closing) -> None:
    reply = story.propose(**point(-122.42, 47.5))
    assert reply.status_code == 422
    assert codes(reply) == ["CLOSURE_PLACE"]
    assert reply.json()["errors"][0]["remedy"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"geometry": None}, "CLOSURE_INVALID"),
        ({"street": "Pine Street"}, "CLOSURE_INVALID"),
        ({"geometry": None, "street": "Pine Street"}, "CLOSURE_INVALID"),
        ({"starts_at": after(9), "ends_at": after(9)}, "CLOSURE_INVALID"),
        ({"ends_at": "2026-07-21T20:00:00"}, "NO_UTC_OFFSET"),
        ({"windows": [{"days": [], "start": "10:00", "end": "11:00"}]}, "INVALID"),
        ({"windows": [{"days": ["mon"], "start": "25:00", "end": "11:00"}]}, "BAD_CHARACTERS"),
        ({"name": ""}, "TOO_SHORT"),
    ],
)
def test_a_closure_that_cannot_be_meant_is_refused(
    fields: dict[str, Any], code: str, shared: Closing
) -> None:
    reply = shared.propose(**fields)
    assert (reply.status_code, codes(reply)) == (422, [code])


@pytest.fixture(scope="module")
def shared(view: LiveView) -> Iterator[Closing]:
    with closing("sqlite", view) as made:
        yield made


def test_a_decision_about_another_instant_has_the_closures_of_that(shared: Closing) -> None:
    begins, ends = after(3600), after(7200)
    shared.active(starts_at=begins, ends_at=ends)
    seen = []
    for seconds in (3599, 3600, 7199, 7200):
        body = {"as_of": after(seconds)}
        reply = shared.client.post("/v1/recommend-units", json=_asking(body))
        seen.append(reply.json()["basis"]["closures_active"])
    assert seen == [0, 1, 1, 0]


def _asking(changes: dict[str, Any]) -> dict[str, Any]:
    from tests.api.call_story import told

    return told() | {"units": None} | changes
