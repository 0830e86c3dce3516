"""Damaged files of zones: each is accepted with every promise kept, or refused with the reason."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from geodata.zone_crs import is_near
from geodata.zone_findings import has_errors
from geodata.zone_reading import ZoneImport, ZoneReader
from geodata.zone_worker import CPU_S_MAX, MEMORY_BYTES_MAX
from geodata.zones import ZoneMap
from tests.geodata.zone_files import (
    FORMATS,
    OPTIONS,
    SEATTLE_EXTENT,
    members_of,
    two_squares,
    write,
    zipped,
)
from tests.reliability.lengths import length

N_FILES: Final = length(300, 10_000)
TOKENS: Final = (
    b"null", b"-1", b"1e308", b"NaN", b"[", b"]", b"{", b"}", b'"', b"\\u0000", b"Infinity", b"\0",
    b'"Polygon"', b'"GeometryCollection"', b'"Curve"', b"99999999999999999999", b"\xff\xfe",
)  # fmt: skip


def flipped(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 2, 8, 64))):
        content[dice.randrange(len(content))] = dice.choice(
            (0, 1, 127, 128, 255, dice.randrange(256))
        )


def cut(content: bytearray, dice: random.Random) -> None:
    del content[dice.randrange(len(content)) :]


def doubled(content: bytearray, dice: random.Random) -> None:
    first = dice.randrange(len(content))
    piece = content[first : first + dice.randrange(1, 4_000)]
    place = dice.randrange(len(content))
    content[place:place] = piece


def blanked(content: bytearray, dice: random.Random) -> None:
    first = dice.randrange(len(content))
    content[first : first + dice.randrange(1, 200)] = bytes(dice.randrange(1, 200))


def token_put_in(content: bytearray, dice: random.Random) -> None:
    place = dice.randrange(len(content))
    content[place : place + dice.randrange(6)] = dice.choice(TOKENS)


MUTATIONS: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (
    flipped, flipped, cut, doubled, blanked, token_put_in,
)  # fmt: skip


def mutated(content: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content or b"\0")
    dice.choice(MUTATIONS)(changed, dice)
    return bytes(changed)


def mutated_file(good: Path, target: Path, dice: random.Random) -> Path:
    """Damage a file, or a member of an archive, so that what GDAL unpacks is damaged."""
    if good.suffix != ".zip" or dice.random() < 0.3:
        target.write_bytes(mutated(good.read_bytes(), dice))
        return target
    members = members_of(good)
    name = dice.choice(sorted(members))
    return zipped(target, {**members, name: mutated(members[name], dice)})


def broken_promises(done: ZoneImport) -> list[str]:
    """Return what an import says that it must not say."""
    wrong = []
    if done.cpu_s > CPU_S_MAX + 1 or done.peak_bytes > MEMORY_BYTES_MAX:
        wrong.append(f"{done.cpu_s:.1f} s, {done.peak_bytes / 2**20:.0f} MB")
    if has_errors(done.findings):
        wrong += [
            f"no reason: {f}" for f in done.findings if not (f.code and f.detail and f.remedy)
        ]
        return wrong + (["zones of a refused file"] if done.zones else [])
    zones = ZoneMap.from_geojson(done.as_geojson()).zones
    if len(zones) != done.n_features or not zones:
        wrong.append(f"{len(zones)} zones of {done.n_features} features")
    for zone in zones:
        middle = zone.geometry.representative_point()
        if not zone.geometry.is_valid or not is_near(middle.x, middle.y, SEATTLE_EXTENT):
            wrong.append(f"{zone.zone_id} is no zone of these streets")
    return wrong


def test_damaged_files_are_accepted_whole_or_refused_with_a_reason(tmp_path: Path) -> None:
    good = [write(two_squares().to_crs(2926), tmp_path, suffix) for suffix in FORMATS]
    dice, seen, slowest_s, peak = random.Random(20_231_001), Counter[str](), 0.0, 0
    with ZoneReader(wall_s_max=60) as reader:
        for number in range(N_FILES):
            file = mutated_file(good[number % len(good)], tmp_path / f"bad-{number % 8}", dice)
            done = reader.read(file, OPTIONS)
            assert broken_promises(done) == [], (number, file)
            seen["accepted" if done.is_accepted else done.findings[0].code] += 1
            slowest_s, peak = max(slowest_s, done.cpu_s), max(peak, done.peak_bytes)
        assert reader.read(good[0], OPTIONS).is_accepted
    print(f"{N_FILES} files: {dict(seen)}; slowest {slowest_s:.2f} s, {peak / 2**20:.0f} MB")  # noqa: T201
    assert seen["accepted"] > 0.05 * N_FILES
    assert sum(seen.values()) - seen["accepted"] > 0.3 * N_FILES
    assert len(seen) > 5


@pytest.mark.parametrize("broken", ["zones", "reason", "time"])
def test_a_broken_promise_is_found(tmp_path: Path, broken: str) -> None:
    with ZoneReader(wall_s_max=60) as reader:
        fine = reader.read(write(two_squares(), tmp_path, "geojson"), OPTIONS)
        refused = reader.read(tmp_path, OPTIONS)
    assert broken_promises(fine) == broken_promises(refused) == []
    worse = {
        "zones": replace(refused, zones=fine.zones),
        "reason": replace(refused, findings=(replace(refused.findings[0], remedy=""),)),
        "time": replace(fine, cpu_s=60.0),
    }
    assert broken_promises(worse[broken]) != []
