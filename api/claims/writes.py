"""What is done with recommendations, claims and reports, from a body to the answer to it.

What lives here: what a body says, the operation that it asks for, and the answer, which is kept
with the write. What does not: HTTP (`api.routes`), and the operations themselves.
"""

from collections.abc import Callable, Iterable
from datetime import UTC
from typing import Any, Final, TypeVar

from msgspec.json import encode as to_json

from api.answer_schemas import Part, WarningPart
from api.asserted_roles import require_asserted
from api.auth.principal import Principal
from api.claims.confirm import confirm
from api.claims.ending import release
from api.claims.override import override
from api.claims.records import (
    Claim,
    Confirmation,
    Overridden,
    OverrideAsked,
    Refused,
)
from api.claims.reports import (
    Reported,
    SceneSafe,
    StatusReport,
    report_scene_safe,
    report_status,
)
from api.claims.schemas import (
    ClaimAnswer,
    ConfirmWrite,
    OverrideWrite,
    ReleaseWrite,
    SceneSafeAnswer,
    SceneSafeWrite,
    StatusWrite,
    claim_part,
    operator_of,
    override_answer,
    status_answer,
)
from api.errors import ClaimRefused, Problem
from api.idempotency import Kept
from api.mending import Leniency, read_leniently
from api.read_request import RequestWarning, shown, unknown_fields
from api.request_schemas import Entry, OperatorEntry
from api.store.records import Operator
from api.store.writer import Transaction
from routing.codes import Status
from routing.policy import normalised

_STRICT: Final = Leniency(rows={}, mendable=frozenset())
Sent = TypeVar("Sent", bound=Entry)
Made = TypeVar("Made")
_STATUS_OF: Final = {str(status): status for status in Status}


class Lost(Exception):
    """What was asked cannot be done, and why."""

    def __init__(self, refused: Refused) -> None:
        super().__init__()
        self.refused = refused


def confirming(
    recommendation_id: str, body: bytes, by: Principal, claim_s: int, told: Callable[[Claim], None]
) -> Callable[[Transaction], Kept]:
    """Return the write that confirms a recommendation; `told` is given the claim."""
    sent, warnings = _read(ConfirmWrite, body, by)
    operator = Operator(operator_id=sent.operator.id, role=sent.operator.role)
    asked = Confirmation(recommendation_id=recommendation_id, operator=operator, claim_s=claim_s)

    def do(tx: Transaction) -> Kept:
        claim = _made(confirm(tx, asked))
        tx.after.append(lambda: told(claim))
        return _kept(ClaimAnswer(claim=claim_part(claim), warnings=warnings))

    return do


def releasing(claim_id: str, body: bytes, by: Principal) -> Callable[[Transaction], Kept]:
    """Return the write that gives a claim up."""
    sent, warnings = _read(ReleaseWrite, body, by)
    operator = Operator(operator_id=sent.operator.id, role=sent.operator.role)

    def do(tx: Transaction) -> Kept:
        claim = _made(release(tx, claim_id, operator, sent.reason_code, sent.reason_text))
        return _kept(ClaimAnswer(claim=claim_part(claim), warnings=warnings))

    return do


def overriding(
    incident_id: str,
    body: bytes,
    by: Principal,
    claim_s: int,
    told: Callable[[Overridden, list[WarningPart]], None],
) -> Callable[[Transaction], Kept]:
    """Return the write that keeps an override; `told` is given it when it is done."""
    sent, warnings = _read(OverrideWrite, body, by)
    asked = OverrideAsked(
        incident_id=incident_id,
        recommendation_id=sent.recommendation_id,
        action=sent.action,
        operator=Operator(operator_id=sent.operator.id, role=sent.operator.role),
        reason=sent.reason_code,
        reason_text=sent.reason_text,
        unit_ids=tuple(sent.unit_ids),
        gate=sent.gate,
        claim_s=claim_s,
    )

    def do(tx: Transaction) -> Kept:
        made = _made(override(tx, asked))
        tx.after.append(lambda: told(made, warnings))
        return _kept(override_answer(made, warnings))

    return do


def reporting(
    unit_id: str,
    body: bytes,
    by: Principal,
    status_of: Any,
    told: Callable[[Reported], None],
) -> Callable[[Transaction], Kept]:
    """Return the write that keeps the status of a unit; `told` is given what became of it.

    Parameters
    ----------
    status_of
        The CAD's own words for statuses, `Release.status_of`.
    """
    sent, warnings = _read(StatusWrite, body, by)
    status = _STATUS_OF.get(sent.status) or status_of.get(normalised(sent.status))
    if status is None:
        said = f"unknown status {shown(sent.status)} read as UNKNOWN"
        unknown = RequestWarning(code="UNIT_ENTRY_DEGRADED", path="/status", detail=said)
        warnings.append(WarningPart.model_validate(unknown))
    clear_at = sent.expected_clear_at
    report = StatusReport(
        unit_id=unit_id,
        status=status or Status.UNKNOWN,
        at=sent.at.astimezone(UTC),
        incident_id=sent.incident_id,
        agency=sent.agency,
        expected_clear_at=None if clear_at is None else clear_at.astimezone(UTC),
        operator=operator_of(sent.operator),
    )

    def do(tx: Transaction) -> Kept:
        reported = report_status(tx, report)
        tx.after.append(lambda: told(reported))
        return _kept(status_answer(reported, warnings))

    return do


def scene_safe(incident_id: str, body: bytes, by: Principal) -> Callable[[Transaction], Kept]:
    """Return the write that keeps since when a scene is safe."""
    sent, warnings = _read(SceneSafeWrite, body, by)
    report = SceneSafe(
        incident_id=incident_id,
        at=sent.scene_safe_at.astimezone(UTC),
        operator=operator_of(sent.operator),
    )

    def do(tx: Transaction) -> Kept:
        kept = report_scene_safe(tx, report)
        answer = SceneSafeAnswer(
            incident_id=kept.incident_id,
            scene_safe_at=kept.scene_safe_at,
            is_first=kept.is_first,
            warnings=warnings,
        )
        return _kept(answer)

    return do


def claim_refused(refused: Refused, recommendation: bytes | None) -> ClaimRefused:
    """Return a refusal as it is answered, with a fresh recommendation where there is one."""
    problems = tuple(
        Problem(path="", code=one.code, detail=_said(one.unit_id, one.detail), remedy=_REMEDY)
        for one in refused.reasons
    )
    first = problems[0]
    reasons = to_json(
        [
            {"code": one.code, "unit_id": one.unit_id, "detail": one.detail}
            for one in refused.reasons
        ]
    )
    members = b'"reasons":' + reasons + b',"recommendation":' + (recommendation or b"null")
    return ClaimRefused(
        f"{first.code}: {first.detail}", remedy=_REMEDY, problems=problems, members=members
    )


_REMEDY: Final = "Confirm the recommendation that comes with this, or ask for one."


def _said(unit_id: str | None, detail: str) -> str:
    return detail if unit_id is None else f"{unit_id}: {detail}"


def _made(found: Made | Refused) -> Made:
    if isinstance(found, Refused):
        raise Lost(found)
    return found


def _kept(answer: Part) -> Kept:
    return Kept(status=200, answer=answer.model_dump_json().encode())


def _read(model: type[Sent], body: bytes, by: Principal) -> tuple[Sent, list[WarningPart]]:
    told, _ = read_leniently(model, body, _STRICT)
    operator: OperatorEntry | None = getattr(told, "operator", None)
    require_asserted(by, operator)
    unknown = unknown_fields(
        (at, entry) for at, entry in _parts(told, operator) if entry.__pydantic_extra__
    )
    return told, [WarningPart.model_validate(warning) for warning in unknown]


def _parts(told: Entry, operator: OperatorEntry | None) -> Iterable[tuple[tuple[str, ...], Entry]]:
    yield (), told
    if operator is not None:
        yield ("operator",), operator
