"""`tandem release check` and `tandem release show`: what a city has decided, for its supervisor."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.table import Table

from api.commands.console import out
from api.release_errors import ReleaseFileError

if TYPE_CHECKING:
    from routing.codes import Mode
    from routing.hours import Hours
    from routing.policy import ModeRules, Policy, Requirement
    from routing.release import Release

EXIT_PROBLEMS: Final = 1
_IN_OTHER_TABLES: Final = {"policy_id", "window", "call_types", "modes"}


def run_check(file: Path) -> None:
    """Print what a release decides and leave with 0, or its problems and leave with 1."""
    from api.release_file import read_release

    try:
        release = read_release(file)
    except ReleaseFileError as refused:
        _print_problems(refused)
        raise typer.Exit(EXIT_PROBLEMS) from None
    out.print(f"OK: {file} can be used.", markup=False)
    if not_yet(release.effective_at, datetime.now(UTC)):
        out.print(
            f"It is to be in force from {release.effective_at}, which is not enforced: a service "
            "that is given it decides by it at once. Give it to the service then, not before.",
            markup=False,
        )
    _print_summary(release)


def not_yet(effective_at: datetime | None, now: datetime) -> bool:
    """Tell whether a release says that it is not in force at an instant."""
    return effective_at is not None and effective_at > now


def run_show(file: Path | None, *, as_text: bool) -> None:
    """Print a release, as tables with every parameter or as it is written."""
    from api.release_file import read_release
    from geodata.pilot.area import pilot_release_file

    chosen = pilot_release_file() if file is None else file
    release = read_release(chosen)
    if as_text:
        sys.stdout.write(chosen.read_text(encoding="utf-8"))
        return
    _print_summary(release)
    for policy in _policies(release):
        out.print(_parameters(policy))
    for title, words in (("CAD statuses", release.status_of), ("Precincts", release.precinct_of)):
        if words:
            out.print(_words(title, words))


def _print_problems(refused: ReleaseFileError) -> None:
    table = Table(title=f"{refused.file}: {len(refused.found)} to mend", title_justify="left")
    table.add_column("line", justify="right")
    for name in ("where", "what is wrong", "what to do"):
        table.add_column(name, overflow="fold")
    for problem in refused.found:
        _add(table, problem.line, problem.path, problem.detail, problem.remedy)
    out.print(table)


def _add(table: Table, *cells: object) -> None:
    """Add a row whose cells are plain text, whatever brackets are in them."""
    from rich.text import Text

    table.add_row(*(Text(str(cell)) for cell in cells))


# -- the summary ----------------------------------------------------------------------------------


def _policies(release: "Release") -> list["Policy"]:
    """Return the city's policy, then the others by name."""
    others = [p for _, p in sorted(release.zone_policies.items())]
    city = release.city_policy
    return [city, *(policy for policy in others if policy.policy_id != city.policy_id)]


def _print_summary(release: "Release") -> None:
    since = "always" if release.effective_at is None else release.effective_at.isoformat()
    out.print(
        f"Release {release.release_id}, in force from: {since}. Zones version "
        f"{release.zone_version}, policies version {release.policy_version}. "
        f"Outside every zone: policy {release.city_policy.policy_id}.",
        markup=False,
    )
    out.print(_zones(release))
    for policy in _policies(release):
        out.print(f"\nPolicy {policy.policy_id}: {hours(policy.window)}.", markup=False)
        out.print(_modes(policy))
        out.print(_call_types(policy))


def _zones(release: "Release") -> Table:
    table = Table(title="Zones, the winner first", title_justify="left")
    for name in ("zone", "name", "kind"):
        table.add_column(name, overflow="fold")
    for name in ("precedence", "km2"):
        table.add_column(name, justify="right")
    table.add_column("policy")
    city = release.city_policy.policy_id
    for zone, km2 in zip(release.zones.zones, release.zones.areas_km2(), strict=True):
        policy = zone.policy_id or city
        _add(table, zone.zone_id, zone.name, zone.kind, zone.precedence, f"{km2:.2f}", policy)
    return table


def hours(window: "Hours") -> str:
    """Return windows in words: `every day 11:00-23:00, America/Los_Angeles`."""
    from api.releases.differences import hours_words

    return hours_words(window)


def _modes(policy: "Policy") -> Table:
    table = Table(title="Modes", title_justify="left")
    for name in ("mode", "area", "CARE", "SPD", "not if YES", "not if UNKNOWN", "not tested"):
        table.add_column(name, overflow="fold")
    for mode, rules in policy.modes.items():
        _add(table, *_mode_row(policy, mode, rules))
    return table


def _mode_row(policy: "Policy", mode: "Mode", rules: "ModeRules") -> Iterator[object]:
    from routing.codes import Agency, Gate, Question
    from routing.policy import ALWAYS_TESTED

    marks = {policy.by_policy_mode: " (911 call)", policy.officer_mode: " (officer asks)"}
    yield f"{mode}{marks.get(mode, '')}"
    yield rules.area if Gate.ZONE in rules.gates else "-"
    for agency in Agency:
        yield _requirement(rules.requirements.get(agency))
    screened = Gate.SCREENING in rules.gates
    for questions in (rules.refuses_yes, rules.refuses_unknown):
        yield ", ".join(q for q in Question if q in questions and screened) or "-"
    yield ", ".join(g for g in Gate if g not in rules.gates | ALWAYS_TESTED) or "-"


def _requirement(wanted: "Requirement | None") -> str:
    if wanted is None:
        return "-"
    text = f"{wanted.units} x crew {wanted.min_crew}+"
    if wanted.required_skills:
        text += f", with {', '.join(sorted(wanted.required_skills))}"
    liked = [f"{skill} ({worth_s} s)" for skill, worth_s in wanted.preferred_skills.items()]
    return f"{text}, rather {', '.join(liked)}" if liked else text


def _call_types(policy: "Policy") -> Table:
    table = Table(title="Call types", title_justify="left")
    for name in ("kind", "eligible", "texts of the CAD"):
        table.add_column(name, overflow="fold")
    texts: dict[str, list[str]] = {}
    for text, kind in policy.call_types.kind_of.items():
        texts.setdefault(kind, []).append(text)
    for kind, known in texts.items():
        eligible = "yes" if kind in policy.call_types.eligible else "no"
        _add(table, kind, eligible, "; ".join(known))
    return table


# -- every parameter ------------------------------------------------------------------------------


def _parameters(policy: "Policy") -> Table:
    from routing.policy import PILOT

    table = Table(title=f"Parameters of {policy.policy_id}", title_justify="left")
    for name in ("parameter", "value", "default where it is another"):
        table.add_column(name, overflow="fold")
    for field in fields(policy):
        if field.name not in _IN_OTHER_TABLES:
            value, default = getattr(policy, field.name), getattr(PILOT, field.name)
            _add(table, field.name, _shown(value), "" if value == default else _shown(default))
    return table


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items()) or "-"
    if isinstance(value, tuple):
        return " to ".join(f"{part:g}" for part in value)
    if hasattr(value, "warn_m"):
        return f"warn {value.warn_m:g} m, refuse {value.refuse_m:g} m"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _words(title: str, words: Mapping[str, str]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    for ours in dict.fromkeys(words.values()):
        _add(table, ours, "; ".join(word for word, meant in words.items() if meant == ours))
    return table
