"""An impact as one page of HTML that needs nothing else: no script, no font, no file, no net."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from api.html_page import figure, listed, minutes, percent, signed, table, whole_page
from api.impact.as_object import manifest
from api.impact.counting import LEVELS, Change, Group
from api.impact.ground import Handed
from api.impact.judging import Level
from api.impact.measure import Impact
from api.impact.pictures import Pictures
from api.impact.reach import WITHIN_S, Reach
from api.impact.what_if import Said
from api.impact.words import ASSUMPTIONS, DEFINITIONS, NO_TYPES, PROXY

TYPES_SHOWN: Final = 20
STREETS_SHOWN: Final = 20
ROWS_SHOWN: Final = 20
MINUTES_SHOWN: Final = (5, 8, 10, 13, 15)
LEVEL_WORDS: Final = {
    Level.IN_AREA: "in area", Level.IN_HOURS: "in hours", Level.ELIGIBLE: "eligible",
}  # fmt: skip
OF_WORDS: Final = {
    "CALLS_IN_HOURS": "calls in hours", "ELIGIBLE_CALLS": "eligible calls",
    "STREETS": "streets", "LAND": "land near a street",
}  # fmt: skip


def page_of(impact: Impact, pictures: Pictures) -> str:
    """Return the page; equal impacts give equal text."""
    draft, live = impact.question.draft.release, impact.question.live.release
    title = f"What publishing {draft.release_id} would change"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>Draft <b>{escape(draft.release_id)}</b> against the live release "
        f"<b>{escape(live.release_id)}</b>. {_basis(impact)}</p>",
        *_cautions(impact),
        "<h2>In short</h2>", listed(_short(impact)),
        figure(pictures.change, "What changes hands: both areas, calls gained and lost, posts.",
                _credit(impact)),
        "<h2>Calls</h2>", *_calls(impact),
        "<h2>Land and streets</h2>", *_ground(impact),
        "<h2>Policies</h2>", *_policies(impact),
        "<h2>Coverage</h2>", *_coverage(impact, pictures),
        "<h2>Expected CARE workload</h2>", *_workload(impact),
        "<h2>The period decided again</h2>", *_what_if(impact),
        "<h2>What each count is</h2>", _definitions(),
        "<h2>Assumptions</h2>", listed(map(escape, ASSUMPTIONS)),
        "<h2>What it was made of</h2>", *_manifest(impact),
    ]  # fmt: skip
    return whole_page(title, parts)


# -- pieces of it -------------------------------------------------------------------------------


def _credit(impact: Impact) -> str:
    source = impact.reached.pieces.network.source
    kind = "SCHEMATIC, not a survey. " if source.schematic else ""
    return f"{kind}Streets: {source.description} ({source.licence})."


def _basis(impact: Impact) -> str:
    history = impact.question.history
    return (
        f"Calls: {escape(history.source)}, {history.first_day} to {history.last_day} "
        f"({history.weeks:.4g} weeks, {len(history):,} calls). Units: "
        f"{escape(impact.question.posts.told)}."
    )


def _cautions(impact: Impact) -> Iterable[str]:
    history = impact.question.history
    if history.is_proxy:
        note = escape(history.columns.note)
        yield f'<div class="caution"><b>{escape(PROXY)}</b> {note}</div>'
    if history.assumed_type is not None:
        kind = escape(history.assumed_type)
        yield f'<div class="caution">Every call is taken to be <b>{kind}</b>, by assumption.</div>'
    if not history.has_types:
        yield f'<div class="caution">{escape(NO_TYPES)}</div>'


# -- sections -------------------------------------------------------------------------------------


def _short(impact: Impact) -> Iterable[str]:
    weeks, ground = impact.question.history.weeks, impact.ground
    for level, change in zip(LEVELS, impact.counts.total.change, strict=True):
        if level in impact.levels:
            moved = f", {change.moved_in:,} in another zone" if change.moved_in else ""
            yield (
                f"<b>{signed((change.draft - change.live) / weeks)} calls a week "
                f"{LEVEL_WORDS[level]}</b>: {change.live / weeks:,.1f} become "
                f"{change.draft / weeks:,.1f} ({change.gained:,} gained and {change.lost:,} lost "
                f"in {weeks:.4g} weeks{moved})."
            )
    lands = zip((ground.live_km2, ground.draft_km2), ground.whole_city, strict=True)
    before, after = (_land_words(km2, whole) for km2, whole in lands)
    yield (
        f"<b>{signed((ground.draft_street_m - ground.live_street_m) / 1000)} km of street</b>: "
        f"{ground.live_street_m / 1000:.1f} km become {ground.draft_street_m / 1000:.1f} km; "
        f"{before} become {after}."
    )
    reaches = {(one.release, one.of): one.shares["PAIR"] for one in impact.reached.reaches}
    old, new = (reaches[name, "CALLS_IN_HOURS"] for name in ("LIVE", "DRAFT"))
    yield (
        f"The pair reaches <b>{percent(old.within[9])} of the calls in hours within 10 minutes "
        f"before and {percent(new.within[9])} after</b>; nine tenths within "
        f"{minutes(old.p90_s)} before and {minutes(new.p90_s)} after."
    )
    if impact.reached.workloads is not None:
        live, draft = impact.reached.workloads
        yield (
            f"CARE works <b>{live.unit_hours_per_week:.1f} unit hours a week before and "
            f"{draft.unit_hours_per_week:.1f} after</b>, by the eligible calls of this table."
        )


def _land_words(km2: float, whole: bool) -> str:
    return f"{km2:.2f} km²" + (" of zones, and the whole city beside them," if whole else "")


_HEAD: Final = ("live", "draft", "gained", "lost", "moved in", "moved out", "a week")


def _cells(change: Change, weeks: float) -> tuple[str, ...]:
    counted = (change.live, change.draft, change.gained, change.lost)
    moved = (change.moved_in, change.moved_out)
    net = signed((change.draft - change.live) / weeks, 2)
    return (*(f"{n:,}" for n in (*counted, *moved)), net)


def _calls(impact: Impact) -> Iterable[str]:
    weeks, counts = impact.question.history.weeks, impact.counts
    yield (
        f"<p>Calls of the whole period ({weeks:.4g} weeks); the last column is the difference of "
        "draft and live in calls a week.</p>"
    )
    rows = [
        (LEVEL_WORDS[level], *_cells(change, weeks))
        for level, change in zip(LEVELS, counts.total.change, strict=True)
        if level in impact.levels
    ]
    yield table(("calls", *_HEAD), rows)
    if Level.ELIGIBLE in impact.levels:
        yield (
            f"<p>Beside the eligible, {counts.waits[0]:,} calls under the live release and "
            f"{counts.waits[1]:,} under the draft would wait until the hours begin.</p>"
        )
    for title, groups in (("By zone", counts.by_zone), ("By call type", counts.by_type)):
        yield f"<h3>{title}</h3>"
        yield from _groups(impact, groups)


def _groups(impact: Impact, groups: Sequence[Group]) -> Iterable[str]:
    weeks = impact.question.history.weeks
    by_change = sorted(groups, key=lambda g: (-g.change[1].gained - g.change[1].lost, str(g)))
    ranked = by_change if groups and groups[0].zone_id is None else list(groups)
    rows = [
        (group.zone_id or group.call_type or "", LEVEL_WORDS[level], *_cells(change, weeks))
        for group in ranked[:TYPES_SHOWN]
        for level, change in zip(LEVELS, group.change, strict=True)
        if level in impact.levels and (level is not Level.IN_AREA or group.zone_id)
        and (change.live or change.draft or group.zone_id)
    ]  # fmt: skip
    yield table(("", "calls", *_HEAD), rows, texts=2)
    if len(groups) > TYPES_SHOWN:
        yield (
            f"<p>The {TYPES_SHOWN} of {len(groups)} with the most calls in hours gained or lost; "
            "the JSON report has all, at every level, and by zone and type together.</p>"
        )


def _handed_words(handed: Handed) -> str:
    if not handed.from_zone:
        return f"new to {handed.to_zone}"
    return f"{handed.from_zone} to {handed.to_zone or 'no zone'}"


def _ground(impact: Impact) -> Iterable[str]:
    ground = impact.ground
    if not ground.handed:
        yield "<p>No land and no street changes hands.</p>"
        return
    rows = [(_handed_words(h), f"{h.km2:.3f}", f"{h.street_m / 1000:.2f}") for h in ground.handed]
    yield table(("what changes hands", "km²", "km of street"), rows)
    yield "<h3>Streets</h3>"
    streets = [
        (name or "(unnamed)", f"{a or 'no zone'} to {b or 'no zone'}", f"{metres:,.0f}")
        for name, a, b, metres in ground.streets
        if metres >= 1
    ]
    yield table(("street", "from, to", "metres"), streets[:STREETS_SHOWN], texts=2)
    if len(streets) > STREETS_SHOWN:
        yield f"<p>The first {STREETS_SHOWN} of {len(streets)}; the JSON report has all.</p>"


def _policies(impact: Impact) -> Iterable[str]:
    if not impact.policies:
        yield "<p>Every policy is as it was.</p>"
        return
    rows = [(p.policy_id, p.what, p.live or "-", p.draft or "-") for p in impact.policies]
    yield table(("policy", "what", "live", "draft"), rows, texts=4)


def _coverage(impact: Impact, pictures: Pictures) -> Iterable[str]:
    yield figure(
        pictures.arrival,
        "When the pair is there, under the draft, if a unit is free at every post.",
        _credit(impact),
    )
    yield figure(pictures.curves, "Share reached by the minutes from dispatch.", "")
    head = ("", "release", "unit", *(f"{m} min" for m in MINUTES_SHOWN), "p50", "p90", "never")
    order = {of: place for place, of in enumerate(OF_WORDS)}
    reaches = sorted(impact.reached.reaches, key=lambda r: (order[r.of], r.release == "DRAFT"))
    some = (reach for reach in reaches if reach.shares["PAIR"].total > 0)
    yield table(head, [row for reach in some for row in _reach_rows(reach)], texts=3)


def _reach_rows(reach: Reach) -> Iterable[Sequence[object]]:
    places = [WITHIN_S.index(60 * minutes) for minutes in MINUTES_SHOWN]
    for kind, shares in reach.shares.items():
        within = (percent(shares.within[place]) for place in places)
        yield (
            OF_WORDS[reach.of], reach.release.lower(), kind.lower() if kind == "PAIR" else kind,
            *within, minutes(shares.p50_s), minutes(shares.p90_s), percent(shares.unreached),
        )  # fmt: skip


def _workload(impact: Impact) -> Iterable[str]:
    loads = impact.reached.workloads
    if loads is None:
        yield f"<p>{escape(NO_TYPES)}</p>"
        return
    rows = [
        (
            name, f"{one.calls_per_week:.2f}", minutes(one.arrival_s),
            f"{one.service_s / 60:.0f} min", f"{one.unit_hours_per_week:.1f}",
            f"{one.open_hours_per_week:g}", f"{one.busy_units:.3f}", one.units,
            percent(one.utilisation),
        )
        for name, one in zip(("live", "draft"), loads, strict=True)
    ]  # fmt: skip
    yield table(
        ("release", "eligible calls a week", "mean arrival", "on a call", "unit hours a week",
         "open hours a week", "busy units", "CARE units", "utilisation"), rows,
    )  # fmt: skip
    if impact.question.history.is_proxy:
        yield "<p>By a proxy: its number of calls is not the number that CARE would get.</p>"


def _what_if(impact: Impact) -> Iterable[str]:
    found = impact.what_if
    if found is None:
        asked_for = impact.question.decides_again
        yield f"<p>{escape(NO_TYPES) if asked_for else 'Not asked for.'}</p>"
        return
    n_decided = found.n_calls - found.n_outside
    yield (
        f"<p>{n_decided:,} calls in the area of either release were decided under both, by the "
        f"service's own rules with units at posts, all free; {found.n_same:,} answers are the "
        f"same. The other {found.n_outside:,} calls are in the area of neither.</p>"
    )
    yield table(
        ("answer", "live", "draft"), [(k, f"{a:,}", f"{b:,}") for k, a, b in found.outcomes]
    )
    yield table(("what changes", "calls"), [(words, f"{n:,}") for words, n in found.changed])
    for words, examples in found.examples:
        yield f"<h3>{escape(words)}: examples</h3>"
        zone = impact.question.history.columns.time_zone
        rows = [
            (e.call_id, f"{e.at.astimezone(zone):%Y-%m-%d %H:%M}", e.call_type or "-",
             _said(e.live), _said(e.draft))
            for e in examples
        ]  # fmt: skip
        yield table(("call", "when", "type", "live", "draft"), rows, texts=5)


def _said(said: Said) -> str:
    words = [said.outcome if said.mode is None else f"{said.outcome} {said.mode}"]
    if said.units:
        words.append(" + ".join(said.units))
    if said.both_at_s is not None:
        words.append(f"both after {said.both_at_s} s")
    return ", ".join([*words, *said.failing])


def _definitions() -> str:
    entries = (f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in DEFINITIONS)
    return "<dl>" + "".join(entries) + "</dl>"


def _manifest(impact: Impact) -> Iterable[str]:
    made = manifest(impact)
    calls = made["calls"]
    rows = [
        ("live release", made["live"]), ("draft", made["draft"]), ("software", made["software"]),
        ("network", made["network"]), ("posts", made["posts"]),
        ("table of calls", f"{calls['file']} as {calls['table']}, SHA-256 {calls['sha256']}"),
        ("time of a call", f"{calls['time_is']}, {calls['time_zone']}"),
        ("rows", f"{calls['rows']:,} read, {calls['calls']:,} calls in the period, "
                 f"{calls['repeats']:,} repeats of a call"),
        ("left out", ", ".join(f"{n:,} {why}" for why, n in calls["left_out"].items()) or "none"),
    ]  # fmt: skip
    yield table(("", ""), rows, texts=2)
    left_out = calls["left_out_rows"][:ROWS_SHOWN]
    if left_out:
        yield "<h3>Rows left out</h3>"
        yield table(
            ("line", "reason", "value"),
            [(row["line"], row["reason"], row["value"]) for row in left_out],
            texts=3,
        )
