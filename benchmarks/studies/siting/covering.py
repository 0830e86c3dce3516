"""Models that ask whether a point is covered: LSCP, MCLP, MEXCLP, and p-center by bisection.

What lives here: the programs and what their answers are worth, counted anew from the chosen sites.
What does not: the solver (`program`) and p-median (`least_cost`).

LSCP: Toregas and others 1971. MCLP: Church and ReVelle 1974. MEXCLP: Daskin 1983, where a point
that k units cover counts with 1 - busy^k. p-center by covering: Minieka 1970.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack, identity, vstack

from benchmarks.studies.siting.instance import Limits, Whole, merged
from benchmarks.studies.siting.program import ROUNDING, Answer, Program, Reals, solve

Covers = NDArray[np.bool_]
"""(n_sites, n_points) whether a site covers a point."""
Found = tuple[tuple[int, ...], float, float, bool]
"""Sites, value, bound, whether the clock ended it."""


def fewest(covers: Covers, limits: Limits, at_most: int | None = None) -> Answer:
    """Return the fewest sites that cover all points; with `at_most`, only whether so many can."""
    columns, _ = merged(covers, np.ones(covers.shape[1], np.int64))
    n_sites, n_points = columns.shape
    counts = csr_matrix(np.ones((1, n_sites)))
    matrix = csr_matrix(vstack((csr_matrix(columns.T.astype(np.float64)), counts)))
    most = n_sites if at_most is None else at_most
    program = Program(
        cost=np.ones(n_sites) if at_most is None else np.zeros(n_sites),
        matrix=matrix,
        row_min=np.concatenate((np.ones(n_points), [0.0])),
        row_max=np.concatenate((np.full(n_points, np.inf), [float(most)])),
        upper=np.ones(n_sites),
        n_whole=n_sites,
    )
    return solve(program, limits)


def set_cover(covers: Covers, limits: Limits) -> Found:
    """Return the fewest sites that cover every point; each must be coverable."""
    if not covers.shape[1]:
        return (), 0.0, 0.0, False
    answer, easy = fewest(covers, limits), greedy_cover(covers)
    sites = easy if answer.values is None else np.flatnonzero(answer.values)
    sites = min(sites, easy, key=len)
    bound = max(1.0, np.ceil(answer.bound - ROUNDING))
    return _rising(sites), float(len(sites)), float(min(bound, len(sites))), answer.cut_short


def greedy_cover(covers: Covers) -> Whole:
    """Return sites taken one after another, each covering most of what is left."""
    left, sites = np.ones(covers.shape[1], np.bool_), list[int]()
    while left.any():
        sites.append(int(covers[:, left].sum(axis=1).argmax()))
        left &= ~covers[sites[-1]]
    return np.array(sites, np.int64)


def most_covered(covers: Covers, weight: Whole, count: int, busy: float, limits: Limits) -> Found:
    """Return posts of `count` units for the most expected weight: MCLP with busy 0, else MEXCLP.

    In MEXCLP a site may have several units, and is then named several times.
    """
    columns, merged_weight = merged(covers, weight)
    layers = 1 if busy == 0.0 else count
    gains = (1.0 - busy) * np.power(busy, np.arange(layers))
    most = 1 if busy == 0.0 else count
    if busy == 0.0 and count >= len(covers):
        sites = tuple(range(len(covers)))
        worth = covered_weight(covers, weight, sites, busy)
        return sites, worth, worth, False
    answer = solve(_layered(columns, merged_weight, gains, (count, most)), limits)
    easy = greedy_posts(covers, weight, count, busy)
    tried = easy if answer.values is None else _repeated(answer.values, count)
    sites = max(easy, tried, key=lambda one: covered_weight(covers, weight, one, busy))
    worth = covered_weight(covers, weight, sites, busy)
    bound = min(-answer.bound, float(weight[covers.any(axis=0)].sum()))
    return sites, worth, max(bound, worth), answer.cut_short


def _layered(columns: Covers, weight: Whole, gains: Reals, numbers: tuple[int, int]) -> Program:
    """Return the program: units at sites, then a share of each point for each unit within."""
    (n_sites, n_points), layers, (count, most) = columns.shape, len(gains), numbers
    share = hstack([-identity(n_points)] * layers)
    within = hstack((csr_matrix(columns.T.astype(np.float64)), share))
    counts = csr_matrix(np.concatenate((np.ones(n_sites), np.zeros(n_points * layers))))
    matrix = csr_matrix(vstack((within, counts)))
    return Program(
        cost=-np.concatenate((np.zeros(n_sites), np.outer(gains, weight).ravel())),
        matrix=matrix,
        row_min=np.concatenate((np.zeros(n_points), [float(count)])),
        row_max=np.concatenate((np.full(n_points, np.inf), [float(count)])),
        upper=np.concatenate((np.full(n_sites, float(most)), np.ones(n_points * layers))),
        n_whole=n_sites,
    )


def _repeated(units: Whole, count: int) -> tuple[int, ...]:
    sites = np.repeat(np.arange(len(units)), units)
    assert len(sites) == count, f"{len(sites)} units posted of {count}"
    return _rising(sites)


def greedy_posts(covers: Covers, weight: Whole, count: int, busy: float) -> tuple[int, ...]:
    """Return sites taken one after another, each adding most; MCLP takes none twice."""
    sites, times = list[int](), np.zeros(covers.shape[1], np.int64)
    for _ in range(count):
        gain = covers @ (weight * (1.0 - busy) * np.power(busy, times))
        gain[sites if busy == 0.0 else []] = -1.0
        sites.append(int(gain.argmax()))
        times += covers[sites[-1]]
    return tuple(sorted(sites))


def covered_weight(covers: Covers, weight: Whole, sites: tuple[int, ...], busy: float) -> float:
    """Return the expected weight that free units cover, each busy with a probability."""
    times = covers[list(sites)].sum(axis=0)
    return float((weight * (1.0 - np.power(busy, times))).sum())


def center(arrive_ms: Whole, count: int, limits: Limits) -> Found:
    """Return sites with the least longest arrival, by bisection over the arrivals that occur.

    Every arrival below the bound was shown to be too short for `count` sites.
    """
    if not arrive_ms.shape[1]:
        return tuple(range(min(count, len(arrive_ms)))), 0.0, 0.0, False
    best = greedy_center(arrive_ms, count)
    least = int(arrive_ms.min(axis=0).max())
    steps = np.unique(arrive_ms[arrive_ms >= least])
    low, high = 0, int(np.searchsorted(steps, longest(arrive_ms, best)))
    cut_short = False
    while low < high:
        middle = (low + high) // 2
        sites, is_known, cut_short = _cover_by(arrive_ms <= steps[middle], count, limits)
        if sites is not None:
            best, high = sites, int(np.searchsorted(steps, longest(arrive_ms, sites)))
        elif is_known:
            low = middle + 1
        else:
            break
    return _filled(best, count, len(arrive_ms)), float(steps[high]), float(steps[low]), cut_short


def longest(arrive_ms: Whole, sites: Whole) -> int:
    """Return the longest arrival from the nearest of some sites."""
    return int(arrive_ms[sites].min(axis=0).max())


def greedy_center(arrive_ms: Whole, count: int) -> Whole:
    """Return sites taken one after another, each the best for the point that waits longest."""
    sites = [int(arrive_ms.max(axis=1).argmin())]
    while len(sites) < min(count, len(arrive_ms)):
        sites.append(int(arrive_ms[:, arrive_ms[sites].min(axis=0).argmax()].argmin()))
    return np.unique(sites)


def _cover_by(covers: Covers, count: int, limits: Limits) -> tuple[Whole | None, bool, bool]:
    """Return sites that cover all, None without; whether that is known; whether time ran out."""
    easy = greedy_cover(covers)
    if len(easy) <= count:
        return easy, True, False
    answer = fewest(covers, limits, at_most=count)
    if answer.values is not None:
        return np.flatnonzero(answer.values), True, False
    return None, answer.bound == np.inf, answer.cut_short


def _filled(sites: Whole, count: int, n_sites: int) -> tuple[int, ...]:
    """Return sites with the first others added until there are `count`."""
    others = np.setdiff1d(np.arange(n_sites), sites)
    return _rising(np.concatenate((sites, others[: max(0, count - len(sites))])))


def _rising(sites: Whole) -> tuple[int, ...]:
    return tuple(sorted(sites.tolist()))
