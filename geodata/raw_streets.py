"""What a map source says about streets, before anything is cut: the one form every source takes.

What lives here: `RawStreets` and its rows. What does not: reading files (`osm_import`) and making
a network of it (`street_build`, which re-exports these names).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.network import HOURS_PER_WEEK, RoadClass, Source, StreetFlag

Progress = Callable[[str, float | None], None]
"""Called with the stage's name and the part done (0 to 1), or None where it cannot be told."""


def say_nothing(stage: str, fraction: float | None, /) -> None:
    """Be told of progress and do nothing: what a build calls unless given something to call."""
    del stage, fraction


class Control(IntFlag):
    """What makes a driver stop at a node, by the direction along the way in which it counts.

    A driver who reaches the node in the source's order of the way's nodes meets the ALONG bits, one
    who reaches it against that order the AGAINST bits; at a junction it is the way of arrival.

    STOP_NEAREST: a stop sign of which the source gives no direction. Inside a street it counts
    for travel towards the nearer end; on a one-way street always; at a junction for all approaches.
    STOP_MINOR: together with STOP_NEAREST, at a junction only the approaches of lower class stop.
    """

    SIGNAL_ALONG = 1
    SIGNAL_AGAINST = 2
    STOP_ALONG = 4
    STOP_AGAINST = 8
    STOP_NEAREST = 16
    STOP_MINOR = 32


class Direction(IntEnum):
    """The directions in which a way may be driven, relative to its order of nodes."""

    BOTH = 0
    ALONG = 1
    REVERSIBLE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RawWay:
    """One way of the source; a way that runs against its nodes has been turned round already.

    `turned` tells that it has: the controls of its nodes still refer to the source's order. Several
    rows may share a `way_id` (pieces of one way); they then share all attributes.
    """

    way_id: int
    node_ids: tuple[int, ...]
    name: str
    road_class: RoadClass
    direction: Direction
    limit_along_kmh: float | None
    limit_against_kmh: float | None
    flags: StreetFlag
    turned: bool = False


ALL_HOURS: Final = 2**HOURS_PER_WEEK - 1
"""Every hour of the week; bit 0 is Monday 00."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRestriction:
    """A turn restriction: from one way, over a node or over whole ways, into another way.

    `only` means that from `from_way` no other turn is allowed; otherwise this turn is banned.
    `u_turn` tells a ban on turning round, which on one way (`from_way == to_way`) leaves the
    straight continuation free. With `via_ways` (in any order) there is no `via_node`: the ban is on
    driving all of them in between, and `only` binds whoever has entered them from `from_way`.
    """

    from_way: int
    to_way: int
    only: bool
    via_node: int | None = None
    via_ways: tuple[int, ...] = ()
    u_turn: bool = False
    hours: int = ALL_HOURS
    """The hours of the week in which it binds, as bits."""

    def __post_init__(self) -> None:
        assert (self.via_node is None) == bool(self.via_ways), "either over a node or over ways"
        assert 0 < self.hours <= ALL_HOURS, "bits of the hours of a week"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawStreets:
    """What a source says, in columns for nodes and rows for ways.

    Controls of a node refer to the direction of the ways through it. Angles are WGS 84 degrees.
    """

    source: Source
    node_id: NDArray[np.int64]
    node_lon: NDArray[np.float64]
    node_lat: NDArray[np.float64]
    node_control: NDArray[np.uint8]
    """(n_nodes,) `Control` bits."""
    ways: tuple[RawWay, ...]
    restrictions: tuple[RawRestriction, ...] = ()
