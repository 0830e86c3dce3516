"""An impact as JSON: every count with its definition, and a manifest of what it was made of."""

from dataclasses import asdict
from typing import Any, Final

from api.impact.counting import LEVELS, Change, Group
from api.impact.judging import Level
from api.impact.measure import Impact
from api.impact.reach import WITHIN_S
from api.impact.words import ASSUMPTIONS, DEFINITIONS, NO_TYPES, PROXY
from geodata.artifacts import software_version
from routing.coverage import Shares

LEFT_OUT_MAX: Final = 100
"""Rows that are listed; all are counted."""
FORMAT: str = "tandem-release-impact/1"


def as_object(impact: Impact) -> dict[str, Any]:
    """Return everything as JSON takes it; equal impacts give equal objects."""
    counts, ground = impact.counts, impact.ground
    return {
        "format": FORMAT,
        "manifest": manifest(impact),
        "proxy": PROXY if impact.question.history.is_proxy else None,
        "calls": {
            "weeks": impact.question.history.weeks,
            "eligible_known": impact.question.history.has_types,
            "total": _changes(impact, counts.total),
            "waits": {"live": counts.waits[0], "draft": counts.waits[1]},
            "by_zone": [_group(impact, group) for group in counts.by_zone],
            "by_type": [_group(impact, group) for group in counts.by_type],
            "by_zone_and_type": [_group(impact, group) for group in counts.by_zone_and_type],
        },
        "land_km2": {"live": ground.live_km2, "draft": ground.draft_km2},
        "whole_city": {"live": ground.whole_city[0], "draft": ground.whole_city[1]},
        "streets_m": {"live": ground.live_street_m, "draft": ground.draft_street_m},
        "changes_hands": [asdict(one) for one in ground.handed],
        "streets": [
            {"street": name, "from_zone": a, "to_zone": b, "metres": round(metres, 1)}
            for name, a, b, metres in ground.streets
        ],
        "policies": [asdict(one) for one in impact.policies],
        "coverage": [
            {
                "release": reach.release, "of": reach.of,
                **{kind: _shares(shares) for kind, shares in reach.shares.items()},
            }
            for reach in impact.reached.reaches
        ],
        "workload": _workload(impact),
        "what_if": None if impact.what_if is None else _what_if(impact),
        "definitions": dict(DEFINITIONS),
        "assumptions": list(ASSUMPTIONS),
    }  # fmt: skip


def manifest(impact: Impact) -> dict[str, Any]:
    """Return what the numbers were made of."""
    question, history = impact.question, impact.question.history
    source = impact.reached.pieces.network.source
    return {
        "live": question.live.key,
        "draft": question.draft.key,
        "software": software_version(),
        "network": source.network_id,
        "network_description": source.description,
        "network_licence": source.licence,
        "schematic": source.schematic,
        "posts": question.posts.told,
        "post_places": {str(kind): dict(posts) for kind, posts in question.posts.of.items()},
        "care_units": question.care_units,
        "calls": {
            "file": history.source, "sha256": history.sha256, "table": history.columns.name,
            "note": history.columns.note, "time_is": str(history.columns.time_is),
            "time_zone": str(history.columns.time_zone),
            "first_day": history.first_day.isoformat(), "last_day": history.last_day.isoformat(),
            "rows": history.n_rows, "calls": len(history), "repeats": history.n_repeats,
            "left_out": {str(reason): n for reason, n in history.bad.items()},
            "left_out_rows": [
                {"line": one.line, "reason": str(one.reason), "value": one.value}
                for one in history.left_out[:LEFT_OUT_MAX]
            ],
            "assumed_type": history.assumed_type,
            "eligible": None if history.has_types else NO_TYPES,
        },
    }  # fmt: skip


def _changes(impact: Impact, group: Group) -> dict[str, Any]:
    weeks = impact.question.history.weeks
    told = dict(zip(LEVELS, group.change, strict=True))
    return {
        level.name.lower(): _change(told[level], weeks) if level in impact.levels else None
        for level in Level
        if level in told
    }


def _change(change: Change, weeks: float) -> dict[str, Any]:
    counted = asdict(change)
    return {**counted, "per_week": {name: round(n / weeks, 3) for name, n in counted.items()}}


def _group(impact: Impact, group: Group) -> dict[str, Any]:
    named = {"zone_id": group.zone_id, "call_type": group.call_type}
    told = {name: text for name, text in named.items() if text is not None}
    return {**told, **_changes(impact, group)}


def _shares(shares: Shares) -> dict[str, Any]:
    return {
        "total": round(shares.total, 3),
        "within": {
            str(limit_s): round(share, 5)
            for limit_s, share in zip(WITHIN_S, shares.within, strict=True)
        },
        "p50_s": shares.p50_s,
        "p90_s": shares.p90_s,
        "unreached": round(shares.unreached, 5),
    }


def _workload(impact: Impact) -> dict[str, Any] | None:
    loads = impact.reached.workloads
    if loads is None:
        return None
    return {name: asdict(load) for name, load in zip(("live", "draft"), loads, strict=True)}


def _what_if(impact: Impact) -> dict[str, Any]:
    found = impact.what_if
    assert found is not None, "the period was not decided again"
    return {
        "calls": found.n_calls,
        "outside_both": found.n_outside,
        "same": found.n_same,
        "changed": dict(found.changed),
        "outcomes": [
            {"answer": kind, "live": live, "draft": draft} for kind, live, draft in found.outcomes
        ],
        "examples": {
            words: [{**asdict(one), "at": one.at.isoformat()} for one in examples]
            for words, examples in found.examples
        },
    }
