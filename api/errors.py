"""What the service refuses and how it says so.

    TandemError
    ├── RequestError            the caller can mend it
    │   ├── InvalidRequest      422  the incident cannot be understood
    │   ├── BodyTooLarge        413
    │   ├── BodyTooSlow         408
    │   ├── NotJson             415  another content type
    │   ├── NoSuchPage          404
    │   ├── NoSuchUnit          404  the roster does not have it
    │   ├── NoSuchIncident      404  nothing is remembered of this call
    │   ├── NoSuchAlert         404  no safety alert has this id
    │   ├── NoSuchRecommendation 404  no recommendation with this id is kept
    │   ├── NoSuchClaim         404  no claim has this id
    │   ├── NoSuchDraft         404  no draft has this name
    │   ├── NoSuchZone          404  the draft has no such zone
    │   ├── NoSuchRelease       404  no release has this key, no publication this number
    │   ├── ChangeRefused       409  what is kept does not allow the change
    │   ├── PreconditionFailed  412  If-Match names another version
    │   ├── PreconditionMissing 428  If-Match is needed
    │   ├── NoSuchCollection    404  no collection of features has this id
    │   ├── NoSuchFeature       404  no feature of the collection has this id
    │   ├── BadParameter        400  a query parameter of `/ogc` that it does not take
    │   ├── NoSuchClosure       404  no closure has this id
    │   ├── ClosureRefused      409  its state, its times or what it would cut off do not allow it
    │   ├── ClaimRefused        409  a unit was taken or changed, or the recommendation is stale
    │   ├── KeyReused           422  an Idempotency-Key came with another body before
    │   ├── KeyInHand           409  the first request with this Idempotency-Key is in hand
    │   ├── WrongMethod         405
    │   ├── Unauthorized                 nobody knows who asks
    │   │   ├── CredentialsMissing  401
    │   │   ├── CredentialsRefused  401  forged, unknown, or of another service
    │   │   ├── CredentialsExpired  401
    │   │   └── CredentialsRevoked  401
    │   └── Forbidden                    it is known who asks, and it may not do this
    │       ├── RoleNotAllowed      403
    │       ├── NotYours            403  it is another person's, or needs one
    │       ├── ClosureTooLarge     403  so much of the network takes a supervisor
    │       ├── NoRolesDeclared     403  nobody said who may use this address
    │       └── OperatorRoleNotAllowed 403  of a key that may not assert it
    ├── ServiceError            the caller may try again
    │   ├── NotReady            503  streets and kernels are still being loaded
    │   ├── WritersWaiting      503  more roster writes wait than may
    │   ├── BatchesWaiting      503  more batches of calls wait than may
    │   ├── StoreNotConfigured  503  nothing is kept, so there is no desk
    │   ├── Overloaded          503  more requests are in hand than may
    │   ├── TookTooLong         503  no answer within the time that a request has
    │   └── InternalFault       500  our own bug
    ├── StoreError              whatever engine the store has
    │   ├── StoreUnavailable    503  it cannot be reached
    │   ├── StoreBusy           503  more writes wait than may
    │   └── RosterFull          409  it takes no more units
    └── StartError              a command cannot begin: settings, files, a port in use
        └── ReleaseFileError    a release file that cannot be used (`release_errors`)

Everything goes out as `application/problem+json` (RFC 9457): what was found, at which JSON pointer,
and the remedy. Nothing of the request's body is repeated, because a narrative may stand in it.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

PROBLEM_TYPE: Final = "application/problem+json"
PROBLEMS_MAX: Final = 20
RETRY_AFTER_S: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: where (a JSON pointer), what, and what to send instead."""

    path: str
    code: str
    detail: str
    remedy: str


class TandemError(Exception):
    """Root of every error that the package `api` raises on purpose."""

    code: ClassVar[str] = "TANDEM_ERROR"
    title: ClassVar[str] = "Something went wrong"

    members: bytes = b""
    """More members of the answer, as JSON without braces; of our own making."""

    def __init__(
        self, detail: str, *, remedy: str = "", problems: tuple[Problem, ...] = ()
    ) -> None:
        super().__init__(f"{detail} {remedy}".strip())
        self.detail = detail
        self.remedy = remedy
        self.problems = problems


class RequestError(TandemError):
    """The request is at fault and may be mended."""

    code = "REQUEST_REFUSED"


class InvalidRequest(RequestError):
    """The incident itself cannot be understood."""

    code = "REQUEST_INVALID"
    title = "The request cannot be understood"


class BodyTooLarge(RequestError):
    """More bytes than a request may have."""

    code = "BODY_TOO_LARGE"
    title = "The request is too large"


class BodyTooSlow(RequestError):
    """The body did not arrive in time."""

    code = "BODY_TOO_SLOW"
    title = "The request did not arrive in time"


class NotJson(RequestError):
    """The content type is not JSON."""

    code = "CONTENT_TYPE_NOT_JSON"
    title = "The content type is not JSON"


class NoSuchPage(RequestError):
    """No such address."""

    code = "NOT_FOUND"
    title = "There is nothing at this address"


class NoSuchUnit(RequestError):
    """The roster does not have this unit."""

    code = "UNIT_NOT_IN_ROSTER"
    title = "The roster does not have this unit"


class NoSuchIncident(RequestError):
    """Nothing is remembered of this call."""

    code = "INCIDENT_NOT_KNOWN"
    title = "Nothing is remembered of this call"


class NoSuchAlert(RequestError):
    """No safety alert has this id."""

    code = "ALERT_NOT_KNOWN"
    title = "No safety alert has this id"


class NoSuchRecommendation(RequestError):
    """No recommendation with this id is kept."""

    code = "RECOMMENDATION_NOT_KNOWN"
    title = "No recommendation with this id is kept"


class NoSuchClaim(RequestError):
    """No claim has this id."""

    code = "CLAIM_NOT_KNOWN"
    title = "No claim has this id"


class NoSuchDraft(RequestError):
    """No draft has this name."""

    code = "DRAFT_NOT_KNOWN"
    title = "No draft has this name"


class NoSuchZone(RequestError):
    """The draft has no zone with this zone_id."""

    code = "ZONE_NOT_KNOWN"
    title = "The draft has no such zone"


class NoSuchRelease(RequestError):
    """No release has this key, or no publication this number."""

    code = "RELEASE_NOT_KNOWN"
    title = "No such release is kept"


class ChangeRefused(RequestError):
    """What is kept does not allow the change."""

    code = "CHANGE_REFUSED"
    title = "Nothing was changed"


class PreconditionFailed(RequestError):
    """If-Match names another version than the one that is kept."""

    code = "VERSION_CHANGED"
    title = "It has changed meanwhile"


class PreconditionMissing(RequestError):
    """Nothing says which version is meant."""

    code = "IF_MATCH_MISSING"
    title = "The request does not say which version it is for"


class NoSuchStudy(RequestError):
    """No study has this id, or it has no such file."""

    code = "STUDY_NOT_KNOWN"
    title = "No such study"


class NoSuchCollection(RequestError):
    """No collection of features has this id."""

    code = "COLLECTION_NOT_KNOWN"
    title = "No collection has this id"


class NoSuchFeature(RequestError):
    """No feature of the collection has this id."""

    code = "FEATURE_NOT_KNOWN"
    title = "No feature has this id"


class BadParameter(RequestError):
    """A query parameter that the address does not take; 400, as OGC API - Features asks for."""

    code = "PARAMETER_REFUSED"
    title = "The address has a parameter that it does not take"


class NoSuchClosure(RequestError):
    """No closure has this id."""

    code = "CLOSURE_NOT_KNOWN"
    title = "No closure has this id"


class ClosureRefused(RequestError):
    """The state of a closure, its times or what it would cut off do not allow the step."""

    code = "CLOSURE_REFUSED"
    title = "Nothing was changed"


class ClaimRefused(RequestError):
    """A unit was taken or changed meanwhile, or the recommendation is no longer the one."""

    code = "CLAIM_REFUSED"
    title = "Nothing was claimed"

    def __init__(
        self,
        detail: str,
        *,
        remedy: str = "",
        problems: tuple[Problem, ...] = (),
        members: bytes = b"",
    ) -> None:
        super().__init__(detail, remedy=remedy, problems=problems)
        self.members = members


class KeyReused(RequestError):
    """An Idempotency-Key came with another body, or for another address, before."""

    code = "IDEMPOTENCY_KEY_REUSED"
    title = "This Idempotency-Key belongs to another request"


class KeyInHand(RequestError):
    """The first request with this Idempotency-Key is not answered yet."""

    code = "IDEMPOTENCY_IN_PROGRESS"
    title = "The first request with this Idempotency-Key is in hand"


class WrongMethod(RequestError):
    """The address exists, the method does not."""

    code = "METHOD_NOT_ALLOWED"
    title = "This address does not take that method"


class Unauthorized(RequestError):
    """Nobody knows who asks; the answer never repeats what was sent."""

    code = "UNAUTHORIZED"


class CredentialsMissing(Unauthorized):
    """The request has no key and no token."""

    code = "CREDENTIALS_MISSING"
    title = "The request has no credentials"


class CredentialsRefused(Unauthorized):
    """A key or token that is forged, unknown or of another service."""

    code = "CREDENTIALS_REFUSED"
    title = "The credentials are not valid"


class CredentialsExpired(Unauthorized):
    """A key or token whose time is over."""

    code = "CREDENTIALS_EXPIRED"
    title = "The credentials have expired"


class CredentialsRevoked(Unauthorized):
    """A key that was revoked."""

    code = "CREDENTIALS_REVOKED"
    title = "The credentials were revoked"


class Forbidden(RequestError):
    """It is known who asks, and it may not do this."""

    code = "FORBIDDEN"


class RoleNotAllowed(Forbidden):
    """None of the caller's roles may use this address."""

    code = "ROLE_NOT_ALLOWED"
    title = "This role may not do that"


class NotYours(Forbidden):
    """It is another person's, or needs another person."""

    code = "NOT_YOURS"
    title = "This needs another person"


class ClosureTooLarge(Forbidden):
    """A closure of so much of the network takes a supervisor."""

    code = "CLOSURE_NEEDS_SUPERVISOR"
    title = "This takes a supervisor"


class NoRolesDeclared(Forbidden):
    """Nobody said who may use this address, so nobody may."""

    code = "NO_ROLES_DECLARED"
    title = "Nobody may use this address"


class OperatorRoleNotAllowed(Forbidden):
    """A key asserts an operator role that it may not assert (rule 17)."""

    code = "OPERATOR_ROLE_NOT_ALLOWED"
    title = "The key may not assert this operator role"


class ServiceError(TandemError):
    """The service is at fault; the same request may succeed later."""

    code = "SERVICE_ERROR"


class NotReady(ServiceError):
    """Streets and kernels are still being loaded."""

    code = "NOT_READY"
    title = "The service is not ready yet"


class WritersWaiting(ServiceError):
    """More writes of the roster wait than may."""

    code = "TOO_MANY_WRITES"
    title = "Too many writes are waiting"


class BatchesWaiting(ServiceError):
    """More batches of calls wait than may."""

    code = "TOO_MANY_BATCHES"
    title = "Too many batches are waiting"


class StudiesNotConfigured(ServiceError):
    """The service has no folder for studies."""

    code = "STUDIES_NOT_CONFIGURED"
    title = "No folder for studies"


class StoreNotConfigured(ServiceError):
    """Nothing is kept, so there is no desk."""

    code = "STORE_NOT_CONFIGURED"
    title = "The service keeps no store"


class Overloaded(ServiceError):
    """More requests are in hand than may."""

    code = "OVERLOADED"
    title = "Too many requests are in hand"


class TookTooLong(ServiceError):
    """No answer within the time that a request has."""

    code = "TOOK_TOO_LONG"
    title = "The request took too long"


class InternalFault(ServiceError):
    """A bug of ours."""

    code = "INTERNAL_FAULT"
    title = "The service failed on this request"


class StoreError(TandemError):
    """What the store cannot do, whatever engine it has."""

    code = "STORE_ERROR"


class StoreUnavailable(StoreError):
    """The store cannot be reached; recommendations are still answered."""

    code = "STORE_UNAVAILABLE"
    title = "The store cannot be reached"


class StoreBusy(StoreError):
    """More writes wait for the store than may."""

    code = "STORE_BUSY"
    title = "Too many writes wait for the store"


class RosterFull(StoreError):
    """The roster takes no more units."""

    code = "ROSTER_FULL"
    title = "The roster is full"


class StartError(TandemError):
    """A command cannot begin."""

    code = "CANNOT_START"
    title = "The command cannot begin"
