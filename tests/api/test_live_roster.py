"""Decisions read the live roster while it changes: each is right for the roster that it names."""

import json
import threading
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from api.live_roster import LiveRoster
from api.live_view import LiveView, load_view
from api.operations import recommend_units
from api.settings import Settings
from api.store.contract import RosterChange, RosterRead, RosterWritten, Then
from api.store.memory import MemoryRoster
from geodata.network import StreetNetwork
from tests.api.requests_made import as_bytes, request
from tests.api.story import NOW, Story, place, position, record

AS_OF = "2026-07-21T13:05:02-07:00"
N_FEEDS = 40
NAMES = [f"{kind}{i}" for i in range(8) for kind in "CS"]


def answered(view: LiveView, **changes: Any) -> dict[str, Any]:
    made = request(as_of=AS_OF, **changes)
    answer: dict[str, Any] = json.loads(recommend_units(view, as_bytes(made)).body)
    return answer | {"recommendation_id": ""}


def without_source(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without what says where its units came from."""
    basis = {**answer["basis"], "unit_source": "", "roster_version": None}
    warnings = [warning | {"path": ""} for warning in answer["warnings"]]
    return answer | {"basis": basis, "warnings": warnings}


# -- the roster in place of the units of a request ------------------------------------------------


def test_the_roster_answers_as_the_same_units_in_the_request_do(view: LiveView) -> None:
    story, units = (
        Story(view),
        [record(name, position=position(-5, 20 * i)) for i, name in enumerate(NAMES)],
    )
    story.snapshot(*units)
    by_roster = answered(story.live.view, units=None)
    assert (by_roster["outcome"], by_roster["basis"]["unit_source"]) == ("DISPATCH", "ROSTER")
    assert by_roster["basis"]["roster_version"] == 1
    by_request = answered(story.live.view, units=units)
    assert by_request["basis"]["roster_version"] is None
    assert without_source(by_roster) == without_source(by_request)


def test_units_of_a_request_replace_the_roster_for_that_call(view: LiveView) -> None:
    story = Story(view)
    story.snapshot(record("C1", position=position(-5)), record("S1", position=position(-5)))
    others = [record("C2", position=position(-5, 90)), record("S2", position=position(-5, 90))]
    assert {u["unit_id"] for u in answered(story.live.view, units=others)["assign"]} == {"C2", "S2"}
    assert answered(story.live.view, units=[])["hold"]["reasons"] == ["NO_UNIT_IN_ROSTER"]
    assert {u["unit_id"] for u in answered(story.live.view, units=None)["assign"]} == {"C1", "S1"}


def test_a_store_that_holds_units_already_is_read_at_the_start(view: LiveView) -> None:
    first = Story(view)
    first.snapshot(record("C1", position=position(-5)), record("S1", position=position(-5)))
    again = LiveRoster.opened(first.live.store, view)
    assert answered(again.view, units=None) == answered(first.live.view, units=None)
    assert LiveRoster.opened(MemoryRoster(), view).view is view


def test_a_fix_after_the_instant_of_a_replay_is_not_used(view: LiveView) -> None:
    story = Story(view)
    story.snapshot(record("C1", position=position(300)), record("S1"), received=300)
    used = {w["code"] for w in answered(story.live.view, units=None)["warnings"]}
    assert "FIX_DISCARDED" in used


# -- while it changes -----------------------------------------------------------------------------


def feed_of(number: int) -> list[dict[str, Any]]:
    """Return the positions of one feed, its own for each number."""
    rng = np.random.default_rng(number)
    metres = rng.uniform(-120, 120, len(NAMES))  # within the jump that noise may make
    return [
        place(name, -1 + number / 1000, float(north))
        for name, north in zip(NAMES, metres, strict=True)
    ]


def test_every_answer_is_that_of_the_roster_version_it_names(view: LiveView) -> None:
    story, done = Story(view), threading.Event()
    story.snapshot(*(record(name, position=position(-60)) for name in NAMES))
    answers: list[dict[str, Any]] = []
    read_one = threading.Event()

    def write() -> None:
        for number in range(N_FEEDS):
            story.feed(*feed_of(number))
            read_one.clear()
            assert read_one.wait(timeout=30)
        done.set()

    def read() -> None:
        while not done.is_set():
            answers.append(answered(story.live.view, units=None))
            read_one.set()

    run_all([write, read, read])
    assert len({answer["basis"]["roster_version"] for answer in answers}) > N_FEEDS // 2
    assert wrong(view, answers) == []


def run_all(works: list[Any]) -> None:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()


def wrong(view: LiveView, answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the answers that differ from a fresh one on the roster that they name."""
    fresh, story = dict[int, dict[str, Any]](), Story(view)
    story.snapshot(*(record(name, position=position(-60)) for name in NAMES))
    fresh[1] = answered(story.live.view, units=None)
    for number in range(N_FEEDS):
        units = {row["unit_id"]: row for row in feed_of(number)}
        sent = [
            record(name, position={k: v for k, v in row.items() if k != "unit_id"})
            for name, row in units.items()
        ]
        fresh[number + 2] = answered(view, units=sent)
    return [
        answer
        for answer in answers
        if without_source(answer) != without_source(fresh[answer["basis"]["roster_version"]])
    ]


def test_an_answer_on_another_roster_would_be_found(view: LiveView) -> None:
    story = Story(view)
    story.snapshot(*(record(name, position=position(-60)) for name in NAMES))
    story.feed(*feed_of(0))
    answer = answered(story.live.view, units=None)
    assert wrong(view, [answer]) == []
    answer["basis"]["roster_version"] = 3
    assert wrong(view, [answer]) == [answer]


def test_writers_that_meet_lose_nothing(view: LiveView) -> None:
    story = Story(view)
    works = [
        lambda name=name: [story.report(record(name, version=v)) for v in range(1, 26)]
        for name in NAMES[:4]
    ]
    run_all(works)
    roster = story.live.view.on_duty.roster
    assert roster.unit_id == tuple(sorted(NAMES[:4]))
    assert set(roster.version) == {25}
    assert story.live.view.roster_version == story.live.store.read().version == 100


class WatchedRoster(MemoryRoster):
    """A store that gives a second writer time to come in while the first one writes."""

    def __init__(self) -> None:
        super().__init__()
        self.in_write, self.read_by_another, self.met = threading.Event(), threading.Event(), False

    def read(self, unit_ids: Collection[str] | None = None) -> RosterRead:
        if unit_ids == ["S2"] and self.in_write.is_set():
            self.read_by_another.set()
        return super().read(unit_ids)

    def write(self, change: RosterChange, then: Then | None = None) -> RosterWritten:
        if change.units[0].unit_id == "S1":
            self.in_write.set()
            self.met = self.read_by_another.wait(0.3)
            self.in_write.clear()
        return super().write(change, then)


def test_a_second_writer_waits_until_the_first_is_done(view: LiveView) -> None:
    story, store = Story(view), WatchedRoster()
    story.live = LiveRoster(store, view)

    def second() -> None:
        assert store.in_write.wait(30)
        story.report(record("S2"))

    run_all([lambda: story.report(record("S1")), second])
    assert not store.met
    assert story.live.view.on_duty.roster.unit_id == ("S1", "S2")


# -- hours ----------------------------------------------------------------------------------------

BUSY_TUESDAYS = "[routine]\nhours = [{days=['tue'], from=14, to=16, factor=2.0}]\n"
SEATTLE = ZoneInfo("America/Los_Angeles")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> LiveView:
    path = tmp_path_factory.mktemp("driving") / "driving.toml"
    path.write_text(BUSY_TUESDAYS, encoding="utf-8")
    return load_view(Settings(driving=Path(path)), lambda _stage: None)


def tuesday(hour: int) -> datetime:
    return datetime(2026, 7, 21, hour, 30, tzinfo=SEATTLE)


def test_the_roster_has_the_labels_of_the_weights_of_the_hour_it_is_asked_for(
    busy: LiveView,
) -> None:
    story = Story(busy)
    story.snapshot(*(record(name, position=position(-5, 30 * i)) for i, name in enumerate(NAMES)))
    made = story.live.view.on_duty_at(NOW)
    assert made is story.live.view.on_duty
    later = story.live.view.on_duty_at(tuesday(15))
    for now in (made, later):
        assert now.travel_times is not None
        assert now.placement.labels is not None
        assert now.placement.labels.weights_id == now.travel_times.weights_id
    assert "-x2-" in later.placement.labels.weights_id
    assert story.live.view.on_duty_at(tuesday(14)) is later
    assert story.live.view.on_duty_at(tuesday(13)) is made


def test_a_move_in_the_new_hour_is_labelled_with_its_weights(busy: LiveView) -> None:
    story = Story(busy)
    story.snapshot(record("C1", position=position(-5)), record("S1", position=position(-5)))
    an_hour_s = (tuesday(14) - NOW).total_seconds()
    story.feed(place("S1", an_hour_s, 100), received=an_hour_s)
    view = story.live.view
    assert view.on_duty is view.on_duty_at(tuesday(15))
    for hour in (13, 15):
        when = tuesday(hour).isoformat()
        body = as_bytes(request(as_of=when, units=None))
        units = [
            record("C1", position=position(-5)),
            record("S1", position=position(an_hour_s, 100)),
        ]
        fresh = as_bytes(request(*units, as_of=when))
        one, other = (
            json.loads(recommend_units(view, b, name=lambda _: "").body) for b in (body, fresh)
        )
        assert without_source(one) == without_source(other)


def test_an_hour_costs_no_second_label_of_the_same_weights(busy: LiveView) -> None:
    story = Story(busy)
    story.snapshot(record("S1", position=position(-5)))
    story.live.view.on_duty_at(tuesday(15))
    story.live.view.on_duty_at(tuesday(14))
    assert len(story.live.view.other_hours) == 1
    story.feed(place("S1", -1, 10))
    assert story.live.view.other_hours == {}


def test_seattle_moves_equal_a_fresh_roster(seattle: StreetNetwork) -> None:
    from routing.live import with_moves, with_roster
    from tests.routing.test_live import first_situation, seeded_roster
    from tests.routing.test_roster_change import differences

    before = first_situation(seattle)
    target = seeded_roster(seattle, 7)
    rows = np.arange(0, len(target), 3)
    fixes = [fix_of(target, int(row)) for row in rows]
    after = with_moves(before, rows, fixes)
    assert differences(after, with_roster(before, after.roster)) == []
    assert after.roster.lon[3] == target.lon[3] != before.roster.lon[3]


def fix_of(roster: Any, row: int) -> Any:
    from routing.roster import Fix

    return Fix(lon=float(roster.lon[row]), lat=float(roster.lat[row]))
