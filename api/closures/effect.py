"""What a closure closes, and what it cuts off, on the streets that are loaded."""

from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.closures.schedule import Schedule
from api.closures.schemas import CutOffPart, EffectPart
from geodata.closures import Closure, Effect, is_closed, next_change
from geodata.network import StreetNetwork
from geodata.snap import Position
from routing.closure_effect import ClosureEffect, closure_effect
from routing.model import Situation

NAMES_MAX: Final = 20
SUPERVISOR_SHARE: Final = 0.01
"""A closure of more of the network's metres takes a supervisor."""


def effect_of(
    situation: Situation, schedule: Schedule, closure: Closure, at: datetime
) -> EffectPart:
    """Return what a closure does when it next closes, beside all else that is closed then.

    Parameters
    ----------
    situation
        Its drive times are of any weights; routine traffic is judged.
    """
    network, times = situation.network, situation.travel_times
    assert times is not None, "no drive times are loaded"
    closed = np.zeros(network.n_edges, np.bool_)
    if closure.effect is Effect.CLOSES:
        closed[closure.edges] = True
    begins = at if is_closed(closure, at) else next_change(closure, at) or at
    others = [one for one in schedule.closures if one.closure_id != closure.closure_id]
    before = Schedule(closures=tuple(others), n_edges=network.n_edges).closed_at(begins)
    found = closure_effect(
        times, closed, closed_already=before.closed_routine, posts=_posts(situation)
    )
    return EffectPart(
        streets=_names(network, np.unique(network.edge_street[closure.edges])),
        edges=int(closed.sum()),
        length_m=round(found.closed_m, 1),
        network_share=round(found.closed_share, 6),
        cut_off=_cut_off(found),
        needs_supervisor=found.closed_share > SUPERVISOR_SHARE,
    )


def _cut_off(found: ClosureEffect) -> CutOffPart | None:
    if not len(found.cut_off) and not found.posts:
        return None
    return CutOffPart(
        streets=list(found.cut_off_names),
        street_count=len(found.cut_off),
        posts=list(found.posts),
    )


def _posts(situation: Situation) -> dict[str, Position]:
    """Return where units wait at posts, on the streets."""
    posts = situation.homes.posts
    lon, lat = (np.array([at[axis] for at in posts.values()], np.float64) for axis in (0, 1))
    places = situation.streets.snap_units(lon, lat)
    return dict(zip(posts, places, strict=True))


def _names(network: StreetNetwork, streets: NDArray[np.integer]) -> list[str]:
    """Return the names of streets, the longest together first; unnamed ones are passed over."""
    metres: dict[str, float] = {}
    for street in streets.tolist():
        name = network.name_of(street)
        if name:
            metres[name] = metres.get(name, 0.0) + network.street_length_m.item(street)
    return sorted(metres, key=lambda name: (-metres[name], name))[:NAMES_MAX]
