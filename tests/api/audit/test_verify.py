"""Tampering with a chain is found, and the first bad record is named, with why."""

from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from api.audit.faults import Why
from api.audit.pages import Pages
from api.audit.verify import Verdict, verify
from api.store.database import Database
from api.store.sql_heads import Head, read_heads
from tests.api.audit.chains import LONG, SHORT, Tampered, seeded, tampered, two_chains
from tests.api.audit.tamperings import (
    TAMPERINGS,
    Expected,
    append,
    edit_bytes,
    other_bytes,
    row,
    shift,
)  # fmt: skip
from tests.reliability.lengths import length

EACH = length(300, 2_000)
"""Tamperings of each of the five kinds."""


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with two_chains() as made:
        yield made


@pytest.fixture
def chains(database: Database) -> Iterator[Tampered]:
    with tampered(database) as made:
        yield made


def first_bad(verdict: Verdict) -> Expected | None:
    """Return the first bad record of the chain `a`."""
    found = next((fault for fault in verdict.faults if fault.instance == "a"), None)
    return None if found is None else Expected(number=found.number, why=found.why)


def test_what_nobody_touched_is_good_to_the_last_record(chains: Tampered) -> None:
    verdict = verify(chains.pages)
    assert verdict.faults == ()
    assert [(one.instance, one.start, one.end) for one in verdict.chains] == [
        ("a", 0, LONG), ("b", 0, SHORT),
    ]  # fmt: skip
    assert verdict.records == LONG + SHORT
    assert verdict.chains[0].head == row(chains.connection, LONG)["hash"]


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_every_tampering_is_found_and_the_first_bad_record_named(
    chains: Tampered, kind: str
) -> None:
    wrong = Counter[str]()
    for number in range(EACH):
        rng = seeded(number)
        tampering = rng.choice(TAMPERINGS[kind])
        expected: list[Expected] = []
        verdict = chains.check(lambda c: expected.append(tampering(c, rng, LONG)))  # noqa: B023
        if first_bad(verdict) != expected[0]:
            wrong[f"{tampering.__name__} {number}: {expected[0]} {first_bad(verdict)}"] += 1
    assert not wrong


def test_the_check_is_of_every_byte_of_a_record(chains: Tampered) -> None:
    for column in ("record", "hash"):
        size = len(row(chains.connection, 7)[column])
        for place in range(size):

            def flip(connection: Connection, place: int = place, column: str = column) -> None:
                before = row(connection, 7)[column]
                after = before[:place] + bytes([before[place] ^ 1]) + before[place + 1 :]
                sql = text(f"UPDATE audit SET {column} = :b WHERE instance = 'a' AND number = 7")
                connection.execute(sql, {"b": after})

            assert first_bad(chains.check(flip)) == Expected(number=7, why=Why.EDITED)


def test_a_change_that_changes_nothing_is_no_tampering(chains: Tampered) -> None:
    verdict = chains.check(lambda connection: (shift(connection, 5, 1), shift(connection, 6, -1)))
    assert verdict.faults == ()


def test_each_chain_names_its_own_first_bad_record(chains: Tampered) -> None:
    def both(connection: Connection) -> None:
        for number in (40, 20):
            connection.execute(text(f"DELETE FROM audit WHERE instance='a' AND number={number}"))
        connection.execute(text("UPDATE audit SET subject='x' WHERE instance='b' AND number=3"))

    faults = chains.check(both).faults
    assert [(one.instance, one.number, one.why) for one in faults] == [
        ("a", 20, Why.MISSING), ("b", 3, Why.EDITED),
    ]  # fmt: skip


def test_a_fault_reads_as_a_sentence(chains: Tampered) -> None:
    verdict = chains.check(lambda c: c.execute(text("DELETE FROM audit WHERE number = 9")))
    assert str(verdict.faults[0]) == (
        "a, record 9: MISSING. The next record that is there is number 10."
    )


def test_chains_longer_than_a_page_are_followed_over_its_edge(chains: Tampered) -> None:
    for rows_max in (1, 2, 7, LONG - 1, LONG, LONG + 1):
        pages = Pages(chains.pages._reading, rows_max)
        assert verify(pages).records == LONG + SHORT
        chains.pages = pages
        for number in range(20):
            expected: list[Expected] = []
            rng = seeded(number)
            verdict = chains.check(lambda c: expected.append(append(c, rng, LONG)))  # noqa: B023
            assert first_bad(verdict) == expected[0]


def test_progress_tells_every_record_once(chains: Tampered) -> None:
    told: list[int] = []
    verify(Pages(chains.pages._reading, 7), (), told.append)
    assert sum(told) == LONG + SHORT


@pytest.mark.parametrize(
    "column",
    ["record = 'text'", "hash = 'text'", "hash = 5", "record = 5", "at = 'noon'", "kind = x'00ff'",
     "subject = x'00ff'", "kind = CAST(x'ff' AS TEXT)", "at = 1e99", "at = 1.5", "subject = 5"],
)  # fmt: skip
def test_a_column_of_another_type_is_an_edit(chains: Tampered, column: str) -> None:
    edit = text(f"UPDATE audit SET {column} WHERE instance = 'a' AND number = 30")
    found = first_bad(chains.check(lambda connection: connection.execute(edit)))
    assert found == Expected(number=30, why=Why.EDITED)


# -- a head that was kept elsewhere ----------------------------------------------------------------


def cut_off(connection: Connection, left: int) -> None:
    """Take the end of `a` away, with the head moved back as if nothing had followed."""
    last = row(connection, left)["hash"]
    connection.execute(text(f"DELETE FROM audit WHERE instance = 'a' AND number > {left}"))
    connection.execute(
        text(f"UPDATE instances SET audit_count = {left}, audit_head = :h WHERE instance = 'a'"),
        {"h": last},
    )


def test_a_cut_tail_is_found_by_a_kept_head_alone(chains: Tampered) -> None:
    kept = read_heads(chains.connection)
    for left in range(1, LONG):
        change = chains.connection.begin_nested()
        cut_off(chains.connection, left)
        assert verify(chains.pages).faults == ()
        found = first_bad(verify(chains.pages, kept))
        assert found == Expected(number=left + 1, why=Why.MISSING)
        change.rollback()


def test_a_head_that_is_another_record_now_is_named(chains: Tampered) -> None:
    kept = [Head(instance="a", number=9, hash=other_bytes(seeded(1), bytes(32)))]
    assert first_bad(verify(chains.pages, kept)) == Expected(number=9, why=Why.HEAD_MISMATCH)


def test_a_kept_head_agrees_with_the_chain_that_went_on(chains: Tampered) -> None:
    kept = [Head(instance="a", number=9, hash=row(chains.connection, 9)["hash"])]
    kept.append(Head(instance="b", number=0, hash=bytes(32)))
    assert verify(chains.pages, kept).faults == ()


def test_a_kept_head_of_a_chain_that_is_gone_is_named(chains: Tampered) -> None:
    kept = [Head(instance="gone", number=3, hash=bytes(32))]
    (fault,) = verify(chains.pages, kept).faults
    assert (fault.instance, fault.number, fault.why) == ("gone", 1, Why.MISSING)


def test_an_edit_by_one_bit_differs(chains: Tampered) -> None:
    found = {first_bad(chains.check(lambda c: edit_bytes(c, seeded(n), LONG))) for n in range(9)}  # noqa: B023
    assert None not in found
