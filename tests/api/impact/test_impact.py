"""What a draft changes, on the built-in streets: counts, coverage, workload, answers, policies."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import shapely

from api.errors import StartError
from api.impact.judging import WHOLE_CITY, Level, tell_nobody
from api.impact.measure import Bundle, Impact, Question, measure
from api.impact.posts import posts_of
from api.impact.reach import WITHIN_S, open_hours_per_week
from api.release_file import read_release
from geodata.call_history import CallHistory
from geodata.snap import Positions
from routing.codes import Agency
from routing.coverage import incident_streets
from routing.policy import Area
from routing.release import Release
from tests.api.builtin_view import builtin_view
from tests.api.impact.drafts import ZoneEntry, history, release_of, write_release

WEST, MIDDLE, EAST = -122.345, -122.335, -122.325
WEST_HALF = shapely.box(WEST, 47.598, MIDDLE, 47.615)
BOTH_HALVES = shapely.box(WEST, 47.598, EAST, 47.615)
EAST_HALF = shapely.box(MIDDLE, 47.598, EAST, 47.615)
NOON = datetime(2026, 7, 21, 19, tzinfo=UTC)
"""12:00 in Seattle."""
TYPES = ("PERSON DOWN", "WELFARE CHECK", "THEFT")


def compared(live: Release, draft: Release, calls: CallHistory) -> Impact:
    view = builtin_view()
    question = Question(
        at=view.at,
        live=Bundle(release=live, key="live@1"),
        draft=Bundle(release=draft, key="draft@2"),
        history=calls,
        posts=posts_of(None, None),
        care_units=3,
    )
    return measure(question, tell_nobody)


def random_calls(seed: int, n: int) -> CallHistory:
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(-122.36, -122.31, n), rng.uniform(47.59, 47.62, n)
    minutes = rng.integers(0, 14 * 24 * 60, n)
    kinds = rng.integers(0, len(TYPES), n)
    rows = zip(lon.tolist(), lat.tolist(), minutes.tolist(), kinds.tolist(), strict=True)
    return history(*((x, y, NOON + timedelta(minutes=m), TYPES[k]) for x, y, m, k in rows))


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Impact:
    """The zone grows to the east, and a part of it becomes a zone of its own."""
    folder = tmp_path_factory.mktemp("moved")
    corner: ZoneEntry = ("CORNER", shapely.box(-122.34, 47.60, MIDDLE, 47.606), 5)
    live = release_of(folder, "live", [("CORE", WEST_HALF, 0)])
    draft = release_of(folder, "draft", [("CORE", BOTH_HALVES, 0), corner])
    return compared(live, draft, random_calls(3, 600))


def test_a_draft_that_is_the_live_release_changes_nothing() -> None:
    release = builtin_view().release
    same = compared(release, release, random_calls(4, 200))
    for change in same.counts.total.change:
        assert (change.gained, change.lost, change.moved_in, change.moved_out) == (0, 0, 0, 0)
    assert same.counts.total.change[0].live > 10
    assert same.ground.handed == ()
    assert same.policies == ()
    assert same.what_if is not None
    assert (same.what_if.changed, same.what_if.n_outside + same.what_if.n_same) == ((), 200)


def test_every_group_adds_up(moved: Impact) -> None:
    groups = (moved.counts.total, *moved.counts.by_zone, *moved.counts.by_type)
    for group in groups:
        for c in group.change:
            assert c.draft == c.live + c.gained + c.moved_in - c.lost - c.moved_out
    for tables in (moved.counts.by_zone, moved.counts.by_type):
        assert sum(g.change[2].draft for g in tables) == moved.counts.total.change[2].draft
    by_zone = {group.zone_id: group.change[0] for group in moved.counts.by_zone}
    assert by_zone["CORNER"].moved_in == by_zone["CORE"].moved_out > 0
    assert moved.counts.total.change[0].moved_in == by_zone["CORNER"].moved_in


def test_calls_by_the_gates_are_those_that_the_decisions_answer(moved: Impact) -> None:
    """Units are free and every street is reached: eligible calls are dispatched, others wait."""
    assert moved.what_if is not None
    answers = {kind: (live, draft) for kind, live, draft in moved.what_if.outcomes}
    eligible = moved.counts.total.change[2]
    assert answers["DISPATCH DUAL"] == (eligible.live, eligible.draft)
    assert answers["HOLD DUAL"] == moved.counts.waits
    assert dict(moved.what_if.changed)["NOT_ELIGIBLE to DISPATCH"] == eligible.gained > 5
    decided = moved.what_if.n_same + sum(n for _, n in moved.what_if.changed)
    assert decided + moved.what_if.n_outside == moved.what_if.n_calls == 600
    for words, examples in moved.what_if.examples:
        assert 0 < len(examples) <= 5, words


def test_land_and_streets_that_change_hands_are_those_drawn(moved: Impact) -> None:
    handed = {(h.from_zone, h.to_zone): h for h in moved.ground.handed}
    assert set(handed) == {("", "CORE"), ("CORE", "CORNER")}
    assert handed["", "CORE"].km2 == pytest.approx(0.7504 * 1.890, rel=0.01)
    gained = moved.ground.draft_street_m - moved.ground.live_street_m
    assert handed["", "CORE"].street_m == pytest.approx(gained)


def test_coverage_of_calls_equals_plain_drive_times(moved: Impact) -> None:
    view, calls = builtin_view(), moved.question.history
    situation, posts = view.situation, moved.question.posts
    times = situation.travel_times
    assert times is not None
    rows = np.flatnonzero(moved.judged[1].level >= Level.IN_HOURS).tolist()
    pair = []
    for row in rows:
        at = situation.streets.snap_incident(calls.lon.item(row), calls.lat.item(row))
        kinds = []
        for agency, turnout_s in ((Agency.CARE, 60), (Agency.SPD, 20)):
            where = [situation.streets.snap_incident(*p) for p in posts.of[agency].values()]
            labels = times.unit_labels(Positions.of(*where))
            drive_ms = times.drive_ms(labels, times.at_junction(at)).min()
            kinds.append(1000 * turnout_s + times.start_and_park_ms + drive_ms)
        far = at.distance_m > view.situation.policy.snap.refuse_m  # then no way is known
        pair.append(np.inf if far else max(kinds))
    (reach,) = (
        r for r in moved.reached.reaches if (r.release, r.of) == ("DRAFT", "CALLS_IN_HOURS")
    )
    shares = reach.shares["PAIR"]
    assert shares.total == len(rows) > 50
    expected = [np.mean(np.array(pair) <= 1000 * limit_s) for limit_s in WITHIN_S]
    assert shares.within == pytest.approx(expected)
    assert 0 < shares.within[6] < 1


def test_the_workload_is_the_formula_of_the_definitions(moved: Impact) -> None:
    assert moved.reached.workloads is not None
    for load, change in zip(moved.reached.workloads, ("live", "draft"), strict=True):
        n = getattr(moved.counts.total.change[2], change)
        weeks = moved.question.history.weeks
        assert load.arrival_s is not None
        hours = n * (load.arrival_s + 34 * 60) / 3600 / weeks
        assert load.unit_hours_per_week == pytest.approx(hours)
        assert load.open_hours_per_week == 84  # 11:00-23:00 daily
        assert load.utilisation == pytest.approx(hours / 84 / 3)


def test_other_hours_are_named_and_counted(tmp_path: Path) -> None:
    file = write_release(tmp_path, "later", [("CORE", WEST_HALF, 0)])
    live = read_release(file)
    later = file.read_text().replace('from = "11:00", to = "23:00"', 'from = "13:00", to = "22:00"')
    file.write_text(later)
    draft = read_release(file)
    at = (NOON, NOON + timedelta(hours=2), NOON + timedelta(hours=10, minutes=30))
    calls = history(*((-122.34, 47.605, when, "PERSON DOWN") for when in at))
    found = compared(live, draft, calls)
    assert [p.what for p in found.policies] == ["window"]
    assert [(c.live, c.draft, c.lost) for c in found.counts.total.change] == [
        (3, 3, 0), (3, 1, 2), (3, 1, 2)
    ]  # fmt: skip
    assert found.counts.waits == (0, 1)  # the one at noon would be held until 13:00
    assert open_hours_per_week(draft) == 63


def test_without_call_types_nobody_is_known_eligible() -> None:
    release = builtin_view().release
    calls = history((-122.335, 47.605, NOON, ""))
    found = compared(release, release, calls)
    assert found.levels == (Level.IN_AREA, Level.IN_HOURS)
    assert found.reached.workloads is None
    assumed = compared(release, release, calls.assuming("PERSON DOWN"))
    assert assumed.counts.total.change[2].live == 1


def test_an_exclude_zone_takes_calls_land_and_streets_away(tmp_path: Path) -> None:
    live = release_of(tmp_path, "live", [("CORE", BOTH_HALVES, 0)])
    draft = release_of(tmp_path, "draft", [("CORE", BOTH_HALVES, 0), ("NO_EAST", EAST_HALF, 0)])
    found = compared(live, draft, history((-122.33, 47.605, NOON, "PERSON DOWN")))
    assert found.counts.total.change[0].lost == 1
    assert [(h.from_zone, h.to_zone) for h in found.ground.handed] == [("CORE", "")]
    assert found.ground.draft_km2 == pytest.approx(found.ground.live_km2 / 2, rel=0.01)


def test_a_draft_for_the_whole_city_has_every_street_and_every_call(tmp_path: Path) -> None:
    live = release_of(tmp_path, "live", [("CORE", WEST_HALF, 0)])
    policy = live.city_policy
    modes = {mode: replace(rules, area=Area.CITY) for mode, rules in policy.modes.items()}
    city = replace(policy, modes=modes)
    draft = replace(live, city_policy=city, zone_policies={city.policy_id: city})
    found = compared(live, draft, random_calls(5, 100))
    network = found.ground.pieces.network
    streets = incident_streets(network)
    every_m = network.street_length_m[streets].sum()
    assert found.ground.whole_city == (False, True)
    assert found.ground.draft_street_m == pytest.approx(every_m)
    assert [h.to_zone for h in found.ground.handed] == [WHOLE_CITY]
    assert found.counts.total.change[0].draft == 100
    assert found.counts.total.change[0].moved_in == 0


# -- posts ----------------------------------------------------------------------------------------


def posts_file(folder: Path, *rows: str) -> Path:
    file = folder / "posts.csv"
    file.write_text("\n".join(("agency,post_id,lon,lat", *rows)) + "\n")
    return file


def test_posts_of_a_file_are_taken_as_they_stand(tmp_path: Path) -> None:
    file = posts_file(tmp_path, "CARE,C1,-122.33,47.6", "spd,P1,-122.34,47.61")
    posts = posts_of(file, None)
    assert posts.of[Agency.CARE] == {"C1": (-122.33, 47.6)}
    assert posts.of[Agency.SPD] == {"P1": (-122.34, 47.61)}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (("CARE,C1,-122.33,47.6",), "no SPD post"),
        (("FIRE,C1,-122.33,47.6",), "row 2"),
        (("CARE,C1,0,47.6",), "row 2"),
        (("CARE,C1,47.6,-122.33",), "row 2"),
        (("CARE,C1,-122.33,47.6", "CARE,C1,-122.34,47.6"), "row 3: post C1 again"),
        (("CARE,C1,west,47.6",), "row 2"),
    ],
)
def test_wrong_posts_are_refused_by_row(tmp_path: Path, rows: Sequence[str], said: str) -> None:
    with pytest.raises(StartError, match=said):
        posts_of(posts_file(tmp_path, *rows), None)


def test_units_of_a_what_if_satisfy_what_a_draft_asks(tmp_path: Path) -> None:
    """A draft that asks for skills and crew that no post is said to have is not all on hold."""
    release = release_of(tmp_path, "live", [("CORE", BOTH_HALVES, 0)])
    policy = release.city_policy
    modes = {
        mode: replace(rules, requirements={
            agency: replace(one, units=2, min_crew=3, required_skills=frozenset({"CIT"}))
            for agency, one in rules.requirements.items()
        })
        for mode, rules in policy.modes.items()
    }  # fmt: skip
    asks = replace(policy, modes=modes)
    draft = replace(release, city_policy=asks, zone_policies={asks.policy_id: asks})
    found = compared(release, draft, history((-122.33, 47.605, NOON, "PERSON DOWN")))
    assert found.what_if is not None
    assert dict(found.what_if.changed) == {"DISPATCH: other units": 1}
