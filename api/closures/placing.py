"""From a kept closure to the edges that it closes on the streets that are loaded.

Edges are found anew from the place, on whatever network a service has, and remembered: another
network numbers its edges otherwise, and a store may outlive many.
"""

import hashlib
from collections import OrderedDict
from datetime import time
from threading import Lock
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from api.closures.records import ClosureContent, DailyWindow, KeptClosure
from api.errors import InvalidRequest, Problem
from geodata.closure_places import closed_edges
from geodata.closures import Closure, Window
from geodata.errors import ClosurePlaceError
from geodata.network import StreetNetwork
from geodata.snap import StreetIndex

STREET_FIELDS: Final = ("street", "from_street", "to_street")
PLACES_MAX: Final = 2_000
"""Places whose edges are remembered."""

Edges = NDArray[np.int32]


class Placing:
    """Finds the edges of closures on one network; for any thread."""

    def __init__(self, network: StreetNetwork, streets: StreetIndex) -> None:
        self.network = network
        self.streets = streets
        self._found: OrderedDict[bytes, Edges] = OrderedDict()
        self._lock = Lock()
        self._names = frozenset(network.names)

    def edges(self, content: ClosureContent) -> Edges:
        """Return the edges that a closure closes, in rising order.

        Raises
        ------
        InvalidRequest
            Its place is none on these streets; the problem names the remedy.
        """
        place = place_of(content)
        key = hashlib.sha256(msgspec.json.encode(place)).digest()  # an area may be a megabyte
        with self._lock:
            found = self._found.get(key)
        if found is None:
            found = self._look(place)
            with self._lock:
                self._found[key] = found
                if len(self._found) > PLACES_MAX:
                    self._found.popitem(last=False)
        return found

    def closure(self, kept: KeptClosure, zone: ZoneInfo) -> Closure | None:
        """Return a closure as decisions read it; None for one that never held.

        Raises
        ------
        InvalidRequest
            Its place is none on these streets.
        """
        begins, ends = kept.holds_from, kept.holds_until
        if begins is None or (ends is not None and ends <= begins):
            return None
        content = kept.content
        return Closure(
            closure_id=kept.closure_id,
            name=content.name,
            traffic=content.traffic,
            starts_at=begins,
            ends_at=ends,
            windows=tuple(map(window_of, content.windows)),
            time_zone=zone,
            edges=self.edges(content),
            effect=content.effect,
        )

    def _look(self, place: dict[str, Any]) -> Edges:
        try:
            found: Edges = closed_edges(self.network, self.streets, place)
        except ClosurePlaceError as error:
            raise _refusal(place, self._without_words(str(error), place)) from None
        return found

    def _without_words(self, said: str, place: dict[str, Any]) -> str:
        """Return what was said without what a caller wrote, unless it names a street of ours."""
        for field in STREET_FIELDS:
            told = place.get(field)
            if told and told not in self._names:
                said = said.replace(str(told), field)
        return said


def _refusal(place: dict[str, Any], said: str) -> InvalidRequest:
    problem = Problem(
        path="/geometry" if "type" in place else "/street",
        code="CLOSURE_PLACE",
        detail=said,
        remedy=_REMEDY,
    )
    detail = f"The place of the closure is not clear: {said}."
    return InvalidRequest(detail, remedy=_REMEDY, problems=(problem,))


_REMEDY: Final = "Draw it along the streets, or name a street and the two that it lies between."


def place_of(content: ClosureContent) -> dict[str, Any]:
    """Return where a closure is, as `geodata.closure_places` takes it."""
    direction = str(content.direction)
    if content.geometry is not None:
        return {**content.geometry, "direction": direction}
    return {
        "street": content.street,
        "from_street": content.from_street,
        "to_street": content.to_street,
        "direction": direction,
    }


def window_of(kept: DailyWindow) -> Window:
    """Return a recurring window as it is reckoned with."""
    return Window(
        start=time.fromisoformat(kept.start),
        end=time.fromisoformat(kept.end),
        days=frozenset(kept.days),
    )
