"""Drive-time surfaces over every street, what lies within X minutes, and isochrones along streets.

    care = surface_from(times, care_posts, delay_ms=...)
    pair_ms = np.maximum(care.ms_at(calls), spd.ms_at(calls))
    shares_of_points(pair_ms, weights)

What lives here: `Surface` (the least time from some places to any point of any street), `Pieces`
(streets cut into stretches), and shares by weight and by length, of one kind of unit and of the
pair. What does not: which places, which demand and which minutes: those are the caller's.

A pair has arrived when both have, so the time of the pair is the larger of the two. Times are
milliseconds; UNREACHABLE_MS where nobody can come. Every unit is taken to be free.

Points inside closures are reached as a decision has it, over what is closed from the nearest open
end. Stretches that are closed, or that closures cut off, count as never reached.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.driving_time import UNREACHABLE_MS
from geodata.network import NO_EDGE, StreetNetwork
from geodata.snap import NO_INCIDENT, NO_STREET, Position, Positions
from routing.travel_time import TravelTimes, UnitLabels

Ints = NDArray[np.int32]
Reals = NDArray[np.float64]

SIDES: Final = (0, 1)
"""Along and against the drawing direction of a street."""
UNREACHED: Final = 1e12
"""Milliseconds to a stretch that nobody reaches, as a real number that sums stay below."""


# -- points ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """The least time from any of some places to every point of every street; by `surface_from`."""

    network: StreetNetwork
    weights_id: str
    move_ms: Ints
    """(n_edges,) of the weight set."""
    begin_ms: Ints
    """(n_edges,) least time until an edge may be begun at its tail, delay included."""
    origins: Positions
    delay_ms: int
    """Before anybody moves, and for parking: turnout, start and park."""
    closed: tuple[TravelTimes, UnitLabels] | None = None
    """Times and the labels of the origins, where anything is closed."""

    def ms_at(self, places: Positions) -> Ints:
        """Return (n_places,) least times to where incidents are, exactly as `drive_ms` has them."""
        least = np.full(len(places), UNREACHABLE_MS, np.int64)
        ends = [self._driven(places, side) for side in SIDES]
        for is_open, edge, used in ends:
            reached = np.where(is_open, self.begin_ms[edge] + used, UNREACHABLE_MS)
            np.minimum(least, reached, out=least)
        for row in np.flatnonzero(np.isin(self.origins.street, places.street)).tolist():
            self._straight(self.origins[row], places, ends, least)
        if self.closed is not None:
            self._near_closures(*self.closed, places, least)
        return np.minimum(least, UNREACHABLE_MS).astype(np.int32)

    def _near_closures(
        self, times: TravelTimes, labels: UnitLabels, places: Positions, least: NDArray[np.int64]
    ) -> None:
        """Set the times of places where closures change by what a place is reached."""
        touched = times.touched_streets[places.street] & (places.street != NO_STREET)
        for row in np.flatnonzero(touched).tolist() if len(labels) else ():
            least[row] = int(times.drive_ms(labels, places[row]).min()) + self.delay_ms

    def _driven(
        self, places: Positions, side: int
    ) -> tuple[NDArray[np.bool_], Ints, NDArray[np.int64]]:
        """Return whether each place is reached in a direction, its edge, and ms along that edge."""
        column = (self.network.street_along, self.network.street_against)[side]
        edge = np.where(places.street != NO_STREET, column[places.street], np.int32(NO_EDGE))
        share = places.fraction if side == 0 else 1.0 - places.fraction
        move = self.move_ms[edge].astype(np.int64)
        is_open = (edge != NO_EDGE) & (places.leaves >> side & 1 != 0) & (move < UNREACHABLE_MS)
        return is_open, edge, np.floor(share * move + 0.5).astype(np.int64)

    def _straight(
        self,
        origin: Position,
        places: Positions,
        ends: Sequence[tuple[NDArray[np.bool_], Ints, NDArray[np.int64]]],
        least: NDArray[np.int64],
    ) -> None:
        """Lower the times of places on an origin's own street to those straight along it."""
        if origin.street == NO_STREET:
            return
        rows = np.flatnonzero(places.street == origin.street)
        for side, (is_open, edge, used) in enumerate(ends):
            ahead = (places.fraction[rows] - origin.fraction) * (1 - 2 * side) >= 0
            there = rows[ahead & is_open[rows]]
            if not origin.leaves >> side & 1 or not len(there):
                continue
            share = origin.fraction if side == 0 else 1.0 - origin.fraction
            begun = int(np.floor(share * self.move_ms.item(int(edge[there[0]])) + 0.5))
            least[there] = np.minimum(least[there], used[there] - begun + self.delay_ms)


def surface_from(times: TravelTimes, origins: Positions, delay_ms: int = 0) -> Surface:
    """Return the least time from any of these places to every point of every street.

    One sweep of the network for each place: about a millisecond in a city.

    Parameters
    ----------
    delay_ms
        Added to every time, such as turnout and `start_and_park_ms`.
    """
    least = np.full(times.network.n_edges, UNREACHABLE_MS, np.int32)
    for origin in origins:
        np.minimum(least, times.ms_to_edges(origin), out=least)
    delayed = np.minimum(least.astype(np.int64) + delay_ms, UNREACHABLE_MS).astype(np.int32)
    return Surface(
        network=times.network,
        weights_id=times.weights_id,
        move_ms=times.edge_times.move_ms,
        begin_ms=np.where(least >= UNREACHABLE_MS, np.int32(UNREACHABLE_MS), delayed),
        origins=origins,
        delay_ms=delay_ms,
        closed=(times, times.unit_labels(origins)) if times.has_closures else None,
    )


def as_targets(times: TravelTimes, places: Positions) -> Positions:
    """Return places as a decision takes them: one at a junction is reached by all its streets."""
    rows = np.flatnonzero((places.fraction == 0.0) | (places.fraction == 1.0)).tolist()
    moved = {row: times.at_junction(places[row]) for row in rows}
    return Positions.of(*(moved.get(row, place) for row, place in enumerate(places)))


# -- stretches ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """Stretches of streets, from one share of the length to another; by `cut_streets`."""

    network: StreetNetwork
    street: Ints
    """(n_pieces,)"""
    low: Reals
    """(n_pieces,) share of the street's length, in drawing direction, where the stretch begins."""
    high: Reals
    """(n_pieces,) where it ends."""

    def __len__(self) -> int:
        return len(self.street)

    @property
    def length_m(self) -> Reals:
        """(n_pieces,) metres."""
        return self.network.street_length_m[self.street] * (self.high - self.low)

    def only(self, rows: NDArray[np.bool_]) -> "Pieces":
        """Return some of them."""
        return Pieces(
            network=self.network, street=self.street[rows], low=self.low[rows], high=self.high[rows]
        )


def middle_points(pieces: Pieces) -> tuple[Reals, Reals]:
    """Return lon and lat of the middle of each stretch, (n_pieces,) degrees each."""
    net = pieces.network
    begin_m = np.concatenate(([0.0], np.cumsum(net.street_length_m + 1.0)))[:-1]
    owner = np.repeat(np.arange(net.n_streets), np.diff(net.street_point_first))
    at = net.point_m + begin_m[owner]  # rises from the first to the last street
    middle_m = 0.5 * (pieces.low + pieces.high) * net.street_length_m[pieces.street]
    wanted = middle_m + begin_m[pieces.street]
    return np.interp(wanted, at, net.point_lon), np.interp(wanted, at, net.point_lat)


Cuts = tuple[Ints, Reals]
"""(n,) streets and the shares of their length at which they are cut."""


def cut_streets(network: StreetNetwork, streets: Ints, *cuts: Cuts) -> Pieces:
    """Return streets in stretches, cut at some places, such as origins and edges of a zone."""
    street = np.concatenate([streets, streets, *(c[0] for c in cuts)]).astype(np.int32)
    ends = np.repeat([0.0, 1.0], len(streets))
    share = np.concatenate([ends, *(np.clip(c[1], 0.0, 1.0) for c in cuts)])
    order = np.lexsort((share, street))
    street, share = street[order], share[order]
    whole = (street[1:] == street[:-1]) & (share[1:] > share[:-1])
    whole &= np.isin(street[1:], streets)
    return Pieces(
        network=network, street=street[1:][whole], low=share[:-1][whole], high=share[1:][whole]
    )


def incident_streets(network: StreetNetwork) -> Ints:
    """Return the streets on which an incident can be: no motorway, ramp, tunnel or gate."""
    return np.flatnonzero((network.street_flags & NO_INCIDENT) == 0).astype(np.int32)


def cuts_at(surface: Surface) -> Cuts:
    """Return the places of a surface's origins, where the time along a street has a bend."""
    return surface.origins.street, surface.origins.fraction


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PieceTimes:
    """Times along stretches, (n_pieces,) milliseconds each: straight lines from both ends."""

    low_ms: Reals
    """When the low end is left towards the high one; UNREACHED for never."""
    along_ms: Reals
    """From the low to the high end."""
    high_ms: Reals
    """When the high end is left towards the low one."""
    against_ms: Reals
    """From the high to the low end."""

    @property
    def middle_ms(self) -> Reals:
        """(n_pieces,) when the middle of each stretch is reached, from the nearer end."""
        return np.minimum(self.low_ms + 0.5 * self.along_ms, self.high_ms + 0.5 * self.against_ms)

    def reached(self, ms: float) -> tuple[Reals, Reals]:
        """Return the shares of each stretch that are reached within a time, from low and from high.

        A stretch that is reached all over is reached from its low end.
        """
        low = np.clip((ms - self.low_ms) / self.along_ms, 0.0, 1.0)
        high = np.clip((ms - self.high_ms) / self.against_ms, 0.0, 1.0)
        whole = low + high >= 1.0
        return np.where(whole, 1.0, low), np.where(whole, 0.0, high)


def times_over(surface: Surface, pieces: Pieces) -> PieceTimes:
    """Return the times along stretches, which must have been cut at the surface's origins."""
    found = []
    for side in SIDES:
        column = (surface.network.street_along, surface.network.street_against)[side]
        edge = column[pieces.street]
        move = surface.move_ms[edge].astype(np.float64)
        is_open = (edge != NO_EDGE) & (move < UNREACHABLE_MS)
        behind = pieces.low if side == 0 else 1.0 - pieces.high
        begin = surface.begin_ms[edge].astype(np.float64)
        start = np.where(begin < UNREACHABLE_MS, begin + behind * move, UNREACHED)
        _leave_from_origins(surface, pieces, side, move, start)
        found.append(np.where(is_open, start, UNREACHED))
        found.append(np.maximum(move * (pieces.high - pieces.low), 1e-9))
    return PieceTimes(low_ms=found[0], along_ms=found[1], high_ms=found[2], against_ms=found[3])


def _leave_from_origins(
    surface: Surface, pieces: Pieces, side: int, move: Reals, start: Reals
) -> None:
    """Lower the times at which stretches of an origin's own street are begun."""
    for origin in surface.origins:
        if origin.street == NO_STREET:
            continue
        rows = np.flatnonzero(pieces.street == origin.street)
        inside = (pieces.low[rows] < origin.fraction) & (origin.fraction < pieces.high[rows])
        assert not inside.any(), "a stretch that was not cut at an origin"
        if not origin.leaves >> side & 1:
            continue
        gap = (
            pieces.low[rows] - origin.fraction if side == 0 else origin.fraction - pieces.high[rows]
        )
        there = rows[gap >= 0]
        straight = gap[gap >= 0] * move[there] + surface.delay_ms
        start[there] = np.minimum(start[there], straight)


def stretches_within(kinds: Sequence[PieceTimes], ms: float) -> tuple[Ints, Reals, Reals]:
    """Return what every one of some kinds reaches within a time: piece, and shares from and to.

    Shares are of the piece, from its low to its high end; no two stretches overlap.
    """
    rows = np.arange(len(kinds[0].low_ms), dtype=np.int32)
    low, high = kinds[0].reached(ms)
    begin = np.concatenate((np.zeros(len(rows)), 1.0 - high))
    end = np.concatenate((low, np.ones(len(rows))))
    piece = np.concatenate((rows, rows))
    for other in kinds[1:]:
        low, high = other.reached(ms)
        first = (begin, np.minimum(end, low[piece]))
        last = (np.maximum(begin, 1.0 - high[piece]), end)
        begin = np.concatenate((first[0], last[0]))
        end = np.concatenate((first[1], last[1]))
        piece = np.concatenate((piece, piece))
        some = end > begin
        begin, end, piece = begin[some], end[some], piece[some]
    some = end > begin
    return piece[some], begin[some], end[some]


def metres_within(pieces: Pieces, kinds: Sequence[PieceTimes], ms: float) -> Reals:
    """Return (n_pieces,) metres of each stretch that every one of some kinds reaches in time."""
    piece, begin, end = stretches_within(kinds, ms)
    share = np.bincount(piece, weights=end - begin, minlength=len(pieces))
    return share * pieces.length_m


def isochrone(pieces: Pieces, kinds: Sequence[PieceTimes], ms: float) -> list[Reals]:
    """Return the lines along streets that are reached within a time, (n, 2) lon and lat each.

    They follow the streets and end part-way along them: there is no hull, and nothing over water.
    """
    piece, begin, end = stretches_within(kinds, ms)
    wide = pieces.high[piece] - pieces.low[piece]
    low, high = pieces.low[piece] + begin * wide, pieces.low[piece] + end * wide
    streets = pieces.street[piece]
    return [
        stretch_line(pieces.network, *stretch)
        for stretch in zip(streets.tolist(), low.tolist(), high.tolist(), strict=True)
    ]


def stretch_line(network: StreetNetwork, street: int, low: float, high: float) -> Reals:
    """Return the line of a street between two shares of its length, (n, 2) lon and lat."""
    part = slice(network.street_point_first[street], network.street_point_first[street + 1])
    metres, total = network.point_m[part], network.street_length_m.item(street)
    inside = (metres > low * total) & (metres < high * total)
    at = np.concatenate(([low * total], metres[inside], [high * total]))
    lon, lat = network.point_lon[part], network.point_lat[part]
    return np.column_stack((np.interp(at, metres, lon), np.interp(at, metres, lat)))


# -- shares ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How much of something is reached by when."""

    total: float
    """All of it: calls, metres or square metres; the whole that the shares are of."""
    within: tuple[float, ...]
    """Share reached within each of the times asked for, 0 to 1."""
    p50_s: float | None
    """Seconds within which half of it is reached; None where that never is."""
    p90_s: float | None
    unreached: float
    """Share that nobody reaches."""


LONGEST_MS: Final = 24 * 3600 * 1000
"""What takes longer than a day counts as unreached."""


def shares_of_points(ms: Ints, weight: Reals, within_s: Sequence[float]) -> Shares:
    """Return the shares of points with weights, such as calls, by the times to them.

    Parameters
    ----------
    ms
        (n_points,) of one kind, or of the pair: the larger of both.
    weight
        (n_points,) 0 or more.
    """
    order = np.argsort(ms, kind="stable")
    sorted_ms, so_far = ms[order], np.cumsum(weight[order])
    total = float(so_far[-1]) if len(so_far) else 0.0

    def reached(limit_ms: float) -> float:
        count = int(np.searchsorted(sorted_ms, limit_ms, side="right"))
        return float(so_far[count - 1]) if count else 0.0

    return _shares(reached, total, within_s)


def shares_of_streets(
    pieces: Pieces, kinds: Sequence[PieceTimes], within_s: Sequence[float]
) -> Shares:
    """Return the shares of the length of stretches that every one of some kinds reaches in time."""
    total = float(pieces.length_m.sum())

    def reached(limit_ms: float) -> float:
        return float(metres_within(pieces, kinds, limit_ms).sum())

    return _shares(reached, total, within_s)


def _shares(reached: Callable[[float], float], total: float, within_s: Sequence[float]) -> Shares:
    """Return the shares by a function that says how much is reached within milliseconds."""
    whole = total or 1.0
    return Shares(
        total=total,
        within=tuple(reached(1000.0 * limit_s) / whole for limit_s in within_s),
        p50_s=_reached_at(reached, 0.5 * total),
        p90_s=_reached_at(reached, 0.9 * total),
        unreached=(1.0 - reached(LONGEST_MS) / whole) if total else 0.0,
    )


def _reached_at(reached: Callable[[float], float], amount: float) -> float | None:
    """Return the least time, in seconds to a millisecond, by which so much is reached, or None."""
    wanted = amount * (1.0 - 1e-12)
    if amount <= 0.0 or reached(LONGEST_MS) < wanted:
        return None
    low, high = -1, LONGEST_MS
    while high - low > 1:
        middle = (low + high) // 2
        if reached(middle) >= wanted:
            high = middle
        else:
            low = middle
    return high / 1000.0
