"""Writes the same streets as OSM XML, PBF and OSMnx GraphML, and serves them as map services do."""

import gzip
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from xml.etree import ElementTree as ET

import osmium
import osmnx

from geodata.osm_tags import NODE_TAGS, WAY_TAGS

HEADER = '<osm version="0.6" generator="Overpass API" timestamp="2026-07-18T20:27:45Z">'

SMALL_TOWN = f"""<?xml version="1.0" encoding="UTF-8"?>
{HEADER}
<node id="1" lat="47.600" lon="-122.340"/>
<node id="2" lat="47.600" lon="-122.338"><tag k="highway" v="traffic_signals"/></node>
<node id="3" lat="47.600" lon="-122.336"/>
<node id="4" lat="47.602" lon="-122.340"/>
<node id="5" lat="47.602" lon="-122.338"><tag k="highway" v="stop"/><tag k="stop" v="all"/></node>
<node id="6" lat="47.602" lon="-122.336"/>
<node id="7" lat="47.601" lon="-122.3381">
 <tag k="highway" v="stop"/><tag k="direction" v="backward"/></node>
<node id="8" lat="47.6019" lon="-122.3399"><tag k="highway" v="stop"/></node>
<node id="9" lat="47.604" lon="-122.338"/>
<node id="10" lat="47.604" lon="-122.336"/>
<node id="11" lat="47.603" lon="-122.3361"/>
<node id="12" lat="47.699" lon="-122.336"/>
<way id="20"><nd ref="1"/><nd ref="2"/><nd ref="3"/>
 <tag k="highway" v="secondary"/><tag k="name" v="Pine Street"/><tag k="maxspeed" v="25 mph"/></way>
<way id="21"><nd ref="6"/><nd ref="5"/><nd ref="4"/><tag k="maxspeed:forward" v="20 mph"/>
 <tag k="highway" v="residential"/><tag k="name" v="Olive Way"/><tag k="oneway" v="-1"/></way>
<way id="22"><nd ref="2"/><nd ref="7"/><nd ref="5"/><tag k="highway" v="tertiary"/>
 <tag k="name" v="Łódź Ave &amp; Co"/></way>
<way id="23"><nd ref="4"/><nd ref="8"/><nd ref="1"/><tag k="highway" v="residential"/></way>
<way id="24"><nd ref="6"/><nd ref="3"/><tag k="highway" v="primary"/><tag k="bridge" v="yes"/>
 <tag k="maxspeed" v="30;20 mph"/></way>
<way id="25"><nd ref="6"/><nd ref="11"/><nd ref="10"/><tag k="highway" v="motorway_link"/>
 <tag k="oneway" v="reversible"/></way>
<way id="26"><nd ref="10"/><nd ref="9"/><nd ref="5"/><tag k="highway" v="unclassified"/>
 <tag k="oneway" v="yes"/></way>
<way id="27"><nd ref="9"/><nd ref="10"/><tag k="highway" v="footway"/></way>
<way id="28"><nd ref="9"/><nd ref="4"/><tag k="highway" v="residential"/>
 <tag k="access" v="no"/></way>
</osm>
"""

RESTRICTIONS = """
<relation id="90"><member type="way" ref="30" role="from"/><member type="node" ref="2" role="via"/>
 <member type="way" ref="22" role="to"/><tag k="type" v="restriction"/>
 <tag k="restriction" v="no_left_turn"/></relation>
<relation id="91"><member type="way" ref="22" role="from"/><member type="way" ref="20" role="via"/>
 <member type="way" ref="30" role="to"/><tag k="type" v="restriction"/>
 <tag k="restriction" v="no_u_turn"/></relation>
<relation id="92"><member type="way" ref="22" role="from"/><member type="node" ref="2" role="via"/>
 <tag k="type" v="restriction"/><tag k="restriction" v="no_entry"/></relation>
<relation id="93"><member type="way" ref="22" role="from"/><member type="node" ref="2" role="via"/>
 <member type="way" ref="20" role="to"/><tag k="type" v="restriction"/>
 <tag k="restriction" v="no_right_turn"/><tag k="except" v="motorcar"/></relation>
<relation id="94"><member type="way" ref="30" role="from"/><member type="way" ref="22" role="via"/>
 <member type="way" ref="21" role="to"/><tag k="type" v="restriction"/>
 <tag k="restriction" v="no_right_turn"/></relation>
<relation id="95"><member type="way" ref="24" role="from"/><member type="node" ref="3" role="via"/>
 <member type="way" ref="20" role="to"/><tag k="type" v="restriction"/>
 <tag k="restriction:conditional" v="no_right_turn @ (Mo-Fr 07:00-09:00,16:00-18:00)"/></relation>
<relation id="96"><member type="way" ref="24" role="from"/><member type="node" ref="3" role="via"/>
 <member type="way" ref="20" role="to"/><tag k="type" v="restriction"/>
 <tag k="restriction:conditional" v="no_right_turn @ (wet)"/></relation>
</osm>"""


def with_restrictions(town: str = SMALL_TOWN) -> str:
    """Return the town with Pine Street split at its signal and restrictions there."""
    halves = town.replace(
        '<way id="20"><nd ref="1"/><nd ref="2"/><nd ref="3"/>',
        '<way id="30"><nd ref="1"/><nd ref="2"/><tag k="highway" v="secondary"/>'
        '<tag k="name" v="Pine Street"/><tag k="maxspeed" v="25 mph"/></way>'
        '<way id="20"><nd ref="2"/><nd ref="3"/>',
    )
    return halves.replace("</osm>", RESTRICTIONS)


def write_osm(path: Path, text: str = SMALL_TOWN) -> Path:
    """Write OSM XML, packed where the name ends in `.gz`."""
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)
    return path


def osm_to_pbf(source: Path, target: Path, stamp: str = "2026-07-18T20:27:45Z") -> Path:
    """Write the same elements as PBF."""
    header = osmium.io.Header()
    header.set("osmosis_replication_timestamp", stamp)
    with osmium.SimpleWriter(str(target), header=header) as writer:
        for element in osmium.FileProcessor(str(source)):
            writer.add(element)
    return target


@contextmanager
def osmnx_settings(*, all_oneway: bool = True, ours: bool = True) -> Iterator[None]:
    """Make OSMnx keep the tags that we read, as `import_graphml` says; undone at the end."""
    names = ("all_oneway", "useful_tags_way", "useful_tags_node")
    before = [getattr(osmnx.settings, name) for name in names]
    osmnx.settings.all_oneway = all_oneway
    if ours:
        osmnx.settings.useful_tags_way = list(WAY_TAGS)
        osmnx.settings.useful_tags_node = list(NODE_TAGS)
    try:
        yield
    finally:
        for name, value in zip(names, before, strict=True):
            setattr(osmnx.settings, name, value)


def osm_to_graphml(
    source: Path, target: Path, *, all_oneway: bool = True, simplify: bool = False
) -> Path:
    """Write the same streets as OSMnx saves them."""
    with osmnx_settings(all_oneway=all_oneway):
        graph = osmnx.graph_from_xml(source, simplify=simplify, retain_all=True)
        osmnx.save_graphml(graph, target)
    return target


def overpass_json(text: str) -> dict[str, Any]:
    """Return what Overpass would answer for all of this OSM XML."""
    elements: list[dict[str, Any]] = []
    for element in ET.fromstring(text):
        row: dict[str, Any] = {"type": element.tag, "id": int(element.attrib["id"])}
        if element.tag == "node":
            row |= {key: float(element.attrib[key]) for key in ("lat", "lon")}
        row |= {"nodes": [int(nd.attrib["ref"]) for nd in element.iter("nd")]}
        row |= {"tags": {tag.attrib["k"]: tag.attrib["v"] for tag in element.iter("tag")}}
        elements.append(row)
    elements = [row for row in elements if row["type"] != "relation"]
    return {"osm3s": {"timestamp_osm_base": "2026-07-18T20:27:45Z"}, "elements": elements}


def outline(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """Return a Nominatim result for a box."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "place_id": 1,
        "osm_type": "relation",
        "osm_id": 1,
        "lat": str((south + north) / 2),
        "lon": str((west + east) / 2),
        "class": "boundary",
        "type": "administrative",
        "importance": 0.5,
        "name": "Small Town",
        "display_name": "Small Town",
        "boundingbox": [str(south), str(north), str(west), str(east)],
        "geojson": {"type": "Polygon", "coordinates": [ring]},
    }


@contextmanager
def map_service(
    osm_text: str, places: list[dict[str, Any]], status: int = 200
) -> Iterator[tuple[str, list[str]]]:
    """Serve Overpass and Nominatim on a free port of 127.0.0.1; yield address and asked paths."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self, body: object) -> None:
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status if "status" not in self.path else 200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            asked.append(re.sub(r"\?.*", "", self.path))
            slots = "Connected as: 1\nCurrent time: now\nAnnounced\nRate limit: 2\n2 slots now.\n"
            self.answer(slots if self.path.endswith("/status") else places)

        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(overpass_json(osm_text))

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
