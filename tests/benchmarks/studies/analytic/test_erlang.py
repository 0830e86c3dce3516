"""Erlang's formulas beside exact fractions, published tables and a chain solved by brute force."""

import math
from fractions import Fraction

import numpy as np
import pytest

from benchmarks.studies.analytic.erlang import Queue, erlang_b, erlang_c


def exact_loss(load: Fraction, servers: int) -> Fraction:
    terms = [load**k / math.factorial(k) for k in range(servers + 1)]
    return terms[-1] / sum(terms)


@pytest.mark.parametrize("load", [Fraction(1, 10), Fraction(3), Fraction(25, 2)])
@pytest.mark.parametrize("servers", [0, 1, 7, 40])
def test_the_lost_share_is_the_exact_fraction(load: Fraction, servers: int) -> None:
    wanted = float(exact_loss(load, servers))
    assert erlang_b(float(load), servers) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("servers", "load", "share"), [(1, 0.0101, 0.01), (10, 4.461, 0.01), (20, 12.031, 0.01)]
)
def test_the_lost_share_is_that_of_published_tables(servers, load, share) -> None:
    """Erlang B table at 1 % loss: 0.0101, 4.46 and 12.0 erlangs."""
    assert erlang_b(load, servers) == pytest.approx(share, rel=2e-3)


def chain(load: float, servers: int, longest: int = 4_000) -> np.ndarray:
    """Equilibrium of the number in the system, by its birth and death rates."""
    rates = np.log(load) - np.log(np.minimum(np.arange(1, longest), servers))
    logs = np.concatenate(([0.0], np.cumsum(rates)))
    chance = np.exp(logs - logs.max())
    return chance / chance.sum()


@pytest.mark.parametrize(("load", "servers"), [(0.5, 1), (2.0, 3), (9.0, 10), (45.0, 50)])
def test_waiting_is_that_of_the_chain(load: float, servers: int) -> None:
    queue = Queue(calls_per_s=load / 600, service_s=600, servers=servers)
    chance = chain(load, servers)
    in_line = np.maximum(np.arange(len(chance)) - servers, 0)
    assert erlang_c(load, servers) == pytest.approx(chance[servers:].sum(), rel=1e-9)
    line = float(chance @ in_line)
    assert queue.mean_wait_s == pytest.approx(line / queue.calls_per_s, rel=1e-9)  # Little


def test_percentiles_of_waiting_are_those_of_its_distribution() -> None:
    queue = Queue(calls_per_s=1 / 300, service_s=800, servers=3)
    for share in (0.3, 0.5, 0.9, 0.99):
        wait_s = queue.wait_percentile_s(share)
        longer = queue.share_waiting_longer(wait_s)
        assert longer <= 1 - share + 1e-12
        assert wait_s == 0.0 or longer == pytest.approx(1 - share)


def test_a_line_that_grows_for_ever_is_told() -> None:
    queue = Queue(calls_per_s=1.0, service_s=3.0, servers=3)
    assert (queue.waiting_share, queue.mean_wait_s, queue.utilisation) == (1.0, math.inf, 1.0)
    assert queue.wait_percentile_s(0.5) == math.inf


@pytest.mark.parametrize(("load", "servers"), [(-1.0, 2), (math.nan, 2), (1.0, -1)])
def test_nonsense_is_refused(load: float, servers: int) -> None:
    with pytest.raises(ValueError, match="expected 0 or more"):
        erlang_b(load, servers)
