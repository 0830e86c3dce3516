"""Study siting, in order: places, arrivals, every model with every number of posts, what it means.

result = siting_study(world, calls, work)
"""

from typing import Final

import numpy as np

from api.impact.words import PROXY
from benchmarks.studies.coverage.arrivals import Arrivals, Week
from benchmarks.studies.coverage.hours import in_words
from benchmarks.studies.demand import Calls
from benchmarks.studies.errors import StudyError
from benchmarks.studies.scenario import Model
from benchmarks.studies.siting.instance import Whole, instance_of
from benchmarks.studies.siting.models import Question
from benchmarks.studies.siting.parts import Sited, parts_of, solve_part
from benchmarks.studies.siting.pictures import post_curves, post_map
from benchmarks.studies.siting.places import candidates_of, care_ms, must_fit, points_of, spd_ms
from benchmarks.studies.siting.siting_tables import (
    Sitings,
    candidate_table,
    point_table,
    post_table,
    solution_table,
)
from benchmarks.studies.siting.words import assumptions, cautions, in_short
from benchmarks.studies.siting.workload import Workload, workload_of
from benchmarks.studies.tables import Section, StudyResult
from benchmarks.studies.work import Work
from benchmarks.studies.world import World, some_of
from routing.codes import Agency
from routing.coverage import LONGEST_MS


def siting_study(world: World, calls: Calls, work: Work) -> StudyResult:
    """Return where CARE should stand by each model, beside where it stands.

    Raises
    ------
    BadScenario
        The file of candidates or of recorded positions has faults.
    StudyError
        No police are on duty in the hour, or there are no calls.
    """
    return result_of(find(world, calls, work))


def find(world: World, calls: Calls, work: Work) -> Sitings:
    """Return all that is counted, without a picture; raises what `siting_study` does."""
    work.tell("places", 0, 1)
    arrivals = arrivals_of(world)
    candidates, points = candidates_of(world, arrivals), points_of(world, calls)
    must_fit(len(candidates.at), len(points.row))
    care = care_ms(world, arrivals, candidates.at, some_of(points.calls, points.row))
    spd = spd_ms(arrivals, points.calls)
    instance = instance_of(care, points.weight, spd[points.row])
    care_s = _care_s(care[: candidates.n_today or None], points.weight)
    load = workload_of(world, calls, points.kept, care_s)
    parts = parts_of(instance, questions_of(world, load), world.scenario.siting.seconds_max)
    sited = tuple(work.map("models", solve_part, parts, Sited))
    used = np.unique(np.concatenate([np.arange(candidates.n_today), *(s.sites for s in sited)]))
    return Sitings(
        world=world, calls=calls, arrivals=arrivals, candidates=candidates, points=points,
        instance=instance, spd_ms=spd, workload=load.told, sited=sited, used=used,
        used_ms=care_ms(world, arrivals, some_of(candidates.at, used), points.calls),
    )  # fmt: skip


def arrivals_of(world: World) -> Arrivals:
    """Return who arrives when in the hour of the study: the first of `coverage.hours`."""
    week, asked = Week(world), world.scenario.coverage.hours[0]
    hour = asked if asked in week.hours else week.hours[0]
    arrivals = week.at(hour)
    if not len(arrivals.standing.at[Agency.SPD]):
        raise StudyError(
            f"No police are on duty {in_words(hour)}, so no pair is ever complete.",
            remedy="Give another hour of the week with coverage.hours, or posts of units.SPD.",
        )
    return arrivals


def _care_s(care_ms: Whole, weight: Whole) -> float:
    """Return mean seconds until CARE is at a call, from the nearest of some posts."""
    nearest = care_ms.min(axis=0)
    reached = nearest < LONGEST_MS
    if not reached.any():
        return 0.0
    return float(np.average(nearest[reached], weights=weight[reached])) / 1000


def questions_of(world: World, load: Workload) -> list[tuple[Model, Question]]:
    """Return every model with every number of posts; LSCP, which finds the number, once."""
    spec, standard_ms = world.scenario.siting, round(1000 * world.scenario.siting.within_s)
    asked = []
    for model in dict.fromkeys(spec.models):
        for count in (1,) if model is Model.LSCP else sorted(set(spec.posts)):
            busy = load.busy(count) if model is Model.MEXCLP else 0.0
            asked.append((model, Question(count=count, standard_ms=standard_ms, busy=busy)))
    return asked


# -- what is shown --------------------------------------------------------------------------------

_HOW: Final = (
    "The pair has arrived when both have, so an arrival of CARE sooner than police gains nothing. "
    "Police stay where they are. Models choose among the candidates for the points of demand; "
    "mean, p90 and shares are then counted at every call."
)


def result_of(found: Sitings) -> StudyResult:
    """Return the report of what was found."""
    return StudyResult(
        kind="SITING",
        title=f"Where CARE should stand: {found.world.scenario.name}",
        cautions=cautions(found),
        in_short=in_short(found),
        sections=(_solutions(found), _posts(found)),
        tables=(candidate_table(found), point_table(found)),
        assumptions=assumptions(found),
        manifest={
            "calls": len(found.calls), "demand": found.calls.source,
            "weeks": found.calls.weeks, "notes": list(found.calls.notes),
            "candidates": len(found.candidates.names), "points": len(found.points.row),
        },
    )  # fmt: skip


def _solutions(found: Sitings) -> Section:
    said = (note for note in found.calls.notes if note != PROXY)
    words = f"Candidates: {found.candidates.told}. Demand: {found.points.told}."
    return Section(
        title="Before and after",
        paragraphs=(_HOW, words, " ".join(said)),
        tables=(solution_table(found),),
        pictures=(post_map(found), post_curves(found)),
    )


def _posts(found: Sitings) -> Section:
    return Section(title="The posts", tables=(post_table(found),))
