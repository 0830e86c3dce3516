"""Every model against all choices there are, on small generated instances with their bounds."""

import os
from dataclasses import replace
from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest

from benchmarks.studies.scenario import Model
from benchmarks.studies.siting.instance import Instance, Limits, Solution, instance_of
from benchmarks.studies.siting.least_cost import least_cost
from benchmarks.studies.siting.models import Question, site, value_of
from benchmarks.studies.siting.prices import AT_ROOT, Open, decide, first_price, raise_bound
from routing.coverage import LONGEST_MS

SEEDS = 2000 if os.environ.get("TANDEM_STUDIES") == "long" else 220
CHOICES = list(combinations(range(9), 3))
LARGEST = {Model.MCLP, Model.MEXCLP}
"""Models that look for the most; the others for the least."""


def drawn(seed: int) -> tuple[Instance, Question]:
    """Return an instance with ties, points without weight or way, few sites and many posts."""
    rng = np.random.default_rng([6, seed])
    n_sites, n_points = int(rng.integers(1, 8)), int(rng.integers(1, 11))
    care_ms = rng.integers(0, 12 if seed % 2 else 10_000, (n_sites, n_points))
    care_ms = np.where(rng.random(care_ms.shape) < 0.15, LONGEST_MS, care_ms)
    spd_ms = rng.integers(0, 8, n_points) * (seed % 3 > 0)
    spd_ms = np.where(rng.random(n_points) < 0.05, LONGEST_MS, spd_ms)
    weight = rng.integers(0, 4, n_points)
    question = Question(
        count=int(rng.integers(1, 5)), standard_ms=6 if seed % 2 else 5_000, busy=0.3
    )
    return instance_of(care_ms, weight, spd_ms), question


def all_choices(instance: Instance, model: Model, question: Question) -> list[tuple[int, ...]]:
    n, count = instance.n_sites, question.count
    if model is Model.MEXCLP:
        return list(combinations_with_replacement(range(n), count))
    if model is Model.LSCP:
        return [chosen for k in range(n + 1) for chosen in combinations(range(n), k)]
    return list(combinations(range(n), min(count, n)))


def best_by_trying(instance: Instance, model: Model, question: Question) -> float:
    worths = []
    for chosen in all_choices(instance, model, question):
        tried = Solution(model=model, sites=chosen, value=0.0, bound=0.0, seconds=0.0)
        try:
            worths.append(value_of(instance, tried, question))
        except ValueError:
            continue
    return max(worths) if model in LARGEST else min(worths)


@pytest.mark.parametrize("model", Model)
def test_no_choice_is_better_and_the_bound_is_the_value(model: Model) -> None:
    for seed in range(SEEDS):
        instance, question = drawn(seed)
        found = site(instance, model, question, Limits())
        best = best_by_trying(instance, model, question)
        assert found.value == pytest.approx(best, rel=1e-6), (seed, found)
        assert value_of(instance, found, question) == pytest.approx(found.value, rel=1e-6), seed
        assert found.proven, (seed, found)


@pytest.mark.parametrize("model", [Model.P_MEDIAN, Model.P_CENTER, Model.MCLP])
def test_a_search_that_ends_at_once_still_gives_a_choice_and_a_bound(model: Model) -> None:
    for seed in range(SEEDS):
        instance, question = drawn(seed)
        best = best_by_trying(instance, model, question)
        found = site(instance, model, question, Limits(seconds=0.0, nodes=1))
        low, high = sorted((found.value, found.bound))
        assert low <= best * (1 + 1e-9) <= high * (1 + 1e-6) + 1e-6, (seed, found, best)


def test_the_independent_count_sees_sites_that_are_not_what_is_said() -> None:
    instance = instance_of([[1, 9], [9, 1]], [5, 1])
    question = Question(count=1)
    found = site(instance, Model.P_MEDIAN, question, Limits())
    assert found.sites == (0,)
    worse = replace(found, sites=(1,))
    assert value_of(instance, worse, question) == 46 != found.value == 14


def test_equal_questions_get_equal_answers() -> None:
    rng = np.random.default_rng(8)
    cost = rng.integers(0, 50, (60, 60))
    first, second = (least_cost(cost, 6, Limits()) for _ in range(2))
    assert first == second


def test_the_search_is_needed_and_proves() -> None:
    rng = np.random.default_rng(3)
    cost = rng.integers(0, 1000, (40, 40))
    found = least_cost(cost, 3, Limits())
    least = min(int(cost[list(some)].min(axis=0).sum()) for some in combinations(range(40), 3))
    assert found.nodes > 0
    assert found.cost == found.bound == least


def test_reduced_costs_leave_a_best_choice_open() -> None:
    decided = 0
    for seed in range(SEEDS):
        cost = np.random.default_rng([9, seed]).integers(0, 100, (9, 12))
        choices = {some: int(cost[list(some)].min(axis=0).sum()) for some in CHOICES}
        least = min(choices.values())
        root = Open(cost=cost, sites=np.arange(9), forced=np.zeros(9, np.bool_), count=3)
        price = first_price(cost, np.array([0, 1, 2]))
        priced = raise_bound(root, price, least + 3, AT_ROOT)
        assert priced.bound <= least, seed
        left = decide(root, priced, least + 3)
        kept, forced = set(left.sites.tolist()), set(left.sites[left.forced].tolist())
        for some in (some for some, worth in choices.items() if worth < least + 3):
            assert forced <= set(some) <= kept, (seed, some)
        decided += len(forced) + 9 - len(kept)
    assert decided > SEEDS


def test_of_choices_with_one_longest_arrival_p_center_takes_a_sooner_one() -> None:
    instance = instance_of([[9, 9, 9], [9, 2, 9], [9, 2, 1]], [1, 1, 1])
    found = site(instance, Model.P_CENTER, Question(count=1), Limits())
    assert (found.sites, found.value) == ((2,), 9.0)


def test_police_decide_where_they_come_last() -> None:
    instance = instance_of([[10, 300]], [1, 1], spd_ms=[200, 20])
    assert instance.arrive_ms.tolist() == [[200, 300]]


def test_a_weight_in_part_is_refused() -> None:
    with pytest.raises(ValueError, match="whole number"):
        instance_of([[1]], [0.5])
