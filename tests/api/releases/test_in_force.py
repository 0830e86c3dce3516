"""What an instance decides by: what it can use of what the store says, and nothing half."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from api.live_view import LiveView
from api.releases.in_force import NOT_TAKEN
from api.replay.sources import KeptRelease, to_bytes
from api.store.database import Database
from api.store.release_tables import publications
from api.store.tables import releases, to_us
from tests.api.call_story import ASK, told
from tests.api.releases.http_workshop import Workshop, served, workshop
from tests.api.waiting import wait_until

SHORT = ("valid_for_s = 60 ", "valid_for_s = 45 ")


@pytest.fixture
def shop(view: LiveView) -> Iterator[Workshop]:
    with workshop("sqlite", view) as made:
        yield made


def enter(shop: Workshop, release: KeptRelease | None, number: int) -> None:
    """Enter a publication as another instance, of another version, would have."""
    database = Database(shop.location)
    at = to_us(shop.clock.at)
    key = "gone@0" if release is None else release.key
    with database.writing() as connection:
        if release is not None:
            row = {"release_id": key, "first_used_at": at, "body": to_bytes(release)}
            connection.execute(releases.insert().values(row))
        connection.execute(
            publications.insert().values(
                number=number, release_key=key, effective_at=at, published_at=at,
                published_by="other", kind="PUBLISH", reason="",
            )
        )  # fmt: skip
    database.close()
    app: Any = shop.client.app
    app.state.service.desk.wake_releases()  # as the feed does


def degraded(shop: Workshop) -> Any:
    return shop.get("/readyz")["degraded"]


def answered(shop: Workshop) -> str:
    return str(shop.client.post(ASK, json=told(1)).json()["basis"]["release_id"])


@pytest.mark.parametrize(
    "release", [None, KeptRelease(release_id="new", text='release_id = "new"\nunheard_of = 1\n')]
)
def test_a_release_that_cannot_be_used_leaves_the_one_before_and_is_told(
    shop: Workshop, release: KeptRelease | None
) -> None:
    before = shop.published(*SHORT)["publication"]
    named = answered(shop)
    enter(shop, release, 3)
    wait_until(lambda: NOT_TAKEN in degraded(shop), "it is told")
    assert (shop.live()["publication"]["number"], answered(shop)) == (before["number"], named)
    good = shop.post("/v1/releases/rollback", {"release_key": before["release_key"]})
    assert good.status_code == 200, good.text
    assert NOT_TAKEN not in degraded(shop)


def test_one_does_not_go_back_to_a_release_that_cannot_be_used(shop: Workshop) -> None:
    before = shop.published(*SHORT)["publication"]
    bad = KeptRelease(release_id="new", text='release_id = "new"\nunheard_of = 1\n')
    enter(shop, bad, 3)
    shop.post("/v1/releases/rollback", {"release_key": before["release_key"]})
    refused = shop.post("/v1/releases/rollback", {"release_key": bad.key})
    assert (refused.status_code, refused.json()["code"]) == (409, "CHANGE_REFUSED")
    assert shop.live()["publication"]["number"] == 4


def test_a_start_goes_on_with_the_settings_where_the_store_has_what_it_cannot_use(
    shop: Workshop, view: LiveView
) -> None:
    named = answered(shop)
    enter(shop, None, 1)
    with served(shop.location, view, shop.clock, instance="other") as again:
        assert NOT_TAKEN in degraded(again)
        assert answered(again) == named


def test_a_view_of_another_release_keeps_units_and_labels_and_every_hour(view: LiveView) -> None:
    other = view.with_release(view.release, "other@1")
    assert other.release_key == "other@1"
    assert other.on_duty.placement is view.on_duty.placement
    assert other.on_duty.roster is view.on_duty.roster
    assert len({id(one) for one in other.by_hour}) == len({id(one) for one in view.by_hour})
    for hour in range(0, 168, 7):
        assert other.by_hour[hour].travel_times is view.by_hour[hour].travel_times
    at = dt.datetime(2026, 7, 21, 20, tzinfo=dt.UTC)
    assert other.on_duty_at(at).versions.release_id == view.release.release_id
    assert view.release_key == ""


def test_what_is_published_is_there_after_the_tables_are_read_by_another_process(
    shop: Workshop,
) -> None:
    made = shop.published(*SHORT)["publication"]
    database = Database(shop.location)
    with database.reading() as connection:
        kept = connection.execute(
            text("SELECT count(*) FROM releases WHERE release_id = :key"),
            {"key": made["release_key"]},
        ).scalar_one()
    database.close()
    assert kept == 1


def test_another_release_shows_in_what_the_cad_means_by_its_statuses(shop: Workshop) -> None:
    shop.start()
    text_ = shop.get("/v1/drafts/night")["policy"]
    assert "[cad_statuses]" in text_
    changed = text_.replace("[cad_statuses]", '[cad_statuses]\n"GONE FISHING" = "OUT_OF_SERVICE"')
    assert shop.put_text(changed).status_code == 200
    shop.approve()
    assert shop.publish().status_code == 200
    app: Any = shop.client.app
    assert app.state.service.view.release.status_of["GONE FISHING"] == "OUT_OF_SERVICE"
