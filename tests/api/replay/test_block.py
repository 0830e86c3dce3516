"""A roster as a block: small, exact to the last bit, made once, and safe to read whatever it is."""

import random
import struct
import zlib
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.replay.block import MAGIC, UnitBlocks, block_of, units_of
from api.replay.errors import DamagedBlock
from api.replay.sealing import HEAD_BYTES, PLAIN_BYTES_MAX
from routing.model import Agency, Unit, UnitColumns, UnitId, unit_columns
from tests.api.replay.rosters import COLUMNS, bits, city

BYTES_MAX = 16_000
"""What 500 units may take."""
REALS = (
    "status_since_s", "available_since_s", "expected_clear_s", "shift_end_s", "fixed_at_s",
    "lon", "lat", "heading_deg", "speed_mps", "accuracy_m",
)  # fmt: skip
AWKWARD = [0.0, -0.0, 5e-324, 1e308, -1e-7, 0.1 + 0.2, 1e15 + 0.3, 2.0**53, np.inf, -np.inf, np.nan]
OTHER_NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF800000000BEEF))[0]


@pytest.mark.parametrize("digits", [5, 6, 7, 17])
def test_500_units_take_at_most_16_kilobytes_whatever_digits_their_places_have(digits: int) -> None:
    assert len(block_of(city(500, digits))) <= BYTES_MAX


def test_the_same_columns_as_compressed_json_take_far_more() -> None:
    units = city(500)
    columns = [np.asarray(getattr(units, name)).tolist() for name in COLUMNS if name != "skills"]
    assert len(zlib.compress(msgspec.json.encode(columns), 9)) > 1.4 * len(block_of(units))


@pytest.mark.parametrize("digits", [5, 7, 17])
def test_every_column_comes_back_bit_by_bit(digits: int) -> None:
    units = city(300, digits)
    assert bits(units_of(block_of(units))) == bits(units)


@given(st.data())
def test_any_real_comes_back_in_any_column(data: st.DataObject) -> None:
    units = city(12)
    real = st.floats(width=64) | st.sampled_from([*AWKWARD, OTHER_NAN])
    rows = st.lists(real, min_size=12, max_size=12)
    columns = {
        name: np.array(data.draw(rows)) for name in data.draw(st.sets(st.sampled_from(REALS)))
    }
    made = replace(units, **columns)
    assert bits(units_of(block_of(made))) == bits(made)


def test_few_different_values_with_all_their_digits_are_numbered() -> None:
    units = city(500)
    miles_an_hour = np.rint(units.speed_mps * 2) * 0.44704
    made = replace(units, speed_mps=miles_an_hour)
    assert bits(units_of(block_of(made))) == bits(made)
    assert len(block_of(made)) < len(block_of(units)) + 500


def test_texts_rows_and_what_is_not_known_come_back() -> None:
    units = unit_columns(
        [
            Unit(unit_id=UnitId("Ü-1#a"), agency=Agency.CARE, row=7, version=2**62),
            Unit(unit_id=UnitId("a#b"), agency=Agency.SPD, call_sign="a", version=0, crew_count=0),
            Unit(unit_id=UnitId("b"), agency=Agency.SPD, call_sign="", skills=frozenset({"", "Z"})),
        ]
    )
    assert bits(units_of(block_of(units))) == bits(units)
    assert bits(units_of(block_of(unit_columns(())))) == bits(unit_columns(()))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_that_is_another_makes_another_block(name: str) -> None:
    units = city(40)
    old: Any = getattr(units, name)
    changed = old[::-1] if isinstance(old, tuple) else np.roll(old, 1)
    if name in ("claimed", "row", "home_post"):
        changed = ~old if name == "claimed" else (*old[:-1], 3 if name == "row" else "CARE_HQ")
    if name == "unit_id":
        changed = (*old[:-1], "~")
    made = replace(units, **{name: changed})
    assert bits(units_of(block_of(made))) == bits(made) != bits(units)


def test_a_roster_has_one_block_however_often_it_is_asked_for() -> None:
    blocks, units = UnitBlocks(kept_max=2), city(20)
    first = blocks.of(units)
    assert blocks.of(units) is first
    assert blocks.of(city(20)) is not first
    for seed in range(3):
        blocks.of(city(5, seed=seed))
    assert blocks.of(units) is not first  # forgotten, so it is bounded
    assert blocks.of(units) == first


# -- hostile blocks -------------------------------------------------------------------------------


def sealed(stream: bytes) -> bytes:
    """Return a block whose checksum fits, as one who means harm would write it."""
    return MAGIC + b"\x01" + zlib.crc32(stream).to_bytes(4, "big") + stream


def plain_of(units: UnitColumns) -> bytes:
    return zlib.decompress(block_of(units)[HEAD_BYTES:])


def read_or_refused(block: bytes) -> bool:
    """Return whether a block was read; anything but a refusal is raised."""
    try:
        return len(units_of(block)) >= 0
    except DamagedBlock:
        return False


def test_a_block_with_any_byte_changed_or_cut_is_refused() -> None:
    block = block_of(city(30))
    changed = [bytes([*block[:i], block[i] ^ 0x41, *block[i + 1 :]]) for i in range(len(block))]
    assert not any(map(read_or_refused, [*changed, *(block[:i] for i in range(len(block)))]))
    assert read_or_refused(block)


def test_bytes_changed_before_they_are_sealed_are_read_or_refused_and_never_crash() -> None:
    rng, plain = random.Random(7), plain_of(city(30))
    read = 0
    for _ in range(3_000):
        raw = bytearray(plain)
        for _ in range(rng.choice((1, 1, 3, 20))):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        read += read_or_refused(sealed(zlib.compress(bytes(raw), 1)))
    assert 0 < read < 3_000


@given(st.binary(max_size=60))
def test_any_bytes_are_refused(content: bytes) -> None:
    assert not read_or_refused(content)
    assert not read_or_refused(MAGIC + content)
    assert not read_or_refused(sealed(content))


def test_a_block_that_would_unpack_to_gigabytes_is_refused_before_it_does() -> None:
    with pytest.raises(DamagedBlock, match="unpacks to more"):
        units_of(sealed(zlib.compress(bytes(PLAIN_BYTES_MAX + 1), 9)))


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (0, ["b", "a"], "not in order"),
        (1, ["x"], "call signs"),
        (8, b"\x00\x05", "codes"),
        (9, b"\x7f\x00", "codes"),
        (10, [2**40, 0, b""], "crew"),
        (10, [0, 9, b""], "bytes"),
        (3, [[["A"]], [5, 0, b""]], "table"),
        (16, [b"\x02", 1, [0, 0, b""], [0, 0, b""], None], "another column"),
        (16, [b"", 3, [0, 0, b""], [0, 0, b""], None], "divisor"),
        (16, [b"\x09", 1, [0, 0, b""], [0, 0, b""], None], "unknown code"),
    ],
)
def test_what_no_roster_has_is_refused_by_name(place: int, value: Any, said: str) -> None:
    two = unit_columns(Unit(unit_id=UnitId(name), agency=Agency.SPD) for name in "ab")
    parts = msgspec.msgpack.decode(plain_of(two))
    parts[place] = value
    with pytest.raises(DamagedBlock, match=said):
        units_of(sealed(zlib.compress(msgspec.msgpack.encode(parts))))
