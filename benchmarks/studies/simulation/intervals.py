"""Means over replications, and how far they may be from the truth.

What lives here: `Interval`, `interval_of`. What does not: what is measured (`measures`).

Replications are independent, so the mean of n of them has a Student's t interval of n - 1 degrees.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean and its interval; NaN where there are too few values."""

    mean: float
    low: float
    high: float
    n: int
    """Replications that have a value."""

    @property
    def is_apart_from_zero(self) -> bool:
        """Whether the whole interval lies on one side of 0."""
        return bool(self.low > 0 or self.high < 0)


def interval_of(values: Sequence[float], confidence: float) -> Interval:
    """Return the interval of the mean of independent values; NaN among them is left out."""
    known = np.array([value for value in values if value == value], np.float64)  # noqa: PLR0124
    n = len(known)
    if not n:
        return Interval(mean=np.nan, low=np.nan, high=np.nan, n=0)
    mean = float(known.mean())
    if n == 1:
        return Interval(mean=mean, low=np.nan, high=np.nan, n=1)
    half = float(student.ppf(0.5 + confidence / 2, n - 1) * known.std(ddof=1) / np.sqrt(n))
    return Interval(mean=mean, low=mean - half, high=mean + half, n=n)
