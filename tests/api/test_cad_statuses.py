"""A CAD's own words for statuses are read as the release says; other words stay UNKNOWN."""

from api.read_request import read_request
from routing.codes import Status
from routing.model import unit_columns
from routing.roster import AVAILABLE
from tests.api.requests_made import CARE_2, CARE_3, SPD_1, as_bytes, request

STATUS_OF = {"MEAL": Status.OUT_OF_SERVICE, "IN QUARTERS": Status.AVAILABLE}
"""By normalised text, as `Release.status_of`."""


def statuses(*sent: str, status_of: dict[str, Status] = STATUS_OF) -> list[str]:
    units = [{**CARE_2, "unit_id": f"C{i}", "status": word} for i, word in enumerate(sent)]
    read = read_request(as_bytes(request(*units)), status_of)
    return [unit.status for unit in read.request.units or ()]


def test_mapped_words_are_ours_however_they_are_written() -> None:
    assert statuses("MEAL", "In-Quarters") == ["OUT_OF_SERVICE", "AVAILABLE"]


def test_a_mapped_word_is_no_cause_for_a_warning_and_another_is() -> None:
    units = [{**CARE_2, "status": "MEAL"}, {**CARE_3, "status": "LUNCH"}, SPD_1]
    read = read_request(as_bytes(request(*units)), STATUS_OF)
    assert [(w.path, w.detail) for w in read.warnings] == [
        ("/units/1/status", "unknown status LUNCH read as UNKNOWN")
    ]


def test_our_own_names_are_never_mapped() -> None:
    turned = {"AVAILABLE": Status.BUSY, "ON SCENE": Status.BUSY}
    assert statuses("AVAILABLE", "ON_SCENE", status_of=turned) == ["AVAILABLE", "ON_SCENE"]


def test_a_unit_that_the_release_reads_as_available_is_available_since_its_status() -> None:
    units = [{**CARE_2, "status": "In Quarters"}]
    read = read_request(as_bytes(request(*units)), STATUS_OF)
    columns = unit_columns(read.request.units or (), read.unit_rows)
    assert columns.status[0] == AVAILABLE
    assert columns.available_since_s[0] == columns.status_since_s[0]


def test_assigned_units_are_read_alike() -> None:
    made = request()
    made["incident"]["assigned"] = [{"unit_id": "S9", "agency": "SPD", "status": "Meal"}]
    read = read_request(as_bytes(made), STATUS_OF)
    assert read.request.incident.assigned[0].status == "OUT_OF_SERVICE"


def test_without_a_mapping_the_request_is_read_as_ever() -> None:
    assert statuses("MEAL", status_of={}) == ["MEAL"]
