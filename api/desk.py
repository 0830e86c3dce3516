"""The durable side of a service: its database, its one writer, and what it holds of it in memory.

The database is the truth. Recommendations are decided from memory, which is filled from it at the
start, changed with this service's own commits, and brought up to date with those of others
(`api.follower`). Nothing here runs on the event loop but the waiting.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from structlog.typing import FilteringBoundLogger

from api.audit.anchors import Anchoring
from api.claims.mirror import ClaimMirror
from api.claims.roster_facts import follow_roster
from api.closures.closure_rows import TOPIC as CLOSURES
from api.closures.live_closures import LiveClosures
from api.errors import RequestError
from api.follower import Follower, Listener, Mirror, Noted
from api.idempotency import Kept, Keyed, KeysInHand, keep_answer
from api.live_roster import LiveRoster
from api.mirrors import CallsMirror, ReloadedMirror, RosterMirror
from api.operations import Answered
from api.recording import Record, as_not_recorded, keep_records, record_of, records_of
from api.releases.in_force import NAME as RELEASE
from api.releases.in_force import ReleaseInForce
from api.replay.keeping import keep_sources
from api.replay.record import Witness
from api.replay.sources import Sources
from api.spooling import Spooling
from api.store.audit_chain import enter_instance
from api.store.calls import CALLS_MAX, Acknowledged, KnownCall, MemoryCalls
from api.store.changes import head_of
from api.store.contract import RosterChange, RosterRead, RosterWritten
from api.store.database import Database
from api.store.records import Operator
from api.store.schema import require_schema
from api.store.sql_calls import keep_acknowledgement, read_call, read_latest_calls
from api.store.sql_roster import SqlRoster
from api.store.writer import Clock, Transaction, Writer
from api.timed import Timetable

if TYPE_CHECKING:
    from api.batch_operations import BatchAnswered

FirstAnswer = tuple[Keyed, bytes]
MIRRORED_CALLS: Final = CALLS_MAX // 2
"""Calls that are read back at the start; the memory has room for as many new ones."""


class Desk:
    """What is kept, and the ways to it.

    Parameters
    ----------
    record_s_max
        Seconds that an answer waits for its record; then it goes out as not recorded.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        *,
        log: FilteringBoundLogger,
        witness: Witness,
        record_s_max: float = 1.0,
        spooling: Spooling | None = None,
    ) -> None:
        self.database = database
        self.writer = writer
        self.log = log
        self.record_s_max = record_s_max
        self.spooling = spooling
        """Where recommendations wait while the store is down."""
        self.witness = witness
        """What says what a recommendation saw."""
        self._witnessing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="witness")
        self._witnessed_aside = 0
        """Records that are being made in that thread."""
        self.roster = SqlRoster(database, writer, follow=self._follow_roster)
        self.calls = MemoryCalls()
        self.claims: ClaimMirror | None = None
        """None until there is a view that shows them."""
        self.closures: LiveClosures | None = None
        """None until there is a view that shows them."""
        self.closure_times: Timetable | None = None
        """Of its own thread: making weights takes longer than taking a release."""
        self.keys = KeysInHand()
        self.not_recorded = 0
        """Answers that went out without their record."""
        self.number = 0
        """Of the feed, before what is in memory was read."""
        self.follower: Follower | None = None
        self.releases: ReleaseInForce | None = None
        """None until there is a view that goes by it."""
        self.timetable = Timetable(writer.now)
        self.anchoring: Anchoring | None = None

    @classmethod
    def opened(
        cls,
        location: str,
        *,
        instance: str,
        now: Clock,
        log: FilteringBoundLogger,
        sources: Sources,
    ) -> "Desk":
        """Open the store of a location, make its tables where there are none, and read it.

        Raises
        ------
        StartError
            It is no store, or one of another version.
        StoreUnavailable
            It cannot be reached.
        """
        database = Database(location)
        try:
            require_schema(database)
            with database.writing() as connection:
                enter_instance(connection, instance, now())
        except BaseException:
            database.close()
            raise
        writer = Writer(database, instance=instance, now=now)
        desk = cls(database, writer, log=log, witness=Witness(sources))
        writer.call(lambda tx: keep_sources(tx, sources))
        with database.reading() as connection:
            desk.number = head_of(connection)
            for call in read_latest_calls(connection, MIRRORED_CALLS):
                desk.calls.put(call)
        return desk

    def follow(
        self,
        live: LiveRoster,
        *,
        mirrors: Sequence[Mirror] = (),
        listeners: Sequence[Listener] = (),
        unread: Sequence[Mirror] = (),
        noted: Noted,
    ) -> Follower:
        """Begin to bring what is in memory up to date with what other instances write."""
        writer = self.writer
        follower = Follower(
            self.database,
            self.number,
            mirrors=[
                RosterMirror(live, writer.instance, writer.now),
                CallsMirror(self.database, self.calls, MIRRORED_CALLS),
                *([] if self.claims is None else [self.claims]),
                ReloadedMirror(RELEASE, RELEASE, self.wake_releases),
                *([] if self.closures is None else [self.closures]),
                *mirrors,
            ],
            listeners=listeners,
            now=writer.now,
            noted=noted,
        )
        self.follower, writer.told, writer.doubted = follower, follower.take_own, follower.doubt
        follower.fill(*unread)
        releases = self.releases or self.decide_by_store(live)
        self.timetable.noted = noted
        self.timetable.add(RELEASE, releases.apply)
        self.timetable.start()
        follower.start()
        if self.closures is not None:
            times = self.closure_times = Timetable(writer.now, noted)
            times.add(CLOSURES, self.closures.apply)
            self.closures.woken = partial(times.wake, CLOSURES)
            times.start()
        self.anchoring = Anchoring(writer)
        return follower

    @property
    def behind(self) -> tuple[str, ...]:
        """What in memory is not what the store says, as code words."""
        followed = () if self.follower is None else self.follower.degraded
        decided = () if self.releases is None else self.releases.degraded
        unplaced = self.closures is not None and self.closures.unplaced
        return (*followed, *decided, *(("CLOSURE_NOT_PLACED",) if unplaced else ()))

    def stop_following(self) -> None:
        """Hear no more of other instances."""
        if self.closure_times is not None:
            self.closure_times.close()
        if self.follower is not None:
            self.follower.close()

    @property
    def is_down(self) -> bool:
        """Whether the last commit failed."""
        return self.writer.failure is not None

    async def record_of(self, answered: Answered, request: bytes) -> Record:
        """Return what is kept of an answer; one at a time, so that records keep their order.

        It is made at once where that takes a fraction of a millisecond, which a thread would cost.
        """

        def made() -> Record:
            return record_of(answered, request, self.witness.seen(answered, request))

        if not self._witnessed_aside and self.witness.is_quick(answered, request):
            return made()
        self._witnessed_aside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._witnessing, made)
        finally:
            self._witnessed_aside -= 1

    def records_of(self, answered: "BatchAnswered", request: bytes) -> list[Record]:
        """Return what is kept of the answers of a batch; called in its thread."""
        return records_of(answered, self.witness.seen_together(answered, request))

    async def keep(self, records: Sequence[Record], first: FirstAnswer | None = None) -> bool:
        """Keep recommendations, synced before this returns; False where that did not succeed.

        A call whose newest version is another's in the database is put right in memory.

        Parameters
        ----------
        first
            The answer to a request with an Idempotency-Key, kept in the same transaction.
        """

        def operation(tx: Transaction) -> None:
            self.show_claims(tx)
            if first is not None:
                keep_answer(tx, first[0], Kept(status=200, answer=first[1]))
            kept = keep_records(tx, records, self.calls.holds)
            for record, call in zip(records, kept, strict=True):
                if call is None and record.decided is not None:
                    newer = read_call(tx.connection, record.incident_id)
                    if newer is not None:
                        tx.after.append(partial(self.calls.put, newer))

        if self.is_down and self.spooling is not None and self.spooling.spool.count:
            return await self._spooled(records)  # what waits there tries the store for all
        try:
            async with asyncio.timeout(self.record_s_max):
                await self.writer.write(operation)
        except RequestError:  # of its Idempotency-Key
            raise
        except Exception as error:  # noqa: BLE001  rule 12: it is answered, whatever is kept of it
            kind = type(error).__name__
            self.log.error("not_recorded", kind=kind)  # noqa: TRY400  the kind says enough
            return await self._spooled(records)
        self.witness.kept(need for record in records for need in record.needs)
        return True

    async def _spooled(self, records: Sequence[Record]) -> bool:
        """Keep recommendations as they are sent now, until the store is back; False."""
        self.not_recorded += len(records)
        if self.spooling is not None:
            await self.spooling.keep([as_not_recorded(record) for record in records])
        return False

    def mirror_claims(self, live: LiveRoster) -> None:
        """Show the live claims and the closures of the store in a roster from now on."""
        self.claims = ClaimMirror(self.database, live, self.calls)
        live.shown = self.claims.show_owed
        self.claims.refill()
        self.closures = LiveClosures(self.database, live, self.writer.now)
        self.closures.refill()

    def decide_by_store(self, live: LiveRoster) -> ReleaseInForce:
        """Have a roster's view go by the release that the store says is in force."""
        settings_release = self.witness.sources.release
        self.releases = ReleaseInForce(live, self.writer, settings_release, log=self.log)
        self.releases.apply(self.writer.now())
        return self.releases

    def wake_releases(self) -> int:
        """Have the release in force looked at now; see `Timetable.wake`."""
        return self.timetable.wake(RELEASE)

    def show_claims(self, tx: Transaction) -> None:
        """Have decisions see the claims that a transaction makes and ends, once it is committed."""
        if self.claims is not None:
            self.claims.take_after(tx)

    def _follow_roster(
        self, tx: Transaction, change: RosterChange, written: RosterWritten, before: RosterRead
    ) -> None:
        self.show_claims(tx)
        follow_roster(tx, change, written, before)

    async def acknowledge(
        self, alert_id: str, operator: Operator, at: datetime
    ) -> Acknowledged | None:
        """Acknowledge an alert, unless somebody has; None when it is not known."""

        def operation(tx: Transaction) -> Acknowledged | None:
            done = keep_acknowledgement(tx, alert_id, operator, at)
            call = None if done is None else read_call(tx.connection, done.alert.incident_id)
            if call is not None:
                tx.after.append(partial(self.calls.put, call))
            return done

        return await self.writer.write(operation)

    async def known(self, incident_id: str) -> KnownCall | None:
        """Return what is kept of a call, however old."""
        known = self.calls.known(incident_id)
        return known or await asyncio.to_thread(self._read_call, incident_id)

    def _read_call(self, incident_id: str) -> KnownCall | None:
        with self.database.reading() as connection:
            return read_call(connection, incident_id)

    def close(self) -> None:
        """Commit what waits, and let go of the database."""
        self.stop_following()
        self.timetable.close()
        self._witnessing.shutdown(wait=True)
        if self.anchoring is not None:
            self.anchoring.close()
        self.writer.close()
        self.database.close()
