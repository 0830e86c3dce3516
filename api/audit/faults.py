"""What is wrong with a chain, told from what stands where the first bad record is found.

A chain says only that it breaks at a place. Why is told by the number that the bytes of a record
claim, and by where the record stands that would have followed.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from api.audit.pages import Pages, Place, Row, told_by
from api.store.audit_chain import chained

NEARBY: Final = 64
"""Records after a bad one that are searched for the one that would have followed."""


class Why(StrEnum):
    """Why a record is bad."""

    EDITED = "EDITED"
    """Its bytes, its hash or a column is another one than was written."""
    MISSING = "MISSING"
    """It was removed."""
    SWAPPED = "SWAPPED"
    """Another record of this chain stands in its place."""
    INSERTED = "INSERTED"
    """It was never written by this chain."""
    HEAD_MISMATCH = "HEAD_MISMATCH"
    """It is not the one that a head speaks of: of the instance, kept elsewhere, or anchored."""
    CHECKPOINT_MISMATCH = "CHECKPOINT_MISMATCH"
    """The chain starts where no audited pruning ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first bad record of a chain."""

    instance: str
    number: int
    why: Why
    detail: str

    def __str__(self) -> str:
        return f"{self.instance}, record {self.number}: {self.why}. {self.detail}."


def explained(pages: Pages, instance: str, last: Place, row: Row, count: int) -> Fault:
    """Return why a row does not follow the last good record.

    Parameters
    ----------
    row
        Has the number that follows.
    count
        Records that the head of the chain speaks of.
    """
    number, claimed = row.number, _claimed(instance, row)
    stands_at = _true_record(pages, instance, last, row)
    if stands_at is not None:
        after = pages.at_number(instance, stands_at + 1)
        is_copy = after is not None and _claimed(instance, after) == stands_at
        if claimed == stands_at and not is_copy:
            return _swapped(instance, number, claimed)
        return _inserted(instance, number)
    if claimed is None or claimed == number:
        return _edited(instance, number, "Its bytes or columns do not fit its hash")
    there = pages.at_number(instance, claimed)
    if there is not None and _claimed(instance, there) == number:
        return _swapped(instance, number, claimed)
    is_other = there is not None and there.record != row.record
    if claimed < number and is_other and _is_genuine(pages, instance, claimed, row):
        return _inserted(instance, claimed)
    if number < claimed <= count and (there is None or _claimed(instance, there) != claimed):
        gone = "1 record is" if claimed == number + 1 else f"{claimed - number} records are"
        return Fault(
            instance=instance,
            number=number,
            why=Why.MISSING,
            detail=f"{gone} gone from here; those after were given other numbers",
        )
    return _edited(instance, number, f"Its bytes claim to be number {claimed}")


def _claimed(instance: str, row: Row) -> int | None:
    """Return the number that the bytes of a record claim, in this chain."""
    told = told_by(row.record)
    return told.number if told is not None and told.instance == instance else None


def _true_record(pages: Pages, instance: str, last: Place, row: Row) -> int | None:
    """Return where the record stands that follows the last good one, if it is nearby."""
    for other in pages.from_number(instance, row.number + 1, NEARBY):
        claims = _claimed(instance, other) == row.number
        if claims and chained(last.hash, other.record) == other.hash:
            return other.number
    return None


def _is_genuine(pages: Pages, instance: str, claimed: int, row: Row) -> bool:
    """Tell whether a row follows the record before the number that it claims."""
    before = pages.at_number(instance, claimed - 1)
    hash_before = pages.ends(instance)[0].hash if before is None else before.hash
    return chained(hash_before, row.record) == row.hash


def _edited(instance: str, number: int, detail: str) -> Fault:
    return Fault(instance=instance, number=number, why=Why.EDITED, detail=detail)


def _swapped(instance: str, number: int, claimed: int) -> Fault:
    detail = f"Record {claimed} stands in its place"
    return Fault(instance=instance, number=number, why=Why.SWAPPED, detail=detail)


def _inserted(instance: str, number: int) -> Fault:
    detail = "The record that was written under this number stands after it"
    return Fault(instance=instance, number=number, why=Why.INSERTED, detail=detail)
