"""Which closures an answer has to do with: those of the call's street and of the units it names.

What lives here: from what is closed to what is told. What does not: when something is closed
(`geodata.closures`), and how somebody drives out of it or into it.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.closures import Effect
from geodata.network import NO_EDGE, StreetNetwork
from geodata.snap import NO_STREET
from routing.answer import TouchedClosure
from routing.arrivals import Muster, Target
from routing.codes import Agency, ClosureTouch
from routing.halves import Team
from routing.model import Situation

_OF_AGENCY: Final = {Agency.CARE: ClosureTouch.CARE, Agency.SPD: ClosureTouch.SPD}


def touched_closures(
    situation: Situation, target: Target | None, team: Team | None
) -> tuple[TouchedClosure, ...]:
    """Return the closures that an answer tells of, in the order of their ids."""
    closed = situation.closed
    if closed is None:
        return ()
    touches: dict[str, list[ClosureTouch]] = {}
    for touch, street in _streets(target, team):
        for closure in closed.touching(_edges(situation.network, street)):
            if closure.effect is not Effect.CLOSES:
                continue
            found = touches.setdefault(closure.closure_id, [])
            if touch not in found:
                found.append(touch)
    return tuple(
        [
            TouchedClosure(
                closure_id=one.closure_id, name=one.name, touches=tuple(touches[one.closure_id])
            )
            for one in closed.active
            if one.closure_id in touches
        ]
    )


def metres_inside(muster: Muster) -> int | None:
    """Return whole metres over closed streets to a call inside a closure; None outside."""
    times = muster.times
    if times is None or not times.has_closures or not muster.target.on_street:
        return None
    metres = times.inside_m(muster.target.snapped)
    return max(1, round(metres)) if metres > 0 else None


def _streets(target: Target | None, team: Team | None) -> Iterator[tuple[ClosureTouch, int]]:
    """Yield the street of the call, then those of the units that are named."""
    if target is not None and target.on_street:
        yield ClosureTouch.INCIDENT, target.snapped.street
    for half in () if team is None else team.named():
        positions = half.muster.placement.positions
        for row in half.chosen:
            street = positions.street.item(row)
            if street != NO_STREET:
                yield _OF_AGENCY[half.agency], street


def _edges(network: StreetNetwork, street: int) -> NDArray[np.int64]:
    both = (network.street_along.item(street), network.street_against.item(street))
    return np.array([edge for edge in both if edge != NO_EDGE], np.int64)
