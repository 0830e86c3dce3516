"""Which of several instances does what only one should do: a lease that ends by itself.

Whoever holds it renews it; when a holder dies, another has it within LEASE_S. Nothing hangs on two
holding it for a moment: what they write is judged by what is kept (`keeping`).
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from api.operations import Clock, utc_now
from api.store.database import Database
from api.store.tables import from_us, leases, to_us

LEASE_S: Final = 3.0
RENEW_S: Final = 1.0
"""After how long its holder makes it last longer."""


class Lease:
    """One lease, by its name, as one instance sees it."""

    def __init__(
        self, database: Database, name: str, instance: str, *, now: Clock = utc_now
    ) -> None:
        self.database = database
        self.name = name
        self.instance = instance
        self.now = now
        self.until: datetime | None = None
        """When it ends, where this instance holds it."""

    @property
    def is_held(self) -> bool:
        """Whether this instance holds it now."""
        return self.until is not None and self.now() < self.until

    def hold(self) -> bool:
        """Take or renew it, and tell whether this instance holds it; waits for the store.

        Raises
        ------
        StoreUnavailable
            The store cannot be reached.
        """
        now = self.now()
        if self.until is not None and self.until - now > timedelta(seconds=LEASE_S - RENEW_S):
            return True
        until = now + timedelta(seconds=LEASE_S)
        try:
            self.until = until if self._taken(now, until) else None
        except IntegrityError:  # another came first
            self.until = None
        return self.until is not None

    def _taken(self, now: datetime, until: datetime) -> bool:
        of = leases.c.name == self.name
        values = {"instance": self.instance, "until": to_us(until)}
        with self.database.writing() as connection:
            row = connection.execute(select(leases).where(of).with_for_update()).one_or_none()
            if row is None:
                connection.execute(insert(leases).values(name=self.name, **values))
                return True
            if row.instance != self.instance and from_us(row.until) > now:
                return False
            connection.execute(update(leases).where(of).values(values))
            return True

    def release(self) -> None:
        """Let another have it at once."""
        if self.until is None:
            return
        self.until = None
        mine = (leases.c.name == self.name) & (leases.c.instance == self.instance)
        with self.database.writing() as connection:
            connection.execute(leases.delete().where(mine))
