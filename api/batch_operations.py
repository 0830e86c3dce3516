"""What the service can be asked to do with several pending calls, without HTTP: `recommend_batch`.

As `operations` for one call: one view is read once, the words become nouns, `routing` decides, and
the answer is written. What lives here too: how much of the deadline the search may have.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final

from msgspec import Raw
from msgspec.json import Encoder

from api.answer_schemas import utc_text
from api.answer_writing import answer_bytes
from api.batch_schemas import BatchPart, RecommendBatchAnswer, RecommendBatchRequest
from api.call_memory import Recalled, Remembered, recall, remember
from api.ids import new_recommendation_id
from api.live_view import LiveView
from api.nouns import incident_of, options_of
from api.operations import Clock, Namer, Stopwatch, to_milliseconds, utc_now, with_units
from api.read_batch import ReadBatch, read_batch
from api.read_request import RequestWarning, bounded
from api.store.calls import CallStore
from routing.model import Incident, Options, Recommendation
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
    found: Sequence[Recommendation]
    recommendation_ids: Sequence[str]
    facts: BatchFacts
    warnings: Sequence[RequestWarning]
    """Those of the reading; those of a decision stand with its answer."""
    body: bytes
    stages: tuple[tuple[str, float], ...]
    remembered: Sequence[Remembered]


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
) -> BatchAnswered:
    """Answer several calls.

    Parameters
    ----------
    elapsed_s
        Returns the seconds since the request was there, from which the deadline counts; None
        counts from now.
    calls
        What is remembered of calls; None where each request stands alone.

    Raises
    ------
    InvalidRequest
        The body is not JSON, or none of its calls can be understood.
    """
    elapsed_s, watch = elapsed_s or since(perf_counter()), Stopwatch()
    watch.begin("read")
    read = read_batch(body, view.situation.network, view.release.status_of)
    watch.begin("units")
    decided_at = to_milliseconds(read.request.as_of or now())
    situation = with_units(view, decided_at, read.request.units, read.unit_rows)
    watch.begin("prepare")
    pasts = [recall(calls, one, as_of=read.request.as_of) for one in read.request.incidents]
    pending = calls_of(read.request, pasts)
    ends_s = read.request.options.deadline_ms / 1000
    time = SearchTime(elapsed_s=elapsed_s, ends_s=ends_s, n_calls=len(pending), note=watch.begin)
    batch = decide(
        situation,
        pending,
        decided_at,
        limits=LIMITS,
        seconds_left=time.left_s,
        solve=solve,
        stage=time.begin,
    )
    watch.begin("write")
    ids = [name(decided_at) for _ in pending]
    told = zip(pasts, pending, batch.recommendations, ids, strict=True)
    remembered = [remember(past, call, found, own) for past, (call, _), found, own in told]
    return BatchAnswered(
        request=read.request,
        found=batch.recommendations,
        recommendation_ids=ids,
        facts=batch.facts,
        warnings=bounded(read.warnings),
        body=_written(view, read, batch, ids, remembered),
        stages=watch.end(),
        remembered=remembered,
    )


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
        incident = incident_of(entry, held_since=known.held_since if known else None)
        earlier = frozenset(known.unit_ids) if known else frozenset[str]()
        found.append((incident, replace(options, earlier_unit_ids=earlier)))
    return found


# -- the answer -----------------------------------------------------------------------------------

_ENCODER: Final = Encoder()
_FACTS: Final = tuple(name for name in BatchPart.model_fields if name != "deadline_ms")


def _written(
    view: LiveView,
    read: ReadBatch,
    batch: BatchRecommendation,
    ids: Sequence[str],
    remembered: Sequence[Remembered],
) -> bytes:
    """Return the answer as JSON; each recommendation is written as for a single call."""
    request = read.request
    answers = [
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
