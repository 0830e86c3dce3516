"""The documents of /ogc: pages that cover everything once, links, schemas and the description."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from shapely.geometry import shape

from api.live_view import LiveView
from api.ogc.description import as_3_0
from api.ogc.live import street_layer
from tests.api.asgi_caller import call, ready_app
from tests.api.ogc.asking import (
    COLLECTIONS,
    CRS84,
    EPSG_2926,
    EPSG_4326,
    GEOJSON,
    ROOT,
    ask,
    every_page,
    items_of,
    links,
)


@pytest.fixture(scope="module")
def app(view: LiveView) -> FastAPI:
    return ready_app(view, log_level="error")


@pytest.fixture(scope="module")
def api(app: FastAPI) -> Any:
    return ask(app, f"{ROOT}/api").json


@pytest.mark.parametrize("limit", [1, 97, 400, 829, 2000])
def test_pages_cover_every_street_once_in_order(app: FastAPI, view: LiveView, limit: int) -> None:
    streets = view.situation.network.n_streets
    if limit == 1:
        found = every_page(app, "streets", limit=1, bbox="-122.335,47.605,-122.334,47.607")
        names = [one["id"] for one in found]
        assert len(set(names)) == len(names) > 2
        return
    found = every_page(app, "streets", limit=limit)
    assert [one["id"] for one in found] == [str(row) for row in range(streets)]


def test_a_page_that_is_not_there_is_empty(app: FastAPI) -> None:
    page = ask(app, items_of("streets"), query={"offset": 10**12}).json
    assert (page["numberReturned"], page["features"]) == (0, [])
    assert page["numberMatched"] > 0
    assert "next" not in links(page)


def test_the_next_page_keeps_what_was_asked(app: FastAPI) -> None:
    query = {"limit": 2, "bbox": "-122.34,47.60,-122.33,47.61", "crs": EPSG_4326}
    first = ask(app, items_of("streets"), query=query)
    following = links(first.json)["next"]
    second = ask(app, following[following.index(ROOT) :])
    assert first.headers["content-crs"] == second.headers["content-crs"] == f"<{EPSG_4326}>"
    assert second.json["numberMatched"] == first.json["numberMatched"] > 4
    assert [one["id"] for one in first.json["features"]] != [
        one["id"] for one in second.json["features"]
    ]
    back = links(second.json)["prev"]
    assert ask(app, back[back.index(ROOT) :]).json["features"] == first.json["features"]


@pytest.mark.parametrize("name", ["zones", "posts", "streets"])
@pytest.mark.parametrize("system", [CRS84, EPSG_4326, EPSG_2926])
def test_a_feature_is_the_same_alone(app: FastAPI, name: str, system: str) -> None:
    page = ask(app, items_of(name), query={"crs": system, "limit": 3})
    assert page.headers["content-type"] == GEOJSON
    for one in page.json["features"]:
        alone = ask(app, f"{items_of(name)}/{one['id']}", query={"crs": system})
        assert alone.json.pop("links")
        assert alone.json == one


def test_the_three_systems_have_the_same_place(app: FastAPI) -> None:
    told = {}
    for system in (CRS84, EPSG_4326, EPSG_2926):
        page = ask(app, items_of("posts"), query={"crs": system}).json
        told[system] = shape(page["features"][0]["geometry"])
    assert (told[CRS84].x, told[CRS84].y) == (told[EPSG_4326].y, told[EPSG_4326].x)
    assert 1_260_000 < told[EPSG_2926].x < 1_280_000
    assert 210_000 < told[EPSG_2926].y < 240_000


def test_reading_streets_holds_up_nobody(app: FastAPI, view: LiveView) -> None:
    street_layer.cache_clear()
    done: list[str] = []

    async def asked(path: str) -> None:
        assert (await call(app, "GET", path)).status == 200
        done.append(path)

    async def both() -> None:
        await asyncio.gather(asked(items_of("streets")), asked("/healthz"))

    asyncio.run(both())
    assert done == ["/healthz", items_of("streets")]
    assert street_layer(view.situation.network) is street_layer(view.situation.network)


@pytest.mark.parametrize("path", ["nowhere", "zones_draft_x", "Zones", "streets%20"])
def test_an_unknown_collection_is_404(app: FastAPI, path: str) -> None:
    for below in ("", "/items", "/schema", "/items/1"):
        assert ask(app, f"{COLLECTIONS}/{path}{below}").status == 404


def test_an_unknown_feature_is_404(app: FastAPI) -> None:
    for name in ("-1", "829", "1.0", "x", "PILOT_CORE/x"):
        assert ask(app, f"{items_of('streets')}/{name}").status == 404


# -- links and the description --------------------------------------------------------------------


def every_link(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from [value["href"]] if isinstance(value.get("href"), str) else []
        value = list(value.values())
    if isinstance(value, list):
        for below in value:
            yield from every_link(below)


def test_every_link_leads_somewhere(app: FastAPI) -> None:
    todo, done = [ROOT], set()
    while todo:
        path = todo.pop()
        if path in done:
            continue
        done.add(path)
        told = ask(app, path, host="gis.example.org:8911")
        assert told.status == 200, path
        for href in every_link(told.json):
            assert href.startswith(f"http://gis.example.org:8911{ROOT}")
            if "offset=" not in href:
                todo.append(href.removeprefix("http://gis.example.org:8911"))
    assert len(done) == 4 + 5 * 3


@pytest.mark.parametrize("host", ['evil"><script>', "a b", "x/../y", "", "a@b"])
def test_a_host_that_is_none_is_not_repeated(app: FastAPI, host: str) -> None:
    assert links(ask(app, ROOT, host=host).json)["self"] == f"http://127.0.0.1:80{ROOT}"


def test_behind_a_proxy_links_are_those_of_the_proxy(view: LiveView) -> None:
    behind = ready_app(view, log_level="error", public_url="https://tandem.example.org/cad/")
    found = links(ask(behind, ROOT, host="127.0.0.1:8911").json)
    assert found["data"] == "https://tandem.example.org/cad/ogc/collections"


def test_the_description_is_openapi_3_0_and_leads_nowhere_else(app: FastAPI, api: Any) -> None:
    told = ask(app, f"{ROOT}/api")
    assert told.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    assert api["openapi"].startswith("3.0")
    text = json.dumps(api)
    assert '"null"' not in text
    names = {one for one in text.split('"') if one.startswith("#/components/")}
    for name in names:
        found = api
        for part in name.removeprefix("#/").split("/"):
            found = found[part]
    operations = list(schemathesis.openapi.from_dict(api).get_all_operations())
    assert len(operations) == 14
    assert all(one.ok() for one in operations)


def test_qgis_finds_the_size_of_its_pages(api: Any) -> None:
    limit = api["components"]["parameters"]["limit"]["schema"]
    assert (limit["default"], limit["maximum"]) == (1000, 2000)


def test_null_becomes_what_3_0_has() -> None:
    text = {"type": "string", "examples": ["x", "y"]}
    assert as_3_0({"anyOf": [text, {"type": "null"}]}) == {
        "type": "string", "example": "x", "nullable": True,
    }  # fmt: skip
    assert as_3_0({"examples": {"A": {"value": 1}}}) == {"examples": {"A": {"value": 1}}}


def test_features_have_the_properties_of_their_schema(app: FastAPI) -> None:
    kinds = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list}
    for name in ("zones", "posts", "streets"):
        fields = ask(app, f"{COLLECTIONS}/{name}/schema").json["properties"]
        identity = [key for key, one in fields.items() if one.get("x-ogc-role") == "id"]
        for one in every_page(app, name):
            assert set(one["properties"]) == set(fields) - {"geometry"}
            for key, value in one["properties"].items():
                assert value is None or isinstance(value, kinds[fields[key]["type"]]), key
                assert value is None or value in fields[key].get("enum", [value])
            assert str(one["properties"][identity[0]]) == one["id"]


def test_the_classes_that_clients_look_for_are_declared(app: FastAPI) -> None:
    found = ask(app, f"{ROOT}/conformance").json["conformsTo"]
    base = "http://www.opengis.net/spec/ogcapi-features-"
    for name in ("1/1.0/conf/core", "2/1.0/conf/crs", "5/1.0/conf/schemas"):
        assert f"{base}{name}" in found
    assert len(found) == len(set(found))
