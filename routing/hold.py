"""A pair that has to wait: what is missing, until when, what goes now, and who is told.

What lives here: `Hold` and the estimate of when both could be there. What does not: the decision
that a call has to wait (`recommend`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from routing.answer import Assignment, Hold, NearestUnit
from routing.arrivals import QUALIFIED, Muster
from routing.candidates_kernel import NEVER_S
from routing.codes import Agency, EstimateBasis, HoldReason, ResolveOn, Status, UnitRule
from routing.eligibility import ALREADY_ASSIGNED, EXCLUDED, HELD, OUT_OF_SCOPE, RESERVE, TAKEN
from routing.halves import SHOWN, Half, Team
from routing.model import Incident
from routing.roster import AGENCIES, AVAILABLE, STATUSES

_WORKING: Final = np.array(
    [status not in (Status.OFF_DUTY, Status.OUT_OF_SERVICE, Status.UNKNOWN) for status in STATUSES]
)
"""By status: on duty, so that it will be free again."""

_ON_DUTY: Final = np.array([status is not Status.OFF_DUTY for status in STATUSES])
"""By status: somebody is in it."""

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Waiting:
    """What every hold reads."""

    incident: Incident
    team: Team
    muster: Muster
    bits: NDArray[np.int32]
    """(n_units,) rules that each unit breaks; see `UnitRule`."""
    urgent: bool = False
    """SPD_ADD: nobody waits for an escalation, and the nearest police of any status are named."""

    @property
    def kinds(self) -> tuple[Agency, ...]:
        """The kinds that the call needs, SPD first."""
        return tuple([agency for agency in SHOWN if self.team.half(agency) is not None])


def expected_of(waiting: Waiting, agency: Agency) -> Expected | None:
    """Return the unit that could fill a half first, now or later, or None when there is none.

    Where several units of a kind are needed it is the last of them.
    """
    half, muster = waiting.team.half(agency), waiting.muster
    if half is None:
        return None
    if not half.complete:
        later = half.count - len(half.rows)
        return _next_to_clear(muster, waiting.bits, AGENCIES.index(agency), later)
    arrive_s = half.there_s()
    if arrive_s is None:
        return None
    now_s = muster.whole_second.timestamp()
    last = 0 if half.fixed else half.count - 1
    return Expected(unit_id=half.unit_id(last), free_s=now_s, there_s=now_s + arrive_s, basis=None)


def _next_to_clear(
    muster: Muster, bits: NDArray[np.int32], code: int, needed: int
) -> Expected | None:
    """Return the `needed`-th busy unit that could be there, if they clear as expected.

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
    if len(rows) < needed:
        return None
    there_s = clear_s[rows] + muster.arrive_s[rows]
    best = int(np.argsort(there_s, kind="stable")[needed - 1])
    row = int(rows[best])
    return Expected(
        unit_id=roster.unit_id[row],
        free_s=float(clear_s[row]),
        there_s=float(there_s[best]),
        basis=EstimateBasis.CAD_EXPECTED_CLEAR if told[row] else EstimateBasis.MEAN_SERVICE_TIME,
    )


def reason_for(half: Half, muster: Muster, bits: NDArray[np.int32]) -> HoldReason:
    """Return why a half is missing; what police work alone takes away weighs most."""
    own = bits[muster.roster.agency == AGENCIES.index(half.agency)]
    if len(own) == 0:
        return HoldReason.NO_UNIT_IN_ROSTER
    for bit, reason in _BY_POLICE_WORK:
        if (own == bit).any():
            return reason
    if half.rows:
        return HoldReason.TOO_FEW_UNITS
    free = own & _PASSING == 0
    return HoldReason.NO_UNIT_QUALIFIED if free.any() else HoldReason.NO_UNIT_AVAILABLE


_BY_POLICE_WORK: Final = (
    (RESERVE, HoldReason.RESERVE),
    (HELD, HoldReason.HELD_FOR_HIGHER_PRIORITY),
    (TAKEN, HoldReason.TAKEN_IN_BATCH),
    (OUT_OF_SCOPE, HoldReason.OUT_OF_SCOPE),
)


def hold_for_units(waiting: Waiting, send_now: tuple[Assignment, ...]) -> Hold:
    """Return the hold of a call for which a kind is missing."""
    team, muster = waiting.team, waiting.muster
    missing = team.missing
    expected = {agency: expected_of(waiting, agency) for agency in waiting.kinds}
    known = [one for one in expected.values() if one is not None]
    complete = all(expected[agency] is not None for agency in missing)
    bases = [one.basis for one in known if one.basis is not None]
    reasons = [reason_for(team.sought[agency], muster, waiting.bits) for agency in missing]
    return Hold(
        missing=missing,
        reasons=tuple(dict.fromkeys(reasons)),
        earliest_dispatch_at=_instant(max(one.free_s for one in known)) if complete else None,
        earliest_pair_at=_instant(max(one.there_s for one in known))
        if len(known) == len(waiting.kinds)
        else None,
        estimate_basis=max(bases, key=_WEAKNESS.index) if complete else None,
        tentative={agency: None if e is None else e.unit_id for agency, e in expected.items()},
        send_now=send_now,
        nearest_busy=_nearest_busy(waiting) if waiting.urgent else (),
        **_timing(waiting),
        resolve_on=(ResolveOn.UNIT_CHANGE, ResolveOn.TIMER),
    )


NEAREST_BUSY: Final = 3
_NAMED: Final = EXCLUDED | ALREADY_ASSIGNED


def _nearest_busy(waiting: Waiting) -> tuple[NearestUnit, ...]:
    """Return the nearest police of any status that are on duty, so that one can be diverted."""
    muster, roster = waiting.muster, waiting.muster.roster
    unfit = np.where(_ON_DUTY[roster.status], waiting.bits & _NAMED, _NAMED).astype(np.int32)
    nearest = muster.nearest(Agency.SPD, unfit, QUALIFIED, NEAREST_BUSY)
    return tuple(
        [
            NearestUnit(
                unit_id=roster.unit_id[row],
                call_sign=roster.call_sign[row],
                agency=Agency.SPD,
                status=STATUSES[int(roster.status[row])],
                arrive_s=None if muster.arrive_s[row] == NEVER_S else int(muster.arrive_s[row]),
            )
            for row in nearest
        ]
    )


_WEAKNESS: Final = (EstimateBasis.CAD_EXPECTED_CLEAR, EstimateBasis.MEAN_SERVICE_TIME)


def hold_for_opening(
    waiting: Waiting, opens_at: datetime, send_now: tuple[Assignment, ...]
) -> Hold:
    """Return the hold of a call that came before the programme's hours: CARE is what is missing.

    Police are not held back (rule 6): they go now, as when no CARE unit is free. A unit that is on
    the call already, or goes now, does not wait for the opening either.
    """
    team, muster = waiting.team, waiting.muster
    present = {a: half for a in waiting.kinds if (half := team.half(a)) and half.complete}
    going = {unit.agency for unit in send_now} | {a for a, h in present.items() if h.fixed}
    there_at = [
        (muster.whole_second if agency in going else opens_at) + timedelta(seconds=arrive_s)
        for agency, half in present.items()
        if (arrive_s := half.there_s()) is not None
    ]
    care_waits = Agency.CARE not in going
    return Hold(
        missing=tuple(
            [a for a in waiting.kinds if a not in present or (care_waits and a is Agency.CARE)]
        ),
        reasons=(HoldReason.WINDOW_NOT_OPEN,),
        earliest_dispatch_at=opens_at,
        earliest_pair_at=max(there_at) if len(there_at) == len(waiting.kinds) else None,
        estimate_basis=EstimateBasis.WINDOW_OPENS,
        tentative={a: present[a].unit_id(0) if a in present else None for a in waiting.kinds},
        send_now=send_now,
        nearest_busy=(),
        **_timing(waiting),
        resolve_on=(ResolveOn.TIMER,),
    )


def _timing(waiting: Waiting) -> dict[str, Any]:
    policy, decided_at = waiting.muster.policy, waiting.muster.decided_at
    held_since = (waiting.incident.held_since or decided_at).astimezone(UTC)
    patience_s = 0 if waiting.urgent else policy.escalate_after_s
    escalate_at = held_since + timedelta(seconds=patience_s)
    return {
        "held_since": held_since,
        "escalate_at": escalate_at,
        "escalated": decided_at >= escalate_at,
        "escalate_to": policy.escalate_to,
    }


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(ceil(seconds), UTC)
