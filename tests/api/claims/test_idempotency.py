"""A write with an Idempotency-Key happens once, and its first answer is the answer."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import func, insert, select

from api.errors import KeyInHand, KeyReused
from api.idempotency import Kept, Keyed, KeysInHand, once
from api.store.tables import idempotency, overrides, to_us
from api.store.writer import Transaction
from tests.api.claims.desk_story import DeskStory

KEYED = Keyed(caller="key_1", key="k-1", route="POST /v1/x", body=b'{"a": 1}')


class Crash(Exception):
    """The process ends here."""


def write(tx: Transaction) -> Kept:
    """Write what can be counted, and answer how many there were."""
    n = tx.connection.execute(select(func.count()).select_from(overrides)).scalar_one()
    row = {"override_id": f"o{n}", "incident_id": "A", "action": "X", "reason": "Y"}
    tx.connection.execute(insert(overrides).values(row | {"at": to_us(tx.at), "body": "{}"}))
    tx.note("OVERRIDE", f"o{n}", {})
    return Kept(status=201, answer=b"written as number %d" % n)


def written(desk: DeskStory) -> int:
    with desk.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(overrides)).scalar_one())


def test_the_same_key_and_body_get_the_first_answer_byte_for_byte(desk: DeskStory) -> None:
    first = desk.do(lambda tx: once(tx, KEYED, write))
    again = desk.do(lambda tx: once(tx, KEYED, write))
    assert (again.status, again.answer) == (first.status, first.answer)
    assert (first.is_replayed, again.is_replayed) == (False, True)
    assert (written(desk), desk.audit_count()) == (1, 1)


@pytest.mark.parametrize("other", [{"body": b'{"a": 2}'}, {"route": "POST /v1/y"}])
def test_another_body_or_address_is_refused(desk: DeskStory, other: Any) -> None:
    desk.do(lambda tx: once(tx, KEYED, write))
    with pytest.raises(KeyReused):
        desk.do(lambda tx: once(tx, replace(KEYED, **other), write))
    assert written(desk) == 1


def test_the_same_key_of_another_caller_is_another_key(desk: DeskStory) -> None:
    desk.do(lambda tx: once(tx, KEYED, write))
    desk.do(lambda tx: once(tx, replace(KEYED, caller="key_2"), write))
    assert written(desk) == 2


def test_without_a_key_each_write_is_a_write(desk: DeskStory) -> None:
    for _ in range(2):
        desk.do(lambda tx: once(tx, None, write))
    assert written(desk) == 2


def test_a_write_that_changed_nothing_is_judged_anew(desk: DeskStory) -> None:
    refused = Kept(status=409, answer=b"", is_kept=False)
    desk.do(lambda tx: once(tx, KEYED, lambda _: refused))
    assert desk.do(lambda tx: once(tx, KEYED, write)).status == 201


def test_a_crash_before_the_commit_leaves_neither_write_nor_answer(desk: DeskStory) -> None:
    def crash(tx: Transaction) -> None:
        once(tx, KEYED, write)
        raise Crash

    with pytest.raises(Crash):
        desk.do(crash)
    assert written(desk) == 0
    assert not desk.do(lambda tx: once(tx, KEYED, write)).is_replayed


def test_an_answer_kept_by_a_second_transaction_would_be_lost_by_a_crash(desk: DeskStory) -> None:
    """The known-bad twin: the crash comes between the two, and the retry writes again."""
    desk.do(write)
    with pytest.raises(Crash):
        desk.do(_crash)
    desk.do(lambda tx: once(tx, KEYED, write))
    assert written(desk) == 2


def _crash(_tx: Transaction) -> None:
    raise Crash


def test_of_two_instances_the_second_to_write_takes_its_write_back(desk: DeskStory) -> None:
    """It looked before the first had committed; the key is unique in the database all the same."""

    def while_another_commits(tx: Transaction) -> Kept:
        done = write(tx)
        row = {"caller": "key_1", "key": "k-1", "route": "POST /v1/x", "body_sha256": b""}
        row |= {"at": 0, "status": 201, "answer": b""}
        tx.connection.execute(insert(idempotency).values(row))
        return done

    with pytest.raises(KeyInHand):
        desk.do(lambda tx: once(tx, KEYED, while_another_commits))
    assert (written(desk), desk.audit_count()) == (0, 0)


def test_while_the_first_is_in_hand_a_second_is_told_to_wait() -> None:
    keys = KeysInHand()
    with keys.holding(KEYED):
        with pytest.raises(KeyInHand), keys.holding(KEYED):
            pass
        with keys.holding(replace(KEYED, caller="key_2")), keys.holding(None):
            pass
    with keys.holding(KEYED):
        pass
