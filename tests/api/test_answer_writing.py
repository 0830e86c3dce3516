"""The bytes of an answer are what the contract's models would write, whatever the outcome."""

import datetime as dt
import json
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

import msgspec
import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from api.answer_schemas import Part, RecommendAnswer
from api.answer_writing import answer_bytes
from api.live_view import LiveView
from api.operations import recommend_units
from geodata.pilot.area import pilot_demo_calls
from routing.model import LonLat, Recommendation
from tests.api.requests_made import CARE_2, SPD_1, as_bytes, many_units, request, request_about

OURS = {"recommendation_id": "rec_1", "request_id": None, "warnings": ()}
PAST = {"safety_changed": None, "supersedes": None}
"""What only the memory of calls knows."""
ASSIGNED = {
    "unit_id": "2M1#b", "agency": "SPD", "status": "ON_SCENE",
    "on_scene_at": "2026-07-21T13:04:40.123456-07:00",
}  # fmt: skip
ASKED: dict[str, dict[str, Any]] = {
    **{f"demo {i}": call.request for i, call in enumerate(pilot_demo_calls())},
    "no units": request(units=None),
    "no care": request(SPD_1),
    "all explained": request(*many_units(60), options={"explain": "ALL", "alternatives": 10}),
    "with ways": request(options={"route": True}),
    "on scene": request_about(assigned=[ASSIGNED]),
    "before the hours": request(as_of="2026-07-21T06:00:00.5-07:00"),
    "outside": request_about(location={"lon": -122.3130, "lat": 47.6150}),
    "refused mode": request_about(requested_mode="SOLO"),
    "held since": request_about(queued_at="2026-07-21T13:00:00.987654-07:00") | {"units": [CARE_2]},
}
OF_VIEW = {"schematic": True, "roster_version": 7}
"""Of the basis, what only the caller knows."""


def values(part: Any) -> dict[str, Any]:
    return {name: getattr(part, name) for name in get_type_hints(type(part))}


def changed(part: Any, **changes: Any) -> Any:
    """Return a part with other values, whatever kind of class the parts are."""
    return type(part)(**values(part) | changes)


def written(found: Recommendation, **changes: Any) -> bytes:
    return answer_bytes(found, **OURS | OF_VIEW | changes)


def by_contract(found: Recommendation) -> bytes:
    """Return the answer as pydantic checks and writes it: the way that shares nothing with ours."""
    basis = {name: one for name, one in values(found.basis).items() if name != "rung"}
    made = values(found) | OURS | PAST | {"basis": basis | OF_VIEW}
    return RecommendAnswer.model_validate(made, from_attributes=True).model_dump_json().encode()


@pytest.fixture(scope="module")
def found(view: LiveView) -> dict[str, Recommendation]:
    return {name: recommend_units(view, as_bytes(made)).found for name, made in ASKED.items()}


def test_what_is_asked_here_has_all_outcomes(found: dict[str, Recommendation]) -> None:
    assert {one.outcome for one in found.values()} == {"DISPATCH", "HOLD", "NOT_ELIGIBLE"}
    assert any(one.hold and one.hold.held_since.microsecond for one in found.values())
    assert any(unit.route for one in found.values() for unit in one.assign)


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_is_written_as_the_contract_writes_it(
    found: dict[str, Recommendation], name: str
) -> None:
    ours = json.loads(written(found[name]))
    assert ours == json.loads(by_contract(found[name]))
    assert list(ours) == list(RecommendAnswer.model_fields)
    RecommendAnswer.model_validate_json(written(found[name]))


def test_an_encoder_left_to_itself_would_write_other_instants(
    found: dict[str, Recommendation],
) -> None:
    hold = found["held since"].hold
    assert b'.120000Z"' in msgspec.json.encode(hold)
    assert b'.120Z"' in written(found["held since"])
    assert b'.120000Z"' not in written(found["held since"])


def models_within(model: type[BaseModel]) -> dict[str, Any]:
    """Return for each key of a part the model it holds, or None."""

    def within(hint: Any) -> Any:
        inner = [leaf for leaf in map(within, get_args(hint)) if leaf]
        is_part = isinstance(hint, type) and issubclass(hint, Part)
        return hint if is_part else next(iter(inner), None)

    return {name: within(field.annotation) for name, field in model.model_fields.items()}


def kinds_within(kind: type) -> dict[str, Any]:
    """Return for each field of a part of a decision the kind of part it holds, or None."""

    def within(hint: Any) -> Any:
        inner = [leaf for leaf in map(within, get_args(hint)) if leaf]
        is_part = isinstance(hint, type) and hint.__module__ == Recommendation.__module__
        return hint if is_part else next(iter(inner), None)

    return {name: within(hint) for name, hint in get_type_hints(kind).items()}


def differences(model: type[BaseModel], kind: type, at: str = "") -> set[str]:
    """Return the paths of keys that only one side has; two are the caller's."""
    models, kinds = models_within(model), kinds_within(kind)
    found = {f"{at}/{name}" for name in set(models) ^ set(kinds)}
    for name in set(models) & set(kinds):
        if models[name] is not None and kinds[name] is not None:
            found |= differences(models[name], kinds[name], f"{at}/{name}")
    return found


def test_every_field_of_a_decision_is_in_the_contract_and_the_other_way_round() -> None:
    assert differences(RecommendAnswer, Recommendation) == {
        "/basis/schematic",
        "/basis/roster_version",
        "/basis/rung",
        "/safety_changed",
    }


def test_a_field_that_the_contract_lacks_would_be_found() -> None:
    class Less(Part):
        lon: float

    assert differences(Less, LonLat) == {"/lat"}


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (dt.datetime(2026, 7, 21, 20, 5, 2, tzinfo=dt.UTC), "2026-07-21T20:05:02Z"),
        (dt.datetime(2026, 7, 21, 20, 5, 2, 120_999, dt.UTC), "2026-07-21T20:05:02.120Z"),
        (
            dt.datetime(2026, 7, 21, 13, 5, 2, tzinfo=dt.timezone(dt.timedelta(hours=-7))),
            "2026-07-21T20:05:02Z",
        ),
    ],
)
def test_instants_anywhere_are_utc_with_milliseconds_where_there_are(
    found: dict[str, Recommendation], instant: dt.datetime, text: str
) -> None:
    base, held = found["with ways"], found["held since"].hold
    assert held is not None
    assign = tuple(changed(unit, arrive_at=instant) for unit in base.assign)
    gates = tuple(changed(gate, opens_at=instant) for gate in base.gates)
    hold = changed(held, send_now=assign, escalate_at=instant, earliest_pair_at=instant)
    made = changed(base, assign=assign, gates=gates, hold=hold, decided_at=instant)
    answer = json.loads(written(made))
    assert answer == json.loads(by_contract(made))
    assert answer["hold"]["send_now"][0]["arrive_at"] == text
    assert {gate["opens_at"] for gate in answer["gates"]} == {text}
    assert answer["decided_at"] == answer["hold"]["escalate_at"] == text


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_never_comes_out(
    found: dict[str, Recommendation], number: float
) -> None:
    unit = found["with ways"].assign[0]
    broken = changed(unit, position=changed(unit.position, snapped=LonLat(lon=number, lat=47.6)))
    body = written(changed(found["with ways"], assign=(broken,)))
    assert b"nan" not in body.lower()
    assert b"infinity" not in body.lower()
    with pytest.raises(ValidationError, match="lon"):
        RecommendAnswer.model_validate_json(body)


def test_numpys_numbers_and_read_only_mappings_are_written(
    found: dict[str, Recommendation],
) -> None:
    base = found["all explained"]
    plain = changed(base.alternatives[0], rank=7)
    counts = MappingProxyType(dict(base.explain.counts))
    odd = changed(plain, rank=np.int64(7), units=MappingProxyType(dict(plain.units)))
    explain = changed(base.explain, counts=counts)
    made = changed(base, alternatives=(odd,), explain=explain, urgent=np.True_)
    assert written(made) == written(changed(base, alternatives=(plain,), urgent=True))


def test_what_has_no_shape_in_an_answer_is_a_fault_of_ours(
    found: dict[str, Recommendation],
) -> None:
    with pytest.raises(TypeError, match="object"):
        written(changed(found["no units"], message=object()))
