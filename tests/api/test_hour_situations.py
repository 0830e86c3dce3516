"""Weight sets of the hours are made when they are asked for, once, from whatever thread."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from api.closures.closed_sets import KeptClosedSet, KeptStreets
from api.hour_situations import CLOSED_HOURS_MAX, HourSituations
from api.live_view import BUILT_IN_PROFILES
from geodata.closures import Traffic
from geodata.driving_time import ROUTINE
from geodata.network import HOURS_PER_WEEK
from routing.codes import Eta
from routing.model import PILOT, Situation
from tests.api.builtin_view import builtin_view


def hours(*busy: int, factor: float = 2.0) -> HourSituations:
    factors = [1.0] * HOURS_PER_WEEK
    for hour in busy:
        factors[hour] = factor
    profiles = BUILT_IN_PROFILES | {"ROUTINE": replace(ROUTINE, hour_factor=tuple(factors))}
    return HourSituations(builtin_view().situation, profiles)


def test_nothing_is_made_that_nobody_asked_for() -> None:
    found = hours(30, 31)
    assert found.made == 1
    assert found[31] is found[30]
    assert found.made == 2
    assert found[0] is found[-1] is found.plain


def test_closures_that_last_do_not_come_to_have_the_weights_of_every_hour() -> None:
    network = builtin_view().situation.network
    shut = KeptStreets(closure_id="c", name="Works", traffic=Traffic.ALL, edges=[3])
    closed = KeptClosedSet(closures=[shut]).closed_now(network.n_edges)
    factors = tuple(1.0 + hour / HOURS_PER_WEEK for hour in range(HOURS_PER_WEEK))
    busy = BUILT_IN_PROFILES | {"ROUTINE": replace(ROUTINE, hour_factor=factors)}
    found = HourSituations(builtin_view().situation, busy).closing(closed)
    first = weights_id(found[0])
    names = {weights_id(found[hour]) for hour in range(CLOSED_HOURS_MAX + 2)}
    assert (len(names), found.made) == (CLOSED_HOURS_MAX + 2, CLOSED_HOURS_MAX)
    assert weights_id(found[0]) == first


def test_who_comes_back_to_every_hour_may_have_more_of_them_remembered() -> None:
    network = builtin_view().situation.network
    shut = KeptStreets(closure_id="c", name="Works", traffic=Traffic.ALL, edges=[3])
    closed = KeptClosedSet(closures=[shut]).closed_now(network.n_edges)
    factors = tuple(1.0 + hour % 8 / 8 for hour in range(HOURS_PER_WEEK))
    busy = BUILT_IN_PROFILES | {"ROUTINE": replace(ROUTINE, hour_factor=factors)}
    plain = HourSituations(builtin_view().situation, busy, closed_hours_max=8)
    found = plain.closing(closed)
    before = [found[hour] for hour in range(8)]
    assert all(found[hour + 8] is before[hour] for hour in range(8))
    assert found.made == 8


def weights_id(situation: Situation) -> str:
    assert situation.travel_times is not None
    return situation.travel_times.weights_id


def test_two_threads_that_ask_at_once_have_the_same_situation() -> None:
    found = hours(30)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: found[30], range(8)))
    assert len(set(map(id, made))) == 1
    assert found.made == 2


def test_other_fields_leave_the_weights_as_they_were() -> None:
    found = hours(30)
    times = found[30].travel_times
    night = replace(PILOT, policy_id="NIGHT")
    after = found.changed(lambda one: replace(one, policy=night))
    assert after[30].travel_times is times
    assert {one.policy.policy_id for one in after} == {"NIGHT"}
    assert found[30].policy.policy_id != "NIGHT"


def test_rule_12_the_last_good_weights_are_told_in_the_view_too() -> None:
    """The roster has the labels of these very weights, and yet the answer must say so."""
    late = hours(50, factor=1e9)
    view = replace(builtin_view(), by_hour=late)

    def at(hour: int) -> Situation:
        return view.on_duty_at(_wednesday(hour))

    assert (at(1).rung, at(2).rung) == (Eta.ROAD, Eta.LAST_GOOD)
    assert at(2).travel_times is late[49].travel_times


def _wednesday(hour: int) -> datetime:
    return datetime(2026, 7, 22, hour, 30, tzinfo=builtin_view().situation.policy.window.zone)
