"""Heads of chains outside their chain: kept in a file elsewhere, or told by records of others."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from api.audit.pages import Place
from api.errors import StartError
from api.store.sql_heads import Head

ANCHOR: Final = "ANCHOR"
"""Kind of a record that tells heads of other chains."""
PRUNED_AUDIT: Final = "PRUNED_AUDIT"
"""Kind of a record that tells where pruned chains begin now."""
_ENDS: Final = msgspec.json.Decoder(dict[str, tuple[int, str]])
_PARTS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Kept(Struct, frozen=True):
    instance: str
    number: int
    hash: str


class _File(Struct, frozen=True):
    at: datetime
    heads: list[_Kept]


def told_heads(said: msgspec.Raw) -> dict[str, Place]:
    """Return the heads that a record tells, by instance; none where it tells none."""
    try:
        ends = _ENDS.decode(_PARTS.decode(said)["heads"])
        return {name: Place(number, bytes.fromhex(last)) for name, (number, last) in ends.items()}
    except (msgspec.MsgspecError, KeyError, ValueError):
        return {}


def heads_text(heads: Sequence[Head], at: datetime) -> str:
    """Return heads as the text of a file to keep elsewhere."""
    kept = [_Kept(one.instance, one.number, one.hash.hex()) for one in heads]
    return msgspec.json.format(msgspec.json.encode(_File(at, kept)), indent=2).decode() + "\n"


def read_kept(file: Path) -> list[Head]:
    """Read a file of heads that was kept elsewhere.

    Raises
    ------
    StartError
        It cannot be read, or holds something else.
    """
    try:
        found = msgspec.json.decode(file.read_bytes(), type=_File)
        return [
            Head(instance=one.instance, number=one.number, hash=bytes.fromhex(one.hash))
            for one in found.heads
        ]
    except OSError as error:
        raise StartError(
            f"{file} cannot be read ({error.strerror}).", remedy="Name a file that can."
        ) from None
    except (msgspec.MsgspecError, ValueError):
        raise StartError(
            f"{file} holds no heads of an audit log.",
            remedy="Give one that `tandem audit head` has written.",
        ) from None
