"""The situation of each hour of the week, made when a decision first asks for it.

What lives here: `HourSituations`, which makes a weight set once for each factor of the hour and set
of bans by the hour, and the same for the closures of another instant. What does not: which closures
hold when (`closures.schedule`), the roster and the labels of units (`live_view`).

Every decision of an hour reads the same situation, in whatever order and from whatever thread the
hours are asked for.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from threading import Lock, RLock
from typing import Final, overload

from api.closures.closed_sets import NOTHING_CLOSED, set_id_of
from geodata.closures import ClosedNow
from geodata.driving_time import EMERGENCY, ROUTINE, DrivingProfile, EdgeTimes, edge_times
from geodata.network import HOURS_PER_WEEK
from routing.codes import Eta
from routing.live import with_weights
from routing.model import Situation

Key = tuple[float, float, bytes]
SETS_MAX: Final = 4
"""Sets of closures whose weights are remembered beside those without any."""
CLOSED_HOURS_MAX: Final = 4
"""Weight sets that are remembered of one set of closures; two profiles take 37 MB for a city."""
_ALIKE: Final[Key] = (1.0, 1.0, b"")


class HourSituations(Sequence[Situation]):
    """(168,) situations without units, from Monday 00, local time.

    Hours with the same weights share one; with closures the latest few are remembered. An hour
    whose weights cannot be made keeps those of the hour before, and says so (rule 12).

    Parameters
    ----------
    situation
        That of hour 0 without closures; its streets, zones and policy are those of every hour.
    profiles
        How somebody drives, by name; None for a situation that is the same at every hour.
    closed
        What closures close.
    closed_hours_max
        Weight sets that are remembered of one set of closures.
    """

    def __init__(
        self,
        situation: Situation,
        profiles: Mapping[str, DrivingProfile] | None = None,
        closed: ClosedNow | None = None,
        *,
        closed_hours_max: int = CLOSED_HOURS_MAX,
    ) -> None:
        self.profiles = profiles
        self.closed_hours_max = closed_hours_max
        self.plain = situation
        """The situation where neither hour nor closures matter: streets, zones, policy."""
        self.closed = closed
        self._keys = _keys_of(situation, profiles)
        self._made: dict[Key, Situation] = {} if closed else {self._keys[0]: situation}
        self._making = RLock()
        self._sets = _Sets(self)

    @property
    def made(self) -> int:
        """How many weight sets were made."""
        return len(self._made)

    def __len__(self) -> int:
        """Return the number of hours of a week."""
        return HOURS_PER_WEEK

    @overload
    def __getitem__(self, hour: int) -> Situation: ...

    @overload
    def __getitem__(self, hour: slice) -> Sequence[Situation]: ...

    def __getitem__(self, hour: int | slice) -> Situation | Sequence[Situation]:
        """Return the situation of an hour of the week; the first time it takes some 30 ms."""
        if isinstance(hour, slice):
            return [self[one] for one in range(*hour.indices(HOURS_PER_WEEK))]
        key = self._keys[hour]
        found = self._made.get(key)
        return self._first(hour % HOURS_PER_WEEK, key) if found is None else found

    def __iter__(self) -> Iterator[Situation]:
        """Yield the situation of each hour; all that were not made yet are made."""
        return (self[hour] for hour in range(HOURS_PER_WEEK))

    def changed(self, change: Callable[[Situation], Situation]) -> "HourSituations":
        """Return the same weights with every situation changed, such as in its policy."""
        after = HourSituations(
            change(self.plain), self.profiles, self.closed, closed_hours_max=self.closed_hours_max
        )
        with self._making:
            after._made |= {key: change(one) for key, one in self._made.items()}
        return after

    def closing(self, closed: ClosedNow) -> "HourSituations":
        """Return the situations of the same hours with other closures; nothing is made yet.

        Where they were asked for lately, those are returned, with the weights that they have made.
        """
        wanted = closed if closed.n_active else None
        if wanted is None and self.closed is None:
            return self
        assert self.profiles is not None, "a situation of one decision has closures of its own"
        return self._sets.of(wanted, self._with)

    def _with(self, closed: ClosedNow | None) -> "HourSituations":
        found = HourSituations(
            self.plain, self.profiles, closed, closed_hours_max=self.closed_hours_max
        )
        found._sets = self._sets
        return found

    def _first(self, hour: int, key: Key) -> Situation:
        with self._making:  # who comes second waits, and finds what the first has made
            if key not in self._made:
                made = self._make(hour)
                # Closures that last for months would come to have the weights of every hour.
                if self.closed is not None and len(self._made) >= self.closed_hours_max:
                    del self._made[next(iter(self._made))]
                self._made[key] = made
            return self._made[key]

    def _make(self, hour: int) -> Situation:
        plain, profiles = self.plain, self.profiles
        if profiles is None or plain.rung is not Eta.ROAD or plain.travel_times is None:
            return _closing(plain, self.closed)
        try:
            urgent = plain.travel_times.reweighed(self._times(profiles[EMERGENCY.name], hour))
            found = with_weights(plain, self._times(profiles[ROUTINE.name], hour))
        except (ValueError, ArithmeticError, MemoryError):
            # At hour 0 what is left has no closures, and does not claim any.
            return replace(self[hour - 1] if hour else plain, rung=Eta.LAST_GOOD)
        return _closing(replace(found, emergency_times=urgent), self.closed)

    def _times(self, profile: DrivingProfile, hour: int) -> EdgeTimes:
        network, closed = self.plain.network, self.closed
        if closed is None:
            return edge_times(network, profile, hour=hour)
        is_urgent = profile.name == EMERGENCY.name
        return edge_times(
            network,
            profile,
            hour=hour,
            closed_edges=closed.closed_emergency if is_urgent else closed.closed_routine,
            closure_id=closed.closure_id,
            opened_lanes=closed.opened_lanes,
        )


class _Sets:
    """Situations by what is closed, the latest few."""

    def __init__(self, first: HourSituations) -> None:
        self._made = OrderedDict({set_id_of(first.closed): first})
        self._lock = Lock()

    def of(
        self, closed: ClosedNow | None, make: Callable[[ClosedNow | None], HourSituations]
    ) -> HourSituations:
        """Return those of a set of closures, made once while they are remembered."""
        set_id = set_id_of(closed)
        with self._lock:
            found = self._made.get(set_id)
            if found is None:
                found = make(closed)
            self._made[set_id] = found
            self._made.move_to_end(set_id)
            for oldest in [one for one in self._made if one != NOTHING_CLOSED][:-SETS_MAX]:
                del self._made[oldest]
            return found


def _closing(situation: Situation, closed: ClosedNow | None) -> Situation:
    """Return the situation that says what is closed; its weights must say the same."""
    n_active = 0 if closed is None else closed.n_active
    if closed is situation.closed and situation.versions.closures_active == n_active:
        return situation
    versions = replace(situation.versions, closures_active=n_active)
    return replace(situation, closed=closed, versions=versions)


def _keys_of(situation: Situation, profiles: Mapping[str, DrivingProfile] | None) -> list[Key]:
    """Return for each hour what its weights are made of; equal keys, equal weights."""
    if profiles is None or situation.rung is not Eta.ROAD:
        return [_ALIKE] * HOURS_PER_WEEK
    routine, emergency = profiles[ROUTINE.name], profiles[EMERGENCY.name]
    bans = situation.network.path_hours
    return [
        (routine.hour_factor[hour], emergency.hour_factor[hour], bans[:, hour].tobytes())
        for hour in range(HOURS_PER_WEEK)
    ]
