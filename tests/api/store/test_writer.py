"""The writer: answered after the commit, each operation whole, groups under load, never stuck."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import select, text

from api.errors import StoreBusy, StoreUnavailable
from api.store.audit_chain import Note
from api.store.changes import Change
from api.store.database import Database
from api.store.tables import audit, changes, status_events
from api.store.writer import Transaction, Writer
from tests.api.store.engines import INSTANCE
from tests.api.store.held_writer import WAIT_S_MAX, held, in_one_group, keeps, wait_for_line

Durable = tuple[Database, Writer]


class Refused(Exception):
    pass


def refuses(name: str) -> Any:
    def operation(tx: Transaction) -> None:
        keeps(name)(tx)
        tx.after.append(lambda: pytest.fail("called after a write that was taken back"))
        raise Refused(name)

    return operation


def kept(database: Database) -> dict[str, list[str]]:
    """Return the names in rows, notes and changes."""
    with database.reading() as connection:
        asked = {"rows": status_events.c.event_id, "notes": audit.c.subject, "told": changes.c.key}
        return {
            name: sorted(connection.execute(select(column)).scalars())
            for name, column in asked.items()
        }


def everywhere(*names: str) -> dict[str, list[str]]:
    return {"rows": [*names], "notes": [*names], "told": [*names]}


@pytest.fixture
def other(durable: Durable) -> Iterator[Any]:
    """Makes writers of another kind on the same database, and closes them."""
    made: list[Writer] = []

    def make(kind: type[Writer] = Writer, **options: Any) -> Writer:
        made.append(kind(durable[0], instance=INSTANCE, **options))
        return made[-1]

    yield make
    for writer in made:
        writer.close()


# -- answered after the commit ----------------------------------------------------------------


class AnswersEarly(Writer):
    """Answers when the rows are written and not yet committed."""

    read = threading.Event()

    def _operate(self, connection: Any, group: Any) -> Any:
        done = super()._operate(connection, group)
        self._settle(group)
        self.read.wait(WAIT_S_MAX)
        return done


def is_kept_when_answered(database: Database, writer: Writer) -> bool:
    writer.call(keeps("a"))
    found = kept(database) == everywhere("a")
    AnswersEarly.read.set()
    return found


def test_a_write_is_answered_after_its_commit(durable: Durable) -> None:
    assert is_kept_when_answered(*durable)


def test_an_answer_before_the_commit_is_found(durable: Durable, other: Any) -> None:
    AnswersEarly.read.clear()
    assert not is_kept_when_answered(durable[0], other(AnswersEarly))


# -- each operation whole, in a group -----------------------------------------------------------


class WithoutSavepoint(Writer):
    """Takes nothing back when an operation of a group fails."""

    def _operate(self, connection: Any, group: Any) -> tuple[list[Note], list[Change]]:
        notes: list[Note] = []
        for item in group:
            transaction = Transaction(connection, self.now())
            try:
                item.result = item.operation(transaction)
            except Refused as error:
                item.error = error
            notes += transaction.notes
        return notes, []


def test_a_failing_operation_takes_back_its_own_and_no_other(durable: Durable) -> None:
    database, writer = durable
    before = writer.groups
    ended = in_one_group(writer, keeps("a"), refuses("b"), keeps("c"))
    assert isinstance(ended[1].exception(), Refused)
    assert [ended[0].result(), ended[2].result()] == ["a", "c"]
    assert kept(database) == everywhere("a", "c")
    assert writer.groups == before + 2  # the holding one, and one for all three


def test_a_writer_that_takes_nothing_back_is_found(durable: Durable, other: Any) -> None:
    in_one_group(other(WithoutSavepoint), keeps("a"), refuses("b"))
    assert kept(durable[0])["rows"] == ["a", "b"]


def test_a_statement_that_the_engine_refuses_is_its_own_fault_alone(durable: Durable) -> None:
    database, writer = durable
    ended = in_one_group(writer, keeps("a"), keeps("a"), keeps("b"))
    assert ended[1].exception() is not None
    assert kept(database) == everywhere("a", "b")


# -- the line -------------------------------------------------------------------------------------


def test_a_full_line_refuses_one_more_and_keeps_those_in_it(durable: Durable, other: Any) -> None:
    writer = other(waiting_max=2)

    async def three() -> list[Any]:
        with held(writer):
            tasks = [asyncio.create_task(writer.write(keeps(name))) for name in "abc"]
            await asyncio.sleep(0)
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = asyncio.run(three())
    assert (first, second) == ("a", "b")
    assert isinstance(third, StoreBusy)
    assert kept(durable[0]) == everywhere("a", "b")


def test_closing_commits_what_waits_and_takes_no_more(durable: Durable, other: Any) -> None:
    writer = other()
    closing = threading.Thread(target=writer.close)
    results: list[str] = []
    waiting = threading.Thread(target=lambda: results.append(writer.call(keeps("a"))))
    with held(writer):
        waiting.start()
        wait_for_line(writer, 1)
        closing.start()
    closing.join(WAIT_S_MAX)
    waiting.join(WAIT_S_MAX)
    assert results == ["a"]
    assert kept(durable[0]) == everywhere("a")
    with pytest.raises(StoreUnavailable):
        writer.call(keeps("b"))


def test_what_waits_together_shares_commits(durable: Durable) -> None:
    _database, writer = durable

    async def many() -> list[str]:
        with held(writer):
            tasks = [asyncio.create_task(writer.write(keeps(f"n{i:03}"))) for i in range(128)]
            await asyncio.sleep(0)
        return await asyncio.gather(*tasks)

    groups, committed = writer.groups, writer.committed
    assert len(asyncio.run(many())) == 128
    assert (writer.groups - groups, writer.committed - committed) == (3, 129)


def test_what_an_event_loop_has_in_hand_at_once_shares_a_commit(durable: Durable) -> None:
    _database, writer = durable

    async def rounds_later(rounds: int) -> None:
        for _ in range(rounds):
            await asyncio.sleep(0)
        await writer.write(keeps(f"after-{rounds}"))

    async def all_of_them() -> None:
        await asyncio.gather(*[rounds_later(rounds) for rounds in range(5)])

    groups = writer.groups
    asyncio.run(all_of_them())
    assert writer.groups == groups + 1


def test_an_event_loop_that_never_rests_keeps_no_write_waiting(other: Any) -> None:
    writer = other(waiting_max=10**6)

    async def endless() -> int:
        writes = []
        while writer.waiting >= len(writes) - 1 and len(writes) < 100_000:  # until some are taken
            writes.append(asyncio.create_task(writer.write(lambda _tx: None)))
            await asyncio.sleep(0)
        await asyncio.gather(*writes)
        return len(writes)

    assert asyncio.run(endless()) < 100_000


def test_a_loop_that_ends_while_it_gathers_keeps_nobody_waiting(durable: Durable) -> None:
    database, writer = durable
    loop = asyncio.new_event_loop()
    task = loop.create_task(writer.write(keeps("a")))
    loop.run_until_complete(asyncio.sleep(0))
    task.cancel()
    with suppress(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()
    assert asyncio.run(writer.write(keeps("b"))) == "b"
    assert kept(database) == everywhere("a", "b")


def test_groups_form_by_themselves_under_load(durable: Durable) -> None:
    database, writer = durable
    groups = writer.groups

    def client(name: str) -> None:
        for i in range(20):
            writer.call(keeps(f"{name}{i}"))

    threads = [threading.Thread(target=client, args=(f"c{i}-",)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S_MAX)
    assert len(kept(database)["rows"]) == 320
    assert writer.groups - groups < 320 / 2


# -- threads ------------------------------------------------------------------------------------


def test_nothing_of_a_write_runs_on_the_event_loops_thread(durable: Durable) -> None:
    _database, writer = durable
    threads: list[int] = []

    async def one() -> None:
        told_by_loop = threading.Event()

        def operation(tx: Transaction) -> bool:
            threads.append(threading.get_ident())
            tx.after.append(lambda: threads.append(threading.get_ident()))
            return told_by_loop.wait(WAIT_S_MAX)

        asyncio.get_running_loop().call_later(0.01, told_by_loop.set)
        assert await writer.write(operation)  # the loop went on while the operation waited

    asyncio.run(one())
    assert len(threads) == 2
    assert threading.get_ident() not in threads


def test_what_follows_a_commit_is_called_in_order_and_before_any_answer(durable: Durable) -> None:
    _database, writer = durable
    order: list[str] = []

    def operation(name: str) -> Any:
        return lambda tx: tx.after.append(lambda: order.append(name))

    async def three() -> None:
        async def one(name: str) -> None:
            await writer.write(operation(name))
            order.append("answered")

        with held(writer):
            tasks = [asyncio.create_task(one(name)) for name in "abc"]
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)

    asyncio.run(three())
    assert order == ["a", "b", "c", *["answered"] * 3]


def test_a_bug_in_what_follows_a_commit_does_not_stop_the_writer(
    durable: Durable, other: Any
) -> None:
    writer = other()

    def operation(tx: Transaction) -> str:
        tx.after.append(lambda: {}[1])
        return keeps("a")(tx)

    assert writer.call(operation) == "a"
    assert writer.call(keeps("b")) == "b"
    assert writer.after_failed == 1
    assert kept(durable[0]) == everywhere("a", "b")


def test_an_event_loop_that_is_gone_does_not_stop_the_writer(durable: Durable) -> None:
    database, writer = durable
    loop = asyncio.new_event_loop()
    with held(writer):
        task = loop.create_task(writer.write(keeps("a")))
        loop.run_until_complete(asyncio.sleep(0))
        task.cancel()
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()
    assert writer.call(keeps("b")) == "b"
    assert kept(database) == everywhere("a", "b")


# -- failures of the engine -----------------------------------------------------------------------


def breaks_the_connection(tx: Transaction) -> None:
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    driver: Any = tx.connection.connection.driver_connection
    driver.close()
    tx.connection.execute(text("SELECT 1"))


def test_a_failure_of_the_engine_is_told_to_all_and_the_writer_goes_on(durable: Durable) -> None:
    database, writer = durable
    ended = in_one_group(writer, keeps("secret-a"), breaks_the_connection, keeps("secret-b"))
    for one in ended:
        error = one.exception()
        assert isinstance(error, StoreUnavailable)
        assert "secret" not in str(error)
    assert writer.failure is not None
    assert writer.call(keeps("c")) == "c"
    assert writer.failure is None
    assert kept(database) == everywhere("c")
