"""The request and the answer of POST /v1/recommend-units/batch, field by field.

What lives here: what a batch has of its own. A call, a unit, the options and one recommendation are
those of POST /v1/recommend-units (`request_schemas`, `answer_schemas`).
"""

from typing import Annotated, Final

from pydantic import Field

from api.answer_schemas import Part, RecommendAnswer, UtcInstant, WarningPart
from api.request_schemas import (
    COMPETING_MAX,
    EXCLUDED_MAX,
    UNITS_MAX,
    CompetingEntry,
    Entry,
    Id,
    IncidentEntry,
    Instant,
    OperatorEntry,
    OptionsEntry,
    UnitEntry,
)

INCIDENTS_MAX: Final = 200


class RecommendBatchRequest(Entry):
    """Several pending calls, the units for all of them, and what competes for these."""

    request_id: Id | None = None
    as_of: Instant | None = None
    """The instant to decide for; for replay and test keys only, null otherwise."""
    operator: OperatorEntry | None = None
    incidents: Annotated[
        list[IncidentEntry], Field(max_length=INCIDENTS_MAX, json_schema_extra={"minItems": 1})
    ]
    """The calls. One that cannot be understood is left out and named; 422 when none can be. None is
    told by the reader, which knows what was wrong with those that were sent."""
    exclude_unit_ids: Annotated[list[Id], Field(default_factory=list, max_length=EXCLUDED_MAX)]
    competing: Annotated[
        list[CompetingEntry], Field(default_factory=list, max_length=COMPETING_MAX)
    ]
    """Police work beside these calls; a row about one of these calls is not used."""
    units: Annotated[list[UnitEntry], Field(max_length=UNITS_MAX)] | None = None
    """These replace the roster for these calls; null means the roster."""
    options: OptionsEntry = OptionsEntry()
    """For each of the calls; `deadline_ms` is for all of them together."""


class BatchPart(Part):
    """How good the answers are together, and how sure that is."""

    calls: int
    solved: int
    """Calls that were eligible and had somebody to choose."""
    served: int
    """Calls that get all that they need."""
    sum_of_max_s: int
    """Over the calls that were served, of the later arrival."""
    sum_of_both_s: int
    """Over the same calls, of all arrivals."""
    bound_of_max_s: int
    """No choice that serves as well has a lower `sum_of_max_s`."""
    gap_s: int
    """`sum_of_max_s` less its bound."""
    proven_optimal: bool
    cut_short: bool
    """The deadline ended the search: the same request may be answered better."""
    flows: int
    """Work done: min-cost flows solved."""
    programs: int
    """Work done: integer programs solved."""
    deadline_ms: int
    """The deadline that was kept to, counted from when the request was there."""


class RecommendBatchAnswer(Part):
    """One recommendation for each call that could be read, in the order of the request."""

    request_id: str | None
    decided_at: UtcInstant
    recommendations: list[RecommendAnswer]
    batch: BatchPart
    warnings: list[WarningPart]
    """What was mended or left out of the request; what was doubtful of a call stands with it."""
