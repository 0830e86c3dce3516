"""Ids that we give: a word such as `rec_` and a ULID, so that they sort by time and never meet.

48 bits of milliseconds and 80 random bits in Crockford's base 32 (no I, L, O, U), 26 characters.
"""

import datetime as dt
import secrets
from typing import Final

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PREFIX: Final = "rec_"
RANDOM_BITS: Final = 80
PAIRS: Final = tuple(first + second for first in CROCKFORD for second in CROCKFORD)
"""Two characters for each ten bits, which halves the work."""


def new_recommendation_id(made_at: dt.datetime) -> str:
    """Return a new id for a recommendation made at an instant."""
    return new_id(PREFIX, made_at)


def new_id(prefix: str, made_at: dt.datetime) -> str:
    """Return a new id for something of the kind that a word names."""
    number = (int(made_at.timestamp() * 1000) << RANDOM_BITS) | secrets.randbits(RANDOM_BITS)
    return prefix + "".join([PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])
