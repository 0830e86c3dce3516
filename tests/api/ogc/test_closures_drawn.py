"""Closures drawn in a GIS: proposed, edited and taken away, request by request."""

from typing import Any

import pytest
from shapely.geometry import shape

from api.closures.closure_rows import read_closure
from api.closures.features import feature_of
from api.closures.operations import activate
from tests.api.ogc.asking import COLLECTIONS, EPSG_2926, GEOJSON, MERGE_PATCH, Told, ask, items_of
from tests.api.ogc.conftest import Office

ALL, LINES, POINTS = "closures", "closures_lines", "closures_points"
ACROSS = [[-122.3372, 47.6104], [-122.3362, 47.6114]]


def line(*points: list[float], **properties: Any) -> dict[str, Any]:
    """Return a line as QGIS sends a new one."""
    geometry = {"type": "LineString", "coordinates": list(points)}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def send(office: Office, method: str, path: str, body: Any = None, **more: str) -> Told:
    kind = MERGE_PATCH if method == "PATCH" else GEOJSON
    headers = office.of("dispatcher") | {"content-type": kind} | more
    return ask(office.app, path, method, body=body, **headers)


def drawn(office: Office, **properties: Any) -> str:
    told = send(office, "POST", items_of(LINES), line(*ACROSS, **properties))
    assert told.status == 201, told
    return told.headers["location"].rpartition("/items/")[2]


def features(office: Office, name: str, **query: str) -> dict[str, Any]:
    told = ask(office.app, items_of(name), query=query, **office.of("dispatcher")).json
    return {one["id"]: one for one in told["features"]}


def test_a_drawn_closure_is_proposed_edited_and_taken_away(office: Office) -> None:
    made = drawn(office, name="Parade", note=None, state=None)
    path = f"{items_of(LINES)}/{made}"
    found = features(office, LINES)[made]
    assert found["properties"]["state"] == "PROPOSED"
    assert found["geometry"]["coordinates"] == ACROSS

    moved = [ACROSS[0], [-122.335, 47.612]]
    patch = {"geometry": {"type": "LineString", "coordinates": moved}}
    assert send(office, "PATCH", path, patch).status == 204
    told = {"name": "Parade on Pike", "ends_at": "2099-07-04T22:00:00Z"}
    assert send(office, "PATCH", path, {"properties": told}).status == 204
    found = features(office, LINES)[made]
    assert found["geometry"]["coordinates"] == moved
    assert found["properties"]["name"] == "Parade on Pike"
    assert found["properties"]["ends_at"].startswith("2099-07-04T22:00:00")
    assert features(office, ALL)[made] == found
    assert made not in features(office, POINTS)

    assert send(office, "DELETE", path).status == 204
    assert features(office, ALL) == {}


def test_a_feature_that_is_sent_back_as_it_was_read_is_the_same_closure(office: Office) -> None:
    """A GIS replaces the whole feature: what it was not told of would be lost."""
    given = {
        "effect": "OPENS_LANES", "direction": "ALONG", "traffic": "ALL_BUT_EMERGENCY",
        "windows": "mon,tue 05:00-11:00", "note": "Mornings", "ends_at": "2099-07-04T22:00:00Z",
    }  # fmt: skip
    made = drawn(office, name="Express lanes", **given)
    path = f"{items_of(LINES)}/{made}"
    read = ask(office.app, path, **office.of("dispatcher")).json
    sent = {"type": "Feature", "geometry": read["geometry"], "properties": read["properties"]}
    assert send(office, "PUT", path, sent).status == 204
    with office.app.state.service.desk.database.reading() as connection:
        kept = read_closure(connection, made)
    assert kept is not None
    assert kept.version == 2
    properties = feature_of(kept, kept.changed_at)["properties"]
    assert {name: properties[name] for name in given} == given


def test_a_closure_may_be_drawn_in_feet(office: Office) -> None:
    feet = line([1_269_000, 225_000], [1_269_400, 225_300], name="Feet")
    told = send(office, "POST", items_of(LINES), feet, **{"content-crs": EPSG_2926})
    assert told.status == 201
    (found,) = features(office, LINES).values()
    assert shape(found["geometry"]).centroid.distance(shape(line(*ACROSS)["geometry"])) < 0.02


def test_what_is_active_is_not_edited_here(office: Office) -> None:
    made = drawn(office, name="Fire")
    desk = office.app.state.service.desk
    desk.writer.call(lambda tx: activate(tx, made, 1, "somebody", {}))
    path = f"{items_of(LINES)}/{made}"
    before = features(office, LINES)[made]
    assert before["properties"]["state"] == "ACTIVE"
    for told in (
        send(office, "PATCH", path, {"properties": {"name": "x"}}),
        send(office, "PUT", path, line(*ACROSS, name="x")),
        send(office, "DELETE", path),
    ):
        assert told.status == 409
    assert features(office, LINES)[made] == before


def test_a_geometry_of_another_kind_is_refused_where_it_would_vanish(office: Office) -> None:
    told = send(office, "POST", items_of(POINTS), line(*ACROSS, name="Line"))
    assert told.status == 422
    assert told.json["errors"][0]["code"] == "GEOMETRY_INVALID"
    assert send(office, "POST", items_of(ALL), line(*ACROSS, name="Line")).status == 201


def test_times_select_closures(office: Office) -> None:
    early = drawn(
        office, name="Early", starts_at="2098-01-01T00:00:00Z", ends_at="2098-02-01T00:00:00Z"
    )
    open_end = drawn(office, name="Open", starts_at="2098-03-01T00:00:00Z")
    always = drawn(office, name="Always")
    for during, expected in (
        ("2098-01-15T00:00:00Z", {early, always}),
        ("2098-02-15T00:00:00Z", {always}),
        ("2098-02-15T00:00:00Z/..", {open_end, always}),
        ("../2098-06-01T00:00:00Z", {early, open_end, always}),
    ):
        assert set(features(office, ALL, datetime=during)) == expected
    told = ask(office.app, f"{COLLECTIONS}/{ALL}", **office.of("dispatcher")).json
    assert told["extent"]["temporal"]["interval"] == [[None, None]]


@pytest.mark.parametrize(
    ("who", "status"),
    [("gis-editor", 201), ("supervisor", 201), ("cad", 403), ("spd-sergeant", 403),
     ("auditor", 403), ("analyst", 403)],
)  # fmt: skip
def test_who_may_draw(office: Office, who: str, status: int) -> None:
    headers = office.of(who) | {"content-type": GEOJSON}
    told = ask(office.app, items_of(LINES), "POST", body=line(*ACROSS, name="x"), **headers)
    assert told.status == status
    allow = ask(office.app, items_of(LINES), "OPTIONS", **office.of(who)).headers.get("allow", "")
    assert ("POST" in allow) is (status == 201)


def test_an_empty_layer_of_closures_says_its_geometry(office: Office) -> None:
    expected = {
        LINES: "geometry-linestring", POINTS: "geometry-point", ALL: "geometry-any",
        "closures_areas": "geometry-polygon",
    }  # fmt: skip
    for name, shape_of in expected.items():
        path = f"{COLLECTIONS}/{name}/schema"
        told = ask(office.app, path, **office.of("dispatcher")).json["properties"]
        assert told["geometry"]["format"] == shape_of
