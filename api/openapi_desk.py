"""What the API description says of claims, overrides and reports, and the links between them."""

from typing import Any, Final

from api.answer_schemas import RecommendAnswer
from api.claims.schemas import (
    ClaimAnswer,
    ClaimProblem,
    ClaimsAnswer,
    ConfirmWrite,
    OverrideAnswer,
    OverrideWrite,
    ReleaseWrite,
    SceneSafeAnswer,
    SceneSafeWrite,
    StatusAnswer,
    StatusWrite,
)
from api.desk_examples import read_desk_examples
from api.errors import PROBLEM_TYPE
from api.idempotency import HEADER, KEY_CHARACTERS_MAX
from api.openapi_roster import BODY_REFUSALS, NO_ID, Described, describe_operations

CONFIRM: Final = "/v1/recommendations/{recommendation_id}/confirm"
ONE_RECOMMENDATION: Final = "/v1/recommendations/{recommendation_id}"
CLAIMS: Final = "/v1/claims"
ONE_CLAIM: Final = "/v1/claims/{claim_id}"
RELEASE: Final = "/v1/claims/{claim_id}/release"
OVERRIDE: Final = "/v1/incidents/{incident_id}/override"
SCENE_SAFE: Final = "/v1/incidents/{incident_id}/scene-safe"
STATUS: Final = "/v1/units/{unit_id}/status"

NO_STORE: Final = {
    "503": "No store, or it cannot be reached, or not ready yet; ask again after Retry-After."
}
IN_HAND: Final = {"409": "The first request with this Idempotency-Key is in hand."}
REFUSED: Final = {"409": "Nothing was claimed; `reasons` says why, by unit."}

DESK_OPERATIONS: Final = (
    Described(
        path=CONFIRM,
        method="post",
        request=ConfirmWrite,
        answers={"200": ("The claim", ClaimAnswer, ("CONFIRMED",))},
        refusals=BODY_REFUSALS | {"404": "No such recommendation is kept."} | REFUSED | NO_STORE,
    ),
    Described(
        path=ONE_RECOMMENDATION,
        method="get",
        answers={"200": ("Byte for byte as it was sent", RecommendAnswer, ("RECOMMENDATION",))},
        refusals={"404": "No such recommendation is kept."} | NO_STORE,
    ),
    Described(
        path=CLAIMS,
        method="get",
        answers={"200": ("Live claims, oldest first", ClaimsAnswer, ("CLAIMS",))},
        refusals=NO_STORE,
    ),
    Described(
        path=ONE_CLAIM,
        method="get",
        answers={"200": ("Live or ended", ClaimAnswer, ("CLAIM",))},
        refusals={"404": "No claim has this id."} | NO_STORE,
    ),
    Described(
        path=RELEASE,
        method="post",
        request=ReleaseWrite,
        answers={"200": ("Released, now or before", ClaimAnswer, ("RELEASED",))},
        refusals=BODY_REFUSALS | {"404": "No claim has this id."} | REFUSED | NO_STORE,
    ),
    Described(
        path=OVERRIDE,
        method="post",
        request=OverrideWrite,
        answers={"200": ("As it is kept", OverrideAnswer, ("OVERRIDDEN",))},
        refusals=BODY_REFUSALS
        | {"404": "Nothing is remembered of this call."}
        | REFUSED
        | NO_STORE,
    ),
    Described(
        path=SCENE_SAFE,
        method="post",
        request=SceneSafeWrite,
        answers={"200": ("Recorded, now or before", SceneSafeAnswer, ("SAFE",))},
        refusals=BODY_REFUSALS | NO_ID | IN_HAND | NO_STORE,
    ),
    Described(
        path=STATUS,
        method="post",
        request=StatusWrite,
        answers={"200": ("Recorded", StatusAnswer, ("DISPATCHED", "DISPLACED"))},
        refusals=BODY_REFUSALS | NO_ID | IN_HAND | NO_STORE,
    ),
)

DESK_REQUESTS: Final = (ConfirmWrite, ReleaseWrite, OverrideWrite, StatusWrite, SceneSafeWrite)
DESK_ANSWERS: Final = (
    ClaimAnswer,
    ClaimsAnswer,
    OverrideAnswer,
    SceneSafeAnswer,
    StatusAnswer,
    ClaimProblem,
)

IDEMPOTENCY_KEY: Final = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The same key and body get the first answer; docs/desk.md says more.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": KEY_CHARACTERS_MAX,
        "pattern": "^[ -~]+$",
    },
}


def describe_desk(paths: dict[str, Any], reference: str) -> None:
    """Complete the operations of the desk; `reference` is the place of a model by its name."""
    examples = read_desk_examples()
    describe_operations(DESK_OPERATIONS, examples, paths, reference)
    for one in DESK_OPERATIONS:
        operation = paths[one.path][one.method]
        if one.request is not None:
            operation["parameters"] = [*operation.get("parameters", ()), IDEMPOTENCY_KEY]
        if "409" in one.refusals and one.refusals["409"] == REFUSED["409"]:
            shown = {"REFUSED": {"value": examples["REFUSED"]["answer"]}}
            schema = {"$ref": reference.format(model=ClaimProblem.__name__)}
            content = {PROBLEM_TYPE: {"schema": schema, "examples": shown}}
            operation["responses"]["409"]["content"] = content
    claim_id = "$response.body#/claim/claim_id"
    paths[CONFIRM]["post"]["responses"]["200"]["links"] = {
        "claim": _link("get_claim", "The claim as it is later", claim_id),
        "release": _link("release_claim", "Give it up", claim_id),
    }


def _link(operation_id: str, meaning: str, claim_id: str) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "description": meaning,
        "parameters": {"claim_id": claim_id},
    }
