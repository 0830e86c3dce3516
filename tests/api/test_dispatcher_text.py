"""What a dispatcher reads on a terminal says neither more nor less than the answer."""

from io import StringIO
from typing import Any

from rich.console import Console

from api.dispatcher_text import answer_panel
from api.examples import read_examples


def shown(answer: dict[str, Any]) -> str:
    console = Console(width=200, record=True, file=StringIO())
    console.print(answer_panel(answer, "Call"))
    return console.export_text()


def dispatch(**of_screening: Any) -> dict[str, Any]:
    answer = read_examples()["DISPATCH"]["answer"]
    gates = [g | of_screening if g["gate"] == "SCREENING" else g for g in answer["gates"]]
    return {**answer, "gates": gates}


def test_a_gate_that_was_not_asked_is_not_said_to_have_passed() -> None:
    said = shown(dispatch(result="NOT_EVALUATED", code="NOT_IN_MODE"))
    passed, not_asked = next(line for line in said.splitlines() if "Passed" in line).split(";")
    assert "screening" not in passed
    assert "not asked: screening" in not_asked


def test_a_gate_that_somebody_let_pass_says_so() -> None:
    assert "screening (overridden)" in shown(dispatch(result="PASS", code="OVERRIDDEN"))
    assert "(" not in next(line for line in shown(dispatch()).splitlines() if "Passed" in line)
