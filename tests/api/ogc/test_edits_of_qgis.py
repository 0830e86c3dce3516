"""What QGIS sends when zones are edited, request by request; read in its OAPIF provider.

Geometry and attributes come apart, without If-Match and without an id in a new feature. They must
end in the draft, be read back there, and be nowhere else.
"""

import json
from typing import Any

import pytest
import shapely
from shapely.geometry import shape

from api.auth.roles import Role
from tests.api.ogc.asking import (
    COLLECTIONS,
    CRS84,
    EPSG_2926,
    EPSG_4326,
    GEOJSON,
    MERGE_PATCH,
    ROOT,
    Told,
    ask,
    items_of,
    links,
)
from tests.api.ogc.conftest import Office
from tests.api.releases.drawn import square

DRAFT = items_of("zones_draft_night")
ELSEWHERE = ("zones", "zones_draft_day", "posts", "beats")
BLOCK = [[[-122.345, 47.610], [-122.340, 47.610], [-122.340, 47.615], [-122.345, 47.610]]]
MOVED = [[[-122.345, 47.610], [-122.338, 47.610], [-122.338, 47.616], [-122.345, 47.610]]]


class Qgis:
    """One layer that is open for editing; it knows of the service what its own requests told."""

    def __init__(self, office: Office, collection_id: str, who: str = "first") -> None:
        self.office, self.headers = office, office.of(who)
        landing = self.get(ROOT, "application/json")
        assert landing.status == 200
        found = links(landing.json)
        for needed in ("service-desc", "data", "conformance"):
            assert self.get(self.path(found[needed]), "application/json").status == 200
        self.collection = self.get(
            f"{self.path(found['data'])}/{collection_id}", "application/json"
        ).json
        self.items = self.path(links(self.collection)["items"])
        self.first_page = self.get(f"{self.items}?limit=10", GEOJSON).json
        self.may = self.capabilities()

    def get(self, path: str, accept: str) -> Told:
        return ask(self.office.app, path, accept=accept, **self.headers)

    @staticmethod
    def path(address: str) -> str:
        return address[address.index(ROOT) :]

    def capabilities(self) -> set[str]:
        """Return what may be done, as `computeCapabilities` finds it."""
        of_items = self._options(self.items)
        if "POST" not in of_items:
            return set()
        features = self.first_page["features"]
        name = features[0]["id"] if features else "unknown_id"
        return {"POST"} | self._options(f"{self.items}/{name}") & {"PUT", "PATCH", "DELETE"}

    def _options(self, path: str) -> set[str]:
        told = ask(self.office.app, path, "OPTIONS", **self.headers)
        return {one.strip() for one in told.headers["allow"].split(",")}

    def send(self, method: str, path: str, kind: str, body: Any, **more: str) -> Told:
        headers = self.headers | {"content-type": kind} | more
        return ask(self.office.app, path, method, body=body, **headers)

    def add(self, coordinates: Any, properties: dict[str, Any], **more: str) -> str:
        """Send a new feature; its id is what stands behind /items/ in Location."""
        body = {
            "type": "Feature",
            "geometry": {"type": "MultiPolygon", "coordinates": [coordinates]},
            "properties": properties,
        }
        told = self.send("POST", self.items, GEOJSON, body, **more)
        assert told.status == 201, told
        return told.headers["location"].rpartition("/items/")[2]

    def move(self, feature_id: str, coordinates: Any, **more: str) -> Told:
        patch = {"geometry": {"type": "MultiPolygon", "coordinates": [coordinates]}}
        return self.send("PATCH", f"{self.items}/{feature_id}", MERGE_PATCH, patch, **more)

    def write(self, feature_id: str, **properties: Any) -> Told:
        patch = {"properties": properties}
        return self.send("PATCH", f"{self.items}/{feature_id}", MERGE_PATCH, patch)

    def remove(self, feature_id: str) -> Told:
        return ask(self.office.app, f"{self.items}/{feature_id}", "DELETE", **self.headers)

    def read(self, feature_id: str) -> Any:
        told = self.get(f"{self.items}/{feature_id}", GEOJSON)
        return told.json if told.status == 200 else told.status


def everything_else(office: Office) -> dict[str, Any]:
    told = {name: ask(office.app, items_of(name), **office.of("first")) for name in ELSEWHERE}
    assert all(one.status == 200 for one in told.values())
    return {name: one.json["features"] for name, one in told.items()}


def same_area(geometry: Any, coordinates: Any) -> bool:
    return bool(shapely.equals(shape(geometry), shapely.Polygon(coordinates[0])))


def test_create_move_write_delete_end_in_the_draft_and_nowhere_else(office: Office) -> None:
    before = everything_else(office)
    layer = Qgis(office, "zones_draft_night")
    assert layer.may == {"POST", "PUT", "PATCH", "DELETE"}

    made = layer.add(BLOCK, {"zone_id": None, "name": "Block", "kind": None, "precedence": None})
    found = layer.read(made)
    assert found["id"] == made == found["properties"]["zone_id"]
    assert same_area(found["geometry"], BLOCK)
    assert found["properties"] | {"zone_id": ""} == {
        "zone_id": "", "name": "Block", "kind": "BASE", "precedence": 0, "policy_id": "",
        "note": "",
    }  # fmt: skip

    assert layer.move(made, MOVED).status == 204
    moved = layer.read(made)
    assert same_area(moved["geometry"], MOVED)
    assert moved["properties"] == found["properties"]

    assert layer.write(made, name="Market", note="asked for in July", precedence=3).status == 204
    written = layer.read(made)
    assert same_area(written["geometry"], MOVED)
    told = found["properties"] | {"name": "Market", "note": "asked for in July", "precedence": 3}
    assert written["properties"] == told

    listed = layer.get(layer.items, GEOJSON).json["features"]
    assert [one["id"] for one in listed] == ["CORE", made]
    assert everything_else(office) == before

    assert layer.remove(made).status == 204
    assert layer.read(made) == 404
    assert [one["id"] for one in layer.get(layer.items, GEOJSON).json["features"]] == ["CORE"]
    assert everything_else(office) == before


def test_a_cell_that_was_emptied_is_empty(office: Office) -> None:
    layer = Qgis(office, "zones_draft_night")
    assert layer.write("CORE", note="x").status == layer.write("CORE", note=None).status == 204
    assert layer.read("CORE")["properties"]["note"] == ""


def test_an_empty_draft_can_be_edited_and_says_its_fields(office: Office) -> None:
    assert Qgis(office, "zones_draft_night").remove("CORE").status == 204
    layer = Qgis(office, "zones_draft_night")
    assert layer.first_page["features"] == []
    assert layer.may == {"POST", "PUT", "PATCH", "DELETE"}
    assert layer.collection["extent"] == {}
    place = next(
        one["href"] for one in layer.collection["links"]
        if one["rel"] == "http://www.opengis.net/def/rel/ogc/1.0/schema"
        and one["type"] == "application/schema+json"
    )  # fmt: skip
    told = layer.get(layer.path(place), "application/schema+json").json["properties"]
    assert told["geometry"] == {
        "format": "geometry-polygon-or-multipolygon", "x-ogc-role": "primary-geometry",
    }  # fmt: skip
    fields = {name: one["type"] for name, one in told.items() if "type" in one}
    assert fields == {
        "zone_id": "string", "name": "string", "kind": "string", "precedence": "integer",
        "policy_id": "string", "note": "string",
    }  # fmt: skip
    assert sorted(one["x-ogc-propertySeq"] for one in told.values() if "type" in one) == [
        1, 2, 3, 4, 5, 6,
    ]  # fmt: skip


def test_a_layer_in_feet_is_edited_in_feet(office: Office) -> None:
    """QGIS sends the name of the system bare, others in angle brackets."""
    layer = Qgis(office, "zones_draft_night")
    ring = [[1_268_000, 224_000], [1_269_000, 224_000], [1_269_000, 225_000], [1_268_000, 224_000]]
    for name in (EPSG_2926, f"<{EPSG_2926}>"):
        made = layer.add([ring], {"name": "Feet"}, **{"content-crs": name})
        told = layer.get(f"{layer.items}/{made}?crs={EPSG_2926}", GEOJSON)
        assert told.headers["content-crs"] == f"<{EPSG_2926}>"
        back = shapely.normalize(shape(told.json["geometry"]))
        sent = shapely.normalize(shapely.MultiPolygon([shapely.Polygon(ring)]))
        assert back.symmetric_difference(sent).area < 0.1
        assert shapely.Point(-122.345, 47.605).distance(shape(layer.read(made)["geometry"])) < 0.01


def test_a_layer_in_4326_is_edited_latitude_first(office: Office) -> None:
    layer = Qgis(office, "zones_draft_night")
    turned = [[[y, x] for x, y in BLOCK[0]]]
    made = layer.add(turned, {"name": "Turned"}, **{"content-crs": EPSG_4326})
    assert same_area(layer.read(made)["geometry"], BLOCK)
    assert layer.move(made, [[[y, x] for x, y in MOVED[0]]], **{"content-crs": EPSG_4326}).status
    assert same_area(layer.read(made)["geometry"], MOVED)
    swapped = layer.send("POST", layer.items, GEOJSON, {
        "type": "Feature", "geometry": {"type": "Polygon", "coordinates": turned}, "properties": {},
    })  # fmt: skip
    assert swapped.status == 422


def test_whole_features_are_replaced_by_those_without_patch(office: Office) -> None:
    layer = Qgis(office, "zones_draft_night")
    body = square(-122.35, 47.6, 0.02, name="Wider") | {"id": "CORE"}
    assert layer.send("PUT", f"{layer.items}/CORE", GEOJSON, body).status == 204
    assert layer.read("CORE")["properties"]["name"] == "Wider"
    assert layer.send("PUT", f"{layer.items}/NOWHERE", GEOJSON, body).status == 404


# -- who may, and what is refused -----------------------------------------------------------------


def test_anothers_draft_is_shown_and_not_edited(office: Office) -> None:
    layer = Qgis(office, "zones_draft_night", who="second")
    assert layer.may == set()
    before = layer.get(layer.items, GEOJSON).json["features"]
    body = square(-122.3, 47.6, name="Mine")
    assert layer.send("POST", layer.items, GEOJSON, body).status == 403
    assert layer.write("CORE", name="Mine").status == layer.remove("CORE").status == 403
    assert layer.get(layer.items, GEOJSON).json["features"] == before


@pytest.mark.parametrize("collection_id", ["zones", "posts", "streets"])
def test_what_is_in_force_is_only_read(office: Office, collection_id: str) -> None:
    layer = Qgis(office, collection_id)
    assert layer.may == set()
    name = layer.first_page["features"][0]["id"]
    for told in (
        layer.send("POST", layer.items, GEOJSON, square(-122.3, 47.6)),
        layer.write(name, name="x"),
        layer.remove(name),
    ):
        assert told.status == 405
        assert told.headers["allow"] == "GET, OPTIONS"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.GIS_EDITOR])
def test_other_roles_edit_no_draft(office: Office, role: Role) -> None:
    headers = office.of(role.value) | {"content-type": GEOJSON}
    told = ask(office.app, DRAFT, "POST", body=square(-122.3, 47.6), **headers)
    assert told.status == 403
    allowed = ask(office.app, DRAFT, "OPTIONS", **office.of(role.value))
    assert allowed.status == 403 or allowed.headers["allow"] == "GET, OPTIONS"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "WRONG_TYPE"), ({"type": "Feature"}, "MISSING"),
        ({"type": "Polygon", "geometry": None, "properties": None}, "NOT_A_FEATURE"),
        ({"type": "Feature", "geometry": 3, "properties": {}}, "WRONG_TYPE"),
        ({"type": "Feature", "geometry": {}, "properties": {}}, "GEOMETRY_INVALID"),
        ({"type": "Feature", "geometry": {"type": "Point", "coordinates": [1e300, 1e300]},
          "properties": {}}, "NOT_A_POLYGON"),
    ],
)  # fmt: skip
def test_what_is_no_feature_is_refused_by_name(office: Office, body: Any, code: str) -> None:
    headers = office.of("first") | {"content-type": GEOJSON, "content-crs": EPSG_2926}
    told = ask(office.app, DRAFT, "POST", body=body, **headers)
    assert told.status == 422
    assert told.json["errors"][0]["code"] == code


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"content-crs": "EPSG:2926"}, 400), ({"content-type": "text/plain"}, 415)],
)
def test_a_body_in_an_unknown_form_is_refused(
    office: Office, headers: dict[str, str], status: int
) -> None:
    sent = office.of("first") | {"content-type": GEOJSON} | headers
    told = ask(office.app, DRAFT, "POST", body=square(-122.3, 47.6), **sent)
    assert told.status == status


def test_deep_nesting_is_refused(office: Office) -> None:
    headers = office.of("first") | {"content-type": GEOJSON}
    body = json.loads("[" * 900 + "]" * 900)
    feature = square(-122.3, 47.6)
    feature["geometry"]["coordinates"] = body
    for method, path in (("POST", DRAFT), ("PATCH", f"{DRAFT}/CORE")):
        assert ask(office.app, path, method, body=feature, **headers).status == 422


def test_a_repeated_edit_is_answered_as_the_first(office: Office) -> None:
    headers = office.of("first") | {"content-type": GEOJSON, "idempotency-key": "k1"}
    one, two = (
        ask(office.app, DRAFT, "POST", body=square(-122.3, 47.6, name="Once"), **headers)
        for _ in range(2)
    )
    assert (one.status, one.headers["location"]) == (two.status, two.headers["location"])
    assert two.headers["idempotency-replayed"] == "true"
    assert ask(office.app, DRAFT, **office.of("first")).json["numberMatched"] == 2


def test_each_edit_is_in_the_audit_with_its_key(office: Office) -> None:
    layer = Qgis(office, "zones_draft_night")
    layer.write("CORE", name="Seen")
    with office.app.state.service.desk.database.reading() as connection:
        records = connection.exec_driver_sql(
            "SELECT record FROM audit WHERE kind = 'DRAFT_ZONES_CHANGED' ORDER BY number"
        ).scalars()
        *_, record = (json.loads(one) for one in records)
    assert record["by"] == office.id_of("first")


def test_a_collection_of_drafts_is_listed_for_those_who_may_read(office: Office) -> None:
    listed = {}
    for role in Role:
        told = ask(office.app, COLLECTIONS, **office.of(role.value)).json
        listed[role] = {one["id"] for one in told["collections"]}
        assert all(CRS84 in one["crs"] for one in told["collections"])
    drafts = {"zones_draft_day", "zones_draft_night"}
    assert {role for role in Role if drafts <= listed[role]} == {
        Role.GIS_EDITOR, Role.GIS_PUBLISHER, Role.SUPERVISOR, Role.AUDITOR,
    }  # fmt: skip
    assert {role for role in Role if "units" in listed[role]} == {
        Role.CAD, Role.DISPATCHER, Role.SUPERVISOR, Role.SPD_SERGEANT, Role.AUDITOR,
    }  # fmt: skip
    assert all({"zones", "posts", "beats"} <= found for found in listed.values())
    for role, found in listed.items():
        for name in ("units", "streets", "zones_draft_day"):
            status = ask(office.app, items_of(name), **office.of(role.value)).status
            assert status == (200 if name in found else 403), (role, name)
