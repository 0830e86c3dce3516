"""The tables of a replay, with what each column is: outcomes, reasons, areas, hours, every call.

What lives here: from what was decided to `Table`s. What does not: deciding, and what is said of
recorded units (`gain_tables`).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks.studies.coverage.hours import hours_of
from benchmarks.studies.demand import Calls
from benchmarks.studies.past.deciding import BETWEEN, Decided
from benchmarks.studies.past.recorded_units import Compared
from benchmarks.studies.report.call_data import UnitTimes, call_data_table, wall_clock
from benchmarks.studies.tables import Table, texts
from benchmarks.studies.world import NO_AREA, World
from routing.codes import Agency, GateCode, HoldReason, Outcome

Bools = NDArray[np.bool_]
Reals = NDArray[np.float64]
ELSEWHERE: Final = "(elsewhere)"
ALL: Final = "(all)"
NOT_COMPARABLE: Final = "not comparable"
REASONS: Final = {
    GateCode.OUTSIDE_ALL_ZONES: "It lies in no zone of the release.",
    GateCode.EXCLUDED_ZONE: "It lies in a zone that takes no calls.",
    GateCode.LOCATION_OUTSIDE: "It lies outside the streets that are loaded.",
    GateCode.BEFORE_OPENING: "It came before the hours begin, and is held until then.",
    GateCode.OUTSIDE_WINDOW: "It came when the hours are over, or too long before they begin.",
    GateCode.CALL_TYPE_NOT_MAPPED: "The release does not say what its type means.",
    GateCode.CALL_TYPE_NOT_ELIGIBLE: "Its type is not among the eligible ones.",
    GateCode.MODE_NOT_ALLOWED: "The policy of its zone does not have the mode.",
    HoldReason.NO_UNIT_IN_ROSTER: "Nobody of the missing kind is on duty.",
    HoldReason.NO_UNIT_AVAILABLE: "Nobody of the missing kind is free.",
    HoldReason.NO_UNIT_QUALIFIED: "Rules keep every free unit of the missing kind away.",
    HoldReason.TOO_FEW_UNITS: "Fewer units qualify than the mode sends.",
    HoldReason.RESERVE: "A reserve keeps the units back.",
    HoldReason.OUT_OF_SCOPE: "Those that could go belong to another sector or precinct.",
    HoldReason.WINDOW_NOT_OPEN: "The hours have not begun.",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replayed:
    """All calls with what was decided."""

    world: World
    calls: Calls
    decided: Decided

    @property
    def gap_s(self) -> Reals:
        """(n_calls,) CARE's arrival minus that of SPD, of calls to which both are sent."""
        both = ~np.isnan(self.decided.pair_s)
        return np.where(both, self.decided.care_s - self.decided.spd_s, np.nan)

    @property
    def hour_of_week(self) -> NDArray[np.int32]:
        """(n_calls,) local, in which each call came."""
        return hours_of(self.world.release, self.calls.at_s)

    def is_outcome(self, outcome: Outcome) -> Bools:
        """Return (n_calls,) which calls had an outcome."""
        return np.asarray(self.decided.outcome == str(outcome), np.bool_)


def quantile(values: Reals, share: float) -> float:
    """Return the least value that a share does not exceed; NaN is left out, of none it is NaN."""
    known = values[~np.isnan(values)]
    return float(np.quantile(known, share, method="inverted_cdf")) if len(known) else np.nan


_COUNTS: Final = {
    "calls": "Calls of the period.",
    "dispatch": "Of them, DISPATCH: all units that the mode needs go at once.",
    "hold": "HOLD: the pair waits, for its hours or for a unit.",
    "refused": "NOT_ELIGIBLE: the normal response plan.",
    "dispatch_share": "Share of the calls with DISPATCH, 0 to 1.",
    "care_p50_s": "Median of CARE's arrival from the decision, seconds, of calls with DISPATCH to "
    "which it is sent.",
    "spd_p50_s": "The same of SPD.",
    "pair_p50_s": "Median of when both are there, of calls with DISPATCH to which both are sent.",
    "pair_p90_s": "Seconds within which both are there at nine tenths of them.",
    "gap_p50_s": "Median of CARE's arrival minus SPD's: above 0 CARE comes later.",
}  # fmt: skip


def counts_of(found: Replayed, rows: Bools) -> dict[str, Any]:
    """Return what is counted of some calls, by the columns of `_COUNTS`."""
    n = int(rows.sum())
    sent, held, refused = (
        rows & found.is_outcome(one)
        for one in (Outcome.DISPATCH, Outcome.HOLD, Outcome.NOT_ELIGIBLE)
    )
    decided = found.decided
    return {
        "calls": n, "dispatch": int(sent.sum()), "hold": int(held.sum()),
        "refused": int(refused.sum()), "dispatch_share": sent.sum() / n if n else np.nan,
        "care_p50_s": quantile(decided.care_s[sent], 0.5),
        "spd_p50_s": quantile(decided.spd_s[sent], 0.5),
        "pair_p50_s": quantile(decided.pair_s[sent], 0.5),
        "pair_p90_s": quantile(decided.pair_s[sent], 0.9),
        "gap_p50_s": quantile(found.gap_s[sent], 0.5),
    }  # fmt: skip


def table_of(
    name: str, title: str, rows: Sequence[dict[str, Any]], definitions: dict[str, str]
) -> Table:
    """Return a table of rows; texts are columns of texts even where there is no row."""
    columns = {}
    for key in definitions:
        values = [row[key] for row in rows]
        is_text = any(isinstance(value, str) for value in values)
        columns[key] = texts(values) if is_text or not values else np.array(values)
    return Table(name=name, title=title, columns=columns, definitions=definitions)


# -- what became of calls -------------------------------------------------------------------------


def outcome_table(found: Replayed) -> Table:
    """Return one row for each outcome and mode."""
    decided = found.decided
    kinds = Counter(zip(decided.outcome.tolist(), decided.mode.tolist(), strict=True))
    rows = []
    for (outcome, mode), n in sorted(kinds.items(), key=lambda item: (-item[1], str(item[0]))):
        some = (decided.outcome == outcome) & (decided.mode == mode)
        rows.append({
            "outcome": outcome, "mode": mode, "calls": n, "calls_share": n / len(found.calls),
            "care_p50_s": quantile(decided.care_s[some], 0.5),
            "spd_p50_s": quantile(decided.spd_s[some], 0.5),
            "pair_p50_s": quantile(decided.pair_s[some], 0.5),
            "pair_p90_s": quantile(decided.pair_s[some], 0.9),
            "gap_p10_s": quantile(found.gap_s[some], 0.1),
            "gap_p50_s": quantile(found.gap_s[some], 0.5),
            "gap_p90_s": quantile(found.gap_s[some], 0.9),
        })  # fmt: skip
    gap = "CARE's arrival minus SPD's of these calls: {} have this or less."
    definitions = {
        "outcome": "DISPATCH: go now. HOLD: the pair waits. NOT_ELIGIBLE: the normal response.",
        "mode": "DUAL: CARE and SPD together. SOLO: CARE alone. REFER: another service. Empty: "
        "not eligible in any.",
        "calls": "Calls with both.", "calls_share": "Share of all calls of the period, 0 to 1.",
        "care_p50_s": "Median arrival of the CARE unit that is sent now, seconds from decision.",
        "spd_p50_s": "The same of SPD; of a HOLD, of the unit that goes ahead.",
        "pair_p50_s": "Median of when both are there.",
        "pair_p90_s": "Seconds within which both are there at nine tenths of them.",
        "gap_p10_s": gap.format("a tenth"), "gap_p50_s": gap.format("half"),
        "gap_p90_s": gap.format("nine tenths"),
    }  # fmt: skip
    return table_of("replay_outcomes", "What became of the calls", rows, definitions)


def reason_table(found: Replayed) -> Table:
    """Return one row for each reason why a call is refused or held."""
    rows = list(_reasons(found))
    rows.sort(key=lambda row: (row["of"], -row["calls"], row["code"]))
    definitions = {
        "of": "refused: a gate fails. held: why the pair waits.",
        "code": "As an answer of the service has it.",
        "meaning": "In words.",
        "calls": "Calls for which it holds; a call may have several reasons.",
        "alone": "Of them, those that have no other reason: they would pass without it.",
    }
    return table_of("replay_reasons", "Why calls are refused or held", rows, definitions)


def _reasons(found: Replayed) -> Iterator[dict[str, Any]]:
    decided = found.decided
    refused, held = found.is_outcome(Outcome.NOT_ELIGIBLE), found.is_outcome(Outcome.HOLD)
    for of, some, column in (
        ("refused", refused, decided.gates),
        ("held", held, decided.holds),
    ):
        told = [text.split(BETWEEN) for text in column[some].tolist() if text]
        n_calls = Counter(code for codes in told for code in dict.fromkeys(codes))
        alone = Counter(codes[0] for codes in told if len(set(codes)) == 1)
        for code, n in n_calls.items():
            meaning = REASONS.get(code, code.replace("_", " ").capitalize() + ".")
            yield {
                "of": of, "code": code, "meaning": meaning, "calls": n, "alone": alone[code],
            }  # fmt: skip


# -- where and when -------------------------------------------------------------------------------


def area_table(found: Replayed, name: str) -> Table:
    """Return one row for each area of a geography, those with most calls sent first."""
    areas = found.world.areas[name]
    number = areas.number_at(found.calls.lon, found.calls.lat)
    rows = []
    for k, area in (*enumerate(areas.names), (NO_AREA, ELSEWHERE)):
        some = number == k
        if some.any() or k != NO_AREA:
            rows.append({"area": area, **counts_of(found, some)})
    rows.sort(key=lambda row: (-row["dispatch"], -row["hold"], -row["calls"]))
    rows.insert(0, {"area": ALL, **counts_of(found, np.ones(len(number), np.bool_))})
    definitions = {
        "area": f"Name of the area; {ALL}: everywhere; {ELSEWHERE}: in no area.", **_COUNTS,
    }  # fmt: skip
    return table_of(f"replay_by_{name}", f"By {name}", rows, definitions)


def hour_table(found: Replayed) -> Table:
    """Return one row for each local hour of the day."""
    hour = found.hour_of_week % 24
    rows = [{"hour": k, **counts_of(found, hour == k)} for k in range(24)]
    definitions = {"hour": "Local hour of the day in which the call came.", **_COUNTS}
    return table_of("replay_by_hour", "By hour of the day", rows, definitions)


def unit_table(found: Replayed) -> Table:
    """Return how often each unit is named, of calls with DISPATCH."""
    sent = found.is_outcome(Outcome.DISPATCH)
    rows = []
    for agency in Agency:
        names, arrival_s = (
            getattr(found.decided, f"{agency.lower()}_{key}")[sent] for key in ("unit", "s")
        )
        n_calls = Counter(name for name in names.tolist() if name is not None)
        for unit, n in sorted(n_calls.items()):
            p50 = quantile(arrival_s[names == unit], 0.5)
            rows.append({"agency": str(agency), "unit": unit, "calls": n, "arrival_p50_s": p50})
    definitions = {
        "agency": "CARE or SPD.", "unit": "Named by its post, or as it was recorded.",
        "calls": "Calls with DISPATCH for which the answer names it; each as if it were free.",
        "arrival_p50_s": "Median of its arrival, seconds from the decision.",
    }  # fmt: skip
    return table_of("replay_units", "Who would have been sent", rows, definitions)


# -- every call -----------------------------------------------------------------------------------


def call_table(found: Replayed) -> Table:
    """Return one row for each call: what the answer is, and what was recorded beside it."""
    world, calls, decided = found.world, found.calls, found.decided
    zone = world.release.city_policy.window.zone
    gain = gains(found)
    columns: dict[str, NDArray[Any]] = {
        "call_id": texts(calls.call_id), "queued_at": wall_clock(calls.at_s, zone),
        "decided_at": wall_clock(decided.decided_s, zone),
        "call_type": texts(calls.call_type), "lon": calls.lon, "lat": calls.lat,
        "outcome": decided.outcome, "mode": decided.mode, "zone": decided.zone,
        "gates": decided.gates, "holds": decided.holds,
        "care_unit": decided.care_unit, "spd_unit": decided.spd_unit,
        "care_s": decided.care_s, "spd_s": decided.spd_s, "pair_s": decided.pair_s,
        "gap_s": found.gap_s,
        "care_from": decided.care_from, "spd_from": decided.spd_from,
    }  # fmt: skip
    for agency in Agency:
        columns |= _recorded(calls, agency)
    comparable = [comparable_words(*row) for row in zip(*_compared(decided), strict=True)]
    columns |= {
        "comparable": texts(comparable),
        "care_compared": decided.care_compared, "spd_compared": decided.spd_compared,
        **{f"recorded_{agency.lower()}_model_s": getattr(decided, f"{agency.lower()}_recorded_s")
           for agency in Agency},
        "care_gain_s": gain["CARE"], "spd_gain_s": gain["SPD"], "pair_gain_s": gain["PAIR"],
    }  # fmt: skip
    return Table(
        name="replay_calls", title="Every call", columns=columns,
        definitions={name: _CALLS[name] for name in columns},
        geometry=[shapely.Point(*at) for at in zip(calls.lon, calls.lat, strict=True)],
    )  # fmt: skip


def _compared(decided: Decided) -> tuple[list[str], list[str]]:
    return decided.care_compared.tolist(), decided.spd_compared.tolist()


def comparable_words(care: str, spd: str) -> str:
    """Return whether a row may be read as a comparison, on the row itself."""
    told = [a for a, why in (("CARE", care), ("SPD", spd)) if why == Compared.YES]
    return f"{' and '.join(told)} compared" if told else NOT_COMPARABLE


def _recorded(calls: Calls, agency: Agency) -> dict[str, NDArray[Any]]:
    kind, records = agency.lower(), calls.records.get(agency)
    if records is None:
        return {}
    found: dict[str, NDArray[Any]] = {}
    if any(records.unit):
        found[f"recorded_{kind}_unit"] = texts(records.unit)
    found[f"recorded_{kind}_delay_s"] = records.dispatched_s - calls.at_s
    found[f"recorded_{kind}_travel_s"] = records.at_scene_s - records.dispatched_s
    found[f"recorded_{kind}_response_s"] = records.at_scene_s - calls.at_s
    return found


def gains(found: Replayed) -> dict[str, Reals]:
    """Return (n_calls,) seconds gained by CARE, SPD and PAIR; NaN where nothing is compared."""
    decided = found.decided
    care = decided.care_recorded_s - decided.care_s
    spd = decided.spd_recorded_s - decided.spd_s
    pair = np.maximum(decided.care_recorded_s, decided.spd_recorded_s) - decided.pair_s
    return {"CARE": care, "SPD": spd, "PAIR": pair}


def replay_call_data(found: Replayed) -> Table:
    """Return the calls with the units of the answers in the columns of the city's Call Data."""
    decided, times = found.decided, {}
    for agency in Agency:
        arrival_s = getattr(decided, f"{agency.lower()}_s")
        sent_s = np.where(np.isnan(arrival_s), np.nan, decided.decided_s)
        times[agency] = UnitTimes(dispatched_s=sent_s, at_scene_s=sent_s + arrival_s)
    said = (
        "Units are those of the answers, sent at the instant of the decision, each free at its "
        "post unless its position was recorded: modelled, not recorded."
    )
    return call_data_table(found.world, found.calls, times, notes=(said,))


def _call_definitions() -> dict[str, str]:
    found = {
        "call_id": "Of the table of calls.",
        "queued_at": "Local wall-clock time that the table has of the call.",
        "decided_at": "Local; when it is decided: as queued, or when a recorded unit with a known "
        "place was dispatched.",
        "call_type": "Text of its type, as the release is asked about it.",
        "lon": "Degrees, WGS 84.", "lat": "Degrees, WGS 84.",
        "outcome": "DISPATCH, HOLD or NOT_ELIGIBLE.",
        "mode": "DUAL, SOLO or REFER; empty where it is not eligible.",
        "zone": "That wins; empty for none.",
        "gates": "Codes of the gates that fail, with ; between them.",
        "holds": "Reasons why the pair waits, with ; between them.",
        "pair_s": "When both are there, seconds from the decision.",
        "gap_s": "CARE's arrival minus SPD's: above 0 CARE comes later.",
        "comparable": f"'{NOT_COMPARABLE}', or whose recorded unit is laid beside the answer's.",
        "pair_gain_s": "Seconds by which the pair of the answer is complete before the recorded "
        "pair; only where both recorded units are compared.",
    }  # fmt: skip
    for agency in Agency:
        kind = agency.lower()
        found |= {
            f"{kind}_unit": f"{agency} unit that the answer sends now.",
            f"{kind}_s": "Its arrival, seconds from the decision.",
            f"{kind}_from": f"Where {agency} units were taken to be: POSTS, RECORDED_POSITIONS.",
            f"recorded_{kind}_unit": f"{agency} unit that was really dispatched.",
            f"recorded_{kind}_delay_s": "Recorded: seconds from queued to its dispatch.",
            f"recorded_{kind}_travel_s": "Recorded: seconds from its dispatch to the scene.",
            f"recorded_{kind}_response_s": "Recorded: seconds from queued to the scene.",
            f"recorded_{kind}_model_s": "Arrival of that unit by the drive times of the study, "
            "sent from where it was; only where it is compared.",
            f"{kind}_compared": "Whether it is compared, or why not: "
            + ", ".join(Compared) + ".",
            f"{kind}_gain_s": "Seconds by which the answer's unit is there before the recorded "
            "one, both by the drive times of the study; only where it is compared.",
        }  # fmt: skip
    return found


_CALLS: Final = _call_definitions()
