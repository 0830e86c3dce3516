"""A bounded file that keeps records while the store cannot, and gives them back in order.

Each record is a frame: a mark, the length, a checksum of place, length and record, the record. An
append is synced before it returns. Whatever a crash or a disk does to the file, every frame that
is whole is read, and nothing else is: reading goes on behind a damaged frame at the next mark that
begins a whole one, and a torn tail is cut. The checksum covers the place in the file, so a record
that holds the bytes of a frame is never taken for one.

A full spool refuses the newest record, because what was synced is not given up. What was taken out
is removed once all is out; a crash before that gives it out again, so whoever takes records must
take each once however often it is told (`api.recording` does, by recommendation_id).
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Final

from api.errors import StartError
from geodata.on_disk import sync

MARK: Final = b"\xabTS1"
LENGTH_BYTES: Final = 4
SUM_BYTES: Final = 16
HEAD_BYTES: Final = len(MARK) + LENGTH_BYTES + SUM_BYTES
DRAINED_AT_ONCE_MAX: Final = 64

Enter = Callable[[Sequence[bytes]], None]


class Spool:
    """The file and what is known of it; every method may wait for the disk.

    Parameters
    ----------
    records_max, bytes_max
        Above either, a record is refused.

    Raises
    ------
    StartError
        The file cannot be opened, or another process has it.
    """

    def __init__(self, path: Path, *, records_max: int, bytes_max: int) -> None:
        self.path = path
        self.records_max, self.bytes_max = records_max, bytes_max
        self.damaged_bytes = 0
        """Bytes found at the start that are no whole frame."""
        self._lock = Lock()
        self._file = _opened(path)
        try:
            content = path.read_bytes()
            self._places = whole_frames(content)
            self._size = sum(self._places[-1]) if self._places else 0
            self.damaged_bytes = len(content) - sum(length for _, length in self._places)
            if len(content) > self._size:
                self._cut(self._size)
        except OSError as error:
            os.close(self._file)
            raise _cannot_use(path, error) from None

    @property
    def count(self) -> int:
        """Records that wait."""
        return len(self._places)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._size

    def append(self, records: Sequence[bytes]) -> int:
        """Keep records in order, synced once for all; return how many, the first ones, had room.

        Raises
        ------
        OSError
            The disk refused; nothing of these records is kept.
        """
        with self._lock:
            frames: list[bytes] = []
            places: list[tuple[int, int]] = []
            size = self._size
            for record in records:
                made = frame(record, size)
                full = len(self._places) + len(places) >= self.records_max
                if full or size + len(made) > self.bytes_max:
                    break
                frames.append(made)
                places.append((size, len(made)))
                size += len(made)
            if frames:
                self._write(b"".join(frames))
                self._places += places
                self._size = size
            return len(frames)

    def drain(self, enter: Enter, most: int = DRAINED_AT_ONCE_MAX) -> int:
        """Give the oldest records to `enter`, and forget them when it returns; return how many.

        What `enter` raises is raised, and the records stay.
        """
        with self._lock:
            places = self._places[:most]
            records = [self._record(*place) for place in places]
        if not records:
            return 0
        enter(records)
        with self._lock:
            del self._places[: len(places)]
            if not self._places:
                self._cut(0)
                self._size = 0
        return len(places)

    def close(self) -> None:
        """Let go of the file; what waits stays in it."""
        with self._lock:
            os.close(self._file)

    def _write(self, content: bytes) -> None:
        try:
            written = 0
            while written < len(content):
                written += os.pwrite(self._file, content[written:], self._size + written)
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)  # frees blocks only, so a full disk allows it
            raise

    def _record(self, place: int, length: int) -> bytes:
        return os.pread(self._file, length - HEAD_BYTES, place + HEAD_BYTES)

    def _cut(self, size: int) -> None:
        os.ftruncate(self._file, size)
        os.fsync(self._file)


def frame(record: bytes, place: int) -> bytes:
    """Return the bytes of a record that begin at a place of the file."""
    length = len(record).to_bytes(LENGTH_BYTES, "big")
    return MARK + length + _sum(place, length, record) + record


def whole_frames(content: bytes) -> list[tuple[int, int]]:
    """Return the place and the length of every whole frame, in order."""
    found, at = [], content.find(MARK)
    while at >= 0:
        length = _frame_length(content, at)
        if length:
            found.append((at, length))
        at = content.find(MARK, at + (length or 1))
    return found


def _frame_length(content: bytes, at: int) -> int:
    """Return the length of the frame that begins here, 0 where none does."""
    length = content[at + len(MARK) : at + len(MARK) + LENGTH_BYTES]
    start = at + HEAD_BYTES
    end = start + int.from_bytes(length, "big")
    if end > len(content):
        return 0
    told = content[at + len(MARK) + LENGTH_BYTES : start]
    return end - at if told == _sum(at, length, content[start:end]) else 0


def _sum(place: int, length: bytes, record: bytes) -> bytes:
    made = hashlib.blake2b(digest_size=SUM_BYTES)
    made.update(place.to_bytes(8, "big") + length)
    made.update(record)
    return made.digest()


def _opened(path: Path) -> int:
    """Return the open file, which no other process may have."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _cannot_use(path, error) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sync(path.parent)  # or a crash might take the name away
    except OSError as error:
        os.close(file)
        raise _cannot_use(path, error) from None
    return file


def _cannot_use(path: Path, error: OSError) -> StartError:
    reason = "another process has it" if isinstance(error, BlockingIOError) else error.strerror
    return StartError(
        f"The spool {path} cannot be used: {reason}.",
        remedy="Give each instance a folder of its own that it may write: TANDEM_SPOOL.",
    )
