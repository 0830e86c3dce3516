"""What differs between the answer that was recorded and the one that is made again.

What lives here: `Difference`, and the walk through two JSON texts. What does not: how the second
answer comes about (`reproduce`).
"""

import json
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from msgspec import Struct

DIFFERENCES_MAX: Final = 50
SHOWN_MAX: Final = 200
"""Characters of a value that are shown."""
ABSENT: Final = "(absent)"


class Why(StrEnum):
    """What kind of difference it is.

    ANSWER: a value of the answer is another.
    BYTES: the same values, written otherwise.
    SOFTWARE: another version of Tandem decided; it stands before what differs for it.
    NOT_KEPT: a release, a weight set or the streets are not there.
    DAMAGED: the record cannot be read.
    REFUSED: the request is refused now.
    UNSOUND: the choice that was recorded breaks a rule of batches.
    """

    ANSWER = "ANSWER"
    BYTES = "BYTES"
    SOFTWARE = "SOFTWARE"
    NOT_KEPT = "NOT_KEPT"
    DAMAGED = "DAMAGED"
    REFUSED = "REFUSED"
    UNSOUND = "UNSOUND"


class Difference(Struct, frozen=True, kw_only=True):
    """One thing that is not as it was."""

    why: Why
    path: str = ""
    """JSON pointer into the answer."""
    recorded: str = ""
    """As JSON, cut at SHOWN_MAX characters."""
    replayed: str = ""
    said: str = ""
    """In words, where it is no value of the answer."""


def differences_of(recorded: bytes, replayed: bytes) -> tuple[Difference, ...]:
    """Return what differs between two answers, at most DIFFERENCES_MAX; () for the same bytes."""
    if recorded == replayed:
        return ()
    try:
        old, new = json.loads(recorded), json.loads(replayed)
    except (ValueError, RecursionError):
        return (Difference(why=Why.BYTES, said="the recorded answer is not JSON"),)
    found = tuple(islice(_walk("", old, new), DIFFERENCES_MAX))
    if found:
        return found
    at = next((i for i, (a, b) in enumerate(zip(recorded, replayed, strict=False)) if a != b), 0)
    return (Difference(why=Why.BYTES, said=f"the same values, written otherwise from byte {at}"),)


_NOTHING: Final = object()


def _walk(path: str, old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            inner = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
            yield from _walk(inner, old.get(key, _NOTHING), new.get(key, _NOTHING))
    elif isinstance(old, list) and isinstance(new, list):
        for place in range(max(len(old), len(new))):
            one, other = ((a[place] if place < len(a) else _NOTHING) for a in (old, new))
            yield from _walk(f"{path}/{place}", one, other)
    elif type(old) is not type(new) or old != new:
        yield Difference(why=Why.ANSWER, path=path, recorded=_shown(old), replayed=_shown(new))


def _shown(value: Any) -> str:
    if value is _NOTHING:
        return ABSENT
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 3] + "..."
