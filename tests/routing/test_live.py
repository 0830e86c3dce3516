"""Units move and weights change while others read: every answer is right for what it names."""

import threading

import numpy as np
import pytest

from geodata.driving_time import ROUTINE, EdgeTimes, edge_times
from geodata.network import StreetNetwork
from geodata.snap import Position, StreetIndex
from geodata.zones import ZoneMap
from routing.live import with_roster, with_weights
from routing.model import (
    PILOT,
    Agency,
    Fix,
    Situation,
    Status,
    Unit,
    UnitColumns,
    UnitId,
    place_units,
    unit_columns,
)
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes
from tests.routing.closed_dijkstra import ClosedDijkstra, Whole
from tests.routing.test_road_hierarchy import grid

N_CHANGES = 24
N_UNITS = 40


def seeded_roster(network: StreetNetwork, version: int) -> UnitColumns:
    """Return units at places that depend on the version, which each of them carries."""
    rng = np.random.default_rng(version)
    west, south, east, north = network.bounds
    lon, lat = rng.uniform(west, east, N_UNITS), rng.uniform(south, north, N_UNITS)
    return unit_columns(
        Unit(
            unit_id=UnitId(f"U{i:03d}"),
            agency=Agency.SPD,
            status=Status.AVAILABLE,
            version=version,
            position=Fix(lon=float(lon[i]), lat=float(lat[i])),
        )
        for i in range(N_UNITS)
    )


def seeded_weights(network: StreetNetwork, number: int) -> EdgeTimes:
    """Return the weights of an hour with its own closures."""
    closed = np.random.default_rng(number).random(network.n_edges) < 0.02
    return edge_times(network, ROUTINE, closed_edges=closed, closure_id=str(number))


def first_situation(network: StreetNetwork) -> Situation:
    times = TravelTimes(network, *build_hierarchy(network), seeded_weights(network, 0))
    streets, roster = StreetIndex.build(network), seeded_roster(network, 0)
    return Situation(
        network=network,
        streets=streets,
        travel_times=times,
        zones=ZoneMap([]),
        policy=PILOT,
        roster=roster,
        placement=place_units(roster, network=network, streets=streets, travel_times=times),
    )


Answer = tuple[str, int, Position, list[int]]


class Desk:
    """One reference to a situation, one writer and any number of readers."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.done = threading.Event()
        self.answered = threading.Event()
        self.answers: list[Answer] = []

    def write(self) -> None:
        network = self.situation.network
        for number in range(1, N_CHANGES + 1):
            if number % 2:
                changed = with_weights(self.situation, seeded_weights(network, number))
            else:
                changed = with_roster(self.situation, seeded_roster(network, number))
            self.situation = changed
            self.answered.clear()
            assert self.answered.wait(timeout=20)
        self.done.set()

    def read(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        west, south, east, north = self.situation.network.bounds
        while not self.done.is_set():
            now = self.situation
            incident = now.streets.snap_incident(rng.uniform(west, east), rng.uniform(south, north))
            assert now.travel_times is not None
            assert now.placement.labels is not None
            found = now.travel_times.drive_ms(now.placement.labels, incident)
            version = int(now.roster.version[0])
            self.answers.append((now.travel_times.weights_id, version, incident, found.tolist()))
            self.answered.set()


def wrong_answers(desk: Desk) -> list[Answer]:
    """Return the answers that differ from Dijkstra on the weights and the roster they name."""
    network, streets = desk.situation.network, desk.situation.streets
    weights = {w.weights_id: w for w in (seeded_weights(network, k) for k in range(N_CHANGES + 1))}
    whole = Whole.of(network, seeded_weights(network, 0))
    oracles = {name: ClosedDijkstra(network, each, whole) for name, each in weights.items()}
    wrong = []
    for answer in desk.answers[:: max(1, len(desk.answers) // 150)]:
        name, version, incident, found = answer
        placed = place_units(
            seeded_roster(network, version), network=network, streets=streets, travel_times=None
        )
        if oracles[name].to_incident(incident, list(placed.positions)).tolist() != found:
            wrong.append(answer)
    return wrong


def interleave(network: StreetNetwork) -> Desk:
    desk = Desk(first_situation(network))
    threads = [threading.Thread(target=desk.write)]
    threads += [threading.Thread(target=desk.read, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    return desk


def test_moves_weights_and_reads_interleaved_on_a_grid_equal_dijkstra() -> None:
    desk = interleave(grid(40))
    assert len({(name, version) for name, version, _, _ in desk.answers}) > 3
    assert wrong_answers(desk) == []


def test_moves_weights_and_reads_interleaved_on_seattle_equal_dijkstra(
    seattle: StreetNetwork,
) -> None:
    desk = interleave(seattle)
    assert len({(name, version) for name, version, _, _ in desk.answers}) > 10
    assert wrong_answers(desk) == []


def test_labels_of_other_weights_are_refused() -> None:
    """The known-bad twin: labels kept over a change of weights."""
    before = first_situation(grid(6))
    after = with_weights(before, seeded_weights(before.network, 1))
    incident = before.streets.snap_incident(*before.network.bounds[:2])
    assert after.travel_times is not None
    assert before.placement.labels is not None
    with pytest.raises(AssertionError, match="other weights"):
        after.travel_times.drive_ms(before.placement.labels, incident)


def test_what_a_reader_holds_does_not_change() -> None:
    before = first_situation(grid(6))
    columns = [before.placement.positions.street.tobytes(), before.roster.lon.tobytes()]
    reweighed = with_weights(before, seeded_weights(before.network, 1))
    after = with_roster(reweighed, seeded_roster(before.network, 2))
    assert columns == [before.placement.positions.street.tobytes(), before.roster.lon.tobytes()]
    assert after.placement.positions.street.tobytes() != columns[0]
