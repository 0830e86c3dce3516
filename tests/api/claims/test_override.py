"""An override is kept with its reason; where it names units, it claims both or none."""

from typing import Any

import pytest

from api.claims.records import Overridden, Refused
from api.errors import NoSuchIncident
from routing.codes import OverrideAction, Status
from tests.api.claims.desk_story import (
    DISPATCHER,
    SERGEANT,
    SUPERVISOR,
    VALID_S,
    DeskStory,
)

USE_OTHER = OverrideAction.USE_OTHER_UNIT
NO_SPD: Any = {"tentative": {"SPD": None, "CARE": "C1"}}


def refusal(found: Any) -> list[tuple[str, str | None]]:
    assert isinstance(found, Refused), found
    return [(one.code, one.unit_id) for one in found.reasons]


def claimed(found: Any) -> tuple[str, ...]:
    assert isinstance(found, Overridden), found
    return () if found.claim is None else found.claim.unit_ids


def test_another_unit_stands_in_for_the_recommended_one_of_its_kind(desk: DeskStory) -> None:
    desk.units("C1", "S1", "S2")
    desk.recommend("A", "S1", "C1")
    found = desk.override("A", USE_OTHER, "S2")
    assert claimed(found) == ("S2", "C1")
    assert [unit for unit, _ in desk.live()] == ["C1", "S2"]
    assert desk.on_call("A") == ["C1", "S2"]
    assert desk.audited()[-1] == "OVERRIDE"


def test_both_may_be_others(desk: DeskStory) -> None:
    desk.units("C1", "S1", "S2", "C2")
    desk.recommend("A", "S1", "C1")
    assert claimed(desk.override("A", USE_OTHER, "C2", "S2")) == ("S2", "C2")


def test_a_unit_that_another_call_holds_is_not_taken_from_it(desk: DeskStory) -> None:
    desk.units("C1", "S1", "C2", "S2")
    desk.confirmed("B", "S2", "C2")
    desk.recommend("A", "S1", "C1")
    assert refusal(desk.override("A", USE_OTHER, "S2")) == [("UNIT_TAKEN", "S2")]
    assert [unit for unit, _ in desk.live()] == ["C2", "S2"]


def test_a_unit_that_is_not_free_is_named(desk: DeskStory) -> None:
    desk.units("C1", "S1", "S2")
    desk.units("S2", version=2, status=Status.BUSY)
    desk.recommend("A", "S1", "C1")
    assert refusal(desk.override("A", USE_OTHER, "S2")) == [("UNIT_CHANGED", "S2")]


@pytest.mark.parametrize("units", [(), ("S2", "S3"), ("X1",)])
def test_units_that_make_no_pair_are_refused(desk: DeskStory, units: tuple[str, ...]) -> None:
    desk.units("C1", "S1", "S2", "S3")
    hold: Any = {"tentative": {"SPD": "S1", "CARE": None}}
    desk.recommend("A", hold=hold)
    found = desk.override("A", OverrideAction.DIVERT_UNIT, *units, by=SUPERVISOR)
    assert refusal(found) == [("PAIR_INCOMPLETE", None)]


def test_a_supervisor_diverts_a_busy_unit_and_the_pair_is_whole(desk: DeskStory) -> None:
    desk.units("C1", "S1")
    desk.report("S1", Status.DISPATCHED, "B")
    desk.recommend("A", hold=NO_SPD)
    found = desk.override("A", OverrideAction.DIVERT_UNIT, "S1", by=SUPERVISOR)
    assert claimed(found) == ("S1", "C1")


def test_a_dispatcher_does_not_divert(desk: DeskStory) -> None:
    desk.units("C1", "S1")
    desk.recommend("A", hold=NO_SPD)
    found = desk.override("A", OverrideAction.DIVERT_UNIT, "S1", by=DISPATCHER)
    assert refusal(found) == [("OVERRIDE_NOT_OFFERED", None)]


def test_a_supervisor_may_do_what_a_dispatcher_may(desk: DeskStory) -> None:
    desk.units("C1", "S1", "S2")
    desk.recommend("A", "S1", "C1")
    assert claimed(desk.override("A", USE_OTHER, "S2", by=SUPERVISOR)) == ("S2", "C1")


@pytest.mark.parametrize(("who", "may"), [(SERGEANT, True), (SUPERVISOR, False)])
def test_only_a_police_sergeant_releases_care_alone(desk: DeskStory, who: Any, may: bool) -> None:
    desk.units("C1")
    desk.recommend("A", hold=NO_SPD)
    found = desk.override("A", OverrideAction.RELEASE_CARE_ALONE, by=who)
    assert isinstance(found, Overridden if may else Refused)
    assert desk.announced("queue") == (["A"] if may else [])
    assert desk.live() == []


@pytest.mark.parametrize(("gate", "may"), [("ZONE", True), ("CALL_TYPE", False), (None, False)])
def test_a_gate_is_let_pass_only_where_that_gate_is_offered(
    desk: DeskStory, gate: str | None, may: bool
) -> None:
    desk.recommend("A", offered=[("OVERRIDE_GATE", "SUPERVISOR", "ZONE")], hold=NO_SPD)
    found = desk.override("A", OverrideAction.OVERRIDE_GATE, by=SUPERVISOR, gate=gate)
    assert isinstance(found, Overridden if may else Refused)


def test_an_override_of_a_recommendation_that_expired_is_refused(desk: DeskStory) -> None:
    desk.units("C1", "S1", "S2")
    desk.recommend("A", "S1", "C1")
    desk.pass_by(VALID_S + 1)
    assert refusal(desk.override("A", USE_OTHER, "S2")) == [("RECOMMENDATION_EXPIRED", None)]


def test_a_call_that_holds_a_pair_gets_no_second_one(desk: DeskStory) -> None:
    desk.units("C1", "S1", "S2", "C2")
    desk.confirmed("A", "S1", "C1")
    found = desk.override("A", USE_OTHER, "S2", "C2")
    assert refusal(found) == [("CALL_CLAIMED", "S1"), ("CALL_CLAIMED", "C1")]


def test_a_call_that_nobody_asked_about_has_nothing_to_override(desk: DeskStory) -> None:
    with pytest.raises(NoSuchIncident):
        desk.override("A", USE_OTHER, "S2")
