"""A service whose store is down answers, keeps what it answered, and enters it when it is back."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, text
from starlette.testclient import TestClient

from api.app import make_app
from api.live_view import LiveView
from api.log import make_log
from api.recording import Record, keep_records
from api.settings import Settings
from api.spool import Spool
from api.spooling import Spooling, spool_path
from api.store.calls import Decided
from api.store.database import Database
from api.store.sql_calls import read_call
from api.store.tables import audit, from_us, recommendations
from routing.codes import Mode, Outcome
from tests.api.call_story import ADDRESS, ASK, OPERATOR, FakeClock, told
from tests.api.requests_made import ROSTER
from tests.api.store.engines import opened
from tests.api.waiting import wait_until

Start = Callable[[], AbstractContextManager[TestClient]]


@pytest.fixture
def location(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def start(location: Path, view: LiveView) -> Start:
    """Return what starts a service over the store of the test."""

    @contextmanager
    def started(**changes: Any) -> Iterator[TestClient]:
        settings = Settings(log_level="error", store=str(location), **changes)
        app = make_app(settings, load=lambda _settings, _stage: view, now=FakeClock())
        with TestClient(app, raise_server_exceptions=False) as client:
            wait_until(lambda: client.get("/readyz").status_code == 200, "the app is ready")
            yield client

    return started


@contextmanager
def store_down(location: Path, *more: str) -> Iterator[None]:
    """Make every write fail in the engine: the table of the chains' heads is elsewhere.

    Parameters
    ----------
    more
        Tables that cannot be read either.
    """
    database = Database(str(location))
    with database.writing() as connection:
        for name in ("instances", *more):
            connection.execute(text(f"ALTER TABLE {name} RENAME TO {name}_elsewhere"))
    yield
    with database.writing() as connection:
        for name in ("instances", *more):
            connection.execute(text(f"ALTER TABLE {name}_elsewhere RENAME TO {name}"))
    database.close()


def rows(location: Path, statement: Any) -> list[Any]:
    database = Database(str(location))
    with database.reading() as connection:
        found = list(connection.execute(statement).all())
    database.close()
    return found


def degraded(client: TestClient) -> list[str]:
    said: list[str] = client.get("/readyz").json()["degraded"]
    return said


def test_with_the_store_down_calls_are_answered_and_entered_when_it_is_back(
    start: Start, location: Path
) -> None:
    with start() as client:
        with store_down(location):
            replies = [client.post(ASK, json=told(n)) for n in (1, 2, 3)]
            assert {"STORE_DOWN", "SPOOLING"} <= set(degraded(client))
            refused = client.put("/v1/units", json={"units": list(ROSTER)})
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert all(reply.json()["recorded"] is False for reply in replies)
        wait_until(lambda: "SPOOLING" not in degraded(client), "the spool is empty")
        assert "STORE_DOWN" not in degraded(client)
        counted = client.get("/metrics").text
    assert 'tandem_spool_records{state="ENTERED"} 3.0' in counted
    kept = rows(location, select(recommendations).order_by(recommendations.c.decided_at))
    assert [row.answer for row in kept] == [reply.content for reply in replies]
    notes = rows(location, select(audit).where(audit.c.kind == "RECOMMENDED"))
    assert sorted(note.subject for note in notes) == sorted(row.recommendation_id for row in kept)
    instants = {row.recommendation_id: row.decided_at for row in kept}
    assert {note.subject: note.at for note in notes} == instants


def test_what_is_spooled_outlives_the_process(start: Start, location: Path) -> None:
    with start() as client, store_down(location):
        reply = client.post(ASK, json=told())
        path = spool_path(str(location), "main")
        assert path is not None
        left = path.read_bytes()
    path.write_bytes(left)  # as after kill -9, whatever the end of the first service entered
    with start() as client:
        wait_until(lambda: "SPOOLING" not in degraded(client), "the spool is empty")
    (kept,) = rows(location, select(recommendations))
    assert (kept.answer, path.read_bytes()) == (reply.content, b"")


def test_a_crash_between_entering_and_removing_enters_nothing_twice(tmp_path: Path) -> None:
    path, before = tmp_path / "main.spool", tmp_path / "before"
    with opened(str(tmp_path / "store.sqlite")) as (database, writer):
        for _ in range(2):
            spooling = Spooling.opened(
                path, records_max=10, bytes_max=10_000, writer=writer, log=make_log("error")
            )
            if not before.exists():
                spooling.spool.append([encoded("rec_1"), encoded("rec_2")])
                shutil.copy(path, before)
            assert spooling.enter_some() == 2
            asyncio.run(spooling.close())
            assert path.read_bytes() == b""
            shutil.copy(before, path)
        with database.reading() as connection:
            kept = connection.execute(select(recommendations)).all()
            notes = connection.execute(select(audit)).all()
    assert [row.recommendation_id for row in kept] == ["rec_1", "rec_2"]
    assert [(row.subject, row.number) for row in notes] == [("rec_1", 1), ("rec_2", 2)]


def test_a_record_that_the_store_refuses_is_set_aside_and_holds_up_no_other(
    tmp_path: Path,
) -> None:
    with opened(str(tmp_path / "store.sqlite")) as (database, writer):
        spooling = Spooling.opened(
            tmp_path / "s", records_max=10, bytes_max=10_000, writer=writer, log=make_log("error")
        )
        spooling.spool.append([encoded("rec_1"), b"of another version", encoded("rec_2")])
        assert (spooling.enter_some(), spooling.spool.count) == (3, 0)
        assert (spooling.entered, spooling.aside.count) == (2, 1)
        assert list(spooling.degraded()) == ["SPOOL_SET_ASIDE"]
        asyncio.run(spooling.close())
        with database.reading() as connection:
            kept = connection.execute(select(recommendations.c.recommendation_id)).scalars().all()
    assert kept == ["rec_1", "rec_2"]


def test_a_record_that_nobody_has_room_for_is_counted_as_lost(tmp_path: Path) -> None:
    with opened(str(tmp_path / "store.sqlite")) as (_database, writer):
        spool = Spool(tmp_path / "s", records_max=10, bytes_max=10_000)
        aside = Spool(tmp_path / "a", records_max=1, bytes_max=10_000)
        spooling = Spooling(spool, aside, writer, make_log("error"))
        spool.append([b"of another version", b"of a third"])
        assert spooling.enter_some() == 2
        assert (aside.count, spooling.lost) == (1, 1)
        assert list(spooling.degraded()) == ["SPOOL_SET_ASIDE", "SPOOL_LOST"]
        asyncio.run(spooling.close())


def test_a_call_is_answered_whatever_happens_to_its_record(start: Start, location: Path) -> None:
    refusing = "BEFORE INSERT ON recommendations BEGIN SELECT RAISE(ABORT, 'no'); END"
    with start() as client:
        database = Database(str(location))
        with database.writing() as connection:
            connection.execute(text(f"CREATE TRIGGER refusing {refusing}"))
        database.close()
        replies = [client.post(ASK, json=told())]
        wait_until(lambda: "SPOOL_SET_ASIDE" in degraded(client), "it is set aside")
        client.app.state.service.desk.witness = None
        replies += [client.post(ASK, json=told()), client.put(ADDRESS, json=told())]
        replies += [client.post(ASK + "/batch", json={"incidents": [told()["incident"]]})]
    assert [reply.status_code for reply in replies] == [200] * 4
    assert not any(b'"recorded":true' in reply.content for reply in replies)


def test_what_waited_replaces_nothing_that_was_decided_later(tmp_path: Path) -> None:
    later, early = at_second(9, b'{"recorded":true}'), at_second(5, b'{"recorded":false}')
    with opened(str(tmp_path / "store.sqlite")) as (database, writer):
        for one in (later, early):
            writer.call(lambda tx, one=one: keep_records(tx, [one]))
        with database.reading() as connection:
            kept = connection.execute(select(recommendations)).all()
            call = read_call(connection, "A")
    assert call is not None
    assert (len(kept), call.recommendation_id) == (2, "rec_9")


def test_a_full_spool_is_told_and_the_call_is_answered_all_the_same(
    start: Start, location: Path
) -> None:
    with start(spool_records_max=1) as client, store_down(location):
        replies = [client.post(ASK, json=told(n)) for n in (1, 2)]
        assert [reply.json()["outcome"] for reply in replies] == ["DISPATCH", "DISPATCH"]
        assert {"SPOOLING", "SPOOL_FULL"} <= set(degraded(client))
        assert 'tandem_spool_records{state="REFUSED"} 1.0' in client.get("/metrics").text


def test_records_that_come_together_share_a_sync(tmp_path: Path) -> None:
    class Counting(Spool):
        appends = 0

        def append(self, records: Any) -> int:
            self.appends += 1
            return super().append(records)

    async def keep_many(spooling: Spooling) -> list[bool]:
        spooling.begin = lambda: None  # type: ignore[method-assign]  # nothing to enter here
        kept = await asyncio.gather(*(spooling.keep([record(f"rec_{n}")]) for n in range(100)))
        await spooling.close()
        return kept

    spool = Counting(tmp_path / "s", records_max=90, bytes_max=1_000_000)
    aside = Spool(tmp_path / "a", records_max=1, bytes_max=1_000)
    spooling = Spooling(spool, aside, None, make_log("error"))  # type: ignore[arg-type]
    assert asyncio.run(keep_many(spooling)) == [True] * 90 + [False] * 10
    assert (spooling.kept, spooling.refused, spool.appends) == (90, 10, 2)


@pytest.mark.parametrize(
    ("store", "path"),
    [
        (":memory:", None),
        ("/data/desk.sqlite", Path("/data/desk.sqlite.east.spool")),
        ("postgresql://u:secret@host/desk", Path("/state/tandem/east.spool")),
    ],
)
def test_each_instance_has_a_spool_of_its_own(
    store: str, path: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert spool_path(store, "east") == path


def record(recommendation_id: str) -> Record:
    return Record(
        recommendation_id=recommendation_id, incident_id="A", incident_version=1,
        decided_at=from_us(1_800_000_000_000_000), outcome=Outcome.DISPATCH, mode=Mode.DUAL,
        answer=b"{}", seen=b"{}", request=b"{}", decided=None, operator=None,
    )  # fmt: skip


def at_second(second: int, answer: bytes) -> Record:
    """Return the record of a decision at so many seconds past the minute."""
    made = record(f"rec_{second}")
    decided = Decided(
        incident_id="A", version=1, outcome=Outcome.DISPATCH, mode=Mode.DUAL, unit_ids=(),
        recommendation_id=made.recommendation_id, held_since=None, change=None, screened=True,
        decided_at=from_us((1_800_000_000 + second) * 1_000_000),
    )  # fmt: skip
    return msgspec.structs.replace(made, answer=answer, decided=decided)


def encoded(recommendation_id: str) -> bytes:
    return msgspec.msgpack.encode(record(recommendation_id))


def test_a_key_holds_up_no_recommendation_while_the_store_is_down(
    start: Start, location: Path
) -> None:
    with start() as client, store_down(location, "idempotency"):
        reply = client.post(ASK, json=told(), headers={"Idempotency-Key": "k-1"})
        assert (reply.status_code, reply.json()["recorded"]) == (200, False)
        alert = "/v1/alerts/alert_1/acknowledge"
        seen = client.post(alert, json=OPERATOR, headers={"Idempotency-Key": "k-2"})
        assert seen.status_code == 503
