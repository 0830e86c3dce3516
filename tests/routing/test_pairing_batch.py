"""Several pending calls together: equal to trying everything, in any order, at any hash seed."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from routing.assign import IMPOSSIBLE, NO_UNIT
from routing.pairing_batch import BatchLimits, pair_batch
from routing.pairing_tables import PendingCall, make_tables, one_after_the_other
from tests.routing.batch_oracle import best_by_trying_all, nearest_pair, random_calls

X = IMPOSSIBLE
REPOSITORY = Path(__file__).resolve().parents[2]


def result(pairing):
    return (
        pairing.care,
        pairing.spd,
        pairing.served,
        pairing.sum_of_max_s,
        pairing.sum_of_both_s,
    )


def is_all_proven(pairing):
    return (pairing.served_proven, pairing.proven_optimal, pairing.canonical) == (True,) * 3


@pytest.mark.parametrize("late_s", [3, 40, 900])
@pytest.mark.parametrize("block", range(10))
def test_equal_to_trying_everything(late_s, block):
    rng = np.random.default_rng([late_s, block])
    for seed in range(20):
        calls = random_calls(1000 * block + seed, rng.integers((1, 1, 1), (6, 6, 6)), late_s)
        found = pair_batch(calls)
        assert is_all_proven(found)
        assert result(found) == best_by_trying_all(calls), seed


@pytest.mark.parametrize("late_s", [3, 40, 900])
@pytest.mark.parametrize("seed", range(8))
def test_equal_to_trying_everything_with_seven_calls_and_seven_units_of_each(late_s, seed):
    calls = random_calls(seed, (7, 7, 7), late_s, odd=0.1)
    found = pair_batch(calls)
    assert is_all_proven(found)
    assert result(found) == best_by_trying_all(calls)


@pytest.mark.parametrize("late_s", [3, 900])
@pytest.mark.parametrize("seed", range(40))
def test_a_batch_of_one_is_the_single_call(late_s, seed):
    calls = random_calls(seed, (1, 6, 9), late_s, odd=0)
    care, spd = nearest_pair(calls[0].care_s.tolist(), calls[0].spd_s.tolist())
    assert result(pair_batch(calls))[:2] == ((care,), (spd,))


@pytest.mark.parametrize("seed", range(30))
def test_the_order_in_which_calls_are_given_does_not_matter(seed):
    calls = random_calls(seed, (6, 5, 6), late_s=20)
    order = np.random.default_rng(seed).permutation(len(calls))
    found, turned = pair_batch(calls), pair_batch([calls[i] for i in order])
    assert turned == replace(
        found,
        care=tuple(found.care[i] for i in order),
        spd=tuple(found.spd[i] for i in order),
        served=tuple(found.served[i] for i in order),
    )


@pytest.mark.parametrize("seed", range(30))
def test_the_order_of_units_matters_among_equals_only(seed):
    calls = random_calls(seed, (5, 6, 6), late_s=20, odd=0)
    order = np.random.default_rng(seed).permutation(6)
    turned = [replace(c, care_s=c.care_s[order], spd_s=c.spd_s[order]) for c in calls]
    assert result(pair_batch(turned))[3:] == result(pair_batch(calls))[3:]
    assert sum(pair_batch(turned).served) == sum(pair_batch(calls).served)


@pytest.mark.parametrize("seed", range(20))
def test_never_worse_than_one_call_after_the_other_even_without_any_work(seed):
    calls = random_calls(seed, (12, 6, 8))
    tables = make_tables(calls)
    greedy = one_after_the_other(tables)
    for limits in (
        BatchLimits(),
        BatchLimits(rounds_max=1, programs_max=0),
        BatchLimits(calls_max=0),
    ):
        found = pair_batch(calls, limits=limits)
        served = [found.served[i] for i in tables.rank]
        counts = tuple(-sum(served[c] for c in group) for group in tables.classes)
        assert (counts, found.sum_of_max_s, found.sum_of_both_s) <= greedy.worth


def call(incident_id, care_s, spd_s, **about):
    return PendingCall(incident_id=incident_id, care_s=care_s, spd_s=spd_s, **about)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"priority": 1}, {"priority": 2, "escalated": True, "queued_s": 9000}),
        ({"priority": 3}, {"priority": None}),
        ({"priority": 2, "escalated": True, "queued_s": 1}, {"priority": 2, "queued_s": 9000}),
        ({"priority": 2, "queued_s": 61}, {"priority": 2, "queued_s": 60}),
        ({"priority": 2, "queued_s": 60}, {"priority": 2, "queued_s": None}),
    ],
)
def test_the_last_unit_goes_to_the_more_important_call_however_far(first, second):
    calls = [call("A", [900], [900], **first), call("B", [10], [10], **second)]
    assert pair_batch(calls).served == (True, False)
    assert pair_batch(calls[::-1]).served == (False, True)


def test_two_served_calls_of_a_priority_come_before_the_older_one():
    old = call("OLD", [50, X], [50, X], priority=1, queued_s=900, escalated=True)
    by_care = call("A", [5, X], [X, 9], priority=1)
    by_spd = call("B", [X, 5], [9, X], priority=1)
    assert pair_batch([old, by_care, by_spd]).served == (False, True, True)
    assert pair_batch([old, by_care]).served == (True, False)
    later = [replace(by_care, priority=2), replace(by_spd, priority=2)]
    assert pair_batch([old, *later]).served == (True, False, False)


def test_among_calls_alike_the_seconds_decide_who_is_served():
    assert pair_batch([call("A", [90], [10]), call("B", [80], [10])]).served == (False, True)


def test_a_call_that_needs_nobody_more_is_served_and_costs_its_arrivals():
    found = pair_batch([call("A", 40, 70), call("B", None, 5)])
    assert (found.care, found.spd, found.served) == ((NO_UNIT,) * 2, (NO_UNIT,) * 2, (True, True))
    assert (found.sum_of_max_s, found.sum_of_both_s) == (75, 115)


def test_nothing_to_do_is_no_error():
    assert is_all_proven(pair_batch([]))
    assert pair_batch([call("A", [], [5])]).served == (False,)


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([call("A", [1], [1]), call("A", [1], [1])], "same incident_id"),
        ([call("A", [1], [1]), call("B", [1, 2], [1])], "expected all equal"),
        ([call("A", [-1], [1])], "an arrival of -1"),
        ([call("A", [2**22], [1])], "an arrival of 4194304"),
        ([call("A", -5, [1])], "fixed arrival"),
    ],
)
def test_calls_that_cannot_be_read_are_refused(calls, said):
    with pytest.raises(ValueError, match=said):
        pair_batch(calls)


def test_the_longest_arrivals_still_fit():
    rows = [[2**22 - 1 - (i * j) % 5 for j in range(20)] for i in range(20)]
    found = pair_batch([call(f"{i:02}", rows[i], rows[-i]) for i in range(20)])
    assert all(found.served)


def test_out_of_time_the_answer_is_that_of_one_after_the_other_and_says_so():
    calls = random_calls(3, (8, 6, 6))
    found = pair_batch(calls, seconds_left=lambda: 0.0)
    assert (found.cut_short, found.proven_optimal, found.flows) == (True, False, 0)
    greedy = one_after_the_other(make_tables(calls))
    assert found.sum_of_max_s == greedy.worth[1]


@pytest.mark.parametrize("answers", [1, 2, 3, 4, 6])
def test_a_deadline_at_any_step_leaves_a_sound_answer(answers):
    rng = np.random.default_rng(5)
    rows = rng.integers(100, 900, (2, 12, 12))
    calls = [call(f"{i:02}", rows[0][i], rows[1][i]) for i in range(12)]
    left = iter([9.0] * answers)
    found = pair_batch(calls, seconds_left=lambda: next(left, 0.0))
    assert found.cut_short
    assert not found.canonical
    assert found.bound_of_max_s <= pair_batch(calls).sum_of_max_s <= found.sum_of_max_s


def test_no_step_begins_with_less_time_than_the_longest_took():
    rng = np.random.default_rng(5)
    rows = rng.integers(100, 900, (2, 12, 12))
    calls = [call(f"{i:02}", rows[0][i], rows[1][i]) for i in range(12)]
    left_s = [0.9]

    def slow_machine() -> float:
        left_s.append(left_s[-1] - 0.25)  # each step takes a quarter of a second
        return left_s[-1]

    assert pair_batch(calls, seconds_left=slow_machine).cut_short
    assert left_s[-1] == pytest.approx(0.15)  # not below zero: another step would not have ended


def test_a_work_limit_is_no_deadline_and_its_bound_holds():
    rng = np.random.default_rng(5)
    rows = rng.integers(100, 900, (2, 12, 12))
    calls = [call(f"{i:02}", rows[0][i], rows[1][i]) for i in range(12)]
    found = pair_batch(calls, limits=BatchLimits(rounds_max=2, programs_max=0))
    best = pair_batch(calls)
    assert (found.cut_short, found.proven_optimal, best.proven_optimal) == (False, False, True)
    assert found.bound_of_max_s <= best.sum_of_max_s <= found.sum_of_max_s


def alike(n):
    """Return calls and units that all swap freely: every choice is as good."""
    return [call(f"{i:02}", [70] * n, [80] * n) for i in range(n)]


def test_among_choices_as_good_each_call_in_turn_takes_its_earliest_columns():
    found = pair_batch(alike(6)[::-1])
    assert found.care == found.spd == (5, 4, 3, 2, 1, 0)


def tied(seed, n_units):
    """Return six calls of equal importance whose arrivals are 70 or 71 seconds."""
    rows = np.random.default_rng(seed).integers(70, 72, (2, 6, n_units))
    return [call(f"{i:02}", rows[0][i], rows[1][i]) for i in range(6)]


@pytest.mark.parametrize("n_units", [3, 5])
@pytest.mark.parametrize("seed", range(15))
def test_equals_are_served_and_given_units_in_canonical_order(seed, n_units):
    calls = tied(seed, n_units)
    found = pair_batch(calls)
    assert is_all_proven(found)
    assert result(found) == best_by_trying_all(calls)


def test_the_canonical_step_is_made_as_a_whole_or_not_at_all():
    unsettled = BatchLimits(settle_entries_max=0)
    for seed in range(15):
        before, whole = pair_batch(tied(seed, 6), limits=unsettled), pair_batch(tied(seed, 6))
        for n in range(before.programs, whole.programs):
            found = pair_batch(tied(seed, 6), limits=BatchLimits(programs_max=n))
            assert (found.proven_optimal, found.canonical, found.cut_short) == (True, False, False)
            assert result(found) == result(before)


PROGRAM = """
from routing.pairing_batch import pair_batch
from tests.routing.batch_oracle import random_calls
print([pair_batch(random_calls(seed, (9, 9, 9), 30)) for seed in range(6)])
"""


def test_equal_in_every_process_and_at_every_hash_seed():
    said = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=REPOSITORY,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(said) == 1
