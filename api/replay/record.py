"""What one recommendation saw, and its bytes.

    record = seen_record(answered, body, sources, blocks)
    decode(encode(record)) == record

What lives here: `SeenRecord`, the parts it is made of and its format. What does not: how it is
decided again (`reproduce`) and where it is kept (`keeping`).
"""

import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NoReturn

from msgspec import MsgspecError, Struct
from msgspec.msgpack import Decoder, Encoder
from msgspec.structs import replace

from api.call_memory import Recalled, Remembered
from api.closures.closed_sets import NOTHING_CLOSED, set_id_of
from api.live_view import LiveView
from api.operations import Answered
from api.replay.block import UnitBlocks
from api.replay.errors import DamagedRecord
from api.replay.needs import Need, NeedKind, Seen, needs_of
from api.replay.sealing import inflated, sealed, unsealed
from api.replay.sources import Sources
from api.request_schemas import UnitEntry
from api.store.calls import KnownCall, SafetyAlert, following
from geodata.closures import ClosedNow
from geodata.driving_time import hour_of_week
from routing.codes import Eta, UnitSource
from routing.model import Recommendation, Situation

if TYPE_CHECKING:
    from api.batch_operations import BatchAnswered
    from routing.pairing_batch import BatchPairing

MAGIC: Final = b"TSR"
VERSION: Final = 1
QUICK_BYTES_MAX: Final = 8_192
"""Of a request: more take longer to compress than another thread costs."""


class PastKind(StrEnum):
    """What the memory of calls said.

    NONE: it was not asked, as for a request with `as_of`.
    KNOWN: what is known of the call, which may be nothing.
    NEWER: a later version than the one asked about.
    OVERTAKEN: what is known; and a later version was told while this one was decided.
    CHANGED: what is known; and it was another when this answer was kept.
    LOST: it could not be reached.
    """

    NONE = "NONE"
    KNOWN = "KNOWN"
    NEWER = "NEWER"
    OVERTAKEN = "OVERTAKEN"
    CHANGED = "CHANGED"
    LOST = "LOST"


class SeenPast(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a call's past contributed: since when it is held, units named before, alerts."""

    kind: PastKind
    known: KnownCall | None = None
    newer: KnownCall | None = None
    """What overtook or changed it, as far as the answer tells of it."""


KEPT_NAMES_MAX: Final = 10_000


class SeenVersions(Struct, frozen=True, kw_only=True):
    """What was decided with, by name."""

    release: str
    """`KeptRelease.key`."""
    release_id: str | None
    zone_version: int | None
    policy_version: int | None
    network_id: str
    network_digest: str
    weights_id: str
    emergency_weights_id: str
    hour: int
    """Local hour of the week."""
    closures_active: int
    rung: Eta
    """The rung that it was decided on, which is below that of the service where it fell."""
    roster_version: int
    unit_source: UnitSource
    software: str
    closed_set: str = NOTHING_CLOSED
    """`KeptClosedSet.set_id` of what was closed."""


class SeenBatch(Struct, frozen=True, kw_only=True):
    """What only a call of a batch has."""

    place: int
    """Of this call among the answers."""
    recommendation_ids: tuple[str, ...]
    """Of all answers."""
    care: tuple[int, ...]
    """As `BatchPairing` has it; who was chosen for the calls that were open."""
    spd: tuple[int, ...]
    served: tuple[bool, ...]
    whole: tuple[int, int, int, int, int]
    """sum_of_max_s, sum_of_both_s, bound_of_max_s, flows, programs."""
    flags: tuple[bool, bool, bool, bool]
    """served_proven, proven_optimal, canonical, cut_short."""

    @property
    def cut_short(self) -> bool:
        """Whether the deadline ended the search, so that another run may choose otherwise."""
        return self.flags[3]


class SeenRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One recommendation: all that it was made of, and what was sent."""

    recommendation_id: str
    decided_at: datetime
    body: bytes
    """The request as it was received."""
    pasts: tuple[SeenPast, ...]
    """Of the call; of every call of a batch, in the order of the answers."""
    versions: SeenVersions
    units: bytes = b""
    """The roster (`block`), with its claims; empty where the units came with the request."""
    claimed: tuple[str, ...] = ()
    """Of the units in the request, those that claims held."""
    batch: SeenBatch | None = None
    answer: bytes = b""
    """What was sent; of a batch, the part of this call."""


def seen_record(
    answered: Answered, body: bytes, sources: Sources, blocks: UnitBlocks
) -> SeenRecord:
    """Return what one recommendation saw.

    It takes some milliseconds the first time for a roster, and so belongs to the writer's thread.

    Parameters
    ----------
    body
        The request as it was received.
    """
    past = _past(answered.past, answered.remembered, answered.found)
    return SeenRecord(
        recommendation_id=answered.recommendation_id,
        decided_at=answered.found.decided_at,
        body=body,
        pasts=(past,),
        versions=_versions(answered.view, answered.found, sources),
        units=_units(answered.view, answered.found, blocks),
        claimed=_claimed(answered.view, answered.request.units),
        answer=answered.body,
    )


def seen_batch(
    answered: "BatchAnswered", body: bytes, sources: Sources, blocks: UnitBlocks
) -> tuple[SeenRecord, ...]:
    """Return what each recommendation of a batch saw, in the order of the answers."""
    told = zip(answered.pasts, answered.remembered, answered.found, strict=True)
    pasts = tuple([_past(*one) for one in told])
    ids, view = tuple(answered.recommendation_ids), answered.view
    claimed = _claimed(view, answered.request.units)
    return tuple(
        [
            SeenRecord(
                recommendation_id=ids[place],
                decided_at=found.decided_at,
                body=body,
                pasts=pasts,
                versions=_versions(view, found, sources),
                units=_units(view, found, blocks),
                claimed=claimed,
                batch=_chosen(answered.batch.pairing, place, ids),
                answer=answer,
            )
            for place, (found, answer) in enumerate(
                zip(answered.found, answered.answers, strict=True)
            )
        ]
    )


def _chosen(pairing: "BatchPairing", place: int, ids: tuple[str, ...]) -> SeenBatch:
    """Return what a search chose, as it is kept with one of the answers."""
    one = pairing
    return SeenBatch(
        place=place,
        recommendation_ids=ids,
        care=tuple(map(int, one.care)),
        spd=tuple(map(int, one.spd)),
        served=tuple(map(bool, one.served)),
        whole=(one.sum_of_max_s, one.sum_of_both_s, one.bound_of_max_s, one.flows, one.programs),
        flags=(one.served_proven, one.proven_optimal, one.canonical, one.cut_short),
    )


def _situation(view: LiveView, found: Recommendation) -> Situation:
    at = found.decided_at
    return view.on_duty_at(at) if _is_of_roster(found) else view.at(at)


def _is_of_roster(found: Recommendation) -> bool:
    return found.basis.unit_source is UnitSource.ROSTER


def _units(view: LiveView, found: Recommendation, blocks: UnitBlocks) -> bytes:
    return blocks.of(_situation(view, found).roster) if _is_of_roster(found) else b""


def _claimed(view: LiveView, units: Sequence[UnitEntry] | None) -> tuple[str, ...]:
    if not view.claimed or not units:
        return ()
    return tuple(sorted(view.claimed.intersection([unit.unit_id for unit in units])))


def _versions(view: LiveView, found: Recommendation, sources: Sources) -> SeenVersions:
    situation, basis = _situation(view, found), found.basis
    routine, urgent = situation.travel_times, situation.emergency_times
    versions, zone = situation.versions, situation.policy.window.zone
    return SeenVersions(
        release=view.release_key or sources.release.key,
        release_id=versions.release_id,
        zone_version=versions.zone_version,
        policy_version=versions.policy_version,
        network_id=situation.network.source.network_id,
        network_digest=sources.network_digest,
        weights_id="" if routine is None else routine.weights_id,
        emergency_weights_id="" if urgent is None else urgent.weights_id,
        hour=hour_of_week(found.decided_at.astimezone(zone)),
        closures_active=versions.closures_active,
        rung=basis.rung,
        roster_version=view.roster_version,
        unit_source=basis.unit_source,
        software=versions.software,
        closed_set=set_id_of(situation.closed),
    )


def _past(past: Recalled, remembered: Remembered, found: Recommendation) -> SeenPast:
    if past.is_lost:
        return SeenPast(kind=PastKind.LOST)
    if past.newer is not None:
        return SeenPast(kind=PastKind.NEWER, known=past.newer)
    if past.calls is None:
        return SeenPast(kind=PastKind.NONE)
    newer = None
    if remembered.known_version is not None:
        newer = _told_of(found, remembered.known_version, remembered.alert)
    if not remembered.is_applied:
        return SeenPast(kind=PastKind.OVERTAKEN, known=past.known, newer=newer)
    assert remembered.decided is not None, "an answer is known of that was not kept"
    after = following(past.known, remembered.decided)
    if after is None or after.alert != remembered.alert:
        return SeenPast(kind=PastKind.CHANGED, known=past.known, newer=newer)
    return SeenPast(kind=PastKind.KNOWN, known=past.known)


def _told_of(found: Recommendation, version: int, alert: SafetyAlert | None) -> KnownCall:
    """Return a call of which no more is known than what an answer tells."""
    return KnownCall(
        incident_id=found.incident_id,
        version=version,
        outcome=found.outcome,
        mode=None,
        recommendation_id="",
        decided_at=found.decided_at,
        unit_ids=(),
        held_since=None,
        answering=None,
        change=None,
        alerts=() if alert is None else (alert,),
    )


# -- bytes ----------------------------------------------------------------------------------------

_ENCODER: Final = Encoder()
_DECODER: Final = Decoder(SeenRecord)
_LENGTH_BYTES: Final = 4


def encode(record: SeenRecord) -> bytes:
    """Return a record as bytes: `TSR`, a version, a CRC-32, MessagePack in zlib, then the block.

    The block is compressed already, and stands as it is behind the stream, whose length is told.
    """
    stream = zlib.compress(_ENCODER.encode(replace(record, units=b"")), 6)
    content = b"".join((len(stream).to_bytes(_LENGTH_BYTES, "big"), stream, record.units))
    return sealed(content, MAGIC, VERSION)


def decode(stored: bytes) -> SeenRecord:
    """Return the record of some bytes.

    Raises
    ------
    DamagedRecord
        They are not what was written, whatever they are.
    """
    content = unsealed(stored, MAGIC, VERSION, _damaged)
    end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "big")
    plain = inflated(content[_LENGTH_BYTES:end], _damaged)
    try:
        record = replace(_DECODER.decode(plain), units=content[end:])
        _require_whole(record)
        return record
    except (MsgspecError, ValueError, OverflowError) as error:
        _damaged(str(error))


def _require_whole(record: SeenRecord) -> None:
    """Raise ValueError where the parts of a record do not go together."""
    calls = 1 if record.batch is None else len(record.batch.recommendation_ids)
    place = 0 if record.batch is None else record.batch.place
    if len(record.pasts) != calls or not 0 <= place < calls:
        raise ValueError(f"call {place} of {calls} with {len(record.pasts)} pasts")


def _damaged(what: str) -> NoReturn:
    raise DamagedRecord(
        f"The record is not what was written: {what}.",
        remedy="Restore the store from a backup; the recorded answer is kept beside it.",
    ) from None


class Witness:
    """Makes the bytes of what recommendations saw; the view that decided names its release."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.blocks = UnitBlocks()
        self._is_kept: set[str] = set()
        self._needs: tuple[str, tuple[Need, ...]] = (NOTHING_CLOSED, ())

    def seen(self, answered: Answered, body: bytes) -> Seen:
        """Return what a recommendation saw."""
        record = seen_record(answered, body, self.sources, self.blocks)
        closed = _situation(answered.view, answered.found).closed
        return Seen(seen=_unanswered(record), needs=self._needed(answered.view, closed))

    def is_quick(self, answered: Answered, body: bytes) -> bool:
        """Tell whether what a recommendation saw is bytes in a fraction of a millisecond."""
        if len(body) > QUICK_BYTES_MAX:
            return False
        found = answered.found
        situation = _situation(answered.view, found)
        if situation.closed is not None and set_id_of(situation.closed) not in self._is_kept:
            return False
        return not _is_of_roster(found) or self.blocks.has(situation.roster)

    def seen_together(self, answered: "BatchAnswered", body: bytes) -> list[Seen]:
        """Return what each recommendation of a batch saw, likewise."""
        records = seen_batch(answered, body, self.sources, self.blocks)
        closed = [_situation(answered.view, found).closed for found in answered.found]
        return [
            Seen(seen=_unanswered(record), needs=self._needed(answered.view, one))
            for record, one in zip(records, closed, strict=True)
        ]

    def kept(self, needs: Iterable[Need]) -> None:
        """Note that these are in the store, so that no later record brings them again."""
        self._is_kept |= {need.name for need in needs if need.kind is NeedKind.CLOSED_SET}
        if len(self._is_kept) > KEPT_NAMES_MAX:
            self._is_kept.clear()

    def _needed(self, view: LiveView, closed: ClosedNow | None) -> tuple[Need, ...]:
        """Return what closures have changed since the sources were kept, if it is not kept yet."""
        set_id = set_id_of(closed)
        if closed is None or set_id == NOTHING_CLOSED or set_id in self._is_kept:
            return ()
        if self._needs[0] != set_id:
            self._needs = set_id, needs_of(closed, self.sources, view.situation.network)
        return self._needs[1]


def _unanswered(record: SeenRecord) -> bytes:
    return encode(replace(record, answer=b""))
