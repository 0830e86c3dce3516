"""Rule 11 as far as it is built: snapshots reconcile, and a report is a fact, whatever it says.

Claims of units, and what a report does to them, are still to come.
"""

from api.roster_operations import list_units
from tests.api.builtin_view import builtin_view
from tests.api.story import Story, at, position, record


def on_duty(story: Story) -> list[str]:
    """Return the units on the roster, of which the store and the view must say the same."""
    kept = [unit.unit_id for unit in list_units(story.live.store).units]
    assert kept == list(story.live.view.on_duty.roster.unit_id)
    return kept


def test_rule_11_a_snapshot_reconciles_the_roster_and_lists_the_differences() -> None:
    story = Story(builtin_view())
    story.snapshot(record("C1"), record("S1"), record("S2"), record("S4"))
    told = story.snapshot(record("S2", version=2, crew_count=1), record("S3"), record("S4"))
    assert (told.added, told.removed, told.unchanged) == (["S3"], ["C1", "S1"], 1)
    assert [(one.unit_id, one.fields) for one in told.changed] == [
        ("S2", ["version", "crew_count"])
    ]
    assert on_duty(story) == ["S2", "S3", "S4"]


def test_rule_11_what_nobody_can_read_takes_no_unit_off_the_roster() -> None:
    story = Story(builtin_view())
    story.snapshot(record("S1"), record("S2"))
    told = story.snapshot(record("S1", agency="NAVY"), {"agency": "SPD"})
    assert (told.removed, on_duty(story)) == ([], ["S1", "S2"])


def test_rule_11_a_status_report_is_a_fact_and_is_recorded_with_its_conflicts() -> None:
    story = Story(builtin_view())
    story.report(record("S1", status="OFF_DUTY", status_since=at(-60)))
    jump = record("S1", version=2, agency="CARE", status="ON_SCENE", status_since=at(-90))
    told = story.report(jump)
    assert [(one.code, one.path) for one in told.conflicts] == [
        ("ILLEGAL_STATUS_JUMP", "/unit/status"),
        ("STATUS_SINCE_BACKWARDS", "/unit/status_since"),
        ("AGENCY_CHANGED", "/unit/agency"),
    ]
    (kept,) = list_units(story.live.store).units
    assert (told.result, kept.status, kept.agency) == ("CHANGED", "ON_SCENE", "CARE")
    assert kept.conflicts == [one.code for one in told.conflicts]


def test_rule_11_a_report_that_is_older_changes_nothing_and_is_named() -> None:
    story = Story(builtin_view())
    story.report(record("S1", version=5, position=position(-5)))
    late = record("S1", version=4, status="BUSY", position=position(-1, 80))
    assert (story.report(late).result, story.north_m("S1")) == ("IGNORED_OLDER", 0)
    assert story.snapshot(late).ignored_older == ["S1"]
    assert [unit.status for unit in list_units(story.live.store).units] == ["AVAILABLE"]
