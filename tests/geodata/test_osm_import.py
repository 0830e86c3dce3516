"""The same streets come out of every form of OpenStreetMap, and bad files are named as such."""

import gzip
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import osmnx
import pytest

from geodata.errors import (
    CoordinateError,
    MapServiceError,
    NoStreetsError,
    StreetDataError,
    StreetFileError,
)
from geodata.network import RoadClass, StreetFlag, StreetNetwork
from geodata.osm_import import MapService, import_graphml, import_osm_file, import_place
from geodata.osm_tags import KMH_PER_MPH
from tests.geodata.osm_writing import (
    HEADER,
    SMALL_TOWN,
    map_service,
    osm_to_graphml,
    osm_to_pbf,
    osmnx_settings,
    outline,
    with_restrictions,
    write_osm,
)
from tests.geodata.raw_streets_builder import edge_between, same_columns

PILOT = "network/seattle_pilot_area_2026-07-18.osm.gz"
WHOLE_TOWN = outline(-122.40, 47.55, -122.30, 47.65)


@pytest.fixture(scope="session")
def pilot_file(tandem_data: Path) -> Path:
    return tandem_data / PILOT


@pytest.fixture(scope="session")
def pilot_network(pilot_file: Path) -> StreetNetwork:
    return import_osm_file(pilot_file)


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return write_osm(tmp_path / "town.osm")


def names(network: StreetNetwork) -> set[str]:
    return set(network.names)


def test_a_small_town_is_read_as_drawn(town: Path) -> None:
    network = import_osm_file(town)
    assert network.junction_id.tolist() == [1, 2, 3, 4, 5, 6, 10]
    assert names(network) == {"", "Pine Street", "Olive Way", "Łódź Ave & Co"}
    assert network.edge_signals[edge_between(network, 3, 2)] == 1
    assert network.edge_stops[edge_between(network, 2, 5)] == 1  # the all-way stop at the end
    assert network.edge_stops[edge_between(network, 5, 2)] == 1  # the sign on the way, backward
    assert dict(network.source.dropped)["ways closed to cars"] == 1


def test_a_way_against_its_nodes_is_driven_the_other_way(town: Path) -> None:
    network = import_osm_file(town)
    edge_between(network, 4, 5)
    with pytest.raises(AssertionError, match="0 edges"):
        edge_between(network, 5, 4)


def test_express_lanes_and_their_ramp_are_gated(town: Path) -> None:
    network = import_osm_file(town)
    gated = network.street_flags & StreetFlag.GATED != 0
    assert sorted(network.street_way_id[gated].tolist()) == [25, 26]


def test_the_source_is_told(town: Path) -> None:
    source = import_osm_file(town).source
    assert (source.network_id, source.kind, source.extract_date) == ("town", "OSM", "2026-07-18")
    assert source.licence == "ODbL 1.0 (OpenStreetMap contributors)"
    assert "no turn restrictions" in source.notes[0]
    assert import_osm_file(town, network_id="pilot").source.network_id == "pilot"


@pytest.mark.parametrize("name", ["town.osm.gz", "town.osm.bz2", "town.pbf", "town.osm.pbf"])
def test_packed_files_give_the_same_streets(town: Path, name: str) -> None:
    packed = osm_to_pbf(town, town.with_name(name))
    network = import_osm_file(packed)
    assert same_columns(import_osm_file(town), network) == []
    assert network.source.network_id == "town"


def test_a_pbf_tells_its_date(town: Path) -> None:
    source = import_osm_file(osm_to_pbf(town, town.with_name("town.pbf"))).source
    assert (source.kind, source.extract_date) == ("PBF", "2026-07-18")


def test_ways_may_come_before_their_nodes(tmp_path: Path) -> None:
    lines = SMALL_TOWN.split("<way", 1)
    nodes = lines[0].split(HEADER)[1]
    ways = "<way" + lines[1].replace("</osm>", nodes + "</osm>")
    mixed = write_osm(tmp_path / "mixed.osm", f"<?xml version='1.0'?>{HEADER}{ways}")
    town = import_osm_file(write_osm(tmp_path / "town.osm"))
    assert same_columns(town, import_osm_file(mixed)) == []


def test_a_plain_graphml_gives_the_same_streets(town: Path) -> None:
    graph = osm_to_graphml(town, town.with_name("town.graphml"))
    network = import_graphml(graph)
    assert same_columns(import_osm_file(town), network) == []
    assert (network.source.network_id, network.source.kind) == ("town", "GRAPHML")
    assert len(network.source.notes) == 1


def test_a_graphml_without_all_oneway_says_that_reversible_lanes_are_lost(town: Path) -> None:
    graph = osm_to_graphml(town, town.with_name("town.graphml"), all_oneway=False)
    network = import_graphml(graph)
    assert any("reversible lanes" in note for note in network.source.notes)
    assert network.n_junctions == import_osm_file(town).n_junctions


def test_a_simplified_graphml_keeps_lengths_and_says_what_is_lost(town: Path) -> None:
    graph = osm_to_graphml(town, town.with_name("t.graphml"), all_oneway=False, simplify=True)
    network, exact = import_graphml(graph), import_osm_file(town)
    assert network.street_length_m.sum() == pytest.approx(exact.street_length_m.sum(), rel=1e-9)
    assert any("simplified" in note for note in network.source.notes)
    joined = edge_between(network, 2, 6)  # Pine Street at 25 mph, then a bridge at 30;20 mph
    street = network.edge_street[joined]
    assert network.street_class[street] == RoadClass.PRIMARY
    metres_per_s = network.street_length_m[street] / network.edge_posted_s[joined]
    assert metres_per_s == pytest.approx(25 * KMH_PER_MPH / 3.6)


def test_the_pilot_area_is_the_same_from_pbf_and_graphml(
    pilot_file: Path, pilot_network: StreetNetwork, tmp_path: Path
) -> None:
    pbf = osm_to_pbf(pilot_file, tmp_path / "pilot.pbf")
    assert same_columns(pilot_network, import_osm_file(pbf)) == []
    graph = osm_to_graphml(pilot_file, tmp_path / "pilot.graphml")
    assert same_columns(pilot_network, import_graphml(graph)) == []


def test_a_simplified_pilot_area_keeps_its_length(
    pilot_file: Path, pilot_network: StreetNetwork, tmp_path: Path
) -> None:
    graph = tmp_path / "pilot.graphml"
    network = import_graphml(osm_to_graphml(pilot_file, graph, all_oneway=False, simplify=True))
    public = ~(pilot_network.street_flags & StreetFlag.GATED != 0)
    ours, theirs = pilot_network.street_length_m[public].sum(), network.street_length_m.sum()
    assert theirs == pytest.approx(ours, rel=0.01)


def test_restrictions_of_a_file_are_applied_or_counted(tmp_path: Path) -> None:
    network = import_osm_file(write_osm(tmp_path / "town.osm", with_restrictions()))
    assert network.banned_turns.tolist() == [
        [edge_between(network, 1, 2), edge_between(network, 2, 5)]
    ]
    over_a_way = [edge_between(network, *ends) for ends in ((1, 2), (2, 5), (5, 6))]
    by_the_hour = [edge_between(network, *ends) for ends in ((6, 3), (3, 2))]
    hours = {network.path(k): network.path_hours[k] for k in range(network.n_paths)}
    assert set(hours) == {tuple(over_a_way), tuple(by_the_hour)}
    assert hours[tuple(over_a_way)].all()
    rush = [24 * day + hour for day in range(5) for hour in (7, 8, 16, 17)]
    assert np.flatnonzero(hours[tuple(by_the_hour)]).tolist() == rush
    dropped = dict(network.source.dropped)
    assert dropped["turn restrictions whose node or ways are not in the network"] == 1
    assert dropped["turn restrictions by conditions that are not read"] == 1
    assert dropped["turn restrictions with missing or surplus members"] == 1
    assert dropped["turn restrictions that except cars"] == 1
    assert network.source.notes == ()


@pytest.mark.parametrize("name", ["town.osm.gz", "town.pbf"])
def test_restrictions_survive_every_form_of_the_file(tmp_path: Path, name: str) -> None:
    town = write_osm(tmp_path / "town.osm", with_restrictions())
    network = import_osm_file(town)
    assert network.n_paths == 2
    assert same_columns(network, import_osm_file(osm_to_pbf(town, tmp_path / name))) == []


PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
HTML = b"<html><head><title>504</title></head><body>busy</body></html>"
PACKED = gzip.compress(SMALL_TOWN.encode())


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.osm", PNG, "line 1, column 0"),
        ("a.osm.gz", PNG, "line 1, column 0"),
        ("a.pbf", PNG, "PBF error"),
        ("a.osm", HTML, "web page"),
        ("a.osm", b"<!DOCTYPE html>\n<p>busy<br>", "web page"),
        ("a.osm", b"", "0 bytes"),
        ("a.pbf", b"", "0 bytes"),
        ("a.osm.gz", PACKED[: len(PACKED) // 2], "gzip"),
        ("a.osm", SMALL_TOWN[:900].encode(), "line 1"),
        ("a.osm.bz2", b"BZh9aaaaaaaa", "bzip2"),
        ("a.geojson", b"{}", "ends in .osm"),
        ("a.osm", SMALL_TOWN.replace('lat="47.600"', 'lat="north"').encode(), "north"),
    ],
)
def test_a_bad_file_is_named_with_the_place_and_a_remedy(
    tmp_path: Path, name: str, data: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(StreetFileError) as caught:
        import_osm_file(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)
    assert "xpected" in str(caught.value) or "again" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StreetFileError, match="there is no such file"):
        import_osm_file(tmp_path / "nowhere.osm")


def test_a_file_without_car_roads_says_what_was_expected(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "empty.osm", f"{HEADER}</osm>")
    with pytest.raises(NoStreetsError, match="'empty' has no car roads"):
        import_osm_file(path)


def test_a_latitude_that_is_none_is_named(tmp_path: Path) -> None:
    text = SMALL_TOWN.replace('lat="47.600" lon="-122.340"', 'lat="147.600" lon="-122.340"')
    with pytest.raises(CoordinateError, match=r"Node 1 .*degrees"):
        import_osm_file(write_osm(tmp_path / "far.osm", text))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (PNG, "line 1"),
        (HTML, "not a"),
        (b"", "0 bytes"),
        (b"<graphml xmlns='http://graphml.graphdrawing.org/xmlns'></graphml>", "GraphML"),
    ],
)
def test_a_bad_graphml_is_named_with_a_remedy(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "a.graphml"
    path.write_bytes(data)
    with pytest.raises(StreetFileError, match=says) as caught:
        import_graphml(path)
    assert "again" in str(caught.value) or "save_graphml" in str(caught.value)


def test_a_projected_graphml_says_how_to_bring_it_back(town: Path) -> None:
    path = town.with_name("p.graphml")
    with osmnx_settings():
        graph = osmnx.graph_from_xml(town, simplify=False, retain_all=True)
    osmnx.save_graphml(osmnx.project_graph(graph), path)
    with pytest.raises(StreetDataError, match="to_latlong"):
        import_graphml(path)


def test_a_place_gives_the_same_streets_as_its_file(town: Path, tmp_path: Path) -> None:
    with map_service(SMALL_TOWN, [WHOLE_TOWN]) as (address, asked):
        service = MapService(
            overpass_url=f"{address}/api", nominatim_url=address, cache_folder=tmp_path / "cache"
        )
        network = import_place("Small Town", service=service)
        assert same_columns(import_osm_file(town), network) == []
        source = network.source
        assert (source.network_id, source.extract_date) == ("small_town", "2026-07-18")
        assert asked[-1] == "/api/interpreter"
        assert len(list((tmp_path / "cache").iterdir())) == 2


def test_nothing_is_cached_unless_asked_and_settings_are_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = {name: getattr(osmnx.settings, name) for name in ("use_cache", "all_oneway")}
    look_up = socket.getaddrinfo
    with map_service(SMALL_TOWN, [WHOLE_TOWN]) as (address, _):
        service = MapService(overpass_url=f"{address}/api", nominatim_url=address)
        import_place("Small Town", service=service)
    assert list(tmp_path.iterdir()) == []
    assert {name: getattr(osmnx.settings, name) for name in before} == before
    assert socket.getaddrinfo is look_up


@pytest.fixture
def closed_port() -> str:
    """An address of this machine at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_service_that_cannot_be_reached_is_named_at_once(closed_port: str) -> None:
    service = MapService(overpass_url=f"{closed_port}/api", nominatim_url=closed_port)
    with pytest.raises(MapServiceError, match="cannot be reached") as caught:
        import_place("Small Town", service=service)
    assert closed_port in str(caught.value)
    assert "build from a downloaded" in str(caught.value)


def test_a_nominatim_that_cannot_be_reached_is_named(closed_port: str) -> None:
    with map_service(SMALL_TOWN, [WHOLE_TOWN]) as (address, _):
        service = MapService(overpass_url=f"{address}/api", nominatim_url=closed_port)
        with pytest.raises(MapServiceError, match="cannot be reached"):
            import_place("Small Town", service=service)


def test_an_unknown_place_says_so() -> None:
    with map_service(SMALL_TOWN, []) as (address, _):
        service = MapService(overpass_url=f"{address}/api", nominatim_url=address)
        with pytest.raises(MapServiceError, match="no streets for 'Atlantis'"):
            import_place("Atlantis", service=service)


def test_a_place_that_is_a_point_says_that_an_area_is_needed() -> None:
    point = WHOLE_TOWN | {"geojson": {"type": "Point", "coordinates": [-122.3, 47.6]}}
    with map_service(SMALL_TOWN, [point]) as (address, _):
        service = MapService(overpass_url=f"{address}/api", nominatim_url=address)
        with pytest.raises(MapServiceError, match="must be an area"):
            import_place("Small Town", service=service)


def test_a_busy_service_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with map_service(SMALL_TOWN, [WHOLE_TOWN], status=429) as (address, asked):
        service = MapService(overpass_url=f"{address}/api", nominatim_url=address)
        with pytest.raises(MapServiceError, match="was busy 3 times"):
            import_place("Small Town", service=service)
        assert len(asked) == 4


def test_importing_the_module_is_light() -> None:
    program = (
        "import sys, geodata.osm_import, geodata.artifacts; "
        "print([m for m in ('osmnx', 'networkx', 'osmium', 'geopandas', 'pandas', 'requests') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": "."},
    )
    assert done.stdout.strip() == "[]"


def test_a_file_whose_restrictions_are_all_left_out_does_not_claim_to_have_none(
    tmp_path: Path,
) -> None:
    text = with_restrictions().replace("no_left_turn", "no_left_turn @ (Mo-Fr)")
    text = text.replace('ref="21" role="to"', 'ref="99" role="to"').replace("(Mo-Fr 07", "(Ju 07")
    source = import_osm_file(write_osm(tmp_path / "town.osm", text)).source
    assert source.notes == ()
    assert dict(source.dropped)["turn restrictions of a kind not read"] == 1
