"""`tandem scenarios`: the scenario book as a table, or one of its calls in full."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import typer
from rich.console import Group, RenderableType
from rich.progress import track
from rich.table import Table
from rich.text import Text

from api.commands.console import notes, out
from api.dispatcher_text import OUTCOME_STYLE, answer_panel, words
from api.scenarios.book import REFUSED, Ran, Scenario, find_scenario, read_book, run_scenario
from api.scenarios.short_form import place_words

EXIT_DIFFERS: Final = 1
_STYLE: Final = {**OUTCOME_STYLE, REFUSED: "bold magenta"}


def run_scenarios(
    name: str | None, *, as_request: bool, book: Sequence[Scenario] | None = None
) -> None:
    """Answer every call of the book, or show one; leave with 1 when an answer differs."""
    book = read_book() if book is None else book
    chosen = book if name is None else (find_scenario(name, book),)
    if as_request:
        _print_requests(chosen)
        return
    ran = _run(chosen)
    if name is None:
        _print_table(ran)
    else:
        _print_one(ran[0])
    if not all(one.as_expected for one in ran):
        raise typer.Exit(EXIT_DIFFERS)


def _run(chosen: Sequence[Scenario]) -> list[Ran]:
    """Answer calls on the built-in streets, whatever this machine's settings are."""
    from api.live_view import load_view
    from api.settings import Settings

    with notes.status("Starting") as status:
        settings = Settings(network=None, zones=None, driving=None)
        view = load_view(settings, lambda stage: status.update(stage[:1].upper() + stage[1:]))
    calls = track(chosen, "Answering", console=notes, transient=True, disable=len(chosen) == 1)
    return [run_scenario(view, scenario) for scenario in calls]


def _print_requests(chosen: Sequence[Scenario]) -> None:
    """Print requests as a CAD sends them, one JSON document each."""
    for scenario in chosen:
        sys.stdout.write(json.dumps(scenario.request, indent=2) + "\n")


# -- all of them ----------------------------------------------------------------------------------


def _print_table(ran: Sequence[Ran]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("time", "call", "outcome", "units", ""):
        table.add_column(heading, no_wrap=heading != "call")
    for one in ran:
        outcome = one.answer["outcome"]
        table.add_row(
            one.scenario.clock,
            one.scenario.title,
            Text(words_of_outcome(outcome), _STYLE[outcome]),
            units_of(one.answer),
            Text("OK", "green") if one.as_expected else Text("DIFFERS", "bold red"),
        )
    out.print(table)
    differing = [one for one in ran if not one.as_expected]
    out.print(f"\n{len(ran)} calls, {len(ran) - len(differing)} as the rules demand.")
    for one in differing:
        out.print(Text(f"{one.scenario.clock} {one.scenario.title}", "bold red"))
        out.print(*_differing(one), sep="\n")
    if not differing:
        out.print("One of them in full: tandem scenarios 11:04", style="dim")


def words_of_outcome(outcome: str) -> str:
    """Return an outcome as it is shown."""
    return outcome.replace("_", " ")


def units_of(answer: Mapping[str, Any]) -> str:
    """Return who goes; a plus stands before units that are added to those on the call."""
    there = any(unit["already_assigned"] for unit in answer.get("assign", ()))
    going = [unit["call_sign"] for unit in answer.get("assign", ()) if not unit["already_assigned"]]
    if going:
        return ("+" if there else "") + " ".join(going)
    now = [unit["call_sign"] for unit in (answer.get("hold") or {}).get("send_now", ())]
    if now:
        return f"{' '.join(now)} now"
    return "all there" if there else "-"


# -- one of them ----------------------------------------------------------------------------------


def _print_one(ran: Ran) -> None:
    scenario = ran.scenario
    out.print(Text(f"{scenario.clock}  {scenario.title}", "bold"))
    out.print(Text(f"{scenario.as_of:%A %d %B %Y, %H:%M:%S}, {scenario.name}", "dim"))
    out.print()
    out.print(_labelled(_parts(scenario)))
    out.print()
    if ran.answer["outcome"] == REFUSED:
        out.print(Text(f"REFUSED with 422: {', '.join(ran.answer['codes'])}", _STYLE[REFUSED]))
        out.print(Text(ran.answer["message"]))
    else:
        out.print(answer_panel(ran.answer, "The answer"))
    if ran.as_expected:
        out.print(Text("OK: everything that is expected stands in the answer.", "green"))
    else:
        out.print(Text("DIFFERS:", "bold red"), *_differing(ran), sep="\n")


def _differing(ran: Ran) -> Iterator[Text]:
    for said in ran.differences:
        yield Text(f"  {said}", "red")


def _parts(scenario: Scenario) -> Iterator[tuple[str, RenderableType]]:
    numbers = ", ".join(map(str, scenario.rules))
    yield "why", Text(f"{scenario.why} (rule{'s' if len(scenario.rules) > 1 else ''} {numbers})")
    yield "call", Text("\n".join(_call_lines(scenario.request["incident"])))
    yield "units", _units_table(scenario.request["units"])
    beside = {k: v for k, v in scenario.request.items() if k in {"competing", "exclude_unit_ids"}}
    if beside:
        yield "also", Text(json.dumps(beside))
    if scenario.told:
        yield "setting", Text("\n".join(flattened(scenario.told)))
    yield "expected", Text("\n".join(flattened(scenario.expect)))


def _labelled(parts: Iterator[tuple[str, RenderableType]]) -> RenderableType:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for label, part in parts:
        table.add_row(label, part)
    return Group(table)


def _call_lines(incident: Mapping[str, Any]) -> Iterator[str]:
    at = incident["location"]
    yield (
        f"{incident['call_type']}, priority {incident['priority']}, from {incident['origin']}, "
        f"asks {incident['requested_mode']}, version {incident['version']}"
    )
    place = place_words(at["lon"], at["lat"])
    yield f"at {place}, give or take {at.get('uncertainty_m', 0)} m"
    asked = incident["screening"]
    answers = [f"{words(key)} {asked[key]}" for key in asked if key != "completed_at"]
    recorded = "" if "completed_at" in asked else "not recorded: "
    yield f"screening {recorded}{', '.join(answers).replace('_', ' ')}"
    if "scene_safe_at" in incident:
        yield f"scene safe at {incident['scene_safe_at']}"
    for unit in incident.get("assigned", ()):
        yield f"on the call: {unit['unit_id']} ({unit['agency']}, {unit['status']})"
    for taken in incident.get("overrides", ()):
        gate = f" {taken['gate']}" if "gate" in taken else ""
        yield f"decided by a {words(taken['role'])}: {taken['action']}{gate}"


def _units_table(units: Sequence[Mapping[str, Any]]) -> RenderableType:
    if not units:
        return Text("none")
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for unit in units:
        at = unit.get("position")
        place = place_words(at["lon"], at["lat"]) if at else "no position"
        crew = f"crew {unit['crew_count']}"
        end = unit["shift_end"][11:16]
        agency = unit.get("agency", "-")
        table.add_row(unit["call_sign"], agency, unit["status"], crew, f"until {end}", place)
    return table


def flattened(value: Any, path: str = "") -> Iterator[str]:
    """Yield the leaves of a table, each in a line such as `hold.missing: SPD`."""
    if isinstance(value, Mapping) and value and not set(value) <= {"at_least", "at_most"}:
        for key, part in value.items():
            yield from flattened(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for part in value:
            yield f"{path}: " + ", ".join(leaf.replace(": ", " ") for leaf in flattened(part))
    else:
        yield f"{path}: {_leaf(value)}"


def _leaf(value: Any) -> str:
    if isinstance(value, Mapping):
        bounds = (f"{key.replace('_', ' ')} {bound}" for key, bound in value.items())
        return " and ".join(bounds) or "something"
    if isinstance(value, list):
        return ", ".join(f"'{one}'" if " " in str(one) else str(one) for one in value) or "none"
    return str(value)
