"""Each kind of mistake in a release file is told with its line, its keys and the remedy."""

import json
from pathlib import Path

import pytest

from tests.api.release_texts import HERE, SMALL, changed, line_of_change, problems_of, read_text

# What is replaced, by what, the path that is named, words of what is wrong and of the remedy.
# The line that is told must be the one on which the new text begins, or the one marked with HERE.

TOP = SMALL[: SMALL.index("edge_tolerance_m") - 1]

OF_THE_FILE = [
    ('release_id = "small-1"', "", "release_id", "is missing", "Write release_id"),
    ('"small-1"', "7", "release_id", "is 7; expected a text", "in quotes"),
    ('"small-1"', '"a b"', "release_id", "letters, digits", "without other characters"),
    ("2024-01-01T00:00:00-08:00", "2024-01-01T00:00:00", "effective_at", "offset", "Add the"),
    ("2024-01-01T00:00:00-08:00", '"2024-01-01"', "effective_at", "an instant", "without quotes"),
    ('city_policy = "CITY"', 'city_policy = "CTIY"', "city_policy", "no such", "mean CITY?"),
    (TOP, "release_id = 'x'", "city_policy", "several policies", "CITY, NIGHT"),
    ("edge_tolerance_m = 2", "edge_tolerance_m = -1", "edge_tolerance_m", "0 or more", "Raise it"),
    ("edge_tolerance_m", "edge_tolerence_m", "edge_tolerence_m", "not a key", "edge_tolerance_m?"),
    ('"OUT_OF_SERVICE"', '"OUT"', "cad_statuses.MEAL", "expected one of OFF_DUTY", "Known here"),
    ("MEAL =", "BUSY =", "cad_statuses.BUSY", "BUSY is a status of our own", "Take it out"),
    ('"In  Q', f'in-quarters = "BUSY"\n{HERE}"In  Q', "cad_statuses.In  Quarters", "BUSY",
     "one of the two"),
    ('EAST = ["C"]', 'EAST = ["C", "K"]', "precincts.EAST[1]", "in WEST already", "one precinct"),
]  # fmt: skip

OF_A_POLICY = [
    ("America/Los_Angeles", "Seattle", "time_zone", "time zone", "tz database"),
    ('[policies.CITY]\ntime_zone = "America/Los_Angeles"', "[policies.CITY]", "time_zone",
     "is missing", "Write time_zone"),
    ("turnout_spd_s = 30", "turnout_spd_s = true", "turnout_spd_s", "is true; expected a whole",
     "without quotes"),
    ("turnout_spd_s = 30", "turnout_spd_s = 1.5", "turnout_spd_s", "whole number", "a point"),
    ("turnout_spd_s = 30", "turnout_spd_s = 99999", "turnout_spd_s", "at most 86400", "Lower it"),
    ("turnout_spd_s = 30", "detour_factor = inf", "detour_factor", "finite", "Write it out"),
    ("turnout_spd_s = 30", "detour_factor = true", "detour_factor", "a number", "such as 1.5"),
    ("turnout_spd_s = 30", "snap_warn_m = 400", "snap_warn_m", "more than snap_refuse_m, which is "
     "350", "Lower it"),
    ("avl_aged_s = 300", f"avl_aged_s = 20\n{HERE}avl_fresh_s = 21", "avl_fresh_s",
     "more than avl_aged_s, which is 20", "Lower it"),
    ("turnout_spd_s = 30", "straight_line_spread = [1.2, 1.5]", "straight_line_spread",
     "two shares", "[0.80, 1.25]"),
    ("{ D = 2 }", "{ D = 2, X = 1 }", "reserve_of_sector.X", "known are C, D, K", "Correct it"),
    ("turnout_spd_s = 30", 'escalate_to = "NONE"', "escalate_to", "one of DISPATCHER", "Known"),
    ("turnout_spd_s = 30", 'on_no_spd = "SOLO"', "on_no_spd", "not have this mode", "modes.SOLO"),
    ("turnout_spd_s = 30", 'by_policy_mode = "SOLO"', "by_policy_mode", "none of the modes",
     "name one of DUAL, SPD_ADD"),
    ("turnout_spd_s = 30", 'by_policy_mode = "SPD_ONLY"', "by_policy_mode", "expected one of DUAL",
     "Known here"),
]  # fmt: skip

OF_HOURS_AND_CALLS = [
    ('"tue"], from', '"tues"], from', "windows[0].days[1]", "one of mon", "mean tue?"),
    ('from = "13:00"', 'from = "1pm"', "windows[1].from", 'is "1pm"', "HH:MM"),
    ('from = "13:00"', 'from = "24:00"', "windows[1].from", "to 23:59", "HH:MM"),
    ('from = "13:00"', 'from = "11:59"', "windows[1]", "windows[0] on mon", "Let one end"),
    ('["mon", "tue"], from = "08:00", to = "12:00" },\n    { days = ["mon"], from = "13:00"',
     '["mon"], from = "12:00", to = "12:01" },\n{ days = ["sun"], from = "13:00", to = "12:01" },#',
     "windows[0]", "windows[1] on mon", "Let one end"),
    ('from = "13:00", ', "", "windows[1].from", "is missing", "Add it"),
    ('eligible = ["DOWN"]', 'eligible = ["DOWN", "WELFARE"]', "call_types.eligible[1]",
     "no text of a CAD means", "take it out"),
    ('"LOUD PARTY"', '"Person - down"', "call_types.texts.NOISE[0]", "means DOWN already",
     "one of the two"),
    ('"LOUD PARTY"', '"--"', "call_types.texts.NOISE[0]", "neither letter", "CAD sends"),
]  # fmt: skip

OF_MODES = [
    ("[policies.CITY.modes.DUAL]", "[policies.CITY.modes.DAUL]", "DAUL", "one of DUAL", "DUAL?"),
    ('["WEAPON"]', '["WEAPONS"]', "DUAL.refuses_yes[0]", "one of WEAPON", "WEAPON?"),
    ("CARE = { min_crew", "CARE = { min_crw", "DUAL.CARE.min_crw", "not a key", "min_crew?"),
    ("CARE = { min_crew = 2 }", 'CARE = { min_crew = "2" }', "DUAL.CARE.min_crew",
     'is "2"; expected a whole', "without quotes"),
    ("CARE = { min_crew = 2 }", "CARE = { units = 6 }", "DUAL.CARE.units", "most 5", "Lower it"),
    ("SPANISH = 90", "SPANISH = -1", "DUAL.SPD.preferred_skills.SPANISH", "0 or more", "Raise it"),
    ('refuses_yes = ["WEAPON"]', "gates = 3", "DUAL.gates", "expected a list", "in brackets"),
    ('gates = ["LOCATION"]', 'gates = ["LOCATION", "ZONE"]', "SPD_ADD.gates",
     "has ZONE; nothing may stand", '["LOCATION", "MODE"]'),
    ('SPD_ADD]\ngates = ["LOCATION"]', "SPD_ADD]", "SPD_ADD.gates", "CALL_TYPE, SCREENING",
     '["LOCATION", "MODE"]'),
    ('DUAL]\nrefuses_yes = ["WEAPON"]\nCARE = { min_crew = 2 }', "DUAL]", "DUAL.CARE",
     "DUAL sends CARE", "Add CARE"),
    ("units = 1", f"units = 1\n{HERE}[policies.CITY.modes.SPD_ADD.CARE]", "SPD_ADD.CARE",
     "sends SPD only", "Take it out"),
]  # fmt: skip

OF_ZONES = [
    ('"PARK"', '"CORE"', "zones[1].zone_id", "earlier zone", "its own"),
    ('policy_id = "NIGHT"', 'policy_id = "NIHGT"', "zones[0].policy_id", "no such", "NIGHT?"),
    ('kind = "EXCLUDE"', 'kind = "OUT"', "zones[1].kind", "BASE, OVERLAY, EXCLUDE", "Known here"),
    ('kind = "EXCLUDE"', "precedence = 10", "zones[1].precedence", "overlap by", "higher"),
    ("[-122.33, 47.61], [-122.34", "[47.61, -122.33], [-122.34", "zones[0].outline[2]",
     "longitude first", "[lon, lat]"),
    ("[-122.33, 47.61], [-122.34", "[-122.33], [-122.34", "zones[0].outline[2]",
     "expected two numbers", "[lon, lat]"),
    ('kind = "EXCLUDE"', "holes = [[[-122.3, 47.6]]]", "zones[1].holes[0]", "at least 3", "Give"),
    ("edge_tolerance_m = 2", 'zones_file = "nowhere.geojson"', "zones_file", "No such file",
     "GeoJSON"),
    ("edge_tolerance_m = 2", 'zones_file = "../zones.geojson"', "zones_file", "beside the release",
     "folder of the release"),
    ("edge_tolerance_m = 2", 'zones_file = "/zones.geojson"', "zones_file", "beside the release",
     "folder of the release"),
]  # fmt: skip


def assert_told(folder: Path, mistake: tuple[str, str, str, str, str], before: str = "") -> None:
    old, new, path, what, remedy = mistake
    (problem,) = problems_of(changed(old, new), folder)
    assert problem.path.endswith(before + path)
    assert problem.line == line_of_change(old, new)
    assert what in problem.detail
    assert remedy in problem.remedy


def test_the_small_release_itself_has_no_problem(tmp_path: Path) -> None:
    assert read_text(SMALL, tmp_path).release_id == "small-1"


@pytest.mark.parametrize("mistake", OF_THE_FILE)
def test_a_mistake_of_the_file_is_told(
    tmp_path: Path, mistake: tuple[str, str, str, str, str]
) -> None:
    assert_told(tmp_path, mistake)


@pytest.mark.parametrize("mistake", OF_A_POLICY + OF_HOURS_AND_CALLS)
def test_a_mistake_of_a_policy_is_told(
    tmp_path: Path, mistake: tuple[str, str, str, str, str]
) -> None:
    assert_told(tmp_path, mistake, "policies.CITY.")


@pytest.mark.parametrize("mistake", OF_MODES)
def test_a_mistake_of_a_mode_is_told(
    tmp_path: Path, mistake: tuple[str, str, str, str, str]
) -> None:
    assert_told(tmp_path, mistake, "policies.CITY.modes.")


@pytest.mark.parametrize("mistake", OF_ZONES)
def test_a_mistake_of_a_zone_is_told(
    tmp_path: Path, mistake: tuple[str, str, str, str, str]
) -> None:
    assert_told(tmp_path, mistake)


def test_each_mistake_of_a_file_of_zones_has_its_line_in_that_file(tmp_path: Path) -> None:
    def zone(zone_id: object, kind: str, ring: list[list[float]]) -> str:
        shape = {"type": "Polygon", "coordinates": [ring]}
        told = {"zone_id": zone_id, "kind": kind}
        return json.dumps({"type": "Feature", "properties": told, "geometry": shape})

    square = [[-122.3, 47.6], [-122.2, 47.6], [-122.2, 47.7], [-122.3, 47.6]]
    bow = [[-122.3, 47.6], [-122.2, 47.7], [-122.2, 47.6], [-122.3, 47.7], [-122.3, 47.6]]
    lines = (zone("X", "BASE", square), zone("Y", "BAES", square), zone("Z", "BASE", bow), "7")
    text = '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}"
    (tmp_path / "more.geojson").write_text(text, encoding="utf-8")
    found = problems_of(changed("edge_tolerance_m = 2", 'zones_file = "more.geojson"'), tmp_path)
    assert [one.path for one in found] == ["zones_file"] * 3
    told = [one.detail.partition(": ")[0] for one in found]
    assert sorted(told) == [f"more.geojson, line {line}" for line in (3, 4, 5)]
