"""Every rule of the domain has a test that is named after it, and wrong code that it notices.

The checks are calls of the scenario book, whose answers were reasoned from the rules. Each runs on
the code as it is and on mutants that break the rule (`rule_mutants`), which must be noticed.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api.live_view import LiveView, load_view
from api.settings import Settings
from tests.mutants import Check, Code, Mutant, NotNoticed, bites
from tests.rule_mutants import MUTANTS

TESTS = Path(__file__).resolve().parent
RULES = {
    1: "gates, and what each mode asks for",
    2: "screening is explicit",
    3: "DUAL names both units or neither",
    4: "dispatch is simultaneous, staging changes the approach",
    5: "release of police after SCENE_SAFE",
    6: "HOLD never delays a response that exists today",
    7: "a unit qualifies",
    8: "police have other work",
    9: "one call: the best pair, stable and repeatable",
    10: "several pending calls",
    11: "the CAD is the master of status and assignment",
    12: "it always answers",
    13: "it explains itself",
    14: "updates",
    15: "zones",
    16: "a release is one immutable bundle",
    17: "identity, privacy and operators",
}
PENDING: frozenset[int] = frozenset()
"""Rules whose code is still to come, wholly or for the most part. Whoever adds it takes the rule
off, writes `test_rule_N_...` and at least one mutant."""
SAFETY_CRITICAL = {1, 2, 3, 4, 6, 7, 8, 9}
MUTANTS_MIN = 3

Noticed = Callable[[tuple[Mutant, str]], None]


@pytest.fixture(scope="module")
def streets() -> LiveView:
    return load_view(Settings(network=None, zones=None, driving=None), lambda _stage: None)


@pytest.fixture
def noticed(streets: LiveView) -> Noticed:
    """Assert that a mutant is noticed by what passes without it: a call of the book or a test."""

    def notice(wrong: tuple[Mutant, str]) -> None:
        mutant, by = wrong
        bites(mutant, passing(by) if ":" in by else answered_as_expected(streets, by))

    return notice


def answered_as_expected(view: LiveView, clock: str) -> Check:
    def check(code: Code) -> None:
        book = code("api.scenarios.book")
        scenario = book.find_scenario(clock, book.read_book())
        found = book.run_scenario(with_policy(view, code), scenario).differences
        assert found == ()

    return check


def passing(test: str) -> Check:
    """Return the check that a test makes; it has no parameters."""
    module, _, name = test.partition(":")
    return lambda code: getattr(code(module), name)()


def with_policy(view: LiveView, code: Code) -> LiveView:
    """Return a view with the pilot's policy made of this code, so that a mutant's own is used."""
    pilot = code("routing.policy").PILOT
    return replace(view, by_hour=view.by_hour.changed(lambda one: replace(one, policy=pilot)))


def breaking(rule: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("wrong", MUTANTS[rule], ids=lambda one: f"{one[1][:4]} {one[0]}")


@breaking(1)
def test_rule_1_gates_hours_roles_and_officer_safety(wrong, noticed):
    noticed(wrong)


@breaking(2)
def test_rule_2_every_answer_of_the_screening_counts(wrong, noticed):
    noticed(wrong)


@breaking(3)
def test_rule_3_both_units_or_neither_and_those_on_the_call_are_fixed(wrong, noticed):
    noticed(wrong)


@breaking(4)
def test_rule_4_care_stages_until_the_scene_is_safe(wrong, noticed):
    noticed(wrong)


@breaking(6)
def test_rule_6_hold_sends_what_there_is_and_escalates(wrong, noticed):
    noticed(wrong)


@breaking(7)
def test_rule_7_who_qualifies_and_where_they_are(wrong, noticed):
    noticed(wrong)


@breaking(8)
def test_rule_8_other_police_work_reserve_scope_and_skills(wrong, noticed):
    noticed(wrong)


@breaking(9)
def test_rule_9_first_to_arrive_longest_available_unit_id_and_kept(wrong, noticed):
    noticed(wrong)


@breaking(10)
def test_rule_10_several_calls_are_solved_together(wrong, noticed):
    noticed(wrong)


@breaking(5)
def test_rule_5_the_interlock_advises_and_alerts(wrong, noticed):
    noticed(wrong)


@breaking(11)
def test_rule_11_the_cad_is_the_master_and_its_reports_are_facts(wrong, noticed):
    noticed(wrong)


@breaking(12)
def test_rule_12_every_rung_answers_and_bad_entries_are_named(wrong, noticed):
    noticed(wrong)


@breaking(13)
def test_rule_13_each_unit_is_explained(wrong, noticed):
    noticed(wrong)


@breaking(14)
def test_rule_14_what_an_update_revokes(wrong, noticed):
    noticed(wrong)


@breaking(15)
def test_rule_15_precedence_and_edges_of_zones(wrong, noticed):
    noticed(wrong)


@breaking(16)
def test_rule_16_a_release_is_whole_sealed_and_named(wrong, noticed):
    noticed(wrong)


@breaking(17)
def test_rule_17_a_unit_is_its_duty_period_and_not_its_call_sign(wrong, noticed):
    noticed(wrong)


@pytest.mark.parametrize("clock", ["1104", "1240", "1400", "1500", "1512", "1623", "1930", "1931"])
def test_a_kernel_run_as_plain_python_answers_as_the_compiled_one(clock, noticed):
    same = Mutant(
        module="routing.candidates_kernel", old="import math\n", new="import math  # same\n"
    )
    with pytest.raises(NotNoticed):
        noticed((same, clock))


# -- every rule is covered ------------------------------------------------------------------------


def rules_tested(source: str) -> set[int]:
    """Return the rules that functions of a test module are named after."""
    names = (n.name for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef))
    return {int(found[1]) for name in names if (found := re.match(r"test_rule_(\d+)_", name))}


def all_rules_tested() -> Iterator[int]:
    for file in TESTS.rglob("test_*.py"):
        yield from rules_tested(file.read_text(encoding="utf-8"))


def complaints(tested: set[int], mutants: dict[int, int], pending: set[int]) -> list[str]:
    """Return what is missing; `mutants` counts them by rule."""
    found = [f"no test_rule_{n}_..." for n in RULES.keys() - tested - pending]
    found += [f"rule {n} has no mutant" for n in RULES.keys() - pending if not mutants.get(n)]
    few = (n for n in SAFETY_CRITICAL - pending if 0 < mutants.get(n, 0) < MUTANTS_MIN)
    found += [f"rule {n} has fewer than {MUTANTS_MIN} mutants" for n in few]
    found += [f"rule {n} is tested: take it off PENDING" for n in pending & tested]
    return sorted(found + [f"there is no rule {n}" for n in tested - RULES.keys()])


def test_every_rule_has_a_test_and_a_mutant_or_is_still_to_come() -> None:
    counts = {rule: len(wrong) for rule, wrong in MUTANTS.items()}
    assert complaints(set(all_rules_tested()), counts, PENDING) == []


@pytest.mark.parametrize(
    ("tested", "mutants", "pending", "said"),
    [(set(RULES) - {7}, {}, set(), "no test_rule_7_..."),
     (set(RULES), {15: 1}, set(), "rule 7 has no mutant"),
     (set(RULES), {7: 2}, set(), "rule 7 has fewer than 3 mutants"),
     (set(RULES), {}, {7}, "rule 7 is tested: take it off PENDING"),
     ({18}, {}, set(), "there is no rule 18")],
)  # fmt: skip
def test_a_rule_that_is_not_covered_is_found(tested, mutants, pending, said):
    assert said in complaints(tested, mutants, pending)


def test_rules_are_read_from_the_names_of_tests() -> None:
    source = "def test_rule_4_x(): pass\ndef rule_5_x(): pass\nclass A:\n  def test_rule_17_y(s): 1"
    assert rules_tested(source) == {4, 17}
