"""Columns of numbers as few bytes, and back to the very same bits.

What lives here: `PackedReals` and `PackedWhole`. A column of reals is kept as whole numbers over a
power of ten where that gives back every bit (most fixes have 5 to 7 decimals, most instants whole
seconds); a value for which it does not is kept as its 64 bits. What does not: which columns there
are (`block`).
"""

from collections.abc import Sequence
from typing import Final, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Whole = NDArray[np.int64]
Codes = NDArray[np.uint8]

DIVISORS: Final = (1, 10, 100, 10**3, 10**4, 10**5, 10**6, 10**7)
EXACT_MAX: Final = 2.0**53
"""Whole numbers up to here are reals, so that a quotient of two of them is rounded once."""

TABLE_MAX: Final = 128
"""Different values of a column that are numbered."""

VALUE: Final = 0
MISSING: Final = 1
"""The one NaN that stands for "not known"."""
AS_OTHER: Final = 2
"""The same bits as another column has in this row."""
ODD: Final = 3
"""Kept as its 64 bits."""

_MISSING_BITS: Final = np.array([np.nan]).view(np.uint64)[0]


class PackedWhole(Struct, frozen=True, array_like=True):
    """Whole numbers of 64 bits as their distances from the least, byte by byte of all rows."""

    low: int
    width: int
    """Bytes of each distance."""
    planes: bytes
    """(width, n) the lowest bytes first."""

    @classmethod
    def of(cls, values: Whole) -> Self:
        """Return a column (n,) packed."""
        if not len(values):
            return cls(0, 0, b"")
        low = int(values.min())
        distance = values.astype(np.uint64) - np.uint64(low % 2**64)
        width = (int(distance.max()).bit_length() + 7) // 8
        table = distance.astype("<u8").view(np.uint8).reshape(len(values), 8)
        return cls(low, width, np.ascontiguousarray(table[:, :width].T).tobytes())

    def __len__(self) -> int:
        return len(self.planes) // self.width if self.width else 0

    def column(self, n: int) -> Whole:
        """Return the column (n,).

        Raises
        ------
        ValueError
            It has another length, or numbers that no column has.
        """
        if not (0 <= self.width <= 8 and -(2**63) <= self.low < 2**63):
            raise ValueError(f"numbers of {self.width} bytes from {self.low}")
        if len(self.planes) != self.width * n:
            raise ValueError(f"{len(self.planes)} bytes; expected {self.width * n}")
        table = np.zeros((n, 8), np.uint8)
        table[:, : self.width] = np.frombuffer(self.planes, np.uint8).reshape(self.width, n).T
        distance = table.view("<u8").ravel()
        return (distance + np.uint64(self.low % 2**64)).astype(np.int64)


class PackedOptional(Struct, frozen=True, array_like=True):
    """Whole numbers, some of which are not known."""

    known: bytes
    """(n) bits, empty where all are known."""
    values: PackedWhole

    @classmethod
    def of(cls, values: Sequence[int | None]) -> Self:
        """Return a column packed.

        Raises
        ------
        OverflowError
            A number has more than 64 bits.
        """
        known = [value is not None for value in values]
        whole = np.array([value for value in values if value is not None], np.int64)
        bits = b"" if all(known) else np.packbits(known).tobytes()
        return cls(bits, PackedWhole.of(whole))

    def column(self, n: int) -> tuple[int | None, ...]:
        """Return the column; errors as `PackedWhole.column`."""
        if not self.known:
            return tuple(self.values.column(n).tolist())
        known = bits_of(self.known, n)
        values = iter(self.values.column(int(known.sum())).tolist())
        return tuple([next(values) if one else None for one in known.tolist()])


class PackedReals(Struct, frozen=True, array_like=True):
    """Reals of which every bit comes back."""

    codes: bytes
    """(n) VALUE, MISSING, AS_OTHER or ODD; empty where all are VALUE, one where all are equal."""
    divisor: int
    values: PackedWhole
    odd: PackedWhole
    """The bits of ODD values as whole numbers, or which of `odd_table` each is."""
    odd_table: PackedWhole | None
    """The different bits, where there are few: speeds told in miles an hour are."""

    @classmethod
    def of(cls, column: Reals, other: Reals | None = None) -> Self:
        """Return a column (n,) packed, with regard to another one of the same rows."""
        bits = column.view(np.uint64)
        codes = np.where(bits == _MISSING_BITS, MISSING, VALUE).astype(np.uint8)
        if other is not None:
            codes[(bits == other.view(np.uint64)) & (codes == VALUE)] = AS_OTHER
        rest = np.flatnonzero(codes == VALUE)
        divisor, whole, fits = _over_a_power_of_ten(column[rest])
        codes[rest[~fits]] = ODD
        odd = _bits_packed(bits[rest[~fits]].view(np.int64))
        return cls(_few(codes), divisor, PackedWhole.of(whole[fits]), *odd)

    def column(self, n: int, other: Reals | None = None) -> Reals:
        """Return the column (n,), read-only; errors as `PackedWhole.column`."""
        codes = _many(self.codes, n)
        if self.divisor not in DIVISORS:
            raise ValueError(f"divisor {self.divisor}")
        value, odd = codes == VALUE, codes == ODD
        column = np.full(n, np.nan)
        column[value] = self.values.column(int(value.sum())) / float(self.divisor)
        column[odd] = self._odd(int(odd.sum())).view(np.float64)
        if other is not None:
            column[codes == AS_OTHER] = other[codes == AS_OTHER]
        elif (codes == AS_OTHER).any():
            raise ValueError("a value like that of another column, and there is none")
        column.setflags(write=False)
        return column

    def _odd(self, n: int) -> Whole:
        bits = self.odd.column(n)
        if self.odd_table is None:
            return bits
        table = self.odd_table.column(TABLE_MAX)
        if n and not (bits.min() >= 0 and bits.max() < TABLE_MAX):
            raise ValueError("an odd value beyond the table")
        return table[bits]


def _bits_packed(bits: Whole) -> tuple[PackedWhole, PackedWhole | None]:
    """Return 64 bits each as whole numbers; where few differ, their places in a table, and that."""
    different, places = np.unique(bits, return_inverse=True)
    if not 0 < len(different) <= TABLE_MAX < len(bits):
        return PackedWhole.of(bits), None
    table = np.full(TABLE_MAX, different[-1])
    table[: len(different)] = different
    return PackedWhole.of(places.astype(np.int64)), PackedWhole.of(table)


def _over_a_power_of_ten(values: Reals) -> tuple[int, Whole, NDArray[np.bool_]]:
    """Return a divisor, whole numbers, and where their quotients are the values bit by bit.

    The first divisor that does for all, or else the one that does for most.
    """
    bits, best = values.view(np.uint64), None
    finite = np.where(np.isfinite(values), values, 0.0)
    for divisor in DIVISORS:
        scaled = np.rint(np.clip(finite, -1e12, 1e12) * divisor)
        whole = np.where(np.abs(scaled) < EXACT_MAX, scaled, 0.0).astype(np.int64)
        fits = (whole / float(divisor)).view(np.uint64) == bits
        n_fits = int(fits.sum())
        if best is None or n_fits > best[0]:
            best = n_fits, divisor, whole, fits
        if n_fits == len(values):
            break
    assert best is not None, "there is a first divisor"
    return best[1:]


def _few(codes: Codes) -> bytes:
    if not codes.any():
        return b""
    return codes[:1].tobytes() if (codes == codes[0]).all() else codes.tobytes()


def _many(codes: bytes, n: int) -> Codes:
    if len(codes) not in {0, 1, n}:
        raise ValueError(f"{len(codes)} codes for {n} rows")
    column = np.zeros(n, np.uint8)
    column[:] = np.frombuffer(codes or bytes(1), np.uint8)
    if (column > ODD).any():
        raise ValueError("an unknown code")
    return column


def bits_of(packed: bytes, n: int) -> NDArray[np.bool_]:
    """Return (n,) bits.

    Raises
    ------
    ValueError
        There are more or fewer.
    """
    if len(packed) != (n + 7) // 8:
        raise ValueError(f"{len(packed)} bytes for {n} bits")
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=n).astype(np.bool_)
