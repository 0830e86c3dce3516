"""What a simulation says in sentences: findings, cautions, assumptions."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from api.html_page import minutes
from benchmarks.studies.coverage.words import of_the_data
from benchmarks.studies.scenario import PUBLISHED_CARE_S, Durations
from benchmarks.studies.simulation.intervals import Interval
from benchmarks.studies.simulation.simulation_tables import Simulated

CARE_DRIVE: Final = "care_dispatch_to_arrival_mean_s"
NO_POLICE_WORK: Final = (
    "The scenario has no [demand.police]: police have no other work, so that they are free more "
    "often and nearer than they are."
)


def cautions(found: Simulated) -> tuple[str, ...]:
    """Return what stands on the face of the report."""
    drive = found.interval(CARE_DRIVE)
    said = [published(drive), *of_the_data(found.world, is_proxy=found.calls.is_proxy)]
    if found.world.scenario.demand.police is None:
        said.append(NO_POLICE_WORK)
    return tuple(said)


def published(told: Interval) -> str:
    """Return how the model's CARE compares with what is published; said before anything else.

    Parameters
    ----------
    told
        The measure CARE_DRIVE of what is simulated; of a comparison, of its base.
    """
    if not told.n:
        return "Modelled against published: CARE came to no call, so there is nothing to compare."
    apart = told.mean - PUBLISHED_CARE_S
    return (
        f"Modelled against published: CARE is there {minutes(told.mean)} after dispatch in the "
        f"mean; CARE's own reports say {minutes(PUBLISHED_CARE_S)}. The model is "
        f"{minutes(abs(apart))} {'slower' if apart > 0 else 'faster'}: compare scenarios with "
        "each other rather than with the world."
    )


def in_short(found: Simulated) -> tuple[str, ...]:
    """Return the findings, a sentence each."""
    return tuple(_findings(found))


def _findings(found: Simulated) -> Iterator[str]:
    def mean(name: str) -> float:
        return found.interval(name).mean

    spec = found.world.scenario.simulation
    yield (
        f"{len(found.results)} replications of {spec.days} days: CARE comes to "
        f"{mean('sent_share'):.1%} of {mean('calls'):,.0f} calls; {mean('refused_share'):.1%} are "
        f"not eligible, and {mean('unserved_share'):.1%} of the others are never served by CARE."
    )
    if found.interval("pair_response_p50_s").n:
        yield (
            f"Of 911 calls both are there {minutes(mean('pair_response_p50_s'))} after the call at "
            f"half of them and {minutes(mean('pair_response_p90_s'))} at nine tenths; between the "
            f"first and the other pass {minutes(mean('pair_gap_p50_s'))} in the middle."
        )
    if found.interval("care_utilisation_share").n:
        yield (
            f"CARE is on calls for {mean('care_utilisation_share'):.1%} of its time on duty, "
            f"police for {mean('spd_utilisation_share'):.1%}."
        )
    left = found.interval("left_behind_share")
    if left.n:
        yield (
            f"Coverage left behind: right after CARE is sent, a free CARE unit would reach "
            f"{left.mean:.1%} of CARE's calls in the zones within {minutes(spec.within_s)}; after "
            f"{mean('nothing_left_share'):.1%} of the dispatches none of them."
        )
    saved = found.interval("officer_saved_s")
    if saved.n:
        per = found.interval("officer_saved_per_call_s").mean
        more = "" if saved.mean >= 0 else ": it costs officers time"
        yield (
            f"Net officer time saved: {saved.mean / 3600:,.0f} hours ({saved.low / 3600:,.0f} to "
            f"{saved.high / 3600:,.0f}), {per / 60:+.1f} min a call{more}."
        )


def assumptions(found: Simulated) -> dict[str, str]:
    """Return what was assumed, by key of the scenario."""
    scenario = found.world.scenario
    said = {
        "CARE's calls": "are decided by the service's own recommend(), one by one, with every "
        "unit's position known; screened with NO to everything",
        "police jobs": "are decided by the same drive times and rules of units: the nearest that "
        "qualify, urgent jobs first; whoever finds nobody waits",
        "an officer's call": "one police unit goes, and asks for CARE as long after its arrival as "
        "a call waits for dispatch; outside the hours it does not wait for CARE",
        "police leave": "when the scene is safe and CARE is there; without CARE after "
        "durations.spd_without_care_s",
        "CARE begins": "when it is there and the scene is safe",
        "a hold": f"lasts {found.world.release.city_policy.escalate_after_s / 60:g} min at most "
        "while the hours are open; then police answer alone. A 911 call that comes before the "
        "hours waits for them where the release lets it",
        "a unit that clears": "stands where it was, or drives back to its post, free on the way",
        "the crew that relieves": "takes over the unit where it is",
        "demand": found.calls.source,
        "seed": f"{scenario.seed}: call k has the same place and durations in every scenario",
    }
    for one in fields(Durations):
        said[f"durations.{one.name}"] = str(getattr(scenario.durations, one.name))
    for group in scenario.units:
        key, told = f"units.{group.agency}", f"{group.count} at {len(group.posts)} places"
        said[key] = f"{said[key]}; {told}" if key in said else told
    return said
