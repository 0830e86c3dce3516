"""Independent streams of random numbers, one for each purpose, so that changes do not spill over.

The places of calls stay the same whatever units, hours or service times a scenario has: each
purpose draws from its own counter-based generator (Philox), keyed by the seed, the part of demand
and the purpose. No global state, no time of day.
"""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream of demand is drawn for; numbers never change."""

    COUNTS = 1
    """Calls in each hour."""
    INSTANTS = 2
    """Within the hour."""
    PLACES = 3
    ORIGIN = 4
    """911 or an officer on scene."""
    SCREENING = 5
    UNITS = 6
    PRIORITY = 7
    THINNING = 8


PARTS = ("CARE", "POLICE")


def stream(seed: int, part: str, purpose: Purpose) -> np.random.Generator:
    """Return the generator of a purpose for a part of demand."""
    key = [seed, PARTS.index(part), int(purpose)]
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
