"""What is sent and answered about studies, field by field. Answers have every key always."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonValue
from pydantic_core import PydanticCustomError

from api.answer_schemas import Part, UtcInstant
from api.request_schemas import Entry
from api.studies.jobs import SCENARIO_BYTES_MAX, Job, StudyKind, StudyState
from api.validation_words import ONE_SCENARIO

_NONE: Final[JsonValue] = {"type": "null"}
_TOLD: Final[JsonValue] = {"type": "string"}
_ONE_OF: Final[list[JsonValue]] = [
    {"required": [told], "properties": {told: _TOLD, other: _NONE}}
    for told, other in (("scenario", "scenario_file"), ("scenario_file", "scenario"))
]


class StudyWrite(Entry):
    """POST /v1/studies: what is to be studied."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False, "oneOf": _ONE_OF})

    kind: StudyKind
    scenario: Annotated[str, Field(min_length=1, max_length=SCENARIO_BYTES_MAX)] | None = None
    """A scenario file (TOML), whole; files that it names are in the service's folder of data."""
    scenario_file: Annotated[str, Field(pattern=r"^[\w-][\w.-]{0,200}\.toml$")] | None = None
    """In place of it: the name of a scenario file in the service's folder of data."""

    @model_validator(mode="after")
    def _has_one_scenario(self) -> "StudyWrite":
        if (self.scenario is None) is (self.scenario_file is None):
            raise PydanticCustomError(ONE_SCENARIO, "one scenario is required")
        return self


class FaultPart(Part):
    """One thing that is wrong with a scenario, or with a file that it names."""

    file: str | None
    line: int | None
    where: str | None
    message: str
    remedy: str


class StudyAnswer(Part):
    """One study."""

    study_id: str
    kind: StudyKind
    state: StudyState
    stage: str
    """What it does now."""
    done: int
    total: int
    """0 where nobody knows."""
    created_at: UtcInstant
    created_by: str
    ended_at: UtcInstant | None
    in_short: tuple[str, ...]
    """What was found, a sentence each."""
    faults: tuple[FaultPart, ...]
    files: tuple[str, ...]
    """Names for GET .../files/{name}; report.html is the page."""


class StudiesAnswer(Part):
    """The studies, the newest first."""

    studies: tuple[StudyAnswer, ...]


def study_answer(job: Job) -> StudyAnswer:
    """Return a study as it is answered."""
    faults = [
        FaultPart(
            **{key: fault.get(key) for key in ("file", "line", "where")},  # type: ignore[arg-type]
            message=str(fault.get("message", "")), remedy=str(fault.get("remedy", "")),
        )
        for fault in job.faults
    ]  # fmt: skip
    ended_at = None if job.ended_at is None else datetime.fromisoformat(job.ended_at)
    return StudyAnswer(
        study_id=job.study_id, kind=job.kind, state=job.state, stage=job.stage, done=job.done,
        total=job.total, created_at=datetime.fromisoformat(job.created_at),
        created_by=job.created_by, ended_at=ended_at, in_short=job.in_short, faults=tuple(faults),
        files=job.files,
    )  # fmt: skip
