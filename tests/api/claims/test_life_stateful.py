"""Any history of a desk stays legal: recommended, confirmed, overridden, reported, expired.

The operations run on a real store beside a model of dictionaries (`life_model`). Facts of the CAD
displace claims at any moment. `make reliability` takes at least 100,000 steps.
"""

import datetime as dt
import math
from collections import Counter
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from api.claims.claim_rows import end_claim
from api.claims.records import Claim, ClaimState, Overridden
from api.claims.reports import CLOCKS_S_MAX
from api.store.calls import KnownCall
from api.store.tables import audit, claim_units, claims, incidents
from routing.codes import OverrideAction, Status
from tests.api.claims.desk_story import VALID_S, DeskStory, desk_story
from tests.api.claims.life_model import CALLS, UNITS, Model, live_of, states_of
from tests.api.store.engines import DATABASES
from tests.reliability.lengths import length

STEPS = 20
PAIRS = st.tuples(st.sampled_from(["S1", "S2", "S3"]), st.sampled_from(["C1", "C2"]))
STATUSES = st.sampled_from(
    [
        *[Status.AVAILABLE] * 5, Status.DISPATCHED, Status.ENROUTE, Status.ON_SCENE,
        Status.BUSY, Status.OUT_OF_SERVICE, Status.UNKNOWN, Status.TRANSPORTING,
    ]
)  # fmt: skip


class Life(RuleBasedStateMachine):
    """One desk, five units, three calls."""

    kind = "sqlite"
    seen: ClassVar[Counter[str]] = Counter()
    """Steps, and claims by how they ended, of all runs."""

    def __init__(self) -> None:
        super().__init__()
        self.story = desk_story(self.kind, quick=True)
        self.desk: DeskStory = self.story.__enter__()
        self.model = Model()
        self.steps = 0

    def teardown(self) -> None:
        self.story.__exit__(None, None, None)
        self.seen["STEPS"] += self.steps
        self.seen.update(map(str, states_of(self.model).values()))

    @initialize()
    def all_are_on_duty(self) -> None:
        self.desk.units(*UNITS)
        for unit in UNITS:
            self.model.status[unit], self.model.version[unit] = Status.AVAILABLE, 1
            self.model.since[unit] = self.desk.at - dt.timedelta(seconds=CLOCKS_S_MAX)
        self.model.writes = 1

    # -- what a dispatcher does -------------------------------------------------------------------

    @rule(call=st.sampled_from(CALLS), pair=PAIRS, newer=st.booleans(), knows=st.booleans())
    def recommend(self, call: str, pair: tuple[str, str], newer: bool, knows: bool) -> None:
        self._recommend(call, pair, newer, knows)

    def _recommend(self, call: str, pair: tuple[str, ...], newer: bool, knows: bool) -> None:
        version = self.model.calls.get(call, 0) + newer or 1
        versions = {unit: self.model.version[unit] for unit in pair}
        there = set(self.model.on_call(call)) - set(pair) if knows else set[str]()
        self.model.known[call] = there
        made = self.desk.recommend(
            call, *pair, version=version, unit_versions=versions, fixed=sorted(there)
        )
        until = self.desk.at + dt.timedelta(seconds=VALID_S)
        self.model.calls[call] = version
        self.model.newest[call] = made, pair, versions, until
        self._wrote()

    @rule(call=st.sampled_from(CALLS), first=st.integers(0, 5), knows=st.booleans())
    def send(self, call: str, first: int, knows: bool) -> None:
        """Recommend units that are free where there are some, and confirm them at once."""
        free = [unit for unit in UNITS if self._is_free(unit)] or list(UNITS)
        free = [*free[first % len(free) :], *free[: first % len(free)], *UNITS]
        pair = tuple(next(unit for unit in free if unit.startswith(kind)) for kind in "SC")
        self._recommend(call, pair, newer=False, knows=knows)
        self.confirm(call)

    @rule(which=st.integers(0, 5), both=st.booleans())
    def go(self, which: int, both: bool) -> None:
        """The CAD has units of a claim on its call."""
        if not self.model.held:
            return
        held = list(self.model.held.values())[which % len(self.model.held)]
        for unit in held.units[: 1 + both]:
            self.report(unit, Status.DISPATCHED, held.call, 0)

    @rule(which=st.integers(0, 5), police=st.booleans())
    def take(self, which: int, police: bool) -> None:
        """The CAD has a unit of a claim on another call."""
        if not self.model.held:
            return
        held = list(self.model.held.values())[which % len(self.model.held)]
        other = next(call for call in CALLS if call != held.call)
        self.report(held.units[police % len(held.units)], Status.ENROUTE, other, 0)

    @rule(call=st.sampled_from(CALLS))
    def confirm(self, call: str) -> None:
        if call not in self.model.newest:
            return
        name, pair, _, _ = self.model.newest[call]
        known = self._claim_of(name)
        may = known is None and self.model.may_claim(call, self.desk.at, pair)
        found = self.desk.confirm(name)
        if known is not None:
            still = states_of(self.model)[known] in (ClaimState.LIVE, ClaimState.FULFILLED)
            assert isinstance(found, Claim) == still
            return
        assert isinstance(found, Claim) == may, found
        if isinstance(found, Claim):
            self.model.claimed(found)
            self.by_recommendation[name] = found.claim_id
            self._wrote()

    @rule(call=st.sampled_from(CALLS), police=st.sampled_from(["S1", "S2", "S3"]))
    def use_another(self, call: str, police: str) -> None:
        if call not in self.model.newest:
            return
        units = (police, self.model.newest[call][1][1])
        care = {units[1]: self.model.version[units[1]]}
        name, pair, seen, until = self.model.newest[call]
        now = {police: self.model.version[police], **care}
        self.model.newest[call] = name, pair, now, until
        may = self.model.may_claim(call, self.desk.at, units)
        self.model.newest[call] = name, pair, seen, until
        found = self.desk.override(call, OverrideAction.USE_OTHER_UNIT, police)
        assert isinstance(found, Overridden) == may, found
        if isinstance(found, Overridden):
            assert found.claim is not None
            self.model.claimed(found.claim)
            self._wrote()

    @rule(which=st.integers(0, 5))
    def release(self, which: int) -> None:
        if not self.model.held:
            return
        claim_id = list(self.model.held)[which % len(self.model.held)]
        assert isinstance(self.desk.release_id(claim_id), Claim)
        self.model.end(claim_id, ClaimState.RELEASED)
        self._wrote()

    # -- what happens -----------------------------------------------------------------------------

    @rule(which=st.integers(0, 5))
    def nobody_answers(self, which: int) -> None:
        """A claim runs out, to the second."""
        if self.model.held:
            held = list(self.model.held.values())[which % len(self.model.held)]
            self.time_passes(math.ceil((held.until - self.desk.at).total_seconds()))

    @rule(seconds=st.sampled_from([1, 1, 30, 61, 130]))
    def time_passes(self, seconds: int) -> None:
        self.desk.pass_by(seconds)
        due = {name for name, one in self.model.held.items() if one.until <= self.desk.at}
        assert {claim.claim_id for claim in self.desk.expire()} == due
        for name in due:
            self.model.end(name, ClaimState.EXPIRED)
        self._wrote(bool(due))

    @rule(
        unit=st.sampled_from(UNITS),
        status=STATUSES,
        call=st.sampled_from([*CALLS, "Z", None]),
        ago_s=st.sampled_from([0, 0, 0, 45]),
    )
    def report(self, unit: str, status: Status, call: str | None, ago_s: int) -> None:
        at = self.desk.at - dt.timedelta(seconds=ago_s)
        if call is not None and status is Status.AVAILABLE:
            call = None
        applied = self.model.report(unit, status, call, at)
        found = self.desk.report(unit, status, call, ago_s=ago_s)
        assert found.is_applied == applied
        self._wrote()

    @rule(unit=st.sampled_from(UNITS), status=STATUSES)
    def record(self, unit: str, status: Status) -> None:
        version = self.model.version[unit] + 1
        self.desk.units(unit, version=version, status=status, status_since=self.desk.at)
        before, self.model.status[unit] = self.model.status[unit], status
        self.model.version[unit] = version
        self.model.since[unit] = max(self.model.since[unit], self.desk.at)
        if status is not before:
            self.model.follow(unit, status, None)
        self._wrote()

    # -- what must be so after every step ---------------------------------------------------------

    @invariant()
    def all_is_legal(self) -> None:
        self.steps += 1
        with self.desk.database.reading() as connection:
            held = connection.execute(
                select(
                    claims.c.claim_id, claims.c.state, claim_units.c.unit_id, claim_units.c.is_live
                ).join(claim_units)
            ).all()
            calls = connection.execute(select(incidents.c.body)).scalars().all()
            audited = connection.execute(select(func.count()).select_from(audit)).scalar_one()
        live = sorted((unit, name) for name, _, unit, is_live in held if is_live)
        assert len({unit for unit, _ in live}) == len(live), "a unit in two live claims"
        assert all(is_live == (state == "LIVE") for _, state, _, is_live in held), "half a claim"
        assert live == live_of(self.model)
        assert {name: state for name, state, _, _ in held} == states_of(self.model)
        known = [msgspec.json.decode(body, type=KnownCall) for body in calls]
        assert {call.incident_id: call.version for call in known} == self.model.calls
        for call in known:
            there = [unit.unit_id for unit in call.on_call]
            assert there == self.model.on_call(call.incident_id)
        assert audited == self.model.writes, "a write without its audit record, or the reverse"

    # ---------------------------------------------------------------------------------------------

    def _wrote(self, anything: bool = True) -> None:
        self.model.writes += anything

    def _is_free(self, unit: str) -> bool:
        free = self.model.status[unit] is Status.AVAILABLE
        return free and self.model.claim_of(unit) is None

    def _claim_of(self, recommendation_id: str) -> str | None:
        return self.by_recommendation.get(recommendation_id)

    @property
    def by_recommendation(self) -> dict[str, str]:
        return self.__dict__.setdefault("_by_recommendation", {})


def machine(kind: str, **changes: Any) -> type[Life]:
    return type("Life", (Life,), {"kind": kind, "seen": Counter(), **changes})


def budget(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        phases=[Phase.generate],
        derandomize=True,
        deadline=None,
    )


EXAMPLES = {"sqlite": length(150, 7_000), "postgresql": length(4, 300)}
STEPS_MIN = {"sqlite": length(1_500, 100_000), "postgresql": length(30, 3_000)}


@pytest.mark.parametrize("kind", DATABASES)
def test_any_history_of_calls_and_claims_stays_legal(kind: str) -> None:
    made = machine(kind)
    run_state_machine_as_test(made, settings=budget(EXAMPLES[kind]))
    assert made.seen["STEPS"] >= STEPS_MIN[kind]
    if kind == "sqlite":
        assert all(made.seen[state] for state in ClaimState), made.seen


# -- known-bad twins ------------------------------------------------------------------------------


def test_a_release_that_frees_one_half_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def half(tx: Any, claim: Claim, state: ClaimState, **more: Any) -> Claim:
        ended = end_claim(tx, claim, state, **more)
        one = claim_units.c.claim_id == claim.claim_id, claim_units.c.agency == "SPD"
        tx.connection.execute(claim_units.update().where(*one).values(is_live=True))
        return ended

    monkeypatch.setattr("api.claims.ending.end_claim", half)
    _found_wrong(AssertionError)


def test_a_report_that_displaces_nothing_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.claims.facts._displace", lambda *_told: None)
    _found_wrong(AssertionError)


def test_a_write_without_its_audit_record_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.store.writer.append_notes", lambda *_told: None)
    _found_wrong(AssertionError)


def _found_wrong(error: type[Exception]) -> None:
    with pytest.raises(error):
        run_state_machine_as_test(
            machine("sqlite"), settings=settings(budget(200), report_multiple_bugs=False)
        )
