"""A roster changed piece by piece equals one made afresh, in every column and every drive time."""

from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np
import pytest

from routing.live import with_moves, with_roster, with_travel_times, with_units, with_weights
from routing.model import Fix, Situation, Status, Unit, unit_columns
from routing.roster_change import Rows
from tests.routing.situations import HOMES, fix, situation, unit
from tests.routing.test_live import first_situation, grid, seeded_weights


def columns(made: Situation) -> Iterator[tuple[str, object]]:
    """Yield every column of a situation's roster, placement and labels with its name."""
    assert made.placement.labels is not None
    holders = (made.roster, made.placement, made.placement.positions, made.placement.labels)
    for holder in holders:
        for field in fields(holder):
            value = getattr(holder, field.name)
            if isinstance(value, tuple | np.ndarray):
                yield f"{type(holder).__name__}.{field.name}", value


def differences(one: Situation, other: Situation) -> list[str]:
    """Return the names of the columns in which two situations differ, to the last bit."""
    return [
        name
        for (name, a), (_, b) in zip(columns(one), columns(other), strict=True)
        if not equal(a, b)
    ]


def equal(one: object, other: object) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    if not isinstance(one, np.ndarray) or not isinstance(other, np.ndarray):
        return bool(one == other)
    reals = one.dtype.kind == "f"
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=reals)


def random_unit(rng: np.random.Generator, name: str) -> Unit:
    """Return a unit with a fix, at its post, in its beat, or nowhere."""
    kind = int(rng.integers(4))
    at = None if kind else fix(str(rng.choice(["AB", "GH", "NO", "CH"])), float(rng.random()))
    home = {1: {"home_post": "HQ"}, 2: {"home_beat": "M1"}}.get(kind, {})
    status = Status.AVAILABLE if rng.random() < 0.5 else Status.BUSY
    return unit(name, at, status=status, version=int(rng.integers(99)), **home)


@pytest.mark.parametrize("seed", range(12))
def test_any_changes_in_a_row_equal_a_fresh_roster(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kept: dict[str, Unit] = {}
    live = situation([], homes=HOMES)
    for _ in range(25):
        names = [f"{'CS'[int(rng.integers(2))]}{i}" for i in rng.integers(0, 12, rng.integers(5))]
        changed = {name: random_unit(rng, name) for name in names}
        removed = [name for name in kept if name not in changed and rng.random() < 0.15]
        live = with_units(live, unit_columns(changed.values()), removed)
        kept = {name: u for name, u in kept.items() if name not in removed} | changed
        moved = {name: fix("BG", float(rng.random())) for name in kept if rng.random() < 0.3}
        kept |= {name: replace(kept[name], position=to) for name, to in moved.items()}
        live = with_moves(live, *rows_and_fixes(live, moved))
        assert differences(live, with_roster(live, unit_columns(kept.values()))) == []


def rows_and_fixes(live: Situation, moved: dict[str, Fix]) -> tuple[Rows, list[Fix]]:
    names = sorted(moved)
    rows = np.array([live.roster.row_of(name) for name in names], np.intp)
    return rows, [moved[name] for name in names]


def test_a_difference_would_be_found() -> None:
    one = situation([unit("S1"), unit("C1", "GH")])
    other = situation([unit("S1"), unit("C1", "HI", version=2)])
    expected = {"UnitColumns.version", "UnitColumns.lon", "Positions.street", "UnitLabels.rows"}
    assert expected <= set(differences(one, other))


def test_a_change_leaves_the_situation_before_as_it_was() -> None:
    before = situation([unit("S1"), unit("S2", "GH")])
    copy = situation([unit("S1"), unit("S2", "GH")])
    after = with_moves(before, np.array([1]), [fix("NO")])
    after = with_units(after, unit_columns([unit("S3")]), ["S1"])
    assert differences(before, copy) == []
    assert after.roster.unit_id == ("S2", "S3")
    with pytest.raises(ValueError, match="read-only"):
        after.roster.lon[0] = 0.0
    assert after.placement.labels is not None
    with pytest.raises(ValueError, match="read-only"):
        after.placement.labels.rows[0, 0] = 0


def test_no_moves_and_no_changes_are_nothing() -> None:
    before = situation([unit("S1")])
    assert with_moves(before, np.empty(0, np.intp), []) is before
    assert differences(with_units(before, unit_columns(())), before) == []


def test_the_last_unit_may_go() -> None:
    empty = with_units(situation([unit("S1")]), unit_columns(()), ["S1"])
    assert differences(empty, situation([])) == []


def test_other_weights_of_the_same_units_get_labels_of_their_own() -> None:
    before = first_situation(grid(6))
    other = with_weights(before, seeded_weights(before.network, 1))
    assert other.travel_times is not None
    again = with_travel_times(before, other.travel_times)
    assert differences(again, other) == []
    assert again.placement.labels is not None
    assert again.placement.labels.weights_id == other.travel_times.weights_id
    assert "UnitLabels.rows" in differences(again, before)


def test_moves_with_labels_of_other_weights_are_refused() -> None:
    """The known-bad twin: units moved under new weights beside labels of the old ones."""
    before = first_situation(grid(6))
    other = with_weights(before, seeded_weights(before.network, 1))
    torn = replace(before, travel_times=other.travel_times)
    west, south, _, _ = before.network.bounds
    with pytest.raises(AssertionError, match="other weights"):
        with_moves(torn, np.array([0]), [Fix(lon=west, lat=south)])
