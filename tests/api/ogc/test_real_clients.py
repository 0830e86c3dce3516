"""GDAL, OWSLib and ogrinfo read every collection of a real service, with a key."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import shapely
from owslib.ogcapi.features import Features
from shapely.geometry import mapping

from api.auth.roles import Role
from api.live_view import load_view
from api.settings import Settings
from tests.api.auth.credentials import key
from tests.api.loopback import Served, served
from tests.api.ogc.asking import GEOJSON, items_of
from tests.api.releases.drawn import new_draft, square
from tests.api.store.engines import new_location
from tests.api.story import record
from tests.api.waiting import wait_until

ALL = [
    "zones", "posts", "beats", "units", "streets", "closures", "closures_points",
    "closures_lines", "closures_areas", "zones_draft_night",
]  # fmt: skip
CLOSED = ("POINT (-122.3372 47.6104)", "LINESTRING (-122.337 47.61, -122.336 47.611)",
          "POLYGON ((-122.34 47.6, -122.33 47.6, -122.33 47.61, -122.34 47.6))")  # fmt: skip
TIMEOUT_S = 60.0
GDAL = """
import json, sys
import pyogrio

source, found = f"OAPIF:{sys.argv[1]}", {}
for name in pyogrio.list_layers(source)[:, 0].tolist():
    about, _, shapes, columns = pyogrio.raw.read(source, layer=name)
    names = about["fields"].tolist()
    ids = [] if "id" not in names else columns[names.index("id")].tolist()
    found[name] = {
        "ids": ids, "fields": names, "crs": about["crs"],
        "shapes": [None if one is None else one.hex() for one in shapes],
    }
print(json.dumps(found))
"""
"""In a process of its own: the driver asks while it holds the interpreter, so that a service in the
same process could not answer."""


@dataclass(frozen=True)
class Site:
    """A service on the loopback address and a key to all its collections."""

    at: Served
    header: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.at.port}/ogc"

    def features(self, name: str) -> list[Any]:
        status, told = self.at.ask("GET", items_of(name), Authorization=self.header)
        assert status == 200
        found: list[Any] = told["features"]
        assert len(found) == told["numberMatched"]
        return found


def beats(folder: Path) -> Path:
    """Return a file of two beats beside each other."""
    file = folder / "beats.geojson"
    squares = [square(-122.36 + i / 100, 47.6, beat=f"M{i}") for i in (1, 2)]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": squares}))
    return file


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = key(Role.AUDITOR, Role.GIS_EDITOR, Role.CAD)
    view = load_view(Settings(beats=beats(tmp_path_factory.mktemp("beats"))), lambda _stage: None)
    with new_location("sqlite") as location, served(view, location, dev=False) as at:
        at.service.keys.add(made.kept)
        new_draft(at.service.desk.writer, by=made.kept.key_id)  # type: ignore[union-attr]
        site = Site(at, f"Bearer {made.text}")
        wait_until(lambda: at.ask("GET", "/ogc", Authorization=site.header)[0] == 200, "the key")
        units = [record("C1"), record("2M1") | {"position": None}]
        units[0]["position"] = {
            "lon": -122.3372,
            "lat": 47.6104,
            "fixed_at": "2026-07-21T20:05:00Z",
        }
        written = at.ask("PUT", "/v1/units", {"units": units}, Authorization=site.header)
        assert written[0] == 200
        for one in map(shapely.from_wkt, CLOSED):
            body = {"type": "Feature", "geometry": mapping(one), "properties": {"name": "x"}}
            drawn = at.ask("POST", items_of("closures"), body, Authorization=site.header)
            assert drawn[0] == 201
        yield site


def run(command: list[str], site: Site) -> str:
    # GDAL up to 3.8 takes the header, from 3.9 on the key alone.
    env = os.environ | {
        "GDAL_HTTP_HEADERS": f"Authorization: {site.header}",
        "GDAL_HTTP_AUTH": "BEARER",
        "GDAL_HTTP_BEARER": site.header.removeprefix("Bearer "),
    }
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_gdal_reads_every_collection(site: Site) -> None:
    found = json.loads(run([sys.executable, "-c", GDAL, site.url], site))
    assert list(found) == ALL
    for name, told in found.items():
        ours = site.features(name)
        assert told["ids"] == [one["id"] for one in ours]
        assert "CRS84" in told["crs"]
        assert set(told["fields"]) >= set(ours[0]["properties"])
        for shape, one in zip(told["shapes"], ours, strict=True):
            if one["geometry"] is None:
                assert shape is None
                continue
            theirs = shapely.from_wkb(bytes.fromhex(shape))
            assert shapely.equals_exact(theirs, shapely.from_geojson(json.dumps(one["geometry"])))


def test_owslib_reads_every_collection(site: Site) -> None:
    client = Features(site.url, headers={"Authorization": site.header})
    assert client.feature_collections() == ALL
    assert client.api()["openapi"].startswith("3.0")
    assert len(client.conformance()["conformsTo"]) > 5
    for name in ALL:
        assert client.collection(name)["id"] == name
        assert client.collection_schema(name)["properties"]
        ours = site.features(name)
        told = client.collection_items(name, limit=2, offset=1)
        assert [one["id"] for one in told["features"]] == [one["id"] for one in ours[1:3]]
        assert client.collection_item(name, ours[0]["id"])["id"] == ours[0]["id"]


def test_owslib_edits_a_draft(site: Site) -> None:
    headers = {"Authorization": site.header, "Content-Type": GEOJSON}
    client = Features(site.url, headers=headers)
    (before,) = client.collection_items("zones_draft_night")["features"]
    body = {name: before[name] for name in ("type", "geometry", "properties")}
    body["properties"] = body["properties"] | {"zone_id": "OWS", "name": "by OWSLib"}
    assert client.collection_item_create("zones_draft_night", json.dumps(body))
    assert client.collection_item("zones_draft_night", "OWS")["properties"]["name"] == "by OWSLib"
    assert client.collection_item_delete("zones_draft_night", "OWS")
    assert client.collection_items("zones_draft_night")["features"] == [before]


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="ogrinfo (gdal-bin) is not installed")
def test_ogrinfo_reads_every_collection(site: Site) -> None:
    told = run(["ogrinfo", "-ro", "-al", "-so", f"OAPIF:{site.url}"], site)
    assert [line[12:] for line in told.splitlines() if line.startswith("Layer name: ")] == ALL
    counts = [int(line[15:]) for line in told.splitlines() if line.startswith("Feature Count: ")]
    assert counts == [len(site.features(name)) for name in ALL]
    assert "ERROR" not in told


def test_without_a_key_gdal_reads_nothing(site: Site) -> None:
    stranger = replace(site, header="Bearer tdm_000000000000_" + "0" * 48)
    with pytest.raises(AssertionError, match="401"):
        run([sys.executable, "-c", GDAL, site.url], stranger)
