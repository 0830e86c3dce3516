"""Each thing that is wrong with a feature is named: which feature, where, and what to do."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from geodata.zone_checks import check_rows
from geodata.zone_findings import Finding, Weight, as_objects, from_object, spots
from geodata.zone_neighbours import neighbour_findings
from tests.geodata.zone_files import SEATTLE_EXTENT, feature, square

BOW_TIE = [
    [[-122.34, 47.60], [-122.33, 47.61], [-122.33, 47.60], [-122.34, 47.61], [-122.34, 47.60]]
]
METRE = 100 / 111_180
"""Of latitude, in the hundredths of a degree in which `square` counts."""


@dataclass(frozen=True)
class Drawn:
    """A feature that needs no file."""

    number: int
    values: dict[str, Any]
    geometry: shapely.Geometry | None


def drawn(*features: dict[str, Any]) -> list[Drawn]:
    return [
        Drawn(place, f["properties"], shape(f["geometry"]) if f["geometry"] else None)
        for place, f in enumerate(features, 1)
    ]


def found(*features: dict[str, Any], repair: bool = False) -> list[Finding]:
    checked = check_rows(drawn(*features), SEATTLE_EXTENT, repair=repair)
    return [*checked.findings, *neighbour_findings([z.zone for z in checked.zones])]


def one(*features: dict[str, Any], repair: bool = False) -> Finding:
    (finding,) = found(*features, repair=repair)
    return finding


def test_good_neighbours_leave_nothing_to_say() -> None:
    assert found(square(0, 0, zone_id="A"), square(1, 0, zone_id="B")) == []


def test_an_outline_that_crosses_itself_is_refused_and_its_repair_offered() -> None:
    finding = one(feature(BOW_TIE))
    assert (finding.code, finding.weight, finding.feature) == ("INVALID_OUTLINE", "ERROR", "A")
    assert finding.lon == pytest.approx(-122.335)
    assert finding.lat == pytest.approx(47.605)
    assert "--repair" in finding.remedy
    assert "2 part(s)" in finding.remedy


def test_a_repair_that_was_asked_for_is_made_and_shown() -> None:
    checked = check_rows(drawn(feature(BOW_TIE)), SEATTLE_EXTENT, repair=True)
    (zone,), (finding,) = checked.zones, checked.findings
    assert finding.weight is Weight.REPAIR
    assert zone.zone.geometry.is_valid
    assert zone.zone.geometry.area == pytest.approx(0.01 * 0.01 / 2)
    assert "0.000000 km2 become 0.41" in finding.detail


@pytest.mark.parametrize(("change", "code", "word"), [
    ({"zone_id": ""}, "ID_MISSING", "--id-field"),
    ({"zone_id": None}, "ID_MISSING", "--id-field"),
    ({"zone_id": float("nan")}, "ID_MISSING", "--id-field"),
    ({"zone_id": "x" * 65}, "WRONG_VALUE", "zone_id"),
    ({"kind": "CORE"}, "WRONG_VALUE", "OVERLAY"),
    ({"precedence": 1.5}, "WRONG_VALUE", "whole number"),
    ({"precedence": "high"}, "WRONG_VALUE", "whole number"),
    ({"precedence": 1e300}, "WRONG_VALUE", "whole number"),
    ({"note": "x" * 201}, "WRONG_VALUE", "note"),
])  # fmt: skip
def test_a_wrong_cell_is_named(change: dict[str, Any], code: str, word: str) -> None:
    finding = one(square(0, 0, **change))
    assert finding.code == code
    assert word in finding.as_text()
    assert finding.lon is not None


def test_empty_cells_have_defaults_and_numbers_may_be_ids() -> None:
    row = square(0, 0, zone_id=7.0, kind=None, precedence=float("nan"), policy_id=None)
    (zone,) = check_rows(drawn(row), SEATTLE_EXTENT, repair=False).zones
    assert (zone.zone.zone_id, zone.zone.name, zone.zone.kind) == ("7", "7", "BASE")
    assert (zone.zone.precedence, zone.zone.policy_id) == (0, "")


def test_an_id_that_occurs_twice_is_refused() -> None:
    finding = one(square(0, 0), square(3, 0))
    assert finding.code == "ID_REPEATED"
    assert "feature 1" in finding.detail


@pytest.mark.parametrize(("bad", "code"), [
    ({**square(0, 0), "geometry": None}, "NO_GEOMETRY"),
    (feature([-122.3, 47.6], "Point"), "NOT_A_POLYGON"),
    (feature([], "Polygon"), "NO_GEOMETRY"),
    (feature([[[-122.3, 47.6], [-122.3, 200], [-122.2, 47.6], [-122.3, 47.6]]]), "BAD_COORDINATES"),
    (square(0, 0, side=0.005), "AREA_TOO_SMALL"),
    (square(500, 0), "OUTSIDE_STREETS"),
    (square(-200, -150, side=400), "AREA_TOO_LARGE"),
    (feature([[[47.6, -89.9], [47.61, -89.9], [47.61, -89.8], [47.6, -89.9]]]), "OUTSIDE_STREETS"),
])  # fmt: skip
def test_an_outline_that_cannot_be_a_zone_is_named(bad: dict[str, Any], code: str) -> None:
    assert code in [finding.code for finding in found(square(5, 5, zone_id="good"), bad)]


def test_too_many_corners_are_refused() -> None:
    angles = np.linspace(0.0, 2.0 * np.pi, 100_002)
    ring = np.column_stack((-122.33 + 0.01 * np.cos(angles), 47.6 + 0.01 * np.sin(angles)))
    ring[-1] = ring[0]
    assert one(feature([ring.tolist()])).code == "TOO_MANY_VERTICES"


def test_a_zone_half_outside_the_streets_is_a_warning() -> None:
    finding = one(square(11.5, 0))
    assert (finding.code, finding.weight) == ("PARTLY_OUTSIDE", Weight.WARNING)
    assert "50%" in finding.detail


def test_a_sliver_among_the_parts_is_a_warning_at_its_place() -> None:
    whole = square(0, 0)["geometry"]["coordinates"]
    thin = [[[-122.30, 47.60], [-122.29, 47.60], [-122.29, 47.60001], [-122.30, 47.60]]]
    finding = one(feature([whole, thin], "MultiPolygon"))
    assert (finding.code, finding.weight) == ("SLIVER", Weight.WARNING)
    assert finding.lon == pytest.approx(-122.295, abs=0.005)


# -- between neighbours ---------------------------------------------------------------------------


def test_zones_of_equal_precedence_that_overlap_are_refused_at_the_place() -> None:
    finding = one(square(0, 0, zone_id="A"), square(0.9, 0, zone_id="B"))
    assert (finding.code, finding.feature, finding.weight) == ("OVERLAP", "A", Weight.ERROR)
    assert "B" in finding.detail
    assert finding.lon == pytest.approx(-122.3305)


@pytest.mark.parametrize("change", [{"precedence": 1}, {"kind": "EXCLUDE"}])
def test_precedence_and_exclusion_decide_an_overlap(change: dict[str, Any]) -> None:
    assert found(square(0, 0, zone_id="A"), square(0.5, 0, zone_id="B", **change)) == []


@pytest.mark.parametrize(("apart_m", "codes"), [
    (0.0, []), (0.5, ["GAP"]), (5.0, ["GAP"]), (40.0, []),
])  # fmt: skip
def test_a_narrow_gap_is_a_warning_with_its_width(apart_m: float, codes: list[str]) -> None:
    findings = found(square(0, 0, zone_id="A"), square(0, 1 + apart_m * METRE, zone_id="B"))
    assert [f.code for f in findings] == codes
    for finding in findings:
        assert f"{apart_m:.2f} m" in finding.detail
        assert finding.lat == pytest.approx(47.61, abs=1e-4)


def test_edges_with_other_corners_are_a_warning() -> None:
    ring = square(1, 0)["geometry"]["coordinates"][0]
    ring.insert(4, [ring[0][0], ring[0][1] + 0.004])
    (finding,) = found(square(0, 0, zone_id="A"), feature([ring], zone_id="B"))
    assert finding.code == "EDGES_DIFFER"


def test_findings_are_written_and_read_and_drawn() -> None:
    finding = one(square(0, 0, zone_id="A"), square(0.9, 0, zone_id="B"))
    placeless = replace(finding, lon=None, lat=None)
    assert [from_object(raw) for raw in as_objects([finding, placeless])] == [finding, placeless]
    first, second = spots([finding, placeless])["features"]
    assert first["geometry"]["coordinates"] == [finding.lon, finding.lat]
    assert second["geometry"] is None
    assert "at -122.33" in finding.as_text()
