"""A whole coverage study on Seattle's streets, with closures, equals scipy's Dijkstra.

From the files: scenario, OSM extract, closures drawn on the map, past calls. The oracle knows the
streets and the weights alone; which edges are closed it takes from the streets that were drawn.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from api.impact.judging import tell_nobody
from benchmarks.studies.coverage.study import measure, tables_of
from benchmarks.studies.demand import Calls
from benchmarks.studies.demand_making import calls_of, only
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.tables import Table
from benchmarks.studies.world import World
from benchmarks.studies.world_making import world_of
from geodata.driving_time import ROUTINE, UNREACHABLE_MS, edge_times
from geodata.network import NO_EDGE, StreetNetwork
from geodata.snap import NO_STREET, Position
from routing.codes import Agency
from routing.coverage import incident_streets
from tests.builders import position_on
from tests.routing.closed_dijkstra import ClosedDijkstra

N_CALLS = 120 if os.environ.get("TANDEM_STUDIES") == "long" else 60
N_STREETS = 400 if os.environ.get("TANDEM_STUDIES") == "long" else 60
HOUR = 37
DELAY_MS = {Agency.CARE: 120_000, Agency.SPD: 80_000}
"""Turnout of each kind, and a minute to start and park."""
SCENARIO = """
name = "Closures on Seattle's streets"
[streets]
network = "${TANDEM_DATA}/network/seattle_pilot_area_2026-07-18.osm.gz"
closures = "closures.geojson"
[units.CARE]
count = 2
posts = "pilot"
[units.SPD]
count = 4
posts = "pilot"
[demand.care]
calls = "${TANDEM_DATA}/calls/spd_911_incident_response_2015.csv.gz"
call_types = ["DOWN - CHECK FOR PERSON DOWN"]
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Real:
    """A study of real streets, with and without closures."""

    calls: Calls
    network: StreetNetwork
    streets: list[int]
    """That are drawn as closed."""
    units: dict[Agency, list[Position]]
    tables: dict[str, Table]
    unclosed: dict[str, Table]
    """Of the same study without closures."""
    oracle: ClosedDijkstra


def some_streets(network: StreetNetwork, calls: Calls) -> list[int]:
    """Return streets to be closed: of calls, around posts, and others anywhere."""
    rng = np.random.default_rng(5)
    can = incident_streets(network)
    of_calls = np.intersect1d(calls.positions.street, can)
    return sorted({*rng.choice(of_calls, 12).tolist(), *rng.choice(can, 80).tolist()})


def middle(network: StreetNetwork, street: int) -> list[float]:
    """Return the point half-way along a street, by its line alone."""
    line = shapely.LineString(network.street_line(street))
    return list(line.interpolate(0.5, normalized=True).coords[0])


def drawn(network: StreetNetwork, streets: list[int]) -> str:
    """Return closures as GeoJSON: a point on each street."""
    features = [
        {
            "type": "Feature", "properties": {"name": f"street {street}"},
            "geometry": {"type": "Point", "coordinates": middle(network, street)},
        }
        for street in streets
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features})


def near(calls: Calls) -> Calls:
    """Return calls on the streets of the extract, spread over them."""
    rows = np.flatnonzero(calls.positions.street != NO_STREET)
    chosen = np.random.default_rng(6).choice(rows, min(N_CALLS, len(rows)), replace=False)
    return only(calls, np.isin(np.arange(len(calls)), chosen))


@pytest.fixture(scope="module")
def real(tandem_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Real:
    folder = tmp_path_factory.mktemp("real")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANDEM_DATA", str(tandem_data))
        plain = folder / "open.toml"
        plain.write_text(SCENARIO.replace('closures = "closures.geojson"\n', ""))
        unclosed = world_of(read_scenario(plain))
        calls = calls_of(unclosed, "CARE", 1)
        network = unclosed.network
        streets = some_streets(network, near(calls))
        (folder / "closures.geojson").write_text(drawn(network, streets))
        closed = folder / "closed.toml"
        closed.write_text(SCENARIO)
        world = world_of(read_scenario(closed))
    calls = near(calls)
    flags = np.zeros(network.n_edges, np.bool_)
    for column in (network.street_along, network.street_against):
        edges = column[streets]
        flags[edges[edges != NO_EDGE]] = True
    weights = edge_times(network, ROUTINE, hour=HOUR, closed_edges=flags, closure_id="drawn")
    return Real(
        calls=calls, streets=streets, network=network,
        tables=tables_of(measure(world, calls, tell_nobody)),
        unclosed=tables_of(measure(unclosed, calls, tell_nobody)),
        oracle=ClosedDijkstra(network, weights), units=places_of(world),
    )  # fmt: skip


def places_of(world: World) -> dict[Agency, list[Position]]:
    return {
        agency: [at[row] for row in range(len(at))] for agency, at in world.post_positions.items()
    }


def expected(real: Real, agency: Agency, places: Sequence[Position]) -> NDArray[np.float64]:
    """Return (n,) seconds of an agency's arrival by the oracle, NaN for never."""
    best = [real.oracle.to_incident(place, real.units[agency]).min() for place in places]
    ms = np.array(best, np.float64)
    return np.where(ms < UNREACHABLE_MS, (ms + DELAY_MS[agency]) / 1000, np.nan)


def test_the_arrival_at_every_call_equals_dijkstra(real: Real) -> None:
    places = [real.calls.positions[row] for row in range(len(real.calls))]
    found = real.tables["coverage_calls"].columns
    care, spd = (expected(real, agency, places) for agency in Agency)
    np.testing.assert_array_equal(found["care_s"], care)
    np.testing.assert_array_equal(found["spd_s"], spd)
    np.testing.assert_array_equal(found["pair_s"], np.maximum(care, spd))
    assert any(real.oracle.inside_m(place) > 0 for place in places), "no call inside a closure"


def test_the_shares_of_the_calls_in_the_zone_are_those_of_the_oracle(real: Real) -> None:
    places = [real.calls.positions[row] for row in range(len(real.calls))]
    zone = real.tables["coverage_calls"].columns["zone"] != ""
    pair = np.maximum(*(expected(real, agency, places) for agency in Agency))[zone]
    overall = real.tables["coverage_overall"].columns
    (row,) = np.flatnonzero((overall["of"] == "calls") & (overall["unit"] == "PAIR")
                            & (overall["area"] == "(zones)"))  # fmt: skip
    assert overall["amount"][row] == len(pair) > 0
    for limit_min in (5, 8, 10, 13, 15):
        share = overall[f"within_{limit_min}_min_share"][row]
        assert share == pytest.approx(np.mean(pair <= 60 * limit_min), abs=1e-12)
    assert overall["p50_s"][row] == np.quantile(pair, 0.5, method="inverted_cdf")


def test_the_surface_at_the_middle_of_streets_equals_dijkstra(real: Real) -> None:
    """Open streets, streets that are closed, and those beside them."""
    table = real.tables["surface_by_street"].columns
    rng = np.random.default_rng(7)
    n = len(table["street"])
    closed = np.isin(table["street"], real.streets)
    rows = [*rng.choice(np.flatnonzero(~closed), N_STREETS).tolist(),
            *rng.choice(np.flatnonzero(closed), N_STREETS // 3).tolist()]  # fmt: skip
    assert n == len(incident_streets(real.network))
    places = [position_on(real.network, table["street"].item(row), 0.5) for row in rows]
    for agency in Agency:
        wanted = expected(real, agency, places)
        np.testing.assert_array_equal(table[f"{agency.lower()}_s"][rows], wanted)


def test_the_closures_bite(real: Real) -> None:
    """The twin: the same study without them is told apart by the same figures."""
    with_closures, without = (
        found["coverage_calls"].columns["pair_s"] for found in (real.tables, real.unclosed)
    )
    assert (with_closures > without).any()
    assert not (with_closures < without).any()
