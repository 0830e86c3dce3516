"""Seconds for each edge: posted limits, signals, stop signs, hour of the week, profile, closures.

What lives here: `DrivingProfile` (how somebody drives), `EdgeTimes` (one set of weights) and
`edge_times`, which makes the second from the first in about a millisecond. What does not: sums
along a route (`routing`).

The model is the one that fits 870 published Seattle drive times (mean 438 s) on the OpenStreetMap
network: 1.1 times the time at the posted limit, 10.5 s a signal, 8 s a stop sign and 60 s to start
and park leave a mean error of 12.2 % (5-fold cross-validated), where the posted limit alone is off
by 38 % and one scale factor leaves 15.8 %. Those 870 times are not part of the project's data, so
the fit cannot be repeated here: its figures are defaults taken from the domain notes, and every
one of them is a field of the profile that a user can change.
"""

import hashlib
import math
import re
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.network import HOURS_PER_WEEK, KMH_PER_MPH, RoadClass, StreetFlag, StreetNetwork

UNREACHABLE_MS: Final = 2**30 - 1
"""Time of an edge that may not be driven; two of them still add up within int32."""

EDGE_MS_MAX: Final = 24 * 3600 * 1000
"""No open edge takes longer: beyond it the network's lengths or speeds are wrong."""

_UNPOSTED_MPH: Final[dict[RoadClass, float]] = {
    RoadClass.MOTORWAY: 60.0,
    RoadClass.MOTORWAY_LINK: 35.0,
    RoadClass.TRUNK: 35.0,
    RoadClass.TRUNK_LINK: 25.0,
    RoadClass.PRIMARY: 25.0,
    RoadClass.PRIMARY_LINK: 25.0,
    RoadClass.SECONDARY: 25.0,
    RoadClass.SECONDARY_LINK: 25.0,
    RoadClass.TERTIARY: 25.0,
    RoadClass.TERTIARY_LINK: 25.0,
    RoadClass.UNCLASSIFIED: 20.0,
    RoadClass.RESIDENTIAL: 20.0,
    RoadClass.LIVING_STREET: 10.0,
    RoadClass.SERVICE: 10.0,
}

UNPOSTED_KMH: Final = tuple(_UNPOSTED_MPH[road_class] * KMH_PER_MPH for road_class in RoadClass)
"""Speed where no limit is posted, km/h by `RoadClass`.

Seattle's defaults are 25 mph on arterials and 20 mph on other streets (Seattle Municipal Code
11.52); state highways 60 mph (Revised Code of Washington 46.61.400), used for motorways. Ramps,
trunk roads, living streets and service roads are an *assumption*.
"""


def _require(values: dict[str, float], *, zero: bool) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and (value > 0 or (zero and value == 0))):
            expected = "0 or more" if zero else "above 0"
            raise ValueError(f"{name} is {value}; expected a number {expected}")


def _require_each(name: str, values: tuple[float, ...], count: int) -> None:
    if len(values) != count:
        raise ValueError(f"{name} has {len(values)} values; expected {count}")
    _require({f"{name}[{place}]": value for place, value in enumerate(values)}, zero=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrivingProfile:
    """How somebody drives: what multiplies the time at the limit and what is added to it.

    The defaults are the fit named at the top of this module. With lights and sirens
    (`speed_factor` above 1) the time in motion is divided by the factor. An emergency vehicle
    still slows for a signal or a stop sign, so those delays are divided by the same factor and not
    removed (*assumption*); starting and parking take as long as ever (*assumption*).
    """

    name: str
    """`ROUTINE`, `EMERGENCY` or another name in capitals; becomes part of `weights_id`."""
    limit_time_factor: float = 1.1
    """Times the time at the limit."""
    signal_s: float = 10.5
    """Seconds for each traffic signal."""
    stop_s: float = 8.0
    """Seconds for each stop sign."""
    start_and_park_s: float = 60.0
    """Seconds once for each drive, whatever its length."""
    speed_factor: float = 1.0
    """Divides the time in motion and the delays; 1.3-1.4 with lights and sirens (JEMSS)."""
    unposted_kmh: tuple[float, ...] = UNPOSTED_KMH
    """Speed where no limit is posted, km/h, one for each `RoadClass`."""
    hour_factor: tuple[float, ...] = (1.0,) * HOURS_PER_WEEK
    """Times the time in motion and the delays, by local hour of the week (Monday 00 = 0).

    All 1.0 is an *assumption*: no free source says how Seattle's traffic varies by the hour."""
    gated_open: bool = False
    """Whether reversible lanes and what hangs on them may be driven."""
    private_open: bool = True
    """Whether streets barred to the public may be driven; responders may."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", self.name):
            raise ValueError(f"profile name {self.name!r}: use capitals, digits and '_' only")
        factors = {name: getattr(self, name) for name in ("limit_time_factor", "speed_factor")}
        delays = {name: getattr(self, name) for name in ("signal_s", "stop_s", "start_and_park_s")}
        _require(factors, zero=False)
        _require(delays, zero=True)
        _require_each("unposted_kmh", self.unposted_kmh, len(RoadClass))
        _require_each("hour_factor", self.hour_factor, HOURS_PER_WEEK)

    def weights_id(self, hour: int, closure_id: str) -> str:
        """Return the name of the weights of an hour of the week, such as `routine-5d0c1f-x1-c0`.

        Profile, a digest of its figures, the hour's factor and the version of the closures: hours
        with the same factor have the same times, and so the same name. `edge_times` adds what
        names the bans of the hour where a network has such.
        """
        figures = repr(astuple(replace(self, hour_factor=(1.0,) * HOURS_PER_WEEK)))
        digest = hashlib.sha256(figures.encode()).hexdigest()[:6]
        return f"{self.name.lower()}-{digest}-x{self.hour_factor[hour]:g}-c{closure_id}"


ROUTINE: Final = DrivingProfile(name="ROUTINE")
"""CARE always, and police without lights and sirens (Durham HEART; domain notes)."""

EMERGENCY: Final = DrivingProfile(name="EMERGENCY", speed_factor=1.35)
"""Lights and sirens: the middle of the published range of 1.3-1.4 (JEMSS city models)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClosedTimes:
    """What it takes to drive edges that closures have closed, for who is inside or must get in."""

    edges: NDArray[np.int32]
    """(n_closed,) in rising order; none that may not be driven without closures either."""
    move_ms: NDArray[np.int32]
    """(n_closed,) as `EdgeTimes.move_ms` if they were open."""
    end_ms: NDArray[np.int32]
    """(n_closed,) likewise."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EdgeTimes:
    """One set of weights: whole milliseconds for every edge of one network.

    Whoever drives an edge from tail to head pays `move_ms + end_ms`; whoever joins or leaves it
    part-way pays that share of `move_ms`, and `end_ms` only when driving on to the head.
    """

    move_ms: NDArray[np.int32]
    """(n_edges,) time in motion, at least 1; UNREACHABLE_MS on a closed edge."""
    end_ms: NDArray[np.int32]
    """(n_edges,) delay of the edge's signals and stop signs; 0 on a closed edge."""
    profile_name: str
    weights_id: str
    """Names the values: equal names, equal times. See `DrivingProfile.weights_id`."""
    paths_binding: NDArray[np.bool_]
    """(n_paths,) True for the banned paths of the network that bind now."""
    start_and_park_ms: int
    """Paid once for each drive."""
    closed: ClosedTimes | None = None
    """Of the edges that are closed by closures and by nothing else; None where there are none."""

    def __post_init__(self) -> None:
        self.move_ms.setflags(write=False)
        self.end_ms.setflags(write=False)
        self.paths_binding.setflags(write=False)


def hour_of_week(local: datetime) -> int:
    """Return the hour of the week, 0-167 with Monday 00 = 0, as the wall clock shows it.

    Parameters
    ----------
    local
        An instant in the city's own time zone; its wall clock is read as it stands. The hour that
        daylight saving repeats has the same number twice, the one it skips does not occur.
    """
    return 24 * local.weekday() + local.hour


def edge_times(
    network: StreetNetwork,
    profile: DrivingProfile,
    *,
    hour: int = 0,
    closed_edges: NDArray[np.bool_] | None = None,
    closure_id: str = "0",
    opened_lanes: NDArray[np.bool_] | None = None,
) -> EdgeTimes:
    """Return the time of every edge, and the bans that bind, for a profile, an hour and closures.

    Parameters
    ----------
    hour
        Local hour of the week, see `hour_of_week`.
    closed_edges
        (n_edges,) True where an edge may not be driven at all; None closes nothing.
    closure_id
        Names the set of closures within `weights_id`; '0' is none.
    opened_lanes
        (n_edges,) True where reversible lanes may be driven whatever the profile says; None opens
        none. What is closed as well stays closed.

    Raises
    ------
    ValueError
        When the hour or the closures do not fit, or an edge would take more than a day.
    """
    if not 0 <= hour < HOURS_PER_WEEK:
        raise ValueError(f"hour of the week is {hour}; expected 0 (Monday 00) to 167")
    barred = _barred(network, profile, opened_lanes)
    closed = barred if closed_edges is None else barred | _checked(network, closed_edges)
    kmh = np.array(profile.unposted_kmh)[network.street_class][network.edge_street]
    scale = 1000.0 * profile.hour_factor[hour] / profile.speed_factor
    at_limit_s = network.edge_posted_s + network.edge_unposted_m * 3.6 / kmh
    move = np.rint(at_limit_s * (profile.limit_time_factor * scale))
    delay_s = network.edge_signals * profile.signal_s + network.edge_stops * profile.stop_s
    end = np.rint(delay_s * scale)
    _require_plausible(network, move, end)
    binding = network.path_hours[:, hour].copy()
    move_ms, end_ms = np.maximum(move, 1).astype(np.int32), end.astype(np.int32)
    return EdgeTimes(
        move_ms=np.where(closed, np.int32(UNREACHABLE_MS), move_ms),
        end_ms=np.where(closed, np.int32(0), end_ms),
        profile_name=profile.name,
        weights_id=profile.weights_id(hour, closure_id) + bans_id(network, binding),
        paths_binding=binding,
        start_and_park_ms=round(1000 * profile.start_and_park_s),
        closed=_closed_times(closed & ~barred, move_ms, end_ms),
    )


def _closed_times(
    closed: NDArray[np.bool_], move_ms: NDArray[np.int32], end_ms: NDArray[np.int32]
) -> ClosedTimes | None:
    edges = np.flatnonzero(closed).astype(np.int32)
    if not len(edges):
        return None
    return ClosedTimes(edges=edges, move_ms=move_ms[edges], end_ms=end_ms[edges])


def bans_id(network: StreetNetwork, binding: NDArray[np.bool_]) -> str:
    """Return what bans by the hour add to `weights_id`, such as `-b7`: the bans of hour 7.

    The first hour of the week with these bans names them; nothing is added for those of hour 0.
    """
    first = int(np.argmax((network.path_hours == binding[:, None]).all(axis=0)))
    return f"-b{first}" if first else ""


def _barred(
    network: StreetNetwork, profile: DrivingProfile, opened_lanes: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """Return (n_edges,) which edges the profile may not drive, closures or not."""
    gated = np.zeros(network.n_edges, np.bool_)
    if not profile.gated_open:
        gated |= _flagged(network, StreetFlag.GATED)
    if opened_lanes is not None:
        gated &= ~_checked(network, opened_lanes, "opened_lanes")
    if not profile.private_open:
        gated |= _flagged(network, StreetFlag.PRIVATE)
    return gated


def _flagged(network: StreetNetwork, flag: StreetFlag) -> NDArray[np.bool_]:
    flagged = np.not_equal(network.street_flags & np.uint8(flag), 0)
    return np.asarray(flagged[network.edge_street])


def _checked(
    network: StreetNetwork, edges: NDArray[np.bool_], name: str = "closed_edges"
) -> NDArray[np.bool_]:
    if edges.shape != (network.n_edges,) or edges.dtype != np.bool_:
        raise ValueError(
            f"{name} is {edges.dtype} of shape {edges.shape}; expected bool of shape "
            f"({network.n_edges},), one for each edge of {network.source.network_id}"
        )
    return edges


def _require_plausible(
    network: StreetNetwork, move: NDArray[np.float64], end: NDArray[np.float64]
) -> None:
    total = move + end
    wrong = ~((total >= 0) & (total <= EDGE_MS_MAX))
    if wrong.any():
        edge = int(np.argmax(wrong))
        raise ValueError(
            f"edge {edge} on way {network.street_way_id[network.edge_street[edge]]} would take "
            f"{total[edge] / 1000:g} s; expected at most a day: check its length and its limit"
        )
