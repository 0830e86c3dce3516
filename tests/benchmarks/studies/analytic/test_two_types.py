"""The loss system of the pair beside Erlang's formula and a chain that is run step by step."""

import numpy as np
import pytest

from benchmarks.studies.analytic.erlang import erlang_b
from benchmarks.studies.analytic.two_types import TwoTypes, losses_of


def by_power(one: TwoTypes) -> tuple[float, float, float, float]:
    """The same, by letting the uniformised chain run until nothing changes."""
    care, spd = one.care_units, one.spd_units
    chance = np.zeros((care + 1, spd + 1, spd + 1))
    chance[0, 0, 0] = 1.0
    c, p, j = np.indices(chance.shape)
    top = care / one.care_s + spd / one.spd_s + spd / one.job_s + one.pairs_per_s + one.jobs_per_s
    pair_fits, job_fits = (c < care) & (p + j < spd), p + j < spd
    for _ in range(200_000):
        after = np.zeros_like(chance)
        moved = chance * pair_fits * one.pairs_per_s
        after[1:, 1:, :] += moved[:-1, :-1, :]
        left = chance * pair_fits * one.pairs_per_s
        moved = chance * job_fits * one.jobs_per_s
        after[:, :, 1:] += moved[:, :, :-1]
        left += moved
        for axis, count, mean_s in ((0, c, one.care_s), (1, p, one.spd_s), (2, j, one.job_s)):
            moved = chance * count / mean_s
            after += np.roll(moved, -1, axis=axis)  # nothing leaves where nobody is
            left += moved
        new = chance + (after - left) / top
        if np.abs(new - chance).max() < 1e-15:
            break
        chance = new
    pairs_lost = chance[~pair_fits].sum()
    jobs_lost = chance[~job_fits].sum()
    return pairs_lost, jobs_lost, (chance * c).sum(), (chance * (p + j)).sum()


@pytest.mark.parametrize("seed", range(6))
def test_the_losses_are_those_of_the_chain(seed: int) -> None:
    draw = np.random.default_rng(seed)
    one = TwoTypes(
        care_units=int(draw.integers(1, 4)), spd_units=int(draw.integers(1, 5)),
        pairs_per_s=draw.uniform(1e-4, 2e-3), jobs_per_s=draw.uniform(1e-4, 3e-3),
        care_s=draw.uniform(500, 3_000), spd_s=draw.uniform(300, 1_500),
        job_s=draw.uniform(300, 3_000),
    )  # fmt: skip
    found = losses_of(one)
    told = (found.pairs_lost, found.jobs_lost, found.care_busy, found.spd_busy)
    assert told == pytest.approx(by_power(one), abs=1e-9)


def test_with_care_to_spare_and_no_jobs_it_is_erlangs_loss() -> None:
    one = TwoTypes(
        care_units=4, spd_units=4, pairs_per_s=0.002, jobs_per_s=0.0, care_s=1e-3, spd_s=1_200,
        job_s=1.0,
    )  # fmt: skip
    assert losses_of(one).pairs_lost == pytest.approx(erlang_b(2.4, 4), rel=1e-5)


def test_without_pairs_the_jobs_are_erlangs_loss() -> None:
    one = TwoTypes(
        care_units=2, spd_units=5, pairs_per_s=0.0, jobs_per_s=0.002, care_s=1.0, spd_s=1.0,
        job_s=1_800,
    )  # fmt: skip
    found = losses_of(one)
    assert found.jobs_lost == pytest.approx(erlang_b(3.6, 5), rel=1e-9)
    assert found.spd_busy == pytest.approx(3.6 * (1 - erlang_b(3.6, 5)), rel=1e-9)  # Little


def test_what_is_accepted_is_what_is_busy() -> None:
    one = TwoTypes(
        care_units=3, spd_units=6, pairs_per_s=0.001, jobs_per_s=0.002, care_s=2_040, spd_s=900,
        job_s=1_800,
    )  # fmt: skip
    found = losses_of(one)
    pairs, jobs = 0.001 * (1 - found.pairs_lost), 0.002 * (1 - found.jobs_lost)
    assert found.care_busy == pytest.approx(pairs * 2_040, rel=1e-9)
    assert found.spd_busy == pytest.approx(pairs * 900 + jobs * 1_800, rel=1e-9)
