"""Recommendations that wait for the store while it is down, in the spool.

They are entered when it is back, each under its original instant and exactly once.

Nothing here runs on the event loop but the waiting. Appends that come while one is being synced
share the next sync.
"""

import asyncio
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from structlog.typing import FilteringBoundLogger

from api.errors import StoreError
from api.metrics import Metrics
from api.recording import Record, keep_records
from api.spool import Spool
from api.store.writer import Transaction, Writer

AGAIN_S: Final = 0.5
"""How long to wait before the store is tried again."""
GROUP_MAX: Final = 64
ASIDE_ENDING: Final = ".aside"
ASIDE_RECORDS_MAX: Final = 1_000

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Record)
_Waiting = tuple[list[bytes], "asyncio.Future[bool]"]


class Spooling:
    """The spool of a service, and the task that empties it into the store.

    Parameters
    ----------
    aside
        Takes records that the store is well enough to refuse, so that one bad record never holds
        up the others; nobody empties it but a person.
    """

    def __init__(
        self, spool: Spool, aside: Spool, writer: Writer, log: FilteringBoundLogger
    ) -> None:
        self.spool, self.aside, self.writer, self.log = spool, aside, writer, log
        self.kept = 0
        """Recommendations that went to the spool."""
        self.refused = 0
        """Recommendations that had no room there, or whose disk failed too."""
        self.entered = 0
        """Recommendations that the store has now."""
        self.lost = 0
        """Recommendations that the store refused and that had no room beside it either."""
        self.is_full = False
        """Whether the last one had no room."""
        self._line: deque[_Waiting] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_writing = False
        self._drain: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    @classmethod
    def opened(
        cls, path: Path, *, records_max: int, bytes_max: int, writer: Writer,
        log: FilteringBoundLogger,
    ) -> "Spooling":  # fmt: skip
        """Open the spool of a path; what a crash left in it is entered as soon as it may be.

        Raises
        ------
        StartError
            It cannot be used.
        """
        spool = Spool(path, records_max=records_max, bytes_max=bytes_max)
        beside = path.with_name(path.name + ASIDE_ENDING)
        aside = Spool(beside, records_max=ASIDE_RECORDS_MAX, bytes_max=bytes_max)
        if spool.count or spool.damaged_bytes:
            log.warning("spool_found", records=spool.count, damaged_bytes=spool.damaged_bytes)
        return cls(spool, aside, writer, log)

    def set_gauges(self, metrics: Metrics) -> None:
        """Bring the figures of the spool up to now; called when they are asked for."""
        spooled = metrics.spool
        spooled.labels("WAITING").set(self.spool.count)
        spooled.labels("SPOOLED").set(self.kept)
        spooled.labels("ENTERED").set(self.entered)
        spooled.labels("REFUSED").set(self.refused)
        spooled.labels("SET_ASIDE").set(self.aside.count)
        spooled.labels("LOST").set(self.lost)
        metrics.spool_bytes.set(self.spool.size)

    def degraded(self) -> Iterator[str]:
        """Yield what works less well than it should, as code words."""
        if self.spool.count:
            yield "SPOOLING"
        if self.is_full:
            yield "SPOOL_FULL"
        if self.aside.count:
            yield "SPOOL_SET_ASIDE"
        if self.lost:
            yield "SPOOL_LOST"

    async def keep(self, records: Sequence[Record]) -> bool:
        """Keep recommendations until the store is back; whether all of them had room.

        Synced before this returns. Never raises: the answer goes out either way.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._line.append(([_ENCODER.encode(record) for record in records], future))
        if not self._is_writing:
            self._is_writing = True
            self._begin(self._write_on())
        return await future

    def begin(self) -> None:
        """Empty the spool whenever the store takes records; called on the event loop."""
        if self._drain is None and self.spool.count and not self._over.is_set():
            self._drain = asyncio.get_running_loop().create_task(self._drain_on())

    def enter_some(self) -> int:
        """Enter the oldest records in the store and return how many; off the event loop.

        Raises
        ------
        StoreError
            The store does not take them yet.
        """
        return self.spool.drain(self._enter)

    async def close(self) -> None:
        """Let appends in hand end; what waits for the store waits in the file."""
        self._over.set()
        await asyncio.gather(*self._tasks)
        if self._drain is not None:
            await self._drain
        self.spool.close()
        self.aside.close()

    def _begin(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # the loop itself holds a task weakly
        task.add_done_callback(self._tasks.discard)

    async def _write_on(self) -> None:
        while self._line:
            group = [self._line.popleft() for _ in range(min(len(self._line), GROUP_MAX))]
            records = [record for told, _ in group for record in told]
            try:
                kept = await asyncio.to_thread(self.spool.append, records)
            except OSError as error:
                self.log.error("spool_failed", kind=type(error).__name__)  # noqa: TRY400  says all
                kept = 0
            self._settle(group, kept)
        self._is_writing = False
        self.begin()

    def _settle(self, group: list[_Waiting], kept: int) -> None:
        """Answer who waits; the first records had room, and the rest had not."""
        for told, future in group:
            fits = min(kept, len(told))
            kept -= fits
            self.kept += fits
            self.refused += len(told) - fits
            self.is_full = fits < len(told)
            if not future.done():
                future.set_result(fits == len(told))

    async def _drain_on(self) -> None:
        while self.spool.count and not self._over.is_set():
            try:
                entered = await asyncio.to_thread(self.enter_some)
            except (StoreError, OSError) as error:
                self.log.debug("spool_waits", kind=type(error).__name__)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), AGAIN_S)
            else:
                self.is_full = False
                self.log.info("spool_entered", records=entered, left=self.spool.count)
        self._drain = None

    def _enter(self, records: Sequence[bytes]) -> None:
        """Enter records together, or one by one where one of them cannot be."""
        try:
            self.writer.call(partial(_keep, records=[_DECODER.decode(one) for one in records]))
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the others are entered
            if len(records) > 1:
                for record in records:
                    self._enter([record])
                return
            self.log.error("spool_set_aside", kind=type(error).__name__)  # noqa: TRY400  says all
            if not self.aside.append(records):
                self.lost += 1
                self.log.error("spool_lost", path=str(self.aside.path))  # noqa: TRY400  says all
        else:
            self.entered += len(records)


def _keep(tx: Transaction, records: Sequence[Record]) -> None:
    keep_records(tx, records)


def spool_path(store: str, instance: str) -> Path | None:
    """Return where the spool of an instance is unless a setting says so; None for none."""
    if store == ":memory:":
        return None
    if "://" not in store:
        return Path(f"{store}.{instance}.spool")
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "tandem" / f"{instance}.spool"
