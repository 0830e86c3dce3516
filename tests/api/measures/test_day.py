"""The measures of a day equal what pandas makes of the same rows, and say what they mean."""

import datetime as dt
import math
from typing import Any

import pandas as pd
import pytest

from api.measures.day import (
    CallOfDay,
    DayMeasures,
    OverrideOfDay,
    PoliceAloneAssumption,
    UnitOnCall,
    measure_day,
)  # fmt: skip
from api.measures.report import as_lines, read_day
from api.measures.rows import bounds
from tests.api.measures.days import DAY, ZONE, keep, made
from tests.api.store.engines import DATABASES, SHARED

AT = dt.datetime(2026, 7, 21, 20, tzinfo=dt.UTC)
ASSUMED = PoliceAloneAssumption()


def half_up(seconds: float) -> int:
    return math.floor(seconds + 0.5)


def spread(seconds: "pd.Series[Any]") -> tuple[int, int | None, int | None]:
    known = seconds.dropna()
    if known.empty:
        return 0, None, None
    ranks = known.quantile([0.5, 0.9], interpolation="nearest") if len(known) == 1 else None
    ordered = sorted(known)
    if ranks is not None:
        return 1, half_up(ordered[0]), half_up(ordered[0])
    at = [ordered[math.ceil(len(ordered) * tenths / 10) - 1] for tenths in (5, 9)]
    return len(known), half_up(at[0]), half_up(at[1])


def by_pandas(units: Any) -> dict[str, Any]:
    """Work the measures out anew, from one table with a row for each unit of each call."""
    table = pd.DataFrame(units)
    for name in ("queued", "assigned", "on_scene", "cleared", "spd_released"):
        table[name] = pd.to_datetime(table[name], utc=True)
    first = table.groupby("call").assigned.transform("min").dt.tz_convert("America/Los_Angeles")
    table = table[first.dt.date == DAY]
    table["out"] = table.spd_released.fillna(table.cleared)
    there = table[table.on_scene.notna()]
    by = {who: there[there.agency == who].groupby("call") for who in ("CARE", "SPD")}
    care, police = sorted(by["CARE"].groups), by["SPD"].groups
    pairs = [call for call in care if call in police]
    whole = {who: g.on_scene.count().index[~g.apply(lambda rows, c=column: rows[c].isna().any())]
             if len(g) else [] for who, g, column in
             (("CARE", by["CARE"], "cleared"), ("SPD", by["SPD"], "out"))}  # fmt: skip
    both = [call for call in pairs if call in set(whole["CARE"]) & set(whole["SPD"])]
    seconds = lambda series: series.dt.total_seconds()  # noqa: E731
    response = seconds(
        (there.groupby("call").on_scene.min() - there.groupby("call").queued.min())[care]
    )
    gap = seconds(by["CARE"].on_scene.min()[pairs] - by["SPD"].on_scene.min()[pairs])
    handover = seconds(by["CARE"].cleared.max()[both] - by["SPD"].out.max()[both])
    measured = [call for call in care if call not in pairs or call in set(whole["SPD"])]
    spent = there[(there.agency == "SPD") & there.call.isin(measured)]
    units_sent = sum(max(1, int((spent.call == call).sum())) for call in measured)
    actual = float(seconds(spent.out - spent.on_scene).sum())
    return {
        "calls": table.call.nunique(),
        "by_care": (len(care), len(pairs), len(care) - len(pairs)),
        "response": spread(response),
        "gap": spread(gap),
        "handover": (*spread(handover), half_up(float(handover.sum())), len(pairs) - len(both)),
        "saved": tuple(half_up(units_sent * s - actual) for s in (1800, 2250, 2700)),
        "measured": (len(measured), len(care) - len(measured)),
    }


def told(day: DayMeasures) -> dict[str, Any]:
    care, hand, saved = day.calls_by_care, day.officer_handover, day.officer_time_saved_net
    return {
        "calls": day.calls,
        "by_care": (care.total, care.with_police, care.alone),
        "response": (day.response.calls, day.response.p50_s, day.response.p90_s),
        "gap": (day.pair_gap.calls, day.pair_gap.p50_s, day.pair_gap.p90_s),
        "handover": (hand.calls, hand.p50_s, hand.p90_s, hand.total_s, hand.calls_not_measured),
        "saved": (saved.low_s, saved.mid_s, saved.high_s),
        "measured": (saved.calls, saved.calls_not_measured),
    }


@pytest.mark.parametrize("kind", DATABASES)
def test_a_day_of_a_store_is_what_pandas_makes_of_it(kind: str) -> None:
    for seed in range(12):
        database, writer = SHARED.of(kind)
        units, overrides = made(seed)
        writer.call(lambda tx, u=units, o=overrides: keep(tx, u, o))
        day = read_day(database, DAY, str(ZONE), ASSUMED)
        assert told(day) == by_pandas(units), seed
        begin, end = bounds(DAY, ZONE)
        todays = [o for o in overrides if begin <= o["at"] < end]
        assert {r.reason: r.total for r in day.overrides} == {
            reason: sum(o["reason"] == reason for o in todays)
            for reason in {o["reason"] for o in todays}
        }
        states = sum(r.turned_out.get("DISPLACED", 0) for r in day.overrides)
        assert states == sum(o["state"] == "DISPLACED" for o in todays)


def on_call(agency: str, on_scene: float | None, out: float | None) -> UnitOnCall:
    """Return a unit that arrived and left so many minutes after the call was queued."""
    said = {"on_scene": on_scene, "cleared": out}
    stamps = {k: AT + dt.timedelta(minutes=m) for k, m in said.items() if m is not None}
    return UnitOnCall(unit_id=agency, agency=agency, stamps=stamps)


def measured(*units: UnitOnCall, assumption: PoliceAloneAssumption = ASSUMED) -> DayMeasures:
    call = CallOfDay(incident_id="c", queued_at=AT, units=units)
    return measure_day(DAY, "UTC", [call], [], assumption)


def test_a_call_that_a_person_can_check() -> None:
    day = measured(on_call("CARE", 12, 60), on_call("SPD", 8, 20))
    assert day.response.p50_s == 8 * 60
    assert day.pair_gap.p50_s == 4 * 60
    assert day.officer_handover.p50_s == 40 * 60
    saved = day.officer_time_saved_net
    assert (saved.low_s, saved.mid_s, saved.high_s) == (18 * 60, 25.5 * 60, 33 * 60)
    assert "Officer time saved, net: 25.5 min (18.0 min to 33.0 min)" in "\n".join(as_lines(day))


def test_time_saved_is_negative_where_police_stayed_longer_than_they_would_have() -> None:
    saved = measured(on_call("CARE", 12, 60), on_call("SPD", 5, 65)).officer_time_saved_net
    assert (saved.low_s, saved.high_s) == (-30 * 60, -15 * 60)


def test_handover_is_negative_where_police_left_last() -> None:
    assert measured(on_call("CARE", 9, 20), on_call("SPD", 5, 65)).officer_handover.total_s == -2700


def test_care_alone_saves_what_one_police_unit_would_have_spent() -> None:
    assumption = PoliceAloneAssumption(officers_per_unit=2)
    saved = measured(on_call("CARE", 12, 60), assumption=assumption).officer_time_saved_net
    assert (saved.low_s, saved.high_s) == (2 * 1800, 2 * 2700)


def test_what_was_not_reported_is_not_measured_and_not_made_up() -> None:
    day = measured(on_call("CARE", 12, None), on_call("SPD", 8, None))
    assert day.officer_handover.calls_not_measured == 1
    assert day.officer_time_saved_net.calls_not_measured == 1
    assert day.officer_time_saved_net.mid_s == 0
    assert day.calls_by_care.total == 1
    assert measured(on_call("CARE", None, 9)).calls_by_care.total == 0


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 8), 23), ((2026, 11, 1), 25), ((2026, 7, 21), 24)]
)
def test_a_day_has_as_many_hours_as_the_clocks_say(day: tuple[int, int, int], hours: int) -> None:
    begin, end = bounds(dt.date(*day), ZONE)
    assert end.astimezone(dt.UTC) - begin.astimezone(dt.UTC) == dt.timedelta(hours=hours)


def test_overrides_without_a_claim_are_told_so() -> None:
    overrides = [OverrideOfDay(reason="OTHER", claim_state=s) for s in (None, "EXPIRED", None)]
    (reason,) = measure_day(DAY, "UTC", [], overrides, ASSUMED).overrides
    assert reason.turned_out == {"EXPIRED": 1, "NO_CLAIM": 2}
