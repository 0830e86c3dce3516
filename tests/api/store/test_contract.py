"""What every engine of the store promises; the numbers are those of `api.store.contract`."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from api.errors import RosterFull, StoreError, StoreUnavailable
from api.store.contract import RosterChange, RosterStore
from api.store.records import OnDuty, StoredFix, StoredUnit
from routing.codes import Agency, Status
from routing.roster import UnitId
from tests.api.store.engines import ENGINES

NOW = dt.datetime(2026, 7, 21, 20, 5, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
UNITS_MAX = 5


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest) -> Iterator[RosterStore]:
    made = ENGINES[request.param](UNITS_MAX)
    yield made
    made.close()


def unit(unit_id: str, version: int | None = 1, **changes: Any) -> StoredUnit:
    told: dict[str, Any] = {"agency": Agency.SPD, "received_at": NOW, **changes}
    return StoredUnit(unit_id=UnitId(unit_id), version=version, **told)


def fix(seconds: float | None, lat: float = 47.61) -> StoredFix:
    made = None if seconds is None else NOW + seconds * SECOND
    return StoredFix(lon=-122.33, lat=lat, fixed_at=made, received_at=NOW)


def change(*units: StoredUnit, removed: str = "", **fixes: StoredFix) -> RosterChange:
    """Return a change of records, units by name that move, and names that go."""
    return RosterChange(
        at=NOW,
        units=units,
        fixes={UnitId(name): to for name, to in fixes.items()},
        removed=frozenset(map(UnitId, removed.split())),
    )


def test_what_is_written_is_read_back_in_the_order_of_unit_id(store: RosterStore) -> None:
    full = unit("B", skills=("CIT",), status=Status.BUSY, shift_end=NOW, conflicts=("X",))
    store.write(change(full, unit("A", None), B=fix(0)))
    read = store.read()
    assert list(read.units) == ["A", "B"]
    assert read.units[UnitId("B")] == OnDuty(unit=full, fix=fix(0))
    assert list(store.read(["B", "Z"]).units) == ["B"]
    assert store.read([]).units == {}


def test_a_write_returns_what_it_changed(store: RosterStore) -> None:
    first = store.write(change(unit("A"), unit("B"), unit("C"), A=fix(0)))
    assert (first.added, first.moved, first.version) == (("A", "B", "C"), ("A",), 1)
    second = store.write(change(unit("B", 2), unit("A"), A=fix(1), Z=fix(1), removed="C Y"))
    assert (second.added, second.changed, second.moved) == ((), ("B",), ("A",))
    assert (second.removed, second.unknown, second.version) == (("C",), ("Y", "Z"), 2)


def test_what_is_kept_already_changes_nothing(store: RosterStore) -> None:
    store.write(change(unit("A"), A=fix(0)))
    again = change(
        replace(unit("A"), received_at=NOW + SECOND), A=replace(fix(0), received_at=NOW + SECOND)
    )
    assert not store.write(again).anything
    assert store.read().version == 1
    assert store.read().units[UnitId("A")].unit.received_at == NOW


def test_an_older_record_is_passed_over_and_named(store: RosterStore) -> None:
    store.write(change(unit("A", 5)))
    written = store.write(change(unit("A", 4, status=Status.BUSY), unit("B")))
    assert (written.older_records, written.added) == (("A",), ("B",))
    assert store.read().units[UnitId("A")].unit == unit("A", 5)


def test_records_without_a_version_are_not_compared(store: RosterStore) -> None:
    store.write(change(unit("A", 5)))
    assert store.write(change(unit("A", None))).changed == ("A",)
    assert store.write(change(unit("A", 1))).changed == ("A",)


def test_an_older_fix_is_passed_over_and_named(store: RosterStore) -> None:
    store.write(change(unit("A"), unit("B"), A=fix(5), B=fix(None)))
    written = store.write(change(A=fix(4.999, 47.7), B=fix(None, 47.7)))
    assert (written.older_fixes, written.moved) == (("A",), ("B",))
    assert store.write(change(A=fix(None))).older_fixes == ("A",)
    assert store.read().units[UnitId("A")].fix == fix(5)


def test_a_record_keeps_the_fix_and_a_fix_the_record(store: RosterStore) -> None:
    store.write(change(unit("A", 1), A=fix(0)))
    store.write(change(unit("A", 2)))
    store.write(change(A=fix(1)))
    assert store.read().units == {"A": OnDuty(unit=unit("A", 2), fix=fix(1))}


def test_a_unit_that_comes_back_has_no_fix(store: RosterStore) -> None:
    store.write(change(unit("A"), A=fix(0)))
    store.write(change(removed="A"))
    store.write(change(unit("A")))
    assert store.read().units[UnitId("A")].fix is None


def test_a_write_that_is_too_much_keeps_nothing(store: RosterStore) -> None:
    store.write(change(*(unit(f"U{i}") for i in range(UNITS_MAX))))
    before = store.read()
    with pytest.raises(RosterFull, match="takes 5"):
        store.write(change(unit("U0", 2), unit("V"), U1=fix(0)))
    assert store.read() == before
    assert store.write(change(unit("V"), removed="U0")).added == ("V",)


@pytest.mark.parametrize("more", [{"removed": "A"}, {"removed": "B", "B": fix(0)}])
def test_a_change_that_contradicts_itself_cannot_be_made(more: Any) -> None:
    with pytest.raises(ValueError, match="expected either"):
        change(unit("A"), **more)


def test_a_change_has_one_record_of_a_unit() -> None:
    with pytest.raises(ValueError, match="two records"):
        change(unit("A"), unit("A", 2))


def test_what_was_read_does_not_change_with_the_roster(store: RosterStore) -> None:
    store.write(change(unit("A")))
    read = store.read()
    store.write(change(unit("B"), removed="A"))
    assert list(read.units) == ["A"]


CALLS: list[Callable[[RosterStore], object]] = [
    lambda store: store.read(),
    lambda store: store.write(change(unit("A"))),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_closed_store_is_an_error_of_the_one_family(
    store: RosterStore, call: Callable[[RosterStore], object]
) -> None:
    store.close()
    with pytest.raises(StoreUnavailable) as refused:
        call(store)
    assert isinstance(refused.value, StoreError)


def test_writes_of_many_threads_are_each_whole(store: RosterStore) -> None:
    store.write(change(unit("A", 0), unit("B", 0)))
    seen: list[set[int | None]] = []

    def write(first: int) -> None:
        for version in range(first, 401, 4):
            store.write(change(unit("A", version), unit("B", version)))
            seen.append({one.unit.version for one in store.read().units.values()})

    threads = [threading.Thread(target=write, args=(first,)) for first in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(seen) == 400
    assert all(len(versions) == 1 for versions in seen)
    assert {one.unit.version for one in store.read().units.values()} == {400}
