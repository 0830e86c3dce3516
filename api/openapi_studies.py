"""What the API description says of studies."""

from typing import Any, Final

from api.openapi_desk import IDEMPOTENCY_KEY
from api.openapi_roster import BODY_REFUSALS, Described, describe_operations
from api.studies.jobs import Job, StudyKind, StudyState
from api.studies.schemas import FaultPart, StudiesAnswer, StudyAnswer, StudyWrite, study_answer

STUDIES: Final = "/v1/studies"
ONE_STUDY: Final = "/v1/studies/{study_id}"
CANCEL: Final = "/v1/studies/{study_id}/cancel"
FILE: Final = "/v1/studies/{study_id}/files/{name}"
LATER: Final = {"503": "This service runs no studies, or too many wait, or it is not ready yet."}
NO_STUDY: Final = {"404": "No study has this id, or it has no such file."}
OVER: Final = {"409": "It is over; nothing is left to end."}

OPERATIONS: Final = (
    Described(
        path=STUDIES,
        method="get",
        answers={"200": ("The newest first", StudiesAnswer, ())},
        refusals=LATER,
    ),
    Described(
        path=STUDIES,
        method="post",
        request=StudyWrite,
        answers={"202": ("It waits for its turn", StudyAnswer, ("COVERAGE",))},
        refusals=BODY_REFUSALS | LATER,
    ),
    Described(
        path=ONE_STUDY,
        method="get",
        answers={"200": ("How far it is, and what it found", StudyAnswer, ("COVERAGE",))},
        refusals=NO_STUDY | LATER,
    ),
    Described(
        path=CANCEL,
        method="post",
        answers={"200": ("Ended, now or before", StudyAnswer, ())},
        refusals=NO_STUDY | OVER | LATER,
    ),
)
STUDY_REQUESTS: Final = (StudyWrite,)
STUDY_ANSWERS: Final = (StudyAnswer, StudiesAnswer, FaultPart)
EXAMPLE_SCENARIO: Final = """\
name = "The pilot with three CARE units"

[units.CARE]
count = 3

[demand.care]
per_day = 7.3
"""


def example() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is sent and what is answered at once."""
    job = Job(
        study_id="3f9c2a1b7d5e8f60",
        kind=StudyKind.COVERAGE,
        created_at="2026-07-21T20:05:00.000Z",
        created_by="analysis",
        state=StudyState.QUEUED,
    )
    sent = {"kind": StudyKind.COVERAGE.value, "scenario": EXAMPLE_SCENARIO}
    return sent, study_answer(job).model_dump(mode="json")


def describe_studies(paths: dict[str, Any], reference: str) -> None:
    """Complete the operations of studies; `reference` is the place of a model by its name."""
    sent, answered = example()
    examples = {"COVERAGE": {"request": sent, "answer": answered}}
    describe_operations(OPERATIONS, examples, paths, reference)
    paths[STUDIES]["post"].setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    file = Described(path=FILE, method="get", answers={}, refusals=NO_STUDY | LATER)
    told = paths[FILE]["get"]["responses"]["200"]
    describe_operations((file,), {}, paths, reference)
    paths[FILE]["get"]["responses"]["200"] = told
