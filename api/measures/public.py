"""What may be told to the public of a day: no count below five, nor what gives one away.

A small count may point at a person. So a table is told whole or, where one of its counts is below
`CELL_MIN`, by its total alone, and not even that where the total is small. Leaving out the small
count and the next smallest is not enough: whoever knows which are left out, and why, can often tell
them from the total (`tests/api/measures/test_public.py` tries every table there is). How many calls
a percentile was made of is not told either, because differences of such numbers are counts.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from msgspec import Struct

from api.measures.day import DayMeasures, DelaySpread
from routing.codes import ReasonCode

CELL_MIN: Final = 5
MINUTE_S: Final = 60


class CountTable(Struct, frozen=True, kw_only=True):
    """Counts that add up to a total; None is left out."""

    cells: dict[str, int | None]
    total: int | None


class PublicDelaySpread(Struct, frozen=True, kw_only=True):
    """Percentiles in whole minutes; None where they are of fewer than `CELL_MIN` calls."""

    p50_min: int | None
    p90_min: int | None


class PublicMeasures(Struct, frozen=True, kw_only=True):
    """The measures of one past day for a public dashboard."""

    date: date
    time_zone: str
    cell_min: int
    calls_by_care: CountTable
    overrides_by_reason: CountTable
    response: PublicDelaySpread
    pair_gap: PublicDelaySpread
    officer_handover: PublicDelaySpread


def without_small(cells: Mapping[str, int]) -> CountTable:
    """Return counts and their total, or without the counts where one is small."""
    total = sum(cells.values())
    is_whole = all(count >= CELL_MIN for count in cells.values())
    return CountTable(
        cells={name: count if is_whole else None for name, count in cells.items()},
        total=total if total >= CELL_MIN else None,
    )


def public(day: DayMeasures) -> PublicMeasures:
    """Return what may be told to the public of a day."""
    care = day.calls_by_care
    handover = day.officer_handover
    calls = without_small({"with_police": care.with_police, "alone": care.alone})
    # Percentiles of a count that is left out would tell that it is not small.
    of_all, of_pairs = calls.total is not None, calls.cells["with_police"] is not None
    reasons = dict.fromkeys(map(str, ReasonCode), 0)
    return PublicMeasures(
        date=day.date,
        time_zone=day.time_zone,
        cell_min=CELL_MIN,
        calls_by_care=calls,
        overrides_by_reason=without_small(reasons | {o.reason: o.total for o in day.overrides}),
        response=_minutes(day.response, may_show=of_all),
        pair_gap=_minutes(day.pair_gap, may_show=of_pairs),
        officer_handover=_minutes(
            DelaySpread(calls=handover.calls, p50_s=handover.p50_s, p90_s=handover.p90_s),
            may_show=of_pairs,
        ),
    )


def _minutes(spread: DelaySpread, *, may_show: bool) -> PublicDelaySpread:
    if not may_show or spread.calls < CELL_MIN or spread.p50_s is None or spread.p90_s is None:
        return PublicDelaySpread(p50_min=None, p90_min=None)
    return PublicDelaySpread(p50_min=_whole(spread.p50_s), p90_min=_whole(spread.p90_s))


def _whole(seconds: int) -> int:
    return (seconds + MINUTE_S // 2) // MINUTE_S
