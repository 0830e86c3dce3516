"""What may be done with a draft, by whom: each a write of one transaction, with its audit record.

What lives here: making, changing and deleting a draft as a whole, and approving it. What does not:
single zones (`draft_zones`), whether its content can be used (`checks`), publishing (`publishing`).
"""

from typing import Any, Final

from msgspec.structs import replace

from api.errors import (
    ChangeRefused,
    InvalidRequest,
    NoSuchDraft,
    NotYours,
    PreconditionFailed,
    PreconditionMissing,
    Problem,
)
from api.release_file import RELEASE_BYTES_MAX
from api.releases.draft_rows import (
    delete_draft,
    draft_owned_by,
    insert_draft,
    keep_draft,
    read_draft,
    records_of,
)
from api.releases.drafts import NAME_PATTERN, Content, Draft
from api.store.writer import Transaction

NAMES_BYTES_MAX: Final = 1_000
"""By so much the names of a publication may lengthen a release file."""
TEXT_BYTES_MAX: Final = RELEASE_BYTES_MAX - NAMES_BYTES_MAX
ZONES_BYTES_MAX: Final = 20_000_000
NOTE_BYTES_MAX: Final = 2_000
TOPIC: Final = "draft"


def require_draft(tx: Transaction, name: str) -> Draft:
    """Return a draft.

    Raises
    ------
    NoSuchDraft
        None has this name.
    """
    found = read_draft(tx.connection, name)
    if found is None:
        raise no_such_draft()
    return found


def no_such_draft() -> NoSuchDraft:
    """Return the refusal of a name that no draft has."""
    return NoSuchDraft("No draft has this name.", remedy="GET /v1/drafts lists them.")


def require_own(draft: Draft, by: str) -> None:
    """Refuse whoever is not the owner of a draft.

    Raises
    ------
    NotYours
        Somebody else owns it.
    """
    if draft.owner != by:
        raise NotYours(
            f"The draft {draft.name} is {draft.owner}'s, and only they change it.",
            remedy="Make one of your own, or ask them.",
        )


def require_version(draft: Draft, if_match: str | None, *, is_needed: bool) -> None:
    """Refuse what was meant for another version of a draft.

    Parameters
    ----------
    if_match
        The header; None where it was not sent, `*` is any version.

    Raises
    ------
    PreconditionMissing
        It was not sent, and is needed.
    PreconditionFailed
        It names another version.
    """
    if if_match is None:
        if is_needed:
            raise PreconditionMissing(
                "Nothing says which version of the draft is meant.",
                remedy="Send If-Match with the ETag of the version that you have looked at.",
            )
        return
    named = [one.strip() for one in if_match.split(",")]
    if draft.etag not in named and not ("*" in named and not is_needed):
        raise PreconditionFailed(
            f"The draft {draft.name} is at version {draft.version}, and another was named.",
            remedy="Look at it again, and send If-Match with its ETag.",
        )


def create_draft(
    tx: Transaction, name: str, content: Content, *, by: str, base_key: str, note: str = ""
) -> Draft:
    """Make a draft of somebody who has none.

    Raises
    ------
    InvalidRequest
        The name or the content cannot be one.
    ChangeRefused
        The name is taken, or they have a draft already.
    """
    _require_name(name)
    _require_content(content, note)
    other = draft_owned_by(tx.connection, by)
    if read_draft(tx.connection, name) is not None or other is not None:
        what = f"You have the draft {other} already" if other else f"There is a draft {name}"
        remedy = "Publish or delete it first." if other else "Choose another name."
        raise ChangeRefused(f"{what}.", remedy=remedy)
    draft = Draft(
        name=name,
        owner=by,
        base_key=base_key,
        content=content,
        # Each version left a record, so no ETag that somebody has looked at comes again.
        version=1 + records_of(tx.connection, name),
        note=note,
        created_at=tx.at,
        changed_at=tx.at,
        editors=(by,),
    )
    insert_draft(tx.connection, draft)
    told(tx, "DRAFT_CREATED", draft, by, {"base": base_key})
    return draft


def change_draft(
    tx: Transaction, draft: Draft, by: str, *, text: str | None = None, zones: str | None = None
) -> Draft:
    """Change text or zones of one's own draft; an approval of other content is void.

    Raises
    ------
    NotYours
        Somebody else owns it.
    InvalidRequest
        The content is too large.
    """
    require_own(draft, by)
    content = Content(
        text=draft.content.text if text is None else text,
        zones=draft.content.zones if zones is None else zones,
    )
    if content == draft.content:
        return draft
    _require_content(content, draft.note)
    changed = replace(
        draft,
        content=content,
        version=draft.version + 1,
        changed_at=tx.at,
        editors=draft.editors if by in draft.editors else (*draft.editors, by),
        approved_by=None,
        approved_digest=None,
    )
    keep_draft(tx.connection, changed)
    told(tx, "DRAFT_POLICY_CHANGED" if zones is None else "DRAFT_ZONES_CHANGED", changed, by)
    return changed


def remove_draft(tx: Transaction, draft: Draft, by: str, *, is_admin: bool = False) -> None:
    """Forget a draft.

    Raises
    ------
    NotYours
        Somebody else owns it.
    """
    if not is_admin:
        require_own(draft, by)
    delete_draft(tx.connection, draft.name)
    told(tx, "DRAFT_DELETED", draft, by)


def join_draft(tx: Transaction, draft: Draft, who: str) -> Draft:
    """Count somebody among those who work on a draft, so that they cannot approve it."""
    if who in draft.editors:
        return draft
    joined = replace(draft, editors=(*draft.editors, who))
    keep_draft(tx.connection, joined)
    return joined


def approve_draft(tx: Transaction, draft: Draft, by: str, key_id: str | None = None) -> Draft:
    """Approve the content of a draft, as somebody who has no part in it.

    Parameters
    ----------
    key_id
        The key that says that they do: what a key has worked on it approves for nobody.

    Raises
    ------
    NotYours
        They, or the key, own or have changed it.
    """
    if not {by, key_id}.isdisjoint((draft.owner, *draft.editors)):
        raise NotYours(
            f"You have worked on the draft {draft.name}, so you cannot approve it.",
            remedy="Let a second person look at it and approve it.",
        )
    approved = replace(draft, approved_by=by, approved_digest=draft.digest)
    if approved != draft:
        keep_draft(tx.connection, approved)
        told(tx, "DRAFT_APPROVED", approved, by)
    return approved


def told(
    tx: Transaction, kind: str, draft: Draft, by: str, more: dict[str, Any] | None = None
) -> None:
    """Note what was done with a draft, and tell readers."""
    said = {"by": by, "version": draft.version, "digest": draft.digest, **(more or {})}
    tx.note(kind, draft.name, said)
    tx.announce(TOPIC, draft.name, {"event": kind, "version": draft.version})


def _require_name(name: str) -> None:
    if not NAME_PATTERN.fullmatch(name):
        raise invalid(
            "DRAFT_NAME_INVALID",
            "",
            "The name of the draft cannot be one.",
            "Give it 1 to 40 of a-z, 0-9, _ and -, beginning with a letter or digit.",
        )


def _require_content(content: Content, note: str) -> None:
    """Refuse what is too large to be looked at."""
    for what, text, most in (
        ("policy", content.text, TEXT_BYTES_MAX),
        ("zones", content.zones, ZONES_BYTES_MAX),
        ("note", note, NOTE_BYTES_MAX),
    ):
        if len(text.encode()) > most:
            detail = f"The draft's {what} would have more than {most:,} bytes."
            raise invalid("TOO_LARGE", f"/{what}", detail, "Make it smaller.")


def invalid(code: str, path: str, detail: str, remedy: str) -> InvalidRequest:
    """Return the refusal of one thing in a request."""
    problem = Problem(path=path, code=code, detail=detail, remedy=remedy)
    return InvalidRequest(detail, remedy=remedy, problems=(problem,))
