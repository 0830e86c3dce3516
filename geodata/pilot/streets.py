"""The built-in street network: the tables of corners and streets as `RawStreets` and network.

What lives here: the way from the rows of `tables` to the one form every source takes. It is a
schematic: straight lines between corners, each crossing once, drawn from facts; not a survey.
"""

from typing import Final

import numpy as np

from geodata.network import KMH_PER_MPH, Source, StreetFlag, StreetNetwork
from geodata.osm_tags import CONTROLLED_CLASSES
from geodata.pilot.tables import Corner, StreetRow, read_street_rows
from geodata.raw_streets import RawStreets, RawWay
from geodata.street_build import build_network

NETWORK_ID: Final = "pilot-schematic-1"
SOURCE: Final = Source(
    network_id=NETWORK_ID,
    description="Schematic street network of the pilot area, drawn from facts; not a survey",
    kind="TABLE",
    extract_date=None,
    licence="ODbL 1.0 (facts from OpenStreetMap contributors)",
    schematic=True,
    notes=(
        "Positions, directions, limits and signals were looked up in OpenStreetMap.",
        "Straight lines between corners; both sides of a divided street are one line.",
        "Of the freeways only what leads from one part of the area to another.",
        "No alleys, lanes reserved for buses, bans on turns, nor what changes with the hour.",
    ),
)


def pilot_network() -> StreetNetwork:
    """Return the built-in street network of the pilot area."""
    return build_network(pilot_raw_streets())


def pilot_raw_streets() -> RawStreets:
    """Return the built-in tables in the form that every source of streets takes.

    The id of a node is its corner's line in `corners.csv`, that of a way its line in `streets.csv`.

    Raises
    ------
    StreetFileError
        A line of the tables that cannot be understood.
    """
    return raw_streets(read_street_rows())


def raw_streets(rows: tuple[StreetRow, ...]) -> RawStreets:
    """Return the rows of a table of streets in the form that every source takes."""
    corners: dict[int, Corner] = {corner.line: corner for row in rows for corner in row.corners}
    ordered = [corners[line] for line in sorted(corners)]
    return RawStreets(
        source=SOURCE,
        node_id=np.array([corner.line for corner in ordered], np.int64),
        node_lon=np.array([corner.lon for corner in ordered], np.float64),
        node_lat=np.array([corner.lat for corner in ordered], np.float64),
        node_control=np.array([corner.control for corner in ordered], np.uint8),
        ways=tuple(_way(row) for row in rows),
    )


def _way(row: StreetRow) -> RawWay:
    limit_kmh = None if row.limit_mph is None else row.limit_mph * KMH_PER_MPH
    flags = StreetFlag.CONTROLLED if row.road_class in CONTROLLED_CLASSES else StreetFlag(0)
    return RawWay(
        way_id=row.line,
        node_ids=tuple(corner.line for corner in row.corners),
        name=row.street,
        road_class=row.road_class,
        direction=row.direction,
        limit_along_kmh=limit_kmh,
        limit_against_kmh=limit_kmh,
        flags=flags | StreetFlag.TUNNEL if row.tunnel else flags,
    )
