"""The spool gives back every record that was synced, each in order, whatever became of the file."""

import errno
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from api.errors import StartError
from api.spool import HEAD_BYTES, MARK, Spool, frame, whole_frames

RECORDS = [b"a", b"bb", b"", b"ddd"]
FILE = b"".join(
    frame(record, sum(HEAD_BYTES + len(before) for before in RECORDS[:place]))
    for place, record in enumerate(RECORDS)
)
ENDS = [sum(HEAD_BYTES + len(one) for one in RECORDS[: n + 1]) for n in range(len(RECORDS))]


def open_spool(path: Path, *, records_max: int = 100, bytes_max: int = 100_000) -> Spool:
    return Spool(path, records_max=records_max, bytes_max=bytes_max)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "main.spool"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    made = open_spool(path)
    yield made
    made.close()


def drained(spool: Spool, most: int = 64) -> list[bytes]:
    """Return all records, taken out so many at a time."""
    taken: list[bytes] = []
    while spool.drain(taken.extend, most):
        pass
    return taken


def read(content: bytes) -> list[bytes]:
    return [content[at + HEAD_BYTES : at + n] for at, n in whole_frames(content)]


@pytest.mark.parametrize("most", [1, 3, 64])
def test_records_come_out_in_order_and_the_file_is_empty_then(spool: Spool, most: int) -> None:
    assert spool.append(RECORDS[:1]) + spool.append(RECORDS[1:]) == len(RECORDS)
    assert spool.path.read_bytes() == FILE
    assert drained(spool, most) == RECORDS
    assert (spool.count, spool.size, spool.path.read_bytes()) == (0, 0, b"")


def test_records_outlive_the_process(path: Path) -> None:
    first = open_spool(path)
    first.append(RECORDS)
    first.close()
    second = open_spool(path)
    assert (second.count, second.damaged_bytes) == (len(RECORDS), 0)
    assert drained(second) == RECORDS
    second.close()


@pytest.mark.parametrize("end", range(len(FILE) + 1))
def test_a_file_that_ends_at_any_byte_gives_all_that_was_whole_and_takes_more(
    path: Path, end: int
) -> None:
    path.parent.mkdir()
    path.write_bytes(FILE[:end])
    whole = [record for record, its_end in zip(RECORDS, ENDS, strict=True) if its_end <= end]
    spool = open_spool(path)
    assert (spool.count, path.stat().st_size) == (len(whole), ([0, *ENDS])[len(whole)])
    assert spool.append([b"more"]) == 1
    assert drained(spool) == [*whole, b"more"]
    spool.close()


def test_a_damaged_byte_costs_one_record_at_most() -> None:
    for place in range(len(FILE)):
        for flipped in (0x01, 0x80):
            content = bytearray(FILE)
            content[place] ^= flipped
            hit = next(n for n, end in enumerate(ENDS) if place < end)
            assert read(bytes(content)) == RECORDS[:hit] + RECORDS[hit + 1 :]


def test_a_record_that_holds_a_frame_is_never_taken_for_one() -> None:
    inner = frame(b"planted", 0)
    outer = frame(inner, 0)
    assert read(outer) == [inner]
    assert read(outer[:-1]) == read(b"x" + inner) == []


def test_random_records_with_marks_in_them_come_back_after_any_damage() -> None:
    rng = random.Random(4)
    for _ in range(200):
        records = [rng.choice([b"", MARK, MARK * 3]) + rng.randbytes(rng.randrange(40))
                   for _ in range(6)]  # fmt: skip
        content, ends = b"", []
        for record in records:
            content += frame(record, len(content))
            ends.append(len(content))
        at = rng.randrange(len(content))
        until = min(len(content), at + rng.randrange(1, 60))
        content = content[:at] + rng.randbytes(until - at) + content[until:]
        starts = [0, *ends[:-1]]
        untouched = [r for r, s, e in zip(records, starts, ends, strict=True)
                     if e <= at or s >= until]  # fmt: skip
        found = read(content)
        assert [record for record in found if record in untouched] == untouched
        assert set(found) <= set(records)


@pytest.mark.parametrize(
    ("records_max", "bytes_max"), [(2, 1_000), (100, 2 * HEAD_BYTES + 3), (100, len(FILE[:60]))]
)
def test_a_full_spool_refuses_the_newest_and_keeps_what_it_has(
    path: Path, records_max: int, bytes_max: int
) -> None:
    spool = open_spool(path, records_max=records_max, bytes_max=bytes_max)
    assert spool.append(RECORDS) == 2
    assert spool.append([b"more and more"]) == 0
    assert spool.size <= bytes_max
    assert drained(spool) == RECORDS[:2]
    assert spool.append([b"again"]) == 1
    spool.close()


def test_what_cannot_be_entered_stays(spool: Spool) -> None:
    def refuse(_records: Sequence[bytes]) -> None:
        raise ConnectionError

    spool.append(RECORDS)
    with pytest.raises(ConnectionError):
        spool.drain(refuse)
    assert drained(spool) == RECORDS


def test_a_crash_between_entering_and_removing_gives_the_same_records_again(path: Path) -> None:
    class Crash(BaseException):
        pass

    entered: list[bytes] = []

    def enter_and_crash(records: Sequence[bytes]) -> None:
        entered.extend(records)
        raise Crash

    first = open_spool(path)
    first.append(RECORDS)
    with pytest.raises(Crash):
        first.drain(enter_and_crash)
    first.close()
    second = open_spool(path)
    assert drained(second) == entered == RECORDS
    second.close()


def test_records_that_come_while_others_are_taken_out_are_taken_out_after_them(
    spool: Spool,
) -> None:
    taken: list[bytes] = []

    def enter(records: Sequence[bytes]) -> None:
        taken.extend(records)
        if len(taken) == 2:
            spool.append([b"late"])

    spool.append(RECORDS[:2])
    assert (spool.drain(enter), spool.count) == (2, 1)
    assert (spool.drain(enter), taken, spool.size) == (1, [*RECORDS[:2], b"late"], 0)


def test_a_disk_that_is_full_leaves_the_spool_as_it_was(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.append(RECORDS[:2])
    written = os.pwrite

    def half(file: int, content: bytes, place: int) -> int:
        if place > ENDS[1]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(file, content[:10], place)

    monkeypatch.setattr("os.pwrite", half)
    with pytest.raises(OSError, match="No space"):
        spool.append([b"more"])
    monkeypatch.undo()
    assert spool.path.stat().st_size == ENDS[1]
    assert drained(spool) == RECORDS[:2]


def test_two_processes_never_share_a_spool(spool: Spool) -> None:
    with pytest.raises(StartError, match="another process has it"):
        open_spool(spool.path)


def test_a_place_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StartError, match="cannot be used"):
        open_spool(tmp_path / "file" / "main.spool")
