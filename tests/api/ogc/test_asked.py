"""What a query may ask: everything else is refused with 400, at every address."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams
from starlette.testclient import TestClient

from api.auth.roles import DECLARED
from api.errors import BadParameter
from api.ogc.asked import LIMIT_MAX, read_during, read_items_query
from api.ogc.systems import CRS84, EPSG_2926
from tests.api.ogc.asking import CRS84 as NAME_84
from tests.api.ogc.asking import EPSG_2926 as NAME_2926
from tests.api.ogc.asking import EPSG_4326 as NAME_4326
from tests.api.ogc.asking import items_of


def asked(**query: str) -> Any:
    return read_items_query(QueryParams({k.replace("_", "-"): v for k, v in query.items()}))


BAD = [
    "limit=0", "limit=-1", "limit=", "limit=ten", "limit=1.5", "limit=1&limit=2", "offset=-1",
    "limit=\u0663", "bbox=1,2,3", "bbox=1,2,3,4,5", "bbox=1,2,3,x", "bbox=", "bbox=nan,1,2,3",
    "bbox=1,inf,2,3", "bbox=1,9,2,3", "bbox=1,1e999,2,3", "bbox=1_0,2,30,4",
    "bbox-crs=" + NAME_84, "bbox=1,2,3,4&bbox-crs=EPSG:2926", "crs=EPSG:4326", "crs=",
    "crs=http://www.opengis.net/def/crs/EPSG/0/2285", "datetime=2026", "datetime=2026-07-21",
    "datetime=2026-07-21T00:00:00", "datetime=../..", "datetime=/", "datetime=",
    "datetime=2026-07-22T00:00:00Z/2026-07-21T00:00:00Z", "datetime=2026-13-21T00:00:00Z",
    "datetime=2026-07-21T00:00:00Z/2026-07-22T00:00:00Z/..", "f=html", "f=", "q=street",
    "Limit=3", "filter=name=1", "bbox=5,1,2,3&bbox-crs=" + NAME_2926,
    "datetime=0001-01-01T00:00:00%2B14:00x", "limit=3&unknown=",
]  # fmt: skip


@pytest.mark.parametrize("query", BAD)
def test_what_cannot_be_understood_is_400(client: TestClient, query: str) -> None:
    reply = client.get(f"{items_of('zones')}?{query}")
    assert reply.status_code == 400
    assert reply.headers["content-type"] == "application/problem+json"
    told = reply.json()
    assert told["code"] == "PARAMETER_REFUSED"
    (error,) = told["errors"]
    assert error["code"] in {"PARAMETER_UNKNOWN", "PARAMETER_INVALID"}
    assert told["remedy"]


GETS = sorted(path for method, path in DECLARED if method == "GET" and path.startswith("/ogc"))


@pytest.mark.parametrize("path", GETS)
def test_an_unknown_parameter_is_400_everywhere(client: TestClient, path: str) -> None:
    filled = path.replace("{collection_id}", "zones").replace("{feature_id:path}", "PILOT_CORE")
    assert client.get(filled).status_code == 200
    assert client.get(f"{filled}?f=json").status_code == 200
    assert client.get(f"{filled}?colour=red").status_code == 400
    assert client.get(f"{filled}?f=json&f=json").status_code == 400


def test_a_refusal_repeats_nothing_that_was_sent(client: TestClient) -> None:
    for query in ("secretive=1", "crs=secretive", "bbox=secretive", "datetime=secretive"):
        assert "secretive" not in client.get(f"{items_of('zones')}?{query}").text


def test_a_limit_above_the_greatest_is_taken_for_it(client: TestClient) -> None:
    assert asked(limit=str(10**30)).limit == LIMIT_MAX
    assert client.get(f"{items_of('zones')}?limit=999999").status_code == 200


def test_a_box_is_read_in_the_order_of_its_system() -> None:
    degrees = asked(bbox="47.5,-122.4,47.7,-122.2", bbox_crs=NAME_4326).box
    assert (degrees.bounds, degrees.system) == ((-122.4, 47.5, -122.2, 47.7), CRS84)
    feet = asked(bbox="1,2,3,4", bbox_crs=f"<{NAME_2926}>").box
    assert (feet.bounds, feet.system) == ((1, 2, 3, 4), EPSG_2926)
    assert asked(bbox="1,2,0,3,4,9").box.bounds == (1, 2, 3, 4)


def test_times_are_instants_and_intervals() -> None:
    at = read_during("2026-07-21T13:00:00-07:00")
    assert at.from_s == at.to_s == read_during("2026-07-21T20:00:00Z").to_s
    for open_end in ("../2026-07-21T20:00:00Z", "/2026-07-21T20:00:00.0Z"):
        assert read_during(open_end).to_s == at.to_s
        assert read_during(open_end).from_s == float("-inf")
    assert read_during("2026-07-21T20:00:00Z/..").to_s == float("inf")


@given(st.dictionaries(st.sampled_from(["limit", "offset", "bbox", "datetime", "crs"]), st.text()))
def test_any_text_is_understood_or_refused(query: dict[str, str]) -> None:
    with suppress(BadParameter):
        assert 1 <= read_items_query(QueryParams(query)).limit <= LIMIT_MAX
