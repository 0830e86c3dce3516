"""What the API description says of the roster's addresses: bodies, answers, refusals, examples."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from api.answer_schemas import Part, ProblemAnswer
from api.errors import PROBLEM_TYPE
from api.request_schemas import Entry
from api.roster_examples import read_roster_examples
from api.roster_schemas import (
    PositionsWrite,
    PositionsWritten,
    RosterAnswer,
    SnapshotWrite,
    SnapshotWritten,
    UnitAnswer,
    UnitWrite,
    UnitWritten,
)

UNITS: Final = "/v1/units"
ONE_UNIT: Final = "/v1/units/{unit_id}"
POSITIONS: Final = "/v1/units/positions"

NO_ID: Final = {"404": "What stands in the address can be no id."}
BODY_REFUSALS: Final = {
    "408": "The body did not arrive in time.",
    "413": "The body is too large.",
    "415": "The content type is not JSON.",
    "422": "The body cannot be understood; see `errors`.",
}
FULL: Final = {"409": "The roster takes no more units."}
NOT_THERE: Final = {"404": "The roster does not have this unit."}
LATER: Final = {"503": "Not ready, or too many writes are waiting; ask again after Retry-After."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One operation: where it is, what it takes and gives, and its examples by their names."""

    path: str
    method: str
    request: type[Entry] | None = None
    answers: dict[str, tuple[str, type[Part], tuple[str, ...]]]
    """By status: the meaning, the model, the examples."""
    refusals: dict[str, str]


OPERATIONS: Final = (
    Described(
        path=UNITS,
        method="get",
        answers={"200": ("All units", RosterAnswer, ("ROSTER",))},
        refusals=LATER,
    ),
    Described(
        path=UNITS,
        method="put",
        request=SnapshotWrite,
        answers={"200": ("The differences", SnapshotWritten, ("SNAPSHOT", "LATER_SNAPSHOT"))},
        refusals=BODY_REFUSALS | FULL | LATER,
    ),
    Described(
        path=POSITIONS,
        method="post",
        request=PositionsWrite,
        answers={"200": ("What became of each row", PositionsWritten, ("POSITIONS",))},
        refusals=BODY_REFUSALS | LATER,
    ),
    Described(
        path=ONE_UNIT,
        method="get",
        answers={"200": ("The unit", UnitAnswer, ("UNIT",))},
        refusals=NOT_THERE | LATER,
    ),
    Described(
        path=ONE_UNIT,
        method="put",
        request=UnitWrite,
        answers={
            "200": ("Changed, unchanged or ignored", UnitWritten, ("ONE_UNIT",)),
            "201": ("Added", UnitWritten, ()),
        },
        refusals=BODY_REFUSALS | NO_ID | FULL | LATER,
    ),
    Described(
        path=ONE_UNIT,
        method="delete",
        answers={"200": ("The unit as it was last", UnitWritten, ("REMOVED",))},
        refusals=NOT_THERE | LATER,
    ),
)

REQUESTS: Final = (UnitWrite, SnapshotWrite, PositionsWrite)
ANSWERS: Final = (UnitAnswer, UnitWritten, RosterAnswer, SnapshotWritten, PositionsWritten)


def describe_roster(paths: dict[str, Any], reference: str) -> None:
    """Complete the operations of the roster; `reference` is the place of a model by its name."""
    describe_operations(OPERATIONS, read_roster_examples(), paths, reference)


def describe_operations(
    operations: Iterable[Described],
    examples: dict[str, dict[str, Any]],
    paths: dict[str, Any],
    reference: str,
) -> None:
    """Complete operations with their bodies, answers, refusals and examples."""
    for one in operations:
        operation = paths[one.path][one.method]
        if one.request is not None:
            shown = {
                name: {"value": examples[name]["request"]}
                for _, _, names in one.answers.values()
                for name in names
            }
            operation["requestBody"] = {
                "required": True,
                "content": {"application/json": _content(one.request, shown, reference)},
            }
        operation["responses"] = _responses(one, examples, reference)


def _responses(
    one: Described, examples: dict[str, dict[str, Any]], reference: str
) -> dict[str, Any]:
    answers = {}
    for status, (meaning, model, names) in one.answers.items():
        shown = {name: {"value": examples[name]["answer"]} for name in names}
        content = {"application/json": _content(model, shown, reference)}
        answers[status] = {"description": meaning, "content": content}
    problem = {PROBLEM_TYPE: _content(ProblemAnswer, {}, reference)}
    refusals = {
        status: {"description": meaning, "content": problem}
        for status, meaning in sorted(one.refusals.items())
    }
    return answers | refusals


def _content(model: type, examples: dict[str, Any], reference: str) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": reference.format(model=model.__name__)}}
    return content | ({"examples": examples} if examples else {})
