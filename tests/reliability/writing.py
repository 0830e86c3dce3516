"""Operations that say afterwards whether they were kept whole, and a process that does only them.

Each operation has a token of its own, which stands in everything that it writes: its rows, its
audit record and its change. So `found` can tell from a database alone which operations were kept,
and whether any was kept in part. A token is `run.thread.number`; a thread counts its own from 1 and
begins the next after the one before was acknowledged, or refused.
"""

import datetime as dt
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any, Final

from sqlalchemy import insert

from api.errors import StoreUnavailable
from api.store.audit_chain import enter_instance
from api.store.calls import Decided
from api.store.checkpoints import Checkpoints
from api.store.contract import RosterChange
from api.store.database import Database
from api.store.records import Operator, StoredFix, StoredUnit
from api.store.schema import require_schema
from api.store.sql_calls import keep_decision
from api.store.sql_roster import hold_roster, read_roster, write_roster
from api.store.tables import claim_units, claims, recommendations, to_us
from api.store.writer import Operation, Transaction, Writer
from routing.codes import Agency, Mode, Outcome, Status
from routing.roster import UnitId

START: Final = dt.datetime(2026, 7, 21, 20, 5, tzinfo=dt.UTC)
INSTANCE: Final = "small"
REFUSED: Final = "refused"
TRIES_MAX: Final = 20
VERSIONS_OF_RUN: Final = 1_000_000

Acknowledge = Callable[[str], None]


class Refused(Exception):
    """An operation that gives up half-way."""


def roster_of(token: str, thread: int, version: int) -> Operation[None]:
    """Return a write of two units and the place of one, which belong together."""
    at = START + dt.timedelta(seconds=version % VERSIONS_OF_RUN)
    names = [UnitId(f"R{thread}{half}") for half in "ab"]
    told = tuple(
        StoredUnit(
            unit_id=name, agency=Agency.SPD, received_at=at, version=version, call_sign=token,
            status=Status.AVAILABLE,
        )
        for name in names
    )  # fmt: skip
    fix = StoredFix(lon=-122.33, lat=47.6, fixed_at=None, received_at=at, accuracy_m=version)
    change = RosterChange(
        at=at,
        operator=Operator(operator_id=token, role="DISPATCHER"),
        units=told,
        fixes={names[0]: fix},
    )

    def operation(tx: Transaction) -> None:
        hold_roster(tx.connection)
        write_roster(tx, change, read_roster(tx.connection))

    return operation


def call_of(token: str, thread: int, version: int) -> Operation[None]:
    """Return a decision with its recommendation, as the desk keeps both."""
    at = START + dt.timedelta(seconds=version % VERSIONS_OF_RUN)
    decided = Decided(
        incident_id=f"C{thread}", version=version, outcome=Outcome.DISPATCH, mode=Mode.DUAL,
        recommendation_id=token, decided_at=at, unit_ids=("S1", "C1"), held_since=None,
        change=None, screened=True,
    )  # fmt: skip
    row = {
        "recommendation_id": token, "incident_id": decided.incident_id,
        "incident_version": version, "decided_at": to_us(at), "outcome": "DISPATCH",
        "mode": "DUAL", "answer": token.encode() * 20, "seen": bytes(900),
    }  # fmt: skip

    def operation(tx: Transaction) -> None:
        tx.connection.execute(insert(recommendations), row)
        keep_decision(tx, decided, token.encode())
        tx.note("RECOMMENDED", token, {"incident_id": decided.incident_id})

    return operation


def claim_of(token: str, thread: int, version: int) -> Operation[None]:
    """Return a claim on two units of its own."""
    at = START + dt.timedelta(seconds=version % VERSIONS_OF_RUN)
    row = {
        "claim_id": token, "incident_id": f"C{thread}", "state": "LIVE", "made_at": to_us(at),
        "expires_at": to_us(at), "body": "{}",
    }  # fmt: skip
    both = [
        {"claim_id": token, "unit_id": f"{token}-{agency}", "agency": agency, "is_live": True}
        for agency in ("CARE", "SPD")
    ]

    def operation(tx: Transaction) -> None:
        tx.connection.execute(insert(claims), row)
        for half in both:
            tx.connection.execute(insert(claim_units), half)
        tx.note("CLAIMED", token, {"incident_id": row["incident_id"]})
        tx.announce("claim", token)

    return operation


def refused(operation: Operation[None]) -> Operation[None]:
    """Return an operation that writes all that another does, and then gives up."""

    def wasted(tx: Transaction) -> None:
        operation(tx)
        raise Refused

    return wasted


KINDS: Final = (roster_of, call_of, claim_of)


def work(writer: Writer, *, run: str, thread: int, number: int, seed: int) -> str:
    """Do one operation of a thread, before it perhaps one that is refused; return its token."""
    rng = random.Random(f"{seed} {run} {thread} {number}")
    version = int(run) * VERSIONS_OF_RUN + number
    make = rng.choice(KINDS)
    if rng.random() < 0.1:
        try:
            writer.call(refused(make(f"{REFUSED}.{run}.{thread}.{number}", thread, version)))
        except Refused:
            pass
        else:
            raise AssertionError("a refused operation was acknowledged")
    token = f"{run}.{thread}.{number}"
    writer.call(make(token, thread, version))
    return token


@contextmanager
def writing_to(options: dict[str, Any]) -> Iterator[Writer]:
    """Open the store of a process and yield its writer.

    Parameters
    ----------
    options
        location, instance, synchronous, operations_between (of checkpoints).
    """
    database = Database(options["location"], synchronous=options.get("synchronous", "FULL"))
    require_schema(database)
    instance = options.get("instance", INSTANCE)
    writer = Writer(database, instance=instance)
    if "operations_between" in options:
        writer.checkpoints = Checkpoints(database, options["operations_between"])
    for _ in range(TRIES_MAX):  # another process that writes without a pause may hold it up
        with suppress(StoreUnavailable), database.writing() as connection:
            enter_instance(connection, instance, dt.datetime.now(dt.UTC))
            break
    yield writer
    writer.close()
    database.close()


def in_threads(n: int, work_of: Callable[[int], None]) -> None:
    """Let n threads do their work, and return when all are done."""
    threads = [Thread(target=work_of, args=(number,)) for number in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def write_on(options: dict[str, Any], acknowledge: Acknowledge) -> None:
    """Write until the end, or until somebody ends this process.

    Parameters
    ----------
    options
        run, seed, threads, operations (of each thread), and what `writing_to` takes.
    """

    def one_thread(thread: int) -> None:
        for number in range(1, options["operations"] + 1):
            token = work(
                writer, run=options["run"], thread=thread, number=number, seed=options["seed"]
            )
            acknowledge(token)

    with writing_to(options) as writer:
        in_threads(options["threads"], one_thread)


def acknowledge_on(descriptor: int) -> Acknowledge:
    """Return what tells an acknowledgement on a pipe: one line, one system call."""

    def acknowledge(token: str) -> None:
        os.write(descriptor, f"ack {token}\n".encode())

    return acknowledge
