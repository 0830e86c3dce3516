"""Closures in the view that decisions take: by the instant, the timer, the roster, the release."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from api.auth.principal import Principal
from api.auth.roles import Role
from api.closures import judging, operations
from api.closures.live_closures import AHEAD, PAST, LiveClosures
from api.closures.records import DailyWindow, KeptClosure
from api.closures.schedule import Schedule
from api.closures.schemas import ActivateWrite, ClosureWrite, EndWrite
from api.closures.writes import activating, ending, proposing, read_told, replacing
from api.desk import Desk
from api.errors import ClosureRefused, ClosureTooLarge
from api.hour_situations import SETS_MAX, HourSituations
from api.live_view import LiveView
from benchmarks.closures import desk_of
from geodata.closures import WINDOWS_MAX
from geodata.network import StreetNetwork
from routing.codes import Eta
from tests.api.builtin_view import builtin_view
from tests.api.closures.closure_story import NOW, content
from tests.api.closures.http_closures import block

SECOND = dt.timedelta(seconds=1)
_RING = [(-122.345, 47.6), (-122.33, 47.6), (-122.33, 47.612), (-122.345, 47.612), (-122.345, 47.6)]
LARGE = {"type": "Polygon", "coordinates": [[list(at) for at in _RING]]}
"""More than 1 % of the network."""


class Story:
    """A desk whose clock is the test's, and closures of blocks of the built-in streets."""

    def __init__(self, desk: Desk, live: LiveClosures) -> None:
        self.desk, self.live = desk, live
        self.at = NOW
        desk.writer.now = lambda: self.at
        live._now = lambda: self.at

    def proposed(self, street: int = 0, **fields: Any) -> KeptClosure:
        line = block(self.view.situation.network, street)
        told = content(**{"geometry": line, **fields})
        made: KeptClosure = self.desk.writer.call(lambda tx: operations.propose(tx, told, "G1"))
        return made

    def active(self, street: int = 0, **fields: Any) -> KeptClosure:
        made = self.proposed(street, **fields)
        self.activate(made, b'{"accept_cut_off":true}')
        return made

    def activate(self, made: KeptClosure, body: bytes, by: Principal | None = None) -> None:
        caller = by or Principal(key_id="k1", roles=frozenset({Role.SUPERVISOR}), asserts=None)
        told = read_told(ActivateWrite, body, caller)
        do = activating(self.live, made, told, self.at)
        self.desk.writer.call(do)

    @property
    def view(self) -> LiveView:
        return self.live.view

    @property
    def network(self) -> StreetNetwork:
        return self.live.placing.network

    def closed(self, at: dt.datetime) -> tuple[str, ...]:
        found = self.view.at(at).closed
        return () if found is None else tuple(one.name for one in found.active)


@pytest.fixture
def story() -> Iterator[Story]:
    with desk_of(builtin_view()) as (desk, live):
        yield Story(desk, live)


def test_no_decision_at_or_after_the_end_has_the_closure(story: Story) -> None:
    ends_at = NOW + 10 * SECOND
    story.active(ends_at=ends_at)
    last = ends_at - dt.timedelta(milliseconds=1)
    assert (story.closed(last), story.closed(ends_at)) == (("Stadium event",), ())
    # What the view was swapped for is still there: whoever reads that alone is a moment late.
    late = story.view.in_hour(story.view.by_hour, ends_at)
    assert late.closed is not None
    assert "-c0" not in late.travel_times.weights_id  # type: ignore[union-attr]
    assert "-c0" in story.view.at(ends_at).travel_times.weights_id  # type: ignore[union-attr]


def test_the_timer_makes_weights_ahead_and_swaps_the_view_in_its_second(story: Story) -> None:
    starts_at = NOW + 600 * SECOND
    story.active(starts_at=starts_at)
    assert story.live.apply(NOW) == starts_at - AHEAD
    shown = story.live.shown
    assert story.live.apply(starts_at - AHEAD) == starts_at
    soon = story.view.hours_at(starts_at)
    assert (soon.made, story.live.shown) == (1, shown)
    story.live.apply(starts_at)
    assert story.view.by_hour is soon
    assert story.view.closed_since == starts_at


def test_the_weights_after_an_end_are_made_before_it_is_written(story: Story) -> None:
    over = story.active(0)
    story.active(1, name="Stays")
    told = read_told(EndWrite, b"{}", Principal(key_id="k1", roles=frozenset(), asserts=None))
    do = ending(story.live, over, told, NOW)
    left = Schedule(closures=story.view.schedule.closures[1:], n_edges=story.view.schedule.n_edges)
    ready = story.view.by_hour.closing(left.closed_at(NOW))
    assert ready.made == 1, "all that is kept waits for them"
    story.desk.writer.call(do)
    assert story.view.by_hour is ready


@pytest.mark.parametrize("step", ["propose", "replace", "end"])
def test_what_a_closure_does_is_not_looked_for_while_others_wait_to_write(
    story: Story, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    by = Principal(key_id="k1", roles=frozenset(), asserts=None)
    body = msgspec.json.encode({"name": "Works", "geometry": block(story.network, 2)})
    until = msgspec.json.encode({"at": NOW + 60 * SECOND})
    do = {
        "propose": lambda: proposing(story.live, read_told(ClosureWrite, body, by), NOW),
        "replace": lambda: replacing(
            story.live, story.proposed().closure_id, read_told(ClosureWrite, body, by), NOW
        ),
        "end": lambda: ending(story.live, story.active(), read_told(EndWrite, until, by), NOW),
    }[step]()
    monkeypatch.delattr(judging, "effect_of")
    answer = msgspec.json.decode(story.desk.writer.call(do).answer)
    assert answer["effect"]["edges"] >= 1


def test_the_roster_keeps_what_is_closed_and_has_labels_of_its_weights(story: Story) -> None:
    story.active()
    view = story.view.with_roster(2, NOW + SECOND)
    assert view.on_duty.closed is story.view.at(NOW).closed
    assert view.on_duty.versions.closures_active == 1
    labels, times = view.on_duty.placement.labels, view.on_duty.travel_times
    assert labels is not None
    assert times is not None
    assert labels.weights_id == times.weights_id
    assert view.with_claims({"CARE2#a"}).on_duty_at(NOW).closed is view.on_duty.closed


def test_without_drive_times_of_the_road_each_instant_has_its_own_closures() -> None:
    view = builtin_view()
    plain = replace(view.by_hour.plain, rung=Eta.STRAIGHT_LINE)
    hours = HourSituations(plain, view.by_hour.profiles)
    with desk_of(replace(view, by_hour=hours)) as (desk, live):
        story = Story(desk, live)
        for street, name in enumerate("AB"):
            begins = NOW + 100 * (street + 1) * SECOND
            story.active(street, name=name, starts_at=begins, ends_at=begins + 50 * SECOND)
        for street, name in enumerate("AB"):
            closed = story.view.on_duty_at(NOW + 100 * (street + 1) * SECOND).closed
            assert closed is not None
            assert [one.name for one in closed.active] == [name]


def test_other_names_of_the_same_edges_are_another_set(story: Story) -> None:
    first = story.active(name="Works")
    story.desk.writer.call(lambda tx: operations.end(tx, first.closure_id, "G1", "", None))
    story.live.refill()
    assert story.closed(NOW) == ()
    story.active(name="Fire")
    assert story.closed(NOW) == ("Fire",)


def test_only_the_latest_sets_are_remembered(story: Story) -> None:
    for second in range(SETS_MAX + 3):
        begins = NOW + 10 * second * SECOND
        story.active(second, name=f"{second}", starts_at=begins, ends_at=begins + 5 * SECOND)
    seen = [story.closed(NOW + 10 * second * SECOND) for second in range(SETS_MAX + 3)]
    assert seen == [(f"{second}",) for second in range(SETS_MAX + 3)]
    assert len(story.view.by_hour._sets._made) <= SETS_MAX + 1


def test_a_closure_without_a_street_here_is_said_and_closes_nothing(story: Story) -> None:
    far = {"type": "Point", "coordinates": [10.0, 50.0]}
    made = story.desk.writer.call(lambda tx: operations.propose(tx, content(geometry=far), "G1"))
    story.desk.writer.call(lambda tx: operations.activate(tx, made.closure_id, 1, "G1", {}))
    story.active(3, name="Here")
    story.live.refill()
    assert story.live.unplaced == (made.closure_id,)
    assert story.closed(NOW) == ("Here",)
    told = judging.judged(story.live, story.live._kept[made.closure_id], NOW)
    assert [one.code for one in told.warnings] == ["CLOSURE_PLACE"]


def test_a_closure_that_cannot_be_hides_no_other(story: Story) -> None:
    windows = (DailyWindow(days=(0,), start="10:00", end="11:00"),) * (WINDOWS_MAX + 1)
    made = story.proposed(windows=windows)
    story.desk.writer.call(lambda tx: operations.activate(tx, made.closure_id, 1, "G1", {}))
    story.active(3, name="Here")
    story.live.refill()
    assert (story.live.unplaced, story.closed(NOW)) == ((made.closure_id,), ("Here",))


def test_what_is_long_over_is_forgotten(story: Story) -> None:
    story.active(0, ends_at=NOW + SECOND)
    story.at = NOW + PAST + 2 * SECOND
    later = story.active(1)
    assert list(story.live._kept) == [later.closure_id]
    assert {len(key) for key in story.live.placing._found} == {32}, "areas are remembered whole"


def test_what_could_not_be_shown_by_a_fault_is_shown_by_the_next_reading(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_given: object) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(story.live, "_swap", fails, raising=False)
        story.active()
    assert story.closed(NOW) == ()
    story.live.refill()
    assert story.closed(NOW) == ("Stadium event",)


def test_above_one_percent_of_the_network_a_supervisor_activates(story: Story) -> None:
    made = story.proposed(geometry=LARGE)
    dispatcher = Principal(
        key_id="k2", roles=frozenset({Role.DISPATCHER}), asserts=frozenset({"SUPERVISOR"})
    )
    accepted = b'{"accept_cut_off":true'
    with pytest.raises(ClosureTooLarge, match="of the network"):
        story.activate(made, accepted + b"}", dispatcher)
    assert story.closed(NOW) == ()
    operator = b',"operator":{"id":"S1","role":"SUPERVISOR"}}'
    story.activate(made, accepted + operator, dispatcher)
    assert story.closed(NOW) == ("Stadium event",)


def test_the_version_to_come_is_not_activated_as_the_one_before_was_judged(story: Story) -> None:
    small = story.proposed()
    dispatcher = Principal(key_id="k2", roles=frozenset({Role.DISPATCHER}), asserts=None)
    told = read_told(ActivateWrite, b'{"accept_cut_off":true,"version":2}', dispatcher)

    def activated_after_a_change() -> None:
        do = activating(story.live, small, told, NOW)
        change = (small.closure_id, content(geometry=LARGE), "k2")
        story.desk.writer.call(lambda tx: operations.replace_proposed(tx, *change))
        story.desk.writer.call(do)

    with pytest.raises(ClosureRefused, match="CLOSURE_CHANGED"):
        activated_after_a_change()


def test_a_small_closure_takes_no_supervisor(story: Story) -> None:
    dispatcher = Principal(key_id="k2", roles=frozenset({Role.DISPATCHER}))
    made = story.proposed(7)
    story.activate(made, b'{"accept_cut_off":true}', dispatcher)
    assert story.closed(NOW) == ("Stadium event",)


def test_a_change_of_the_release_keeps_what_is_closed(story: Story) -> None:
    story.active()
    policy = replace(story.view.situation.policy, policy_id="NIGHT")
    hours = story.view.by_hour.changed(lambda one: replace(one, policy=policy))
    view = replace(story.view, by_hour=hours)
    assert view.at(NOW).closed is story.view.at(NOW).closed
    assert view.at(NOW).travel_times is story.view.at(NOW).travel_times
    assert view.at(NOW).policy.policy_id == "NIGHT"
    before = view.at(NOW - SECOND)
    assert (before.closed, before.policy.policy_id) == (None, "NIGHT")
