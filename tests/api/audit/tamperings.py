"""Every way to tamper with one chain: what is done, and which record is the first bad one then."""

import random
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select, text

from api.audit.faults import Why
from api.store.audit_chain import chained
from api.store.tables import audit, instances

MADE_UP: Final = 10**6
A: Final = audit.c.instance == "a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The first bad record, and why it is bad."""

    number: int
    why: Why


Tampering = Callable[[Connection, random.Random, int], Expected]
"""Changes the chain `a`, which has so many records."""


def row(connection: Connection, number: int) -> dict[str, Any]:
    """Return a record of `a`."""
    found = connection.execute(select(audit).where(A, audit.c.number == number)).one()
    return dict(found._mapping)


def put(connection: Connection, of: int, **columns: Any) -> None:
    """Change columns of a record of `a`."""
    connection.execute(audit.update().where(A, audit.c.number == of).values(**columns))


def shift(connection: Connection, first: int, by: int) -> None:
    """Give the records of `a` from one on other numbers."""
    for step in (f"+ {MADE_UP}", f"- {MADE_UP - by}"):
        at_least = first if "+" in step else first + MADE_UP
        connection.execute(
            text(f"UPDATE audit SET number = number {step} WHERE instance = 'a' AND number >= :n"),
            {"n": at_least},
        )


def other_bytes(rng: random.Random, before: bytes) -> bytes:
    """Return bytes that differ: one bit, one byte more, or one less."""
    place = rng.randrange(len(before))
    return rng.choice([
        before[:place] + bytes([before[place] ^ 1 << rng.randrange(8)]) + before[place + 1 :],
        before[:place] + bytes([rng.randrange(256)]) + before[place:],
        before[:place] + before[place + 1 :],
    ])  # fmt: skip


def other_text(rng: random.Random, before: str) -> str:
    """Return a text that differs in one letter."""
    place = rng.randrange(len(before))
    letters = [one for one in string.printable[:62] if one != before[place]]
    return before[:place] + rng.choice(letters) + before[place + 1 :]


# -- edits ------------------------------------------------------------------------------------


def edit_bytes(connection: Connection, rng: random.Random, count: int) -> Expected:
    number, column = rng.randint(1, count), rng.choice(["record", "hash"])
    put(connection, number, **{column: other_bytes(rng, row(connection, number)[column])})
    return Expected(number=number, why=Why.EDITED)


def edit_column(connection: Connection, rng: random.Random, count: int) -> Expected:
    number, column = rng.randint(1, count), rng.choice(["kind", "subject", "at"])
    before = row(connection, number)[column]
    after = (
        before + rng.choice([-1, 1]) * rng.randint(1, 10**9)
        if column == "at"
        else (other_text(rng, before))
    )
    put(connection, number, **{column: after})
    return Expected(number=number, why=Why.EDITED)


def edit_and_hash_again(connection: Connection, rng: random.Random, count: int) -> Expected:
    """Edit a record with its hash; the next one does not follow, unless it is the last."""
    number = rng.randint(1, count)
    before = row(connection, number)
    said = before["record"].replace(b"DISPATCH", b"HOLD")
    last = row(connection, number - 1)["hash"] if number > 1 else bytes(32)
    put(connection, number, record=said, hash=chained(last, said))
    if number == count:
        return Expected(number=count, why=Why.HEAD_MISMATCH)
    return Expected(number=number + 1, why=Why.EDITED)


def copy_over(connection: Connection, rng: random.Random, count: int) -> Expected:
    number, other = rng.sample(range(1, count + 1), 2)
    copied = row(connection, other)
    put(connection, number, **{k: copied[k] for k in ("at", "kind", "subject", "record", "hash")})
    return Expected(number=number, why=Why.EDITED)


# -- removals -----------------------------------------------------------------------------------


def remove(connection: Connection, rng: random.Random, count: int) -> Expected:
    number, gone = rng.randint(1, count), rng.randint(1, 3)
    connection.execute(
        audit.delete().where(A, audit.c.number >= number, audit.c.number < number + gone)
    )
    return Expected(number=number, why=Why.MISSING)


def remove_and_close_the_gap(connection: Connection, rng: random.Random, count: int) -> Expected:
    number, gone = rng.randint(1, count - 3), rng.randint(1, 3)
    connection.execute(
        audit.delete().where(A, audit.c.number >= number, audit.c.number < number + gone)
    )
    shift(connection, number + gone, -gone)
    return Expected(number=number, why=Why.MISSING)


def move_away(connection: Connection, rng: random.Random, count: int) -> Expected:
    number = rng.randint(1, count)
    elsewhere = [{"number": count + rng.randint(1, 9)}, {"instance": "nobody"}]
    if number < count:
        put(connection, number, **rng.choice(elsewhere))
    else:
        put(connection, number, instance="nobody")
    return Expected(number=number, why=Why.MISSING)


# -- swaps --------------------------------------------------------------------------------------


def swap(connection: Connection, rng: random.Random, count: int) -> Expected:
    first, second = sorted(rng.sample(range(1, count + 1), 2))
    if rng.random() < 0.3:
        second = first + 1 if first < count else first
        first = second - 1
    columns = rng.choice([("record", "hash"), ("at", "kind", "subject", "record", "hash")])
    a, b = row(connection, first), row(connection, second)
    put(connection, first, **{k: b[k] for k in columns})
    put(connection, second, **{k: a[k] for k in columns})
    return Expected(number=first, why=Why.SWAPPED)


# -- insertions ---------------------------------------------------------------------------------


def forged(connection: Connection, rng: random.Random, count: int, number: int) -> dict[str, Any]:
    """Return a record that was never written; sometimes it even follows the one before."""
    model = row(connection, rng.randint(1, count))
    if rng.random() < 0.3:
        return {**model, "number": number}
    told = f'"number":{number},'.encode()
    said = model["record"].replace(f'"number":{model["number"]},'.encode(), told)
    said = said.replace(b"DISPATCH", b"NOT_ELIGIBLE")
    last = row(connection, number - 1)["hash"] if number > 1 else bytes(32)
    right = chained(last, said) if rng.random() < 0.5 else rng.randbytes(32)
    return {**model, "number": number, "record": said, "hash": right}


def insert(connection: Connection, rng: random.Random, count: int) -> Expected:
    number = rng.randint(1, count)
    made = forged(connection, rng, count, number)
    is_twin = made == row(connection, number)  # the second of two that are alike is the bad one
    shift(connection, number, 1)
    connection.execute(audit.insert(), made)
    return Expected(number=number + is_twin, why=Why.INSERTED)


def append(connection: Connection, rng: random.Random, count: int) -> Expected:
    made = forged(connection, rng, count, count + 1)
    connection.execute(audit.insert(), made)
    return Expected(number=count + 1, why=Why.INSERTED)


def put_before(connection: Connection, rng: random.Random, count: int) -> Expected:
    number = -rng.randrange(9)
    connection.execute(audit.insert(), {**row(connection, rng.randint(1, count)), "number": number})
    return Expected(number=number, why=Why.INSERTED)


# -- the head -----------------------------------------------------------------------------------


def move_head(connection: Connection, rng: random.Random, count: int) -> Expected:
    of_a = instances.update().where(instances.c.instance == "a")
    if rng.random() < 0.5:
        connection.execute(of_a.values(audit_head=rng.randbytes(32)))
        return Expected(number=count, why=Why.HEAD_MISMATCH)
    further = rng.randint(1, 9)
    connection.execute(of_a.values(audit_count=count + further))
    return Expected(number=count + 1, why=Why.MISSING)


def forget_instance(connection: Connection, _rng: random.Random, count: int) -> Expected:
    connection.execute(instances.delete().where(instances.c.instance == "a"))
    return Expected(number=count, why=Why.HEAD_MISMATCH)


TAMPERINGS: Final[dict[str, tuple[Tampering, ...]]] = {
    "edits": (edit_bytes, edit_bytes, edit_column, edit_and_hash_again, copy_over),
    "removals": (remove, remove_and_close_the_gap, move_away),
    "swaps": (swap,),
    "insertions": (insert, insert, append, put_before),
    "heads": (move_head, forget_instance),
}
