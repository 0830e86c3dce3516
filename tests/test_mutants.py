"""The harness itself: a check that is blind is found, and nothing of a mutant stays behind."""

import importlib
import sys

import pytest

from tests.mutants import PACKAGES, Code, Mutant, NotNoticed, bites, dependents, installed

GUARD = Mutant(
    module="routing.eligibility",
    old="SHIFT_ENDING: Final = int(UnitRule.SHIFT_ENDING)",
    new="SHIFT_ENDING: Final = 0",
)


def test_a_check_that_looks_at_nothing_is_found() -> None:
    with pytest.raises(NotNoticed, match="eligibility"):
        bites(GUARD, lambda _code: None)


def test_a_check_that_fails_on_the_real_code_is_no_check() -> None:
    def impossible(_code: Code) -> None:
        raise RuntimeError("always")

    with pytest.raises(RuntimeError, match="always"):
        bites(GUARD, impossible)


def test_a_mutant_that_merely_crashes_proves_nothing() -> None:
    broken = Mutant(module=GUARD.module, old=GUARD.old, new="SHIFT_ENDING = no_such_name")
    with pytest.raises(NameError):
        bites(broken, lambda code: code("routing.halves"))


@pytest.mark.parametrize("old", ["no such text", "roster"])
def test_a_text_that_does_not_occur_exactly_once_is_refused(old: str) -> None:
    with pytest.raises(AssertionError, match="expected once"):
        bites(Mutant(module="routing.eligibility", old=old, new=""), lambda _code: None)


def test_a_mutant_reaches_whoever_imports_it_and_is_gone_afterwards() -> None:
    real = importlib.import_module("routing.recommend")
    before = dict(sys.modules)
    with installed(GUARD) as code:
        assert code("routing.recommend") is not real
        assert code("routing.eligibility").SHIFT_ENDING == 0
        assert code("routing.recommend").mark_taken is code("routing.eligibility").mark_taken
        assert code("routing.codes") is before["routing.codes"]
    ours = {name for name in sys.modules if name.partition(".")[0] in PACKAGES}
    assert {name for name in ours if sys.modules[name] is not before.get(name)} == set()
    package = importlib.import_module("routing")
    assert package.recommend is real
    assert importlib.import_module("routing.eligibility") is before["routing.eligibility"]


def test_a_module_of_kernels_is_not_mutated() -> None:
    blank = Mutant(module="geodata.earth", old="import numpy as np\n", new="import numpy as np\n\n")
    with pytest.raises(AssertionError, match="kernels"):
        bites(blank, lambda _code: None)


def test_dependents_are_found_through_others() -> None:
    assert {"routing.police", "routing.recommend", "api.operations"} <= dependents("routing.gates")
    assert "routing.codes" not in dependents("routing.gates")
