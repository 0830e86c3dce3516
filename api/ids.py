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
_CHARACTER_OF_BYTE: Final = bytes(ord(CROCKFORD[byte % len(CROCKFORD)]) for byte in range(256))
"""Five random bits of a byte as a character; 256 is a multiple of 32, so each is as likely."""


def new_recommendation_id(made_at: dt.datetime) -> str:
    """Return a new id for a recommendation made at an instant."""
    return new_id(PREFIX, made_at)


def new_id(prefix: str, made_at: dt.datetime) -> str:
    """Return a new id for something of the kind that a word names."""
    at_ms = int(made_at.timestamp() * 1000)
    instant = "".join([PAIRS[(at_ms >> shift) & 1023] for shift in range(40, -1, -10)])
    chance = secrets.token_bytes(RANDOM_BITS // 5).translate(_CHARACTER_OF_BYTE).decode()
    return prefix + instant + chance
