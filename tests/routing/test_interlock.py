"""Rule 5: police are released after SCENE_SAFE and CARE on scene; the interlock only advises."""

import pytest

from routing.model import Agency, AssignedUnit, Status, UnitId
from tests.routing.situations import NOON, call, decide, unit, warned

PAIR = [unit("C1", "AB"), unit("S1", "KL")]


def both(care: str, spd: str, **changes):
    assigned = (
        AssignedUnit(unit_id=UnitId("C9"), agency=Agency.CARE, status=Status(care)),
        AssignedUnit(unit_id=UnitId("S9"), agency=Agency.SPD, status=Status(spd)),
    )
    return decide(PAIR, call(assigned=assigned, **changes))


def test_rule_5_police_may_leave_when_the_scene_is_safe_and_care_is_there():
    assert "SPD_MAY_LEAVE" in warned(both("ON_SCENE", "ON_SCENE", scene_safe_at=NOON))
    assert "SPD_MAY_LEAVE" not in warned(both("ENROUTE", "ON_SCENE", scene_safe_at=NOON))


@pytest.mark.parametrize(
    ("care", "changes"), [("STAGED", {"scene_safe_at": NOON}), ("ON_SCENE", {}), ("STAGED", {})]
)
def test_rule_5_police_are_not_told_to_leave_before_both(care, changes):
    assert "SPD_MAY_LEAVE" not in warned(both(care, "ON_SCENE", **changes))


def test_rule_5_police_that_left_too_early_are_named_and_nothing_is_refused():
    answer = both("ON_SCENE", "AVAILABLE")
    left = [w for w in answer.warnings if w.code == "RELEASED_BEFORE_SCENE_SAFE"]
    assert [w.path for w in left] == ["/incident/assigned/1/status"]
    assert answer.outcome == "DISPATCH"
    safe = both("ON_SCENE", "AVAILABLE", scene_safe_at=NOON)
    assert "RELEASED_BEFORE_SCENE_SAFE" not in warned(safe)
