"""Closed streets: who is inside drives out, calls inside are reached from the nearest open end."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from geodata.driving_time import EMERGENCY, ROUTINE, UNREACHABLE_MS, edge_times
from geodata.network import StreetNetwork
from geodata.snap import Position, Positions, StreetIndex, Way
from routing.answer import Recommendation
from routing.model import Fix, Location
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes
from tests.builders import (
    network_from_edges,
    position_on,
    random_bans,
    with_random_paths,
)
from tests.mutants import Mutant, NotNoticed, bites
from tests.reliability.lengths import length
from tests.routing.closed_dijkstra import Whole
from tests.routing.closing import mismatches
from tests.routing.situations import NOON, call, decide, unit
from tests.street_drawing import StreetMap, draw

TOWN = "A---B---C---D\n|   |   |   |\nE---F---G---H"
"""Blocks of 100 m that take 11 s each."""
BLOCK_MS = 11_000


def times_in(town: StreetMap, *closed: str, both: bool = True) -> TravelTimes:
    """Return drive times with streets closed that are named by their letters."""
    shut = np.zeros(town.network.n_edges, bool)
    for letters in closed:
        shut[[town.edge(letters), town.edge(letters[::-1])] if both else town.edge(letters)] = True
    weights = edge_times(town.network, ROUTINE, closed_edges=shut, closure_id="x")
    return TravelTimes(town.network, *build_hierarchy(town.network), weights)


def on(town: StreetMap, letters: str, fraction: float, leaves: int = 3) -> Position:
    place = position_on(town.network, town.street(letters), fraction)
    return replace(place, leaves=place.leaves & leaves)


def ms(times: TravelTimes, unit_at: Position, call_at: Position) -> int:
    """Return the drive, of which the route must say the same."""
    labels = times.unit_labels(Positions.of(unit_at))
    found = int(times.drive_ms(labels, call_at)[0])
    route = times.route_to(labels, 0, times.incident_label(call_at))
    assert (UNREACHABLE_MS if route is None else route.ms) == found
    return found


# -- maps that can be checked by eye --------------------------------------------------------------


def test_nobody_drives_through_a_closed_street() -> None:
    town = draw(TOWN)
    start, goal = on(town, "AB", 0.5), on(town, "CD", 0.5)
    assert ms(times_in(town), start, goal) == 2 * BLOCK_MS
    assert ms(times_in(town, "BC"), start, goal) == 4 * BLOCK_MS


def test_a_unit_on_a_closed_street_drives_out_by_the_end_that_suits_it() -> None:
    town = draw(TOWN)
    times = times_in(town, "BC")
    assert ms(times, on(town, "BC", 0.4), on(town, "CD", 0.5)) == round(1.1 * BLOCK_MS)
    assert ms(times, on(town, "BC", 0.4), on(town, "AB", 0.5)) == round(0.9 * BLOCK_MS)


def test_a_call_on_a_closed_street_is_reached_from_its_nearest_open_end() -> None:
    """From C it would be 1.1 blocks; the nearer end is B, three blocks away."""
    town = draw(TOWN)
    times, call_at = times_in(town, "BC"), on(town, "BC", 0.4)
    assert ms(times, on(town, "CD", 0.5), call_at) == round(3.9 * BLOCK_MS)
    assert times.incident_label(call_at).inside_m == pytest.approx(40, abs=0.1)
    assert times.incident_label(on(town, "AB", 0.4)).inside_m == 0


def test_the_way_along_a_closed_stretch_that_both_are_on_competes() -> None:
    town = draw(TOWN)
    times = times_in(town, "AB", "BC", "CD")
    assert ms(times, on(town, "CD", 0.2), on(town, "BC", 0.6)) == round(0.6 * BLOCK_MS)
    assert ms(times, on(town, "BC", 0.2), on(town, "BC", 0.6)) == round(0.4 * BLOCK_MS)


def test_one_way_streets_are_one_way_inside_too() -> None:
    town = draw("A---B-->C---D\n|   |   |   |\nE---F---G---H")
    times, call_at = times_in(town, "BC", both=False), on(town, "BC", 0.9)
    assert times.incident_label(call_at).inside_m == pytest.approx(90, abs=0.1)
    assert ms(times, on(town, "CD", 0.5), call_at) == round(4.4 * BLOCK_MS)


def test_a_street_closed_in_one_direction_is_used_in_the_other() -> None:
    town = draw(TOWN)
    times, place = times_in(town, "BC", both=False), on(town, "BC", 0.4)
    assert times.incident_label(place).inside_m == 0
    assert ms(times, on(town, "AB", 0.5), place) == round(4.1 * BLOCK_MS)
    assert ms(times, place, on(town, "CD", 0.5)) == round(3.9 * BLOCK_MS)
    assert ms(times, on(town, "BC", 0.4, Way.ALONG), on(town, "CD", 0.5)) == round(1.1 * BLOCK_MS)


def test_streets_that_closures_cut_off_are_reached_over_what_is_closed() -> None:
    town = draw("A---B---C---D\n|   |       |\nE---F       H")
    times = times_in(town, "BC")
    assert times.incident_label(on(town, "CD", 0.5)).inside_m == pytest.approx(100, abs=0.1)
    assert ms(times, on(town, "AB", 0.5), on(town, "CD", 0.5)) == 2 * BLOCK_MS
    assert ms(times, on(town, "DH", 0.5), on(town, "AB", 0.5)) == 3 * BLOCK_MS
    assert ms(times, on(town, "DH", 0.5), on(town, "CD", 0.5)) == BLOCK_MS


def test_emergency_traffic_passes_where_it_alone_may() -> None:
    town = draw(TOWN)
    routine = times_in(town, "BC")
    weights = edge_times(town.network, EMERGENCY, closed_edges=np.zeros(town.network.n_edges, bool))
    urgent = routine.reweighed(weights)
    assert ms(urgent, on(town, "AB", 0.5), on(town, "CD", 0.5)) < 2 * BLOCK_MS
    assert urgent.incident_label(on(town, "BC", 0.4)).inside_m == 0


def answer_in(
    town: StreetMap, units_at: tuple[str, float], call_at: tuple[str, float]
) -> Recommendation:
    """Return the answer for a pair at one place while BC is closed."""
    lon, lat = town.position(*units_at)
    at, fresh = town.position(*call_at), NOON - timedelta(seconds=5)
    answer: Recommendation = decide(
        [unit(name, Fix(lon=lon, lat=lat, fixed_at=fresh)) for name in ("C1", "S1")],
        call(location=Location(lon=at[0], lat=at[1])),
        network=town.network,
        streets=StreetIndex.build(town.network),
        travel_times=times_in(town, "BC"),
    )
    return answer


def test_units_that_drive_out_are_named_and_arrive_when_they_do() -> None:
    answer = answer_in(draw(TOWN, block_m=200.0), ("BC", 0.4), ("CD", 0.5))
    said = [w.detail for w in answer.warnings if w.code == "INSIDE_CLOSURE"]
    assert [text.partition(":")[0] for text in said] == ["C1", "S1"]
    assert {a.drive_m for a in answer.assign} == {220}
    assert answer.assign[1].arrive_s == 60 + 60 + round(2.2 * 11)


def test_an_answer_arrives_stages_and_draws_over_the_nearest_open_end() -> None:
    town = draw(TOWN, block_m=200.0)
    answer = answer_in(town, ("CD", 0.5), ("BC", 0.4))
    care = answer.assign[1]
    said = [(w.path, w.detail) for w in answer.warnings if w.code == "INSIDE_CLOSURE"]
    assert said[0][0] == "/incident/location"
    assert " 80 m " in said[0][1]
    assert care.drive_m == pytest.approx(780, abs=2)
    assert care.arrive_s == 60 + 60 + round(7.8 * 11)
    begin = town.position("FB", 1 - 70 / 200)
    assert (care.stage.lon, care.stage.lat) == pytest.approx(begin, abs=3e-5)


def test_a_surface_from_a_closed_street_and_to_one_agree_with_drives() -> None:
    town = draw(TOWN)
    times, place = times_in(town, "BC"), on(town, "BC", 0.4)
    out, into = times.ms_to_junctions(place), times.ms_from_junctions(place)
    a, c, d = (town.junction(letter) for letter in "ACD")
    assert out[a] == pytest.approx(1.4 * BLOCK_MS, abs=1)
    assert out[d] == pytest.approx(1.6 * BLOCK_MS, abs=1)
    assert into[c] == pytest.approx(3.4 * BLOCK_MS, abs=1)


# -- against Dijkstra on the edited graph --------------------------------------------------------


def random_town(seed: int) -> StreetNetwork:
    """Return a ring with chords, one in two streets one-way, some with bans of turns and paths."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(30, 70))
    chords = [(int(a), int(b)) for a, b in rng.integers(0, n, (n, 2)) if a != b]
    ends = [*((i, (i + 1) % n) for i in range(n)), *chords]
    network = network_from_edges(
        rng.random((n, 2)) * 0.01, [(a, b, bool(rng.random() < 0.6)) for a, b in ends]
    )
    if seed % 2:
        network = replace(network, banned_turns=random_bans(network, rng, 0.3))
    return with_random_paths(network, rng, 6) if seed % 4 == 3 else network


def wrong_in_towns(count: int) -> list[str]:
    wrong = []
    for seed in range(count):
        network = random_town(seed)
        weights = edge_times(network, ROUTINE)
        base = TravelTimes(network, *build_hierarchy(network), weights)
        whole = Whole.of(network, weights)
        wrong += [
            f"town {seed}, {one}"
            for number in range(4)
            for one in mismatches(network, base, whole, 10 * seed + number)
        ]
    return wrong


def test_random_closures_in_small_towns_equal_dijkstra_on_the_edited_graph() -> None:
    assert wrong_in_towns(length(60, 2000)) == []


MUTANTS = [
    # The end that is nearest in time.
    ("arc_ms + (np.where(closed, mm, 0)[graph.arc_edge] << MM_BITS)", "arc_ms"),
    # A unit inside may go on over closed streets beyond an open end.
    ("spread(self.out, self.drivable, self.arc_ms, seeds, ends)",
     "spread(self.out, self.drivable, self.arc_ms, seeds, ends & False)"),
    # Nobody who is cut off counts as inside.
    ("(leaves | ~once_leaves)[graph.edge_end]", "True"),
    # Streets of the core are part of the stretch that both are on.
    ("stretch=drivable & ~core_edges[graph.arc_edge]", "stretch=drivable"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), MUTANTS)
def test_other_rules_of_closures_are_noticed(old: str, new: str) -> None:
    def check(code: Callable[[str], Any]) -> None:
        assert code("tests.routing.test_closures").wrong_in_towns(12) == []

    bites(Mutant(module="routing.closed_stretch", old=old, new=new), check)


def test_a_change_that_is_none_is_not_noticed() -> None:
    def check(code: Callable[[str], Any]) -> None:
        assert code("tests.routing.test_closures").wrong_in_towns(2) == []

    none = Mutant(module="routing.closed_stretch", old="MM_BITS: Final = 26", new="MM_BITS = 25")
    with pytest.raises(NotNoticed):
        bites(none, check)
