"""Records of a period as JSON lines, each with its hash, so that the file proves itself.

The first line says what the file is. Then, for each chain, one line tells the hash before its first
record, and one line each record follows: its bytes as they were hashed (a JSON text) and its hash.
The last line tells how many there are. Records of a chain stand there without a gap; so one whose
instant lies outside the period stands there too where it was written between two that lie inside.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from api.audit.pages import Pages, Place, Row
from api.audit.verify import Progress, first_fault
from api.errors import StartError
from api.store.tables import to_us

FORMAT: Final = "tandem-audit-export/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    records: int
    chains: int


def export(
    pages: Pages, file: Path, since: datetime, until: datetime, progress: Progress
) -> Exported:
    """Write a period to a file, whole or not at all.

    Raises
    ------
    StartError
        The file is there already or cannot be written, or a record of the period is bad.
    """
    if file.exists():
        raise StartError(f"{file} is there already.", remedy="Name a file that is not.")
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        with unfinished.open("wb") as out:
            done = _write(out, pages, (since, until), progress)
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(file)
    except OSError as error:
        raise StartError(
            f"{file} cannot be written ({error.strerror}).", remedy="Name a file that can."
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return done


def _write(
    out: BinaryIO, pages: Pages, period: tuple[datetime, datetime], progress: Progress
) -> Exported:
    since, until = period
    _line(out, {"format": FORMAT, "since": since, "until": until})
    records = chains = 0
    for instance in pages.instances():
        found = pages.numbers_within(instance, to_us(since), to_us(until))
        if found is None:
            continue
        chains += 1
        records += _write_chain(out, pages, instance, found, progress)
    _line(out, {"records": records, "chains": chains})
    return Exported(records=records, chains=chains)


def _write_chain(
    out: BinaryIO, pages: Pages, instance: str, numbers: tuple[int, int], progress: Progress
) -> int:
    first, end = numbers
    last = pages.place_at(instance, first - 1)
    _line(out, {"chain": instance, "number": last.number, "hash": last.hash.hex()})
    for rows in _pages_up_to(pages, instance, last, end):
        fault = first_fault(pages, instance, last, rows)
        if fault is not None:
            raise StartError(
                f"The audit log has a bad record ({fault}). Nothing was exported.",
                remedy="Run `tandem audit verify`.",
            )
        for row in rows:
            said = row.record.decode()
            _line(out, {"number": row.number, "hash": row.hash.hex(), "record": said})
        last = Place(rows[-1].number, rows[-1].hash)
        progress(len(rows))
    return end - first + 1


def _pages_up_to(pages: Pages, instance: str, last: Place, end: int) -> Iterator[list[Row]]:
    after = last.number
    while after < end:
        rows = [row for row in pages.page(instance, after).rows if row.number <= end]
        if not rows:
            return
        yield rows
        after = rows[-1].number


def _line(out: BinaryIO, said: dict[str, object]) -> None:
    out.write(msgspec.json.encode(said) + b"\n")


def check_export(file: Path) -> int:
    """Check the chains of an exported file by itself and return how many records it holds.

    Raises
    ------
    StartError
        It is no such file, is not whole, or a record does not follow the one before.
    """
    try:
        with file.open("rb") as lines:
            return _check(lines)
    except OSError as error:
        raise StartError(f"{file} cannot be read ({error.strerror}).", remedy="") from None
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
        raise StartError(f"{file} is no whole export: {error}.", remedy="Export again.") from None


def _check(lines: BinaryIO) -> int:
    if msgspec.json.decode(lines.readline()).get("format") != FORMAT:
        raise ValueError("its first line does not say so")
    number, last, records = 0, b"", 0
    for place, line in enumerate(lines, 2):
        said = msgspec.json.decode(line)
        if "records" in said:
            if said["records"] != records or lines.readline():
                raise ValueError(f"line {place} tells of {said['records']} records, not {records}")
            return records
        if "chain" in said:
            number, last = said["number"], bytes.fromhex(said["hash"])
            continue
        number, records = number + 1, records + 1
        last = hashlib.sha256(last + said["record"].encode()).digest()
        if said["number"] != number or said["hash"] != last.hex():
            raise ValueError(f"line {place}, record {said['number']}, does not follow")
    raise ValueError("its last line is missing")
