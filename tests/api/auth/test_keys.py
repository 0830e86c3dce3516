"""Keys: what one looks like, and what every engine that keeps them promises."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Final

import pytest
from sqlalchemy import select

from api.auth.keys import KEY_PATTERN, SECRET_BYTES, KeysFull, KeyStore, NoSuchKey
from api.auth.memory_keys import MemoryKeys
from api.auth.ring import TOUCH_S, KeyRing
from api.auth.roles import Role
from api.auth.sql_keys import SqlKeys, opened_keys
from api.errors import CredentialsExpired, CredentialsRefused, CredentialsRevoked, StoreUnavailable
from api.store.tables import api_keys, audit, changes
from tests.api.auth.credentials import NOW, key, revoked
from tests.api.store.engines import DATABASES, SHARED, new_location

HOUR: Final = dt.timedelta(hours=1)
ENGINES: Final[dict[str, Callable[[], KeyStore]]] = {
    "memory": lambda: MemoryKeys(keys_max=3),
    **{kind: lambda kind=kind: SqlKeys(*SHARED.of(kind), keys_max=3) for kind in DATABASES},  # type: ignore[misc]
}


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest) -> KeyStore:
    return ENGINES[request.param]()


def test_a_key_has_enough_random_digits_and_keeps_only_a_digest() -> None:
    made = [key(Role.CAD) for _ in range(200)]
    assert SECRET_BYTES * 8 >= 160
    assert all(re.fullmatch(KEY_PATTERN, one.text) for one in made)
    assert len({one.text[-48:] for one in made}) == len({one.kept.key_id for one in made}) == 200
    for one in made:
        secret = one.text[17:]
        assert len(one.kept.secret_sha256) == 32
        assert secret not in repr(one.kept) + repr(one)
        assert secret.encode() != one.kept.secret_sha256


def test_what_is_kept_is_what_was_given(store: KeyStore) -> None:
    one = key(Role.CAD, Role.AUDITOR, asserts=["DISPATCHER", "SUPERVISOR"]).kept
    store.add(one)
    assert store.find(one.key_id) == one
    assert list(store.list()) == [one]
    assert store.find("000000000000") is None


def test_the_oldest_stands_first_and_the_store_is_bounded(store: KeyStore) -> None:
    made = [key(Role.CAD, age=age * HOUR).kept for age in (1, 3, 2)]
    for one in made:
        store.add(one)
    assert list(store.list()) == [made[1], made[2], made[0]]
    with pytest.raises(KeysFull, match="no more"):
        store.add(key(Role.CAD).kept)
    assert len(store.list()) == 3


def test_of_several_revocations_the_earliest_stands(store: KeyStore) -> None:
    one = key(Role.CAD).kept
    store.add(one)
    for at, stands in ((NOW + HOUR, NOW + HOUR), (NOW, NOW), (NOW + 2 * HOUR, NOW)):
        assert store.revoke(one.key_id, at).revoked_at == stands
        found = store.find(one.key_id)
        assert found is not None
        assert found.revoked_at == stands
    with pytest.raises(NoSuchKey):
        store.revoke("000000000000", NOW)


def test_the_mark_changes_with_each_new_or_revoked_key_and_not_with_use(store: KeyStore) -> None:
    one, other = key(Role.CAD).kept, key(Role.ADMIN).kept
    marks = [store.mark()]
    for change in (
        lambda: store.add(one),
        lambda: store.add(other),
        lambda: store.revoke(one.key_id, NOW + HOUR),
        lambda: store.revoke(one.key_id, NOW),
        lambda: store.revoke(other.key_id, NOW),
    ):
        change()
        marks.append(store.mark())
    assert len(set(marks)) == 6
    store.touch([one.key_id, "unknown"], NOW)
    assert store.mark() == marks[-1]
    found = store.find(one.key_id)
    assert found is not None
    assert found.last_used_at == NOW


@pytest.mark.parametrize("kind", DATABASES)
def test_creation_and_revocation_are_audited_and_announced_without_the_digest(kind: str) -> None:
    keys, made = SqlKeys(*SHARED.of(kind)), key(Role.CAD, asserts=["DISPATCHER"])
    keys.add(made.kept)
    keys.revoke(made.kept.key_id, NOW)
    keys.revoke(made.kept.key_id, NOW + HOUR)  # changes nothing, so it says nothing
    with keys.database.reading() as connection:
        noted = connection.execute(select(audit.c.kind, audit.c.subject, audit.c.record)).all()
        told = connection.execute(select(changes.c.topic, changes.c.key)).all()
    assert [(one.kind, one.subject) for one in noted] == [
        ("KEY_CREATED", made.kept.key_id), ("KEY_REVOKED", made.kept.key_id),
    ]  # fmt: skip
    assert told == [("keys", made.kept.key_id)] * 2
    said = b" ".join(one.record for one in noted)
    assert made.text[17:].encode() not in said
    assert made.kept.secret_sha256.hex().encode() not in said


def test_no_table_holds_a_secret() -> None:
    keys, made = SqlKeys(*SHARED.of("sqlite")), key(Role.CAD)
    keys.add(made.kept)
    with keys.database.reading() as connection:
        row = connection.execute(select(api_keys)).one()
    assert made.text[17:] not in repr(tuple(row))


def test_a_role_that_this_version_does_not_know_opens_nothing() -> None:
    keys, made = SqlKeys(*SHARED.of("sqlite")), key(Role.CAD)
    keys.add(made.kept)
    newer = api_keys.update().values(roles='["cad", "wizard"]')
    keys.writer.call(lambda tx: tx.connection.execute(newer))
    assert [one.roles for one in keys.list()] == [{Role.CAD}]


def test_two_processes_see_each_others_keys() -> None:
    with new_location("sqlite") as location, opened_keys(location) as ours:
        ring = KeyRing(ours)
        ring.refresh()
        made = key(Role.CAD)
        with opened_keys(location) as theirs:
            theirs.add(made.kept)
            ring.refresh()
            assert ring.principal(made.text.encode()).roles == {Role.CAD}
            theirs.revoke(made.kept.key_id, NOW)
            ring.refresh()
        with pytest.raises(CredentialsRevoked):
            ring.principal(made.text.encode())


# -- the ring -------------------------------------------------------------------------------------


class _Gone(MemoryKeys):
    """A store that can be taken away."""

    is_gone = False

    def mark(self) -> int:
        if self.is_gone:
            raise StoreUnavailable("gone")
        return super().mark()


def test_known_keys_go_on_opening_while_the_store_is_gone() -> None:
    made = key(Role.CAD)
    store = _Gone([made.kept])
    ring = KeyRing(store)
    ring.refresh()
    store.is_gone = True
    with pytest.raises(StoreUnavailable):
        ring.refresh()
    assert ring.principal(made.text.encode()).key_id == made.kept.key_id


def test_a_key_ends_at_its_instant_without_the_store() -> None:
    made, clock = key(Role.CAD), [NOW.timestamp()]
    ring = KeyRing(MemoryKeys([made.kept]), now_s=lambda: clock[0])
    ring.refresh()
    clock[0] = made.kept.expires_at.timestamp() - 0.001
    assert ring.principal(made.text.encode())
    clock[0] += 0.001
    with pytest.raises(CredentialsExpired):
        ring.principal(made.text.encode())


def test_a_replaced_key_opens_until_its_overlap_ends() -> None:
    made, clock = key(Role.CAD), [NOW.timestamp()]
    store = MemoryKeys([made.kept])
    store.revoke(made.kept.key_id, NOW + HOUR)
    ring = KeyRing(store, now_s=lambda: clock[0])
    ring.refresh()
    assert ring.principal(made.text.encode())
    clock[0] += 3_600
    with pytest.raises(CredentialsRevoked):
        ring.principal(made.text.encode())


def test_somebody_without_the_secret_learns_nothing_of_a_key() -> None:
    ended = revoked(key(Role.CAD))
    ring = KeyRing(MemoryKeys([ended.kept]))
    ring.refresh()
    with pytest.raises(CredentialsRefused):
        ring.principal(ended.text[:17].encode() + b"0" * 48)


def test_use_is_told_to_the_store_once_a_minute() -> None:
    made, clock = key(Role.CAD), [NOW.timestamp()]
    store = MemoryKeys([made.kept])
    ring = KeyRing(store, now_s=lambda: clock[0])
    ring.refresh()
    ring.principal(made.text.encode())
    ring.refresh()
    assert [one.last_used_at for one in store.list()] == [None]
    clock[0] += TOUCH_S
    ring.refresh()
    assert [one.last_used_at for one in store.list()] == [NOW + dt.timedelta(seconds=TOUCH_S)]
