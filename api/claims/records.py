"""A claim, and why one was refused: what the operations of this package pass to one another.

What lives here: values. How a claim is kept: `claim_rows`; what makes and ends one: `confirm`,
`override`, `ending`, `reports`.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from api.store.records import Operator
from routing.codes import Agency, Mode, OverrideAction, ReasonCode

CLAIM_PREFIX: Final = "claim_"
OVERRIDE_PREFIX: Final = "over_"
EVENT_PREFIX: Final = "event_"
REASON_TEXT_MAX: Final = 200


class ClaimState(StrEnum):
    """LIVE holds its units; every other state is the end of a claim.

    FULFILLED: the CAD reported every unit of it on the call. RELEASED: somebody gave it up.
    EXPIRED: the CAD did not report in time. DISPLACED: the CAD reported a unit of it elsewhere.
    """

    LIVE = "LIVE"
    FULFILLED = "FULFILLED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"
    DISPLACED = "DISPLACED"


class ClaimedUnit(Struct, frozen=True, kw_only=True):
    """One unit of a claim."""

    unit_id: str
    agency: Agency
    unit_version: int | None = None
    """Of its record, when it was recommended."""
    reported_at: datetime | None = None
    """When the CAD first had it on this call."""


class Claim(Struct, frozen=True, kw_only=True):
    """Units that one call holds until the CAD has them on it: all of them or none."""

    claim_id: str
    incident_id: str
    recommendation_id: str | None
    override_id: str | None = None
    mode: Mode | None = None
    state: ClaimState = ClaimState.LIVE
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    units: tuple[ClaimedUnit, ...]
    operator: Operator
    ended_by: Operator | None = None
    reason: ReasonCode | None = None
    """Why somebody gave it up."""
    reason_text: str | None = None

    @property
    def unit_ids(self) -> tuple[str, ...]:
        """Ids of its units."""
        return tuple([unit.unit_id for unit in self.units])

    @property
    def is_reported(self) -> bool:
        """Whether the CAD has had all of its units on the call."""
        return all(unit.reported_at is not None for unit in self.units)

    def unit(self, unit_id: str) -> ClaimedUnit:
        """Return one of its units."""
        return next(unit for unit in self.units if unit.unit_id == unit_id)


class RefusalCode(StrEnum):
    """Why nothing was claimed; a fresh recommendation comes with most of these.

    UNIT_TAKEN: another claim holds the unit.
    UNIT_CHANGED: it is no longer AVAILABLE, or its record is another than was recommended.
    UNIT_GONE: it is no longer on the roster.
    RECOMMENDATION_SUPERSEDED: a later recommendation was made for the call.
    RECOMMENDATION_EXPIRED: `valid_until` has passed.
    INCIDENT_CHANGED: a later version of the call is known.
    CALL_CLAIMED: the call holds units that this recommendation does not know of.
    NOTHING_TO_CONFIRM: it names no unit that is not on the call already.
    CLAIM_ENDED: this recommendation was confirmed, and the claim is over.
    OVERRIDE_NOT_OFFERED: the recommendation does not offer this override to this role.
    PAIR_INCOMPLETE: the named units and those that were recommended are no pair.
    """

    UNIT_TAKEN = "UNIT_TAKEN"
    UNIT_CHANGED = "UNIT_CHANGED"
    UNIT_GONE = "UNIT_GONE"
    RECOMMENDATION_SUPERSEDED = "RECOMMENDATION_SUPERSEDED"
    RECOMMENDATION_EXPIRED = "RECOMMENDATION_EXPIRED"
    INCIDENT_CHANGED = "INCIDENT_CHANGED"
    CALL_CLAIMED = "CALL_CLAIMED"
    NOTHING_TO_CONFIRM = "NOTHING_TO_CONFIRM"
    CLAIM_ENDED = "CLAIM_ENDED"
    OVERRIDE_NOT_OFFERED = "OVERRIDE_NOT_OFFERED"
    PAIR_INCOMPLETE = "PAIR_INCOMPLETE"


class Refusal(Struct, frozen=True, kw_only=True):
    """One reason."""

    code: RefusalCode
    detail: str
    unit_id: str | None = None


class Refused(Struct, frozen=True, kw_only=True):
    """Nothing was changed, and why."""

    incident_id: str
    reasons: tuple[Refusal, ...]

    @property
    def codes(self) -> list[str]:
        """The codes of the reasons."""
        return [str(reason.code) for reason in self.reasons]


def refused(incident_id: str, code: RefusalCode, detail: str) -> Refused:
    """Return a refusal for one reason that is about no unit."""
    return Refused(incident_id=incident_id, reasons=(Refusal(code=code, detail=detail),))


# -- what is asked --------------------------------------------------------------------------------


class Confirmation(Struct, frozen=True, kw_only=True):
    """Confirm a recommendation."""

    recommendation_id: str
    operator: Operator
    claim_s: int
    """Seconds that the CAD has to report the units on the call."""


class OverrideAsked(Struct, frozen=True, kw_only=True):
    """Do something else than what was recommended."""

    incident_id: str
    recommendation_id: str | None = None
    """The recommendation that it is about; None takes the newest of the call."""
    action: OverrideAction
    operator: Operator
    reason: ReasonCode
    reason_text: str | None = None
    unit_ids: Sequence[str] = ()
    """Units to claim in the place of those recommended."""
    gate: str | None = None
    claim_s: int


class Overridden(Struct, frozen=True, kw_only=True):
    """An override as it is kept, and the claim that it made, if it names units."""

    override_id: str
    incident_id: str
    recommendation_id: str
    action: OverrideAction
    role: str
    reason: ReasonCode
    reason_text: str | None
    gate: str | None
    unit_ids: tuple[str, ...]
    operator: Operator
    at: datetime
    claim: Claim | None
