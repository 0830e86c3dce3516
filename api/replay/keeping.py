"""Where releases and weight sets are kept, and how records are read back: the store's tables.

What lives here: `keep_sources`, which may be told twice, `read_record`, `Stretch`, `SqlShelf`. What
does not: the formats (`record`, `sources`), and the writing of records (`api.recording`).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace
from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from api.closures.closed_sets import KeptClosedSet
from api.replay.errors import NotKept
from api.replay.needs import Need, NeedKind
from api.replay.record import SeenRecord, decode
from api.replay.sources import KeptRelease, KeptWeights, Sources, from_bytes, to_bytes
from api.store.closure_tables import closed_sets
from api.store.database import Database
from api.store.tables import from_us, recommendations, releases, to_us, weight_sets
from api.store.writer import Transaction

PAGE: Final = 200
"""Records that are read at a time."""


def keep_sources(tx: Transaction, sources: Sources) -> None:
    """Keep a release and its weight sets; before the first recommendation that names them."""
    keep_release(tx, sources.release)
    first_used_at = to_us(tx.at)
    rows = [
        {"weights_id": name, "first_used_at": first_used_at, "description": to_bytes(weights)}
        for name, weights in sources.weights.items()
    ]
    _insert_new(tx.connection, weight_sets, rows)


def keep_release(tx: Transaction, release: KeptRelease) -> None:
    """Keep a release, unless it is there."""
    row = {"release_id": release.key, "first_used_at": to_us(tx.at), "body": to_bytes(release)}
    _insert_new(tx.connection, releases, [row])


def read_release_of(connection: Connection, key: str) -> KeptRelease | None:
    """Return a release that is kept, or None."""
    asked = select(releases.c.body).where(releases.c.release_id == key)
    found = connection.execute(asked).scalar_one_or_none()
    return None if found is None else from_bytes(bytes(found), KeptRelease)


def first_used_at(connection: Connection, key: str) -> datetime | None:
    """Return when a release was first kept, or None when it is not."""
    asked = select(releases.c.first_used_at).where(releases.c.release_id == key)
    found = connection.execute(asked).scalar_one_or_none()
    return None if found is None else from_us(found)


def keep_needs(tx: Transaction, needs: Iterable[Need]) -> None:
    """Keep what a recommendation names first, in its transaction; may be told twice."""
    first_used_at = to_us(tx.at)
    weights, closed = list[dict[str, Any]](), list[dict[str, Any]]()
    for need in needs:
        if need.kind is NeedKind.WEIGHTS:
            weights.append({"weights_id": need.name, "description": need.stored})
        else:
            closed.append({"set_id": need.name, "body": need.stored})
    for table, rows in ((weight_sets, weights), (closed_sets, closed)):
        if rows:
            told = [{**row, "first_used_at": first_used_at} for row in rows]
            _insert_new(tx.connection, table, told)


def _insert_new(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert the rows whose key is not there."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).on_conflict_do_nothing(), list(rows))


# -- and back -------------------------------------------------------------------------------------


def read_record(connection: Connection, recommendation_id: str) -> SeenRecord:
    """Return what a recommendation saw.

    Raises
    ------
    NotKept
        No recommendation has this id.
    DamagedRecord
        What is kept is not what was written.
    """
    asked = select(recommendations.c.seen, recommendations.c.answer).where(
        recommendations.c.recommendation_id == recommendation_id
    )
    row = connection.execute(asked).one_or_none()
    if row is None:
        raise NotKept(
            f"No recommendation {recommendation_id} is kept.",
            remedy="It was never recorded, or was pruned; answers say `recorded`.",
        )
    return replace(decode(row.seen), answer=bytes(row.answer))


class Stretch:
    """The recommendations between two instants, oldest first."""

    def __init__(self, since: datetime | None, until: datetime | None) -> None:
        at = recommendations.c.decided_at
        self._within = [] if since is None else [at >= to_us(since)]
        self._within += [] if until is None else [at < to_us(until)]

    def count(self, connection: Connection) -> int:
        """Return how many there are."""
        asked = select(func.count()).select_from(recommendations).where(*self._within)
        return int(connection.execute(asked).scalar_one())

    def ids(self, database: Database) -> Iterator[str]:
        """Yield their ids, read a page at a time."""
        at, name = recommendations.c.decided_at, recommendations.c.recommendation_id
        asked = select(at, name).where(*self._within).order_by(at, name).limit(PAGE)
        after: tuple[int, str] | None = None
        while True:
            page = asked
            if after is not None:
                page = asked.where((at > after[0]) | ((at == after[0]) & (name > after[1])))
            with database.reading() as connection:
                rows = connection.execute(page).all()
            yield from (row.recommendation_id for row in rows)
            if len(rows) < PAGE:
                return
            after = rows[-1].decided_at, rows[-1].recommendation_id


class SqlShelf:
    """Releases and weight sets of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def release(self, key: str) -> KeptRelease | None:
        """Return a release, or None when it is not kept."""
        with self._database.reading() as connection:
            return read_release_of(connection, key)

    def weights(self, weights_id: str) -> KeptWeights | None:
        """Return how a weight set is made, or None when it is not kept."""
        asked = select(weight_sets.c.description).where(weight_sets.c.weights_id == weights_id)
        stored = self._one(asked)
        return None if stored is None else from_bytes(stored, KeptWeights)

    def closed_set(self, set_id: str) -> KeptClosedSet | None:
        """Return what was closed, or None when it is not kept."""
        stored = self._one(select(closed_sets.c.body).where(closed_sets.c.set_id == set_id))
        return None if stored is None else from_bytes(stored, KeptClosedSet)

    def _one(self, asked: Any) -> bytes | None:
        with self._database.reading() as connection:
            found = connection.execute(asked).scalar_one_or_none()
        return None if found is None else bytes(found)
