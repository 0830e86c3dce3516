"""The situation of each hour of the week, made when a decision first asks for it.

What lives here: `HourSituations`, which makes a weight set once for each factor of the hour and set
of bans by the hour. What does not: the roster and the labels of units (`live_view`).

Every decision of an hour reads the same situation, in whatever order and from whatever thread the
hours are asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from threading import RLock
from typing import Any, Final, overload

from geodata.driving_time import EMERGENCY, ROUTINE, DrivingProfile, edge_times
from geodata.network import HOURS_PER_WEEK
from routing.codes import Eta
from routing.live import with_weights
from routing.model import Situation

Key = tuple[float, float, bytes]
_ALIKE: Final[Key] = (1.0, 1.0, b"")


class HourSituations(Sequence[Situation]):
    """(168,) situations without units, from Monday 00, local time.

    Hours with the same weights share one. An hour whose weights cannot be made keeps those of the
    hour before, and says so (rule 12).

    Parameters
    ----------
    situation
        That of hour 0; its streets, zones and policy are those of every hour.
    profiles
        How somebody drives, by name; None for a situation that is the same at every hour.
    """

    def __init__(
        self, situation: Situation, profiles: Mapping[str, DrivingProfile] | None = None
    ) -> None:
        self.profiles = profiles
        self._keys = _keys_of(situation, profiles)
        self._made: dict[Key, Situation] = {self._keys[0]: situation}
        self._making = RLock()

    @property
    def plain(self) -> Situation:
        """The situation where the hour does not matter: streets, zones, policy."""
        return self._made[self._keys[0]]

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
        return self._first(hour, key) if found is None else found

    def __iter__(self) -> Iterator[Situation]:
        """Yield the situation of each hour; all that were not made yet are made."""
        return (self[hour] for hour in range(HOURS_PER_WEEK))

    def changed(self, **fields: Any) -> "HourSituations":
        """Return the same weights with other fields of every situation, such as its policy."""
        with self._making:
            made = {key: replace(one, **fields) for key, one in self._made.items()}
        after = HourSituations(made[self._keys[0]], self.profiles)
        after._made = made
        return after

    def _first(self, hour: int, key: Key) -> Situation:
        with self._making:  # who comes second waits, and finds what the first has made
            if key not in self._made:
                self._made[key] = self._make(hour % HOURS_PER_WEEK)
            return self._made[key]

    def _make(self, hour: int) -> Situation:
        assert self.profiles is not None, "hours that are alike share one situation"
        plain = self.plain
        times = plain.travel_times
        assert times is not None, "no drive times are loaded"
        routine, emergency = self.profiles[ROUTINE.name], self.profiles[EMERGENCY.name]
        try:
            urgent = times.reweighed(edge_times(plain.network, emergency, hour=hour))
            found = with_weights(plain, edge_times(plain.network, routine, hour=hour))
        except (ValueError, ArithmeticError, MemoryError):
            return replace(self[hour - 1], rung=Eta.LAST_GOOD)
        return replace(found, emergency_times=urgent)


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
