"""One call against brute force, and a verifier that finds every kind of wrong answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.assign import IMPOSSIBLE, NO_UNIT, Pairing, UnsoundAssignment, pair_units, verify

X = IMPOSSIBLE
SECONDS = st.one_of(st.integers(0, 900), st.integers(0, 3), st.just(X))


ROW = st.lists(SECONDS, max_size=5)


@given(ROW, ROW)
def test_one_call_gets_the_least_max_then_sum_then_the_first_columns(care, spd):
    care_s, spd_s = [care], [spd]
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


def test_a_proof_for_several_calls_is_not_believed():
    several = Pairing(care=(0, 1), spd=(0, 1), proven_optimal=True)
    with pytest.raises(UnsoundAssignment, match="several calls"):
        verify(several, [[1, 2], [1, 2]], [[1, 2], [1, 2]])
