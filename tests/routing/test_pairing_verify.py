"""The check of a batch finds every kind of wrong answer."""

from dataclasses import replace

import pytest

from routing.assign import IMPOSSIBLE, NO_UNIT, UnsoundAssignment
from routing.pairing_batch import pair_batch
from routing.pairing_tables import PendingCall
from routing.pairing_verify import verify_batch

X = IMPOSSIBLE
CALLS = [
    PendingCall(incident_id="A", priority=1, care_s=[100, 200, 300, X], spd_s=[50, 60, 70]),
    PendingCall(incident_id="B", priority=2, care_s=[100, 250, 300, X], spd_s=[50, 90, 70]),
    PendingCall(incident_id="C", priority=2, care_s=[100, 250, 300, X], spd_s=30),
]
"""The best: A has CARE 1 and SPD 1, B CARE 2 and SPD 0, C CARE 0 (or B and C the other way)."""


def good():
    return pair_batch(CALLS)


def test_a_sound_answer_passes():
    found = good()
    assert found.served == (True, True, True)
    verify_batch(found, CALLS)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"care": (0, 0, 2)}, "one unit on two calls"),
        ({"spd": (1, 1, NO_UNIT)}, "one unit on two calls"),
        ({"care": (3, 1, 0)}, "column 3 cannot go"),
        ({"care": (4, 1, 0)}, "column 4 cannot go"),
        ({"care": (-2, 1, 0)}, "column -2 cannot go"),
        ({"spd": (1, 0, 2)}, "column 2 cannot go"),
        ({"care": (NO_UNIT, 1, 0)}, "part of a pair"),
        ({"spd": (NO_UNIT, 0, NO_UNIT)}, "part of a pair"),
        ({"served": (False, True, True)}, "part of a pair"),
        ({"care": (1, 2)}, "lengths"),
    ],
)
def test_units_that_break_a_rule_are_found(wrong, said):
    with pytest.raises(UnsoundAssignment, match=said):
        verify_batch(replace(good(), **wrong), CALLS)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"sum_of_max_s": 599}, "sums"),
        ({"sum_of_both_s": 1}, "sums"),
        ({"bound_of_max_s": 10**6}, "bound"),
        ({"bound_of_max_s": 1}, "bound"),
        ({"served_proven": False}, "a proof without"),
        ({"proven_optimal": False}, "a proof without"),
        ({"cut_short": True}, "nothing left to do"),
    ],
)
def test_figures_and_claims_that_are_not_right_are_found(wrong, said):
    with pytest.raises(UnsoundAssignment, match=said):
        verify_batch(replace(good(), **wrong), CALLS)


def claiming(calls, care, spd, served):
    """Return an answer that says that it is the best, its sums being right."""
    arrivals = [
        [
            half if isinstance(half, int) else half[unit]
            for half, unit in ((c.care_s, i), (c.spd_s, j))
        ]
        for c, i, j, is_served in zip(calls, care, spd, served, strict=True)
        if is_served
    ]
    most = sum(map(max, arrivals))
    return replace(
        good(),
        care=care,
        spd=spd,
        served=served,
        sum_of_max_s=most,
        bound_of_max_s=most,
        sum_of_both_s=sum(map(sum, arrivals)),
    )


@pytest.mark.parametrize(
    ("care", "spd", "served", "said"),
    [
        ((0, 1, 2), (1, 0, NO_UNIT), (True, True, True), "not the best"),
        ((1, 2, 0), (2, 1, NO_UNIT), (True, True, True), "not the best"),
        ((1, 2, 0), (2, 0, NO_UNIT), (True, True, True), "not the best"),
        ((1, NO_UNIT, 0), (1, NO_UNIT, NO_UNIT), (True, False, True), "B could be served"),
        ((NO_UNIT, 1, 0), (NO_UNIT, 0, NO_UNIT), (False, True, True), "A could be served"),
    ],
)
def test_a_false_claim_to_be_the_best_is_found(care, spd, served, said):
    with pytest.raises(UnsoundAssignment, match=said):
        verify_batch(claiming(CALLS, care, spd, served), CALLS)


def test_serving_a_less_important_call_in_place_of_another_is_found():
    calls = [replace(c, care_s=[100], spd_s=[5]) for c in CALLS[:2]]
    for served, said in (((True, False), None), ((False, True), "A could be served")):
        units = tuple(0 if is_served else NO_UNIT for is_served in served)
        answer = claiming(calls, units, units, served)
        if said is None:
            verify_batch(answer, calls)
        else:
            with pytest.raises(UnsoundAssignment, match=said):
                verify_batch(answer, calls)
