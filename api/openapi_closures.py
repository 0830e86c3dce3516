"""What the API description says of closures; the answer of its example is made by what sends it."""

import datetime as dt
from typing import Any, Final

from api.closures.records import ClosureState, KeptClosure
from api.closures.schemas import (
    ActivateWrite,
    ClosureAnswer,
    ClosuresAnswer,
    ClosureWrite,
    EffectPart,
    EndWrite,
    closure_part,
    content_of,
)
from api.idempotency import HEADER, KEY_CHARACTERS_MAX
from api.openapi_roster import BODY_REFUSALS, Described, describe_operations

CLOSURES: Final = "/v1/closures"
ONE_CLOSURE: Final = "/v1/closures/{closure_id}"
ACTIVATE: Final = "/v1/closures/{closure_id}/activate"
END: Final = "/v1/closures/{closure_id}/end"

NO_STORE: Final = {
    "503": "No store, or it cannot be reached, or not ready yet; ask again after Retry-After."
}
NONE: Final = {"404": "No closure has this id."}
REFUSED: Final = {"409": "Its state, its times or what it would cut off do not allow it; see code."}

_OPERATOR: Final = {"operator": {"id": "D417", "role": "DISPATCHER"}}
CLOSURE: Final[dict[str, Any]] = {
    **_OPERATOR,
    "name": "Stadium event",
    "note": "Officers at both ends.",
    "traffic": "ALL_BUT_EMERGENCY",
    "starts_at": "2026-07-21T17:00:00-07:00",
    "ends_at": "2026-09-30T23:59:00-07:00",
    "windows": [{"days": ["tue", "sat"], "start": "17:30", "end": "23:00"}],
    "direction": "BOTH",
    "geometry": {
        "type": "LineString",
        "coordinates": [[-122.33720, 47.61040], [-122.33610, 47.61080]],
    },
}
_AT: Final = dt.datetime(2026, 7, 21, 20, 5, 2, tzinfo=dt.UTC)
_ID: Final = "clo_01K0P2V8S6EXAMPLE000000000"

CLOSURE_OPERATIONS: Final = (
    Described(
        path=CLOSURES,
        method="get",
        answers={"200": ("In the order of their proposal", ClosuresAnswer, ("LISTED",))},
        refusals={"422": "`state` is none of the states."} | NO_STORE,
    ),
    Described(
        path=CLOSURES,
        method="post",
        request=ClosureWrite,
        answers={"201": ("Proposed; it closes nothing yet", ClosureAnswer, ("PROPOSED",))},
        refusals=BODY_REFUSALS | REFUSED | NO_STORE,
    ),
    Described(
        path=ONE_CLOSURE,
        method="get",
        answers={"200": ("The closure and what it does", ClosureAnswer, ("READ",))},
        refusals=NONE | NO_STORE,
    ),
    Described(
        path=ONE_CLOSURE,
        method="put",
        request=ClosureWrite,
        answers={"200": ("Changed", ClosureAnswer, ("PROPOSED",))},
        refusals=BODY_REFUSALS | NONE | REFUSED | NO_STORE,
    ),
    Described(
        path=ONE_CLOSURE,
        method="delete",
        answers={"200": ("As it was", ClosureAnswer, ())},
        refusals={"422": "The Idempotency-Key is none, or came with another request."}
        | NONE
        | REFUSED
        | NO_STORE,
    ),
    Described(
        path=ACTIVATE,
        method="post",
        request=ActivateWrite,
        answers={"200": ("Decisions read it now", ClosureAnswer, ("ACTIVE",))},
        refusals=BODY_REFUSALS | NONE | REFUSED | NO_STORE,
    ),
    Described(
        path=END,
        method="post",
        request=EndWrite,
        answers={"200": ("Ended, now or before", ClosureAnswer, ("ENDED",))},
        refusals=BODY_REFUSALS | NONE | REFUSED | NO_STORE,
    ),
)

CLOSURE_REQUESTS: Final = (ClosureWrite, ActivateWrite, EndWrite)
CLOSURE_ANSWERS: Final = (ClosureAnswer, ClosuresAnswer)


def closure_examples() -> dict[str, dict[str, Any]]:
    """Return `{name: {"request": ..., "answer": ...}}`."""
    proposed = _kept(ClosureState.PROPOSED)
    active = _kept(ClosureState.ACTIVE, activated_by="D417", activated_at=_AT, version=2)
    ended = _kept(
        ClosureState.ENDED, activated_by="D417", activated_at=_AT, version=3, ended_by="S9",
        ended_at=_AT + dt.timedelta(hours=1), end_reason="cancelled",
    )  # fmt: skip
    told = {"version": 1, "accept_cut_off": False}
    return {
        "LISTED": {"answer": {"closures": [_part(proposed)]}},
        "PROPOSED": {"request": CLOSURE, "answer": _answer(proposed)},
        "READ": {"answer": _answer(active)},
        "ACTIVE": {"request": _OPERATOR | told, "answer": _answer(active)},
        "ENDED": {
            "request": _OPERATOR | {"reason": "cancelled", "at": None},
            "answer": _answer(ended) | {"effect": None},
        },
    }


def _kept(state: ClosureState, **fields: Any) -> KeptClosure:
    made: dict[str, Any] = {
        "closure_id": _ID, "version": 1, "state": state,
        "content": content_of(ClosureWrite.model_validate(CLOSURE, strict=False)),
        "proposed_by": "D417", "proposed_at": _AT, "changed_by": "D417", "changed_at": _AT,
    }  # fmt: skip
    return KeptClosure(**(made | fields))


def _part(kept: KeptClosure) -> dict[str, Any]:
    starts_at = kept.content.starts_at if kept.state is ClosureState.ACTIVE else None
    part = closure_part(kept, kept.state, closed_now=False, next_change_at=starts_at)
    return part.model_dump(mode="json")


def _answer(kept: KeptClosure) -> dict[str, Any]:
    effect = EffectPart(
        streets=["Pine Street"], edges=1, length_m=94.2, network_share=0.000419, cut_off=None,
        needs_supervisor=False,
    )  # fmt: skip
    return {"closure": _part(kept), "effect": effect.model_dump(mode="json"), "warnings": []}


_KEY: Final = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The same key and body get the first answer; docs/desk.md says more.",
    "schema": {
        "type": "string", "minLength": 1, "maxLength": KEY_CHARACTERS_MAX, "pattern": "^[ -~]+$",
    },
}  # fmt: skip


def describe_closures(paths: dict[str, Any], reference: str) -> None:
    """Complete the operations; `reference` is the place of a model by its name."""
    describe_operations(CLOSURE_OPERATIONS, closure_examples(), paths, reference)
    for one in CLOSURE_OPERATIONS:
        operation = paths[one.path][one.method]
        if one.request is not None:
            operation["parameters"] = [*operation.get("parameters", ()), _KEY]
    closure_id = "$response.body#/closure/closure_id"
    paths[CLOSURES]["post"]["responses"]["201"]["links"] = {
        name: _link(operation_id, meaning, closure_id)
        for name, operation_id, meaning in (
            ("closure", "get_closure", "The closure as it is later"),
            ("activate", "activate_closure", "Close the streets"),
            ("end", "end_closure", "Open them again"),
        )
    }


def _link(operation_id: str, meaning: str, closure_id: str) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "description": meaning,
        "parameters": {"closure_id": closure_id},
    }
