"""What the service can be asked to do with several pending calls, without HTTP: `recommend_batch`.

As `operations` for one call: one view is read once, the words become nouns, `routing` decides, and
the answer is written. What lives here too: how much of the deadline the search may have.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import Final

from msgspec import Raw
from msgspec.json import Encoder

from api.answer_schemas import utc_text
from api.answer_writing import answer_bytes
from api.asserted_roles import require_asserted
from api.auth.principal import LOCAL, Principal
from api.batch_schemas import BatchPart, RecommendBatchAnswer, RecommendBatchRequest
from api.call_memory import Recalled, Remembered, recall, remember
from api.ids import new_recommendation_id
from api.live_view import LiveView
from api.nouns import incident_of, options_of
from api.operations import Clock, Namer, Stopwatch, to_milliseconds, utc_now, with_units
from api.read_batch import ReadBatch, read_batch
from api.read_request import RequestWarning, bounded
from api.request_schemas import RecommendRequest
from api.store.calls import CallStore
from routing.model import Incident, Options, Recommendation, Situation
from routing.pairing_batch import DEFAULT_LIMITS, BatchLimits, pair_batch
from routing.recommend_batch import BatchFacts, BatchRecommendation, Solver, recommend_batch

Decider = Callable[..., BatchRecommendation]

ANSWER_S: Final = 0.0015
"""Kept back of the deadline for each call at least, whose answer is made and written after the
search: about five times what that takes with 120 units on an idle machine."""

ANSWER_SHARE: Final = 4.0
"""Kept back at least so many times what preparing the calls took, so that a busy machine and many
units count: 200 answers took 2.5 to 3.5 times as long as the preparing of their calls."""

LIMITS: Final[BatchLimits] = DEFAULT_LIMITS
"""How much work a batch may take; the same for every policy, because a batch may have several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAnswered:
    """The answers as values and as bytes, with the seconds that each stage took."""

    request: RecommendBatchRequest
    """As it was read: the calls that were decided, in the order of the answers."""
    batch: BatchRecommendation
    """The answers as values, and the choice that they were made of."""
    recommendation_ids: Sequence[str]
    warnings: Sequence[RequestWarning]
    """Those of the reading; those of a decision stand with its answer."""
    answers: Sequence[bytes]
    """The answer of each call, as it stands in the body."""
    body: bytes
    stages: tuple[tuple[str, float], ...]
    remembered: Sequence[Remembered]
    view: LiveView
    """What they were decided with."""
    pasts: Sequence[Recalled]
    """What the memory of calls told before, by call."""

    @property
    def found(self) -> Sequence[Recommendation]:
        """The answers in the order of the calls."""
        return self.batch.recommendations

    @property
    def facts(self) -> BatchFacts:
        """How good the choice is."""
        return self.batch.facts


def recommend_together(  # noqa: PLR0913  each but the first two stands in for one thing in a test
    view: LiveView,
    body: bytes,
    *,
    elapsed_s: Callable[[], float] | None = None,
    now: Clock = utc_now,
    name: Namer = new_recommendation_id,
    decide: Decider = recommend_batch,
    calls: CallStore | None = None,
    solve: Solver = pair_batch,
    by: Principal = LOCAL,
) -> BatchAnswered:
    """Answer several calls.

    Parameters
    ----------
    elapsed_s
        Returns the seconds since the request was there; the deadline counts from there, or now.
    calls
        What is remembered of calls; None where each request stands alone.

    Raises
    ------
    InvalidRequest
        The body is not JSON, or none of its calls can be understood.
    OperatorRoleNotAllowed
        `by` may not assert a role of the request.
    """
    elapsed_s, watch = elapsed_s or since(perf_counter()), Stopwatch()
    watch.begin("read")
    read = _read(body, view, by)
    watch.begin("units")
    view, decided_at, situation = _situation(view, read, now)
    watch.begin("prepare")
    pasts = [recall(calls, one, as_of=read.request.as_of) for one in read.request.incidents]
    pending = calls_of(read.request, pasts)
    time = _search_time(read.request, len(pending), elapsed_s, watch)
    chosen = partial(decide, limits=LIMITS, solve=solve, stage=time.begin)
    batch = chosen(situation, pending, decided_at, seconds_left=time.left_s)
    watch.begin("write")
    ids = [name(decided_at) for _ in pending]
    remembered = _remembered(pasts, pending, batch, ids)
    answers = _answers(view, read, batch, ids, remembered)
    return BatchAnswered(
        request=read.request,
        batch=batch,
        recommendation_ids=ids,
        warnings=bounded(read.warnings),
        answers=answers,
        body=_written(read, batch, answers),
        stages=watch.end(),
        remembered=remembered,
        view=view,
        pasts=pasts,
    )


def _read(body: bytes, view: LiveView, by: Principal) -> ReadBatch:
    read = read_batch(body, view.situation.network, view.release.status_of)
    require_asserted(by, read.request.operator, read.request.incidents)
    return read


def _situation(view: LiveView, read: ReadBatch, now: Clock) -> tuple[LiveView, datetime, Situation]:
    """Return the view, the instant to decide for, and all that is known of it."""
    request = read.request
    if request.as_of is not None:
        view = view.with_claims(())
    decided_at = to_milliseconds(request.as_of or now())
    return view, decided_at, with_units(view, decided_at, request.units, read.unit_rows)


def _search_time(
    request: RecommendBatchRequest,
    n_calls: int,
    elapsed_s: Callable[[], float],
    watch: Stopwatch,
) -> "SearchTime":
    ends_s = request.options.deadline_ms / 1000
    return SearchTime(elapsed_s=elapsed_s, ends_s=ends_s, n_calls=n_calls, note=watch.begin)


def _remembered(
    pasts: Sequence[Recalled],
    pending: Sequence[tuple[Incident, Options]],
    batch: BatchRecommendation,
    ids: Sequence[str],
) -> list[Remembered]:
    told = zip(pasts, pending, batch.recommendations, ids, strict=True)
    return [remember(past, call, found, own) for past, (call, _), found, own in told]


class SearchTime:
    """How much of a deadline the search may have; the rest is for what comes after it."""

    def __init__(
        self,
        *,
        elapsed_s: Callable[[], float],
        ends_s: float,
        n_calls: int,
        note: Callable[[str], None],
    ) -> None:
        self.elapsed_s, self.ends_s, self.note = elapsed_s, ends_s, note
        self.begun_s = elapsed_s()
        self.kept_s = ANSWER_S * n_calls

    def begin(self, stage: str) -> None:
        """Note a stage; when the search begins, keep back what the answers will take."""
        if stage == "SOLVE":
            prepared_s = self.elapsed_s() - self.begun_s
            self.kept_s = max(self.kept_s, ANSWER_SHARE * prepared_s)
        self.note(stage)

    def left_s(self) -> float:
        """Return the seconds that the search still has."""
        return self.ends_s - self.kept_s - self.elapsed_s()


def since(arrived_s: float) -> Callable[[], float]:
    """Return what tells the seconds since an instant of `perf_counter`."""
    return lambda: perf_counter() - arrived_s


def calls_of(
    request: RecommendBatchRequest, pasts: Sequence[Recalled]
) -> list[tuple[Incident, Options]]:
    """Return the calls; what competes with them is other work, never one of themselves."""
    own = {entry.incident_id for entry in request.incidents}
    options = options_of(request)
    others = tuple(need for need in options.competing if need.incident_id not in own)
    options = replace(options, competing=others)
    found = []
    for entry, past in zip(request.incidents, pasts, strict=True):
        known = past.known
        incident = incident_of(entry, known)
        earlier = frozenset(known.unit_ids) if known else frozenset[str]()
        found.append((incident, replace(options, earlier_unit_ids=earlier)))
    return found


def requests_of(request: RecommendBatchRequest) -> "list[bytes | None]":
    """Return the request of each call as if it had been sent alone.

    None where the units came with the batch: they are not kept with each of its calls.
    """
    if request.units is not None:
        return [None for _ in request.incidents]
    alone = RecommendRequest(
        request_id=request.request_id,
        operator=request.operator,
        incident=request.incidents[0],
        exclude_unit_ids=request.exclude_unit_ids,
        competing=request.competing,
        units=None,
        options=request.options,
    )
    return [
        alone.model_copy(update={"incident": one}).model_dump_json().encode()
        for one in request.incidents
    ]


# -- the answer -----------------------------------------------------------------------------------

_ENCODER: Final = Encoder()
_FACTS: Final = tuple(name for name in BatchPart.model_fields if name != "deadline_ms")


def _answers(
    view: LiveView,
    read: ReadBatch,
    batch: BatchRecommendation,
    ids: Sequence[str],
    remembered: Sequence[Remembered],
) -> list[bytes]:
    """Return the recommendations as JSON, each written as for a single call."""
    request = read.request
    return [
        answer_bytes(
            found,
            recommendation_id=recommendation_id,
            request_id=request.request_id,
            warnings=_told(found, past),
            schematic=view.schematic,
            roster_version=view.roster_version if request.units is None else None,
            told=past.told,
        )
        for found, recommendation_id, past in zip(
            batch.recommendations, ids, remembered, strict=True
        )
    ]


def _written(read: ReadBatch, batch: BatchRecommendation, answers: Sequence[bytes]) -> bytes:
    """Return the answer as JSON."""
    request = read.request
    facts = {name: getattr(batch.facts, name) for name in _FACTS}
    values = {
        "request_id": request.request_id,
        "decided_at": utc_text(batch.recommendations[0].decided_at),
        "recommendations": list(map(Raw, answers)),
        "batch": facts | {"deadline_ms": request.options.deadline_ms},
        "warnings": bounded(read.warnings),
    }
    assert values.keys() == RecommendBatchAnswer.model_fields.keys()
    return _ENCODER.encode(values)


def _told(found: Recommendation, past: Remembered) -> Sequence[RequestWarning]:
    decided = [RequestWarning(code=w.code, path=w.path, detail=w.detail) for w in found.warnings]
    return bounded([*past.warnings, *decided])
