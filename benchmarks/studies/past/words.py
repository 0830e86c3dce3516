"""What a replay says in sentences: findings, cautions, assumptions."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from api.html_page import minutes
from benchmarks.studies.coverage.words import of_the_data
from benchmarks.studies.past.gain_tables import n_compared
from benchmarks.studies.past.recorded_units import Compared
from benchmarks.studies.past.replay_tables import Replayed, counts_of, gains, quantile
from benchmarks.studies.past.rosters import FRESH_S, RECORDED
from routing.codes import Agency, Outcome

NOT_COMPARABLE: Final = (
    "NOT COMPARABLE with what was recorded: of no call does the data say which unit was "
    "dispatched, from where, and that it was free. Recommended arrivals stand beside recorded ones "
    "where there are any; the difference is no gain, and no seconds gained are told."
)
SOME_COMPARED: Final = (
    "Seconds gained are told of {n:,} of {total:,} calls, of which the data has the dispatched "
    "unit, its position, and nothing against its being free. Every other call is not comparable, "
    "and its row says so."
)
UPPER: Final = (
    "An upper bound: the recorded unit is driven from where it was, and the others are taken to "
    "be free at their posts, which they may not have been."
)
MEMORYLESS: Final = (
    "Each call is decided by itself, with every unit on duty free at its post unless its position "
    "was recorded: no call keeps a unit from the next. How busy units would have been is told by "
    "tandem study simulate."
)


def cautions(found: Replayed) -> tuple[str, ...]:
    """Return what stands on the face of the report."""
    said = list(of_the_data(found.world, is_proxy=found.calls.is_proxy))
    n = n_compared(found)
    if not n:
        said.append(NOT_COMPARABLE)
    else:
        said.append(SOME_COMPARED.format(n=n, total=len(found.calls)))
        if upper_bound(found):
            said.append(UPPER)
    return (*said, MEMORYLESS)


def upper_bound(found: Replayed) -> bool:
    """Tell whether any compared unit stands beside units that are only taken to be at posts."""
    decided = found.decided
    return any(
        bool(((compared == str(Compared.YES)) & (source != RECORDED)).any())
        for compared, source in (
            (decided.care_compared, decided.care_from), (decided.spd_compared, decided.spd_from)
        )
    )  # fmt: skip


def in_short(found: Replayed) -> tuple[str, ...]:
    """Return the findings, a sentence each."""
    return (*_outcomes(found), *_arrivals(found), *_recorded(found), *_gains(found))


def _outcomes(found: Replayed) -> Iterator[str]:
    n = len(found.calls)
    told = counts_of(found, np.ones(n, np.bool_))
    per_week = told["dispatch"] / found.calls.weeks
    yield (
        f"Of {n:,} calls under release {found.world.release.release_id}, {told['dispatch']:,} "
        f"({told['dispatch'] / n:.0%}) are sent at once ({per_week:.1f} a week), "
        f"{told['hold']:,} are held and {told['refused']:,} refused."
    )


def _arrivals(found: Replayed) -> Iterator[str]:
    sent = found.is_outcome(Outcome.DISPATCH)
    pair = found.decided.pair_s[sent]
    both = int((~np.isnan(pair)).sum())
    if both:
        gap = quantile(found.gap_s[sent], 0.5)
        first = "CARE after SPD" if gap >= 0 else "SPD after CARE"
        yield (
            f"Where both are sent ({both:,} calls) the pair is complete within "
            f"{minutes(quantile(pair, 0.5))} at half and within {minutes(quantile(pair, 0.9))} at "
            f"nine tenths; in the middle {first} by {minutes(abs(gap))}."
        )
    care = found.decided.care_s[sent & np.isnan(found.decided.pair_s)]
    if (~np.isnan(care)).any():
        n = int((~np.isnan(care)).sum())
        yield f"CARE goes alone to {n:,} calls: {minutes(quantile(care, 0.5))} at half of them."


def _recorded(found: Replayed) -> Iterator[str]:
    sent = found.is_outcome(Outcome.DISPATCH)
    for agency in Agency:
        records = found.calls.records.get(agency)
        if records is None:
            continue
        travel_s = (records.at_scene_s - records.dispatched_s)[sent]
        answer_s = getattr(found.decided, f"{agency.lower()}_s")[sent]
        n = int((~np.isnan(travel_s)).sum())
        if n and (~np.isnan(answer_s)).any():
            yield (
                f"Recorded: {agency} was there within {minutes(quantile(travel_s, 0.5))} of "
                f"dispatch at half of {n:,} of these calls; the answers' units within "
                f"{minutes(quantile(answer_s, 0.5))}. The difference is no gain: {_why(found)}."
            )


def _why(found: Replayed) -> str:
    n = n_compared(found)
    if n:
        return f"units and their places are known of {n:,} calls alone"
    return "nobody knows where those units were"


def _gains(found: Replayed) -> Iterator[str]:
    for kind, values in gains(found).items():
        known = values[~np.isnan(values)]
        if len(known):
            who = "the pair" if kind == "PAIR" else kind
            yield (
                f"Of {len(known):,} compared calls {who} would be there {known.mean() / 60:+.1f} "
                f"min sooner on average ({quantile(known, 0.5) / 60:+.1f} min in the middle)."
            )


def assumptions(found: Replayed) -> dict[str, str]:
    """Return what was assumed, by key of the scenario."""
    scenario = found.world.scenario
    durations = scenario.durations
    said = {
        "every call": "is decided by itself, by the service's own recommend(), as a 911 call by "
        "policy; demand.officer_share, screened_out_share and rate_factor are not used",
        "screening": "the table has none: every call is taken as screened, with NO to everything",
        "instant of the decision": "when the call is queued; where a recorded unit with a known "
        "position was dispatched, that instant",
        "a unit at its post": "is free for every call while its shift lasts; breaks are not taken",
        "a recorded position": f"counts for {FRESH_S} s; a unit that the CAD dispatched from a "
        "known position was free unless the table says otherwise",
        "durations.turnout_care_s": f"{durations.turnout_care_s:g} s (assumption)",
        "durations.turnout_spd_s": f"{durations.turnout_spd_s:g} s (assumption)",
        "durations.speed_factor": f"{durations.speed_factor:g} times the drive times",
        "demand": found.calls.source,
    }
    for group in scenario.units:
        key = f"units.{group.agency}"
        told = f"{group.count} at {len(group.posts)} places" + (
            f" ({group.told})" if group.told else ""
        )
        said[key] = f"{said[key]}; {told}" if key in said else told
    return said
