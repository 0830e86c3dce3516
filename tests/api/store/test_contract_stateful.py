"""Any writes in any order: each engine keeps what a model of a dozen lines keeps."""

from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from api.errors import RosterFull
from api.store.contract import RosterStore
from api.store.records import StoredFix, StoredUnit
from routing.codes import Status
from routing.roster import UnitId
from tests.api.store.engines import ENGINES
from tests.api.store.test_contract import change, fix, unit

UNITS_MAX = 4
NAMES = st.sampled_from("ABCDEF")
RECORDS = st.builds(
    lambda name, version, status: unit(name, version, status=status),
    NAMES,
    st.one_of(st.none(), st.integers(0, 4)),
    st.sampled_from([Status.AVAILABLE, Status.BUSY]),
)
FIXES = st.builds(
    fix, st.one_of(st.none(), st.integers(0, 5)), st.sampled_from([47.60, 47.61, 47.62])
)


def made_s(one: StoredFix) -> float:
    return 0.0 if one.fixed_at is None else one.fixed_at.timestamp()


def machine(make: Any, *, forgets_order: bool = False) -> type[RuleBasedStateMachine]:
    """Return the machine of an engine; the known-bad twin's model forgets what is older."""

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.store: RosterStore = make(UNITS_MAX)
            self.records: dict[str, StoredUnit] = {}
            self.fixes: dict[str, StoredFix] = {}
            self.version = 0

        @rule(
            records=st.lists(RECORDS, max_size=3, unique_by=lambda one: one.unit_id),
            fixes=st.dictionaries(NAMES, FIXES, max_size=3),
            removed=st.sets(NAMES, max_size=2),
        )
        def write(
            self, records: list[StoredUnit], fixes: dict[str, StoredFix], removed: set[str]
        ) -> None:
            removed -= {*fixes, *(record.unit_id for record in records)}
            told, moved = dict(self.records), dict(self.fixes)
            for record in records:
                kept = told.get(record.unit_id)
                both = kept and record.version is not None and kept.version is not None
                if not both or forgets_order or record.version >= kept.version:
                    told[record.unit_id] = record
            for name, to in fixes.items():
                before = moved.get(name)
                newer = before is None or made_s(to) >= made_s(before)
                if name in told and (newer or forgets_order):
                    moved[name] = to
            told = {name: one for name, one in told.items() if name not in removed}
            moved = {name: to for name, to in moved.items() if name in told}
            try:
                written = self.store.write(change(*records, removed=" ".join(removed), **fixes))
            except RosterFull:
                assert len(told) > UNITS_MAX
                return
            assert len(told) <= UNITS_MAX
            self.note(told, moved, written.version)

        def note(self, told: Any, moved: Any, version: int) -> None:
            touched = (told, moved) != (self.records, self.fixes)
            self.records, self.fixes = told, moved
            assert version == self.version + touched
            self.version = version

        @invariant()
        def the_store_has_what_the_model_has(self) -> None:
            read = self.store.read()
            assert list(read.units) == sorted(self.records)
            for name, told in self.records.items():
                assert read.units[UnitId(name)].unit == told
                assert read.units[UnitId(name)].fix == self.fixes.get(name)
            assert read.version == self.version

    return Machine


BUDGET = settings(max_examples=60, stateful_step_count=15, phases=[Phase.generate])


@pytest.mark.parametrize("engine", ENGINES)
def test_any_writes_keep_what_the_model_keeps(engine: str) -> None:
    run_state_machine_as_test(machine(ENGINES[engine]), settings=BUDGET)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_store_that_lets_older_replace_newer_would_be_found(engine: str) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            machine(ENGINES[engine], forgets_order=True),
            settings=settings(BUDGET, report_multiple_bugs=False),
        )
