"""The measures of a day over HTTP: whole for those who may, without small counts for anybody."""

import datetime as dt
from collections.abc import Iterator

import pytest
from msgspec.json import decode
from starlette.testclient import TestClient

from api.app import make_app
from api.live_view import LiveView
from api.measures.day import DayMeasures, PoliceAloneAssumption
from api.measures.days_asked import KEPT_MAX, DaysAsked
from api.measures.public import PublicMeasures, public
from api.measures.report import read_day
from api.settings import Settings
from tests.api.measures.days import DAY, ZONE, keep, made
from tests.api.store.engines import new_location, opened
from tests.api.waiting import wait_until

DAILY, PUBLIC = "/v1/measures/daily", "/v1/public/measures"
NOW = dt.datetime(2026, 7, 22, 20, 5, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def location() -> Iterator[str]:
    with new_location("sqlite") as made_location:
        yield made_location


@pytest.fixture(scope="module")
def kept(view: LiveView, location: str) -> Iterator[TestClient]:
    """A client of a service in its development mode, over the store."""
    settings = Settings(log_level="error", store=location, dev=True)
    app = make_app(settings, load=lambda _settings, _stage: view, now=lambda: NOW)
    with TestClient(app, raise_server_exceptions=False) as made_client:
        wait_until(lambda: made_client.get("/readyz").status_code == 200, "the app is ready")
        yield made_client


@pytest.fixture(scope="module")
def day(location: str, kept: TestClient) -> tuple[str, DayMeasures]:
    """The store with a day in it, which the service finds there, and what was measured of it."""
    assert kept.get("/readyz").status_code == 200
    with opened(location, "other") as (database, writer):
        units, overrides = made(3, calls=60)
        writer.call(lambda tx: keep(tx, units, overrides))
        return location, read_day(database, DAY, str(ZONE), PoliceAloneAssumption())


def test_a_day_is_answered_as_the_command_tells_it(
    kept: TestClient, day: tuple[str, DayMeasures]
) -> None:
    for query in ("", f"?date={DAY}"):  # yesterday is that day
        reply = kept.get(DAILY + query)
        assert reply.status_code == 200
        assert decode(reply.content, type=DayMeasures) == day[1]


def test_the_public_is_told_what_may_be_published(
    kept: TestClient, day: tuple[str, DayMeasures]
) -> None:
    reply = kept.get(PUBLIC)
    assert decode(reply.content, type=PublicMeasures) == public(day[1])
    assert "calls_not_measured" not in reply.text
    assert day[1].calls_by_care.total >= 5


@pytest.mark.parametrize("path", [DAILY, PUBLIC])
@pytest.mark.parametrize(
    "said", ["July", "2026-7-21", "20260721", "2026-02-30", "1999-12-31", "9999-12-31", "", "%00",
             "2026-07-21T00:00", "\u0662\u0660\u0662\u0666-07-21", "-026-07-21"],
)  # fmt: skip
def test_what_is_no_day_is_refused_by_name(kept: TestClient, path: str, said: str) -> None:
    reply = kept.get(f"{path}?date={said}")
    assert reply.status_code == 422
    assert [one["code"] for one in reply.json()["errors"]] == ["DAY_INVALID"]


def test_the_public_is_told_nothing_of_a_day_that_is_not_over(kept: TestClient) -> None:
    reply = kept.get(f"{PUBLIC}?date=2026-07-22")
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (422, "DAY_NOT_OVER")
    assert kept.get(f"{DAILY}?date=2026-07-22").status_code == 200


def test_without_a_store_there_is_nothing_to_measure(client: TestClient) -> None:
    for path in (DAILY, PUBLIC):
        reply = client.get(path)
        assert (reply.status_code, reply.json()["code"]) == (503, "STORE_NOT_CONFIGURED")


def test_answers_are_kept_for_a_while_and_bounded(day: tuple[str, DayMeasures]) -> None:
    with opened(day[0], "other") as (database, writer):
        now = [NOW]
        days = DaysAsked(database, Settings(), lambda: now[0])
        first = days.answer(DAY, is_public=False)
        writer.call(lambda tx: tx.connection.exec_driver_sql("DELETE FROM assignments"))
        assert days.answer(DAY, is_public=False) == first
        now[0] += dt.timedelta(minutes=2)
        assert days.answer(DAY, is_public=False) != first
        for number in range(2 * KEPT_MAX):
            days.answer(DAY - dt.timedelta(days=number), is_public=True)
        assert len(days._kept) == KEPT_MAX
