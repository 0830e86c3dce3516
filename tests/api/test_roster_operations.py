"""Records and snapshots: facts are kept and flagged, older changes nothing, differences told."""

import json

import pytest

from api.errors import InvalidRequest, NoSuchUnit, RosterFull
from api.live_roster import LiveRoster
from api.live_view import LiveView
from api.roster_operations import get_unit, list_units, put_unit, reconcile, remove_unit
from api.store.memory import MemoryRoster
from routing.model import Status
from routing.unit_status import STEPS, is_legal_step
from tests.api.story import NOW, Story, at, place, position, record


@pytest.fixture
def story(view: LiveView) -> Story:
    return Story(view)


def kept(story: Story, unit_id: str) -> dict[str, object]:
    return get_unit(story.live.store, unit_id).unit.model_dump()


# -- one unit -------------------------------------------------------------------------------------


def test_a_new_unit_is_added_and_read_back_as_it_was_told(story: Story) -> None:
    told = record("S1", version=7, skills=["CIT"], status_since=at(-60), position=position(-5))
    written = story.report(told)
    assert (written.result, written.roster_version, written.warnings) == ("ADDED", 1, [])
    unit = kept(story, "S1")
    assert (unit["version"], unit["skills"], unit["status"]) == (7, ["CIT"], "AVAILABLE")
    assert unit["status_since"] == "2026-07-21T20:04:02Z"
    assert written.unit.model_dump() == unit


def test_a_changed_record_names_its_fields(story: Story) -> None:
    story.report(record("S1"))
    home = {"post": None, "sector": "K", "beat": None}
    written = story.report(record("S1", version=2, crew_count=1, home=home))
    assert (written.result, written.changed_fields) == (
        "CHANGED",
        ["version", "crew_count", "home"],
    )


def test_the_same_record_again_changes_nothing(story: Story) -> None:
    story.report(record("S1", position=position(-5)))
    before = story.live.view
    written = story.report(record("S1", position=position(-5)), received=3)
    assert (written.result, written.roster_version) == ("UNCHANGED", 1)
    assert written.unit.received_at == NOW
    assert story.live.view is before


def test_an_older_version_changes_nothing_not_even_the_position(story: Story) -> None:
    story.report(record("S1", version=5, position=position(-5)))
    late = record("S1", version=4, status="BUSY", position=position(-1, 80))
    written = story.report(late)
    assert (written.result, written.roster_version) == ("IGNORED_OLDER", 1)
    assert written.unit.status == "AVAILABLE"
    assert story.north_m("S1") == 0


def test_records_without_versions_are_taken_in_the_order_of_arrival(story: Story) -> None:
    story.report(record("S1", version=5))
    assert story.report(record("S1", version=None, status="BUSY")).result == "CHANGED"
    assert story.report(record("S1", version=1)).result == "CHANGED"


def test_an_illegal_jump_is_recorded_and_flagged_and_nothing_is_made_up(story: Story) -> None:
    story.report(record("S1", status_since=at(-600)))
    jump = record("S1", version=2, status="ON_SCENE", status_since=None)
    written = story.report(jump)
    assert [(c.code, c.path) for c in written.conflicts] == [
        ("ILLEGAL_STATUS_JUMP", "/unit/status")
    ]
    unit = kept(story, "S1")
    assert (unit["status"], unit["conflicts"]) == ("ON_SCENE", ["ILLEGAL_STATUS_JUMP"])
    assert unit["status_since"] is None
    assert unit["available_since"] is None


def test_a_legal_step_is_not_flagged(story: Story) -> None:
    story.report(record("S1"))
    steps = ["DISPATCHED", "ENROUTE", "STAGED", "ON_SCENE", "AVAILABLE"]
    for version, status in enumerate(steps, start=2):
        assert story.report(record("S1", version=version, status=status)).conflicts == []
    assert kept(story, "S1")["conflicts"] == []


def test_a_status_that_begins_before_the_earlier_one_is_flagged(story: Story) -> None:
    story.report(record("S1", status_since=at(-60)))
    back = record("S1", version=2, status="DISPATCHED", status_since=at(-90))
    assert [c.code for c in story.report(back).conflicts] == ["STATUS_SINCE_BACKWARDS"]


def test_a_change_of_agency_is_flagged(story: Story) -> None:
    story.report(record("S1"))
    written = story.report(record("S1", version=2, agency="CARE"))
    assert [c.code for c in written.conflicts] == ["AGENCY_CHANGED"]


def test_every_status_has_its_steps_and_unknown_fits_everywhere() -> None:
    assert set(STEPS) == set(Status) - {Status.UNKNOWN}
    assert not is_legal_step(Status.OFF_DUTY, Status.ON_SCENE)
    for status in Status:
        assert is_legal_step(status, status)
        assert is_legal_step(status, Status.UNKNOWN)
        assert is_legal_step(Status.UNKNOWN, status)


def test_a_position_that_is_left_out_stays_and_a_bad_one_is_named(story: Story) -> None:
    story.report(record("S1", position=position(-5)))
    story.report(record("S1", version=2, position=None))
    assert story.north_m("S1") == 0
    written = story.report(record("S1", version=3, position=position(3600, 50)))
    assert [(w.code, w.path) for w in written.warnings] == [("FIX_IN_FUTURE", "/unit/position")]
    assert (written.result, story.north_m("S1")) == ("CHANGED", 0)


def test_an_undated_position_replaces_only_an_undated_one(story: Story) -> None:
    undated = {"lon": position(0)["lon"], "lat": position(0)["lat"]}
    assert story.report(record("S1", position=undated)).result == "ADDED"
    assert story.report(record("S1", position=position(-5, 40))).changed_fields == ["position"]
    written = story.report(record("S1", position=undated))
    assert [w.code for w in written.warnings] == ["FIX_UNDATED"]
    assert story.north_m("S1") == 40


def test_an_unknown_status_or_a_bad_field_is_named_and_the_rest_is_used(story: Story) -> None:
    told = record("S1", status="MEAL", shift_end="tonight", colour="blue")
    written = story.report(told, operator={"id": "D1", "role": "dispatcher"})
    assert {(w.code, w.path) for w in written.warnings} == {
        ("UNIT_ENTRY_DEGRADED", "/unit/status"),
        ("UNIT_ENTRY_DEGRADED", "/unit/shift_end"),
        ("UNKNOWN_FIELD", "/unit/colour"),
        ("REQUEST_FIELD_LEFT_OUT", "/operator"),
    }
    assert (written.unit.status, written.unit.shift_end) == ("UNKNOWN", None)


@pytest.mark.parametrize(
    ("told", "path", "code"),
    [
        ({"unit_id": "S1"}, "/unit/agency", "MISSING"),
        ({"unit_id": "S1", "agency": "POLICE"}, "/unit/agency", "NOT_ONE_OF"),
        ({"unit_id": 1, "agency": "SPD"}, "/unit/unit_id", "WRONG_TYPE"),
        ({"unit_id": "S2", "agency": "SPD"}, "/unit/unit_id", "UNIT_ID_MISMATCH"),
        ("S1", "/unit", "WRONG_TYPE"),
    ],
)
def test_a_record_of_nobody_is_refused_by_field_and_remedy(
    story: Story, told: object, path: str, code: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        put_unit(story.live, "S1", json.dumps({"unit": told}).encode())
    problem = refused.value.problems[0]
    assert (problem.path, problem.code) == (path, code)
    assert problem.remedy


def test_a_unit_is_removed_with_its_position(story: Story) -> None:
    story.report(record("S1", position=position(-5)))
    assert remove_unit(story.live, "S1").result == "REMOVED"
    assert len(story.live.view.on_duty.roster) == 0
    for call in (lambda: remove_unit(story.live, "S1"), lambda: get_unit(story.live.store, "S1")):
        with pytest.raises(NoSuchUnit):
            call()
    story.report(record("S1"))
    assert story.north_m("S1") is None


def test_a_full_roster_takes_no_more_and_is_left_as_it_was(view: LiveView) -> None:
    story = Story(view)
    story.live = LiveRoster(MemoryRoster(units_max=2), view)
    story.snapshot(record("S1"), record("S2"))
    with pytest.raises(RosterFull):
        story.report(record("S3"))
    assert story.live.view.on_duty.roster.unit_id == ("S1", "S2")
    assert story.snapshot(record("S1"), record("S3")).removed == ["S2"]


# -- snapshots ------------------------------------------------------------------------------------


def test_a_snapshot_lists_what_came_what_changed_and_what_went(story: Story) -> None:
    story.snapshot(record("C1"), record("S1"), record("S2"), record("S3", version=9))
    written = story.snapshot(
        record("C1"),
        record("S1", version=2, status="BUSY", position=position(-5)),
        record("S3", version=8, status="BUSY"),
        record("S4"),
    )
    assert (written.received, written.unchanged, written.roster_version) == (4, 1, 2)
    assert (written.added, written.removed, written.ignored_older) == (["S4"], ["S2"], ["S3"])
    (changed,) = written.changed
    assert (changed.unit_id, changed.fields) == ("S1", ["version", "status", "position"])
    assert [unit.unit_id for unit in list_units(story.live.store).units] == ["C1", "S1", "S3", "S4"]
    assert story.live.view.on_duty.roster.unit_id == ("C1", "S1", "S3", "S4")


def test_a_bad_row_is_named_and_its_unit_stays_as_it_was(story: Story) -> None:
    story.snapshot(record("S1", position=position(-5)), record("S2"))
    written = story.snapshot({"unit_id": "S1", "agency": "POLICE"}, record("S2"))
    assert [(w.code, w.path) for w in written.warnings] == [("UNIT_ENTRY_LEFT_OUT", "/units/0")]
    assert (written.removed, written.unchanged) == ([], 1)
    assert kept(story, "S1")["status"] == "AVAILABLE"
    assert story.north_m("S1") == 0


@pytest.mark.parametrize("row", [{"agency": "SPD"}, 7, {"unit_id": "", "agency": "SPD"}])
def test_a_nameless_row_holds_removals_back(story: Story, row: object) -> None:
    story.snapshot(record("S1"), record("S2"))
    written = story.snapshot(row, record("S2", version=2, crew_count=1), record("S3"))
    assert (written.removed, written.added) == ([], ["S3"])
    assert "REMOVALS_HELD_BACK" in [w.code for w in written.warnings]
    assert story.snapshot(record("S2", version=2, crew_count=1)).removed == ["S1", "S3"]


def test_a_unit_that_is_twice_in_a_snapshot_counts_once(story: Story) -> None:
    written = story.snapshot(record("S1"), record("S1", version=3, status="BUSY"))
    assert (written.added, written.unchanged) == (["S1"], 0)
    assert kept(story, "S1")["version"] == 3
    assert [w.path for w in written.warnings] == ["/units/0"]


def test_a_snapshot_flags_jumps_and_bad_positions_with_their_rows(story: Story) -> None:
    story.snapshot(record("S1"), record("S2", position=position(-5)))
    written = story.snapshot(
        record("S2", position=position(-4, 5_000)),
        record("S1", version=2, status="TRANSPORTING"),
    )
    assert [(c.code, c.path) for c in written.conflicts] == [
        ("ILLEGAL_STATUS_JUMP", "/units/1/status")
    ]
    assert [(w.code, w.path) for w in written.warnings] == [("FIX_OUTSIDE", "/units/0/position")]
    assert story.north_m("S2") == 0


def test_positions_of_the_feed_outlive_a_snapshot(story: Story) -> None:
    story.snapshot(record("S1"))
    story.feed(place("S1", -2, 70))
    story.snapshot(record("S1", version=2, position=position(-30)))
    assert story.north_m("S1") == 70


@pytest.mark.parametrize("body", [b"", b"[]", b'{"units": null}', b'{"unit": []}', b"{"])
def test_a_body_that_is_no_snapshot_changes_nothing(story: Story, body: bytes) -> None:
    story.snapshot(record("S1"))
    with pytest.raises(InvalidRequest):
        reconcile(story.live, body)
    assert story.live.view.on_duty.roster.unit_id == ("S1",)


def test_an_empty_snapshot_empties_the_roster(story: Story) -> None:
    story.snapshot(record("S1"), record("S2"))
    assert story.snapshot().removed == ["S1", "S2"]
    assert len(story.live.view.on_duty.roster) == 0
