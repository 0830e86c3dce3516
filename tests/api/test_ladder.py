"""Rule 12: it always answers. Every rung by its switch, and by itself after a fault."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import shapely

from api.app import make_app
from api.hour_situations import HourSituations
from api.ladder import always_answering
from api.live_view import BUILT_IN_PROFILES, LiveView, load_view
from api.operations import recommend_units
from api.settings import Settings
from geodata.driving_time import HOURS_PER_WEEK, ROUTINE
from routing.codes import Eta
from routing.model import Recommendation, Situation
from routing.recommend import recommend
from tests.api.requests_made import request


def answered(view: LiveView, **how: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(recommend_units(view, body(), **how).body)
    return answer


def body() -> bytes:
    return json.dumps(request()).encode()


def view_of(**settings: Any) -> LiveView:
    return load_view(Settings(network=None, zones=None, release=None, **settings), lambda _: None)


def warned(answer: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in answer["warnings"]}


@pytest.mark.parametrize("rung", ["ROAD", "LAST_GOOD", "STRAIGHT_LINE", "BEAT_ORDER"])
def test_rule_12_every_rung_answers_and_names_itself(rung: str) -> None:
    answer = answered(view_of(rung=rung))
    assert (answer["outcome"], answer["basis"]["eta"]) == ("DISPATCH", rung)
    assert answer["basis"]["degraded"] is (rung != "ROAD")
    assert ("LOWER_RUNG" in warned(answer)) is (rung != "ROAD")


def test_rule_12_on_the_rung_of_beats_no_fix_is_used() -> None:
    answer = answered(view_of(rung="BEAT_ORDER"))
    bases = {unit["position"]["basis"] for unit in answer["assign"]}
    assert not bases & {"AVL", "AVL_AGED", "LAST_KNOWN"}


def failing(*rungs: Eta) -> Any:
    """Return a decision that has a bug on some rungs."""

    def decide(situation: Situation, *asked: Any, **how: Any) -> Recommendation:
        if situation.rung in rungs:
            raise ZeroDivisionError("a bug")
        return recommend(situation, *asked, **how)

    return decide


@pytest.mark.parametrize(
    ("rungs", "reached"),
    [((Eta.ROAD,), "STRAIGHT_LINE"), ((Eta.ROAD, Eta.STRAIGHT_LINE), "BEAT_ORDER")],
)
def test_rule_12_a_fault_falls_to_the_next_rung_and_is_told(
    view: LiveView, rungs: tuple[Eta, ...], reached: str
) -> None:
    told: list[tuple[str, Eta]] = []
    decide = always_answering(
        failing(*rungs), lambda fault, rung: told.append((type(fault).__name__, rung))
    )
    answer = answered(view, decide=decide)
    assert (answer["outcome"], answer["basis"]["eta"]) == ("DISPATCH", reached)
    assert told == [("ZeroDivisionError", rung) for rung in rungs]


def test_rule_12_a_fault_on_the_last_rung_is_not_hidden(view: LiveView) -> None:
    decide = always_answering(failing(*Eta), lambda _fault, _rung: None)
    with pytest.raises(ZeroDivisionError):
        answered(view, decide=decide)


def test_rule_12_the_service_counts_its_falls(view: LiveView) -> None:
    app = make_app(Settings(), load=lambda _settings, _stage: view, decide=failing(Eta.ROAD))
    service = app.state.service
    answer = answered(view, decide=service.decide)
    assert answer["basis"]["eta"] == "STRAIGHT_LINE"
    assert b'tandem_falls_total{rung="ROAD"} 1.0' in service.metrics.text()


def test_rule_12_an_hour_whose_weights_cannot_be_made_keeps_the_last_good_ones(
    view: LiveView,
) -> None:
    factors = [1.0] * HOURS_PER_WEEK
    factors[50] = 1e9  # an edge would take more than a day
    factors[51] = 1.5
    profiles = BUILT_IN_PROFILES | {"ROUTINE": replace(ROUTINE, hour_factor=tuple(factors))}
    hours = HourSituations(view.situation, profiles)
    assert [hours[hour].rung for hour in (49, 50, 51)] == ["ROAD", "LAST_GOOD", "ROAD"]
    assert hours[50].travel_times is hours[49].travel_times
    assert hours[51].travel_times is not hours[49].travel_times


def test_beats_of_a_file_give_sectors_and_centres(tmp_path: Path) -> None:
    area = shapely.geometry.mapping(shapely.box(-122.4, 47.5, -122.2, 47.7))
    beats = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"beat": "M1"}, "geometry": area},
    ]}  # fmt: skip
    file = tmp_path / "beats.geojson"
    file.write_text(json.dumps(beats), encoding="utf-8")
    situation = view_of(beats=file).situation
    assert situation.beats is not None
    assert situation.beats.sector_at(-122.33, 47.61) == "M"
    assert set(situation.homes.beats) == {"M1"}


def test_spd_add_drives_with_lights_and_sirens(view: LiveView) -> None:
    situation = view.situation
    assert situation.emergency_times is not None
    assert situation.emergency_times.edge_times.profile_name == "EMERGENCY"
