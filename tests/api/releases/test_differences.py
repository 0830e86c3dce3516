"""A comparison of two releases, against points sampled along every street."""

import dataclasses
import random
from collections import Counter
from typing import Any

import numpy as np
import shapely

from api.release_file import read_release
from api.releases.differences import Difference, differences
from geodata.earth import metres_per_degree
from geodata.network import StreetNetwork
from geodata.pilot.area import pilot_release_file
from geodata.pilot.streets import pilot_network
from geodata.zones import Zone, ZoneKind, ZoneMap
from routing.release import Release

STEP_M = 4.0
LAT = 47.61


def rectangle(zone_id: str, rng: random.Random, precedence: int, kind: ZoneKind) -> Zone:
    west, south = -122.345 + 0.02 * rng.random(), 47.598 + 0.015 * rng.random()
    outline = shapely.box(west, south, west + 0.002 + 0.008 * rng.random(), south + 0.006)
    return Zone(
        zone_id=zone_id, name=zone_id, kind=kind, precedence=precedence,
        geometry=shapely.normalize(outline),
    )  # fmt: skip


def release_of(zones: list[Zone]) -> Release:
    built_in = read_release(pilot_release_file())
    return dataclasses.replace(built_in, zones=ZoneMap(zones))


def drawn(seed: int) -> tuple[Release, Release]:
    rng = random.Random(seed)
    kinds = [ZoneKind.BASE, ZoneKind.OVERLAY, ZoneKind.EXCLUDE, ZoneKind.BASE]
    zones = [rectangle(f"Z{n}", rng, 10 * n, kind) for n, kind in enumerate(kinds)]
    moved = [*zones[1:], rectangle("NEW", rng, 15, ZoneKind.BASE)]
    moved[0] = rectangle("Z1", rng, 35, ZoneKind.OVERLAY)
    return release_of(zones), release_of(moved)


def owner(release: Release, lon: float, lat: float) -> str:
    found = release.zones.zones_at(lon, lat)
    return found[0].zone_id if found else ""


def sampled(before: Release, after: Release, network: StreetNetwork) -> Counter[tuple[str, str]]:
    """Return metres that change hands, by asking who wins every few metres of every street."""
    metres: Counter[tuple[str, str]] = Counter()
    scale = np.array(metres_per_degree(LAT))
    for street in range(network.n_streets):
        part = slice(*network.street_point_first[street : street + 2])
        points = np.column_stack((network.point_lon[part], network.point_lat[part]))
        line = shapely.LineString(points * scale)
        n = max(1, int(line.length / STEP_M))
        for k in range(n):
            at = line.interpolate((k + 0.5) / n, normalized=True)
            lon, lat = at.x / scale[0], at.y / scale[1]
            pair = owner(before, lon, lat), owner(after, lon, lat)
            if pair[0] != pair[1]:
                metres[pair] += line.length / n  # type: ignore[assignment]
    return metres


def found_of(found: Difference) -> dict[tuple[str, str], float]:
    return {(one.before, one.after): one.street_m for one in found.handed}


def test_streets_change_hands_as_points_sampled_along_them_do() -> None:
    network = pilot_network()
    for seed in range(4):
        before, after = drawn(seed)
        expected, found = sampled(before, after, network), differences(before, after, network)
        told = found_of(found)
        assert expected.keys() <= told.keys()
        for pair, metres in told.items():
            crossings_m = 8 * STEP_M + 0.02 * expected[pair]
            assert abs(metres - expected[pair]) < crossings_m, (seed, pair)


def test_without_precedence_the_sample_differs() -> None:
    """The known-bad twin: each zone keeps all that lies in its outline."""
    network = pilot_network()
    before, after = drawn(0)
    told = found_of(differences(before, after, network))
    plain = release_of([z for z in after.zones.zones if z.kind is not ZoneKind.EXCLUDE])
    assert found_of(differences(before, plain, network)) != told


def test_zones_are_named_with_what_they_gain_and_lose() -> None:
    before, after = drawn(1)
    found = {one.zone_id: one for one in differences(before, after, pilot_network()).zones}
    assert {name: one.change for name, one in found.items()} == {
        "Z0": "REMOVED", "Z1": "MOVED", "NEW": "ADDED",
    }  # fmt: skip
    moved = found["Z1"]
    was = next(z for z in before.zones.areas_km2() if z)
    assert was > 0
    areas = dict(
        zip([z.zone_id for z in before.zones.zones], before.zones.areas_km2(), strict=True)
    )
    grown_m2 = moved.area_m2 - 1e6 * areas["Z1"]
    assert abs(moved.gained_m2 - moved.lost_m2 - grown_m2) < 1e-3 * moved.area_m2
    assert moved.attributes == ("precedence is 35, was 10",)


def test_nothing_changes_between_a_release_and_itself() -> None:
    before, _ = drawn(2)
    found = differences(before, before, pilot_network())
    assert (found.zones, found.handed, found.policies) == ((), (), ())


def changed(**policy: Any) -> tuple[str, ...]:
    built_in = read_release(pilot_release_file())
    city = dataclasses.replace(built_in.city_policy, **policy)
    other = dataclasses.replace(built_in, city_policy=city, zone_policies={"PILOT": city})
    return differences(built_in, other, pilot_network()).policies


def test_a_policy_is_compared_in_words() -> None:
    assert changed(valid_for_s=1_200) == ("policy PILOT: valid_for_s is 1,200, was 60",)
    assert changed(reserve_of_sector={"M": 2}) == (
        "policy PILOT: reserve_of_sector is gone, was nothing",
        "policy PILOT: reserve_of_sector.M is 2, was not there",
    )
