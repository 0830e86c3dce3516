"""Our kernel beside everything that a Python user could pick, in one run, with their mismatches.

The question is the same for all: the drive time of U units to one incident. The incident stands
at a junction and every unit at the end of a street, so that libraries which know only nodes can
answer it; ours answers the same through positions, labels of the units kept from their last move.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.pieces import pieces
from benchmarks.stopwatch import Timing, duration, machine, table, time_each
from geodata.driving_time import ROUTINE, UNREACHABLE_MS, edge_times
from geodata.network import StreetNetwork
from geodata.snap import Position, Positions, StreetIndex, Way
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes

UNITS = (20, 100, 500)
Answers = NDArray[np.integer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arcs:
    """The network as other libraries take it: the quickest arc between each pair of junctions."""

    n: int
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    ms: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Units at the heads of edges, incidents at the tails of edges."""

    unit_edges: NDArray[np.int64]
    incident_edges: NDArray[np.int64]


def simple_arcs(times: TravelTimes) -> Arcs:
    """Return the arcs without loops and doubles; junctions of the network are the nodes."""
    net, weights = times.network, times.edge_times
    ms = weights.move_ms.astype(np.int64) + weights.end_ms
    usable = (weights.move_ms < UNREACHABLE_MS) & (net.edge_tail != net.edge_head)
    tail, head, ms = net.edge_tail[usable], net.edge_head[usable], ms[usable]
    order = np.lexsort((ms, head, tail))
    tail, head, ms = tail[order], head[order], ms[order]
    new = np.ones(len(tail), bool)
    new[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    return Arcs(n=net.n_junctions, tail=tail[new], head=head[new], ms=ms[new])


def ours(times: TravelTimes, question: Question) -> Callable[[int], Answers]:
    """Return our answer: labels of units are made beforehand, the incident's in the call."""
    at = edge_positions(times.network, question.unit_edges, at_head=True)
    labels = times.unit_labels(at)
    places = list(edge_positions(times.network, question.incident_edges, at_head=False))
    wait_ms = times.edge_times.end_ms[question.unit_edges]

    def answer(k: int) -> Answers:
        return times.drive_ms(labels, places[k]) - wait_ms

    return answer


def edge_positions(network: StreetNetwork, edges: NDArray[np.int64], *, at_head: bool) -> Positions:
    """Return places at one end of edges, left or entered by that edge alone."""
    along = network.edge_along[edges]
    fraction = np.where(along == at_head, 1.0, 0.0)
    junction = network.edge_head[edges] if at_head else network.edge_tail[edges]
    return Positions(
        street=network.edge_street[edges],
        fraction=fraction,
        leaves=np.where(along, int(Way.ALONG), int(Way.AGAINST)).astype(np.uint8),
        lon=network.junction_lon[junction],
        lat=network.junction_lat[junction],
        distance_m=np.zeros(len(edges)),
        side=np.zeros(len(edges), np.int8),
    )


def peers(
    arcs: Arcs, units: Answers, targets: Answers, network: StreetNetwork
) -> dict[str, Callable[[int], Answers]]:
    """Return the answer of each other library: units to the k-th target, on its own best way."""
    return {
        "networkx Dijkstra (reversed graph)": _networkx(arcs, units, targets),
        "rustworkx": _rustworkx(arcs, units, targets),
        "networkit": _networkit(arcs, units, targets),
        "scipy csgraph.dijkstra": _scipy(arcs, units, targets),
        "routingkit-cch, pinned sources": _routingkit(arcs, units, targets, network),
    }


def _networkx(arcs: Arcs, units: Answers, targets: Answers) -> Callable[[int], Answers]:
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_weighted_edges_from(
        zip(arcs.head.tolist(), arcs.tail.tolist(), arcs.ms.tolist(), strict=True), weight="ms"
    )

    def answer(k: int) -> Answers:
        found = nx.single_source_dijkstra_path_length(graph, targets[k].item(), weight="ms")
        return np.array([found.get(unit, UNREACHABLE_MS) for unit in units.tolist()])

    return answer


def _rustworkx(arcs: Arcs, units: Answers, targets: Answers) -> Callable[[int], Answers]:
    import rustworkx

    graph = rustworkx.PyDiGraph()
    graph.add_nodes_from(range(arcs.n))
    graph.add_edges_from(
        list(zip(arcs.head.tolist(), arcs.tail.tolist(), arcs.ms.tolist(), strict=True))
    )

    def answer(k: int) -> Answers:
        found = rustworkx.dijkstra_shortest_path_lengths(graph, targets[k].item(), float)
        at = targets[k].item()
        return np.array([0 if u == at else int(found[u]) for u in units.tolist()])

    return answer


def _networkit(arcs: Arcs, units: Answers, targets: Answers) -> Callable[[int], Answers]:
    import networkit

    graph = networkit.GraphFromCoo(
        (arcs.ms.astype(float), (arcs.head, arcs.tail)), n=arcs.n, weighted=True, directed=True
    )
    networkit.setNumberOfThreads(1)

    def answer(k: int) -> Answers:
        run = networkit.distance.Dijkstra(graph, targets[k].item(), storePaths=False)
        run.run()
        return np.asarray(run.getDistances())[units].astype(np.int64)

    return answer


def _scipy(arcs: Arcs, units: Answers, targets: Answers) -> Callable[[int], Answers]:
    graph = csr_array((arcs.ms.astype(float), (arcs.head, arcs.tail)), shape=(arcs.n, arcs.n))

    def answer(k: int) -> Answers:
        found = dijkstra(graph, indices=targets[k].item())
        return found[units].astype(np.int64)

    return answer


def _routingkit(
    arcs: Arcs, units: Answers, targets: Answers, network: StreetNetwork
) -> Callable[[int], Answers]:
    import routingkit_cch

    tail, head = arcs.tail.tolist(), arcs.head.tolist()
    order = routingkit_cch.compute_order_inertial(
        arcs.n, tail, head, network.junction_lat.tolist(), network.junction_lon.tolist()
    )
    cch = routingkit_cch.CCH(order, tail, head, filter_always_inf_arcs=False)
    metric = routingkit_cch.CCHMetric(cch, arcs.ms.tolist())
    pinned = routingkit_cch.CCHManyToOne(metric, units.tolist())

    def answer(k: int) -> Answers:
        found = pinned.distances_to(targets[k].item())
        return np.array([UNREACHABLE_MS if ms is None else ms for ms in found])

    return answer


def compare(times: TravelTimes, n_units: int, n_runs: int) -> tuple[list[str], dict[str, Timing]]:
    """Return who answered anything else than scipy, and the timing of each, ours first."""
    net = times.network
    rng = np.random.default_rng(n_units)
    usable = np.flatnonzero(times.edge_times.move_ms < UNREACHABLE_MS)
    question = Question(
        unit_edges=rng.choice(usable, n_units), incident_edges=rng.choice(usable, n_runs)
    )
    units, targets = net.edge_head[question.unit_edges], net.edge_tail[question.incident_edges]
    runs = {"**Tandem**": ours(times, question), **peers(simple_arcs(times), units, targets, net)}
    expected = [runs["scipy csgraph.dijkstra"](k) for k in range(10)]
    wrong = [
        name for name, run in runs.items()
        if any(not np.array_equal(run(k), expected[k]) for k in range(10))
    ]  # fmt: skip
    slow = {"networkx Dijkstra (reversed graph)": max(3, n_runs // 30)}
    return wrong, {
        name: time_each(run, range(slow.get(name, n_runs))) for name, run in runs.items()
    }


def report(network: StreetNetwork, n_runs: int = 300) -> str:
    """Return the tables for the README."""
    times = TravelTimes(network, *build_hierarchy(network), edge_times(network, ROUTINE))
    results = {n: compare(times, n, n_runs) for n in UNITS}
    wrong = {name for names, _ in results.values() for name in names}
    rows = []
    for name in next(iter(results.values()))[1]:
        row = [results[n][1][name] for n in UNITS]
        own = results[UNITS[-1]][1]["**Tandem**"].p50_s
        ratio = "1" if name == "**Tandem**" else f"{row[-1].p50_s / own:,.0f}"
        rows.append((name, *(t.us for t in row), ratio, "differs" if name in wrong else "equal"))
    head = ("method", *(f"{n} units" for n in UNITS), f"times ours at {UNITS[-1]}", "answers")
    title = (
        f"Drive time of units to one incident, p50 of {n_runs} incidents (networkx: "
        f"{max(3, n_runs // 30)}), one thread; {network.source.network_id}: "
        f"{network.n_junctions:,} junctions, {network.n_edges:,} edges; {machine()}"
    )
    tables = (table(title, head, rows), surfaces(times, n_runs), pieces(times, n_runs))
    return "\n".join(tables)


def surfaces(times: TravelTimes, n_runs: int) -> str:
    """Return the table of what else the kernel does: surfaces, weight sets, labels."""
    net = times.network
    rng = np.random.default_rng(3)
    west, south, east, north = net.bounds
    index = StreetIndex.build(net)
    points = [
        index.snap_incident(*p)
        for p in zip(
            rng.uniform(west, east, n_runs), rng.uniform(south, north, n_runs), strict=True
        )
    ]
    arcs = simple_arcs(times)
    graph = csr_array((arcs.ms.astype(float), (arcs.tail, arcs.head)), shape=(arcs.n, arcs.n))
    sweep = time_each(times.ms_to_junctions, points)
    plain = time_each(
        lambda k: dijkstra(graph, indices=k), rng.integers(0, arcs.n, n_runs).tolist()
    )
    faster = plain.p50_s / sweep.p50_s
    weights = time_each(
        lambda hour: times.reweighed(edge_times(net, ROUTINE, hour=hour)),
        range(24),
    )
    closed = rng.random((24, net.n_edges)) < 0.001
    closures = time_each(
        lambda k: times.reweighed(
            edge_times(net, ROUTINE, closed_edges=closed[k], closure_id=str(k))
        ),
        range(24),
    )
    quiet, meanwhile = readers(times, points)
    routes = time_each(lambda k: times.route(points[k - 1], points[k]), range(1, n_runs))
    rows = [
        ("one place to all junctions", sweep.us, f"{faster:.1f} x faster than scipy ({plain.us})"),
        ("new weight set for an hour, from profile to labels", weights.us, _slowest(weights)),
        ("new weight set for closures", closures.us, _slowest(closures)),
        (f"{UNITS[-1]} units to one incident, no writer", quiet.us, _slowest(quiet)),
        ("the same while another thread makes weight sets", meanwhile.us, _slowest(meanwhile)),
        ("route, not drawn", routes.us, f"p99 {duration(routes.p99_s)}"),
        ("label tables of one weight set", f"{times.memory_bytes / 1e6:.0f} MB", ""),
    ]  # fmt: skip
    return table(f"The kernel's other work, p50 (n = {n_runs} and 24)", ("what", "p50", ""), rows)


def readers(times: TravelTimes, points: list[Position]) -> tuple[Timing, Timing]:
    """Return the timing of reads without a writer, and while one makes weight sets all the time."""
    net = times.network
    question = np.random.default_rng(5).choice(net.n_edges, UNITS[-1])
    labels = times.unit_labels(edge_positions(net, question, at_head=True))
    many = points * 10
    quiet = time_each(lambda p: times.drive_ms(labels, p), many)
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            times.reweighed(edge_times(net, ROUTINE))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return quiet, time_each(lambda p: times.drive_ms(labels, p), many)
    finally:
        done.set()
        writer.join()


def _slowest(timing: Timing) -> str:
    return f"p99 of {timing.n}: {duration(timing.p99_s)}"
