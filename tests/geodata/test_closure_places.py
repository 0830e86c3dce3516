"""From a drawn or a named place to the edges that it closes."""

from typing import Any

import numpy as np
import pytest

from geodata.closure_places import ClosedDirection, closed_edges
from geodata.errors import ClosurePlaceError
from geodata.network import StreetNetwork
from geodata.snap import StreetIndex
from tests.street_drawing import StreetMap, draw

TOWN = "A---B---C---D\n|   |   |   |\nE-->F-->G-->H"
NAMES = {
    "AB": "Pine Street", "BC": "Pine Street", "CD": "Pine Street",
    "EF": "Pike Street", "FG": "Pike Street", "GH": "Pike Street",
    "AE": "1st Avenue", "BF": "2nd Avenue", "CG": "3rd Avenue", "DH": "4th Avenue",
}  # fmt: skip


def town() -> StreetMap:
    return draw(TOWN, streets={letters: {"name": name} for letters, name in NAMES.items()})


def closed_by(map_: StreetMap, place: dict[str, Any], direction: str = "BOTH") -> set[int]:
    index = StreetIndex.build(map_.network)
    found = closed_edges(map_.network, index, place, ClosedDirection(direction))
    assert found.dtype == np.int32
    assert (np.diff(found) > 0).all()
    return set(found.tolist())


def both(map_: StreetMap, *streets: str) -> set[int]:
    return {map_.edge(letters) for one in streets for letters in (one, one[::-1])}


def line(map_: StreetMap, *corners: tuple[str, float], shift: float = 0.0) -> dict[str, Any]:
    points = [map_.position(*corner) for corner in corners]
    return {"type": "LineString", "coordinates": [(lon, lat + shift) for lon, lat in points]}


METRE = 9e-6


def test_a_point_closes_its_street_between_two_junctions() -> None:
    lon, lat = town().position("BC", 0.3)
    place = {"type": "Point", "coordinates": (lon, lat + 20 * METRE)}
    assert closed_by(town(), place) == both(town(), "BC")


def test_a_line_closes_the_streets_that_it_runs_along_and_none_that_it_crosses() -> None:
    drawn = line(town(), ("AB", 0.05), ("CD", 0.1), shift=5 * METRE)
    assert closed_by(town(), drawn) == both(town(), "AB", "BC")


def test_a_short_line_within_a_block_closes_the_block() -> None:
    assert closed_by(town(), line(town(), ("BC", 0.3), ("BC", 0.6))) == both(town(), "BC")


@pytest.mark.parametrize(("direction", "closed"), [("ALONG", "BC"), ("AGAINST", "CB")])
def test_a_line_closes_one_direction_of_travel(direction: str, closed: str) -> None:
    drawn = line(town(), ("BC", 0.1), ("BC", 0.9))
    assert closed_by(town(), drawn, direction) == {town().edge(closed)}
    back = {**drawn, "coordinates": drawn["coordinates"][::-1]}
    assert closed_by(town(), back, direction) == {town().edge(closed[::-1])}


def test_an_area_closes_every_street_of_which_a_part_lies_inside() -> None:
    (west, north), (east, south) = town().position("AB", 0.5), town().position("CG", 0.5)
    west, east = west - METRE, east + 20 * METRE
    ring = [(west, north + METRE), (west, south), (east, south), (east, north + METRE)]
    area = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    assert closed_by(town(), area) == both(town(), "AB", "BC", "CD", "BF", "CG")


def test_named_streets_close_what_lies_between_them() -> None:
    place = {"street": "pine st", "from_street": "Second Ave", "to_street": "4th AVENUE"}
    assert closed_by(town(), place) == both(town(), "BC", "CD")
    assert closed_by(town(), place, "ALONG") == {town().edge("BC"), town().edge("CD")}
    assert closed_by(town(), {**place, "direction": "AGAINST"}) == {
        town().edge("CB"),
        town().edge("DC"),
    }


def test_a_one_way_street_is_closed_in_the_order_that_is_driven_or_the_other() -> None:
    place = {"street": "Pike Street", "from_street": "3rd Avenue", "to_street": "1st Avenue"}
    assert closed_by(town(), place) == {town().edge("EF"), town().edge("FG")}


CROOKED = draw(
    "A---B---C---D\n|   |   |   |\nE---F---G---H",
    streets={
        "AB": {"name": "Loop"}, "BC": {"name": "Loop"}, "BF": {"name": "Elm"},
        "EF": {"name": "Other"}, "CG": {"name": "Elm"}, "CD": {"name": "Loop"},
    },
)  # fmt: skip

WRONG = [
    ({"street": "Pime Street", "from_street": "x", "to_street": "y"},
     "did you mean Pike Street or Pine Street"),
    ({"street": "Pine Street", "from_street": "Pike Street", "to_street": "4th Avenue"},
     "does not cross Pike Street; it crosses"),
    ({"street": "Pine Street", "from_street": "2nd Avenue"}, "to_street is None"),
    ({"street": "Pine Street", "from_street": "2nd Avenue", "to_street": "2nd Avenue"},
     "no stretch of Pine Street"),
    ({"type": "Circle"}, "expected one of Point"),
    ({"type": "Point", "coordinates": (47.6, -122.3)}, "longitude first"),
    ({"type": "Point", "coordinates": "here"}, "lon, lat pairs"),
    ({"type": "LineString", "coordinates": [(-122.335, 47.6047), (-122.3345, 47.6047)]},
     "along the middle"),
    ({"type": "LineString", "coordinates": [(-122.335, 47.605), (-122.2, 47.606 + 1e-9)] * 50},
     "at most 100 km"),
    ({"type": "Point", "coordinates": (-122.3343, 47.6048), "direction": "LEFT"}, "BOTH, ALONG"),
    ({"type": "Point", "coordinates": (-122.3343, 47.60502), "direction": "ALONG"}, "draw a line"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "said"), WRONG)
def test_a_place_that_stands_for_nothing_is_refused_with_what_would(
    place: dict[str, Any], said: str
) -> None:
    with pytest.raises(ClosurePlaceError, match=said):
        closed_by(town(), place)


def test_streets_that_cross_twice_are_refused_with_where() -> None:
    place = {"street": "Loop", "from_street": "Elm", "to_street": "Elm"}
    with pytest.raises(ClosurePlaceError, match=r"crosses Elm 2 times \(lon .* draw a line"):
        closed_by(CROOKED, place)


def test_real_streets_are_found_by_name_and_as_they_are_drawn(seattle: StreetNetwork) -> None:
    index = StreetIndex.build(seattle)
    named = closed_edges(
        seattle,
        index,
        {"street": "Pine St", "from_street": "1st Ave", "to_street": "5th Ave"},
    )
    streets = np.unique(seattle.edge_street[named])
    metres = float(seattle.street_length_m[streets].sum())
    assert 350 < metres < 600
    lines = [seattle.street_line(street).tolist() for street in streets.tolist()]
    drawn = closed_edges(seattle, index, {"type": "MultiLineString", "coordinates": lines})
    assert set(drawn.tolist()) == set(named.tolist())
