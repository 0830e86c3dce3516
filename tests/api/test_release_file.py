"""A release file becomes the release that it says, or is refused as a whole."""

import json
from dataclasses import fields
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.release_errors import ReleaseFileError
from api.release_file import RELEASE_BYTES_MAX, read_release
from api.release_findings import PROBLEMS_MAX
from api.release_schema import POLICIES_MAX, TEXTS_PER_KIND_MAX, ZONES_MAX
from geodata.pilot.area import pilot_release_file, pilot_zone_features
from geodata.zones import ZoneMap
from routing.codes import Agency, Gate, Mode, PositionBasis, Question, Status
from routing.hours import TimeWindow, TimeWindows
from routing.policy import ARRIVAL_SPREADS, PILOT, Policy
from routing.release import Release
from tests.api.release_texts import SMALL, changed, problems_of, read_text


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return read_text(SMALL, tmp_path_factory.mktemp("release"))


def differing(one: Policy, other: Policy) -> list[str]:
    return [f.name for f in fields(Policy) if getattr(one, f.name) != getattr(other, f.name)]


# -- the pilot ------------------------------------------------------------------------------------


def test_the_pilot_file_gives_the_policy_of_the_code_field_by_field() -> None:
    assert differing(read_release(pilot_release_file()).city_policy, PILOT) == []


def test_a_pilot_file_that_differs_is_found(tmp_path: Path) -> None:
    text = pilot_release_file().read_text(encoding="utf-8")
    text = text.replace("scene_safe_after_s = 600", "scene_safe_after_s = 601")
    text = text.replace("CARE = { units = 1, min_crew = 2 }", "CARE = { units = 1, min_crew = 3 }")
    (tmp_path / "zone.geojson").write_text(json.dumps(pilot_zone_features()), encoding="utf-8")
    changed_pilot = read_text(text, tmp_path).city_policy
    assert differing(changed_pilot, PILOT) == ["modes", "scene_safe_after_s"]


def test_the_pilot_file_writes_out_every_parameter() -> None:
    text = pilot_release_file().read_text(encoding="utf-8")
    as_written = {"policy_id", "window", "call_types", "modes", "snap", "arrival_spread"}
    for name in {f.name for f in fields(Policy)} - as_written | {"snap_warn_m", "snap_refuse_m"}:
        assert f"\n{name} = " in text
    assert all(f"\n{basis} = " in text for basis in PositionBasis)


def test_the_pilot_file_has_the_pilot_zone_and_the_five_precincts() -> None:
    release = read_release(pilot_release_file())
    assert release.zones.zones == ZoneMap.from_geojson(pilot_zone_features()).zones
    assert len(release.precinct_of) == 17
    assert {release.precinct_of[sector] for sector in "DKMQ"} == {"WEST"}
    assert len(set(release.precinct_of.values())) == 5


# -- what a file says -----------------------------------------------------------------------------


def test_the_head_of_a_release_is_read(small: Release) -> None:
    assert small.release_id == "small-1"
    assert small.effective_at == datetime(2024, 1, 1, 8, tzinfo=UTC)
    assert (small.zone_version, small.policy_version) == (1, 1)
    assert small.city_policy.policy_id == "CITY"
    assert small.status_of == {"MEAL": Status.OUT_OF_SERVICE, "IN QUARTERS": Status.AVAILABLE}
    assert small.precinct_of == {"D": "WEST", "K": "WEST", "C": "EAST"}


def test_zones_are_read(small: Release) -> None:
    assert small.zones.edge_tolerance_m == 2.0
    assert [zone.zone_id for zone in small.zones.zones] == ["PARK", "CORE"]
    park, core = (
        [z.zone_id for z in small.zones.zones_at(lon, lat)]
        for lon, lat in ((-122.3365, 47.6025), (-122.332, 47.608))
    )
    assert (park, core) == (["PARK", "CORE"], ["CORE"])
    assert small.zones.zones[1].policy_id == "NIGHT"


def test_several_windows_are_read(small: Release) -> None:
    zone = ZoneInfo("America/Los_Angeles")
    mornings = TimeWindow(start=time(8), end=time(12), zone=zone, days=frozenset({0, 1}))
    monday = TimeWindow(start=time(13), end=time(0), zone=zone, days=frozenset({0}))
    assert small.city_policy.window == TimeWindows(windows=(mornings, monday))


def test_modes_and_call_types_are_read(small: Release) -> None:
    dual = small.city_policy.modes[Mode.DUAL]
    assert dual.requirements[Agency.CARE].min_crew == 2
    assert dual.requirements[Agency.SPD].required_skills == {"CIT"}
    assert dual.requirements[Agency.SPD].preferred_skills == {"SPANISH": 90}
    assert dual.refuses_yes == {Question.WEAPON}
    assert small.city_policy.modes[Mode.SPD_ADD].gates == {Gate.LOCATION}
    assert small.city_policy.call_types.kind("man/down") == "DOWN"
    assert small.city_policy.call_types.eligible == {"DOWN"}


def test_what_a_file_leaves_out_has_its_default(small: Release) -> None:
    assert small.city_policy.turnout_spd_s == 30
    assert small.city_policy.turnout_care_s == PILOT.turnout_care_s
    assert small.city_policy.arrival_spread == ARRIVAL_SPREADS


def test_one_spread_may_be_changed_alone(tmp_path: Path) -> None:
    text = changed("turnout_spd_s = 30", "arrival_spread = { AVL = [0.9, 1.1] }")
    spread = read_text(text, tmp_path).city_policy.arrival_spread
    assert spread == {**ARRIVAL_SPREADS, PositionBasis.AVL: (0.9, 1.1)}


def test_zones_of_a_file_join_those_of_the_release(tmp_path: Path) -> None:
    (tmp_path / "more.geojson").write_text(json.dumps(pilot_zone_features()), encoding="utf-8")
    text = changed("edge_tolerance_m = 2", 'zones_file = "more.geojson"')
    ids = {zone.zone_id for zone in read_text(text, tmp_path).zones.zones}
    assert ids == {"CORE", "PARK", "PILOT_CORE"}


def test_a_citywide_release_needs_no_zone(tmp_path: Path) -> None:
    text = SMALL[: SMALL.index("[[zones]]")]
    (problem,) = problems_of(text, tmp_path)
    assert (problem.path, problem.code) == ("zones", "MISSING")
    text = text.replace('refuses_yes = ["WEAPON"]', 'area = "CITY"')
    assert len(read_text(text, tmp_path).zones) == 0


# -- inheritance ----------------------------------------------------------------------------------


def test_an_heir_says_only_what_differs(small: Release) -> None:
    heir, city = small.zone_policies["NIGHT"], small.city_policy
    assert differing(heir, city) == ["policy_id", "window", "modes"]
    assert str(heir.window) == "22:00-02:00"
    dual, of_city = heir.modes[Mode.DUAL], city.modes[Mode.DUAL]
    assert dual.requirements[Agency.CARE].min_crew == 3
    assert dual.requirements[Agency.SPD] == of_city.requirements[Agency.SPD]
    assert heir.modes[Mode.SPD_ADD] == city.modes[Mode.SPD_ADD]


def test_a_problem_is_told_where_it_is_written_and_not_in_every_heir(tmp_path: Path) -> None:
    text = changed('"LOUD PARTY"', '"PERSON DOWN"') + '\n[policies.THIRD]\ninherits = "NIGHT"\n'
    (problem,) = problems_of(text, tmp_path)
    assert problem.path == "policies.CITY.call_types.texts.NOISE[0]"


def test_an_heir_that_contradicts_what_it_inherits_is_told_at_the_heir(tmp_path: Path) -> None:
    text = changed("modes.DUAL.CARE.min_crew = 3", "avl_fresh_s = 301")
    (problem,) = problems_of(text, tmp_path)
    assert problem.path == "policies.NIGHT.avl_fresh_s"
    assert problem.line == text[: text.index("avl_fresh_s")].count("\n") + 1


def test_a_circle_of_heirs_is_told_once_for_each_of_its_policies(tmp_path: Path) -> None:
    text = changed("turnout_spd_s = 30", 'inherits = "NIGHT"')
    paths = [problem.path for problem in problems_of(text, tmp_path)]
    assert paths == ["policies.CITY.inherits", "policies.NIGHT.inherits"]


# -- everything at once, and limits ---------------------------------------------------------------


def test_all_problems_are_told_at_once_from_the_top_of_the_file(tmp_path: Path) -> None:
    text = (
        SMALL.replace("edge_tolerance_m = 2", "edge = 2")
        .replace('from = "13:00"', 'from = "11:00"')
        .replace("SPANISH = 90", "SPANISH = true")
        .replace('inherits = "CITY"', 'inherits = "CITY"\non_no_care = "WAIT"')
        .replace('policy_id = "NIGHT"', 'policy_id = "DAY"')
        .replace("[-122.336, 47.604]", "[-122.336, 476.04]")
    )
    found = problems_of(text, tmp_path)
    assert [problem.path for problem in found] == [
        "edge",
        "policies.CITY.windows[1]",
        "policies.CITY.modes.DUAL.SPD.preferred_skills.SPANISH",
        "policies.NIGHT.on_no_care",
        "zones[0].policy_id",
        "zones[1].outline[2]",
    ]
    assert [problem.line for problem in found] == sorted(problem.line for problem in found)
    assert all(problem.remedy.endswith((".", "?")) for problem in found)


def test_a_key_at_the_wrong_place_is_told_and_so_is_what_it_leaves_open(tmp_path: Path) -> None:
    begin, end = SMALL.index("windows = ["), SMALL.index("turnout_spd_s")
    text = SMALL[begin:end] + SMALL[:begin] + SMALL[end:]
    found = [(p.path, p.code) for p in problems_of(text, tmp_path)]
    assert found == [("windows", "UNKNOWN_KEY"), ("policies.CITY.windows", "MISSING")]


def test_a_list_of_problems_without_end_is_cut(tmp_path: Path) -> None:
    text = "".join(f"key_{n} = 1\n" for n in range(PROBLEMS_MAX + 9)) + SMALL
    found = problems_of(text, tmp_path)
    assert len(found) == PROBLEMS_MAX + 1
    assert [p.detail for p in found if p.path == "the file"] == [
        f"has more problems than the {PROBLEMS_MAX} that are told"
    ]


def test_the_message_has_every_problem_on_a_line_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ReleaseFileError) as refused:
        read_text(changed("MEAL", "--").replace("small-1", "a b"), tmp_path)
    first, *rest = str(refused.value).splitlines()
    assert first.endswith("release.toml: 2 problems.")
    assert rest[0].startswith('  line 1: release_id: is "a b"; expected letters')
    assert len(rest) == 2


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [("a = 1\nb = = 2\n", 2, "SYNTAX"), ("a = 1\na = 2\n", 2, "SYNTAX"),
     ("\n\na = [1,\n2\n", 5, "SYNTAX"), ("a = " + "[" * 5_000, 1, "SYNTAX"), ("", 1, "MISSING")],
)  # fmt: skip
def test_what_is_no_release_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, code: str
) -> None:
    first = problems_of(text, tmp_path)[0]
    assert (first.line, first.code) == (line, code)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    file = tmp_path / "release.toml"
    for content, code, line in ((None, "CANNOT_READ", 1), (b"\n# \xff", "SYNTAX", 2)):
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(ReleaseFileError) as refused:
            read_release(file)
        assert [(p.code, p.line) for p in refused.value.found] == [(code, line)]


def test_every_limit_is_told(tmp_path: Path) -> None:
    texts = ", ".join(f'"TEXT {n}"' for n in range(TEXTS_PER_KIND_MAX + 1))
    too_large = {
        "policies.CITY.call_types.texts.NOISE": changed('"LOUD PARTY"', texts),
        "policies": SMALL + "".join(f"[policies.P{n}]\n" for n in range(POLICIES_MAX)),
        "zones": SMALL + "[[zones]]\n" * ZONES_MAX,
        "the file": SMALL + "#" * RELEASE_BYTES_MAX,
    }
    for path, text in too_large.items():
        found = [p for p in problems_of(text, tmp_path) if p.code == "TOO_LARGE"]
        assert [problem.path for problem in found] == [path]


@pytest.mark.parametrize("key", ["{}a = 1", "[{}a]", "x = {{ 'b c' . {}a = 1 }}"])
def test_a_key_of_thousands_of_parts_is_refused_before_it_is_parsed(
    tmp_path: Path, key: str
) -> None:
    found = problems_of(key.format("a. " * 60_000) + "\n" + SMALL, tmp_path)
    assert [problem.code for problem in found] == ["TOO_LARGE"]
