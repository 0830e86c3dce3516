"""Bytes become a request: strict about the call, lenient about units (rule 12)."""

import json
from typing import Any

import pytest

from api.errors import InvalidRequest
from api.read_request import WARNINGS_MAX, read_request
from api.request_schemas import COMPETING_MAX, UNITS_MAX
from tests.api.requests_made import (
    CARE_2,
    SPD_1,
    as_bytes,
    many_units,
    request,
    request_about,
)


def read(made: Any) -> Any:
    return read_request(as_bytes(made))


def refusal(made: Any) -> InvalidRequest:
    body = made if isinstance(made, bytes) else as_bytes(made)
    with pytest.raises(InvalidRequest) as caught:
        read_request(body)
    return caught.value


def warned(made: Any) -> list[tuple[str, str]]:
    return [(warning.code, warning.path) for warning in read(made).warnings]


def test_a_good_request_is_read_without_a_warning() -> None:
    found = read(request())
    assert [unit.unit_id for unit in found.request.units] == [
        "CARE2#a",
        "CARE3#a",
        "2M1#b",
        "2K3#b",
    ]
    assert found.warnings == ()
    assert found.unit_rows == (0, 1, 2, 3)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 5_000, b"{}x", b'{"a":"\\ud800"}',
     b'{"incident": NaN}', b"\xef\xbb\xbf{}"],
)  # fmt: skip
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    error = refusal(body)
    assert error.problems
    assert error.remedy


def test_a_whole_number_may_be_written_with_a_fraction_of_zero() -> None:
    made = request(CARE_2 | {"crew_count": 2.0, "version": 88.0}, SPD_1) | {
        "options": {"alternatives": 3.0}
    }
    made["incident"] |= {"priority": 3.0, "version": 2**53 - 1}
    found = read(made)
    assert found.warnings == ()
    assert (found.request.units[0].crew_count, found.request.options.alternatives) == (2, 3)
    assert (found.request.incident.priority, found.request.incident.version) == (3, 2**53 - 1)


@pytest.mark.parametrize("value", [2.5, "2", True, 0, 100, 2**53, 10**400, [2], float("nan")])
def test_a_priority_that_is_no_whole_number_in_range_is_refused(value: Any) -> None:
    assert [one.path for one in refusal(request_about(priority=value)).problems] == [
        "/incident/priority"
    ]


@pytest.mark.parametrize("value", [False, True, "47.61", None, [47.6], {}])
def test_a_latitude_that_is_no_number_is_refused(value: Any) -> None:
    error = refusal(request_about(location={"lon": -122.3, "lat": value}))
    assert error.problems[0].path == "/incident/location/lat"
    assert error.problems[0].code == "WRONG_TYPE"


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_latitude_that_is_not_finite_is_refused(number: bytes) -> None:
    body = as_bytes(request_about(location={"lon": -122.3, "lat": 47.125})).replace(
        b"47.125", number
    )
    assert refusal(body).problems[0].code == "NOT_FINITE"


@pytest.mark.parametrize("field", ["received_at", "queued_at", "scene_safe_at"])
def test_an_instant_without_offset_is_refused_by_name_with_the_remedy(field: str) -> None:
    error = refusal(request_about(**{field: "2026-07-21T13:03:20"}))
    assert error.problems[0].path == f"/incident/{field}"
    assert error.problems[0].code == "NO_UTC_OFFSET"
    assert "2026-07-21T13:03:20-07:00" in error.remedy


@pytest.mark.parametrize(
    "text",
    ["1753128200", "2026-07-21", "20260721T130320Z", "2026-02-30T13:03:20Z", "yesterday", "",
     "2026-07-21T13:03:20+99:00", "1026-07-21T13:03:20Z", 1753128200, True],
)  # fmt: skip
def test_what_is_no_rfc_3339_instant_is_refused(text: Any) -> None:
    assert refusal(request_about(queued_at=text)).problems[0].path == "/incident/queued_at"


@pytest.mark.parametrize(
    ("field", "value"),
    [("requested_mode", "TRIPLE"), ("requested_mode", "REFER"), ("origin", "RADIO"),
     ("version", "3"), ("version", 1.5), ("priority", 0), ("call_type", None),
     ("incident_id", ""), ("incident_id", "a\nb"), ("call_type", "x" * 201), ("assigned", {})],
)  # fmt: skip
def test_a_bad_field_of_the_call_is_refused_by_name(field: str, value: Any) -> None:
    assert refusal(request_about(**{field: value})).problems[0].path == f"/incident/{field}"


def test_an_unknown_screening_answer_is_refused() -> None:
    error = refusal(request_about(screening={"weapon": "MAYBE"}))
    assert error.problems[0].path == "/incident/screening/weapon"


def test_a_missing_place_is_named() -> None:
    made = request()
    del made["incident"]["location"]
    assert refusal(made).problems[0].code == "MISSING"


@pytest.mark.parametrize(("field", "limit"), [("units", UNITS_MAX), ("competing", COMPETING_MAX)])
def test_lists_are_bounded(field: str, limit: int) -> None:
    rows = {
        "units": many_units(limit + 1),
        "competing": [{"incident_id": "x", "sector": "M", "priority": 2}] * (limit + 1),
    }
    assert refusal(request() | {field: rows[field]}).problems[0].code == "TOO_LONG"
    assert read(request() | {field: rows[field][:limit]}).request


def test_no_refusal_repeats_a_value_of_the_request() -> None:
    secret = "JANE DOE 555-0199"
    made = request_about(queued_at=secret, origin=secret, location=secret, priority=secret)
    error = refusal(made)
    said = [str(error), *(f"{p.path} {p.code} {p.detail} {p.remedy}" for p in error.problems)]
    assert "JANE" not in " ".join(said)


def test_an_unknown_status_is_read_as_unknown_and_named() -> None:
    found = read(request(CARE_2, SPD_1 | {"status": "MEAL"}))
    assert [(w.code, w.path) for w in found.warnings] == [
        ("UNIT_ENTRY_DEGRADED", "/units/1/status")
    ]
    assert found.warnings[0].detail == "unknown status MEAL read as UNKNOWN"


def test_a_status_that_is_no_code_word_is_not_repeated() -> None:
    found = read(request(SPD_1 | {"status": "with Jane Doe"}))
    assert "Jane" not in found.warnings[0].detail


@pytest.mark.parametrize(
    ("field", "value"),
    [("shift_end", "2026-07-21T23:00:00"), ("crew_count", -1), ("crew_count", True),
     ("version", "7"), ("call_sign", 5), ("home", []), ("skills", "CIT"), ("position", 7),
     ("status", 3)],
)  # fmt: skip
def test_a_bad_optional_field_of_a_unit_is_dropped_and_named(field: str, value: Any) -> None:
    found = read(request(CARE_2, SPD_1 | {field: value}))
    assert [unit.unit_id for unit in found.request.units] == ["CARE2#a", "2M1#b"]
    assert [(w.code, w.path) for w in found.warnings] == [
        ("UNIT_ENTRY_DEGRADED", f"/units/1/{field}")
    ]


def test_a_position_without_a_latitude_is_dropped_as_a_whole() -> None:
    found = read(request(SPD_1 | {"position": {"lon": -122.3, "lat": False}}))
    assert found.request.units[0].position is None
    assert found.warnings[0].path == "/units/0/position"


def test_a_bad_heading_costs_the_heading_alone() -> None:
    found = read(request(SPD_1 | {"position": SPD_1["position"] | {"heading_deg": 999}}))
    assert found.request.units[0].position.heading_deg is None
    assert found.request.units[0].position.lat == SPD_1["position"]["lat"]


def test_a_bad_skill_costs_that_skill_alone() -> None:
    found = read(request(SPD_1 | {"skills": ["CIT", 3, "K9"]}))
    assert found.request.units[0].skills == ["CIT", "K9"]
    assert found.warnings[0].path == "/units/0/skills/1"


@pytest.mark.parametrize("bad", [7, None, {}, SPD_1 | {"unit_id": ""}, SPD_1 | {"agency": "FIRE"}])
def test_a_unit_that_cannot_be_named_is_left_out_and_the_rest_is_kept(bad: Any) -> None:
    found = read(request(bad, CARE_2, SPD_1 | {"skills": [1]}))
    assert [unit.unit_id for unit in found.request.units] == ["CARE2#a", "2M1#b"]
    assert found.unit_rows == (1, 2)
    assert ("UNIT_ENTRY_LEFT_OUT", "/units/0") in [(w.code, w.path) for w in found.warnings]


def test_of_a_unit_sent_twice_the_highest_version_is_used() -> None:
    old, new = SPD_1 | {"version": 3}, SPD_1 | {"version": 4, "status": "BUSY"}
    found = read(request(old, new, CARE_2))
    assert [(unit.unit_id, unit.status) for unit in found.request.units] == [
        ("2M1#b", "BUSY"), ("CARE2#a", "AVAILABLE"),
    ]  # fmt: skip
    assert found.unit_rows == (1, 2)
    assert found.warnings[0].path == "/units/0"


def test_of_equal_versions_the_first_is_used() -> None:
    found = read(request(SPD_1, SPD_1 | {"status": "BUSY"}))
    assert [unit.status for unit in found.request.units] == ["AVAILABLE"]


def test_bad_rows_of_other_lists_are_left_out_and_named() -> None:
    made = request(
        exclude_unit_ids=["2M1#b", 5], competing=[{"sector": "M"}], operator={"id": "D1"}
    )
    made["incident"]["assigned"] = [{"unit_id": "X"}, {"unit_id": "Y", "agency": "SPD"}]
    found = read(made)
    assert [unit.unit_id for unit in found.request.incident.assigned] == ["Y"]
    assert found.request.exclude_unit_ids == ["2M1#b"]
    assert warned(made) == [
        ("REQUEST_FIELD_LEFT_OUT", "/operator"),
        ("ASSIGNED_ENTRY_LEFT_OUT", "/incident/assigned/0"),
        ("EXCLUDED_ENTRY_LEFT_OUT", "/exclude_unit_ids/1"),
        ("COMPETING_ENTRY_LEFT_OUT", "/competing/0"),
    ]


def test_bad_options_fall_back_to_their_defaults() -> None:
    made = request(options={"alternatives": "many", "explain": "ALL"})
    assert read(made).request.options.alternatives == 2
    assert warned(made) == [("REQUEST_FIELD_LEFT_OUT", "/options/alternatives")]


def test_an_unknown_key_is_accepted_and_named_once_with_its_number_of_places() -> None:
    made = request(*(unit | {"vendor_flag": 1} for unit in many_units(30)))
    found = read(made)
    assert [(w.code, w.path) for w in found.warnings] == [("UNKNOWN_FIELD", "/units/0/vendor_flag")]
    assert "30" in found.warnings[0].detail


def test_an_unknown_key_that_is_no_plain_name_is_not_repeated() -> None:
    made = request() | {"caller Jane Doe": 1}
    assert warned(made) == [("UNKNOWN_FIELD", "/?")]


def test_warnings_are_bounded_and_the_last_tells_the_rest() -> None:
    made = request(*(unit | {"status": "MEAL"} for unit in many_units(WARNINGS_MAX + 50)))
    warnings = read(made).warnings
    assert len(warnings) == WARNINGS_MAX
    assert warnings[-1].code == "WARNINGS_CUT"
    assert "51" in warnings[-1].detail


def test_thousands_of_faults_are_refused_instead_of_mended() -> None:
    bad = {f: [] for f in ("call_sign", "version", "crew_count", "shift_end", "home", "position")}
    made = request(*(unit | bad for unit in many_units(1_000)))
    assert "faults" in str(refusal(made))


def test_a_known_bad_reader_would_be_caught() -> None:
    """The same unit, read by a lax reader, passes: the strictness tested above is ours."""
    lax = json.loads(as_bytes(request(SPD_1 | {"crew_count": True})))
    assert lax["units"][0]["crew_count"] == 1
