"""The models of where CARE should stand, each with its bound: `*** start reading here`.

    instance = instance_of(care_ms, weight, spd_ms)
    site(instance, Model.P_MEDIAN, Question(count=3), Limits())

What lives here: what each model asks of the instance. What does not: how it is solved.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.studies.scenario import PUBLISHED_CARE_S, Model
from benchmarks.studies.siting.covering import Found, center, most_covered, set_cover
from benchmarks.studies.siting.instance import Instance, Limits, Solution, Whole, merged
from benchmarks.studies.siting.interchange import interchange
from benchmarks.studies.siting.least_cost import least_cost
from routing.coverage import LONGEST_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a model is asked."""

    count: int = 1
    """Posts; units in MEXCLP. LSCP finds it."""
    standard_ms: int = round(1000 * PUBLISHED_CARE_S)
    """Of LSCP, MCLP and MEXCLP; 13 minutes."""
    busy: float = 0.0
    """Probability that a unit is busy, of MEXCLP, below 1."""

    def __post_init__(self) -> None:
        if self.count < 1 or not 0.0 <= self.busy < 1.0:
            raise ValueError(f"{self}; expected one post or more, and 0 <= busy < 1")


def site(instance: Instance, model: Model, question: Question, limits: Limits) -> Solution:
    """Return the best posts that the limits allow, what they are worth, and the bound.

    Points without weight, and points that no pair can reach from any site, do not count.
    """
    sites, value, bound, cut_short = _found(instance.wanted(), model, question, limits)
    return Solution(
        model=model, sites=sites, value=value, bound=bound, seconds=limits.used_s,
        cut_short=cut_short,
    )  # fmt: skip


def _found(wanted: Instance, model: Model, question: Question, limits: Limits) -> Found:
    count = min(question.count, wanted.n_sites)
    if model is Model.P_MEDIAN:
        arrive_ms, weight = merged(wanted.arrive_ms, wanted.weight)
        served = least_cost(arrive_ms * weight, count, limits)
        return served.sites, float(served.cost), float(served.bound), served.cut_short
    if model is Model.P_CENTER:
        arrive_ms, weight = merged(wanted.arrive_ms, wanted.weight)
        sites, value, bound, cut_short = center(arrive_ms, count, limits)
        return _sooner(arrive_ms, weight, sites, value), value, bound, cut_short
    covers = wanted.within(question.standard_ms)
    coverable = covers.any(axis=0)
    covers, weight = covers[:, coverable], wanted.weight[coverable]
    if model is Model.LSCP:
        return set_cover(covers, limits)
    if model is Model.MCLP:
        return most_covered(covers, weight, count, 0.0, limits)
    return most_covered(covers, weight, question.count, max(question.busy, 1e-9), limits)


def _sooner(
    arrive_ms: Whole, weight: Whole, sites: tuple[int, ...], longest_ms: float
) -> tuple[int, ...]:
    """Return sites as good for the longest arrival, exchanged while the mean gets less.

    Many choices have the same longest arrival, as where police come last; one is then taken that
    no single exchange makes better.
    """
    if not arrive_ms.size:
        return sites
    cost = arrive_ms * weight
    late = int(cost.min(axis=0).sum() + longest_ms * weight.sum()) + 1
    cost = np.where(arrive_ms <= longest_ms, cost, late)
    return tuple(sorted(interchange(cost, np.array(sites, np.int64)).tolist()))


def value_of(instance: Instance, solution: Solution, question: Question) -> float:
    """Return what a solution's sites are worth, anew from the arrivals, point by point.

    Raises
    ------
    ValueError
        LSCP leaves a point that a site could cover uncovered.
    """
    total, latest = 0.0, 0.0
    for point, weight in enumerate(instance.weight.tolist()):
        column = instance.arrive_ms[:, point].tolist()
        if not weight or min(column) >= LONGEST_MS:
            continue
        arrivals = [column[place] for place in solution.sites]
        within = sum(ms <= question.standard_ms for ms in arrivals)
        if solution.model is Model.P_CENTER:
            latest = max(latest, float(min(arrivals)))
        elif solution.model is Model.P_MEDIAN:
            total += weight * min(arrivals)
        elif solution.model is Model.MCLP:
            total += weight * (within > 0)
        elif solution.model is Model.MEXCLP:
            total += weight * (1.0 - np.power(question.busy, within)) if within else 0.0
        elif not within and min(column) <= question.standard_ms:
            raise ValueError(f"point {point} could be covered and is not")
    if solution.model is Model.LSCP:
        return float(len(solution.sites))
    return latest if solution.model is Model.P_CENTER else total
