"""Rule 9: the pair of one call, alternatives, ties; equal inputs give equal answers."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.model import Agency, Fix, Options, Status, Unit
from tests.routing.edge_dijkstra import EdgeDijkstra
from tests.routing.situations import NOON, call, chosen, city, decide, empty_city, fix, unit

EDGES = ("AB", "BC", "CH", "GH", "HI", "KL", "MN", "NO", "EJ", "FK")


@st.composite
def rosters(draw, most: int = 6) -> list[Unit]:
    """Draw units on few places and few instants, so that ties are common."""
    units = []
    for number in range(draw(st.integers(0, most))):
        name = draw(st.sampled_from("CS")) + str(number)
        place = fix(draw(st.sampled_from(EDGES)), draw(st.sampled_from((0.0, 0.5, 1.0))))
        since = NOON - timedelta(minutes=draw(st.integers(0, 2)))
        status = draw(st.sampled_from((Status.AVAILABLE, Status.AVAILABLE, Status.BUSY)))
        crew = draw(st.sampled_from((2, 2, 1)))
        units.append(
            unit(name, place, available_since=since, status=status, crew_count=crew, row=None)
        )
    return units


def brute_force(units: list[Unit], answer_call) -> list[tuple[str, str]]:
    """Return every pair that qualifies, best first, by scipy's Dijkstra and plain sorting."""
    network, situation = city().network, empty_city()
    oracle = EdgeDijkstra(network, situation.travel_times.edge_times)
    place = situation.streets.snap_incident(answer_call.location.lon, answer_call.location.lat)
    arrive = {}
    for one in units:
        at = one.position
        unit_place = situation.streets.snap_units(np.array([at.lon]), np.array([at.lat]))[0]
        drive_ms = int(oracle.to_incident(place, [unit_place])[0])
        turnout_ms = 60_000 if one.agency == Agency.CARE else 20_000
        arrive[one.unit_id] = (turnout_ms + 60_000 + drive_ms + 500) // 1000
    usable = [one for one in units if one.status == Status.AVAILABLE]
    care = [one for one in usable if one.agency == Agency.CARE and one.crew_count >= 2]
    spd = [one for one in usable if one.agency == Agency.SPD]

    def key(pair):
        c, s = pair
        seconds = arrive[c.unit_id], arrive[s.unit_id]
        return (
            max(seconds), sum(seconds), c.available_since, s.available_since, c.unit_id, s.unit_id,
        )  # fmt: skip

    return [(c.unit_id, s.unit_id) for c, s in sorted(product(care, spd), key=key)]


@given(rosters(), st.sampled_from(("BG", "GH", "LM")), st.floats(0.1, 0.9))
def test_the_pair_and_its_alternatives_are_those_of_brute_force(units, at, fraction):
    incident = call(at, fraction)
    answer = decide(units, incident, options=Options(alternatives=3))
    expected = brute_force(units, incident)
    if not expected:
        assert answer.outcome == "HOLD"
        return
    found = [(chosen(answer)["CARE"], chosen(answer)["SPD"])]
    found += [(one.units[Agency.CARE], one.units[Agency.SPD]) for one in answer.alternatives]
    assert found == expected[:4]
    assert [one.rank for one in answer.alternatives] == list(range(2, 2 + len(found) - 1))


def test_brute_force_would_notice_another_pair():
    units = [unit("C1", "AB"), unit("S1", "KL"), unit("S2", "EJ")]
    answer = decide(
        [replace(one, status=Status.BUSY) if one.unit_id == "S1" else one for one in units]
    )
    assert (chosen(answer)["CARE"], chosen(answer)["SPD"]) != brute_force(units, call())[0]


@given(st.data(), rosters(9))
def test_the_order_of_units_does_not_matter(data, units):
    shuffled = data.draw(st.permutations(units))
    assert repr(decide(units)) == repr(decide(shuffled))


def test_equal_inputs_give_equal_answers_from_fresh_situations():
    units = [unit(name, at) for name, at in zip(("C1", "C2", "S1", "S2"), EDGES, strict=False)]
    first = repr(decide(units))
    empty_city.cache_clear()
    assert repr(decide(units)) == first


def test_arrivals_are_rounded_once_and_half_up():
    place = call("BG", 0.5)
    times = empty_city().travel_times
    for fraction in np.linspace(0.02, 0.98, 25):
        answer = decide([unit("C1", fix("AB", float(fraction))), unit("S1", "KL")], place)
        care = answer.assign[1]
        labels = times.unit_labels(positions_of(fix("AB", float(fraction))))
        drive_ms = int(times.drive_ms(labels, empty_city().streets.snap_incident(
            place.location.lon, place.location.lat))[0])  # fmt: skip
        assert care.arrive_s == (60_000 + 60_000 + drive_ms + 500) // 1000
        assert care.arrive_s == care.turnout_s + care.drive_s


def positions_of(at: Fix):
    return empty_city().streets.snap_units(np.array([at.lon]), np.array([at.lat]))


def test_between_equals_the_longest_available_goes_then_the_lower_id():
    later, earlier = NOON - timedelta(minutes=1), NOON - timedelta(minutes=9)
    police = unit("S1", "KL")
    answer = decide(
        [unit("C1", available_since=later), unit("C2", available_since=earlier), police]
    )
    assert chosen(answer)["CARE"] == "C2"
    answer = decide(
        [unit("C2", available_since=earlier), unit("C1", available_since=earlier), police]
    )
    assert chosen(answer)["CARE"] == "C1"


def test_a_unit_of_unknown_availability_comes_last_among_equals():
    unknown = unit("C1", status_since=None)
    assert chosen(decide([unknown, unit("C2"), unit("S1", "KL")]))["CARE"] == "C2"


def test_an_alternative_tells_how_far_each_unit_is_behind_the_chosen_one():
    answer = decide([unit("C1", "AB"), unit("S1", "BG"), unit("S2", "MN")])
    alternative = answer.alternatives[0]
    assert (alternative.rank, dict(alternative.units)) == (2, {"SPD": "S2", "CARE": "C1"})
    assert alternative.behind_s["CARE"] == 0
    assert (
        alternative.behind_s["SPD"] == alternative.arrive_s["SPD"] - answer.assign[0].arrive_s > 0
    )


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (1, 1), (5, 3)])
def test_as_many_alternatives_as_asked_for_and_as_there_are(count, expected):
    units = [unit("C1"), unit("C2", "GH"), unit("S1", "KL"), unit("S2", "MN")]
    answer = decide(units, options=Options(alternatives=count))
    assert len(answer.alternatives) == expected


def test_the_pair_says_who_is_first_and_the_gap():
    answer = decide([unit("C1", "AB"), unit("S1", "KL")])
    spd, care = answer.assign
    assert (answer.pair.both_at_s, answer.pair.first) == (care.arrive_s, "SPD")
    assert answer.pair.gap_s == care.arrive_s - spd.arrive_s > 0
    late = decide([unit("C1", "BG"), unit("S1", "EJ")])
    assert (late.pair.first, late.pair.gap_s < 0) == ("CARE", True)


def test_an_earlier_unit_is_kept_unless_the_gain_is_thirty_seconds():
    earlier = Options(earlier_unit_ids=frozenset({"C2"}))
    near, far = unit("C1", fix("BG", 0.5)), unit("C2", fix("GH", 0.5))  # 24 s apart
    kept = decide([near, far, unit("S1", "KL")], options=earlier)
    assert (chosen(kept)["CARE"], kept.assign[1].selected_because) == ("C2", "KEPT")
    away = unit("C2", fix("HI", 0.5))  # 48 s
    switched = decide([near, away, unit("S1", "KL")], options=earlier)
    assert (chosen(switched)["CARE"], switched.assign[1].selected_because) == ("C1", "FASTEST_CARE")


def test_stages_are_told_in_order_and_change_nothing():
    from routing.recommend import recommend
    from tests.routing.situations import situation

    told: list[str] = []
    city_now = situation([unit("C1"), unit("S1", "KL")])
    timed = recommend(city_now, call(), NOON, stage=told.append)
    assert told == ["GATES", "SNAP", "LABELS", "RULES", "SOLVE", "ROUTES", "EXPLAIN"]
    assert timed == recommend(city_now, call(), NOON)


def test_an_instant_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="offset"):
        decide([unit("C1")], now=NOON.replace(tzinfo=None))


def test_a_unit_named_earlier_is_kept_however_many_are_nearer():
    near = [unit(f"C{k}", fix("BG", 0.5 + k / 1000)) for k in range(1, 9)]
    earlier = Options(earlier_unit_ids=frozenset({"C9"}))
    kept = decide([*near, unit("C9", fix("GH", 0.3)), unit("S1", "KL")], options=earlier)
    assert (chosen(kept)["CARE"], kept.assign[1].selected_because) == ("C9", "KEPT")
