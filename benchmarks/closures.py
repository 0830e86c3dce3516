"""How soon a closure is live: from the commit of its activation to a view that decides with it.

    python -m benchmarks.closures

Measured on a desk over SQLite with units on duty: what the service does before the commit (edges,
effect, weights), between commit and view, and what another instance does when it hears of it.
"""

import datetime as dt
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from api.auth.principal import LOCAL
from api.closures import operations
from api.closures.live_closures import LiveClosures
from api.closures.records import ClosureContent, KeptClosure
from api.closures.schemas import ActivateWrite
from api.closures.writes import activating, read_told
from api.desk import Desk
from api.hour_situations import HourSituations
from api.idempotency import Kept
from api.live_roster import LiveRoster
from api.live_view import BUILT_IN_PROFILES, LiveView
from api.log import make_log
from api.replay.sources import sources_of
from api.roster_operations import reconcile
from api.settings import Settings
from api.store.memory import MemoryRoster
from api.store.writer import Transaction
from benchmarks.roster import BEGIN, Fleet, first_view
from benchmarks.stopwatch import duration, machine, table
from benchmarks.streets import benchmark_network
from geodata.driving_time import EMERGENCY, edge_times
from geodata.network import StreetNetwork

N_UNITS = 120
N_CLOSURES = 30
REACH_DEG = 0.004
"""Half the side of the square whose streets a closure closes, at the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What one activation took, in seconds."""

    edges: int
    before_s: float
    """Until the write is handed in: edges, effect, weights."""
    live_s: float
    """From the commit until the view that decisions take closes the streets."""
    elsewhere_s: float
    """What another instance does once it has heard of it: read, place, weigh, show."""


def view_of(network: StreetNetwork, n_units: int = N_UNITS) -> LiveView:
    """Return a view with units on duty and both profiles."""
    view = first_view(network)
    times = view.situation.travel_times
    assert times is not None, "no drive times are loaded"
    urgent = times.reweighed(edge_times(network, EMERGENCY))
    situation = replace(view.situation, emergency_times=urgent)
    on_duty = replace(view.on_duty, emergency_times=urgent)
    view = replace(view, by_hour=HourSituations(situation, BUILT_IN_PROFILES), on_duty=on_duty)
    live = LiveRoster(MemoryRoster(), view)
    reconcile(live, Fleet(network, n_units).snapshot(), now=lambda: BEGIN)
    return live.view


@contextmanager
def desk_of(view: LiveView) -> Iterator[tuple[Desk, LiveClosures]]:
    """Yield a desk over an empty store, whose closures are shown in a view."""
    with tempfile.TemporaryDirectory(prefix="tandem-closures-") as folder:
        desk = Desk.opened(
            str(Path(folder) / "store.sqlite"),
            instance="main",
            now=lambda: dt.datetime.now(dt.UTC),
            log=make_log("error"),
            sources=sources_of(Settings(), view.situation.network),
        )
        yield desk, LiveClosures(desk.database, LiveRoster(MemoryRoster(), view), desk.writer.now)
        desk.close()


def lives(view: LiveView, n: int, seed: int = 1) -> list[Lived]:
    """Activate closures of random squares, one after the other, and measure each."""
    rng = np.random.default_rng(seed)
    with desk_of(view) as (desk, live):
        apart = replace(view, by_hour=HourSituations(view.situation, BUILT_IN_PROFILES))
        other = LiveClosures(desk.database, LiveRoster(MemoryRoster(), apart), desk.writer.now)
        return [_live(desk, live, other, content) for content in _contents(view, n, rng)]


def _live(desk: Desk, live: LiveClosures, other: LiveClosures, content: ClosureContent) -> Lived:
    kept: KeptClosure = desk.writer.call(lambda tx: operations.propose(tx, content, "bench"))
    told = read_told(ActivateWrite, b'{"accept_cut_off":true}', LOCAL)
    committed: list[float] = []
    began_s = time.perf_counter()
    do = activating(live, kept, told, desk.writer.now())
    before_s = time.perf_counter() - began_s

    def operation(tx: Transaction) -> Kept:
        tx.after.append(lambda: committed.append(time.perf_counter()))
        done = do(tx)
        tx.after.append(lambda: committed.append(time.perf_counter()))
        return done

    desk.writer.call(operation)
    edges = live.placing.edges(content)
    situation = live.view.on_duty_at(desk.writer.now())
    assert situation.closed is not None, "nothing is closed"
    assert situation.closed.closed_routine[edges].all(), "the closure is not live"
    return Lived(
        edges=len(edges),
        before_s=before_s,
        live_s=committed[1] - committed[0],
        elsewhere_s=_elsewhere(other),
    )


def _elsewhere(other: LiveClosures) -> float:
    """Return what another instance takes that reads the same rows."""
    began_s = time.perf_counter()
    other.refill()
    return time.perf_counter() - began_s


def _contents(view: LiveView, n: int, rng: np.random.Generator) -> Iterator[ClosureContent]:
    network = view.situation.network
    for at in rng.integers(0, network.n_junctions, n).tolist():
        lon, lat = float(network.junction_lon[at]), float(network.junction_lat[at])
        yield ClosureContent(name="closure", geometry=_square(lon, lat, rng))


def _square(lon: float, lat: float, rng: np.random.Generator) -> dict[str, Any]:
    w, h = (REACH_DEG * rng.uniform(0.1, 1.0, 2)).tolist()
    ring = [[lon - w, lat - h], [lon + w, lat - h], [lon + w, lat + h], [lon - w, lat + h]]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def report(network: StreetNetwork, n: int = N_CLOSURES) -> str:
    """Return a Markdown table."""
    found = lives(view_of(network), n)
    rows = []
    for words, values in (
        ("before the commit: edges, effect, weights", [one.before_s for one in found]),
        ("from the commit to a view that decides with it", [one.live_s for one in found]),
        ("another instance, once it has heard", [one.elsewhere_s for one in found]),
    ):
        p50, most = float(np.median(values)), max(values)
        rows.append((words, duration(p50), duration(most)))
    edges = [one.edges for one in found]
    title = (
        f"{n} closures of {min(edges)} to {max(edges)} edges, each beside those before, "
        f"{N_UNITS} units; {network.source.network_id}; {machine()}"
    )
    return table(title, ("what", "median", "most"), rows)


if __name__ == "__main__":
    print(report(benchmark_network()))
