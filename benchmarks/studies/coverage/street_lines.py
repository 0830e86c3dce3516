"""Tables with lines: isochrones that follow streets, and the arrival at every street's middle."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from api.impact.reach import PAIR
from benchmarks.studies.coverage.arrivals import ALL, Arrivals, middles
from benchmarks.studies.coverage.coverage_tables import seconds_of
from benchmarks.studies.coverage.hours import in_words
from benchmarks.studies.tables import Table, texts
from benchmarks.studies.world import NO_AREA, World
from geodata.network import RoadClass
from routing.codes import Agency
from routing.coverage import (
    Pieces,
    PieceTimes,
    cut_streets,
    cuts_at,
    incident_streets,
    isochrone,
    metres_within,
    middle_points,
)

DIGITS: Final = 7
"""Of degrees: a centimetre."""


def isochrone_table(arrivals: Arrivals, hour: int, isochrones_s: Sequence[float]) -> Table:
    """Return the streets that each kind reaches within each time, as lines that end part-way."""
    network = arrivals.times.network
    posts = [cuts_at(surface) for surface in arrivals.surfaces.values()]
    pieces = cut_streets(network, incident_streets(network), *posts)
    times = arrivals.over(pieces)
    wanted = [(limit_s, kind) for limit_s in isochrones_s for kind in ALL]
    shapes = [_lines(pieces, times[kind], 1000.0 * limit_s) for limit_s, kind in wanted]
    metres = [metres_within(pieces, times[kind], 1000.0 * x).sum() for x, kind in wanted]
    columns: dict[str, NDArray[Any]] = {
        "unit": texts([kind for _, kind in wanted]),
        "minutes": np.array([limit_s / 60 for limit_s, _ in wanted]),
        "reached_km": np.array(metres) / 1000,
    }
    said = (
        "Streets on which an incident can be, in all that is loaded and not in the zones alone. "
        "Lines end where the time ends, part-way along a street: no hull, and nothing over water. "
        f"Units on duty and drive times of {in_words(hour)}. Streets that closures close or cut "
        "off count as never reached."
    )
    definitions = {
        "unit": "CARE, SPD, or PAIR: streets that both reach within the time.",
        "minutes": "From dispatch.",
        "reached_km": "Kilometres of these lines.",
    }
    return Table(
        name="isochrones", title="Isochrones along streets", columns=columns,
        definitions=definitions, geometry=shapes, notes=(said,),
    )  # fmt: skip


def _lines(pieces: Pieces, kinds: tuple[PieceTimes, ...], ms: float) -> shapely.MultiLineString:
    lines = (np.round(line, DIGITS) for line in isochrone(pieces, kinds, ms))
    return shapely.MultiLineString([line for line in lines if (line != line[0]).any()])


def street_table(world: World, arrivals: Arrivals, hour: int) -> Table:
    """Return the arrival in the middle of every street."""
    network = world.network
    streets = incident_streets(network)
    at = arrivals.at(middles(network, streets))
    lon, lat = middle_points(cut_streets(network, streets))
    zones = world.areas["zone"]
    number = zones.number_at(lon, lat)
    care, spd = (seconds_of(at[kind]) for kind in (Agency.CARE, Agency.SPD))
    columns: dict[str, NDArray[Any]] = {
        "street": streets.astype(np.int64),
        "way_id": network.street_way_id[streets],
        "name": texts([network.name_of(street) for street in streets.tolist()]),
        "road_class": texts([RoadClass(c).name for c in network.street_class[streets].tolist()]),
        "zone": texts(["" if k == NO_AREA else zones.names[k] for k in number.tolist()]),
        "length_m": network.street_length_m[streets],
        "care_s": care, "spd_s": spd, "pair_s": seconds_of(at[PAIR]), "gap_s": care - spd,
    }  # fmt: skip
    definitions = {
        "street": "Number of the street in the network: a line between two junctions.",
        "way_id": "Of the source, OpenStreetMap's way where the network was made of it.",
        "name": "Name of the street, empty where it has none.",
        "road_class": "OpenStreetMap's highway value.",
        "zone": "In which its middle lies; empty for none.",
        "length_m": "Metres along the street.",
        "care_s": "Arrival of CARE in the middle of the street, seconds from dispatch; empty where "
        "none comes.",
        "spd_s": "The same of SPD.", "pair_s": "When both are there.",
        "gap_s": "CARE's arrival minus SPD's: above 0 CARE comes later.",
    }  # fmt: skip
    shapes = [
        shapely.LineString(np.round(network.street_line(street), DIGITS))
        for street in streets.tolist()
    ]
    return Table(
        name="surface_by_street", title="Arrival at every street", columns=columns,
        definitions=definitions, geometry=shapes,
        notes=(f"Units on duty and drive times of {in_words(hour)}.",),
    )  # fmt: skip
