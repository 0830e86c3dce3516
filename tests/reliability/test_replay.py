"""Recommendations recorded over some days, under two policies and two weight sets, decided again.

Known bad twins: each takes one thing away from what was seen, and the replay must name it.
"""

import datetime as dt
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from time import perf_counter

import pytest
from msgspec.structs import replace

from api.recording import keep_records
from api.replay.block import block_of, units_of
from api.replay.differences import Why
from api.replay.keeping import (
    SqlShelf,
    Stretch,
    keep_sources,
    read_record,
)
from api.replay.library import Library, Streets
from api.replay.record import PastKind, SeenRecord, encode
from api.replay.reproduce import Replayed, reproduce
from api.replay.sources import KeptRelease, MemoryShelf
from api.store.database import Database
from geodata.artifacts import save_network
from geodata.network import StreetNetwork
from routing.codes import Eta, Mode, Outcome
from tests.api.replay.recorded import row_of
from tests.api.store.engines import new_location, opened
from tests.reliability.desk import Desk, first_settings, later_settings
from tests.reliability.lengths import IS_LONG, length

RECORDS = length(1_000, 10_000)
GROUP = 50
DOWNTOWN = (-122.3485, 47.594, -122.3255, 47.6195)


def kept(location: str, desks: list[Desk], n: int) -> None:
    """Record n recommendations, half of them before everything changes, and close the store."""
    with opened(location) as (_, writer):
        for desk in desks:
            writer.call(lambda tx, one=desk.sources: keep_sources(tx, one))
            rows = map(row_of, desk.records(n // len(desks)))
            while group := list(islice(rows, GROUP)):
                writer.call(lambda tx, some=group: keep_records(tx, some))


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> list[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    first = first_settings(folder)
    return [
        Desk(one, seed, DOWNTOWN) for seed, one in enumerate((first, later_settings(folder, first)))
    ]


@pytest.fixture(scope="module")
def location(desks: list[Desk]) -> Iterator[str]:
    with new_location("sqlite") as made:
        kept(made, desks, RECORDS)
        yield made


@pytest.fixture(scope="module")
def after_restart(location: str) -> Iterator[tuple[Database, Library]]:
    """Nothing but the file and the streets, as a new process has them."""
    database = Database(location)
    yield database, Library(SqlShelf(database), Streets.loaded(None))
    database.close()


@pytest.fixture(scope="module")
def records(after_restart: tuple[Database, Library]) -> list[SeenRecord]:
    database, _ = after_restart
    with database.reading() as connection:
        return [read_record(connection, one) for one in Stretch(None, None).ids(database)]


@pytest.fixture(scope="module")
def replayed(records: list[SeenRecord], after_restart: tuple[Database, Library]) -> list[Replayed]:
    return [reproduce(record, after_restart[1]) for record in records]


def test_all_are_identical_after_a_restart_and_other_policies_and_weights(
    records: list[SeenRecord], replayed: list[Replayed]
) -> None:
    assert len(records) == RECORDS
    assert [one.differences for one in replayed if not one.identical] == []
    cut = {one.recommendation_id for one in records if one.batch and one.batch.cut_short}
    assert {one.recommendation_id for one in replayed if one.verified} == cut != set()


def test_a_process_in_which_sets_have_another_order_says_the_same(location: str) -> None:
    command = [sys.executable, "-c", "from api.cli import main; main()"]
    done = subprocess.run(
        [*command, "replay", "--all", "--store", location],
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        timeout=1_800,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{RECORDS:,} replayed" in done.stdout
    assert "0 different" in done.stdout


def test_what_was_recorded_has_everything_in_it(records: list[SeenRecord]) -> None:
    told = [json.loads(one.answer) for one in records]
    assert {one["outcome"] for one in told} == set(Outcome)
    modes = {one["mode"] for one in told}
    assert modes >= {Mode.DUAL, Mode.SOLO, Mode.CARE_ONLY_ADD, Mode.SPD_ADD, Mode.REFER, None}
    kinds = Counter(past.kind for one in records for past in one.pasts)
    assert {*kinds} >= {PastKind.NONE, PastKind.KNOWN, PastKind.NEWER, PastKind.LOST}
    rungs = {one.versions.rung for one in records}
    assert rungs == {Eta.ROAD, Eta.STRAIGHT_LINE, Eta.BEAT_ORDER}
    assert len({one.versions.release for one in records}) == 2
    assert len({one.versions.weights_id for one in records}) == 4
    words = [b'"safety_changed":{', b'"route":{"type"', b'"rules":["CLAIMED"', b'"held_for":"']
    assert [sum(word in one.answer for one in records) > 0 for word in words] == [True] * 4
    pasts = [one.pasts[0].known for one in records if not one.batch]
    assert sum(known is not None and known.held_since is not None for known in pasts) > 20


# -- known bad twins ------------------------------------------------------------------------------


def share_noticed(records: list[SeenRecord], library: Library) -> float:
    """Return the share of damaged records that are not called identical."""
    assert len(records) > 5, "too few to say"
    return sum(not reproduce(one, library).identical for one in records) / len(records)


def on_roster(records: list[SeenRecord]) -> list[SeenRecord]:
    """Return some that rest on the roster, on the policy and on routine drive times."""
    return [one for one in records if one.units and b'"mode":"DUAL"' in one.answer][:100]


@pytest.mark.parametrize(
    ("column", "noticed"),
    [("lon", 0.9), ("status", 0.9), ("crew_count", 0.3), ("fixed_at_s", 0.9), ("claimed", 0.02)],
)
def test_a_block_that_loses_a_column_is_noticed(
    records: list[SeenRecord],
    after_restart: tuple[Database, Library],
    column: str,
    noticed: float,
) -> None:
    def without(record: SeenRecord) -> SeenRecord:
        units = units_of(record.units)
        values = getattr(units, column).copy()
        values[:] = values[0]
        parts = {name: getattr(units, name) for name in units.__slots__ if name[0] != "_"}
        return replace(record, units=block_of(type(units)(**parts | {column: values})))

    assert share_noticed([*map(without, on_roster(records))], after_restart[1]) > noticed


def test_a_record_without_held_since_is_noticed(
    records: list[SeenRecord], after_restart: tuple[Database, Library]
) -> None:
    def without(record: SeenRecord) -> SeenRecord:
        known = record.pasts[0].known
        assert known is not None
        past = replace(record.pasts[0], known=replace(known, held_since=None))
        return replace(record, pasts=(past,))

    held = [
        one
        for one in records
        if b'"outcome":"HOLD"' in one.answer
        and one.batch is None
        and one.pasts[0].kind is PastKind.KNOWN
        and one.pasts[0].known
        and one.pasts[0].known.held_since
    ]
    assert share_noticed([*map(without, held)], after_restart[1]) == 1.0


class LivePolicy(MemoryShelf):
    """Yields the release of today, whatever is asked for, under the name that is asked for."""

    def release(self, key: str) -> KeptRelease | None:
        class Renamed(KeptRelease):
            @property
            def key(self) -> str:
                return key

        today = list(self.releases.values())[-1]
        return Renamed(**{name: getattr(today, name) for name in today.__struct_fields__})


def test_the_policy_of_today_in_place_of_the_recorded_one_is_noticed(
    records: list[SeenRecord], desks: list[Desk], after_restart: tuple[Database, Library]
) -> None:
    shelf = LivePolicy(*[desk.sources for desk in desks])
    library = Library(shelf, after_restart[1].streets)
    old = [one for one in on_roster(records) if one.versions.release_id == "pilot-2023-10"]
    assert share_noticed(old, library) > 0.9
    later = [one for one in records if one.versions.release_id != "pilot-2023-10"][:50]
    assert all(reproduce(one, library).identical for one in later)


def test_other_weights_in_place_of_the_recorded_ones_are_noticed(
    records: list[SeenRecord], after_restart: tuple[Database, Library]
) -> None:
    ids = sorted({one.versions.weights_id for one in records})
    others = dict(zip(ids, ids[1:] + ids[:1], strict=True))
    by_street = [one for one in on_roster(records) if b'"eta":"ROAD"' in one.answer]
    changed = [
        replace(one, versions=replace(one.versions, weights_id=others[one.versions.weights_id]))
        for one in by_street
    ]
    assert share_noticed(changed, after_restart[1]) > 0.95


def test_a_recorded_choice_with_a_unit_on_two_calls_is_unsound(
    records: list[SeenRecord], after_restart: tuple[Database, Library]
) -> None:
    cut = next(
        one
        for one in records
        if one.batch and one.batch.cut_short and len({*one.batch.spd} - {-1}) > 1
    )
    assert cut.batch is not None
    twice = tuple(max(cut.batch.spd) if unit != -1 else -1 for unit in cut.batch.spd)
    bad = replace(cut, batch=replace(cut.batch, spd=twice))
    assert [one.why for one in reproduce(bad, after_restart[1]).differences] == [Why.UNSOUND]


# -- the whole city, when asked for ---------------------------------------------------------------


@pytest.mark.skipif(not IS_LONG, reason="TANDEM_RELIABILITY=long replays the whole city")
def test_ten_thousand_on_the_streets_of_the_city(
    seattle: StreetNetwork, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_network(seattle, tmp_path / "seattle")
    first = first_settings(tmp_path, tmp_path / "seattle")
    settings = (first, later_settings(tmp_path, first))
    with new_location("sqlite") as location:
        kept(location, [Desk(one, seed, DOWNTOWN) for seed, one in enumerate(settings)], RECORDS)
        database = Database(location)
        library = Library(SqlShelf(database), Streets.loaded(tmp_path / "seattle"))
        begun, sizes, different = perf_counter(), [], []
        for name in Stretch(None, dt.datetime(2100, 1, 1, tzinfo=dt.UTC)).ids(database):
            with database.reading() as connection:
                record = read_record(connection, name)
            sizes.append(
                (len(encode(replace(record, answer=b""))), len(record.units), len(record.answer))
            )
            replayed = reproduce(record, library)
            different += [] if replayed.identical else [replayed]
        database.close()
        took_s, middle = perf_counter() - begun, len(sizes) // 2
        medians = [sorted(column)[middle] for column in zip(*sizes, strict=True)]
        with capsys.disabled():
            sys.stdout.write(
                f"\n{len(sizes)} replayed in {took_s:.1f} s; median bytes of seen, its units and "
                f"the answer {medians}, largest seen {max(size for size, _, _ in sizes)}\n"
            )
    assert (len(sizes), different) == (RECORDS, [])
