"""An answer as a dispatcher would like to read it on a terminal.

Works on the JSON of an answer, so that what is shown is what any client gets.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

CITY_TIME: Final = ZoneInfo("America/Los_Angeles")
OUTCOME_STYLE: Final = {"DISPATCH": "bold green", "HOLD": "bold yellow", "NOT_ELIGIBLE": "bold red"}
REASONS_SHOWN_MAX: Final = 12

Answer = Mapping[str, Any]


def local_time(instant: str | None) -> str:
    """Return the wall clock in the city, `13:07:48`, or a dash."""
    if instant is None:
        return "-"
    return datetime.fromisoformat(instant).astimezone(CITY_TIME).strftime("%H:%M:%S")


def minutes(seconds: int | None) -> str:
    """Return seconds as `7:12`, or a dash."""
    return "-" if seconds is None else f"{seconds // 60}:{seconds % 60:02d}"


def words(code: str) -> str:
    """Return a code as words: FASTEST_SPD becomes `fastest SPD`."""
    kept = {"SPD", "CARE", "AVL", "CAD"}
    return " ".join(part if part in kept else part.lower() for part in code.split("_"))


def answer_panel(answer: Answer, title: str) -> Panel:
    """Return everything a dispatcher needs of one answer."""
    outcome = answer["outcome"]
    head = Text(outcome.replace("_", " "), OUTCOME_STYLE[outcome])
    if answer["mode"]:
        head.append(f"  {answer['mode']}", "bold")
    if answer["urgent"]:
        head.append("  URGENT", "bold red")
    parts: list[RenderableType] = [Text(title, "bold"), head, Text(answer["message"])]
    parts += _pair_parts(answer)
    parts += _hold_parts(answer)
    parts += _gate_parts(answer)
    parts += _reason_parts(answer)
    parts += _warning_parts(answer)
    return Panel(Group(*parts), border_style="dim")


def _pair_parts(answer: Answer) -> Iterator[RenderableType]:
    if answer["assign"]:
        yield _units_table(answer["assign"])
    for unit in answer["assign"]:
        if unit["stage"] and unit["stage"]["expected_wait_s"] is not None:
            yield Text(f"{unit['call_sign']} waits there {_wait(unit['stage'])}.")
    pair = answer["pair"]
    if pair and pair["both_at_s"] is not None:
        yield Text(
            f"Both there after {minutes(pair['both_at_s'])}, {pair['first']} first by "
            f"{minutes(abs(pair['gap_s']))}."
        )
    names = _call_signs(answer)
    for other in answer["alternatives"]:
        named = " and ".join(
            f"{names.get(unit, unit)} ({_behind(other['behind_s'].get(agency, 0))})"
            for agency, unit in other["units"].items()
        )
        yield Text(f"Choice {other['rank']}: {named}", "dim")


def _call_signs(answer: Answer) -> dict[str, str]:
    """Return call signs by unit_id, as far as the answer tells them."""
    told = [*answer["explain"]["units"], *answer["assign"]]
    return {unit["unit_id"]: unit["call_sign"] for unit in told}


def _behind(seconds: int) -> str:
    return f"{seconds} s later" if seconds else "same"


def _wait(stage: Answer) -> str:
    return f"about {minutes(stage['expected_wait_s'])} ({words(stage['expected_wait_basis'])})"


def _units_table(units: Sequence[Answer]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "unit", "arrives", "in", "likely within", "drive", "position", "why"):
        table.add_column(name, no_wrap=True)
    for unit in units:
        low_high = unit["arrive_range_s"]
        table.add_row(
            unit["agency"],
            Text(unit["call_sign"], "bold"),
            "on the call" if unit["already_assigned"] else local_time(unit["arrive_at"]),
            minutes(unit["arrive_s"]),
            " - ".join(map(minutes, low_high)) if low_high else "-",
            "-" if unit["drive_m"] is None else f"{unit['drive_m'] / 1000:.1f} km",
            _position(unit["position"]),
            "" if unit["already_assigned"] else words(unit["selected_because"]),
        )
    return table


def _position(position: Answer) -> str:
    age = "" if position["age_s"] is None else f" {position['age_s']} s"
    return f"{words(position['basis'])}{age}"


def _hold_parts(answer: Answer) -> Iterator[RenderableType]:
    hold = answer["hold"]
    if not hold:
        return
    missing = " and ".join(hold["missing"]) or "nothing"
    yield Text(f"Missing: {missing} ({', '.join(map(words, hold['reasons']))})")
    if hold["send_now"]:
        yield Text(f"Send now: {', '.join(unit['call_sign'] for unit in hold['send_now'])}", "bold")
    if hold["earliest_pair_at"]:
        yield Text(
            f"Both could be there at {local_time(hold['earliest_pair_at'])}, dispatched at "
            f"{local_time(hold['earliest_dispatch_at'])} (by {words(hold['estimate_basis'])})."
        )
    if hold["tentative"]:
        pair = ", ".join(f"{agency} {unit or '-'}" for agency, unit in hold["tentative"].items())
        yield Text(f"Pair in view: {pair}")
    yield Text(
        f"Held since {local_time(hold['held_since'])}; escalates to "
        f"{words(hold['escalate_to'] or 'nobody')} at {local_time(hold['escalate_at'])}."
    )
    for choice in answer["overrides"]:
        yield Text(f"A {words(choice['role'])} may: {words(choice['action'])}", "dim")


def _gate_parts(answer: Answer) -> Iterator[RenderableType]:
    failed = [gate for gate in answer["gates"] if gate["result"] == "FAIL"]
    for gate in failed:
        near = f" {gate['edge_m']} m from {gate['nearest']}" if gate["edge_m"] is not None else ""
        by = gate["overridable_by"]
        who = "nobody may set it aside" if by in {None, "NONE"} else f"{words(by)} may set it aside"
        yield Text(f"{words(gate['gate'])}: {words(gate['code'])}{near}; {who}", "red")
    if not failed:
        passed = [_gate(gate) for gate in answer["gates"] if gate["result"] == "PASS"]
        not_asked = [_gate(gate) for gate in answer["gates"] if gate["result"] == "NOT_EVALUATED"]
        also = f"; not asked: {', '.join(not_asked)}" if not_asked else ""
        yield Text(f"Passed: {', '.join(passed)}{also}", "dim")


def _gate(gate: Answer) -> str:
    how = f" ({words(gate['code'])})" if gate["result"] == "PASS" and gate["code"] else ""
    return f"{words(gate['gate'])} {gate['value'] or ''}".strip() + how


def _reason_parts(answer: Answer) -> Iterator[RenderableType]:
    units = answer["explain"]["units"][:REASONS_SHOWN_MAX]
    if units:
        table = Table(box=None, pad_edge=False, show_header=False, style="dim")
        for unit in units:
            table.add_row(
                unit["agency"], unit["call_sign"], minutes(unit["arrive_s"]), _reason(unit)
            )
        yield table
    for agency, count in answer["explain"]["counts"].items():
        removed = ", ".join(f"{n} {words(rule)}" for rule, n in count["removed"].items())
        tail = f"; removed: {removed}" if removed else ""
        yield Text(f"{agency}: {count['qualified']} of {count['seen']} qualify{tail}", "dim")


def _reason(unit: Answer) -> str:
    if unit["rules"]:
        held = f" for {unit['held_for']}" if unit["held_for"] else ""
        return f"not sent: {', '.join(map(words, unit['rules']))}{held}"
    behind = f", {unit['behind_s']} s after the chosen one" if unit["behind_s"] else ""
    return f"{words(unit['verdict'])}{behind}"


def _warning_parts(answer: Answer) -> Iterator[RenderableType]:
    for warning in answer["warnings"]:
        yield Text(f"! {warning['path']} {warning['detail']}".replace("  ", " "), "yellow")
