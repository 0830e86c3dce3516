"""From an error to its HTTP answer: the one table of statuses, and the one shape of a problem.

What does not live here: the errors themselves (`errors`).
"""

from typing import Final

from pydantic_core import to_json
from starlette.responses import Response

from api.errors import (
    PROBLEM_TYPE,
    PROBLEMS_MAX,
    RETRY_AFTER_S,
    BadParameter,
    BatchesWaiting,
    BodyTooLarge,
    BodyTooSlow,
    ChangeRefused,
    ClaimRefused,
    ClosureRefused,
    ClosureTooLarge,
    CredentialsExpired,
    CredentialsMissing,
    CredentialsRefused,
    CredentialsRevoked,
    InternalFault,
    InvalidRequest,
    KeyInHand,
    KeyReused,
    NoRolesDeclared,
    NoSuchAlert,
    NoSuchClaim,
    NoSuchClosure,
    NoSuchCollection,
    NoSuchDraft,
    NoSuchFeature,
    NoSuchIncident,
    NoSuchPage,
    NoSuchRecommendation,
    NoSuchRelease,
    NoSuchStudy,
    NoSuchUnit,
    NoSuchZone,
    NotJson,
    NotReady,
    NotYours,
    OperatorRoleNotAllowed,
    Overloaded,
    PreconditionFailed,
    PreconditionMissing,
    RoleNotAllowed,
    RosterFull,
    StoreBusy,
    StoreNotConfigured,
    StoreUnavailable,
    StudiesNotConfigured,
    TandemError,
    TookTooLong,
    WritersWaiting,
    WrongMethod,
)

STATUS: Final[dict[type[TandemError], int]] = {
    InvalidRequest: 422,
    BodyTooLarge: 413,
    BodyTooSlow: 408,
    NotJson: 415,
    NoSuchPage: 404,
    NoSuchUnit: 404,
    NoSuchIncident: 404,
    NoSuchAlert: 404,
    NoSuchRecommendation: 404,
    NoSuchClaim: 404,
    NoSuchDraft: 404,
    NoSuchZone: 404,
    NoSuchRelease: 404,
    NoSuchStudy: 404,
    ChangeRefused: 409,
    PreconditionFailed: 412,
    PreconditionMissing: 428,
    NotYours: 403,
    NoSuchCollection: 404,
    NoSuchFeature: 404,
    BadParameter: 400,
    NoSuchClosure: 404,
    ClosureRefused: 409,
    ClosureTooLarge: 403,
    ClaimRefused: 409,
    KeyReused: 422,
    KeyInHand: 409,
    WrongMethod: 405,
    CredentialsMissing: 401,
    CredentialsRefused: 401,
    CredentialsExpired: 401,
    CredentialsRevoked: 401,
    RoleNotAllowed: 403,
    NoRolesDeclared: 403,
    OperatorRoleNotAllowed: 403,
    NotReady: 503,
    WritersWaiting: 503,
    BatchesWaiting: 503,
    StoreNotConfigured: 503,
    StudiesNotConfigured: 503,
    Overloaded: 503,
    TookTooLong: 503,
    StoreUnavailable: 503,
    StoreBusy: 503,
    RosterFull: 409,
    InternalFault: 500,
}
"""The one table from an error to its HTTP status."""


def problem_response(error: TandemError, headers: dict[str, str] | None = None) -> Response:
    """Return the error as problem+json; an error missing from the table is our own fault, 500."""
    status = STATUS.get(type(error), 500)
    shown = error.problems[:PROBLEMS_MAX]
    body = {
        "type": f"urn:tandem:problem:{error.code.lower().replace('_', '-')}",
        "title": error.title,
        "status": status,
        "code": error.code,
        "detail": error.detail,
        "remedy": error.remedy,
        "errors": [
            {"path": p.path, "code": p.code, "detail": p.detail, "remedy": p.remedy} for p in shown
        ],
        "errors_left_out": len(error.problems) - len(shown),
    }
    waits = status == 503 or isinstance(error, KeyInHand)
    extra = {"retry-after": str(RETRY_AFTER_S)} if waits else {}
    written = to_json(body)
    if error.members:
        written = written[:-1] + b"," + error.members + b"}"
    return Response(written, status, headers={**extra, **(headers or {})}, media_type=PROBLEM_TYPE)
