"""A roster as one compact block of bytes, and back: every value exactly, to the last bit.

    block = block_of(units)
    units = units_of(block)

What lives here: the format, and `UnitBlocks`, which makes the block of a roster once. What does
not: what else a recommendation saw (`record`).

A block is `TUB`, a version, a CRC-32 of what follows, and a zlib stream of columns (MessagePack).
Whatever a block holds, reading it gives the units or raises `DamagedBlock`; nothing is executed.
"""

import zlib
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from threading import Lock
from typing import Any, Final, NoReturn, Self, TypeVar

import numpy as np
from msgspec import MsgspecError, Struct
from msgspec.msgpack import Decoder, Encoder
from numpy.typing import NDArray

from api.replay.errors import DamagedBlock
from api.replay.number_columns import PackedOptional, PackedReals, PackedWhole, bits_of
from api.replay.sealing import inflated, sealed, unsealed
from routing.roster import AGENCIES, STATUSES, UnitColumns, UnitId

MAGIC: Final = b"TUB"
VERSION: Final = 1
UNITS_MAX: Final = 100_000
PLANE_BYTES_MIN: Final = 64
KEPT_MAX: Final = 8
"""Blocks of the latest rosters that are remembered."""

Text = TypeVar("Text", bound=Hashable)

AS_ID: Final = 0
"""Call sign: the unit_id."""
AS_STEM: Final = 1
"""Call sign: the unit_id up to its `#`."""


class _Words(Struct, frozen=True, array_like=True):
    """A column with few different texts."""

    table: list[str | None]
    rows: PackedWhole

    @classmethod
    def of(cls, column: Sequence[str | None]) -> Self:
        table, rows = _numbered(column)
        return cls(table, rows)

    def column(self, n: int) -> tuple[str | None, ...]:
        return tuple([self.table[k] for k in _places(self.rows, n, len(self.table))])


class _Sets(Struct, frozen=True, array_like=True):
    """A column with few different sets of texts."""

    table: list[list[str]]
    rows: PackedWhole

    @classmethod
    def of(cls, column: Sequence[frozenset[str]]) -> Self:
        table, rows = _numbered(column)
        return cls([sorted(one) for one in table], rows)

    def column(self, n: int) -> tuple[frozenset[str], ...]:
        sets = [frozenset(one) for one in self.table]
        return tuple([sets[k] for k in _places(self.rows, n, len(sets))])


class _Packed(Struct, frozen=True, array_like=True):
    """All columns of a roster."""

    unit_id: list[str]
    call_sign: list[str | int]
    """AS_ID, AS_STEM or the text itself."""
    version: PackedOptional
    skills: _Sets
    home_post: _Words
    home_sector: _Words
    home_beat: _Words
    row: PackedOptional | None
    """None for units of the roster, which stand in no list of a request."""
    agency: bytes
    status: bytes
    crew_count: PackedWhole
    claimed: bytes
    """(n) bits, empty where nobody is."""
    status_since_s: PackedReals
    available_since_s: PackedReals
    """Beside `status_since_s`, which it mostly equals."""
    expected_clear_s: PackedReals
    shift_end_s: PackedReals
    fixed_at_s: PackedReals
    lon: PackedReals
    lat: PackedReals
    heading_deg: PackedReals
    speed_mps: PackedReals
    accuracy_m: PackedReals


_REALS: Final = (
    "status_since_s", "expected_clear_s", "shift_end_s", "fixed_at_s", "lon", "lat",
    "heading_deg", "speed_mps", "accuracy_m",
)  # fmt: skip
_WORDS: Final = ("home_post", "home_sector", "home_beat")
_ENCODER: Final = Encoder()
_DECODER: Final = Decoder(_Packed)


def block_of(units: UnitColumns) -> bytes:
    """Return units as a block.

    Raises
    ------
    OverflowError
        A version or a row has more than 64 bits.
    """
    columns: dict[str, Any] = {name: PackedReals.of(getattr(units, name)) for name in _REALS}
    columns |= {name: _Words.of(getattr(units, name)) for name in _WORDS}
    packed = _Packed(
        unit_id=list(units.unit_id),
        call_sign=list(map(_call_sign, units.call_sign, units.unit_id)),
        version=PackedOptional.of(units.version),
        skills=_Sets.of(units.skills),
        row=PackedOptional.of(units.row) if any(row is not None for row in units.row) else None,
        agency=units.agency.tobytes(),
        status=units.status.tobytes(),
        crew_count=PackedWhole.of(units.crew_count.astype(np.int64)),
        claimed=np.packbits(units.claimed).tobytes() if units.claimed.any() else b"",
        available_since_s=PackedReals.of(units.available_since_s, units.status_since_s),
        **columns,
    )
    return sealed(_compressed(packed), MAGIC, VERSION)


def _compressed(packed: _Packed) -> bytes:
    """Return the columns as one zlib stream, in which each plane of bytes has a code of its own.

    Lowest bytes look like noise and highest ones are nearly all equal, so that one code for both
    costs an eighth more. Whoever reads the stream need not know where it was cut.
    """
    plain, at = _ENCODER.encode(packed), 0
    packer = zlib.compressobj(6)
    pieces = list[bytes]()
    for column in _whole_columns(packed):
        begin = plain.find(column.planes, at)
        for end in range(begin, begin + len(column.planes) + 1, len(column) or 1):
            pieces += (packer.compress(plain[at:end]), packer.flush(zlib.Z_PARTIAL_FLUSH))
            at = end
    return b"".join((*pieces, packer.compress(plain[at:]), packer.flush()))


def _whole_columns(part: object) -> Iterator[PackedWhole]:
    """Yield the columns within a part that are long enough for a code of their own, in order."""
    if isinstance(part, PackedWhole):
        if len(part) >= PLANE_BYTES_MIN:
            yield part
    elif isinstance(part, Struct):
        for name in part.__struct_fields__:
            yield from _whole_columns(getattr(part, name))


def units_of(block: bytes) -> UnitColumns:
    """Return the units of a block.

    Raises
    ------
    DamagedBlock
        It is not what was written, whatever it is.
    """
    plain = inflated(unsealed(block, MAGIC, VERSION, _damaged), _damaged)
    try:
        return _units(_DECODER.decode(plain))
    except (MsgspecError, ValueError, OverflowError, LookupError) as error:
        _damaged(str(error))


def _damaged(what: str) -> NoReturn:
    raise DamagedBlock(
        f"The block of units is not what was written: {what}.",
        remedy="Restore the store from a backup; the recorded answer itself is kept beside it.",
    ) from None


def _units(packed: _Packed) -> UnitColumns:
    n = len(packed.unit_id)
    _require_ids(packed.unit_id)
    if len(packed.call_sign) != n:
        raise ValueError(f"{len(packed.call_sign)} call signs for {n} units")
    columns: dict[str, Any] = {name: getattr(packed, name).column(n) for name in _REALS}
    since = packed.available_since_s.column(n, columns["status_since_s"])
    columns |= {name: getattr(packed, name).column(n) for name in _WORDS}
    return UnitColumns(
        unit_id=tuple(map(UnitId, packed.unit_id)),
        call_sign=tuple(map(_spoken, packed.call_sign, packed.unit_id)),
        version=packed.version.column(n),
        skills=packed.skills.column(n),
        row=(None,) * n if packed.row is None else packed.row.column(n),
        agency=_codes(packed.agency, n, len(AGENCIES)),
        status=_codes(packed.status, n, len(STATUSES)),
        crew_count=_crew(packed.crew_count, n),
        claimed=_read_only(bits_of(packed.claimed or bytes((n + 7) // 8), n)),
        available_since_s=since,
        **columns,
    )


# -- the columns that are no reals ----------------------------------------------------------------


def _require_ids(ids: Sequence[str]) -> None:
    if len(ids) > UNITS_MAX:
        raise ValueError(f"{len(ids)} units; at most {UNITS_MAX}")
    if any(one >= other for one, other in pairwise(ids)):
        raise ValueError("the units are not in order")


def _call_sign(call_sign: str, unit_id: str) -> str | int:
    if call_sign == unit_id:
        return AS_ID
    return AS_STEM if call_sign == unit_id.partition("#")[0] else call_sign


def _spoken(call_sign: str | int, unit_id: str) -> str:
    if isinstance(call_sign, str):
        return call_sign
    if call_sign not in {AS_ID, AS_STEM}:
        raise ValueError(f"call sign {call_sign}")
    return unit_id if call_sign == AS_ID else unit_id.partition("#")[0]


def _numbered(column: Sequence[Text]) -> tuple[list[Text], PackedWhole]:
    """Return the different values, and which of them each row has."""
    places: dict[Text, int] = {}
    rows = [places.setdefault(value, len(places)) for value in column]
    return list(places), PackedWhole.of(np.array(rows, np.int64))


def _places(rows: PackedWhole, n: int, n_table: int) -> list[int]:
    places = rows.column(n)
    if n and not (places.min() >= 0 and places.max() < n_table):
        raise ValueError(f"a row of a table of {n_table}")
    found: list[int] = places.tolist()
    return found


def _codes(column: bytes, n: int, n_codes: int) -> NDArray[np.int8]:
    codes = np.frombuffer(column, np.int8)
    if len(codes) != n or (n and not (codes.min() >= 0 and codes.max() < n_codes)):
        raise ValueError(f"codes other than {n} of {n_codes}")
    return codes


def _crew(packed: PackedWhole, n: int) -> NDArray[np.int32]:
    crew = packed.column(n)
    if n and not (crew.min() >= -(2**31) and crew.max() < 2**31):
        raise ValueError("a crew beyond 32 bits")
    return _read_only(crew.astype(np.int32))


Column = TypeVar("Column", bound=np.generic)


def _read_only(column: NDArray[Column]) -> NDArray[Column]:
    column.setflags(write=False)
    return column


# -- once for each roster -------------------------------------------------------------------------


class UnitBlocks:
    """The blocks of the latest rosters, each made once, whichever thread asks first."""

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        self._kept: list[tuple[UnitColumns, bytes]] = []
        self._kept_max = kept_max
        self._lock = Lock()

    def has(self, units: UnitColumns) -> bool:
        """Tell whether the block of a roster is made."""
        return any(known is units for known, _ in self._kept)

    def of(self, units: UnitColumns) -> bytes:
        """Return the block of a roster: the same bytes object for the same roster."""
        for known, block in self._kept:
            if known is units:
                return block
        with self._lock:
            for known, block in self._kept:
                if known is units:
                    return block
            block = block_of(units)
            self._kept = [*self._kept[-self._kept_max + 1 :], (units, block)]
        return block
