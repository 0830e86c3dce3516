"""`tandem zones check|import|export`: what GIS staff type, and what they are told."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas
import pytest
import shapely
import typer

from api.commands.zones import Asked, run_check, run_export, run_import
from api.errors import StartError
from api.live_view import load_zones
from geodata.errors import GeodataError
from geodata.pilot.area import pilot_zone_features
from tests.api.test_cli import tandem
from tests.geodata.zone_files import two_squares, write

Capture = pytest.CaptureFixture[str]
BOW_TIE = shapely.Polygon([(-122.34, 47.6), (-122.33, 47.61), (-122.33, 47.6), (-122.34, 47.61)])


def asked(file: Path, **more: object) -> Asked:
    plain = Asked(
        file=file, network=None, calls=None, repair=False, assume_crs=None, id_column="zone_id",
        spots=None, as_json=False,
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


def leaves_with(code: int, command: Callable[[], None]) -> None:
    with pytest.raises(typer.Exit) as left:
        command()
    assert left.value.exit_code == code


def bad_file(folder: Path) -> Path:
    frame = two_squares()
    frame["geometry"] = [BOW_TIE, frame.geometry.iloc[1]]
    return write(frame, folder, "gpkg", "bad")


@pytest.mark.parametrize(
    ("suffix", "crs"),
    [
        ("zip", "EPSG:2926"),
        ("gpkg", "EPSG:2285"),
        ("gdb.zip", "EPSG:2926"),
        ("geojson", "EPSG:2285"),
    ],
)
def test_an_export_comes_back_as_it_was_and_can_be_served(
    tmp_path: Path, suffix: str, crs: str
) -> None:
    out, back = tmp_path / f"zones.{suffix}", tmp_path / "back.geojson"
    run_export(None, out, crs)
    run_import(asked(out), back)
    (zone,) = load_zones(back).zones
    (feature,) = pilot_zone_features()["features"]
    assert (zone.zone_id, zone.precedence) == ("PILOT_CORE", 100)
    before = shapely.from_geojson(json.dumps(feature["geometry"]))
    assert shapely.hausdorff_distance(zone.geometry, before) < 0.1 / 111_180


def test_a_check_names_the_feature_the_place_and_the_remedy(
    tmp_path: Path, capsys: Capture
) -> None:
    spots = tmp_path / "spots.geojson"
    leaves_with(1, lambda: run_check(asked(bad_file(tmp_path), spots=spots)))
    said = capsys.readouterr().out
    for words in ("INVALID_OUTLINE: A at -122.335", "--repair", "Refused"):
        assert words in said
    (spot,) = geopandas.read_file(spots, engine="pyogrio").itertuples()
    assert (spot.code, spot.feature) == ("INVALID_OUTLINE", "A")
    assert spot.geometry.distance(shapely.Point(-122.335, 47.605)) < 1e-6


def test_a_refused_file_writes_nothing_and_a_repaired_one_says_so(
    tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out.geojson"
    leaves_with(1, lambda: run_import(asked(bad_file(tmp_path)), out))
    assert not out.exists()
    run_import(asked(tmp_path / "bad.gpkg", repair=True, as_json=True), out)
    report = json.loads(capsys.readouterr().out.partition("\n{")[2].join(("{", "")))
    assert report["accepted"]
    assert "REPAIRED" in [finding["code"] for finding in report["findings"]]
    assert len(load_zones(out)) == 2


def test_calls_at_the_edge_are_told(tmp_path: Path, capsys: Capture) -> None:
    calls = tmp_path / "calls.csv"
    calls.write_text("lon,lat\n-122.3399,47.605\n-122.3382,47.605\n-122.335,47.605\n")
    file = write(two_squares(), tmp_path, "geojson")
    run_check(asked(file, calls=calls, as_json=True))
    left, _ = json.loads(capsys.readouterr().out)["zones"]
    measured = [left[f"yearly_calls_{name}"] for name in ("inside", "10_m", "25_m")]
    assert measured == [3.0, 1.0, 1.0]


def test_what_cannot_be_done_is_said_and_nothing_is_replaced(tmp_path: Path) -> None:
    good = write(two_squares(), tmp_path, "geojson")
    before = good.read_bytes()
    for command in (
        lambda: run_import(asked(good), good),
        lambda: run_import(asked(good), tmp_path / "zones.shp"),
        lambda: run_check(asked(tmp_path / "missing.zip")),
        lambda: run_check(asked(good, network=tmp_path)),
        lambda: run_check(asked(good, calls=good)),
        lambda: run_export(None, good, "EPSG:2926"),
        lambda: run_export(None, tmp_path / "zones.dwg", "EPSG:2926"),
        lambda: run_export(None, tmp_path / "zones.gpkg", "EPSG:0"),
    ):
        with pytest.raises((StartError, GeodataError)):
            command()
    assert good.read_bytes() == before


def test_the_command_itself(tmp_path: Path) -> None:
    done = tandem("zones", "import", str(bad_file(tmp_path)), "--out", str(tmp_path / "o.geojson"))
    assert (done.returncode, done.stderr) == (1, "")
    assert "INVALID_OUTLINE" in done.stdout
    done = tandem("zones", "import", str(tmp_path / "no.zip"), "--out", str(tmp_path / "o.geojson"))
    assert done.returncode == 2
    assert "no such file" in done.stderr
