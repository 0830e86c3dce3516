"""What is done with closures, from a body to the answer to it; each write keeps its answer.

What lives here: what a body says, who may, and the operation that it asks for. What does not: HTTP
(`api.routes.closures`), and the operations themselves.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from msgspec.structs import replace

from api.answer_schemas import WarningPart
from api.asserted_roles import require_asserted
from api.auth.principal import Principal
from api.auth.roles import Role
from api.closures import operations
from api.closures.judging import Judged, closure_answer, judged, require_allowed
from api.closures.live_closures import LiveClosures
from api.closures.records import ClosureContent, ClosureState, KeptClosure
from api.closures.schemas import ActivateWrite, ClosureWrite, EndWrite, content_of
from api.idempotency import Kept
from api.mending import Leniency, Location, read_leniently
from api.read_request import unknown_fields
from api.request_schemas import Entry
from api.store.writer import Transaction

Do = Callable[[Transaction], Kept]
CREATED: Final = 201
_STRICT: Final = Leniency(rows={}, mendable=frozenset())
Sent = TypeVar("Sent", ClosureWrite, ActivateWrite, EndWrite)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Generic[Sent]):
    """A body that was read, and who is responsible for what it asks."""

    sent: Sent
    by: Principal
    warnings: list[WarningPart]

    @property
    def person(self) -> str:
        """The operator for whom the key acts, else the key."""
        return self.by.key_id if self.sent.operator is None else self.sent.operator.id


def read_told(model: type[Sent], body: bytes, by: Principal) -> Told[Sent]:
    """Return what a body says.

    Raises
    ------
    InvalidRequest
        It cannot be understood.
    OperatorRoleNotAllowed
        The caller may not assert its operator's role.
    """
    sent, _ = read_leniently(model, body, _STRICT)
    require_asserted(by, sent.operator)
    unknown = unknown_fields(
        (at, entry) for at, entry in _entries((), sent) if entry.__pydantic_extra__
    )
    warnings = [WarningPart.model_validate(warning) for warning in unknown]
    return Told(sent=sent, by=by, warnings=warnings)


def proposing(live: LiveClosures, told: Told[ClosureWrite], at: datetime) -> Do:
    """Return the write that proposes a closure whose place was found.

    What it would do is found before: that takes longer than a write, and others wait for it.
    """
    content = _placed_content(live, told)
    found = _judged_proposal(live, content, "", at)

    def do(tx: Transaction) -> Kept:
        closure = operations.propose(tx, content, told.person)
        return _kept(live, closure, tx.at, found, told.warnings, status=CREATED)

    return do


def replacing(live: LiveClosures, closure_id: str, told: Told[ClosureWrite], at: datetime) -> Do:
    """Return the write that puts other content in the place of a proposal's."""
    content = _placed_content(live, told)
    found = _judged_proposal(live, content, closure_id, at)

    def do(tx: Transaction) -> Kept:
        closure = operations.replace_proposed(tx, closure_id, content, told.person)
        return _kept(live, closure, tx.at, found, told.warnings)

    return do


def deleting(live: LiveClosures, closure_id: str, by: Principal) -> Do:
    """Return the write that takes a proposal away."""

    def do(tx: Transaction) -> Kept:
        closure = operations.delete_proposed(tx, closure_id, by.key_id)
        return _kept(live, closure, tx.at, Judged(effect=None), [])

    return do


def activating(
    live: LiveClosures, kept: KeptClosure, told: Told[ActivateWrite], at: datetime
) -> Do:
    """Return the write that activates a closure that was looked at; its weights are made before.

    Raises
    ------
    ClosureTooLarge
        It closes so much that a supervisor has to.
    ClosureRefused
        It is another version than the one that was looked at, or cuts off streets or posts, and
        nobody said that this is meant.
    InvalidRequest
        Its place is none on these streets.
    """
    sent = told.sent
    version = kept.version if sent.version is None else sent.version
    effect = None
    if kept.state is ClosureState.PROPOSED:
        operations.require_version(kept, version)  # what is judged is what is activated
        soon = replace(kept, state=ClosureState.ACTIVE, activated_at=at)
        found = judged(live, soon, at)
        is_supervisor = _is_supervisor(told)
        require_allowed(found, is_supervisor=is_supervisor, accept_cut_off=sent.accept_cut_off)
        effect = found.effect
        live.prepare(soon, at)

    def do(tx: Transaction) -> Kept:
        said = {} if effect is None else effect.model_dump(mode="json")
        closure = operations.activate(tx, kept.closure_id, version, told.person, said)
        live.take_after(tx, closure)
        return _kept(live, closure, tx.at, Judged(effect=effect), told.warnings)

    return do


def ending(live: LiveClosures, kept: KeptClosure, told: Told[EndWrite], at: datetime) -> Do:
    """Return the write that opens the streets of a closure now, or at an instant.

    The weights without it are made before, or what it does until its other end is found.
    """
    sent, found = told.sent, Judged(effect=None)
    if sent.at is None:
        live.prepare_without(kept.closure_id, at)
    else:
        found = judged(live, kept, at)

    def do(tx: Transaction) -> Kept:
        closure = operations.end(tx, kept.closure_id, told.person, sent.reason, sent.at)
        live.take_after(tx, closure)
        return _kept(live, closure, tx.at, found, told.warnings)

    return do


def _kept(
    live: LiveClosures,
    closure: KeptClosure,
    at: datetime,
    found: Judged,
    warnings: list[WarningPart],
    *,
    status: int = 200,
) -> Kept:
    answer = closure_answer(live, closure, at, found, warnings)
    return Kept(status=status, answer=answer.model_dump_json().encode())


def _judged_proposal(
    live: LiveClosures, content: ClosureContent, closure_id: str, at: datetime
) -> Judged:
    proposal = KeptClosure(
        closure_id=closure_id,
        version=1,
        state=ClosureState.PROPOSED,
        content=content,
        proposed_by="",
        proposed_at=at,
        changed_by="",
        changed_at=at,
    )
    return judged(live, proposal, at)


def _placed_content(live: LiveClosures, told: Told[ClosureWrite]) -> ClosureContent:
    content = content_of(told.sent)
    live.placing.edges(content)
    return content


def _entries(at: Location, entry: Entry) -> Iterator[tuple[Location, Entry]]:
    """Yield an entry and all within it, with their places."""
    yield at, entry
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        parts = enumerate(value) if isinstance(value, list) else ()
        if isinstance(value, Entry):
            yield from _entries((*at, name), value)
        for row, part in parts:
            if isinstance(part, Entry):
                yield from _entries((*at, name, row), part)


def _is_supervisor(told: Told[ActivateWrite]) -> bool:
    """Tell whether a supervisor acts: by the key's own role, or as the key may assert."""
    operator = told.sent.operator
    asserted = operator is not None and operator.role == "SUPERVISOR"
    return asserted or Role.SUPERVISOR in told.by.roles
