"""What is kept with a recommendation because it is the first that names it.

What a service decides by is kept when it starts (`keeping.keep_sources`). Closures come and go: the
first record that names a set of them brings it, and the weights that it makes, in its own
transaction, or into the spool with it. So nothing names what is not kept.
"""

from enum import StrEnum

from msgspec import Struct

from api.closures.closed_sets import kept_set
from api.replay.sources import Sources, to_bytes, weights_of
from geodata.closures import ClosedNow
from geodata.network import StreetNetwork


class NeedKind(StrEnum):
    """Where it is kept."""

    WEIGHTS = "WEIGHTS"
    CLOSED_SET = "CLOSED_SET"


class Need(Struct, frozen=True, kw_only=True):
    """One part as it is stored, under its name."""

    kind: NeedKind
    name: str
    stored: bytes


class Seen(Struct, frozen=True, kw_only=True):
    """What a recommendation saw, and what has to be kept with it to see it again."""

    seen: bytes
    """The record without its answer, which is kept beside it."""
    needs: tuple[Need, ...] = ()


def needs_of(closed: ClosedNow, sources: Sources, network: StreetNetwork) -> tuple[Need, ...]:
    """Return a set of closures and its weights at every hour."""
    found = kept_set(closed)
    made = weights_of(sources.profiles, network, closed)
    return (
        Need(kind=NeedKind.CLOSED_SET, name=found.set_id, stored=to_bytes(found)),
        *(
            Need(kind=NeedKind.WEIGHTS, name=name, stored=to_bytes(weights))
            for name, weights in made.items()
        ),
    )
