"""What one running service holds: settings, counters, the log, and the roster all requests read.

Roster writes wait in one bounded line for one thread, so that the event loop never waits for them.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace
from structlog.typing import FilteringBoundLogger

from api.auth.keys import KeyStore
from api.auth.memory_keys import MemoryKeys
from api.auth.principal import Principal
from api.call_memory import Remembered
from api.desk import Desk, FirstAnswer
from api.errors import (
    BatchesWaiting,
    NotReady,
    StoreNotConfigured,
    StudiesNotConfigured,
    WritersWaiting,
)
from api.event_streams import Streams
from api.idempotency import Keyed
from api.incident_operations import Updated
from api.line import Line
from api.live_roster import LiveRoster
from api.live_view import LiveView
from api.log import fault_place
from api.metrics import Metrics, software_version
from api.operations import Answered, Clock, Decider, Manner, to_milliseconds, utc_now
from api.queue.serving import PendingQueue, Serving
from api.recording import Record, as_recorded
from api.releases.importing import FileReading
from api.settings import Settings
from api.solver_process import SolverProcess
from api.store.calls import Acknowledged, CallStore, KnownCall, MemoryCalls
from api.store.contract import RosterStore
from api.store.memory import MemoryRoster
from api.store.records import Operator
from routing.codes import Eta
from routing.model import Recommendation
from routing.recommend import recommend

if TYPE_CHECKING:
    from api.batch_operations import BatchAnswered
    from api.measures.days_asked import DaysAsked
    from api.studies.jobs import StudyJobs

Done = TypeVar("Done")


def _one_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="roster")


def _too_many_batches(in_hand: int) -> BatchesWaiting:
    return BatchesWaiting(
        f"{in_hand} batches of calls are in hand.",
        remedy="Ask again, or for each call alone: POST /v1/recommend-units is always answered.",
    )


@dataclass(slots=True, kw_only=True)
class Service:
    """What changes is the roster's reference to its view; a request reads that once."""

    settings: Settings
    metrics: Metrics
    log: FilteringBoundLogger
    decide: Decider = recommend
    now: Clock = utc_now
    """The clock that decisions, and what is remembered of calls, go by."""
    store: RosterStore = field(default_factory=MemoryRoster)
    calls: CallStore = field(default_factory=MemoryCalls)
    keys: KeyStore = field(default_factory=MemoryKeys)
    live: LiveRoster | None = field(default=None)
    desk: Desk | None = None
    """The durable side; None where nothing is kept."""
    streams: Streams | None = None
    """What tells listeners of changes; there where there is a desk."""
    days: "DaysAsked | None" = None
    """What answers the measures of a day; made when first asked."""
    queue: PendingQueue | None = None
    """The calls that wait; there where there is a desk."""
    stage: str = "starting"
    failure: str | None = None
    writer: ThreadPoolExecutor = field(default_factory=_one_thread)
    writes_waiting: int = 0
    batches: Line = field(init=False)
    solver: SolverProcess = field(default_factory=SolverProcess)
    file_reading: FileReading = field(default_factory=FileReading)
    """Reads GIS files that are uploaded."""

    studies: "StudyJobs | None" = None
    """The studies in the background; made when first asked for, or at the start (`serve`)."""
    studies_lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.batches = Line("batches", self.settings.batches_waiting_max, _too_many_batches)

    @property
    def view(self) -> LiveView | None:
        """The view to decide with, or None before there is one."""
        return None if self.live is None else self.live.view

    def current_view(self) -> LiveView:
        """Return the view to decide with.

        Raises
        ------
        NotReady
            Streets and kernels are still being loaded, or could not be.
        """
        return self.current_roster().view

    def current_roster(self) -> LiveRoster:
        """Return the roster.

        Raises
        ------
        NotReady
            Streets and kernels are still being loaded, or could not be.
        """
        if self.live is None:
            raise NotReady(
                f"The service is not ready: {self.failure or self.stage}.",
                remedy="Ask again; GET /readyz says when. Until then pair by hand.",
            )
        return self.live

    def current_streams(self) -> Streams:
        """Return what tells listeners of changes; it raises what `current_desk` does."""
        self.current_desk()
        assert self.streams is not None, "a desk without streams"
        return self.streams

    def current_days(self) -> "DaysAsked":
        """Return what answers the measures of a day; it raises what `current_desk` does."""
        desk = self.current_desk()
        if self.days is None:
            from api.measures.days_asked import DaysAsked

            self.days = DaysAsked(desk.database, self.settings, self.now)
        return self.days

    def current_studies(self) -> "StudyJobs":
        """Return the studies of this service.

        Raises
        ------
        StudiesNotConfigured
            There is no folder for them.
        """
        settings = self.settings
        if settings.studies_folder is None:
            raise StudiesNotConfigured(
                "This service runs no studies.",
                remedy="Start it with TANDEM_STUDIES_FOLDER, or use `tandem study` on a machine "
                "that has the data.",
            )
        with self.studies_lock:
            if self.studies is None:
                from api.studies.jobs import StudyJobs

                self.studies = StudyJobs(
                    settings.studies_folder,
                    waiting_max=settings.studies_waiting_max,
                    workers=settings.studies_workers,
                    is_paused=settings.studies_paused,
                )
        return self.studies

    def end_streams(self) -> None:
        """Let all listeners go, because the service is to stop."""
        if self.streams is not None:
            self.streams.close()

    def current_desk(self) -> Desk:
        """Return the durable side.

        Raises
        ------
        NotReady
            Streets and kernels are still being loaded, or could not be.
        StoreNotConfigured
            Nothing is kept.
        """
        self.current_roster()
        if self.desk is None:
            raise StoreNotConfigured(
                "This service keeps nothing, so it has no desk.",
                remedy="Name a store in TANDEM_STORE (docs/settings.md).",
            )
        return self.desk

    def current_queue(self) -> PendingQueue:
        """Return the calls that wait; it raises what `current_desk` does."""
        self.current_desk()
        assert self.queue is not None, "a desk without a queue"
        return self.queue

    async def end_queue(self) -> None:
        """Look after the calls that wait no longer; another instance may."""
        if self.queue is not None:
            await self.queue.keeper.close()

    async def write_roster(self, operation: Callable[[LiveRoster], Done]) -> Done:
        """Let the one writer change the roster, after those that came before.

        Raises
        ------
        WritersWaiting
            As many writes as may wait are waiting.
        """
        live = self.current_roster()
        if self.writes_waiting >= self.settings.roster_writes_waiting_max:
            raise WritersWaiting(
                f"{self.writes_waiting} writes of the roster are waiting.",
                remedy="Send fewer and larger ones: POST /v1/units/positions takes 2,000 rows.",
            )
        self.writes_waiting += 1
        try:
            loop = asyncio.get_running_loop()
            # The thread must know who asks, for the audit.
            return await loop.run_in_executor(self.writer, copy_context().run, operation, live)
        finally:
            self.writes_waiting -= 1

    def close(self) -> None:
        """Let the writes in hand end, then let go of the store."""
        if self.desk is not None:
            self.desk.stop_following()
        self.batches.close()
        self.solver.close()
        self.file_reading.close()
        if self.studies is not None:
            self.studies.close()
        self.writer.shutdown(wait=True)
        self.store.close()
        self.calls.close()
        if self.desk is not None:
            self.desk.close()

    def set_stage(self, stage: str) -> None:
        """Note what start-up is doing now."""
        self.stage = stage
        self.log.info("starting", stage=stage)

    def fail(self, reason: str) -> None:
        """Note that start-up did not succeed."""
        self.failure = reason
        self.log.error("cannot_become_ready", reason=reason)

    def become_ready(self, live: LiveRoster, desk: Desk | None = None) -> None:
        """Take a roster and its view into service, and what keeps them."""
        self.desk, self.store = desk, live.store
        if desk is not None:
            self.calls = desk.calls
            self._follow(desk, live)
        self.live, view = live, live.view
        self.stage = "ready"
        self.metrics.ready.set(1)
        basis = (software_version(), view.network_id, view.weights_id, str(view.schematic).lower())
        self.metrics.build.labels(*basis).set(1)
        self.log.info("ready", network_id=view.network_id, weights_id=view.weights_id)

    def _follow(self, desk: Desk, live: LiveRoster) -> None:
        """Begin to hear what other instances write, and to tell listeners what changes."""
        self.streams = Streams(
            desk.database,
            desk.number,
            ended=self.metrics.streams_ended,
        )
        serving = Serving(
            desk=desk,
            view=self.current_view,
            batches=self.batches,
            solver=self.solver,
            now=self.now,
            metrics=self.metrics.queue,
            fell=self.note_fall,
            noted=self._note_fault,
            age_s_max=self.settings.pending_age_s_max,
        )
        self.queue = PendingQueue(serving)
        desk.follow(
            live, listeners=[self.streams], unread=[self.queue.book], noted=self._note_fault
        )
        if desk.releases is not None:
            desk.releases.taken = self.queue.keeper.wake
        self.queue.keeper.start()

    def _note_fault(self, fault: BaseException, where: str) -> None:
        kind, place = type(fault).__name__, fault_place(fault)
        self.log.error("fault", where=where, kind=kind, place=place)

    def note_fall(self, fault: BaseException, rung: Eta) -> None:
        """Note that a decision failed on a rung of the ladder: kind and place of the fault."""
        self.metrics.falls.add(rung)
        self.log.error("fall", rung=rung, kind=type(fault).__name__, place=fault_place(fault))

    def manner(self, by: Principal) -> Manner:
        """Return what recommendations about calls are made with, and for whom."""
        return Manner(now=self.now, decide=self.decide, calls=self.calls, by=by)

    def count(self, answered: Answered) -> Mapping[str, Any]:
        """Count one recommendation and return what its log line says: its id and no content."""
        found = answered.found
        self._count_found(found)
        for warning in answered.warnings:
            self.metrics.warnings.add(warning.code)
        self.metrics.stage_s.observe(*answered.stages)
        self._count_version(answered.remembered)
        return {
            "id": answered.recommendation_id,
            "outcome": found.outcome,
            "mode": found.mode,
            "eta": found.basis.eta,
            "units": sum([kind.seen for kind in found.explain.counts.values()]),
            "warnings": len(answered.warnings),
        }

    def count_batch(self, answered: "BatchAnswered", took_s: float) -> Mapping[str, Any]:
        """Count the answers of a batch and return what its log line says: ids and no content."""
        counted, facts = self.metrics, answered.facts
        for found, remembered in zip(answered.found, answered.remembered, strict=True):
            self._count_found(found)
            self._count_version(remembered)
        for warning in answered.warnings:
            counted.warnings.add(warning.code)
        outcome = (
            "CUT_SHORT" if facts.cut_short else "PROVEN" if facts.proven_optimal else "BOUNDED"
        )
        counted.batches.add(outcome, calls=facts.calls, took_s=took_s, gap_s=facts.gap_s)
        return {
            "ids": answered.recommendation_ids,
            "outcome": outcome,
            "calls": facts.calls,
            "served": facts.served,
            "warnings": len(answered.warnings),
        }

    async def recorded(
        self, answered: Answered, request: bytes, keyed: Keyed | None = None
    ) -> Answered:
        """Keep a recommendation and return the answer that says so, where there is a store.

        With a key the answer is kept for it as well.
        """
        if self.desk is None or not self.records(answered.request.as_of):
            return answered
        record = await self._record_of(self.desk, answered, request)
        if record is None:
            return answered
        first = None if keyed is None else (keyed, record.answer)
        kept = await self.kept([record], first)
        return replace(answered, body=record.answer) if kept else answered

    async def updated(self, updated: Updated, request: bytes, keyed: Keyed | None = None) -> bytes:
        """Keep what an update of a call was answered, and return the answer that says so."""
        answered = updated.answered
        if self.desk is None or answered is None or not self.records(answered.request.as_of):
            return updated.body
        record = await self._record_of(self.desk, answered, request)
        if record is None:
            return updated.body
        told = as_recorded(updated.body)
        first = None if keyed is None else (keyed, told)
        return told if await self.kept([record], first) else updated.body

    async def _record_of(self, desk: Desk, answered: Answered, request: bytes) -> Record | None:
        """Return what is to be kept; None, and the fault noted, where that cannot be made."""
        try:
            return await desk.record_of(answered, request)
        except Exception as fault:  # noqa: BLE001  rule 12: the answer is there, and goes out
            self._note_fault(fault, "record")
            desk.not_recorded += 1
            return None

    def records_of(self, desk: Desk, answered: "BatchAnswered", request: bytes) -> Sequence[Record]:
        """Return what is to be kept of a batch; nothing, and the fault noted, where it cannot."""
        try:
            return desk.records_of(answered, request)
        except Exception as fault:  # noqa: BLE001  as above
            self._note_fault(fault, "record")
            desk.not_recorded += len(answered.answers)
            return ()

    def records(self, as_of: datetime | None) -> bool:
        """Tell whether recommendations are kept: a replay (`as_of`) leaves no trace."""
        return self.desk is not None and as_of is None

    async def kept(self, records: Sequence[Record], first: FirstAnswer | None = None) -> bool:
        """Keep recommendations, all or none, and tell whether they are."""
        return self.desk is not None and bool(records) and await self.desk.keep(records, first)

    async def known(self, incident_id: str) -> KnownCall | None:
        """Return what is known of a call."""
        if self.desk is None:
            return self.calls.known(incident_id)
        return await self.desk.known(incident_id)

    async def acknowledge(self, alert_id: str, operator: Operator) -> Acknowledged | None:
        """Acknowledge an alert, unless somebody has; None when it is not known."""
        at = to_milliseconds(self.now())
        if self.desk is None:
            done = self.calls.acknowledge(alert_id, operator, at)
        else:
            done = await self.desk.acknowledge(alert_id, operator, at)
        if done is not None and done.is_first:
            self.metrics.alerts.add("ACKNOWLEDGED")
        return done

    def _count_found(self, found: Recommendation) -> None:
        self.metrics.outcomes.add(found.outcome, found.mode or "NONE")
        self.metrics.rungs.add(found.basis.eta)

    def count_update(self, updated: Updated) -> Mapping[str, Any]:
        """Count one update of a call and return what its log line says."""
        if updated.answered is not None:
            return self.count(updated.answered)
        self._count_version(updated.remembered)
        for warning in updated.warnings:
            self.metrics.warnings.add(warning.code)
        return {"late": True}

    def _count_version(self, remembered: Remembered) -> None:
        if remembered.is_applied:
            self.metrics.call_versions.add("APPLIED")
        elif remembered.is_late:
            self.metrics.call_versions.add("LATE")
        if remembered.is_raised and remembered.alert is not None:
            self.metrics.alerts.add("RAISED")
            alert = remembered.alert
            orders = [order.action for order in alert.orders]
            self.log.warning("safety_changed", alert_id=alert.alert_id, orders=orders)

    def degraded(self) -> Iterator[str]:
        """Yield what works less well than it should, as code words."""
        if self.desk is None:
            yield from ("NOT_RECORDED", "ROSTER_IN_MEMORY", "CALLS_IN_MEMORY")
        elif self.desk.is_down:
            yield "STORE_DOWN"
        if self.desk is not None and self.desk.spooling is not None:
            yield from self.desk.spooling.degraded()
        if self.desk is not None:
            yield from self.desk.behind
        if self.view is not None and self.view.schematic:
            yield "SCHEMATIC_NETWORK"
        if self.settings.rung != "ROAD":
            yield f"RUNG_{self.settings.rung}"
