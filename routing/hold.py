"""A pair that has to wait: what is missing, until when, what goes now, and who is told.

What lives here: `Hold` and the estimate of when both could be there. What does not: the decision
that a call has to wait (`recommend`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from routing.answer import Assignment, Hold
from routing.arrivals import Muster
from routing.codes import Agency, EstimateBasis, HoldReason, ResolveOn, Status, UnitRule
from routing.dispatch import SHOWN
from routing.halves import Half
from routing.model import Incident
from routing.roster import AGENCIES, AVAILABLE, STATUSES

_WORKING: Final = np.array(
    [status not in (Status.OFF_DUTY, Status.OUT_OF_SERVICE, Status.UNKNOWN) for status in STATUSES]
)
"""By status: on duty, so that it will be free again."""

_PASSING: Final = int(UnitRule.STATUS_NOT_AVAILABLE | UnitRule.CLAIMED)
"""Rules that time mends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A unit of the tentative pair, and when it could be there; seconds since 1970."""

    unit_id: str | None
    free_s: float
    there_s: float
    basis: EstimateBasis | None
    """None for a unit that is free or on the call already."""


def expected_of(half: Half, muster: Muster, bits: NDArray[np.int32]) -> Expected | None:
    """Return the unit that could fill a half first, now or later, or None when there is none."""
    if not half.rows:
        return _first_to_clear(muster, bits, AGENCIES.index(half.agency))
    arrive_s = half.arrive_s(0)
    if arrive_s is None:
        return None
    now_s = muster.whole_second.timestamp()
    return Expected(unit_id=half.unit_id(0), free_s=now_s, there_s=now_s + arrive_s, basis=None)


def _first_to_clear(muster: Muster, bits: NDArray[np.int32], code: int) -> Expected | None:
    """Return the busy unit that could be there first, if it clears as expected.

    Its drive counts from where it is now (*assumption*). An expected clear that has passed says
    nothing more; then, and without one, the mean service time since its status is taken, and at the
    earliest now. A unit whose shift would by then be within the guard does not count.
    """
    roster, policy, now_s = muster.roster, muster.policy, muster.now_s
    told = roster.expected_clear_s >= now_s
    since_s = np.where(np.isnan(roster.status_since_s), now_s, roster.status_since_s)
    claimed_s = np.where(roster.status == AVAILABLE, now_s, since_s)
    clear_s = np.maximum(now_s, claimed_s + policy.mean_service_s)
    clear_s = np.where(told, roster.expected_clear_s, clear_s)
    usable = (roster.agency == code) & (bits & ~_PASSING == 0) & _WORKING[roster.status]
    usable &= ~(clear_s + policy.shift_guard_s > roster.shift_end_s)
    rows = np.flatnonzero(usable)
    if len(rows) == 0:
        return None
    there_s = clear_s[rows] + muster.arrive_s[rows]
    best = int(np.argmin(there_s))
    row = int(rows[best])
    return Expected(
        unit_id=roster.unit_id[row],
        free_s=float(clear_s[row]),
        there_s=float(there_s[best]),
        basis=EstimateBasis.CAD_EXPECTED_CLEAR if told[row] else EstimateBasis.MEAN_SERVICE_TIME,
    )


def reason_for(half: Half, muster: Muster, bits: NDArray[np.int32]) -> HoldReason:
    """Return why a half is missing."""
    own = bits[muster.roster.agency == AGENCIES.index(half.agency)]
    if len(own) == 0:
        return HoldReason.NO_UNIT_IN_ROSTER
    free = own & _PASSING == 0
    return HoldReason.NO_UNIT_QUALIFIED if free.any() else HoldReason.NO_UNIT_AVAILABLE


def hold_for_units(
    incident: Incident,
    halves: Mapping[Agency, Half],
    muster: Muster,
    bits: NDArray[np.int32],
    send_now: tuple[Assignment, ...],
) -> Hold:
    """Return the hold of a call for which a kind is missing."""
    missing = tuple(agency for agency in SHOWN if not halves[agency].rows)
    expected = {agency: expected_of(halves[agency], muster, bits) for agency in SHOWN}
    known = [one for one in expected.values() if one is not None]
    complete = all(expected[agency] is not None for agency in missing)
    bases = [one.basis for one in known if one.basis is not None]
    return Hold(
        missing=missing,
        reasons=tuple(
            dict.fromkeys(reason_for(halves[agency], muster, bits) for agency in missing)
        ),
        earliest_dispatch_at=_instant(max(one.free_s for one in known)) if complete else None,
        earliest_pair_at=_instant(max(one.there_s for one in known))
        if len(known) == len(SHOWN)
        else None,
        estimate_basis=max(bases, key=_WEAKNESS.index) if complete else None,
        tentative={agency: None if e is None else e.unit_id for agency, e in expected.items()},
        send_now=send_now,
        **_timing(incident, muster),
        resolve_on=(ResolveOn.UNIT_CHANGE, ResolveOn.TIMER),
    )


_WEAKNESS: Final = (EstimateBasis.CAD_EXPECTED_CLEAR, EstimateBasis.MEAN_SERVICE_TIME)


def hold_for_opening(
    incident: Incident,
    halves: Mapping[Agency, Half],
    muster: Muster,
    opens_at: datetime,
    send_now: tuple[Assignment, ...],
) -> Hold:
    """Return the hold of a call that came before the programme's hours: CARE is what is missing.

    Police are not held back (rule 6): they go now, as when no CARE unit is free. A unit that is on
    the call already, or goes now, does not wait for the opening either.
    """
    present = {agency: half for agency, half in halves.items() if half.rows}
    going = {unit.agency for unit in send_now} | {a for a, h in present.items() if h.fixed}
    there_at = [
        (muster.whole_second if agency in going else opens_at) + timedelta(seconds=arrive_s)
        for agency, half in present.items()
        if (arrive_s := half.arrive_s(0)) is not None
    ]
    care_waits = Agency.CARE not in going
    return Hold(
        missing=tuple(a for a in SHOWN if a not in present or (care_waits and a is Agency.CARE)),
        reasons=(HoldReason.WINDOW_NOT_OPEN,),
        earliest_dispatch_at=opens_at,
        earliest_pair_at=max(there_at) if len(there_at) == len(SHOWN) else None,
        estimate_basis=EstimateBasis.WINDOW_OPENS,
        tentative={a: present[a].unit_id(0) if a in present else None for a in SHOWN},
        send_now=send_now,
        **_timing(incident, muster),
        resolve_on=(ResolveOn.TIMER,),
    )


def _timing(incident: Incident, muster: Muster) -> dict[str, Any]:
    policy = muster.policy
    held_since = incident.held_since or muster.decided_at
    return {
        "held_since": held_since,
        "escalate_at": held_since + timedelta(seconds=policy.escalate_after_s),
        "escalate_to": policy.escalate_to,
    }


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(ceil(seconds), UTC)
