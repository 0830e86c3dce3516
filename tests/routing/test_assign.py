"""The solver against brute force, and a verifier that finds every kind of wrong answer."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.assign import IMPOSSIBLE, NO_UNIT, Pairing, UnsoundAssignment, pair_units, verify

X = IMPOSSIBLE
SECONDS = st.one_of(st.integers(0, 900), st.integers(0, 3), st.just(X))


@st.composite
def tables(draw, calls: int | None = None):
    n_calls = draw(st.integers(1, 3)) if calls is None else calls
    n_care, n_spd = draw(st.integers(0, 4)), draw(st.integers(0, 4))

    def rows(n):
        return [draw(st.lists(SECONDS, min_size=n, max_size=n)) for _ in range(n_calls)]

    return rows(n_care), rows(n_spd)


@given(tables(calls=1))
def test_one_call_gets_the_least_max_then_sum_then_the_first_columns(table):
    care_s, spd_s = table
    pairs = [
        (max(c, s), c + s, i, j)
        for i, c in enumerate(care_s[0])
        for j, s in enumerate(spd_s[0])
        if X not in (c, s)
    ]
    expected = min(pairs)[2:] if pairs else (NO_UNIT, NO_UNIT)
    found = pair_units(care_s, spd_s)
    assert (found.care[0], found.spd[0]) == expected
    assert found.proven_optimal


def most_served(care_s, spd_s) -> int:
    """Return by brute force how many calls can have both kinds at once."""
    n_calls, best = len(care_s), 0
    spare = [NO_UNIT] * n_calls
    for care in set(permutations([*range(len(care_s[0])), *spare], n_calls)):
        for spd in set(permutations([*range(len(spd_s[0])), *spare], n_calls)):
            halves = list(zip(care_s, care, spd_s, spd, strict=True))
            if all(
                (c == NO_UNIT) == (s == NO_UNIT) and (c == NO_UNIT or X not in (own[c], other[s]))
                for own, c, other, s in halves
            ):
                best = max(best, sum(c != NO_UNIT for _, c, _, _ in halves))
    return best


@given(tables(calls=2))
def test_several_calls_never_share_a_unit_and_as_many_as_can_be_are_served(table):
    care_s, spd_s = table
    found = pair_units(care_s, spd_s)
    verify(found, care_s, spd_s)
    assert sum(unit != NO_UNIT for unit in found.care) == most_served(care_s, spd_s)


def test_a_call_that_cannot_have_both_leaves_its_unit_to_another():
    found = pair_units([[50], [90]], [[X, X], [80, 70]])
    assert (found.care, found.spd) == ((NO_UNIT, 0), (NO_UNIT, 1))


def test_nothing_to_do_is_no_error():
    assert pair_units([], []).care == ()
    assert pair_units([[]], [[1]]).care == (NO_UNIT,)


@pytest.mark.parametrize(
    ("care", "spd", "said"),
    [
        ((0, 0), (0, 1), "one unit on two calls"),
        ((0, 1), (1, 1), "one unit on two calls"),
        ((2, 1), (0, 1), "cannot go"),
        ((0, NO_UNIT), (0, 1), "half a pair"),
    ],
)
def test_the_verifier_finds_an_unsound_solution(care, spd, said):
    care_s, spd_s = [[10, 20, X], [10, 20, 30]], [[5, 6], [5, 6]]
    with pytest.raises(UnsoundAssignment, match=said):
        verify(Pairing(care=care, spd=spd, proven_optimal=False), care_s, spd_s)


@pytest.mark.parametrize("care", [(1,), (NO_UNIT,)])
def test_the_verifier_finds_a_pair_that_is_not_the_best(care):
    spd = (NO_UNIT,) if care == (NO_UNIT,) else (0,)
    with pytest.raises(UnsoundAssignment, match="not the best"):
        verify(Pairing(care=care, spd=spd, proven_optimal=True), [[10, 20]], [[5]])


def test_equal_tables_give_equal_answers():
    care_s, spd_s = [[7, 7], [7, 7]], [[9, 9], [9, 9]]
    assert pair_units(care_s, spd_s) == pair_units(care_s, spd_s)


def test_costs_that_would_not_fit_are_refused():
    with pytest.raises(UnsoundAssignment, match="too much"):
        pair_units([[2**39]] * 3, [[2**39]] * 3)
