"""Walking the chains: the first bad record of each is found and named.

A chain is checked record by record from its checkpoint (or its beginning) to its head: numbers
without a gap, each hash over the one before it, columns as the hashed bytes say, the head as
`instances` has it. Beyond itself, a chain is held to heads that were kept elsewhere (`api.audit.
heads`) and to those that other chains have recorded (`api.audit.anchors`): whoever rewrites a whole
chain with its head cannot rewrite those.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from api.audit.faults import Fault, Why, explained
from api.audit.heads import ANCHOR, PRUNED_AUDIT, told_heads
from api.audit.pages import BEFORE_ALL, Page, Pages, Place, Row, Told, told_by
from api.store.audit_chain import chained
from api.store.sql_heads import Head
from api.store.tables import to_us

Progress = Callable[[int], None]
"""Is told how many records were checked since it was last told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedChain:
    """What was found of one chain."""

    instance: str
    start: int
    """Number of the last record that was pruned, 0 when none was."""
    end: int
    """Number of the last good record."""
    head: bytes
    """Its hash."""
    fault: Fault | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found of all chains."""

    chains: tuple[CheckedChain, ...]
    faults: tuple[Fault, ...]
    """First bad record of each chain, then what heads and checkpoints say."""
    not_comparable: tuple[Head, ...] = ()
    """Kept heads that lie in what was pruned."""

    @property
    def records(self) -> int:
        """How many records were found good."""
        return sum(chain.end - chain.start for chain in self.chains)


@dataclass(slots=True)
class _Heard:
    """What records tell of other chains."""

    checkpoints: dict[str, Place] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    """By instance: the lowest number that is not the one that was anchored."""


def verify(pages: Pages, kept: Sequence[Head] = (), progress: Progress = lambda _: None) -> Verdict:
    """Check all chains, and the heads that were kept elsewhere."""
    heard = _Heard()
    chains = tuple(_checked(pages, name, heard, progress) for name in pages.instances())
    faults = [chain.fault for chain in chains if chain.fault is not None]
    faults += _checkpoint_faults(pages, chains, heard) and _again(pages, chains, heard)
    faults += heard.faults.values()
    missing = [head for head in kept if _is_pruned(pages, head)]
    told = (_head_fault(pages, head) for head in kept if head not in missing)
    faults += [fault for fault in told if fault is not None]
    return Verdict(chains=chains, faults=tuple(faults), not_comparable=tuple(missing))


# -- one chain ------------------------------------------------------------------------------------


def _checked(
    pages: Pages, instance: str, heard: _Heard, progress: Progress, last: Place | None = None
) -> CheckedChain:
    """Check a chain from its start, or what follows a place."""
    start = fault = None
    while True:
        page = pages.page(instance, BEFORE_ALL if last is None else last.number)
        if last is None or page.start.number > last.number:  # pruned while it was read
            last = page.start
        start = start or last
        last, fault = _follow(pages, instance, page, last, heard)
        progress(len(page.rows))
        if fault is not None or len(page.rows) < pages.rows_max:
            break
    return CheckedChain(
        instance=instance,
        start=start.number,
        end=last.number,
        head=last.hash,
        fault=fault or _end_fault(instance, last, page.head),
    )


def first_fault(pages: Pages, instance: str, last: Place, rows: list[Row]) -> Fault | None:
    """Return why one of some rows does not follow those before it, None when all do."""
    page = Page(rows, *pages.ends(instance))
    return _follow(pages, instance, page, last, None)[1]


def _follow(
    pages: Pages, instance: str, page: Page, last: Place, heard: _Heard | None
) -> tuple[Place, Fault | None]:
    """Return the last good place of a page, and why the row after it is bad."""
    for row in page.rows:
        told = told_by(row.record)
        if (
            told is None
            or row.number != last.number + 1
            or chained(last.hash, row.record) != row.hash
            or not _is_as_told(row, told, instance)
        ):
            return last, _fault(pages, instance, page, last, row)
        last = Place(row.number, row.hash)
        if heard is not None and told.kind in (ANCHOR, PRUNED_AUDIT):
            _hear(pages, instance, told, heard)
    return last, None


def _is_as_told(row: Row, told: Told, instance: str) -> bool:
    return (
        told.number == row.number
        and told.kind.encode() == row.kind
        and told.subject.encode() == row.subject
        and told.instance == instance
        and to_us(told.at) == row.at
    )


def _fault(pages: Pages, instance: str, page: Page, last: Place, row: Row) -> Fault:
    if row.number <= last.number:
        detail = "It stands before the beginning of the chain"
        return Fault(instance=instance, number=row.number, why=Why.INSERTED, detail=detail)
    count = row.number if page.head is None else page.head.number
    if row.number > last.number + 1:
        if last.number >= count:
            return _beyond(instance, row.number, count)
        detail = f"The next record that is there is number {row.number}"
        return Fault(instance=instance, number=last.number + 1, why=Why.MISSING, detail=detail)
    fault = explained(pages, instance, last, row, count)
    if row.number > count and fault.why is Why.EDITED:
        return _beyond(instance, row.number, count)
    return fault


def _beyond(instance: str, number: int, count: int) -> Fault:
    detail = f"The head of the chain is number {count}"
    return Fault(instance=instance, number=number, why=Why.INSERTED, detail=detail)


def _end_fault(instance: str, last: Place, head: Place | None) -> Fault | None:
    """Return what is wrong between the last record and the head of the instance."""
    if head == last:
        return None
    if head is None:
        why, number, detail = Why.HEAD_MISMATCH, last.number, "No such instance was ever entered"
    elif head.number > last.number:
        why, number = Why.MISSING, last.number + 1
        detail = f"The head of the chain is number {head.number}; nothing follows {last.number}"
    elif head.number < last.number:
        return _beyond(instance, head.number + 1, head.number)
    else:
        why, number, detail = Why.HEAD_MISMATCH, last.number, "The head has another hash"
    return Fault(instance=instance, number=number, why=why, detail=detail)


# -- what others say of a chain -------------------------------------------------------------------


def _hear(pages: Pages, instance: str, told: Told, heard: _Heard) -> None:
    ends = told_heads(told.said)
    if told.kind == PRUNED_AUDIT:
        for name, place in ends.items():
            known = heard.checkpoints.get(name)
            if known is None or place.number > known.number:
                heard.checkpoints[name] = place
        return
    for name, place in ends.items():
        head = Head(instance=name, number=place.number, hash=place.hash)
        worst = heard.faults.get(name)
        if (worst is None or place.number < worst.number) and not _is_pruned(pages, head):
            fault = _head_fault(pages, head, f"record {told.number} of {instance}")
            if fault is not None:
                heard.faults[name] = fault


def _is_pruned(pages: Pages, head: Head) -> bool:
    return 0 < head.number < pages.ends(head.instance)[0].number


def _head_fault(pages: Pages, head: Head, where: str = "a head kept elsewhere") -> Fault | None:
    """Return what a head says against the chain as it is now."""
    start, end = pages.ends(head.instance)
    if head.number == start.number:
        found: bytes | None = start.hash
    else:
        row = pages.at_number(head.instance, head.number)
        found = None if row is None else row.hash
    if found == head.hash:
        return None
    if found is None:
        count = 0 if end is None else end.number
        why, number = Why.MISSING, min(count + 1, head.number)
        detail = f"According to {where} the chain had reached number {head.number}"
    else:
        why, number = Why.HEAD_MISMATCH, head.number
        detail = f"According to {where} it was another one; it or one before it was rewritten"
    return Fault(instance=head.instance, number=number, why=why, detail=detail)


def _checkpoint_faults(pages: Pages, chains: Sequence[CheckedChain], heard: _Heard) -> list[Fault]:
    """Return chains that start where no audited pruning ended."""
    starts = {chain.instance: pages.ends(chain.instance)[0] for chain in chains}
    return [
        Fault(
            instance=name,
            number=start.number,
            why=Why.CHECKPOINT_MISMATCH,
            detail="No audited pruning ended here",
        )
        for name, start in starts.items()
        if start.number > 0 and heard.checkpoints.get(name) != start
    ]


def _again(pages: Pages, chains: Sequence[CheckedChain], heard: _Heard) -> list[Fault]:
    """Ask again after what was written meanwhile, which may tell of a pruning meanwhile."""
    for chain in chains:
        if chain.fault is None:
            _checked(pages, chain.instance, heard, lambda _: None, Place(chain.end, chain.head))
    return _checkpoint_faults(pages, chains, heard)
