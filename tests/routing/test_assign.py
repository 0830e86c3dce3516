"""No choice of units may use one twice, or one that cannot go."""

import pytest

from routing.assign import IMPOSSIBLE, NO_UNIT, UnsoundAssignment, check_units

ROWS = [[10, 20, IMPOSSIBLE], [10, 20, 30]]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [((0, 0), "one unit on two calls"), ((2, 1), "cannot go"), ((3, NO_UNIT), "cannot go")],
)
def test_an_unsound_choice_is_found(chosen, said):
    with pytest.raises(UnsoundAssignment, match=said):
        check_units(chosen, ROWS)


def test_a_unit_where_nobody_is_to_be_chosen_is_found():
    with pytest.raises(UnsoundAssignment, match="cannot go"):
        check_units((0, 1), [None, ROWS[1]])


def test_a_sound_choice_passes():
    check_units((1, 0), ROWS)
    check_units((NO_UNIT, NO_UNIT), ROWS)
