"""What a coverage study says in sentences: findings, cautions, assumptions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from api.html_page import minutes
from api.impact.reach import PAIR
from api.impact.words import PROXY
from benchmarks.studies.coverage.coverage_tables import HourMeasured, minutes_of
from benchmarks.studies.coverage.hours import hours_in_words, in_words
from benchmarks.studies.coverage.measuring import (
    CALLS,
    ELSEWHERE,
    EVERYWHERE,
    LAND,
    OWN_HOUR,
    STREETS,
    Measured,
)
from benchmarks.studies.demand import Calls
from benchmarks.studies.scenario import PUBLISHED_CARE_S
from benchmarks.studies.world import World
from routing.codes import Agency
from routing.coverage import Shares

Limit = tuple[int, float]
"""Which of the limits, and its seconds."""
NEARLY_ALL: Final = 0.95
FEWEST_CALLS: Final = 20
"""An area with fewer is not called the worst."""
SCHEMATIC: Final = (
    "SCHEMATIC: the built-in pilot streets are a drawing from facts, not a survey. Build the "
    "streets of the city with tandem network build for figures to act on."
)
FREE: Final = (
    "Every unit on duty is taken to be free and at its post: this is the most that these posts can "
    "do, not a forecast. How busy units would be is told by tandem study simulate."
)


def standard_of(within_s: Sequence[float]) -> int:
    """Return which of the limits the sentences are about: 13 minutes, else the longest."""
    if PUBLISHED_CARE_S in within_s:
        return within_s.index(PUBLISHED_CARE_S)
    return int(np.argmax(within_s))


def cautions(world: World, calls: Calls) -> tuple[str, ...]:
    """Return what stands on the face of the report."""
    return (*of_the_data(world, is_proxy=calls.is_proxy), FREE)


def of_the_data(world: World, *, is_proxy: bool) -> tuple[str, ...]:
    """Return what any study says on its face of its calls and streets."""
    found = []
    if is_proxy:
        found.append(PROXY)
    if world.network.source.schematic:
        found.append(SCHEMATIC)
    return tuple(found)


def telling_of(shares: Shares, within_s: Sequence[float]) -> int:
    """Return which of the limits tells most of some shares: the standard, or a shorter one.

    Where nearly all is reached within the standard, that of the shorter ones within which a share
    nearest to a half is reached.
    """
    k = standard_of(within_s)
    if shares.within[k] < NEARLY_ALL:
        return k
    shorter = [
        i
        for i, limit_s in enumerate(within_s)
        if limit_s < within_s[k] and 1 - NEARLY_ALL <= shares.within[i] < NEARLY_ALL
    ]
    return min(shorter, key=lambda i: abs(shares.within[i] - 0.5), default=k)


def in_short(
    overall: Sequence[Measured],
    by_area: Mapping[str, Sequence[Measured]],
    week: Sequence[HourMeasured],
    within_s: Sequence[float],
) -> tuple[str, ...]:
    """Return the findings, a sentence each.

    Parameters
    ----------
    by_area
        Of areas that lie mostly in the zones: no post is meant for others.
    """
    k = standard_of(within_s)
    first = next(one for one in overall if one.of == CALLS and one.hour is not None)
    telling = telling_of(first.shares[PAIR], within_s)
    shorter = None if telling == k else (telling, within_s[telling])
    return (
        *_of_hour(overall, (k, within_s[k]), shorter), *_own_hour(overall, k, within_s[k]),
        *_on_duty(week), *_best_and_worst(week, telling, within_s[telling]),
        *_worst_areas(by_area, telling, within_s[telling]),
    )  # fmt: skip


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _of_hour(overall: Sequence[Measured], standard: Limit, shorter: Limit | None) -> Iterator[str]:
    (k, limit_s), within = standard, minutes_of(standard[1])
    first = next(one for one in overall if one.of == CALLS and one.hour is not None)
    assert first.hour is not None, "an hour"
    total = first.shares[PAIR].total
    if not total:
        yield "The demand holds no call in the zones."
        return
    care, spd, pair = (
        _percent(first.shares[kind].within[k]) for kind in (Agency.CARE, Agency.SPD, PAIR)
    )
    yield (
        f"{in_words(first.hour)}: of {total:,.0f} calls in the zones, within "
        f"{minutes_of(limit_s)} of dispatch "
        f"CARE reaches {care}, SPD {spd}, and both {pair}."
    )
    if shorter is not None:
        yield _shorter(overall, first, shorter)
    shares = first.shares[PAIR]
    if shares.p50_s is None:
        yield "At fewer than half of the calls the pair would ever be complete."
    else:
        yield (
            f"The pair is complete at half of the calls within {minutes(shares.p50_s)}, and at "
            f"nine tenths within {minutes(shares.p90_s)}."
        )
    if first.gap_s is not None and first.gap_s[1] == first.gap_s[1]:
        low, middle, high = first.gap_s
        later = "CARE after SPD" if middle >= 0 else "SPD after CARE"
        yield (
            f"In the middle {later} by {minutes(abs(middle))}; for 80 % of the calls CARE comes "
            f"between {_signed(low)} and {_signed(high)} after SPD."
        )
    for one in overall:
        if one.hour == first.hour and one.area == EVERYWHERE:
            whole = one.shares[PAIR]
            share = _percent(whole.within[k])
            of = f"Of all {whole.total:,.0f} calls, in the zones or not,"
            yield f"{of} both reach {share} within {within}."
        elif one.hour == first.hour and one.of != CALLS:
            what = "km² of land near a street" if one.of == LAND else "km of street"
            whole = one.shares[PAIR]
            share = _percent(whole.within[k])
            yield f"The pair reaches {share} of {whole.total:,.1f} {what} within {within}."


def _shorter(overall: Sequence[Measured], first: Measured, limit: Limit) -> str:
    """Return what is reached within a limit that tells more than the standard."""
    k, limit_s = limit
    care, spd, pair = (
        _percent(first.shares[kind].within[k]) for kind in (Agency.CARE, Agency.SPD, PAIR)
    )
    said = f"Within {minutes_of(limit_s)} CARE reaches {care}, SPD {spd}, and both {pair}"
    streets = [one for one in overall if one.of == STREETS and one.hour == first.hour]
    if not streets:
        return f"{said}."
    of_streets = _percent(streets[0].shares[PAIR].within[k])
    return f"{said}; of the kilometres of street both reach {of_streets}."


def _signed(seconds: float) -> str:
    return f"{seconds / 60:+.1f} min"


def _own_hour(overall: Sequence[Measured], k: int, limit_s: float) -> Iterator[str]:
    for one in overall:
        shares = one.shares[PAIR]
        if one.of == OWN_HOUR and shares.total:
            yield (
                f"With the units on duty at each call's own hour, the pair is complete within "
                f"{minutes_of(limit_s)} at {_percent(shares.within[k])} of {shares.total:,.0f} "
                f"calls; {_percent(shares.unreached)} have no pair on duty or no way."
            )


def _on_duty(week: Sequence[HourMeasured]) -> Iterator[str]:
    both = [one for one in week if all(one.arrivals.standing.units.values())]
    n_calls, total = (sum(one.n_calls for one in some) for some in (both, week))
    if not both:
        yield "In no hour of the week are both kinds of unit on duty."
    elif len(both) < len(week):
        share = (
            f"{_percent(n_calls / total)} of the calls come then" if total else "no call is known"
        )
        yield (
            f"Both kinds are on duty in {len(both)} of {len(week)} hours of the week "
            f"({hours_in_words([one.hour for one in both])}); {share}."
        )


def _best_and_worst(week: Sequence[HourMeasured], k: int, limit_s: float) -> Iterator[str]:
    both = [one for one in week if all(one.arrivals.standing.units.values())]
    shares = {one.hour: one.calls.shares[PAIR].within[k] for one in both}
    if not shares or max(shares.values()) - min(shares.values()) < 0.005:
        return
    best, worst = max(shares, key=lambda h: shares[h]), min(shares, key=lambda h: shares[h])
    yield (
        f"By the hour, the pair would reach between {_percent(shares[worst])} ({in_words(worst)}) "
        f"and {_percent(shares[best])} ({in_words(best)}) of the calls in the zones within "
        f"{minutes_of(limit_s)}."
    )


def _worst_areas(
    by_area: Mapping[str, Sequence[Measured]], k: int, limit_s: float
) -> Iterator[str]:
    for name, found in by_area.items():
        known = {
            one.area: one.shares[PAIR].within[k]
            for one in found
            if one.of == CALLS and one.area != ELSEWHERE and one.shares[PAIR].total >= FEWEST_CALLS
        }
        if len(known) > 1:
            worst, best = min(known, key=lambda a: known[a]), max(known, key=lambda a: known[a])
            yield (
                f"Of {len(known)} {name}s mostly in the zones and with {FEWEST_CALLS} calls or "
                f"more, {worst} has the pair "
                f"least within {minutes_of(limit_s)} ({_percent(known[worst])} of its calls), "
                f"{best} most ({_percent(known[best])})."
            )


def assumptions(world: World, calls: Calls, hours: Sequence[int]) -> dict[str, str]:
    """Return what was assumed, by key of the scenario."""
    scenario = world.scenario
    durations, times = scenario.durations, world.times_at(hours[0])
    found = {
        "durations.turnout_care_s": f"{durations.turnout_care_s:g} s, part of every arrival "
        "(assumption)",
        "durations.turnout_spd_s": f"{durations.turnout_spd_s:g} s, part of every arrival "
        "(assumption)",
        "durations.speed_factor": f"{durations.speed_factor:g} times the drive times",
        "start and park": f"{times.start_and_park_ms / 1000:g} s, part of every arrival (fit to "
        "published Seattle drive times)",
        "drive times": f"those of {', '.join(map(in_words, hours))}, local, without lights and "
        "sirens (weights " + times.weights_id + ")",
        "a shift": "holds an hour of the week when it holds the middle of it",
        "demand": calls.source or "as the scenario has it",
    }
    for group in scenario.units:
        key = f"units.{group.agency}"
        told = f"{group.count} at {len(group.posts)} places{_told(group.told)}"
        found[key] = f"{found[key]}; {told}" if key in found else told
    if scenario.coverage.recorded_positions is not None:
        found["coverage.recorded_positions"] = (
            "in place of posts: of each hour of the week the latest day on which positions were "
            "recorded in it, and of each unit its last fix within the hour"
        )
    return found


def _told(words: str) -> str:
    return f" ({words})" if words else ""
