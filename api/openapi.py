"""The API description: FastAPI's own, plus what bytes-in, bytes-out routes cannot tell it.

The request's schema, the examples (made by `tandem`'s own code from the demo calls, see
`examples`), and the one shape of every refusal.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI

from api.answer_schemas import ProblemAnswer, RecommendAnswer
from api.batch_example import read_batch_example
from api.batch_schemas import RecommendBatchAnswer, RecommendBatchRequest
from api.errors import PROBLEM_TYPE
from api.examples import read_examples
from api.ogc.description import describe_features
from api.openapi_calls import (
    CALL_ANSWERS,
    CALL_REQUESTS,
    describe_calls,
    link_to_incident,
)
from api.openapi_closures import CLOSURE_ANSWERS, CLOSURE_REQUESTS, describe_closures
from api.openapi_desk import DESK_ANSWERS, DESK_REQUESTS, describe_desk
from api.openapi_events import describe_events
from api.openapi_measures import describe_measures
from api.openapi_queue import QUEUE_ANSWERS, describe_queue
from api.openapi_releases import RELEASE_ANSWERS, RELEASE_REQUESTS, describe_releases
from api.openapi_roles import describe_roles
from api.openapi_roster import ANSWERS, REQUESTS, describe_roster
from api.openapi_studies import STUDY_ANSWERS, STUDY_REQUESTS, describe_studies
from api.request_schemas import RecommendRequest

REF: Final = "#/components/schemas/{model}"
RECOMMEND_PATH: Final = "/v1/recommend-units"
BATCH_PATH: Final = "/v1/recommend-units/batch"
NETWORK_PATH: Final = "/v1/network"
REFUSALS: Final = {
    "408": "The body did not arrive in time.",
    "413": "The body is too large.",
    "415": "The content type is not JSON.",
    "422": "The call itself cannot be understood.",
    "503": "Not ready yet; ask again after Retry-After.",
}


def install_description(app: FastAPI) -> None:
    """Make /openapi.json answer the full description; it is made once, when first asked for."""

    def description() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    app.openapi = description  # type: ignore[method-assign]


_REQUESTS: Final = (
    *REQUESTS,
    *CALL_REQUESTS,
    *DESK_REQUESTS,
    *CLOSURE_REQUESTS,
    *RELEASE_REQUESTS,
    *STUDY_REQUESTS,
)
_ANSWERS: Final = (
    *ANSWERS,
    *CALL_ANSWERS,
    *DESK_ANSWERS,
    *QUEUE_ANSWERS,
    *CLOSURE_ANSWERS,
    *RELEASE_ANSWERS,
    *STUDY_ANSWERS,
)


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI description of the app."""
    from fastapi.openapi.utils import get_openapi
    from pydantic.json_schema import models_json_schema

    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
    )
    _, models = models_json_schema(
        [
            (RecommendRequest, "validation"),
            (RecommendAnswer, "serialization"),
            (RecommendBatchRequest, "validation"),
            (RecommendBatchAnswer, "serialization"),
            (ProblemAnswer, "serialization"),
            *((model, "validation") for model in _REQUESTS),
            *((model, "serialization") for model in _ANSWERS),
        ],
        ref_template=REF,
    )
    document.setdefault("components", {}).setdefault("schemas", {}).update(models["$defs"])
    paths = document["paths"]
    _describe(paths[RECOMMEND_PATH]["post"], RecommendRequest, RecommendAnswer, read_examples())
    told = paths[RECOMMEND_PATH]["post"]["responses"]["200"]
    told["links"] = {"known": link_to_incident("What is known of the call, without as_of")}
    of_batch = {"BATCH": read_batch_example()}
    _describe(paths[BATCH_PATH]["post"], RecommendBatchRequest, RecommendBatchAnswer, of_batch)
    busy = "Not ready, or too many batches are in hand; ask again after Retry-After."
    paths[BATCH_PATH]["post"]["responses"]["503"] = _refusal(busy)
    document["paths"][NETWORK_PATH]["get"]["responses"]["503"] = _refusal(REFUSALS["503"])
    describe_roster(document["paths"], REF)
    describe_calls(document["paths"], REF)
    describe_desk(document["paths"], REF)
    describe_queue(document["paths"], REF)
    describe_closures(document["paths"], REF)
    describe_events(document["paths"], REF)
    describe_measures(document, REF)
    describe_releases(document["paths"], REF)
    describe_studies(document["paths"], REF)
    describe_features(document, REF)
    describe_roles(document, REF, is_open=app.state.gate.is_open)
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own; ours replace them
        document["components"]["schemas"].pop(unused, None)
    return document


def _describe(
    operation: dict[str, Any], request: type, answer: type, examples: Mapping[str, Any]
) -> None:
    """Complete an operation that decides; FastAPI knows the meaning of its 200."""
    requests = {name: {"value": example["request"]} for name, example in examples.items()}
    answers = {name: {"value": example["answer"]} for name, example in examples.items()}
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": _ref(request), "examples": requests}},
    }
    operation["responses"] = {
        "200": {
            "description": operation["responses"]["200"]["description"],
            "content": {"application/json": {"schema": _ref(answer), "examples": answers}},
        },
        **{status: _refusal(meaning) for status, meaning in REFUSALS.items()},
    }


def _refusal(meaning: str) -> dict[str, Any]:
    return {"description": meaning, "content": {PROBLEM_TYPE: {"schema": _ref(ProblemAnswer)}}}


def _ref(model: type) -> dict[str, str]:
    return {"$ref": REF.format(model=model.__name__)}
