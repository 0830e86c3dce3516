"""The measures of a day of a store, and the same as text for a terminal."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from api.measures.day import DayMeasures, DelaySpread, PoliceAloneAssumption, measure_day
from api.measures.rows import bounds, read_calls, read_overrides
from api.settings import Settings
from api.store.database import Database


def assumption_of(settings: Settings) -> PoliceAloneAssumption:
    """Return what the settings assume of police without CARE."""
    low_s, high_s = sorted((settings.police_alone_low_s, settings.police_alone_high_s))
    return PoliceAloneAssumption(
        police_alone_low_s=low_s,
        police_alone_high_s=high_s,
        officers_per_unit=settings.officers_per_unit,
    )


def read_day(
    database: Database, day: date, zone: str, assumption: PoliceAloneAssumption
) -> DayMeasures:
    """Return the measures of a local day."""
    begin, end = bounds(day, ZoneInfo(zone))
    with database.reading() as connection:
        calls = read_calls(connection, begin, end)
        overrides = read_overrides(connection, begin, end)
    return measure_day(day, zone, calls, overrides, assumption)


def as_lines(day: DayMeasures) -> Iterator[str]:
    """Yield the measures as lines of text."""
    care, saved, handover = day.calls_by_care, day.officer_time_saved_net, day.officer_handover
    yield f"{day.date} ({day.time_zone}): {day.calls} calls with a unit assigned"
    yield (
        f"Calls answered by CARE: {care.total} ({care.with_police} with police, {care.alone} alone)"
    )
    yield f"Response, queued to first at scene: {_spread(day.response)}"
    yield f"Pair gap, CARE - SPD at scene: {_spread(day.pair_gap)}"
    of_handover = DelaySpread(calls=handover.calls, p50_s=handover.p50_s, p90_s=handover.p90_s)
    yield (
        f"Officer handover, CARE cleared - SPD released: {_spread(of_handover)}, "
        f"{_minutes(handover.total_s)} in all; {handover.calls_not_measured} not measured"
    )
    told = saved.assumption
    yield (
        f"Officer time saved, net: {_minutes(saved.mid_s)} "
        f"({_minutes(saved.low_s)} to {_minutes(saved.high_s)}) on {saved.calls} calls, "
        f"{saved.calls_not_measured} not measured"
    )
    yield (
        f"  assuming that police alone spend {_minutes(told.police_alone_low_s)} to "
        f"{_minutes(told.police_alone_high_s)} a unit, {told.officers_per_unit:g} officers each"
    )
    for reason in day.overrides:
        turned = ", ".join(f"{count} {state}" for state, count in reason.turned_out.items())
        yield f"Overrides for {reason.reason}: {reason.total} ({turned})"


def _spread(spread: DelaySpread) -> str:
    if spread.p50_s is None or spread.p90_s is None:
        return "not measured"
    return f"p50 {_minutes(spread.p50_s)}, p90 {_minutes(spread.p90_s)} of {spread.calls} calls"


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.1f} min"
