"""Posts x all streets: our least times beside scipy's and networkx's, as ratios in one run.

    python -m benchmarks.posts_matrix
    python -m benchmarks.posts_matrix 100       # so many posts

From each post to the beginning of every edge, as surfaces of coverage have it: one way to all, with
banned turns. The peers search the same graph of turns, in which an edge is a node; making it is not
in their time, nor our hierarchy in ours. Bans of several turns need more nodes and are left out of
the network here, for all alike. Every value of every post must be the same. networkx has a few
posts alone; seconds are for one post.
"""

import sys
from collections.abc import Callable
from dataclasses import replace

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.kernel import edge_positions
from benchmarks.stopwatch import Timing, duration, machine, table, time_each
from benchmarks.streets import benchmark_network
from geodata.driving_time import ROUTINE, UNREACHABLE_MS, EdgeTimes, edge_times
from geodata.network import StreetNetwork
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes

POSTS = 50
OF_NETWORKX = 3
Row = Callable[[int], NDArray[np.int64]]


def without_long_bans(network: StreetNetwork) -> StreetNetwork:
    """Return the network with bans of one turn alone."""
    return replace(
        network, path_first=network.path_first[:1], path_edge=network.path_edge[:0],
        path_hours=network.path_hours[:0],
    )  # fmt: skip


def graph_of_turns(network: StreetNetwork, weights: EdgeTimes) -> csr_array:
    """Return (n_edges, n_edges) milliseconds from the end of an edge to the end of the next."""
    first = network.edge_first.astype(np.int64)
    begin, end = first[network.edge_head], first[network.edge_head + 1]
    before = np.repeat(np.arange(network.n_edges), end - begin)
    after = np.arange(len(before)) - np.repeat(np.cumsum(end - begin) - end, end - begin)
    banned = network.banned_turns.astype(np.int64)
    turn = before * network.n_edges + after
    allowed = ~np.isin(turn, banned[:, 0] * network.n_edges + banned[:, 1])
    allowed &= (weights.move_ms[before] < UNREACHABLE_MS) & (
        weights.move_ms[after] < UNREACHABLE_MS
    )
    before, after = before[allowed], after[allowed]
    step = weights.move_ms[after].astype(float) + weights.end_ms[after]
    assert step.min() > 0, "scipy reads a stored 0 as no arc"
    return csr_array((step, (before, after)), shape=(network.n_edges, network.n_edges))


def ours(times: TravelTimes, edges: NDArray[np.int64]) -> Row:
    """Return our row of the matrix."""
    posts = list(edge_positions(times.network, edges, at_head=True))
    return lambda k: times.ms_to_edges(posts[k]).astype(np.int64)


class Peers:
    """The same rows by the libraries, on the graph of turns."""

    def __init__(self, times: TravelTimes, edges: NDArray[np.int64]) -> None:
        self.graph = graph_of_turns(times.network, times.edge_times)
        self._edges = edges
        self._wait_ms = times.edge_times.end_ms[edges].astype(np.int64)
        by_head = self.graph.tocsc()
        self._into, self._first = by_head.indices, by_head.indptr
        self._directed = nx.from_scipy_sparse_array(self.graph, create_using=nx.DiGraph)

    def scipy(self, k: int) -> NDArray[np.int64]:
        """Return the row of a post."""
        return self._at_tails(dijkstra(self.graph, indices=self._edges[k : k + 1])[0], k)

    def networkx(self, k: int) -> NDArray[np.int64]:
        """Return the row of a post."""
        found = nx.single_source_dijkstra_path_length(self._directed, int(self._edges[k]))
        at_end = np.full(self.graph.shape[0], np.inf)
        at_end[list(found)] = list(found.values())
        return self._at_tails(at_end, k)

    def _at_tails(self, at_end: NDArray[np.float64], k: int) -> NDArray[np.int64]:
        entered = np.append(at_end[self._into], np.inf)
        least = np.minimum.reduceat(entered, self._first[:-1])
        least[self._first[:-1] == self._first[1:]] = np.inf
        reached = np.isfinite(least)
        ms = np.full(len(least), UNREACHABLE_MS, np.int64)
        ms[reached] = least[reached].astype(np.int64) + self._wait_ms[k]
        return ms


def timings(times: TravelTimes, n_posts: int) -> dict[str, Timing]:
    """Return what one post takes by each; all values are compared before."""
    usable = np.flatnonzero(times.edge_times.move_ms < UNREACHABLE_MS)
    edges = np.random.default_rng(0).choice(usable, n_posts, replace=False).astype(np.int64)
    our_row, peers = ours(times, edges), Peers(times, edges)
    few = range(min(OF_NETWORKX, n_posts))
    for k in range(n_posts):
        assert np.array_equal(our_row(k), peers.scipy(k)), f"scipy differs at post {k}"
    for k in few:
        assert np.array_equal(our_row(k), peers.networkx(k)), f"networkx differs at post {k}"
    return {
        "ours": time_each(our_row, range(n_posts)),
        "scipy Dijkstra": time_each(peers.scipy, range(n_posts)),
        "networkx Dijkstra": time_each(peers.networkx, few),
    }


def report(network: StreetNetwork, n_posts: int = POSTS) -> str:
    """Return the Markdown table."""
    network = without_long_bans(network)
    times = TravelTimes(network, *build_hierarchy(network), edge_times(network, ROUTINE))
    took = timings(times, n_posts)
    rows = [
        (name, duration(one.p50_s), duration(one.p50_s * n_posts), str(one.n),
         f"{one.p50_s / took['ours'].p50_s:.1f} x")
        for name, one in took.items()
    ]  # fmt: skip
    title = f"{n_posts} posts x {network.n_edges:,} edges, every value the same ({machine()})"
    head = ("by", "one post, p50", "the matrix (p50 x posts)", "posts timed", "ratio")
    return table(title, head, rows)


if __name__ == "__main__":
    print(report(benchmark_network(), int(sys.argv[1]) if len(sys.argv) > 1 else POSTS))
