"""The question and the answer of a siting model: arrivals, weights, sites, value and bound.

What lives here: `Instance`, `Limits` and `Solution`, all of them arrays and numbers. What does
not: streets, posts and calls (`study`), and how a model is solved (a module for each kind).

A pair has arrived when both have, so `pair_ms` raises CARE's arrival from every site to SPD's
nearest arrival at the point; a model then needs to know of CARE alone.
"""

import time
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.studies.scenario import Model
from routing.coverage import LONGEST_MS

Whole = NDArray[np.int64]

PROVEN_GAP: Final = 1e-6
"""A gap as small as this is none: solvers compute with real numbers."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instance:
    """Arrivals of the pair from every site that could be chosen at every point of demand."""

    arrive_ms: Whole
    """(n_sites, n_points); LONGEST_MS, a day, where the pair never comes."""
    weight: Whole
    """(n_points,) whole numbers, 0 or more, such as calls."""

    def __post_init__(self) -> None:
        n_sites, n_points = self.arrive_ms.shape
        if not n_sites:
            raise ValueError("no site to choose from; expected at least one")
        if self.weight.shape != (n_points,):
            raise ValueError(f"{self.weight.shape} weights for {n_points} points")
        if (self.weight < 0).any() or (self.arrive_ms < 0).any():
            raise ValueError("a negative weight or arrival; expected 0 or more")

    @property
    def n_sites(self) -> int:
        """How many sites there are."""
        return len(self.arrive_ms)

    @property
    def reached(self) -> NDArray[np.bool_]:
        """(n_points,) whether a pair can come from any site at all."""
        return np.asarray(self.arrive_ms.min(axis=0) < LONGEST_MS)

    def within(self, standard_ms: int) -> NDArray[np.bool_]:
        """Return (n_sites, n_points) whether a post there brings the pair within the standard."""
        return self.arrive_ms <= standard_ms

    def wanted(self) -> "Instance":
        """Return the points alone that have weight and that a pair can reach."""
        kept = (self.weight > 0) & self.reached
        return replace(self, arrive_ms=self.arrive_ms[:, kept], weight=self.weight[kept])


def merged(columns: NDArray[Any], weight: Whole) -> tuple[NDArray[Any], Whole]:
    """Return different columns alone, with the weights of equal ones added up."""
    different, place = np.unique(columns, axis=1, return_inverse=True)
    total = np.zeros(different.shape[1], np.int64)
    np.add.at(total, place.ravel(), weight)
    return different, total


def instance_of(care_ms: ArrayLike, weight: ArrayLike, spd_ms: ArrayLike = 0) -> Instance:
    """Return an instance in which the pair has arrived when CARE and SPD have.

    Parameters
    ----------
    care_ms
        (n_sites, n_points) of CARE from each site; a day or more means never.
    weight
        (n_points,) whole numbers.
    spd_ms
        (n_points,) of SPD's nearest unit; 0 asks of CARE alone.
    """
    pair_ms = np.maximum(np.asarray(care_ms, np.int64), np.asarray(spd_ms, np.int64))
    weights = np.asarray(weight)
    whole = weights.astype(np.int64)
    if (whole != weights).any():
        raise ValueError("a weight that is no whole number; expected such as counts of calls")
    return Instance(arrive_ms=np.minimum(pair_ms, LONGEST_MS), weight=whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a search ends without a proof: by work, and by the clock as the safety net."""

    seconds: float = 60.0
    nodes: int = 20_000
    """Of a branch-and-bound search."""
    begun_s: float = field(default_factory=time.perf_counter)

    @property
    def left_s(self) -> float:
        """Seconds until the clock ends the search, 0 at the least."""
        return max(0.0, self.begun_s + self.seconds - time.perf_counter())

    @property
    def used_s(self) -> float:
        """Seconds since the search began."""
        return time.perf_counter() - self.begun_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Sites with what they are worth, and what no choice of sites can pass."""

    model: Model
    sites: tuple[int, ...]
    """Rows of the instance, rising; MEXCLP may name a site for several units."""
    value: float
    """LSCP: sites. MCLP: weight within the standard. P_MEDIAN: weight x ms, summed over the points
    with a way. P_CENTER: ms of the latest point with a weight and a way. MEXCLP: expected weight
    within the standard."""
    bound: float
    """At most (MCLP, MEXCLP) or at least (the others) what any choice is worth."""
    seconds: float
    """Wall clock used."""
    cut_short: bool = False
    """Ended by the clock, so that another run may end elsewhere."""

    @property
    def gap(self) -> float:
        """How far value and bound are apart, as a share of the value; 0 where they are equal."""
        apart = abs(self.bound - self.value)
        if apart == 0:
            return 0.0
        return apart / abs(self.value) if self.value else float("inf")

    @property
    def proven(self) -> bool:
        """Whether nothing is better, to `PROVEN_GAP`."""
        return self.gap <= PROVEN_GAP
