"""A recorded recommendation decided again, from what it saw alone, and compared byte for byte.

    replayed = reproduce(record, library)
    replayed.identical or replayed.differences

The way is that of the service: `recommend_units`, or `recommend_together` for a batch, with a view
made of the record, the clock and the names of then, and a memory of calls that says what it said.
What the deadline cut short cannot be found again: the recorded choice is verified by
`pairing_verify` and the answers are made of it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from api.errors import RequestError, StoreUnavailable, TandemError
from api.live_view import LiveView
from api.operations import recommend_units
from api.recording import as_recorded
from api.replay.differences import Difference, Why, differences_of
from api.replay.errors import DamagedBlock, DamagedRecord, NotKept
from api.replay.library import Library
from api.replay.record import PastKind, SeenBatch, SeenPast, SeenRecord
from api.store.calls import Acknowledged, Decided, KnownCall, SafetyAlert, following
from geodata.artifacts import software_version

if TYPE_CHECKING:
    from routing.pairing_batch import BatchPairing
    from routing.pairing_tables import PendingCall


class Replayed(Struct, frozen=True, kw_only=True):
    """What became of a recommendation that was decided again."""

    recommendation_id: str
    identical: bool
    """Every byte of the answer is the same."""
    verified: bool
    """The search had been cut short: its choice was verified, and the answer made of it."""
    differences: tuple[Difference, ...]
    """() where it is identical."""
    answer_bytes: int
    remarks: tuple[str, ...] = ()
    """What is worth knowing although nothing differs."""


def reproduce(record: SeenRecord, library: Library) -> Replayed:
    """Decide a recommendation again and compare the answers; whatever fails is named."""
    remarks = _remarks(record)
    try:
        replayed = decided_again(library.view(record), record)
        if as_recorded(record.answer) == record.answer:
            replayed = as_recorded(replayed)  # it went out when it was kept
    except _FAILURES as error:
        why = next(why for kind, why in _WHY.items() if isinstance(error, kind))
        return _replayed(record, (Difference(why=why, said=_said(error)),), remarks)
    found = differences_of(record.answer, replayed)
    if found and remarks:
        found = (Difference(why=Why.SOFTWARE, said=remarks[0]), *found)
    return _replayed(record, found, remarks)


def _replayed(
    record: SeenRecord, found: tuple[Difference, ...], remarks: tuple[str, ...]
) -> Replayed:
    return Replayed(
        recommendation_id=record.recommendation_id,
        identical=not found,
        verified=not found and record.batch is not None and record.batch.cut_short,
        differences=found,
        answer_bytes=len(record.answer),
        remarks=remarks,
    )


def _remarks(record: SeenRecord) -> tuple[str, ...]:
    own, its = software_version(), record.versions.software
    return () if own == its else (f"software {its} recorded, this is {own}",)


class UnsoundChoice(Exception):
    """The choice of a batch that was recorded breaks a rule; a replay says so, no answer does."""


_WHY: Final[Mapping[type[Exception], Why]] = {
    NotKept: Why.NOT_KEPT,
    DamagedBlock: Why.DAMAGED,
    DamagedRecord: Why.DAMAGED,
    UnsoundChoice: Why.UNSOUND,
    RequestError: Why.REFUSED,
}
_FAILURES: Final = tuple(_WHY)


def _said(error: Exception) -> str:
    return error.detail if isinstance(error, TandemError) else str(error)


# -- the same way as the service ------------------------------------------------------------------


def decided_again(view: LiveView, record: SeenRecord) -> bytes:
    """Return the answer to a recorded request in a view.

    Raises
    ------
    RequestError
        The request is refused.
    UnsoundChoice
        What was chosen for a batch breaks a rule.
    """
    if record.batch is not None:
        return _batch_again(view, record, record.batch)
    past = record.pasts[0]
    answered = recommend_units(
        view,
        record.body,
        now=lambda: record.decided_at,
        name=lambda _at: record.recommendation_id,
        calls=None if past.kind is PastKind.NONE else _PastCalls([past]),
    )
    return answered.body


def _batch_again(view: LiveView, record: SeenRecord, batch: SeenBatch) -> bytes:
    from api.batch_operations import recommend_together
    from routing.pairing_batch import pair_batch

    ids = iter(batch.recommendation_ids)
    is_alone = all(past.kind is PastKind.NONE for past in record.pasts)
    answered = recommend_together(
        view,
        record.body,
        elapsed_s=lambda: -math.inf,
        now=lambda: record.decided_at,
        name=lambda _at: next(ids),
        calls=None if is_alone else _PastCalls(record.pasts),
        solve=_Chosen(batch) if batch.cut_short else pair_batch,
    )
    return answered.answers[batch.place]


class _Chosen:
    """A solver that says what was chosen then, once it has verified it."""

    def __init__(self, batch: SeenBatch) -> None:
        self._batch = batch

    def __call__(self, calls: "Sequence[PendingCall]", **_how: Any) -> "BatchPairing":
        from routing.assign import UnsoundAssignment
        from routing.pairing_verify import verify_batch

        pairing = _pairing(self._batch)
        try:
            verify_batch(pairing, calls)
        except (UnsoundAssignment, LookupError, ValueError) as error:
            raise UnsoundChoice(f"The recorded choice is not sound: {error}.") from None
        return pairing


def _pairing(batch: SeenBatch) -> "BatchPairing":
    from routing.pairing_batch import BatchPairing

    of_max, of_both, bound, flows, programs = batch.whole
    served_proven, proven, canonical, cut_short = batch.flags
    return BatchPairing(
        care=batch.care,
        spd=batch.spd,
        served=batch.served,
        sum_of_max_s=of_max,
        sum_of_both_s=of_both,
        served_proven=served_proven,
        bound_of_max_s=bound,
        proven_optimal=proven,
        canonical=canonical,
        cut_short=cut_short,
        flows=flows,
        programs=programs,
    )


# -- the memory of calls, as it was ---------------------------------------------------------------


class _PastCalls:
    """Says of each call what was said then, in the order in which it was asked, and keeps nothing.

    A batch asks about all its calls, and then tells what became of each, in the same order.
    """

    shared: Final = True

    def __init__(self, pasts: Sequence[SeenPast]) -> None:
        self._asked, self._told = iter(pasts), iter(pasts)
        self._overtaken: SeenPast | None = None

    def known(self, incident_id: str) -> KnownCall | None:  # noqa: ARG002  the order says which
        if self._overtaken is not None:
            past, self._overtaken = self._overtaken, None
            return past.newer
        past = self._next(self._asked)
        if past.kind is PastKind.LOST:
            raise StoreUnavailable("The memory of calls was lost then.")
        return past.known

    def record(self, decided: Decided) -> KnownCall | None:
        past = self._next(self._told)
        while past.kind in _NOT_KEPT:
            past = self._next(self._told)
        if past.kind is PastKind.OVERTAKEN:
            self._overtaken = past
            return None
        return past.newer if past.kind is PastKind.CHANGED else following(past.known, decided)

    @staticmethod
    def _next(pasts: Iterator[SeenPast]) -> SeenPast:
        past = next(pasts, None)
        if past is None:
            raise UnsoundChoice("More calls are decided than were recorded.")
        return past

    def open_alerts(self) -> tuple[SafetyAlert, ...]:
        return ()

    def acknowledge(self, alert_id: str, operator: Any, at: Any) -> Acknowledged | None:  # noqa: ARG002
        return None

    def count(self) -> int:
        return 0

    def close(self) -> None:
        """Hold nothing."""


_NOT_KEPT: Final = (PastKind.LOST, PastKind.NEWER, PastKind.NONE)
"""After these no decision is told to the memory of calls."""
