"""What is shown in memory is what the store holds, whatever was lost between the two."""

from collections.abc import Callable, Collection, Iterator

import pytest

from api.errors import StoreUnavailable
from api.live_roster import LiveRoster
from api.live_view import LiveView
from api.mirrors import RosterMirror
from api.store.changes import changes_after
from api.store.contract import RosterChange, RosterRead
from api.store.database import Database
from api.store.memory import MemoryRoster
from api.store.records import StoredFix, StoredUnit
from api.store.sql_roster import SqlRoster
from api.store.writer import Writer
from routing.codes import Agency, Status
from routing.roster import UnitId
from tests.api.store.engines import INSTANCE, opened
from tests.api.story import LAT, LON, NOW

UNIT = UnitId("C1")


class Cut(SqlRoster):
    """Cannot be read for a while: what it takes is kept, and nobody hears of it."""

    is_cut = False

    def read(self, unit_ids: Collection[str] | None = None) -> RosterRead:
        if self.is_cut and unit_ids is not None:
            raise StoreUnavailable("away", remedy="wait")
        return super().read(unit_ids)


@pytest.fixture
def store() -> Iterator[tuple[Database, Writer]]:
    with opened(":memory:") as made:
        yield made


def on_duty(status: Status = Status.AVAILABLE) -> RosterChange:
    unit = StoredUnit(unit_id=UNIT, agency=Agency.CARE, received_at=NOW, status=status)
    return RosterChange(at=NOW, units=(unit,))


def moved() -> RosterChange:
    fix = StoredFix(lon=LON, lat=LAT, fixed_at=NOW, received_at=NOW)
    return RosterChange(at=NOW, fixes={UNIT: fix})


def telling(change: RosterChange) -> Callable[[RosterRead, LiveView], RosterChange]:
    return lambda _read, _view: change


def shown(live: LiveRoster) -> list[str]:
    return list(live.view.on_duty.roster.unit_id)


def test_a_write_that_was_kept_and_not_shown_is_shown_by_who_follows_the_feed(
    view: LiveView, store: tuple[Database, Writer]
) -> None:
    database, writer = store
    live = LiveRoster(cut := Cut(database, writer), view)
    mirror, seen = RosterMirror(live, INSTANCE, lambda: NOW), 0
    cut.is_cut = True
    with pytest.raises(StoreUnavailable):
        live.write(telling(on_duty()))
    assert shown(live) == []
    cut.is_cut = False
    with database.reading() as connection:
        told = changes_after(connection, seen)
    mirror.follow(told)
    assert shown(live) == [UNIT]


def test_a_write_that_is_shown_is_not_read_again(
    view: LiveView, store: tuple[Database, Writer]
) -> None:
    database, writer = store
    live = LiveRoster(SqlRoster(database, writer), view)
    live.write(telling(on_duty()))
    before = live.view
    with database.reading() as connection:
        told = changes_after(connection, 0)
    RosterMirror(live, INSTANCE, lambda: NOW).follow(told)
    assert live.view is before
    RosterMirror(live, "another", lambda: NOW).follow(told)
    assert live.view is not before


def test_a_move_of_a_unit_that_another_instance_has_just_added_is_shown(view: LiveView) -> None:
    store = MemoryRoster()
    ours, theirs = LiveRoster(store, view), LiveRoster(store, view)
    theirs.write(telling(on_duty()))
    ours.write(telling(moved()), [UNIT])
    roster = ours.view.on_duty.roster
    assert (shown(ours), float(roster.lat[0])) == ([UNIT], LAT)


def test_a_unit_that_is_not_shown_yet_may_be_taken_off(view: LiveView) -> None:
    store = MemoryRoster()
    ours, theirs = LiveRoster(store, view), LiveRoster(store, view)
    theirs.write(telling(on_duty()))
    ours.write(telling(RosterChange(at=NOW, removed=frozenset({UNIT}))), [UNIT])
    assert shown(ours) == []
