"""The hypercube model beside textbook cases and a chain that is built and solved another way."""

from itertools import product

import numpy as np
import pytest

from benchmarks.studies.analytic.erlang import erlang_b, erlang_c
from benchmarks.studies.analytic.hypercube import Fleet, approximate, exact


def fleet(rates, preference, service_s, *, can_wait=False) -> Fleet:
    return Fleet(
        calls_per_s=np.array(rates, float), preference=np.array(preference),
        service_s=np.array(service_s, float), can_wait=can_wait,
    )  # fmt: skip


# -- textbooks ------------------------------------------------------------------------------------


def test_two_servers_of_different_speed() -> None:
    """Ross, Introduction to Probability Models, chapter 8, exercise 16: rates 5, 4 and 2.

    P00, P10, P01, P11 are 128, 110, 100 and 175 of 513; calls that find both busy are lost.
    """
    found = exact(fleet([5.0], [[0, 1]], [1 / 4, 1 / 2]))
    assert found.busy[0] == pytest.approx((110 + 175) / 513, abs=5e-5)
    assert found.busy[1] == pytest.approx(275 / 513, abs=5e-5)
    assert found.all_busy == pytest.approx(0.3411, abs=5e-5)
    assert found.dispatches.ravel() == pytest.approx([228 / 338, 110 / 338], abs=5e-5)


def test_two_cooperating_servers_of_two_districts() -> None:
    """Larson and Odoni, chapter 5.3: equal units and districts, a call a service time in all.

    1 / (1 + a + a^2 / 2) is free of all with a = 1: 0.4; each is busy 0.4 of the time, and crosses
    the border for P(own busy, other free) of the calls.
    """
    found = exact(fleet([0.5, 0.5], [[0, 1], [1, 0]], [1.0, 1.0]))
    assert found.busy == pytest.approx([0.4, 0.4], abs=5e-5)
    assert found.all_busy == pytest.approx(0.2, abs=5e-5)
    assert found.outside_share(np.array([0, 1])) == pytest.approx(0.25, abs=5e-5)


def test_three_servers_with_a_line() -> None:
    """Larson and Odoni, chapter 5.4.3: three equal units, 1.5 calls a service time, infinite line.

    All are free 0.2105 of the time, whoever is preferred; half of all time goes into work.
    """
    orders = [[0, 1, 2], [0, 1, 2], [1, 0, 2], [0, 2, 1], [2, 0, 1]]
    found = exact(fleet([0.25, 0.25, 0.375, 0.25, 0.375], orders, [1.0] * 3, can_wait=True))
    assert found.busy.sum() / 3 == pytest.approx(0.5, abs=5e-5)
    assert found.all_busy == pytest.approx(0.2368, abs=5e-5)
    assert found.all_busy == pytest.approx(erlang_c(1.5, 3), abs=1e-12)
    nobody = (1 - found.all_busy) / (1 + 1.5 + 1.125)
    assert nobody == pytest.approx(0.2105, abs=5e-5)


# -- an independent chain -------------------------------------------------------------------------


def by_brute_force(one: Fleet, line_max: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Busy shares, shares of dispatches and all busy, of a dense generator with a cut line."""
    n, n_atoms = one.n_units, len(one.calls_per_s)
    states = [*product((0, 1), repeat=n)]
    states += [((1,) * n, waiting) for waiting in range(1, line_max + 1)]
    number = {state: place for place, state in enumerate(states)}
    rates = np.zeros((len(states), len(states)))
    sends = np.zeros((len(states), n, n_atoms))
    full = (1,) * n
    for state in states:
        units, waiting = (state, 0) if len(state) == n and state != (full, 0) else state
        if isinstance(state[0], tuple):
            units, waiting = state
        for atom, rate in enumerate(one.calls_per_s):
            free = [unit for unit in one.preference[atom] if not units[unit]]
            if free:
                after = tuple(1 if unit == free[0] else units[unit] for unit in range(n))
                rates[number[state], number[after]] += rate
                sends[number[state], free[0], atom] += rate
            elif waiting < line_max:
                rates[number[state], number[full, waiting + 1]] += rate
        for unit in range(n):
            if not units[unit]:
                continue
            rate = 1 / one.service_s[unit]
            if waiting:
                after = (full, waiting - 1) if waiting > 1 else full
                share = one.calls_per_s / one.total_per_s
                sends[number[state], unit] += rate * share
            else:
                after = tuple(0 if other == unit else units[other] for other in range(n))
            rates[number[state], number[after]] += rate
    np.fill_diagonal(rates, -rates.sum(axis=1))
    system = np.vstack((rates.T, np.ones(len(states))))
    chance = np.linalg.lstsq(system, np.append(np.zeros(len(states)), 1.0), rcond=None)[0]
    is_busy = np.array([s[0] if isinstance(s[0], tuple) else s for s in states])
    flows = np.tensordot(chance, sends, axes=1)
    return chance @ is_busy, flows / flows.sum(), float(chance @ is_busy.all(axis=1))


@pytest.mark.parametrize("can_wait", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_the_exact_model_is_the_chain(seed: int, can_wait: bool) -> None:
    draw = np.random.default_rng(seed)
    n, n_atoms = int(draw.integers(1, 5)), int(draw.integers(1, 6))
    service_s = draw.uniform(500, 3_000, n)
    rates = draw.uniform(0, 1, n_atoms)
    rates *= draw.uniform(0.2, 0.8) * (1 / service_s).sum() / rates.sum()
    orders = [draw.permutation(n) for _ in range(n_atoms)]
    one = fleet(rates, orders, service_s, can_wait=can_wait)
    busy, dispatches, all_busy = by_brute_force(one, 120 if can_wait else 0)
    found = exact(one)
    assert found.busy == pytest.approx(busy, abs=1e-7)
    assert found.dispatches == pytest.approx(dispatches, abs=1e-7)
    assert found.all_busy == pytest.approx(all_busy, abs=1e-7)


def test_lost_calls_are_erlangs_whoever_is_preferred() -> None:
    draw = np.random.default_rng(3)
    one = fleet([0.001, 0.002, 0.0005], [draw.permutation(6) for _ in range(3)], [1_500.0] * 6)
    assert exact(one).all_busy == pytest.approx(erlang_b(0.0035 * 1_500, 6), rel=1e-9)


def test_twice_the_service_time_is_noticed() -> None:
    slow = fleet([0.5, 0.5], [[0, 1], [1, 0]], [1.05, 1.05])
    assert not np.allclose(exact(slow).busy, [0.4, 0.4], atol=5e-5)


# -- the approximation ----------------------------------------------------------------------------


@pytest.mark.parametrize("can_wait", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_the_approximation_is_near_the_exact_model(seed: int, can_wait: bool) -> None:
    """Over 120 such fleets workloads are 1.3 % off on average, by fleet 4.6 % at most."""
    draw = np.random.default_rng(seed)
    n, n_atoms = int(draw.integers(2, 9)), 12
    posts, places = draw.uniform(size=(n, 2)), draw.uniform(size=(n_atoms, 2))
    orders = np.argsort(np.linalg.norm(places[:, None] - posts, axis=2), axis=1)
    rates = draw.uniform(0.2, 1, n_atoms)
    rates *= draw.uniform(0.2, 0.6) * n / 1_800 / rates.sum()
    one = fleet(rates, orders, [1_800.0] * n, can_wait=can_wait)
    near, true = approximate(one), exact(one)
    off = np.abs(near.busy / true.busy - 1)
    assert off.mean() < 0.05
    assert near.busy == pytest.approx(true.busy, abs=0.03)
    assert near.all_busy == pytest.approx(true.all_busy, abs=1e-9)
    assert np.abs(near.dispatches - true.dispatches).sum() < 0.06
    assert near.busy.sum() == pytest.approx(true.busy.sum(), rel=1e-9)


def test_a_fleet_without_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="every unit once"):
        fleet([1.0], [[0, 0]], [1.0, 1.0])
    with pytest.raises(ValueError, match="line would grow"):
        fleet([3.0], [[0, 1]], [1.0, 1.0], can_wait=True)
    with pytest.raises(ValueError, match="at most 14"):
        exact(fleet([1.0], [list(range(20))], [1.0] * 20))
