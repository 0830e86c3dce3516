"""How near to proven the siting models are: value, bound, gap and seconds by size.

    python -m benchmarks.siting
    python -m benchmarks.siting 100 900     # these sizes alone

Instances drawn like OR-Library's pmed1 to pmed40 (Beasley 1985), with their sizes and numbers of
posts, not their files: a random sparse graph of n nodes and about n * n / 50 edges of length 1 to
100, every node both a site and a point. Then drawn junctions of the streets that benchmarks run on,
where the pair waits for twelve places of police, which decide most where posts are many; and the
same without police.
The standard of MCLP is the arrival within which the sites of p-median reach half of the points.
"""

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.kernel import simple_arcs
from benchmarks.stopwatch import machine, table
from benchmarks.streets import benchmark_network
from benchmarks.studies.scenario import Model
from benchmarks.studies.siting.instance import Instance, Limits, instance_of
from benchmarks.studies.siting.models import Question, site, value_of
from geodata.driving_time import ROUTINE, edge_times
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes

POSTS = {
    100: (5, 10, 20, 33), 200: (5, 10, 20, 40, 67), 300: (5, 10, 30, 60, 100),
    400: (5, 10, 40, 80, 133), 500: (5, 10, 50, 100, 167), 600: (5, 10, 60, 120, 200),
    700: (5, 10, 70, 140), 800: (5, 10, 80), 900: (5, 10, 90),
}  # fmt: skip
"""Numbers of posts by nodes, as pmed1 to pmed40 have them."""
REAL_NODES = (100, 300, 900)
SECONDS = 55.0
"""Of the clock; what a search does before and after its steps is beside it."""
GAP_MAX = 0.01


def random_graph(n: int, seed: int) -> Instance:
    """Return all shortest paths of a connected random graph, with one call at each node."""
    rng = np.random.default_rng([seed, n])
    later = np.arange(1, n)
    tail = np.concatenate((rng.integers(0, n, n * n // 50), later))
    head = np.concatenate(
        (rng.integers(0, n, n * n // 50), (rng.random(n - 1) * later).astype(int))
    )
    length = rng.integers(1, 101, len(tail))
    least: NDArray[np.float64] = np.full((n, n), np.inf)
    np.minimum.at(least, (tail, head), length)
    least = np.minimum(least, least.T)
    graph = csr_array(np.where(np.isfinite(least), least, 0.0))
    return instance_of(dijkstra(graph, directed=False).astype(np.int64), np.ones(n, np.int64))


def care_alone(n: int, seed: int) -> Instance:
    """Return n junctions of the real streets and drawn calls at each; nobody waits for police."""
    return real_streets(n, seed, n_police=n)


def real_streets(n: int, seed: int, n_police: int = 12) -> Instance:
    """Return n junctions of the real streets, drawn calls at each, and police at some of them."""
    rng = np.random.default_rng([seed, n])
    network = benchmark_network()
    times = TravelTimes(network, *build_hierarchy(network), edge_times(network, ROUTINE))
    arcs = simple_arcs(times)
    graph = csr_array((arcs.ms.astype(np.float64), (arcs.tail, arcs.head)), shape=(arcs.n, arcs.n))
    n = min(n, arcs.n)
    places = rng.choice(arcs.n, n, replace=False)
    care_ms = np.minimum(dijkstra(graph, indices=places)[:, places], 1e9).astype(np.int64)
    spd_ms = care_ms[rng.choice(n, min(n, n_police), replace=False)].min(axis=0)
    return instance_of(care_ms, rng.integers(1, 20, n), spd_ms)


def rows(kind: str, instance: Instance) -> Iterator[tuple[str, ...]]:
    """Yield a row for each number of posts and model."""
    n = instance.n_sites
    for count in POSTS[n]:
        median = site(instance, Model.P_MEDIAN, Question(count=count), Limits(seconds=SECONDS))
        near_ms = instance.arrive_ms[list(median.sites)].min(axis=0)
        question = Question(count=count, standard_ms=int(np.median(near_ms)))
        for model in (Model.P_MEDIAN, Model.P_CENTER, Model.MCLP):
            found = (
                median
                if model is Model.P_MEDIAN
                else site(instance, model, question, Limits(seconds=SECONDS))
            )
            assert np.isclose(value_of(instance, found, question), found.value), found
            yield (
                kind, str(n), str(count), model.value, f"{found.value:.0f}", f"{found.bound:.0f}",
                f"{100 * found.gap:.2f} %", "yes" if found.proven else "no",
                f"{found.seconds:.1f}", "" if found.gap <= GAP_MAX else "over 1 %",
            )  # fmt: skip


def main() -> None:
    """Print the table, a line as soon as it is known."""
    head = ("instance", "n", "p", "model", "value", "bound", "gap", "proven", "seconds", "")
    print(table(f"Siting, {machine()}", head, ()), flush=True)
    sizes = [int(text) for text in sys.argv[1:]] or list(POSTS)
    made = [("random graph", random_graph, n) for n in sizes]
    for n in (n for n in sizes if n in REAL_NODES):
        made += [("real streets", real_streets, n), ("streets, CARE alone", care_alone, n)]
    for kind, instance, n in made:
        for row in rows(kind, instance(n, 1)):
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
