"""Ready-made things that tests start from: networks from a list of edges, positions, weights."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from geodata.driving_time import EdgeTimes
from geodata.network import HOURS_PER_WEEK, NO_EDGE, Source, StreetNetwork
from geodata.snap import Position, Way

SOURCE = Source(
    network_id="test", description="made by a test", kind="DRAWING", extract_date=None, licence=""
)


def network_from_edges(
    lonlat: NDArray[np.float64],
    streets: Sequence[tuple[int, int, bool]],
    bans: NDArray[np.int32] | None = None,
) -> StreetNetwork:
    """Return a network of straight streets (from, to, two-way), unreachable parts and all.

    Unlike `build_network` it keeps everything, so that a kernel meets what a core never has.
    """
    ends = [(a, b, s, True) for s, (a, b, _) in enumerate(streets)]
    ends += [(b, a, s, False) for s, (a, b, both) in enumerate(streets) if both]
    ends.sort()
    tail, head, street, along = (np.array(column) for column in zip(*ends, strict=True))
    n, n_streets = len(lonlat), len(streets)
    edge_of = {(s, bool(forward)): e for e, (_, _, s, forward) in enumerate(ends)}
    points = np.array([[a, b] for a, b, _ in streets]).ravel()
    length = np.maximum(1.0, 1e5 * np.hypot(*(lonlat[tail] - lonlat[head]).T))
    street_length = np.zeros(n_streets)
    street_length[street] = length
    return StreetNetwork(
        source=SOURCE,
        names=("", *(f"Street {s}" for s in range(1, n_streets))),
        junction_id=np.arange(n, dtype=np.int64),
        junction_lon=lonlat[:, 0].copy(),
        junction_lat=lonlat[:, 1].copy(),
        edge_first=np.searchsorted(tail, np.arange(n + 1)).astype(np.int32),
        edge_tail=tail.astype(np.int32),
        edge_head=head.astype(np.int32),
        edge_street=street.astype(np.int32),
        edge_along=along.astype(np.bool_),
        edge_posted_s=length / 10.0,
        edge_unposted_m=np.zeros(len(ends)),
        edge_signals=np.zeros(len(ends), np.int16),
        edge_stops=np.zeros(len(ends), np.int16),
        street_along=_column(edge_of, n_streets, along=True),
        street_against=_column(edge_of, n_streets, along=False),
        street_name=np.arange(n_streets, dtype=np.int32),
        street_class=np.full(n_streets, 11, np.uint8),
        street_flags=np.zeros(n_streets, np.uint8),
        street_way_id=np.arange(n_streets, dtype=np.int64),
        street_length_m=street_length,
        street_point_first=np.arange(0, 2 * n_streets + 1, 2, dtype=np.int32),
        point_lon=lonlat[points, 0],
        point_lat=lonlat[points, 1],
        point_m=np.column_stack((np.zeros(n_streets), street_length)).ravel(),
        banned_turns=np.zeros((0, 2), np.int32) if bans is None else bans,
        path_first=np.zeros(1, np.int32),
        path_edge=np.zeros(0, np.int32),
        path_hours=np.zeros((0, HOURS_PER_WEEK), np.bool_),
    )


def _column(
    edge_of: dict[tuple[int, bool], int], n_streets: int, *, along: bool
) -> NDArray[np.int32]:
    return np.array([edge_of.get((s, along), NO_EDGE) for s in range(n_streets)], np.int32)


def random_weights(
    network: StreetNetwork, rng: np.random.Generator, name: str, hour: int = 0
) -> EdgeTimes:
    """Return seeded weights that have nothing to do with lengths."""
    return EdgeTimes(
        move_ms=rng.integers(1, 60_000, network.n_edges).astype(np.int32),
        end_ms=rng.integers(0, 12_000, network.n_edges).astype(np.int32),
        profile_name="ROUTINE",
        weights_id=name,
        start_and_park_ms=60_000,
        paths_binding=network.path_hours[:, hour].copy(),
    )


def position_on(network: StreetNetwork, street: int, fraction: float) -> Position:
    """Return a position that may be left, or entered, in every direction the street allows."""
    first, last = network.street_line(street)[[0, -1]]
    leaves = Way.ALONG if network.street_along[street] != NO_EDGE else 0
    leaves |= Way.AGAINST if network.street_against[street] != NO_EDGE else 0
    lon, lat = first + fraction * (last - first)
    return Position(
        street=street, fraction=fraction, leaves=int(leaves), lon=float(lon), lat=float(lat),
        distance_m=0.0, side=0,
    )  # fmt: skip


def random_positions(network: StreetNetwork, rng: np.random.Generator, n: int) -> list[Position]:
    """Return seeded positions, a tenth of them at the very end of their street."""
    streets = rng.integers(0, network.n_streets, n)
    fractions = np.where(rng.random(n) < 0.1, rng.integers(0, 2, n), rng.random(n))
    return [position_on(network, int(s), float(f)) for s, f in zip(streets, fractions, strict=True)]


def random_bans(
    network: StreetNetwork, rng: np.random.Generator, share: float
) -> NDArray[np.int32]:
    """Return one to three banned turns at a share of the junctions where there is a choice."""
    arrivals: dict[int, list[int]] = {}
    for edge, junction in enumerate(network.edge_head.tolist()):
        arrivals.setdefault(junction, []).append(edge)
    bans = set()
    for junction in rng.permutation(sorted(arrivals))[: round(share * network.n_junctions)]:
        begin, end = network.edge_first[junction], network.edge_first[junction + 1]
        for _ in range(int(rng.integers(1, 4))):
            if end > begin:
                arrival = int(rng.choice(arrivals[int(junction)]))
                bans.add((arrival, int(rng.integers(begin, end))))
    return np.array(sorted(bans), np.int32).reshape(-1, 2)


def with_banned_paths(
    network: StreetNetwork, paths: Sequence[Sequence[int]], hours: NDArray[np.bool_]
) -> StreetNetwork:
    """Return a network with these banned paths of edges and their hours (n_paths, 168)."""
    lengths = [len(path) for path in paths]
    return replace(
        network,
        path_first=np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))).astype(np.int32),
        path_edge=np.array([edge for path in paths for edge in path], np.int32),
        path_hours=hours,
    )


def with_random_paths(
    network: StreetNetwork, rng: np.random.Generator, n: int, edges_max: int = 4
) -> StreetNetwork:
    """Return a network with n banned paths of 2 to `edges_max` edges; half bind by the hour.

    Some begin where others do and turn off elsewhere, or lie within them, so that they overlap.
    """
    paths: list[list[int]] = []
    for _ in range(n):
        path = [int(rng.integers(network.n_edges))]
        if paths and rng.random() < 0.4:
            other = paths[int(rng.integers(len(paths)))]
            begin = int(rng.integers(len(other) - 1))
            path = other[begin : int(rng.integers(begin + 1, len(other)))]
        length = int(rng.integers(max(2, len(path) + 1), max(3, edges_max + 1)))
        while len(path) < length:
            first, last = network.edge_first[network.edge_head[path[-1]] :][:2]
            if first == last:
                break
            path.append(int(rng.integers(first, last)))
        if 2 <= len(path) <= edges_max:
            paths.append(path)
    hours = np.ones((len(paths), HOURS_PER_WEEK), np.bool_)
    by_hour = rng.random(len(paths)) < 0.5
    hours[by_hour] = rng.random((int(by_hour.sum()), HOURS_PER_WEEK)) < 0.4
    return with_banned_paths(network, paths, hours)
