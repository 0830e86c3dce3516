"""The release in force, taken into the view that all decisions read when its instant has come.

What lives here: `ReleaseInForce`, which reads what the store says and swaps the view. What does
not: when it is asked (`api.timed`), and what is said to be in force (`publishing`).

A release that this instance cannot use is not taken: the one before stays, `degraded` says
RELEASE_NOT_TAKEN, and it is tried again whenever it is asked.
"""

from collections.abc import Callable
from datetime import datetime
from time import perf_counter
from typing import Final

from msgspec.structs import replace
from structlog.typing import FilteringBoundLogger

from api.errors import StoreError
from api.live_roster import LiveRoster
from api.releases.publications import (
    Publication,
    in_force_at,
    read_publications,
    scheduled_after,
)
from api.replay.errors import NotKept
from api.replay.keeping import SqlShelf, keep_release
from api.replay.library import read_kept
from api.replay.sources import KeptRelease
from api.store.writer import Writer

NAME: Final = "release"
NOT_TAKEN: Final = "RELEASE_NOT_TAKEN"


def _nobody() -> None:
    return


class ReleaseInForce:
    """What the store says is in force, and what this instance decides by.

    Parameters
    ----------
    settings_release
        The release of the settings, which is in force until there is a publication. Its police
        beats are those of this instance, whatever release it decides by.
    """

    def __init__(
        self,
        live: LiveRoster,
        writer: Writer,
        settings_release: KeptRelease,
        *,
        log: FilteringBoundLogger,
        taken: Callable[[], None] = _nobody,
    ) -> None:
        self.settings_release = settings_release
        self.publication: Publication | None = None
        """The one that decisions go by; None for the release of the settings."""
        self.failed: int | None = None
        """The number of the publication that should be in force and cannot be used."""
        self.took_ms = 0.0
        """How long the last one took to be read and taken."""
        self.taken = taken
        """Called when decisions go by another release."""
        self._live = live
        self._writer = writer
        self._log = log
        self._shelf = SqlShelf(writer.database)

    @property
    def degraded(self) -> tuple[str, ...]:
        """What works less well than it should, as code words."""
        return () if self.failed is None else (NOT_TAKEN,)

    def apply(self, now: datetime) -> datetime | None:
        """Decide by what is in force at an instant, and return when that changes next.

        Raises
        ------
        StoreError
            The store cannot be read; the release is the one before.
        """
        with self._writer.database.reading() as connection:
            told = read_publications(connection)
        current = in_force_at(told, now)
        if current is not None and (self.publication is None or self._differs(current)):
            try:
                self._take(current)
            except StoreError:
                raise
            except Exception:  # a bug of ours, which is told and tried again
                self.failed = current.number
                raise
        ahead = scheduled_after(told, now)
        return ahead[0].effective_at if ahead else None

    def _differs(self, current: Publication) -> bool:
        return self.publication is None or self.publication.number != current.number

    def _kept(self, key: str) -> KeptRelease:
        found = self._shelf.release(key)
        if found is None:
            raise NotKept(f"The release {key} is not kept.")
        return found

    def _take(self, current: Publication) -> None:
        began_s = perf_counter()
        try:
            kept = replace(self._kept(current.release_key), beats=self.settings_release.beats)
            release = read_kept(kept).release
        except NotKept as error:
            if self.failed != current.number:
                self._log.error("release_not_taken", number=current.number, why=error.detail[:500])
            self.failed = current.number
            return
        if kept.key != current.release_key:  # other beats than the instance that published
            self._writer.call(lambda tx: keep_release(tx, kept))
        self._live.take_release(release, kept.key, has_own_zones=kept.other_zones is None)
        self.publication, self.failed = current, None
        self.took_ms = 1000 * (perf_counter() - began_s)
        said = {"number": current.number, "release": kept.key, "kind": str(current.kind)}
        self._log.info("release_in_force", **said, took_ms=round(self.took_ms, 1))
        self.taken()
