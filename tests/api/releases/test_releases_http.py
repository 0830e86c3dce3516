"""Drafts and releases over HTTP: from the release in force to another one, and back."""

import datetime as dt
import json
from collections.abc import Iterator

import pytest

from api.live_view import LiveView
from tests.api.call_story import ASK, told
from tests.api.releases.drawn import collection, square
from tests.api.releases.http_workshop import Workshop, by, served, workshop
from tests.api.waiting import wait_until

SHORT = ("valid_for_s = 60 ", "valid_for_s = 45 ")


@pytest.fixture
def shop(view: LiveView) -> Iterator[Workshop]:
    with workshop("sqlite", view) as made:
        yield made


def basis(shop: Workshop) -> tuple[str, int, int]:
    reply = shop.client.post(ASK, json=told(1))
    assert reply.status_code == 200, reply.text
    found = reply.json()["basis"]
    return found["release_id"], found["zone_version"], found["policy_version"]


def test_a_draft_begins_as_the_release_in_force_and_changes_nothing_by_itself(
    shop: Workshop,
) -> None:
    draft = shop.start(note="longer nights")
    live = shop.live()
    assert draft["draft"]["base"] == live["release_key"]
    assert live["publication"] is None
    assert [zone["id"] for zone in draft["zones"]["features"]] == ["PILOT_CORE"]
    assert shop.get("/v1/drafts/night/check") | {"findings": []} == {
        "name": "night", "version": 1, "usable": True, "findings": [],
    }  # fmt: skip
    diff = shop.get("/v1/drafts/night/diff")
    assert (diff["zones"], diff["handed"], diff["policies"]) == ([], [], [])


def test_a_publication_is_live_when_the_call_returns_and_every_answer_names_it(
    shop: Workshop,
) -> None:
    before = basis(shop)
    made = shop.published(*SHORT)["publication"]
    live = shop.live()
    assert live["publication"] == made
    assert (made["number"], made["state"], made["approved_by"]) == (2, "IN_FORCE", "eva")
    assert basis(shop) == (live["release_id"], before[1], before[2] + 1)
    assert shop.get("/v1/drafts")["drafts"] == []
    kept = shop.get(f"/v1/releases/{made['release_key']}")
    assert "valid_for_s = 45" in kept["policy"]
    assert f'release_id = "{live["release_id"]}"' in kept["policy"]


def test_the_diff_tells_policies_in_words_and_zones_in_metres(shop: Workshop) -> None:
    shop.start()
    shop.policy('from = "11:00", to = "23:00"', 'from = "11:00", to = "01:00"')
    zones = shop.get("/v1/drafts/night")["zones"]
    zones["features"].append(square(-122.335, 47.605, 0.002, zone_id="NOT", kind="EXCLUDE"))
    assert shop.put_zones(zones).status_code == 200
    diff = shop.get("/v1/drafts/night/diff")
    assert diff["policies"] == [
        "policy PILOT: hours is every day 11:00-01:00, America/Los_Angeles, "
        "was every day 11:00-23:00, America/Los_Angeles"
    ]
    assert [(one["zone_id"], one["change"]) for one in diff["zones"]] == [("NOT", "ADDED")]
    assert [(one["before"], one["after"]) for one in diff["handed"]] == [("PILOT_CORE", "NOT")]
    assert diff["street_m"] > 100


def test_approving_and_publishing_need_the_version_that_was_looked_at(shop: Workshop) -> None:
    shop.start()
    old = shop.etag()
    for path in ("approve", "publish"):
        assert shop.post(f"/v1/drafts/night/{path}", by("eva")).status_code == 428
    shop.policy(*SHORT)
    for path in ("approve", "publish"):
        reply = shop.post(f"/v1/drafts/night/{path}", by("eva"), **{"if-match": old})
        assert reply.status_code == 412, reply.text
    assert shop.publish().json()["code"] == "CHANGE_REFUSED"


def test_nobody_approves_what_they_have_worked_on(shop: Workshop) -> None:
    shop.start()
    assert shop.approve(person="development").json()["code"] == "NOT_YOURS"
    assert shop.approve(person="eva").status_code == 200
    shop.policy(*SHORT)
    assert shop.get("/v1/drafts/night")["draft"]["approved_by"] is None
    assert shop.publish().status_code == 409


def test_a_version_that_was_looked_at_is_never_another_drafts(shop: Workshop) -> None:
    shop.start()
    shop.policy(*SHORT)
    looked_at = shop.etag()
    assert shop.client.delete("/v1/drafts/night").status_code == 200
    shop.start()
    shop.policy("valid_for_s = 60 ", "valid_for_s = 1 ")
    reply = shop.post("/v1/drafts/night/approve", by("eva"), **{"if-match": looked_at})
    assert (reply.status_code, reply.json()["code"]) == (412, "VERSION_CHANGED")


def test_a_file_that_its_names_would_make_too_large_is_no_draft(shop: Workshop) -> None:
    shop.start()
    text = shop.get("/v1/drafts/night")["policy"]
    full = text + "#" * (5_000_000 - 1 - len(text.encode()))
    assert shop.put_text(full).status_code == 413
    assert shop.put_text(full[:-1_000]).status_code == 200
    shop.approve()
    assert shop.publish().status_code == 200
    assert shop.live()["publication"]["number"] == 2


def test_what_cannot_be_used_is_not_published(shop: Workshop) -> None:
    shop.start()
    shop.policy("valid_for_s = 60", "valid_for_s = -1")
    shop.put_zones(
        collection(square(-122.34, 47.6, zone_id="A"), square(-122.34, 47.6, zone_id="B"))
    )
    found = shop.get("/v1/drafts/night/check")
    assert not found["usable"]
    assert {one["code"] for one in found["findings"]} >= {"OUT_OF_RANGE", "OVERLAP"}
    assert shop.approve().status_code == 200
    assert shop.publish().status_code == 422
    assert shop.live()["publication"] is None


def test_one_command_goes_back_and_the_release_of_the_settings_is_there_too(
    shop: Workshop,
) -> None:
    first = shop.live()
    second = shop.published(*SHORT)["publication"]
    back = shop.post("/v1/releases/rollback", by("pat") | {"reason": "too short"})
    assert back.json()["publication"]["release_key"] == first["release_key"]
    assert basis(shop)[0] == first["release_id"]
    again = shop.post("/v1/releases/rollback", {"release_key": second["release_key"]})
    assert again.status_code == 200
    told = shop.get("/v1/releases")["publications"]
    assert [(one["number"], one["kind"], one["state"]) for one in told] == [
        (4, "ROLLBACK", "IN_FORCE"), (3, "ROLLBACK", "PAST"), (2, "PUBLISH", "PAST"),
        (1, "START", "PAST"),
    ]  # fmt: skip
    same = shop.post("/v1/releases/rollback", {"release_key": second["release_key"]})
    assert same.status_code == 409
    assert shop.post("/v1/releases/rollback", {"release_key": "x@1"}).status_code == 404


def test_a_second_step_back_goes_further_back_and_never_forward_again(shop: Workshop) -> None:
    first = shop.live()["release_key"]
    second = shop.published(*SHORT)["publication"]["release_key"]
    shop.published(SHORT[1], "valid_for_s = 50 ")
    for earlier in (second, first):
        assert shop.post("/v1/releases/rollback", {}).status_code == 200
        assert shop.live()["release_key"] == earlier
    assert shop.post("/v1/releases/rollback", {}).status_code == 409


def test_a_way_back_that_is_sent_again_is_done_once(shop: Workshop) -> None:
    shop.published(*SHORT)
    first, second = (
        shop.post("/v1/releases/rollback", {}, **{"idempotency-key": "back"}) for _ in range(2)
    )
    assert (first.status_code, first.content) == (200, second.content)
    assert len(shop.get("/v1/releases")["publications"]) == 3


def test_one_goes_back_only_to_what_was_in_force(shop: Workshop) -> None:
    later = (shop.clock.at + dt.timedelta(hours=1)).isoformat()
    ahead = shop.published(*SHORT, effective_at=later)["publication"]
    body = {"release_key": ahead["release_key"]}
    for _ in ("scheduled", "withdrawn"):
        refused = shop.post("/v1/releases/rollback", body)
        assert (refused.status_code, refused.json()["code"]) == (409, "CHANGE_REFUSED")
        assert shop.post(f"/v1/releases/{ahead['number']}/withdraw", {}).status_code == 200
        shop.clock.pass_by(3_601)


def test_a_way_back_is_not_undone_by_a_clock_that_is_behind(shop: Workshop) -> None:
    first = shop.live()["release_key"]
    shop.clock.pass_by(5)
    faulty = shop.published(*SHORT)["publication"]
    shop.clock.pass_by(-3)  # another instance, three seconds behind
    back = shop.post("/v1/releases/rollback", {}).json()
    assert (back["publication"]["release_key"], back["scheduled"]) == (first, [])
    assert back["publication"]["effective_at"] == faulty["effective_at"]
    shop.clock.pass_by(3)
    wait_until(lambda: shop.live()["release_key"] == first, "it is in force")


def test_an_effective_instant_is_kept_and_can_be_taken_back(shop: Workshop) -> None:
    at = shop.clock.at + dt.timedelta(hours=2)
    before = basis(shop)
    made = shop.published(*SHORT, effective_at=at.isoformat())["publication"]
    assert (made["state"], basis(shop)) == ("SCHEDULED", before)
    shop.clock.pass_by(7_199)
    assert basis(shop) == before
    shop.clock.pass_by(1)
    wait_until(lambda: shop.live()["publication"]["number"] == 2, "it is in force")
    assert shop.post("/v1/releases/2/withdraw", {}).status_code == 409
    later = (shop.clock.at + dt.timedelta(hours=1)).isoformat()
    ahead = shop.published(SHORT[1], "valid_for_s = 50 ", effective_at=later)["publication"]
    back = shop.post("/v1/releases/rollback", {}).json()
    assert [one["number"] for one in back["scheduled"]] == [ahead["number"]]
    gone = shop.post(f"/v1/releases/{ahead['number']}/withdraw", {"reason": "not yet"}).json()
    assert (gone["publication"]["state"], gone["scheduled"]) == ("WITHDRAWN", [])
    shop.clock.pass_by(7_200)
    assert shop.live()["publication"]["kind"] == "ROLLBACK"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2026-07-21T12:00:00-07:00", "EFFECTIVE_AT_PAST"),
        ("2036-07-21T12:00:00-07:00", "EFFECTIVE_AT_FAR"),
        ("2026-07-22T12:00:00", "NO_UTC_OFFSET"),
    ],
)
def test_an_instant_that_cannot_be_is_refused(shop: Workshop, at: str, code: str) -> None:
    shop.start()
    assert shop.approve().status_code == 200
    reply = shop.publish(effective_at=at)
    assert reply.status_code == 422
    assert code in {one["code"] for one in reply.json()["errors"]}


def test_a_draft_of_another_base_does_not_undo_what_was_published_since(shop: Workshop) -> None:
    first = shop.live()["release_key"]
    made = shop.published(*SHORT)["publication"]
    shop.start("old", base=first)
    shop.approve("old")
    refused = shop.publish("old")
    assert refused.status_code == 409
    assert made["release_key"] in refused.json()["detail"]
    assert shop.publish("old", replaces=made["release_key"]).status_code == 200


def test_a_publication_that_is_sent_again_is_done_once(shop: Workshop) -> None:
    shop.start()
    shop.policy(*SHORT)
    shop.approve()
    headers = {"if-match": shop.etag(), "idempotency-key": "one"}
    first, second = (shop.post("/v1/drafts/night/publish", {}, **headers) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"


def test_what_is_in_force_outlives_the_process_whatever_the_settings_name(
    view: LiveView, shop: Workshop
) -> None:
    made = shop.published(*SHORT)["publication"]
    with served(shop.location, view, shop.clock, instance="other") as again:
        assert again.live()["publication"] == made
        assert basis(again) == basis(shop)


def test_a_gis_file_is_imported_whole_or_not_at_all(shop: Workshop) -> None:
    shop.start()
    kind = {"content-type": "application/octet-stream"}
    path = "/v1/drafts/night/import"
    named = {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}}
    good = collection(square(-122.34, 47.60, 0.01, zone_id="CORE")) | named
    made = shop.client.post(path, content=json.dumps(good).encode(), headers=kind)
    assert made.status_code == 200, made.text
    assert (made.json()["accepted"], made.json()["draft"]["zones"]) == (True, 1)
    swapped = collection(square(47.60, -122.34, 0.01, zone_id="CORE")) | named
    bad = shop.client.post(path, content=json.dumps(swapped).encode(), headers=kind)
    assert not bad.json()["accepted"]
    assert bad.json()["draft"]["version"] == made.json()["draft"]["version"]
    assert bad.json()["findings"][0]["code"] == "LON_LAT_SWAPPED"
    form = {"content-type": "text/plain"}
    assert shop.client.post(path, content=b"{}", headers=form).status_code == 422


def test_a_policy_brings_no_zones_and_is_toml(shop: Workshop) -> None:
    shop.start()
    for text, code in (("a = ", "SYNTAX"), ("zones_file = 'x.json'", "ZONES_APART")):
        reply = shop.put_text(text)
        assert [one["code"] for one in reply.json()["errors"]] == [code]


def test_a_member_that_is_not_known_is_named(shop: Workshop) -> None:
    shop.start()
    reply = shop.publish(efective_at="2026-07-22T12:00:00Z")
    assert reply.json()["errors"][0]["code"] == "UNKNOWN_MEMBER"
