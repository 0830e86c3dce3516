"""What is told of recorded units: seconds gained where they can be told, else why they cannot.

What lives here: the tables of a replay that are about what was recorded. What does not: which units
can be compared (`recorded_units`).
"""

from collections import Counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.past.recorded_units import MEANS, Compared
from benchmarks.studies.past.replay_tables import (
    NOT_COMPARABLE,
    Replayed,
    gains,
    quantile,
    table_of,
)
from benchmarks.studies.tables import Table
from routing.codes import Agency, Outcome

Reals = NDArray[np.float64]
KINDS: Final = (*map(str, Agency), "PAIR")


def n_compared(found: Replayed) -> int:
    """Return the calls of which any recorded unit is compared."""
    columns = (found.decided.care_compared, found.decided.spd_compared)
    return int(np.logical_or.reduce([column == str(Compared.YES) for column in columns]).sum())


def beside_table(found: Replayed) -> Table:
    """Return the recorded responses beside the recommended ones, of calls with DISPATCH."""
    sent, calls = found.is_outcome(Outcome.DISPATCH), found.calls
    rows = []
    for agency in Agency:
        records = calls.records.get(agency)
        unknown = np.full(len(calls), np.nan)
        dispatched_s = unknown if records is None else records.dispatched_s
        at_scene_s = unknown if records is None else records.at_scene_s
        travel_s = (at_scene_s - dispatched_s)[sent]
        answer_s = getattr(found.decided, f"{agency.lower()}_s")[sent]
        compared = getattr(found.decided, f"{agency.lower()}_compared")[sent]
        n_told = int((compared == str(Compared.YES)).sum())
        rows.append({
            "agency": str(agency), "calls": int(sent.sum()),
            "recorded": int((~np.isnan(travel_s)).sum()),
            "recorded_there": int((travel_s == 0).sum()),
            "recorded_delay_p50_s": quantile((dispatched_s - calls.at_s)[sent], 0.5),
            "recorded_travel_p50_s": quantile(travel_s, 0.5),
            "recorded_travel_p90_s": quantile(travel_s, 0.9),
            "answer_p50_s": quantile(answer_s, 0.5), "answer_p90_s": quantile(answer_s, 0.9),
            "comparable": f"{n_told:,} calls compared" if n_told else NOT_COMPARABLE,
        })  # fmt: skip
    definitions = {
        "agency": "CARE or SPD.",
        "calls": "Calls with DISPATCH.",
        "recorded": "Of them, those of which the table has dispatch and arrival of its first unit.",
        "recorded_there": "Of these, calls with no second between the two: it was there already.",
        "recorded_delay_p50_s": "Recorded: median seconds from queued to dispatch.",
        "recorded_travel_p50_s": "Recorded: median seconds from dispatch to the scene.",
        "recorded_travel_p90_s": "Recorded: nine tenths were there within so many seconds.",
        "answer_p50_s": "Median arrival of the answer's unit, seconds from its dispatch.",
        "answer_p90_s": "Nine tenths of the answer's units are there within so many seconds.",
        "comparable": f"'{NOT_COMPARABLE}': the recorded unit was somewhere else, or nobody knows "
        "where, and the answer's is taken to be free; the difference is no gain.",
    }
    return table_of("replay_recorded", "Recorded beside recommended", rows, definitions)


def why_table(found: Replayed) -> Table:
    """Return for each kind how many calls are compared, and why the others are not."""
    rows = []
    for agency in Agency:
        told = Counter(getattr(found.decided, f"{agency.lower()}_compared").tolist())
        rows += [
            {"agency": str(agency), "code": code, "meaning": MEANS[Compared(code)], "calls": n}
            for code, n in sorted(told.items(), key=lambda item: -item[1])
        ]
    definitions = {
        "agency": "CARE or SPD.", "code": "As every call has it in replay_calls.",
        "meaning": "In words.", "calls": "Calls of the period.",
    }  # fmt: skip
    return table_of("replay_comparable", "What can be compared", rows, definitions)


def gain_table(found: Replayed) -> Table:
    """Return the seconds gained by CARE, by SPD and by the pair, of calls that are compared."""
    gained = gains(found)
    decided = found.decided
    recorded = {
        "CARE": decided.care_recorded_s, "SPD": decided.spd_recorded_s,
        "PAIR": np.maximum(decided.care_recorded_s, decided.spd_recorded_s),
    }  # fmt: skip
    answer = {"CARE": decided.care_s, "SPD": decided.spd_s, "PAIR": decided.pair_s}
    rows = [_gain_row(kind, gained[kind], recorded[kind], answer[kind]) for kind in KINDS]
    definitions = {
        "unit": "CARE, SPD, or PAIR: complete when both are there.",
        "calls": "Calls that are compared.",
        "recorded_p50_s": "Median arrival of the recorded units by the drive times of the study.",
        "answer_p50_s": "Median arrival of the answer's units by the same drive times.",
        "gain_mean_s": "Mean seconds gained; below 0 the answer's is later.",
        "gain_p10_s": "A tenth of the calls gain this or less.",
        "gain_p50_s": "Half of the calls gain this or less.",
        "gain_p90_s": "Nine tenths of the calls gain this or less.",
        "sooner_share": "Share of the calls at which the answer's units are there sooner, 0 to 1.",
    }
    return table_of("replay_gains", "Seconds gained", rows, definitions)


def _gain_row(kind: str, gain: Reals, recorded: Reals, answer: Reals) -> dict[str, Any]:
    told = ~np.isnan(gain)
    n = int(told.sum())
    return {
        "unit": kind, "calls": n,
        "recorded_p50_s": quantile(recorded[told], 0.5),
        "answer_p50_s": quantile(answer[told], 0.5),
        "gain_mean_s": float(gain[told].mean()) if n else np.nan,
        "gain_p10_s": quantile(gain, 0.1), "gain_p50_s": quantile(gain, 0.5),
        "gain_p90_s": quantile(gain, 0.9),
        "sooner_share": float((gain[told] > 0).mean()) if n else np.nan,
    }  # fmt: skip


def model_table(found: Replayed) -> Table:
    """Return how far the drive times are off, of recorded units that are compared."""
    rows = []
    for agency in Agency:
        records = found.calls.records.get(agency)
        if records is None:
            continue
        model_s = getattr(found.decided, f"{agency.lower()}_recorded_s")
        travel_s = records.at_scene_s - records.dispatched_s
        off = model_s - travel_s
        told = ~np.isnan(off)
        n = int(told.sum())
        rows.append({
            "agency": str(agency), "calls": n,
            "recorded_p50_s": quantile(travel_s[told], 0.5),
            "model_p50_s": quantile(model_s[told], 0.5),
            "off_p50_s": quantile(off, 0.5),
            "off_abs_p50_s": quantile(np.abs(off), 0.5),
        })  # fmt: skip
    definitions = {
        "agency": "CARE or SPD.",
        "calls": "Compared calls with a recorded dispatch and arrival.",
        "recorded_p50_s": "Recorded: median seconds from dispatch to the scene.",
        "model_p50_s": "Median arrival of the same units by the drive times of the study.",
        "off_p50_s": "Median of the second minus the first: above 0 the study is too slow.",
        "off_abs_p50_s": "Median of its absolute value.",
    }
    return table_of("replay_model", "Drive times against what was recorded", rows, definitions)
