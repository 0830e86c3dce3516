"""Records, releases and weights in the store, on each engine."""

import datetime as dt

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from api.recording import keep_records
from api.replay.errors import DamagedRecord, NotKept
from api.replay.keeping import (
    SqlShelf,
    Stretch,
    keep_sources,
    read_record,
)
from api.replay.library import Library
from api.replay.record import SeenRecord
from api.replay.reproduce import reproduce
from api.store.database import Database
from api.store.tables import recommendations, to_us
from api.store.writer import Writer
from tests.api.replay.recorded import NOW, recorded, row_of, sources, streets
from tests.api.store.engines import DATABASES, SHARED


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest) -> tuple[Database, Writer]:
    database, writer = SHARED.of(request.param)
    writer.call(lambda tx: keep_sources(tx, sources()))
    return database, writer


def stored(writer: Writer, *records: SeenRecord) -> None:
    rows = [row_of(record) for record in records]
    writer.call(lambda tx: keep_records(tx, rows))


def test_what_is_stored_is_read_back_and_decided_again(store: tuple[Database, Writer]) -> None:
    database, writer = store
    record = recorded()
    stored(writer, record)
    with database.reading() as connection:
        again = read_record(connection, record.recommendation_id)
        row = connection.execute(select(recommendations)).one()
    assert again == record
    assert reproduce(again, Library(SqlShelf(database), streets())).identical
    assert (row.outcome, row.mode, row.decided_at) == ("DISPATCH", "DUAL", to_us(NOW))
    assert (bytes(row.answer), row.incident_id) == (record.answer, "2026000214377")


def test_stored_twice_is_stored_once_and_the_first_stays(store: tuple[Database, Writer]) -> None:
    database, writer = store
    record = recorded()
    stored(writer, record, replace(record, answer=record.answer.replace(b"DUAL", b"SOLO")))
    writer.call(lambda tx: keep_sources(tx, sources()))
    with database.reading() as connection:
        assert read_record(connection, record.recommendation_id).answer == record.answer
        assert Stretch(None, None).count(connection) == 1


def test_a_stretch_begins_with_its_first_instant_and_ends_before_its_last(
    store: tuple[Database, Writer],
) -> None:
    database, writer = store
    hours = [NOW + dt.timedelta(hours=hour) for hour in range(4)]
    made = [recorded(at=at) for at in hours]
    stored(writer, *reversed(made))
    stretch = Stretch(hours[1], hours[3])
    assert list(stretch.ids(database)) == [one.recommendation_id for one in made[1:3]]
    with database.reading() as connection:
        assert stretch.count(connection) == 2


def test_a_long_stretch_is_read_in_pages_and_whole(
    store: tuple[Database, Writer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.replay.keeping.PAGE", 3)
    database, writer = store
    record = recorded()
    ids = [f"rec_{number:02}" for number in range(8)]
    stored(writer, *(replace(record, recommendation_id=name) for name in ids))
    assert list(Stretch(None, None).ids(database)) == ids


def test_what_is_not_kept_or_damaged_is_refused_by_name(store: tuple[Database, Writer]) -> None:
    database, writer = store
    stored(writer, recorded())
    damage = update(recommendations).values(seen=b"TSR\x01....")
    writer.call(lambda tx: tx.connection.execute(damage))
    with database.reading() as connection:
        name = connection.execute(select(recommendations.c.recommendation_id)).scalar_one()
        with pytest.raises(DamagedRecord):
            read_record(connection, name)
        with pytest.raises(NotKept, match="No recommendation rec_0"):
            read_record(connection, "rec_0")
    shelf = SqlShelf(database)
    assert (shelf.release("other"), shelf.weights("other")) == (None, None)
