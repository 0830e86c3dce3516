"""What a closure would do to the streets: how much it closes, and what it cuts off.

What lives here: `closure_effect`, asked before a closure takes effect. What does not: who may
decide about it (`api`), and drive times (`travel_time`).
"""

from collections.abc import Mapping

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from geodata.driving_time import ROUTINE, DrivingProfile, edge_times
from geodata.snap import NO_STREET, Position
from routing.closed_stretch import ClosedStretch
from routing.travel_time import TravelTimes

NAMES_MAX = 20
"""Street names in an effect, those of the most metres first."""


class ClosureEffect(Struct, frozen=True, kw_only=True, eq=False):
    """What some edges do to a network when they are closed."""

    closed_m: float
    """Metres of the streets that are closed in any direction."""
    closed_share: float
    """Of the length of all streets."""
    cut_off: NDArray[np.int32]
    """(n,) open streets that can no longer be reached from everywhere, or left for everywhere."""
    cut_off_m: float
    cut_off_names: tuple[str, ...]
    """Their names, at most NAMES_MAX, without unnamed streets."""
    posts: tuple[str, ...]
    """Ids of the posts whose units would stand on a closed street or one that is cut off."""


def closure_effect(
    times: TravelTimes,
    closed: NDArray[np.bool_],
    *,
    closed_already: NDArray[np.bool_] | None = None,
    posts: Mapping[str, Position] | None = None,
    profile: DrivingProfile = ROUTINE,
) -> ClosureEffect:
    """Return what is closed and cut off by some edges, beyond what is closed already.

    Parameters
    ----------
    times
        Drive times of the network; its bans by the hour hold.
    closed
        (n_edges,) the edges that are to be closed.
    closed_already
        (n_edges,) what other closures close at the time; what these cut off by themselves is not
        told again.
    posts
        Places at which units wait, as they are snapped for units.
    """
    network = times.network
    before = np.zeros_like(closed) if closed_already is None else closed_already
    now = _stretch(times, closed | before, profile)
    once = _stretch(times, before, profile)
    lost = _cut_off(now) & ~_cut_off(once)
    shut = np.zeros(network.n_streets, np.bool_)
    shut[network.edge_street[closed]] = True
    lost &= ~shut
    metres = network.street_length_m
    streets = np.flatnonzero(lost).astype(np.int32)
    return ClosureEffect(
        closed_m=float(metres[shut].sum()),
        closed_share=float(metres[shut].sum() / metres.sum()),
        cut_off=streets,
        cut_off_m=float(metres[streets].sum()),
        cut_off_names=_names(times, streets),
        posts=tuple(
            sorted(
                post_id
                for post_id, at in (posts or {}).items()
                if _is_inside(now, at) and not _is_inside(once, at)
            )
        ),
    )


def _stretch(
    times: TravelTimes, closed: NDArray[np.bool_], profile: DrivingProfile
) -> ClosedStretch | None:
    binding = times.edge_times.paths_binding
    weights = edge_times(times.network, profile, closed_edges=closed)
    timed_arcs = times.graph.closed_arcs(binding)
    return ClosedStretch.of(times.network, times.graph, weights, timed_arcs, times.hierarchy.rank)


def _cut_off(stretch: ClosedStretch | None) -> NDArray[np.bool_]:
    """Return (n_streets,) streets with an open edge that closures have parted from the core."""
    if stretch is None:
        return np.zeros(1, np.bool_)
    return stretch.cut_off_streets()


def _is_inside(stretch: ClosedStretch | None, at: Position) -> bool:
    if stretch is None or at.street == NO_STREET:
        return False
    return bool(stretch.driven_out((at.street, at.fraction, at.leaves)))


def _names(times: TravelTimes, streets: NDArray[np.int32]) -> tuple[str, ...]:
    network = times.network
    by_name: dict[str, float] = {}
    for street in streets.tolist():
        name = network.name_of(street)
        by_name[name] = by_name.get(name, 0.0) + network.street_length_m.item(street)
    by_name.pop("", None)
    longest = sorted(by_name, key=lambda name: (-by_name[name], name))
    return tuple(longest[:NAMES_MAX])
