"""What was closed when a recommendation was decided, so that it can be decided again.

A set is named by a digest of all that an answer tells of it and all that its weights rest on: two
closures of the same streets with other names are another set.
"""

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct
from msgspec.msgpack import Encoder

from geodata.closures import ClosedNow, Closure, Effect, Traffic

NOTHING_CLOSED: Final = ""
DIGEST_DIGITS: Final = 16
_ENCODER: Final = Encoder()
_THEN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UTC: Final = ZoneInfo("UTC")


class KeptStreets(Struct, frozen=True, kw_only=True):
    """One closure as it held."""

    closure_id: str
    name: str
    traffic: Traffic
    edges: list[int]
    effect: Effect = Effect.CLOSES

    def closure(self) -> Closure:
        """Return the closure, which holds at any instant."""
        return Closure(
            closure_id=self.closure_id,
            name=self.name,
            traffic=self.traffic,
            starts_at=_THEN,
            ends_at=None,
            windows=(),
            time_zone=_UTC,
            edges=np.array(self.edges, np.int32),
            effect=self.effect,
        )


class KeptClosedSet(Struct, frozen=True, kw_only=True):
    """All closures that held at an instant."""

    closures: list[KeptStreets]
    """In the order of their ids."""

    @property
    def set_id(self) -> str:
        """Its name: a digest of all of it."""
        return hashlib.sha256(_ENCODER.encode(self)).hexdigest()[:DIGEST_DIGITS]

    def closed_now(self, n_edges: int) -> ClosedNow:
        """Return what was closed.

        Raises
        ------
        ValueError
            These streets have no such edges.
        """
        return ClosedNow.at([one.closure() for one in self.closures], _THEN, n_edges)


def kept_set(closed: ClosedNow) -> KeptClosedSet:
    """Return what is closed as it is kept."""
    return KeptClosedSet(
        closures=[
            KeptStreets(
                closure_id=one.closure_id,
                name=one.name,
                traffic=one.traffic,
                edges=one.edges.tolist(),
                effect=one.effect,
            )
            for one in closed.active
        ]
    )


def set_id_of(closed: ClosedNow | None) -> str:
    """Return the name of what is closed, `NOTHING_CLOSED` where nothing is."""
    return NOTHING_CLOSED if closed is None or not closed.n_active else _set_id(closed)


@lru_cache(maxsize=16)
def _set_id(closed: ClosedNow) -> str:
    return kept_set(closed).set_id
