"""The view that requests read: the release, and drive times of the hour of the decision."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api import live_view
from api.errors import StartError
from api.live_view import LiveView, load_release, load_view
from api.operations import recommend_units
from api.settings import Settings
from geodata.artifacts import save_network
from geodata.driving_file import DrivingFileError
from geodata.pilot.area import pilot_zone_features
from routing.model import Situation
from routing.policy import PILOT
from tests.api.release_texts import SMALL
from tests.api.requests_made import CARE_2, SPD_1, as_bytes, request
from tests.street_drawing import draw

SEATTLE = ZoneInfo("America/Los_Angeles")
BUSY_TUESDAYS = "[routine]\nhours = [{days=['tue'], from=7, to=10, factor=2.0}]\n"


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> LiveView:
    path = tmp_path_factory.mktemp("driving") / "driving.toml"
    path.write_text(BUSY_TUESDAYS, encoding="utf-8")
    return load_view(Settings(driving=path), lambda _stage: None)


def test_a_decision_uses_the_weights_of_its_local_hour(busy: LiveView) -> None:
    calm, busy_hour = (busy.at(datetime(2026, 7, 21, h, 59, tzinfo=SEATTLE)) for h in (6, 9))
    assert calm.travel_times is not None
    assert busy_hour.travel_times is not None
    slow, quick = (
        s.travel_times.edge_times.move_ms.sum() for s in (busy_hour, calm) if s.travel_times
    )
    assert slow == pytest.approx(2 * quick, rel=1e-3)
    assert "-x2-" in busy_hour.travel_times.weights_id


def test_hours_with_the_same_factor_share_one_weight_set(busy: LiveView) -> None:
    assert len({id(situation) for situation in busy.by_hour}) == 2
    assert busy.at(datetime(2026, 7, 22, 9, tzinfo=SEATTLE)) is busy.situation


def test_a_file_of_wrong_figures_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "driving.toml"
    path.write_text("[routine]\nsignals = 1\n", encoding="utf-8")
    with pytest.raises(DrivingFileError, match=r"routine\.signals is an unknown figure"):
        load_view(Settings(driving=path), lambda _stage: None)


def test_hours_with_other_bans_have_other_weight_sets(tmp_path: Path) -> None:
    by_hour = ["ABE @ Mo-Fr 07:00-09:00", "DEB @ Tu 08:00-09:00"]
    drawn = draw("A---B---C\n|   |   |\nD---E---F", bans=by_hour)
    save_network(drawn.network, tmp_path / "streets")
    driving = tmp_path / "driving.toml"
    driving.write_text(BUSY_TUESDAYS, encoding="utf-8")
    view = load_view(Settings(network=tmp_path / "streets", driving=driving), lambda _stage: None)
    times = [view.by_hour[hour].travel_times for hour in range(168)]
    wanted = {  # factor of the hour and the bans that bind
        (profile_factor, drawn.network.path_hours[:, hour].tobytes())
        for hour in range(168)
        for profile_factor in [2.0 if 24 + 7 <= hour < 24 + 10 else 1.0]
    }
    names = {t.weights_id for t in times if t is not None}
    assert len(names) == len({id(t) for t in times}) == len(wanted) == 5
    quiet, rush = times[6], times[8]
    assert quiet is not None
    assert rush is not None
    assert quiet.edge_times.paths_binding.tolist() == [False, False]
    assert rush.edge_times.paths_binding.tolist() == [True, False]


@pytest.fixture(scope="module")
def night_view(tmp_path_factory: pytest.TempPathFactory) -> LiveView:
    file = tmp_path_factory.mktemp("release") / "release.toml"
    file.write_text(SMALL, encoding="utf-8")
    return load_view(Settings(release=file), lambda _stage: None)


def test_a_decision_reads_the_release_of_the_settings(night_view: LiveView) -> None:
    situation = night_view.situation
    (core,) = (zone for zone in situation.zones.zones if zone.zone_id == "CORE")
    assert situation.policy_of(core).policy_id == "NIGHT"
    assert situation.policy.policy_id == "CITY"
    assert situation.precinct_of["D"] == "WEST"
    assert situation.versions.release_id == "small-1"


def test_an_answer_names_the_release_and_reads_the_words_of_the_cad(night_view: LiveView) -> None:
    units = [{**CARE_2, "status": "In quarters"}, {**SPD_1, "skills": ["CIT"]}]
    made = request(*units)
    made["incident"]["location"] |= {"lon": -122.332, "lat": 47.605}
    answer = json.loads(recommend_units(night_view, as_bytes(made)).body)
    assert answer["basis"]["release_id"] == "small-1"
    assert (answer["basis"]["zone_version"], answer["basis"]["policy_version"]) == (1, 1)
    assert answer["warnings"] == []
    gates = {gate["gate"]: gate for gate in answer["gates"]}
    assert gates["TIME_WINDOW"]["value"] == "22:00-02:00"


def test_the_built_in_release_is_that_of_the_pilot(busy: LiveView) -> None:
    assert busy.release.release_id == "pilot-2023-10"
    assert busy.situation.policy == PILOT


def test_zones_in_place_of_those_of_the_release_are_told(tmp_path: Path) -> None:
    file = tmp_path / "zones.geojson"
    features = pilot_zone_features()
    file.write_text(json.dumps(features), encoding="utf-8")
    release = load_release(Settings(zones=file))
    assert release.release_id == "pilot-2023-10+zones"
    features["features"][0]["properties"]["policy_id"] = "NIGHT"
    file.write_text(json.dumps(features), encoding="utf-8")
    with pytest.raises(StartError, match=r"NIGHT.* policy_id of the release"):
        load_release(Settings(zones=file))


def test_a_release_with_problems_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "release.toml"
    file.write_text(SMALL.replace("small-1", "a b"), encoding="utf-8")
    with pytest.raises(StartError, match="line 1: release_id"):
        load_view(Settings(release=file), lambda _stage: None)


def test_claims_are_shown_while_a_decision_asks_for_another_hour(
    view: LiveView, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = replace(view, other_hours={"an hour": view.on_duty})

    def meanwhile(situation: Situation, _unit_ids: object) -> Situation:
        one.other_hours["another hour"] = situation
        return situation

    monkeypatch.setattr(live_view, "with_claims", meanwhile)
    assert one.with_claims({"C1"}).claimed == {"C1"}
