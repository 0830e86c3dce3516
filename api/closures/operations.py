"""What may be done with a closure: propose, replace, delete, activate, end; each in one write.

What lives here: which step follows which, and what the audit keeps. What does not: whether a
person may (`auth.roles`, `judging`), what the place is on the streets (`placing`), and HTTP.
"""

import hashlib
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from api.closures.closure_rows import (
    add_closure,
    count_in_use,
    forget_closure,
    keep_closure,
    read_closure,
)
from api.closures.records import ID_PREFIX, ClosureContent, ClosureState, KeptClosure
from api.errors import ClosureRefused, NoSuchClosure, Problem
from api.ids import new_id
from api.store.writer import Transaction

IN_USE_MAX: Final = 1_000
"""Closures that are proposed or active at a time."""


def propose(tx: Transaction, content: ClosureContent, by: str) -> KeptClosure:
    """Keep a closure that closes nothing until it is activated.

    Raises
    ------
    ClosureRefused
        As many as may be in use are, or it would be over before it is proposed.
    """
    if count_in_use(tx.connection, tx.at) >= IN_USE_MAX:
        raise refused(
            "CLOSURES_FULL",
            f"{IN_USE_MAX:,} closures are proposed or active",
            "End those that are over, and delete proposals that nobody needs.",
        )
    _require_future(content.ends_at, tx.at)
    closure = KeptClosure(
        closure_id=new_id(ID_PREFIX, tx.at),
        version=1,
        state=ClosureState.PROPOSED,
        content=content,
        proposed_by=by,
        proposed_at=tx.at,
        changed_by=by,
        changed_at=tx.at,
    )
    add_closure(tx, closure)
    tx.note("CLOSURE_PROPOSED", closure.closure_id, _said(closure, by))
    return closure


def replace_proposed(
    tx: Transaction, closure_id: str, content: ClosureContent, by: str
) -> KeptClosure:
    """Put other content in the place of a proposed closure's.

    Raises
    ------
    NoSuchClosure
        There is none.
    ClosureRefused
        It is not proposed any more, or would be over already.
    """
    before = _proposed(tx, closure_id)
    _require_future(content.ends_at, tx.at)
    after = _changed(tx, before, by, content=content)
    keep_closure(tx, after)
    tx.note("CLOSURE_CHANGED", closure_id, _said(after, by))
    return after


def delete_proposed(tx: Transaction, closure_id: str, by: str) -> KeptClosure:
    """Take a proposed closure away; it raises what `replace_proposed` does."""
    before = _proposed(tx, closure_id)
    forget_closure(tx, before)
    tx.note("CLOSURE_DELETED", closure_id, _said(before, by))
    return before


def activate(
    tx: Transaction, closure_id: str, version: int, by: str, effect: dict[str, Any]
) -> KeptClosure:
    """Have a proposed closure close its streets within its times from now on.

    Parameters
    ----------
    version
        Which was looked at before.
    effect
        What was found then, for the audit.

    Raises
    ------
    NoSuchClosure
        There is none.
    ClosureRefused
        It is not proposed, is another now, or its end has passed.
    """
    before = _proposed(tx, closure_id)
    require_version(before, version)
    _require_future(before.content.ends_at, tx.at)
    after = _changed(tx, before, by, state=ClosureState.ACTIVE, activated_by=by, activated_at=tx.at)
    keep_closure(tx, after)
    tx.note("CLOSURE_ACTIVATED", closure_id, {**_said(after, by), "effect": effect})
    return after


def end(tx: Transaction, closure_id: str, by: str, reason: str, at: datetime | None) -> KeptClosure:
    """Open the streets of an active closure now, or at an instant that takes its end's place.

    Ended again, nothing changes.

    Raises
    ------
    NoSuchClosure
        There is none.
    ClosureRefused
        It was never activated, or the instant has passed.
    """
    before = require_closure(read_closure(tx.connection, closure_id))
    state = before.state_at(tx.at)
    if state is ClosureState.PROPOSED:
        raise refused(
            "CLOSURE_NOT_ACTIVE", "it closes nothing yet", "DELETE it where nobody needs it."
        )
    if state is not ClosureState.ACTIVE:
        return before
    if at is not None:
        return _end_at(tx, before, by, reason, at)
    after = _changed(
        tx,
        before,
        by,
        state=ClosureState.ENDED,
        ended_by=by,
        ended_at=tx.at,
        end_reason=reason,
    )
    keep_closure(tx, after)
    tx.note("CLOSURE_ENDED", closure_id, {**_said(after, by), "reason": reason})
    return after


def _end_at(
    tx: Transaction, before: KeptClosure, by: str, reason: str, at: datetime
) -> KeptClosure:
    _require_future(at, tx.at)
    begins = before.holds_from
    if begins is not None and at <= begins:
        raise refused(
            "CLOSURE_TIMES",
            "it would end before it begins",
            "End it at once, without an instant.",
        )
    after = _changed(tx, before, by, content=replace(before.content, ends_at=at))
    keep_closure(tx, after)
    tx.note("CLOSURE_CHANGED", before.closure_id, {**_said(after, by), "reason": reason})
    return after


def require_closure(found: KeptClosure | None) -> KeptClosure:
    """Return a closure that was found.

    Raises
    ------
    NoSuchClosure
        It was not.
    """
    if found is None:
        raise NoSuchClosure("No closure has this id.", remedy="GET /v1/closures lists them.")
    return found


def require_version(closure: KeptClosure, version: int) -> None:
    """Let a closure pass that is of the version that was looked at.

    Raises
    ------
    ClosureRefused
        It is another, earlier or later.
    """
    if closure.version != version:
        raise refused(
            "CLOSURE_CHANGED",
            f"it is version {closure.version} now, and version {version} was looked at",
            "Look at it again, then activate it.",
        )


def refused(code: str, detail: str, remedy: str, path: str = "") -> ClosureRefused:
    """Return the refusal of a step with its code."""
    problem = Problem(path=path, code=code, detail=detail, remedy=remedy)
    return ClosureRefused(f"{code}: {detail}.", remedy=remedy, problems=(problem,))


def _proposed(tx: Transaction, closure_id: str) -> KeptClosure:
    found = require_closure(read_closure(tx.connection, closure_id))
    if found.state is not ClosureState.PROPOSED:
        raise refused(
            "CLOSURE_NOT_PROPOSED",
            f"it is {found.state_at(tx.at)}",
            "End it, and propose another one in its place.",
        )
    return found


def _require_future(ends_at: datetime | None, at: datetime) -> None:
    if ends_at is not None and ends_at <= at:
        raise refused(
            "CLOSURE_OVER", "its end has passed", "Give an end in the future, or none.", "/ends_at"
        )


def _changed(tx: Transaction, before: KeptClosure, by: str, **fields: Any) -> KeptClosure:
    return replace(before, version=before.version + 1, changed_by=by, changed_at=tx.at, **fields)


def _said(closure: KeptClosure, by: str) -> dict[str, Any]:
    """Return what the audit keeps: who, when, and a digest of what was closed."""
    content = closure.content
    return {
        "person": by,
        "version": closure.version,
        "state": str(closure.state),
        "traffic": str(content.traffic),
        "effect": str(content.effect),
        "starts_at": content.starts_at,
        "ends_at": content.ends_at,
        "content_sha256": hashlib.sha256(msgspec.json.encode(content)).hexdigest(),
    }
