"""What is done with drafts and releases, from a body to the answer to it.

What lives here: what a body says, the write that it asks for, and its answer, which is kept with
the write. What does not: HTTP (`api.routes`), and the writes themselves.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from api.answer_schemas import Part
from api.asserted_roles import require_asserted
from api.auth.principal import Principal
from api.auth.roles import Role
from api.errors import NoSuchRelease
from api.idempotency import Kept
from api.mending import Leniency, read_leniently
from api.releases.content import content_of, policy_text
from api.releases.draft_writes import (
    approve_draft,
    change_draft,
    create_draft,
    invalid,
    join_draft,
    remove_draft,
    require_draft,
    require_own,
    require_version,
)
from api.releases.draft_zones import zone_collection
from api.releases.drafts import Draft
from api.releases.publications import Publication, in_force_at, read_publications, scheduled_after
from api.releases.publishing import (
    Asked,
    Prepared,
    Published,
    earlier_key,
    publish,
    require_release,
    roll_back,
    withdraw,
)
from api.releases.schemas import (
    ApproveWrite,
    DraftWrite,
    ImportAnswer,
    PublicationPart,
    PublishedAnswer,
    PublishWrite,
    RollbackWrite,
    WithdrawWrite,
    draft_part,
    publication_part,
)
from api.replay.sources import KeptRelease
from api.request_schemas import Entry, OperatorEntry
from api.store.writer import Transaction

_STRICT: Final = Leniency(rows={}, mendable=frozenset())
NUMBER_DIGITS_MAX: Final = 12
Sent = TypeVar("Sent", bound=Entry)
Do = Callable[[Transaction], Kept]


class Person(Struct, frozen=True, kw_only=True):
    """Who acts: an operator whom a key asserts, or the key alone."""

    name: str
    key_id: str | None
    """Of the key that acts for them; None where nobody is asked for one."""


def sent_by(model: type[Sent], body: bytes, by: Principal) -> tuple[Sent, Person]:
    """Return what a body says, and the person who acts.

    Raises
    ------
    InvalidRequest
        The body cannot be understood.
    OperatorRoleNotAllowed
        The key may not assert the operator.
    """
    sent, _ = read_leniently(model, body, _STRICT)
    if sent.__pydantic_extra__:
        remedy = f"Known here: {', '.join(model.model_fields)}."
        raise invalid("UNKNOWN_MEMBER", "", "The body has a member that is not known.", remedy)
    operator: OperatorEntry | None = getattr(sent, "operator", None)
    require_asserted(by, operator)
    name = by.key_id if operator is None else operator.id
    return sent, Person(name=name, key_id=None if by.asserts is None else by.key_id)


# -- drafts ---------------------------------------------------------------------------------------


def starting(
    name: str, asked: tuple[DraftWrite, Person], by: Principal, connection: Connection, live: str
) -> Do:
    """Return the write that makes a draft of a release, which is read before.

    Parameters
    ----------
    asked
        What `sent_by` read.
    live
        The key of the release in force.

    Raises
    ------
    NoSuchRelease
        None has the key that it is to begin as.
    ChangeRefused
        Its file is written in a way in which it cannot become a draft.
    """
    sent, person = asked
    key = sent.base or live
    content = content_of(require_release(connection, key))

    def do(tx: Transaction) -> Kept:
        # Files and zones are sent without an operator, so the draft is the key's.
        draft = create_draft(tx, name, content, by=by.key_id, base_key=key, note=sent.note)
        return kept_draft(join_draft(tx, draft, person.name), 201)

    return do


def changing_policy(name: str, body: bytes, by: Principal, if_match: str | None) -> Do:
    """Return the write that puts a release file into one's own draft."""
    text = policy_text(body)
    return _changing(name, by, if_match, text=text)


def changing_zones(name: str, body: bytes, by: Principal, if_match: str | None) -> Do:
    """Return the write that puts other zones into one's own draft."""
    try:
        collection: Any = json.loads(body)
    except (ValueError, RecursionError):
        remedy = "Send a GeoJSON FeatureCollection."
        raise invalid("SYNTAX", "", "The body is not JSON.", remedy) from None
    if not isinstance(collection, dict):
        raise invalid("WRONG_VALUE", "", "The body is no object.", "Send a FeatureCollection.")
    return _changing(name, by, if_match, zones=zone_collection(collection))


def _changing(name: str, by: Principal, if_match: str | None, **content: str) -> Do:
    def do(tx: Transaction) -> Kept:
        draft = require_draft(tx, name)
        require_version(draft, if_match, is_needed=False)
        return kept_draft(change_draft(tx, draft, by.key_id, **content))

    return do


def importing(
    name: str, zones: str | None, by: Principal, if_match: str | None, found: dict[str, Any]
) -> Do:
    """Return the write that takes the zones of a GIS file; of one that is refused, none.

    Parameters
    ----------
    found
        What else is answered of the file.
    """

    def do(tx: Transaction) -> Kept:
        draft = require_draft(tx, name)
        require_version(draft, if_match, is_needed=False)
        require_own(draft, by.key_id)
        if zones is not None:
            draft = change_draft(tx, draft, by.key_id, zones=zones)
        answer = ImportAnswer.model_validate({**found, "draft": draft_part(draft)})
        return replace(kept(answer), is_kept=zones is not None)

    return do


def deleting(name: str, by: Principal) -> Do:
    """Return the write that forgets a draft."""

    def do(tx: Transaction) -> Kept:
        draft = require_draft(tx, name)
        remove_draft(tx, draft, by.key_id, is_admin=Role.ADMIN in by.roles)
        return kept_draft(draft)

    return do


def approving(name: str, body: bytes, by: Principal, if_match: str | None) -> Do:
    """Return the write that approves a draft."""
    _, person = sent_by(ApproveWrite, body, by)

    def do(tx: Transaction) -> Kept:
        draft = require_draft(tx, name)
        require_version(draft, if_match, is_needed=True)
        return kept_draft(approve_draft(tx, draft, person.name, person.key_id))

    return do


def draft_answer(draft: Draft) -> bytes:
    """Return a `DraftAnswer`; zones go out as they are kept, for reading many takes a second."""
    told = draft_part(draft).model_dump_json()
    policy = json.dumps(draft.content.text)
    return f'{{"draft":{told},"policy":{policy},"zones":{draft.content.zones}}}'.encode()


def kept_draft(draft: Draft, status: int = 200) -> Kept:
    """Return a draft with its content as it is kept with its write."""
    return Kept(status=status, answer=draft_answer(draft))


# -- releases -------------------------------------------------------------------------------------


def publishing(
    name: str,
    asked: Asked,
    if_match: str | None,
    prepared: Prepared,
    settings_release: KeptRelease,
) -> Do:
    """Return the write that publishes a draft."""

    def do(tx: Transaction) -> Kept:
        made = publish(
            tx, name, if_match, asked, prepared=prepared, settings_release=settings_release
        )
        return _published(tx, made)

    return do


def asked_of(body: bytes, by: Principal) -> Asked:
    """Return what a body asks of a publication."""
    sent, person = sent_by(PublishWrite, body, by)
    return Asked(
        by=person.name,
        effective_at=sent.effective_at,
        reason=sent.reason,
        replaces=sent.replaces,
    )


def rolling_back(
    told: tuple[RollbackWrite, Person],
    connection: Connection,
    settings_release: KeptRelease,
    now: datetime,
) -> Do:
    """Return the write that puts an earlier release in force again, which is read before.

    `told` is what `sent_by` read; it raises what `earlier_key` does.
    """
    sent, person = told
    asked = Asked(by=person.name, effective_at=sent.effective_at, reason=sent.reason)
    chosen = earlier_key(connection, asked, sent.release_key, settings_release, now)
    return lambda tx: _published(tx, roll_back(tx, asked, chosen, settings_release))


def withdrawing(number: str, body: bytes, by: Principal) -> Do:
    """Return the write that takes a scheduled publication back.

    Raises
    ------
    NoSuchRelease
        What stands in the address is no number.
    """
    sent, person = sent_by(WithdrawWrite, body, by)
    if not (number.isascii() and number.isdigit() and len(number) <= NUMBER_DIGITS_MAX):
        raise NoSuchRelease(
            "No publication has this number.", remedy="GET /v1/releases lists them."
        )
    return lambda tx: _published(tx, withdraw(tx, int(number), person.name, sent.reason))


def _published(tx: Transaction, made: Published) -> Kept:
    parts = {one.number: one for one in history(read_publications(tx.connection), tx.at)}
    answer = PublishedAnswer(
        publication=parts[made.publication.number],
        scheduled=[parts[one.number] for one in made.scheduled],
    )
    return kept(answer)


def history(told: list[Publication], now: datetime) -> list[PublicationPart]:
    """Return all publications as they are told, the newest first."""
    current = in_force_at(told, now)
    ahead = frozenset(one.number for one in scheduled_after(told, now))
    return [publication_part(one, current, ahead) for one in reversed(told)]


def kept(answer: Part, status: int = 200) -> Kept:
    """Return an answer as it is kept with its write."""
    return Kept(status=status, answer=answer.model_dump_json().encode())
