"""From the tables `[policies.NAME]` of a release file to policies, with what they inherit.

What lives here: inheritance, and making a `Policy`. What does not: the type and range of each key
(`release_schema`), and whether keys fit each other (`release_contradictions`).

A policy says what differs from the one that it inherits from: tables are merged key by key, lists
and single values replace. Each problem is named once, where it was written, not in every heir.
"""

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.release_contradictions import CHECKED_AGAINST, contradictions
from api.release_findings import Finding, Findings, did_you_mean, read_table, shown
from api.release_lines import Path
from api.release_schema import (
    DAYS,
    CallTypesPart,
    ModePart,
    PolicyPart,
    RequirementPart,
    WindowPart,
    clock_time,
)
from geodata.snap import SnapLimits
from routing.codes import Agency, Mode
from routing.hours import TimeWindow, TimeWindows
from routing.policy import (
    ARRIVAL_SPREADS,
    Area,
    CallTypes,
    ModeRules,
    Policy,
    Requirement,
    normalised,
)

Table = dict[str, Any]

_NOT_PLAIN: Final = {
    "policy_id", "window", "call_types", "modes", "by_policy_mode", "officer_mode",
    "arrival_spread", "straight_line_spread", "snap", "reserve_of_sector",
}  # fmt: skip
PLAIN: Final = tuple(f.name for f in fields(Policy) if f.name not in _NOT_PLAIN)
"""Parameters that stand in the file as they stand in `Policy`."""


def read_policies(
    raw: Mapping[str, object], sectors: frozenset[str] | None, findings: Findings
) -> Mapping[str, Policy]:
    """Return the policies that can be made; what is wrong with the others is noted.

    Parameters
    ----------
    sectors
        Of the precinct table, or None when the release has none.
    """
    own = {name: _own_part(name, table, findings) for name, table in raw.items()}
    noted: dict[str, list[Finding]] = {}
    whole: dict[str, PolicyPart] = {}
    for name in own:
        chain = _chain(name, own, findings)
        if chain is None:
            continue
        merged: Table = {}
        for ancestor in chain:
            merged = merge(merged, own[ancestor])
        entry, _ = read_table(PolicyPart, merged, ("policies", name), findings)
        if entry is None:
            continue
        found = list(contradictions(entry, sectors))
        noted[name] = _not_wrong_already(found, chain, findings)
        if not found:
            whole[name] = entry
    _note_once(own, noted, findings)
    return MappingProxyType({name: make_policy(name, entry) for name, entry in whole.items()})


def _own_part(name: str, table: object, findings: Findings) -> Table:
    """Return what a policy says itself, less what is wrong with it."""
    entry, rest = read_table(PolicyPart, table, ("policies", name), findings)
    return {} if entry is None else rest


def _chain(name: str, own: Mapping[str, Table], findings: Findings) -> tuple[str, ...] | None:
    """Return the policies that make up one, itself last, or None where they cannot be had."""
    chain = [name]
    while (base := own[chain[0]].get("inherits")) is not None:
        path: Path = ("policies", chain[0], "inherits")
        if base in chain:
            if chain[0] == name or base == name:
                what = f"is {shown(base)}, so that the policy inherits from itself"
                findings.add(path, "CONTRADICTION", what, "Let one of them stand by itself.")
            return None
        if base not in own:
            remedy = did_you_mean(base, sorted(set(own) - set(chain)))
            what = f"is {shown(base)}, and there is no such policy"
            findings.add(path, "UNKNOWN_NAME", what, remedy)
            return None
        chain.insert(0, base)
    return tuple(chain)


def merge(base: Table, own: Table) -> Table:
    """Return the tables of both; where both have a key that is no table, the second has its way."""
    merged = dict(base)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = merge(base[key], value) if both else value
    return merged


def _not_wrong_already(
    found: list[Finding], chain: tuple[str, ...], findings: Findings
) -> list[Finding]:
    """Return what is wrong with a whole policy, but for what comes of keys that are known wrong."""
    paths = [finding.path for finding in findings.found]
    wrong = [p[2:] for p in paths if p[:1] == ("policies",) and len(p) > 2 and p[1] in chain]
    wrong += [p for p in paths if p[:1] == ("precincts",)]
    return [f for f in found if not any(_comes_of(f.path, path) for path in wrong)]


def _comes_of(path: Path, wrong: Path) -> bool:
    """Tell whether a key may be wrong only because another, or a part of it, is."""
    if wrong[0] == "modes":  # within a mode each key stands by itself, unless the mode is misnamed
        is_related = path[0] == "modes" or "modes" in CHECKED_AGAINST.get(str(path[0]), ())
        return is_related and (len(wrong) <= 2 or wrong[: len(path)] == path)
    return wrong[0] in (path[0], *CHECKED_AGAINST.get(str(path[0]), ()))


def _note_once(
    own: Mapping[str, Table], noted: Mapping[str, list[Finding]], findings: Findings
) -> None:
    """Note each problem at the policy that has it first."""
    for name, wrong in noted.items():
        inherited = noted.get(own[name].get("inherits", ""), [])
        for finding in wrong:
            if finding not in inherited:
                path = ("policies", name, *finding.path)
                findings.add(path, finding.code, finding.what, finding.remedy)


# -- making a policy ------------------------------------------------------------------------------


def make_policy(name: str, entry: PolicyPart) -> Policy:
    """Return a policy of an entry without contradictions; what it leaves out has its default."""
    assert entry.windows is not None
    assert entry.call_types is not None
    given: Table = {key: getattr(entry, key) for key in PLAIN}
    for key in ("by_policy_mode", "officer_mode"):
        mode = getattr(entry, key)
        given[key] = None if mode is None else Mode(mode)
    given["reserve_of_sector"] = _frozen(entry.reserve_of_sector)
    given["snap"] = _snap_limits(entry)
    if entry.arrival_spread is not None:
        own = {basis: (least, most) for basis, (least, most) in entry.arrival_spread.items()}
        given["arrival_spread"] = _frozen({**ARRIVAL_SPREADS, **own})
    if entry.straight_line_spread is not None:
        given["straight_line_spread"] = tuple(entry.straight_line_spread)
    return Policy(
        policy_id=name,
        window=_window(entry.windows, ZoneInfo(str(entry.time_zone))),
        call_types=_call_types(entry.call_types),
        modes=_frozen({Mode(m): _mode_rules(part) for m, part in (entry.modes or {}).items()}),
        **{key: value for key, value in given.items() if value is not None},
    )


def _frozen(table: Mapping[Any, Any] | None) -> Any:
    return None if table is None else MappingProxyType(dict(table))


def _snap_limits(entry: PolicyPart) -> SnapLimits:
    given = {"warn_m": entry.snap_warn_m, "refuse_m": entry.snap_refuse_m}
    return SnapLimits(**{key: value for key, value in given.items() if value is not None})


def _window(parts: list[WindowPart], zone: ZoneInfo) -> TimeWindow | TimeWindows:
    windows = tuple(
        TimeWindow(
            start=clock_time(part.opens),
            end=clock_time(part.closes),
            zone=zone,
            days=frozenset(map(DAYS.index, part.days or DAYS)),
        )
        for part in parts
    )
    return windows[0] if len(windows) == 1 else TimeWindows(windows=windows)


def _call_types(part: CallTypesPart) -> CallTypes:
    texts = part.texts or {}
    return CallTypes(
        kind_of=MappingProxyType(
            {normalised(raw): kind for kind, raws in texts.items() for raw in raws}
        ),
        eligible=frozenset(part.eligible or ()),
    )


def _mode_rules(part: ModePart) -> ModeRules:
    kinds = {Agency.CARE: part.care, Agency.SPD: part.spd}
    given = {
        "refuses_yes": part.refuses_yes,
        "refuses_unknown": part.refuses_unknown,
        "gates": part.gates,
    }
    sets = {key: frozenset(words) for key, words in given.items() if words is not None}
    return ModeRules(
        requirements=MappingProxyType(
            {kind: _requirement(wanted) for kind, wanted in kinds.items() if wanted is not None}
        ),
        area=part.area or Area.ZONE,
        **sets,  # type: ignore[arg-type]  # each key has the words of its own enumeration
    )


def _requirement(part: RequirementPart) -> Requirement:
    given: Table = {
        "units": part.units,
        "min_crew": part.min_crew,
        "required_skills": None
        if part.required_skills is None
        else frozenset(part.required_skills),
        "preferred_skills": _frozen(part.preferred_skills),
    }
    return Requirement(**{key: value for key, value in given.items() if value is not None})
