"""Position feeds: bad fixes are discarded, the previous is kept, nothing blocks the next."""

import pytest

from api.errors import InvalidRequest
from api.live_view import LiveView
from api.position_feed import move_units
from routing.fixes import FixLimits, judge_fix
from tests.api.story import LAT, LON, NOW, Story, place, position, record


@pytest.fixture
def story(view: LiveView) -> Story:
    """Two units, S1 with a fix of ten seconds ago."""
    made = Story(view)
    made.snapshot(record("S1", position=position(-10)), record("C1"))
    return made


def test_a_newer_fix_replaces_the_one_that_is_kept(story: Story) -> None:
    written = story.feed(place("S1", -2, 50))
    assert (written.applied, written.discarded, written.roster_version) == (1, 0, 2)
    assert story.north_m("S1") == 50


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (place("S1", 6, 50), "FIX_IN_FUTURE"),
        (place("S1", -2, lon=0, lat=0), "FIX_ZERO"),
        (place("S1", -2, lon=LAT, lat=LON), "FIX_SWAPPED"),
        (place("S1", -2, lon=1_271_000, lat=225_000), "FIX_NOT_DEGREES"),
        (place("S1", -2, lon=-122.2), "FIX_OUTSIDE"),
        (place("S1", -11, 50), "FIX_OUT_OF_ORDER"),
        (place("S1", -10, 50), "FIX_OUT_OF_ORDER"),
        (place("S1", -9, 330), "FIX_IMPOSSIBLE_SPEED"),
        (place("S9", -2, 50), "UNIT_NOT_IN_ROSTER"),
        (place("S1", -2, fixed_at="2026-07-21T13:05:00"), "NO_UTC_OFFSET"),
        (place("S1", -2, lon="-122.3"), "WRONG_TYPE"),
        (place("S1", -2) | {"unit_id": 7}, "WRONG_TYPE"),
        ({"unit_id": "S1", "lon": LON, "lat": LAT}, "MISSING"),
        ("S1", "WRONG_TYPE"),
    ],
)
def test_a_bad_row_is_discarded_and_fails_no_other(story: Story, row: object, code: str) -> None:
    written = story.feed(place("C1", -3, 10), row, place("C1", -1, 20))
    assert (written.received, written.applied, written.discarded) == (3, 2, 1)
    assert written.discarded_by_code == {code: 1}
    assert written.rows[0].path.startswith("/positions/1")
    assert written.rows[0].remedy
    assert (story.north_m("S1"), story.north_m("C1")) == (0, 20)


def test_a_fix_at_the_edge_of_what_is_believed_is_believed(story: Story) -> None:
    """The twin of the future, the order and the speed: a hair less, and it is used."""
    assert story.feed(place("S1", 5, 50)).applied == 1
    assert story.feed(place("C1", -9.999, 50)).applied == 1
    assert story.feed(place("C1", -8.999, 50 + 310)).applied == 1


def test_one_future_fix_does_not_block_the_later_ones(story: Story) -> None:
    assert story.feed(place("S1", 3600, 50)).discarded == 1
    assert story.feed(place("S1", -1, 60)).applied == 1
    assert story.north_m("S1") == 60


def test_a_believed_jump_that_was_wrong_heals_by_itself(story: Story) -> None:
    assert story.feed(place("S1", -9, 300)).applied == 1  # wrong, and just possible
    wrong = story.feed(place("S1", -8, -200), place("S1", -6, -200))
    assert wrong.discarded_by_code == {"FIX_IMPOSSIBLE_SPEED": 2}
    assert story.feed(place("S1", -5, -200)).applied == 1
    assert story.north_m("S1") == -200


def test_rows_of_one_unit_are_judged_one_after_the_other(story: Story) -> None:
    written = story.feed(place("S1", -3, 30), place("S1", -5, 20), place("S1", -1, 40))
    assert written.discarded_by_code == {"FIX_OUT_OF_ORDER": 1}
    assert story.north_m("S1") == 40


def test_the_fix_that_is_kept_sent_again_is_unchanged_and_no_fault(story: Story) -> None:
    before = story.live.view
    written = story.feed(place("S1", -10), place("S1", -10))
    assert (written.applied, written.unchanged, written.discarded) == (0, 2, 0)
    assert story.live.view is before


def test_a_bad_optional_field_is_left_out_and_the_place_is_used(story: Story) -> None:
    written = story.feed(place("S1", -2, 50, heading_deg=400), course=1)
    assert written.applied == 1
    assert [(w.code, w.path) for w in written.warnings] == [
        ("POSITION_ENTRY_DEGRADED", "/positions/0/heading_deg"),
        ("UNKNOWN_FIELD", "/course"),
    ]
    fix = story.fix("S1")
    assert fix is not None
    assert (fix.heading_deg, fix.received_at) == (None, NOW)


def test_all_discarded_rows_are_counted_and_two_hundred_are_listed(story: Story) -> None:
    written = story.feed(*(place(f"X{i}", -1) for i in range(500)), place("S1", -1, 10))
    assert (written.discarded, len(written.rows), written.rows_left_out) == (500, 200, 300)
    assert written.applied == 1


def test_more_rows_than_a_feed_may_have_are_refused_whole(story: Story) -> None:
    with pytest.raises(InvalidRequest, match="/positions"):
        story.feed(*(place("S1", -1, 10) for _ in range(2_001)))
    assert story.north_m("S1") == 0


def test_a_body_without_positions_is_refused_by_name(story: Story) -> None:
    with pytest.raises(InvalidRequest) as refused:
        move_units(story.live, b'{"position": []}')
    assert [(p.path, p.code) for p in refused.value.problems] == [("/positions", "MISSING")]


def test_a_judge_without_a_rule_of_speed_would_believe_the_jump(view: LiveView) -> None:
    """The known-bad twin of the impossible speed."""
    story = Story(view)
    story.snapshot(record("S1", position=position(-10)))
    kept = story.fix("S1")
    story.feed(place("S1", 0, 500))
    far = story.fix("S1")
    assert kept is not None
    assert far is not None
    verdicts = [
        judge_fix(
            far,
            kept,
            now_s=NOW.timestamp(),
            network=view.situation.network,
            limits=FixLimits(speed_mps_max=speed, jump_m=0),
        )
        for speed in (49, 51)
    ]
    assert verdicts == ["FIX_IMPOSSIBLE_SPEED", None]
