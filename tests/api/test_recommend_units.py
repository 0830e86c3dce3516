"""POST /v1/recommend-units as a CAD meets it: the same keys always, reasons, warnings, times."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.answer_schemas import RecommendAnswer
from geodata.pilot.area import pilot_demo_calls
from tests.api.requests_made import (
    CARE_2,
    SPD_1,
    SPD_2,
    as_bytes,
    many_units,
    request,
    request_about,
)

JSON = {"content-type": "application/json"}


def ask(client: TestClient, made: Any) -> dict[str, Any]:
    response = client.post("/v1/recommend-units", content=as_bytes(made), headers=JSON)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def keys(value: Any, at: str = "") -> Iterator[str]:
    """Yield the paths of all keys; inside lists and mappings by agency or rule only their shape."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{at}/{key}"
            yield from keys(inner, f"{at}/{key}")


@pytest.fixture(scope="module")
def demo(client: TestClient) -> dict[str, dict[str, Any]]:
    """One answer for each outcome."""
    answers = [ask(client, call.request) for call in pilot_demo_calls()]
    return {answer["outcome"]: answer for answer in answers}


def test_the_demo_has_all_three_outcomes(demo: dict[str, dict[str, Any]]) -> None:
    assert set(demo) == {"DISPATCH", "HOLD", "NOT_ELIGIBLE"}


@pytest.mark.parametrize("outcome", ["DISPATCH", "HOLD", "NOT_ELIGIBLE"])
def test_every_answer_has_the_same_keys_and_fits_the_contract(
    demo: dict[str, dict[str, Any]], outcome: str
) -> None:
    answer = demo[outcome]
    assert set(answer) == set(RecommendAnswer.model_fields)
    assert set(answer["basis"]) == set(demo["DISPATCH"]["basis"])
    assert [set(gate) for gate in answer["gates"]] == [set(demo["HOLD"]["gates"][0])] * 6
    RecommendAnswer.model_validate_json(json.dumps(answer))


def test_a_missing_key_would_be_found(demo: dict[str, dict[str, Any]]) -> None:
    cut = {key: value for key, value in demo["HOLD"].items() if key != "pair"}
    with pytest.raises(ValueError, match="pair"):
        RecommendAnswer.model_validate(cut)


def test_a_pair_is_named_with_arrivals_and_a_place_to_stage(client: TestClient) -> None:
    answer = ask(client, request())
    assert answer["outcome"] == "DISPATCH"
    by_agency = {unit["agency"]: unit for unit in answer["assign"]}
    assert by_agency["SPD"]["unit_id"] == "2M1#b"
    assert by_agency["CARE"]["unit_id"] == "CARE2#a"
    assert by_agency["CARE"]["approach"] == "STAGE_UNTIL_SCENE_SAFE"
    assert by_agency["CARE"]["stage"]["near"]
    assert answer["pair"]["both_at_s"] == max(unit["arrive_s"] for unit in answer["assign"])
    assert answer["request_id"] == "cad-a1-0098213"
    assert answer["recommendation_id"].startswith("rec_")
    assert answer["recorded"] is False
    assert answer["basis"]["eta"] == "ROAD"
    assert answer["basis"]["schematic"] is True


def test_instants_go_out_in_utc(client: TestClient) -> None:
    answer = ask(client, request())
    assert answer["decided_at"] == "2026-07-21T20:05:02.120Z"
    for unit in answer["assign"]:
        assert unit["arrive_at"].endswith("Z")
        assert datetime.fromisoformat(unit["arrive_at"]).utcoffset() is not None


def test_without_as_of_the_clock_decides(client: TestClient) -> None:
    answer = ask(client, request(as_of=None))
    decided = datetime.fromisoformat(answer["decided_at"])
    assert abs((datetime.now(decided.tzinfo) - decided).total_seconds()) < 60


def test_equal_requests_get_equal_answers_but_for_their_id(client: TestClient) -> None:
    one, other = ask(client, request()), ask(client, request())
    assert one.pop("recommendation_id") != other.pop("recommendation_id")
    assert one == other


def test_the_order_of_units_changes_nothing(client: TestClient) -> None:
    one, other = (
        ask(client, request(CARE_2, SPD_1, SPD_2)),
        ask(client, request(SPD_2, SPD_1, CARE_2)),
    )
    assert one | {"recommendation_id": ""} == other | {"recommendation_id": ""}


def test_one_bad_unit_is_named_and_the_rest_is_recommended(client: TestClient) -> None:
    answer = ask(client, request({"agency": "SPD"}, CARE_2, SPD_1, SPD_2 | {"status": "MEAL"}))
    assert answer["outcome"] == "DISPATCH"
    found = {warning["path"]: warning for warning in answer["warnings"]}
    assert found["/units/0"]["code"] == "UNIT_ENTRY_LEFT_OUT"
    assert found["/units/3/status"]["detail"] == "unknown status MEAL read as UNKNOWN"


def test_a_unit_of_unknown_status_is_never_sent(client: TestClient) -> None:
    answer = ask(client, request(CARE_2, SPD_1 | {"status": "MEAL"}, SPD_2))
    assert [u["unit_id"] for u in answer["assign"] if u["agency"] == "SPD"] == ["2K3#b"]


def test_an_excluded_unit_is_not_sent(client: TestClient) -> None:
    answer = ask(client, request(exclude_unit_ids=["2M1#b"]))
    assert "2M1#b" not in [unit["unit_id"] for unit in answer["assign"]]


def test_an_empty_roster_is_hold_and_says_why(client: TestClient) -> None:
    answer = ask(client, request(units=None))
    assert answer["outcome"] == "HOLD"
    assert answer["hold"]["reasons"] == ["NO_UNIT_IN_ROSTER"]
    assert answer["basis"]["unit_source"] == "ROSTER"
    assert "/units" not in [warning["path"] for warning in answer["warnings"]]


def test_a_weapon_makes_a_call_not_eligible(client: TestClient) -> None:
    screening = {"completed_at": "2026-07-21T13:04:30-07:00", "weapon": "YES"}
    answer = ask(client, request_about(screening=screening))
    assert answer["outcome"] == "NOT_ELIGIBLE"
    assert answer["assign"] == []
    codes = {gate["gate"]: gate["code"] for gate in answer["gates"]}
    assert codes["SCREENING"] == "WEAPON_REPORTED"


@pytest.mark.parametrize("mode", ["SPD_ADD", "SOLO", "CARE_ONLY_ADD"])
def test_a_mode_is_answered_or_said_not_to_be_supported(client: TestClient, mode: str) -> None:
    answer = ask(client, request_about(requested_mode=mode))
    assert answer["mode"] == mode or answer["outcome"] == "NOT_ELIGIBLE"


def test_routes_are_drawn_when_asked_for(client: TestClient) -> None:
    plain, drawn = ask(client, request()), ask(client, request(options={"route": True}))
    assert [unit["route"] for unit in plain["assign"]] == [None, None]
    assert all(len(unit["route"]["geometry"]["coordinates"]) >= 2 for unit in drawn["assign"])


def test_five_hundred_units_are_explained_when_asked_for(client: TestClient) -> None:
    answer = ask(client, request(*many_units(500), options={"explain": "ALL"}))
    assert len(answer["explain"]["units"]) == 500
    assert sum(count["seen"] for count in answer["explain"]["counts"].values()) == 500


def test_the_stages_are_in_the_header(client: TestClient) -> None:
    response = client.post("/v1/recommend-units", content=as_bytes(request()), headers=JSON)
    parts = [part.split(";dur=") for part in response.headers["server-timing"].split(", ")]
    names, took_ms = [name for name, _ in parts], [float(ms) for _, ms in parts]
    assert names[0] == "read"
    assert names[-2:] == ["write", "total"]
    assert took_ms[-1] == pytest.approx(sum(took_ms[:-1]), abs=0.001 * len(parts))
