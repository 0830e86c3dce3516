"""What is sent and answered about claims, overrides and reports of the CAD, field by field.

Answers have every key always, instants in UTC.
"""

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.answer_schemas import (
    OperatorPart,
    Part,
    ProblemAnswer,
    RecommendAnswer,
    UtcInstant,
    WarningPart,
)
from api.claims.assignments import Assignment
from api.claims.facts import FactConflict
from api.claims.records import Claim, ClaimState, Overridden, RefusalCode
from api.claims.reports import Reported
from api.request_schemas import ASSIGNED_MAX, Entry, Id, Instant, OperatorEntry, StatusText, Text
from api.store.records import Operator
from api.validation_words import REASON_TEXT_MISSING
from routing.codes import Agency, Gate, Mode, OverrideAction, ReasonCode, Status

# -- what is sent ---------------------------------------------------------------------------------


class ConfirmWrite(Entry):
    """POST /v1/recommendations/{recommendation_id}/confirm: who confirms."""

    operator: OperatorEntry


class _Reasoned(Entry):
    """What says why; OTHER says it in words, without names and without what callers told."""

    operator: OperatorEntry
    reason_code: ReasonCode
    reason_text: Text | None = None
    """At most 200 characters; required with OTHER."""

    @model_validator(mode="after")
    def _says_why(self) -> "_Reasoned":
        if self.reason_code is ReasonCode.OTHER and not (self.reason_text or "").strip():
            raise PydanticCustomError(REASON_TEXT_MISSING, "reason_text is required with OTHER")
        return self


class ReleaseWrite(_Reasoned):
    """POST /v1/claims/{claim_id}/release: who gives it up, and why."""


class OverrideWrite(_Reasoned):
    """POST /v1/incidents/{incident_id}/override: what to do instead, who decides, and why."""

    action: OverrideAction
    recommendation_id: Id | None = None
    """The recommendation that it is about; null means the newest of the call."""
    unit_ids: Annotated[list[Id], Field(default_factory=list, max_length=ASSIGNED_MAX)]
    """USE_OTHER_UNIT, DIVERT_UNIT, USE_RESERVE: units to claim instead of those of their kind."""
    gate: Gate | None = None
    """OVERRIDE_GATE: the gate that the call may pass."""


class StatusWrite(Entry):
    """POST /v1/units/{unit_id}/status: the status of one unit, as the CAD has it."""

    operator: OperatorEntry | None = None
    status: StatusText
    at: Instant
    """Since when, as the CAD says."""
    incident_id: Id | None = None
    """The call that it is on."""
    agency: Agency | None = None
    """For a unit that the roster does not have."""
    expected_clear_at: Instant | None = None


class SceneSafeWrite(Entry):
    """POST /v1/incidents/{incident_id}/scene-safe: since when the scene is safe."""

    operator: OperatorEntry | None = None
    scene_safe_at: Instant


# -- what is answered -----------------------------------------------------------------------------


class ClaimedUnitPart(Part):
    """One unit of a claim."""

    unit_id: str
    agency: Agency
    unit_version: int | None
    """Of its record, when it was recommended."""
    reported_at: UtcInstant | None
    """When the CAD first had it on this call."""


class ClaimPart(Part):
    """Units that one call holds until the CAD has them on it."""

    claim_id: str
    incident_id: str
    recommendation_id: str | None
    override_id: str | None
    mode: Mode | None
    state: ClaimState
    made_at: UtcInstant
    expires_at: UtcInstant
    ended_at: UtcInstant | None
    units: list[ClaimedUnitPart]
    operator: OperatorPart
    ended_by: OperatorPart | None
    reason_code: ReasonCode | None
    """Why somebody gave it up."""
    reason_text: str | None


class ClaimAnswer(Part):
    """One claim."""

    claim: ClaimPart
    warnings: list[WarningPart]


class ClaimsAnswer(Part):
    """The live claims, oldest first."""

    claims: list[ClaimPart]


class OverrideAnswer(Part):
    """An override as it is kept."""

    override_id: str
    incident_id: str
    recommendation_id: str
    """That it is instead of."""
    action: OverrideAction
    gate: Gate | None
    reason_code: ReasonCode
    reason_text: str | None
    operator: OperatorPart
    at: UtcInstant
    claim: ClaimPart | None
    """On the units that it names."""
    recommendation: RecommendAnswer | None
    """That was made with it, where it names no units."""
    warnings: list[WarningPart]


class FactConflictPart(Part):
    """What does not fit; recorded all the same."""

    code: FactConflict
    incident_id: str | None
    detail: str


class AssignmentPart(Part):
    """One unit on one call, with the instants that were reported and no others."""

    incident_id: str
    unit_id: str
    agency: Agency | None
    status: Status
    claim_id: str | None
    is_open: bool
    """Whether it is on the call now."""
    stamps: dict[str, UtcInstant]
    """dispatched, enroute, staged, on_scene, scene_safe, spd_released, transport_begin,
    at_facility, cleared: those that were reported."""
    moved_to: str | None
    """The call on which it was next, where nobody said that it was cleared."""


class StatusAnswer(Part):
    """What became of a report; it is recorded whatever it says."""

    event_id: str
    unit_id: str
    incident_id: str | None
    status: Status
    at: UtcInstant
    received_at: UtcInstant
    applied: bool
    """False: a later status is known, and nothing was changed."""
    conflicts: list[FactConflictPart]
    assignments: list[AssignmentPart]
    """Those that it changed."""
    claims: list[ClaimPart]
    """Those that ended by it."""
    warnings: list[WarningPart]


class SceneSafeAnswer(Part):
    """Since when the scene of a call is safe: of several reports the first stands."""

    incident_id: str
    scene_safe_at: UtcInstant
    is_first: bool
    warnings: list[WarningPart]


class RefusalPart(Part):
    """Why nothing was claimed."""

    code: RefusalCode
    unit_id: str | None
    detail: str


class ClaimProblem(ProblemAnswer):
    """A refusal with what to do instead."""

    reasons: list[RefusalPart]
    recommendation: RecommendAnswer | None
    """For the call as it is now, where what was confirmed is no longer right."""


# -- from our values to what is answered ----------------------------------------------------------


def operator_of(told: OperatorEntry | None) -> Operator | None:
    """Return who writes, as it is kept."""
    return None if told is None else Operator(operator_id=told.id, role=told.role)


def _operator(one: Operator | None) -> OperatorPart | None:
    return None if one is None else OperatorPart(id=one.operator_id, role=one.role)


def claim_part(claim: Claim) -> ClaimPart:
    """Return a claim as it is sent."""
    by = claim.operator
    return ClaimPart(
        claim_id=claim.claim_id,
        incident_id=claim.incident_id,
        recommendation_id=claim.recommendation_id,
        override_id=claim.override_id,
        mode=claim.mode,
        state=claim.state,
        made_at=claim.made_at,
        expires_at=claim.expires_at,
        ended_at=claim.ended_at,
        units=[ClaimedUnitPart.model_validate(unit) for unit in claim.units],
        operator=OperatorPart(id=by.operator_id, role=by.role),
        ended_by=_operator(claim.ended_by),
        reason_code=claim.reason,
        reason_text=claim.reason_text,
    )


def override_answer(made: Overridden, warnings: list[WarningPart]) -> OverrideAnswer:
    """Return an override as it is sent, before anything is recommended with it."""
    by = made.operator
    return OverrideAnswer(
        override_id=made.override_id,
        incident_id=made.incident_id,
        recommendation_id=made.recommendation_id,
        action=made.action,
        gate=None if made.gate is None else Gate(made.gate),
        reason_code=made.reason,
        reason_text=made.reason_text,
        operator=OperatorPart(id=by.operator_id, role=by.role),
        at=made.at,
        claim=None if made.claim is None else claim_part(made.claim),
        recommendation=None,
        warnings=warnings,
    )


def status_answer(reported: Reported, warnings: list[WarningPart]) -> StatusAnswer:
    """Return what became of a report as it is sent."""
    return StatusAnswer(
        event_id=reported.event_id,
        unit_id=reported.unit_id,
        incident_id=reported.incident_id,
        status=Status(reported.status),
        at=reported.at,
        received_at=reported.received_at,
        applied=reported.is_applied,
        conflicts=[FactConflictPart.model_validate(one) for one in reported.conflicts],
        assignments=[assignment_part(one) for one in reported.assignments],
        claims=[claim_part(claim) for claim in reported.claims],
        warnings=warnings,
    )


def assignment_part(one: Assignment) -> AssignmentPart:
    """Return an assignment as it is sent."""
    return AssignmentPart.model_validate(one)
