"""The kernels over all units say what the plain columns say, bit for bit."""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from routing import arrivals, candidates_kernel, placement, roster
from routing.arrivals import Terms, find_target, gather
from routing.candidates_kernel import nearest_rows, survey, tally
from routing.codes import Agency, Mode, Status, UnitRule
from routing.eligibility import SHIFT_ENDING
from routing.model import Fix, Location, Unit, UnitId
from routing.policy import DUAL_RULES, PILOT, Policy, Requirement
from routing.roster import AGENCIES
from tests.routing.plain_columns import plain_arrivals, plain_rules
from tests.routing.situations import NOON, city, situation

SKILLS = ("CIT", "MEDIC", "SPANISH")


def seeded_unit(rng: np.random.Generator, i: int) -> Unit:
    """Return a unit that may break any rule, lack a fix, or stand too far from any street."""
    west, south, east, north = city().network.bounds
    lon, lat = rng.uniform((west - 0.006, south - 0.006), (east + 0.006, north + 0.006)).tolist()
    crew = (None, 1, 2, 3)[int(rng.integers(4))]
    ends_s = int(rng.integers(1700, 1900))  # the guard is 1800 s
    return Unit(
        unit_id=UnitId(f"U{i:04d}"),
        agency=AGENCIES[int(rng.random() < 0.7)],
        crew_count=crew,
        skills=frozenset(skill for skill in SKILLS if rng.random() < 0.6),
        status=Status.AVAILABLE if rng.random() < 0.6 else tuple(Status)[int(rng.integers(11))],
        available_since=NOON - timedelta(minutes=int(rng.integers(3))),
        shift_end=None if rng.random() < 0.2 else NOON + timedelta(seconds=ends_s),
        claimed=bool(rng.random() < 0.1),
        position=None if rng.random() < 0.1 else Fix(lon=lon, lat=lat),
    )


def wanting(care: Requirement, spd: Requirement) -> Policy:
    rules = replace(DUAL_RULES, requirements=MappingProxyType({Agency.CARE: care, Agency.SPD: spd}))
    return replace(PILOT, modes=MappingProxyType({Mode.DUAL: rules}))


POLICIES = (
    PILOT,
    wanting(
        Requirement(min_crew=1, required_skills=frozenset({"CIT"})),
        Requirement(min_crew=3, required_skills=frozenset({"CIT", "SPANISH"})),
    ),
    replace(PILOT, snap=replace(PILOT.snap, refuse_m=100.0), turnout_care_s=0),
)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("changes", [{}, {"travel_times": None}])
@pytest.mark.parametrize("beyond", [0.0, 0.02])
def test_arrivals_and_rules_of_all_units_are_those_of_the_plain_columns(
    policy: Policy, changes: dict[str, Any], beyond: float
) -> None:
    rng = np.random.default_rng(51)
    now = situation([seeded_unit(rng, i) for i in range(400)], policy=policy, **changes)
    west, south, _, _ = now.network.bounds
    target = find_target(now, Location(lon=west - beyond, lat=south + 0.001), policy)
    rules = policy.modes[Mode.DUAL]
    terms = Terms(policy=policy, decided_at=NOON, rules=rules)
    muster = gather(now, (now.roster, now.placement), target, terms)
    arrive_s, by_line, turnout_s = plain_arrivals(now, target, policy)
    bits = plain_rules(now.roster, policy, rules, arrive_s, NOON.timestamp())
    assert np.array_equal(arrive_s, muster.arrive_s)
    assert np.array_equal(bits, muster.broken)
    assert np.array_equal(by_line, muster.by_line)
    assert turnout_s.tolist() == [muster.turnout_s(row) for row in range(len(now.roster))]
    assert target.on_street == (beyond == 0 and not changes)
    assert by_line.any()
    assert len(set(bits.tolist())) > 10


def test_a_unit_without_a_way_never_arrives() -> None:
    kinds = np.zeros(3, np.int8)
    arrive_s, bits, _ = survey(
        np.array([2**30 - 1, 2**30 - 2, 1_499], np.int32),
        (kinds, np.zeros(3), np.zeros(3), np.zeros(3)),
        (kinds, kinds + 1, np.full(3, 2, np.int32), kinds > 0, np.full(3, 9e9), kinds.astype(int)),
        (-122.0, 47.0, 75_000.0, 111_000.0),
        (350.0, 100.0, 0, 60_001, 0.0),
        ((60, 2, 0), (20, 1, 0)),
    )
    assert arrive_s.tolist() == [2**31, 60 + 1_073_802, 122]  # 121.5 s is rounded up
    assert bits.tolist() == [UnitRule.NOT_REACHABLE, 0, 0]


def test_the_constants_are_those_of_the_words_they_stand_for() -> None:
    kernel = candidates_kernel
    for name in ("CLAIMED", "CREW_BELOW_MINIMUM", "CREW_UNKNOWN", "SKILL_MISSING"):
        assert getattr(kernel, name) == UnitRule[name]
    for name in ("SHIFT_ENDING", "STATUS_NOT_AVAILABLE", "NOT_REACHABLE"):
        assert getattr(kernel, name) == UnitRule[name]
    assert [1 << k for k in range(kernel.N_RULES)] == [int(rule) for rule in UnitRule]
    assert (kernel.AVAILABLE, kernel.CREW_NOT_TOLD) == (roster.AVAILABLE, roster.CREW_UNKNOWN)
    assert (kernel.NOWHERE, kernel.NEVER_S) == (placement.NOWHERE, arrivals.NEVER_S)


Units = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int8], NDArray[np.int32]]


def seeded_columns(rng: np.random.Generator, n: int) -> Units:
    """Return arrival, available since, agency and bits with many ties and unknowns."""
    since = rng.integers(0, 3, n).astype(np.float64)
    since[rng.random(n) < 0.3] = np.nan
    bits = rng.choice([0, 0, SHIFT_ENDING, 4], n).astype(np.int32)
    return rng.integers(0, 6, n), since, rng.integers(0, 2, n).astype(np.int8), bits


@pytest.mark.parametrize("wanted", [(-1, 0), (-1, SHIFT_ENDING), (0, 0)])
def test_the_nearest_rows_are_the_first_of_all_sorted(wanted: tuple[int, int]) -> None:
    rng, (mask, value) = np.random.default_rng(52), wanted
    for n in (*range(12), 60, 500):
        arrive_s, since, agency, bits = seeded_columns(rng, n)
        for kind in (roster.CARE, roster.SPD):
            rows = np.flatnonzero((agency == kind) & (bits & mask == value))
            ordered = rows[np.lexsort((since[rows], arrive_s[rows]))]
            for most in (0, 1, 5, 700):
                found, n_all = nearest_rows(arrive_s, since, agency, bits, kind, mask, value, most)
                assert (found.tolist(), n_all) == (ordered[:most].tolist(), len(rows))


def test_units_are_counted_by_kind_and_by_every_rule_they_break() -> None:
    rng, kernel_rules = np.random.default_rng(53), candidates_kernel.N_RULES
    agency, bits = (
        rng.integers(0, 2, 300).astype(np.int8),
        rng.integers(0, 2**kernel_rules, 300).astype(np.int32),
    )
    bits[::7] = 0
    for kind, counts in enumerate(tally(bits, agency).tolist()):
        own = bits[agency == kind]
        per_rule = [int((own & rule != 0).sum()) for rule in UnitRule]
        assert counts == [len(own), int((own == 0).sum()), *per_rule]
