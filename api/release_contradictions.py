"""What is wrong with a policy although each of its keys is right by itself.

What lives here: `contradictions`, one function for each rule. What does not: types and ranges
(`release_schema`), and zones (`release_zones`).
"""

from collections.abc import Iterator
from dataclasses import MISSING, fields
from itertools import pairwise
from typing import Any, Final

from api.release_findings import Finding, shown
from api.release_lines import Path
from api.release_schema import DAYS, ModePart, PolicyPart, WindowPart, clock_time
from geodata.snap import SnapLimits
from routing.codes import Gate
from routing.policy import ALWAYS_TESTED, OnNoSpd, Policy, SpdScope, normalised

CHECKED_AGAINST: Final = {
    "spd_scope": ("precincts",),
    "reserve_of_sector": ("precincts",),
    "by_policy_mode": ("modes",),
    "on_no_spd": ("modes",),
    "avl_fresh_s": ("avl_aged_s",),
    "snap_warn_m": ("snap_refuse_m",),
}
"""What else a problem of a key may come from; where that is wrong, it alone is told."""

_DEFAULTS: Final = {f.name: f.default for f in fields(Policy) if f.default is not MISSING}
_SNAP: Final = SnapLimits()
_DAY_MIN: Final = 24 * 60
_WEEK_MIN: Final = 7 * _DAY_MIN

_KINDS: Final = {
    "DUAL": ("CARE", "SPD"),
    "CARE_ONLY_ADD": ("CARE",),
    "SOLO": ("CARE",),
    "SPD_ADD": ("SPD",),
    "SPD_ONLY": ("SPD",),
}
"""The kinds of unit that each mode sends, by its meaning."""


def contradictions(entry: PolicyPart, sectors: frozenset[str] | None) -> Iterator[Finding]:
    """Yield every problem of a whole policy, with its path within the policy.

    Parameters
    ----------
    sectors
        Of the precinct table, or None when the release has none.
    """
    yield from _missing(entry)
    yield from _windows(entry.windows or [])
    yield from _call_types(entry)
    for name, mode in (entry.modes or {}).items():
        yield from _mode(name, mode)
    yield from _modes_named(entry)
    yield from _orders(entry)
    yield from _police_geography(entry, sectors)


def _finding(path: Path, what: str, remedy: str, code: str = "CONTRADICTION") -> Finding:
    return Finding(path=path, code=code, what=what, remedy=remedy)


def _missing(entry: PolicyPart) -> Iterator[Finding]:
    wanted = {
        "time_zone": 'Write time_zone = "America/Los_Angeles".',
        "windows": 'Write windows = [{ from = "11:00", to = "23:00" }].',
        "call_types": "Add [policies.NAME.call_types] with `eligible` and `texts`.",
        "modes": "Add a table such as [policies.NAME.modes.DUAL].",
    }
    for key, remedy in wanted.items():
        if not getattr(entry, key):
            yield _finding((key,), "is missing, and nothing is inherited", remedy, "MISSING")


def _windows(windows: list[WindowPart]) -> Iterator[Finding]:
    """Find windows that are open at the same time of the week."""
    spans = sorted(
        (begins, begins + _length_min(window), place)
        for place, window in enumerate(windows)
        for day in dict.fromkeys(window.days or DAYS)
        for begins in [DAYS.index(day) * _DAY_MIN + _minute(window.opens)]
    )
    following = [(begins + _WEEK_MIN, ends, place) for begins, ends, place in spans[:1]]
    for (_, ends, one), (begins, _, other) in pairwise([*spans, *following]):
        if ends > begins:
            day = DAYS[begins // _DAY_MIN % 7]
            what = f"overlaps with {'itself' if one == other else f'windows[{one}]'} on {day}"
            yield _finding(
                ("windows", other), what, "Let one end before the next begins, or make them one."
            )


def _minute(text: str) -> int:
    at = clock_time(text)
    return 60 * at.hour + at.minute


def _length_min(window: WindowPart) -> int:
    """Return minutes from opening to closing, which is on the next day when it is not later."""
    return (_minute(window.closes) - _minute(window.opens) - 1) % _DAY_MIN + 1


def _call_types(entry: PolicyPart) -> Iterator[Finding]:
    if entry.call_types is None:
        return
    texts = entry.call_types.texts or {}
    for place, kind in enumerate(entry.call_types.eligible or []):
        if not texts.get(kind):
            yield _finding(
                ("call_types", "eligible", place),
                f"is {shown(kind)}, which no text of a CAD means",
                f"Add [..call_types.texts] {kind} = [...], or take it out.",
            )
    kind_of: dict[str, str] = {}
    for kind, raws in texts.items():
        for place, raw in enumerate(raws):
            path: Path = ("call_types", "texts", kind, place)
            text = normalised(raw)
            if not text:
                what = f"is {shown(raw)}, which has neither letter nor digit"
                yield _finding(path, what, "Write the text that the CAD sends.")
            elif kind_of.setdefault(text, kind) != kind:
                what = f"is {shown(raw)}, which means {kind_of[text]} already"
                yield _finding(path, what, "Take the text out of one of the two kinds.")


def _mode(name: str, mode: ModePart) -> Iterator[Finding]:
    path: Path = ("modes", name)
    sent = {kind for kind, part in (("CARE", mode.care), ("SPD", mode.spd)) if part is not None}
    wanted = _KINDS[name]
    for kind in wanted:
        if kind not in sent:
            remedy = f"Add {kind} = {{ units = 1, min_crew = 1 }}."
            yield _finding((*path, kind), f"is missing; {name} sends {kind}", remedy, "MISSING")
    for kind in sorted(sent - set(wanted)):
        what = f"is given, but {name} sends {' and '.join(wanted)} only"
        yield _finding((*path, kind), what, "Take it out.")
    extra = sorted(set(Gate if mode.gates is None else mode.gates) - ALWAYS_TESTED)
    if name == "SPD_ADD" and extra:
        yield _finding(
            (*path, "gates"),
            f"has {', '.join(extra)}; nothing may stand in the way of a call for help but "
            "LOCATION and MODE",
            'Write gates = ["LOCATION", "MODE"].',
        )


def _modes_named(entry: PolicyPart) -> Iterator[Finding]:
    modes = entry.modes or {}
    by_policy = _value(entry, "by_policy_mode")
    if modes and by_policy not in modes:
        what = f"is {shown(str(by_policy))}, which is none of the modes of this policy"
        remedy = f"Add [..modes.{by_policy}], or name one of {', '.join(modes)}."
        yield _finding(("by_policy_mode",), what, remedy)
    if entry.on_no_spd is OnNoSpd.SOLO and "SOLO" not in modes:
        what = 'is "SOLO", and the policy does not have this mode'
        remedy = 'Add [..modes.SOLO], or write on_no_spd = "HOLD".'
        yield _finding(("on_no_spd",), what, remedy)


def _orders(entry: PolicyPart) -> Iterator[Finding]:
    fresh, aged = _value(entry, "avl_fresh_s"), _value(entry, "avl_aged_s")
    if fresh > aged:
        what = f"is {fresh}, more than avl_aged_s, which is {aged}"
        yield _finding(("avl_fresh_s",), what, "Lower it, or raise avl_aged_s.")
    warn = _SNAP.warn_m if entry.snap_warn_m is None else entry.snap_warn_m
    refuse = _SNAP.refuse_m if entry.snap_refuse_m is None else entry.snap_refuse_m
    if warn > refuse:
        what = f"is {warn:g}, more than snap_refuse_m, which is {refuse:g}"
        yield _finding(("snap_warn_m",), what, "Lower it, or raise snap_refuse_m.")


def _police_geography(entry: PolicyPart, sectors: frozenset[str] | None) -> Iterator[Finding]:
    if sectors is None:
        if entry.spd_scope is SpdScope.PRECINCT:
            what = 'is "PRECINCT", and the release says of no sector which precinct it is in'
            yield _finding(("spd_scope",), what, 'Add [precincts], such as WEST = ["D", "K"].')
        return
    for sector in entry.reserve_of_sector or {}:
        if sector not in sectors:
            what = f"is no sector of [precincts]; known are {', '.join(sorted(sectors))}"
            remedy = "Correct it, or add the sector to its precinct."
            yield _finding(("reserve_of_sector", sector), what, remedy, "UNKNOWN_NAME")


def _value(entry: PolicyPart, name: str) -> Any:
    """Return a value of the entry, or its default."""
    value = getattr(entry, name)
    return _DEFAULTS[name] if value is None else value
