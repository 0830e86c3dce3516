"""The measures of one day, worked out from who was on which call, and when.

A call belongs to the local day on which its first unit was assigned. Instants are those that the
CAD reported; a call that lacks one that a measure needs is left out of that measure and counted as
not measured, never filled in. Seconds are whole, rounded once, half up.

Two measures of police time are never mixed (rule of the domain):

*officer handover*
    CARE cleared - SPD released, observed: for how long CARE stayed after police had gone.
*officer time saved, net*
    What police would have spent without CARE (an assumption, with its interval) - what they spent,
    times officers. It may be negative.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from math import ceil, floor
from typing import Final

from msgspec import Struct

CARE: Final = "CARE"
SPD: Final = "SPD"


class UnitOnCall(Struct, frozen=True, kw_only=True):
    """One unit on one call, with the instants that were reported of it there."""

    unit_id: str
    agency: str
    stamps: Mapping[str, datetime]


class CallOfDay(Struct, frozen=True, kw_only=True):
    """One call and its units."""

    incident_id: str
    queued_at: datetime | None
    units: tuple[UnitOnCall, ...]

    def of(self, agency: str) -> tuple[UnitOnCall, ...]:
        """Return the units of an agency that arrived."""
        return tuple(u for u in self.units if u.agency == agency and "on_scene" in u.stamps)


class OverrideOfDay(Struct, frozen=True, kw_only=True):
    """One override, and the state of the claim that it made; None when it made none."""

    reason: str
    claim_state: str | None


class PoliceAloneAssumption(Struct, frozen=True, kw_only=True):
    """What police would have spent on a call without CARE; no source gives more than a range."""

    police_alone_low_s: int = 1_800
    police_alone_high_s: int = 2_700
    officers_per_unit: float = 1.0


class DelaySpread(Struct, frozen=True, kw_only=True):
    """Percentiles by the nearest rank; None where nothing was measured."""

    calls: int
    p50_s: int | None
    p90_s: int | None


class CareCalls(Struct, frozen=True, kw_only=True):
    """Calls at whose scene CARE arrived."""

    total: int
    with_police: int
    alone: int


class OfficerTimeSaved(Struct, frozen=True, kw_only=True):
    """Officer time saved, net, in officer-seconds, with the interval of its assumption."""

    low_s: int
    mid_s: int
    high_s: int
    calls: int
    calls_not_measured: int
    assumption: PoliceAloneAssumption


class OfficerHandover(Struct, frozen=True, kw_only=True):
    """Officer handover, observed."""

    total_s: int
    calls: int
    calls_not_measured: int
    p50_s: int | None
    p90_s: int | None


class OverridesOfReason(Struct, frozen=True, kw_only=True):
    """Overrides of one reason, by what became of the claim that they made."""

    reason: str
    total: int
    turned_out: dict[str, int]
    """By state of the claim; NO_CLAIM where none was made."""


class DayMeasures(Struct, frozen=True, kw_only=True):
    """All measures of one local day."""

    date: date
    time_zone: str
    calls: int
    calls_by_care: CareCalls
    response: DelaySpread
    """Queued to first at scene, of calls at which CARE arrived."""
    pair_gap: DelaySpread
    """First CARE on scene - first SPD on scene; negative where CARE was first."""
    officer_handover: OfficerHandover
    officer_time_saved_net: OfficerTimeSaved
    overrides: list[OverridesOfReason]


def measure_day(
    day: date,
    time_zone: str,
    calls: Sequence[CallOfDay],
    overrides: Iterable[OverrideOfDay],
    assumption: PoliceAloneAssumption,
) -> DayMeasures:
    """Return the measures of a day."""
    by_care = [call for call in calls if call.of(CARE)]
    paired = [call for call in by_care if call.of(SPD)]
    return DayMeasures(
        date=day,
        time_zone=time_zone,
        calls=len(calls),
        calls_by_care=CareCalls(
            total=len(by_care), with_police=len(paired), alone=len(by_care) - len(paired)
        ),
        response=_spread([_response_s(call) for call in by_care]),
        pair_gap=_spread([_pair_gap_s(call) for call in paired]),
        officer_handover=_handover([_handover_s(call) for call in paired]),
        officer_time_saved_net=_saved(by_care, assumption),
        overrides=_by_reason(overrides),
    )


# -- one call -------------------------------------------------------------------------------------


def _response_s(call: CallOfDay) -> float | None:
    if call.queued_at is None:
        return None
    arrived = min(u.stamps["on_scene"] for u in call.units if "on_scene" in u.stamps)
    return (arrived - call.queued_at).total_seconds()


def _pair_gap_s(call: CallOfDay) -> float:
    care, police = (min(u.stamps["on_scene"] for u in call.of(who)) for who in (CARE, SPD))
    return (care - police).total_seconds()


def _handover_s(call: CallOfDay) -> float | None:
    cleared = [unit.stamps.get("cleared") for unit in call.of(CARE)]
    released = [_released(unit) for unit in call.of(SPD)]
    known_cleared = [at for at in cleared if at is not None]
    known_released = [at for at in released if at is not None]
    if len(known_cleared) < len(cleared) or len(known_released) < len(released):
        return None
    return (max(known_cleared) - max(known_released)).total_seconds()


def _released(unit: UnitOnCall) -> datetime | None:
    return unit.stamps.get("spd_released", unit.stamps.get("cleared"))


def _police_s(call: CallOfDay) -> float | None:
    """Return the seconds that police units spent at the scene, summed over the units."""
    spent = 0.0
    for unit in call.of(SPD):
        released = _released(unit)
        if released is None:
            return None
        spent += (released - unit.stamps["on_scene"]).total_seconds()
    return spent


# -- all calls ------------------------------------------------------------------------------------


def _saved(by_care: Sequence[CallOfDay], assumption: PoliceAloneAssumption) -> OfficerTimeSaved:
    spent = [(call, _police_s(call)) for call in by_care]
    measured = [(max(1, len(call.of(SPD))), s) for call, s in spent if s is not None]
    units = sum(count for count, _s in measured)
    actual_s = sum(s for _count, s in measured)

    def net(alone_s: float) -> int:
        return _whole((units * alone_s - actual_s) * assumption.officers_per_unit)

    low_s, high_s = assumption.police_alone_low_s, assumption.police_alone_high_s
    return OfficerTimeSaved(
        low_s=net(low_s),
        mid_s=net((low_s + high_s) / 2),
        high_s=net(high_s),
        calls=len(measured),
        calls_not_measured=len(by_care) - len(measured),
        assumption=assumption,
    )


def _handover(found: Sequence[float | None]) -> OfficerHandover:
    known = [s for s in found if s is not None]
    spread = _spread(found)
    return OfficerHandover(
        total_s=_whole(sum(known)),
        calls=len(known),
        calls_not_measured=len(found) - len(known),
        p50_s=spread.p50_s,
        p90_s=spread.p90_s,
    )


def _spread(found: Iterable[float | None]) -> DelaySpread:
    known = sorted(s for s in found if s is not None)
    return DelaySpread(calls=len(known), p50_s=_rank(known, 0.5), p90_s=_rank(known, 0.9))


def _rank(ordered: Sequence[float], share: float) -> int | None:
    return _whole(ordered[ceil(share * len(ordered)) - 1]) if ordered else None


def _whole(seconds: float) -> int:
    return floor(seconds + 0.5)


def _by_reason(overrides: Iterable[OverrideOfDay]) -> list[OverridesOfReason]:
    counts: dict[str, Counter[str]] = {}
    for one in overrides:
        counts.setdefault(one.reason, Counter())[one.claim_state or "NO_CLAIM"] += 1
    return [
        OverridesOfReason(
            reason=reason, total=sum(found.values()), turned_out=dict(sorted(found.items()))
        )
        for reason, found in sorted(counts.items())
    ]
