"""How many past calls a draft gains and loses, by zone and by call type.

What lives here: `Change` and its tables. Every count is of calls of the whole period; a week's
is that by the weeks of the period. What does not: what makes a call count (`judging.Level`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.impact.judging import NOWHERE, Judged, Level
from geodata.call_history import NO_TYPE, CallHistory

LEVELS: Final = (Level.IN_AREA, Level.IN_HOURS, Level.ELIGIBLE)
NO_TYPE_TEXT: Final = "(none told)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Calls of one group, such as a zone, under the live release and under the draft.

    draft = live + gained + moved_in - lost - moved_out
    """

    live: int
    draft: int
    gained: int
    """Counted under the draft, here, and under the live release nowhere."""
    lost: int
    """Counted under the live release, here, and under the draft nowhere."""
    moved_in: int
    """Counted under both, under the draft here, under the live release in another zone."""
    moved_out: int

    @property
    def is_nothing(self) -> bool:
        """Whether no call counts here under either."""
        return not (self.live or self.draft)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One row of a table: a zone, a call type, or both, with its change at every level."""

    zone_id: str | None
    call_type: str | None
    change: tuple[Change, ...]
    """By `LEVELS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Every table."""

    total: Group
    by_zone: tuple[Group, ...]
    by_type: tuple[Group, ...]
    by_zone_and_type: tuple[Group, ...]
    waits: tuple[int, int]
    """Calls that would be held until the hours begin, live and draft; not among the eligible."""


def count(history: CallHistory, live: Judged, draft: Judged) -> Counts:
    """Return the tables of calls gained and lost."""
    zones = sorted({*live.zone, *draft.zone} - {NOWHERE})
    place = {zone: number for number, zone in enumerate(zones)}
    at = [np.array([place.get(zone, 0) for zone in one.zone], np.int64) for one in (live, draft)]
    types = (*history.types, NO_TYPE_TEXT)
    kind = np.where(history.type_number == NO_TYPE, len(types) - 1, history.type_number)
    kind = kind.astype(np.int64)
    both = [where * len(types) + kind for where in at]
    nothing = np.zeros(len(history), np.int64)
    moved = at[0] != at[1]
    (total,) = _groups((live, draft), (nothing, nothing), moved, [(None, None)])
    names = [(zone, text) for zone in zones for text in types]
    return Counts(
        total=total,
        by_zone=tuple(_groups((live, draft), (at[0], at[1]), moved, [(z, None) for z in zones])),
        by_type=_told(_groups((live, draft), (kind, kind), moved, [(None, t) for t in types])),
        by_zone_and_type=_told(_groups((live, draft), (both[0], both[1]), moved, names)),
        waits=(int(live.waits.sum()), int(draft.waits.sum())),
    )


def _told(groups: Iterator[Group]) -> tuple[Group, ...]:
    """Return the groups in which any call counts, those of most calls first."""
    some = [group for group in groups if not group.change[0].is_nothing]
    order = sorted(some, key=lambda g: (-max(g.change[0].live, g.change[0].draft), str(g)))
    return tuple(order)


Pair = tuple[NDArray[np.int64], NDArray[np.int64]]


def _groups(
    judged: tuple[Judged, Judged],
    at: Pair,
    moved: NDArray[np.bool_],
    names: Sequence[tuple[str | None, str | None]],
) -> Iterator[Group]:
    """Yield the changes of groups, of which `at` says each call's, live and draft."""
    columns = [_changes(judged, at, moved, len(names), level) for level in LEVELS]
    for number, (zone, text) in enumerate(names):
        change = tuple(column[number] for column in columns)
        yield Group(zone_id=zone, call_type=text, change=change)


def _changes(
    judged: tuple[Judged, Judged], at: Pair, moved: NDArray[np.bool_], n: int, level: Level
) -> list[Change]:
    live, draft = (one.level >= level for one in judged)
    elsewhere = live & draft & moved

    def each(where: NDArray[np.int64], which: NDArray[np.bool_]) -> list[int]:
        counted: list[int] = np.bincount(where[which], minlength=n).tolist()
        return counted

    columns = (
        each(at[0], live), each(at[1], draft), each(at[1], draft & ~live),
        each(at[0], live & ~draft), each(at[1], elsewhere), each(at[0], elsewhere),
    )  # fmt: skip
    return [
        Change(live=a, draft=b, gained=c, lost=d, moved_in=e, moved_out=f)
        for a, b, c, d, e, f in zip(*columns, strict=True)
    ]
