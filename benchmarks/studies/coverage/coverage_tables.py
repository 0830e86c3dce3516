"""The tables of a coverage study, with what each column is.

What lives here: from what was measured to `Table`s. What does not: measuring, and lines along
streets (`street_lines`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from api.impact.reach import PAIR
from benchmarks.studies.coverage.arrivals import ALL, Arrivals
from benchmarks.studies.coverage.hours import DAYS, hours_in_words, in_words
from benchmarks.studies.coverage.measuring import CALLS, LAND, OWN_HOUR, STREETS, Measured
from benchmarks.studies.demand import CARE_911, CARE_OFFICER, Calls
from benchmarks.studies.tables import Table, texts
from geodata.driving_time import UNREACHABLE_MS
from routing.codes import Agency
from routing.coverage import Shares

Ints = NDArray[np.int32]
OWN_WORDS: Final = "their own"
_OF: Final = (
    f"What it is a share of: {CALLS} (calls of the demand that lie there, one each, whenever "
    f"they came), "
    f"{OWN_HOUR} (the same, each with the units on duty and the drive times of the hour of the "
    f"week in which it came), {STREETS} (kilometres of the centre lines on which an incident can "
    f"be: no motorway, ramp, tunnel or gated lane; a stretch counts where its middle lies), {LAND} "
    "(square kilometres within 100 m of a street)."
)
_WHO: Final = (
    "Whose arrival: CARE, SPD, or PAIR, which has arrived when both have. Arrival = turnout + "
    "start and park + drive of the nearest unit on duty, taken to be free."
)
_GAP: Final = (
    "CARE's arrival minus SPD's, seconds, of what both reach, by weight: above 0 CARE comes later. "
    "{share} have this gap or less. Only where UNIT is PAIR; none for streets."
)
SOME: Final = {
    "hour_of_week": "Whose drive times and units on duty count: 0 is Monday 00-01, 167 is Sunday "
    f"23-24, local time; '{OWN_WORDS}' where each call has its own.",
    "hour": "The same in words.",
    "area": "Name of the area; (zones): all zones of the release; (everywhere): all calls of the "
    "demand, in a zone or not; (elsewhere): calls in no area.",
    "of": _OF,
    "unit": _WHO,
    "amount": "All of it: calls, kilometres or square kilometres; what the shares are of.",
    "p50_s": "Seconds within which half of it is reached; empty where that never is.",
    "p90_s": "Seconds within which nine tenths of it are reached; empty where they never are.",
    "unreached_share": "Share that nobody reaches: no way, no street near, or nobody on duty.",
    "gap_p10_s": _GAP.format(share="10 %"),
    "gap_p50_s": _GAP.format(share="Half"),
    "gap_p90_s": _GAP.format(share="90 %"),
}  # fmt: skip


def within_name(limit_s: float) -> str:
    """Return the name of a limit: whole minutes as minutes."""
    minutes = limit_s / 60
    return f"within_{minutes:.0f}_min" if minutes == int(minutes) else f"within_{limit_s:g}_sec"


def minutes_of(limit_s: float) -> str:
    """Return a limit in words."""
    return f"{limit_s / 60:g} min"


def _within_columns(within_s: Sequence[float]) -> dict[str, str]:
    said = "Share of it that is reached within {} of dispatch, 0 to 1."
    return {f"{within_name(x)}_share": said.format(minutes_of(x)) for x in within_s}


def long_table(
    name: str, title: str, found: Sequence[Measured], within_s: Sequence[float]
) -> Table:
    """Return one row for each thing, area, hour and kind of arrival."""
    rows = [_long_row(one, kind, within_s) for one in found for kind in ALL]
    definitions = {**SOME, **_within_columns(within_s)}
    names = list(rows[0]) if rows else list(definitions)
    columns = {key: _column([row[key] for row in rows]) for key in names}
    return Table(name=name, title=title, columns=columns, definitions=definitions)


def _long_row(one: Measured, kind: str, within_s: Sequence[float]) -> dict[str, Any]:
    shares = one.shares[kind]
    gaps = one.gap_s if kind == PAIR and one.gap_s is not None else (np.nan,) * 3
    own = one.hour is None
    return {
        "hour_of_week": OWN_WORDS if own else str(one.hour),
        "hour": OWN_WORDS if one.hour is None else in_words(one.hour),
        "area": one.area, "of": one.of, "unit": kind, "amount": shares.total,
        **{f"{within_name(x)}_share": share_of(shares, k) for k, x in enumerate(within_s)},
        "p50_s": _real(shares.p50_s), "p90_s": _real(shares.p90_s),
        "unreached_share": shares.unreached if shares.total else np.nan,
        "gap_p10_s": gaps[0], "gap_p50_s": gaps[1], "gap_p90_s": gaps[2],
    }  # fmt: skip


def share_of(shares: Shares, k: int) -> float:
    """Return the share within the k-th limit, NaN of nothing."""
    return shares.within[k] if shares.total else np.nan


def _real(value: float | None) -> float:
    return np.nan if value is None else value


def _column(values: Sequence[Any]) -> NDArray[Any]:
    if values and isinstance(values[0], str):
        return texts(values)
    return np.array(values)


# -- one row for each area ------------------------------------------------------------------------


def short_table(
    geography: str, found: Sequence[Measured], within_s: Sequence[float], standard: int
) -> Table:
    """Return one row for each area in one hour, what a person reads first.

    Parameters
    ----------
    standard
        Which of the limits.
    """
    of = {(one.area, one.of): one for one in found}
    areas = list(dict.fromkeys(one.area for one in found))
    limit = within_name(within_s[standard])
    said = f"within {minutes_of(within_s[standard])} of dispatch, 0 to 1"
    rows = []
    for area in areas:
        calls, streets = of[area, CALLS], of.get((area, STREETS))
        row: dict[str, Any] = {"area": area, "calls": calls.shares[PAIR].total}
        for kind in ALL:
            row[f"calls_{kind.lower()}_{limit}_share"] = share_of(calls.shares[kind], standard)
        row["calls_pair_p50_s"] = _real(calls.shares[PAIR].p50_s)
        row["calls_pair_p90_s"] = _real(calls.shares[PAIR].p90_s)
        row["calls_gap_p50_s"] = np.nan if calls.gap_s is None else calls.gap_s[1]
        row["street_km"] = np.nan if streets is None else streets.shares[PAIR].total
        shares = None if streets is None else streets.shares[PAIR]
        row[f"street_pair_{limit}_share"] = np.nan if shares is None else share_of(shares, standard)
        rows.append(row)
    definitions = {
        "area": SOME["area"],
        "calls": "Calls of the demand that lie in it, whenever they came.",
        **{f"calls_{kind.lower()}_{limit}_share": f"Share of them that {kind} reaches {said}."
           for kind in ALL},
        "calls_pair_p50_s": "Seconds within which the pair is at half of them.",
        "calls_pair_p90_s": "Seconds within which the pair is at nine tenths of them.",
        "calls_gap_p50_s": "Median of CARE's arrival minus SPD's, of calls that both reach.",
        "street_km": "Kilometres of street on which an incident can be.",
        f"street_pair_{limit}_share": f"Share of these kilometres that the pair reaches {said}.",
    }  # fmt: skip
    columns = {key: _column([row[key] for row in rows]) for key in definitions}
    return Table(
        name=f"coverage_by_{geography}_short", title=f"By {geography}", columns=columns,
        definitions=definitions,
    )  # fmt: skip


# -- by hour of the week --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HourMeasured:
    """One hour of the week."""

    hour: int
    is_open: bool
    n_calls: int
    arrivals: Arrivals
    calls: Measured
    streets: Measured


_HOUR: Final = {
    "hour_of_week": "0 is Monday 00-01, 167 is Sunday 23-24, local time.",
    "day": "Weekday.",
    "hour": "Local hour of the day in which it begins.",
    "is_open": "Whether the policy of any zone is open in the middle of the hour.",
    "care_units": "CARE units on duty in the middle of the hour.",
    "spd_units": "SPD units on duty in the middle of the hour.",
    "calls_in_hour": "Calls of the zones that came in this hour of the week, of the whole period.",
    "pair_p50_s": "Seconds within which the pair would be at half of the calls in the zones.",
    "pair_p90_s": "Seconds within which the pair would be at nine tenths of them.",
    "gap_p50_s": "Median of CARE's arrival minus SPD's, of calls that both reach.",
}  # fmt: skip


def hour_table(found: Sequence[HourMeasured], within_s: Sequence[float]) -> Table:
    """Return one row for each hour of the week."""
    rows = []
    for one in found:
        units = one.arrivals.standing.units
        row: dict[str, Any] = {
            "hour_of_week": one.hour, "day": DAYS[one.hour // 24], "hour": one.hour % 24,
            "is_open": one.is_open, "care_units": units[Agency.CARE],
            "spd_units": units[Agency.SPD], "calls_in_hour": one.n_calls,
        }  # fmt: skip
        rows.append({**row, **_shares_of_hour(one, within_s)})
    definitions = {**_HOUR, **_hour_shares(within_s)}
    columns = {key: _column([row[key] for row in rows]) for key in rows[0]}
    return Table(
        name="coverage_by_hour", title="By hour of the week", columns=columns,
        definitions=definitions,
        notes=("All calls in the zones, whenever they came, stand for where calls are: shares say "
               "what the units on duty in an hour would reach of them with its drive times.",),
    )  # fmt: skip


def _shares_of_hour(one: HourMeasured, within_s: Sequence[float]) -> dict[str, Any]:
    pair = one.calls.shares[PAIR]
    row: dict[str, Any] = {}
    for kind in ALL:
        for k, limit_s in enumerate(within_s):
            name = f"calls_{kind.lower()}_{within_name(limit_s)}_share"
            row[name] = share_of(one.calls.shares[kind], k)
    for k, limit_s in enumerate(within_s):
        name = f"street_pair_{within_name(limit_s)}_share"
        row[name] = share_of(one.streets.shares[PAIR], k)
    gap = np.nan if one.calls.gap_s is None else one.calls.gap_s[1]
    times = {"pair_p50_s": _real(pair.p50_s), "pair_p90_s": _real(pair.p90_s), "gap_p50_s": gap}
    return {**row, **times}


def _hour_shares(within_s: Sequence[float]) -> dict[str, str]:
    found = {}
    for limit_s in within_s:
        name, said = within_name(limit_s), minutes_of(limit_s)
        for kind in ALL:
            found[f"calls_{kind.lower()}_{name}_share"] = (
                f"Share of the calls in the zones that {kind} would reach within {said} of "
                "dispatch, 0 to 1."
            )
        found[f"street_pair_{name}_share"] = (
            f"Share of the kilometres of street of all zones that the pair reaches within {said}."
        )
    return found


def staffing_table(found: Sequence[HourMeasured], within_s: Sequence[float]) -> Table:
    """Return one row for each different set of units on duty and drive times."""
    groups: dict[tuple[object, ...], list[HourMeasured]] = {}
    for one in found:
        groups.setdefault(one.arrivals.key, []).append(one)
    rows = []
    for some in groups.values():
        first = some[0]
        units = first.arrivals.standing.units
        row: dict[str, Any] = {
            "hours": hours_in_words([one.hour for one in some]), "n_hours": len(some),
            "care_units": units[Agency.CARE], "spd_units": units[Agency.SPD],
            "calls_in_hours": sum(one.n_calls for one in some),
        }  # fmt: skip
        rows.append({**row, **_shares_of_hour(first, within_s)})
    kept = [key for key in rows[0] if not key.startswith(("calls_care", "calls_spd"))]
    definitions = {
        **_HOUR, **_hour_shares(within_s),
        "hours": "Hours of the week with the same units on duty and the same drive times.",
        "n_hours": "How many they are, of 168.",
        "calls_in_hours": "Calls of the zones that came in these hours.",
    }  # fmt: skip
    return Table(
        name="coverage_by_staffing", title="By who is on duty",
        columns={key: _column([row[key] for row in rows]) for key in kept},
        definitions=definitions,
    )  # fmt: skip


# -- one row for each call ------------------------------------------------------------------------

KIND_WORDS: Final = {CARE_911: "CARE_911", CARE_OFFICER: "CARE_OFFICER"}


def call_table(
    calls: Calls,
    zones: Sequence[str],
    hours: Ints,
    fixed: tuple[int, Mapping[str, Ints]],
    own: Mapping[str, Ints],
) -> Table:
    """Return one row for each call.

    Parameters
    ----------
    zones, hours
        (n_calls,) zone, and hour of the week in which it came.
    fixed
        An hour of the week, and the arrivals in it.
    own
        Arrivals in the hour in which each call came.
    """
    hour, at = fixed
    when = [datetime.fromtimestamp(s, UTC).isoformat() for s in calls.at_s.tolist()]
    columns: dict[str, NDArray[Any]] = {
        "call_id": texts(calls.call_id), "queued_at": texts(when),
        "kind": texts([KIND_WORDS.get(kind, "POLICE") for kind in calls.kind.tolist()]),
        "call_type": texts(calls.call_type), "lon": calls.lon, "lat": calls.lat,
        "zone": texts(zones), "hour_of_week": hours.astype(np.int64),
        **{f"{kind.lower()}_s": seconds_of(at[kind]) for kind in ALL},
        "gap_s": seconds_of(at[Agency.CARE]) - seconds_of(at[Agency.SPD]),
        **{f"own_hour_{kind.lower()}_s": seconds_of(own[kind]) for kind in ALL},
    }  # fmt: skip
    fix = in_words(hour)
    definitions = {
        "call_id": "Of the table of calls, or of the generator.",
        "queued_at": "UTC; the instant that the table has of it.",
        "kind": "CARE_911, or CARE_OFFICER where an officer on scene asks for CARE.",
        "call_type": "Text of its type.",
        "lon": "Degrees, WGS 84.", "lat": "Degrees, WGS 84.",
        "zone": "That it lies in; empty for none.",
        "hour_of_week": "Local, in which it came: 0 is Monday 00-01.",
        "care_s": f"Arrival of CARE from dispatch, as of {fix}; empty where none comes.",
        "spd_s": f"Arrival of SPD from dispatch, as of {fix}.",
        "pair_s": "When both are there.",
        "gap_s": "CARE's arrival minus SPD's: above 0 CARE comes later.",
        "own_hour_care_s": "As care_s, with the units on duty and drive times of its own hour.",
        "own_hour_spd_s": "The same of SPD.", "own_hour_pair_s": "When both are there.",
    }  # fmt: skip
    return Table(
        name="coverage_calls", title="Every call", columns=columns, definitions=definitions
    )


def seconds_of(ms: Ints) -> NDArray[np.float64]:
    """Return seconds to a millisecond, NaN for unreached."""
    return np.where(ms < UNREACHABLE_MS, ms / 1000.0, np.nan)
