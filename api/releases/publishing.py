"""Publishing, rolling back and taking back: each one write of one transaction.

What lives here: what a publication asks for (a check, a second person, a base that is still the
one), its number and names, and its row with its release. What does not: the check itself
(`checks`), and the view that decisions read (`in_force`).

The check and the comparison with the release before take a while, so they are made before the
transaction (`prepare`); it is refused where anything has changed meanwhile.
"""

import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection

from api.errors import ChangeRefused, InvalidRequest, NoSuchRelease, PreconditionFailed, Problem
from api.releases.checks import check
from api.releases.content import Naming, is_same_policies, is_same_zones, with_names
from api.releases.draft_rows import delete_draft
from api.releases.draft_writes import invalid, require_draft, require_version
from api.releases.drafts import Draft
from api.releases.publications import (
    Publication,
    PublicationKind,
    in_force_at,
    insert_publication,
    mark_withdrawn,
    read_publications,
    scheduled_after,
)
from api.replay.errors import NotKept
from api.replay.keeping import first_used_at, keep_release, read_release_of
from api.replay.library import read_kept
from api.replay.sources import KeptRelease
from api.store.writer import Transaction
from geodata.network import StreetNetwork

TOPIC: Final = "release"
LATE_S_MAX: Final = 60
"""An instant so long ago is taken for now: a request takes its time."""
AHEAD_DAYS_MAX: Final = 730
SETTINGS: Final = "settings"
"""Who published the release of the settings."""


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked of a publication."""

    by: str
    effective_at: datetime | None = None
    """None is at once."""
    reason: str = ""
    replaces: str | None = None
    """The key of the release that it is known to replace, where a draft began from another."""


class Prepared(Struct, frozen=True, kw_only=True):
    """What was found out before the transaction."""

    digest: str
    """Of the content that was checked."""
    before: str
    """The key of the release that is in force before."""
    versions: tuple[int, int]
    """zone_version and policy_version of the release before."""
    same_zones: bool
    same_policies: bool


class Published(Struct, frozen=True, kw_only=True):
    """What became of it."""

    publication: Publication
    scheduled: tuple[Publication, ...]
    """What is still to be in force after it."""


def key_in_force(
    told: Sequence[Publication], settings_release: KeptRelease, instant: datetime
) -> str:
    """Return the key of the release that is in force at an instant."""
    found = in_force_at(told, instant)
    return settings_release.key if found is None else found.release_key


def require_release(connection: Connection, key: str) -> KeptRelease:
    """Return a release that is kept.

    Raises
    ------
    NoSuchRelease
        None has this key.
    """
    found = read_release_of(connection, key)
    if found is None:
        raise NoSuchRelease("No release has this key.", remedy="GET /v1/releases lists them.")
    return found


def prepare(
    connection: Connection,
    draft: Draft,
    settings_release: KeptRelease,
    network: StreetNetwork,
    instant: datetime,
) -> Prepared:
    """Check a draft and compare it with the release that it is to follow.

    Raises
    ------
    InvalidRequest
        The draft cannot be used; its problems say why.
    """
    key = key_in_force(read_publications(connection), settings_release, instant)
    checked = check(draft.content, network)
    if not checked.is_usable or checked.release is None:
        problems = tuple(
            Problem(
                path=one.place,
                code=one.code,
                detail=f"{one.part}: {one.detail}",
                remedy=one.remedy,
            )
            for one in checked.found
            if one.weight == "ERROR"
        )
        raise InvalidRequest(
            f"The draft {draft.name} cannot be published: {len(problems)} to mend.",
            remedy="GET /v1/drafts/{name}/check tells everything.",
            problems=problems,
        )
    before = settings_release if key == settings_release.key else require_release(connection, key)
    release = read_kept(before).release
    return Prepared(
        digest=draft.digest,
        before=key,
        versions=(release.zone_version, release.policy_version),
        same_zones=is_same_zones(release, checked.release),
        same_policies=is_same_policies(release, checked.release),
    )


def publish(
    tx: Transaction,
    name: str,
    if_match: str | None,
    asked: Asked,
    *,
    prepared: Prepared,
    settings_release: KeptRelease,
) -> Published:
    """Publish the approved content of a draft, which ends with it.

    Raises
    ------
    NoSuchDraft, PreconditionMissing, PreconditionFailed
        The draft, or this version of it, is not there.
    ChangeRefused
        Nobody has approved it, or it began from another release than the one before it.
    InvalidRequest
        The instant cannot be.
    """
    draft = require_draft(tx, name)
    require_version(draft, if_match, is_needed=True)
    told = read_publications(tx.connection)
    effective_at = instant_of(asked.effective_at, now_after(told, tx.at))
    before = key_in_force(told, settings_release, effective_at)
    _require_ready(draft, asked, prepared, before)
    told = told or [_start(tx, settings_release)]
    number = told[-1].number + 1
    kept = with_names(
        draft.content,
        _naming(tx, number, effective_at, prepared, told[0]),
        settings_release.beats,
    )
    keep_release(tx, kept)
    made = Publication(
        number=number,
        release_key=kept.key,
        effective_at=effective_at,
        published_at=tx.at,
        published_by=asked.by,
        approved_by=draft.approved_by,
        draft=draft.name,
        kind=PublicationKind.PUBLISH,
        reason=asked.reason,
    )
    delete_draft(tx.connection, draft.name)
    return _published(tx, made, told)


def _require_ready(draft: Draft, asked: Asked, prepared: Prepared, before: str) -> None:
    if not draft.is_approved:
        raise ChangeRefused(
            f"Nobody has approved the draft {draft.name} as it is now.",
            remedy="Let a second person look at it: POST /v1/drafts/{name}/approve.",
        )
    if (prepared.digest, prepared.before) != (draft.digest, before):
        raise PreconditionFailed(
            "Something was changed while the draft was checked.", remedy="Publish it again."
        )
    if before not in (draft.base_key, asked.replaces):
        raise ChangeRefused(
            f"The draft {draft.name} began from {draft.base_key}, and {before} is in force then: "
            "what that one changed would be undone.",
            remedy="Look at its diff, and send `replaces` with the key that is in force.",
        )


def _start(tx: Transaction, release: KeptRelease) -> Publication:
    """Enter the release of the settings as the first, so that one can go back to it."""
    keep_release(tx, release)
    since = first_used_at(tx.connection, release.key) or tx.at
    first = Publication(
        number=1,
        release_key=release.key,
        effective_at=min(since, tx.at),
        published_at=tx.at,
        published_by=SETTINGS,
        kind=PublicationKind.START,
    )
    insert_publication(tx.connection, first)
    return first


def _naming(
    tx: Transaction, number: int, at: datetime, prepared: Prepared, start: Publication
) -> Naming:
    """Return names that no other publication has; a version stays where nothing is another."""
    first = tomllib.loads(require_release(tx.connection, start.release_key).text)
    zone_version, policy_version = prepared.versions
    if not prepared.same_zones:
        zone_version = first.get("zone_version", 1) + number - start.number
    if not prepared.same_policies:
        policy_version = first.get("policy_version", 1) + number - start.number
    return Naming(
        release_id=f"rel-{tx.at.astimezone(UTC):%Y-%m-%d}-{number}",
        effective_at=at,
        zone_version=zone_version,
        policy_version=policy_version,
    )


def now_after(told: Sequence[Publication], now: datetime) -> datetime:
    """Return now, but not before what was published already, by a clock that is ahead of ours.

    What is published later is in force later: a way back is not undone by what it goes back from.
    """
    return max([now, *(one.published_at for one in told)])


def instant_of(asked: datetime | None, now: datetime) -> datetime:
    """Return the instant at which something is to be in force.

    Raises
    ------
    InvalidRequest
        It is over, or very far away.
    """
    if asked is None:
        return now
    at = asked.astimezone(UTC)
    if at < now - timedelta(seconds=LATE_S_MAX):
        raise invalid(
            "EFFECTIVE_AT_PAST",
            "/effective_at",
            "effective_at is in the past, and answers that were given stay as they are.",
            "Leave it out for at once.",
        )
    if at > now + timedelta(days=AHEAD_DAYS_MAX):
        detail = f"effective_at is more than {AHEAD_DAYS_MAX} days ahead."
        raise invalid("EFFECTIVE_AT_FAR", "/effective_at", detail, "Publish it nearer to the day.")
    return max(at, now)


def earlier_key(
    connection: Connection,
    asked: Asked,
    key: str | None,
    settings_release: KeptRelease,
    now: datetime,
) -> str:
    """Return the key of the release to go back to; it is read before the transaction.

    Parameters
    ----------
    key
        None is the one before the one in force first was.

    Raises
    ------
    ChangeRefused
        There is none before, or it cannot be used any more.
    NoSuchRelease
        None has this key.
    InvalidRequest
        The instant cannot be.
    """
    told = read_publications(connection)
    at = instant_of(asked.effective_at, now_after(told, now))
    current = key_in_force(told, settings_release, at)
    chosen = key or _before(told, current, at)
    if chosen is None:
        raise ChangeRefused(
            f"There is no release before {current}.",
            remedy="Name another by release_key: GET /v1/releases.",
        )
    try:
        read_kept(require_release(connection, chosen))
    except NotKept as error:
        raise ChangeRefused(
            error.detail[:500], remedy="Go back to another release, or publish a draft."
        ) from None
    return chosen


def roll_back(
    tx: Transaction, asked: Asked, chosen: str, settings_release: KeptRelease
) -> Published:
    """Put an earlier release in force again.

    What is scheduled stays, and is named.

    Parameters
    ----------
    chosen
        What `earlier_key` has found.

    Raises
    ------
    ChangeRefused
        It is in force already, or never was.
    InvalidRequest
        The instant cannot be.
    """
    told = read_publications(tx.connection)
    now = now_after(told, tx.at)
    at = instant_of(asked.effective_at, now)
    if chosen == key_in_force(told, settings_release, at):
        raise ChangeRefused(
            f"In force then is {chosen}.", remedy="Name another by release_key: GET /v1/releases."
        )
    _require_earlier(tx.connection, chosen, told, now)
    told = told or [_start(tx, settings_release)]
    made = Publication(
        number=told[-1].number + 1,
        release_key=chosen,
        effective_at=at,
        published_at=tx.at,
        published_by=asked.by,
        kind=PublicationKind.ROLLBACK,
        reason=asked.reason,
    )
    return _published(tx, made, told)


def _require_earlier(
    connection: Connection, key: str, told: Sequence[Publication], now: datetime
) -> None:
    """Refuse what was never in force, which nobody may have approved."""
    begun = {p.release_key for p in told if p.withdrawn_at is None and p.effective_at <= now}
    since = first_used_at(connection, key)
    was_of_settings = since is not None and (not told or since < told[0].published_at)
    if key not in begun and not was_of_settings:
        raise ChangeRefused(
            f"{key} was never in force, so one cannot go back to it.",
            remedy="Name one that was (GET /v1/releases), or publish a draft of it.",
        )


def _before(told: Sequence[Publication], current: str, at: datetime) -> str | None:
    """Return the key that was in force before another first was, or None.

    So a second step goes back further, and never forward to what the first one has left.
    """
    begun = [one for one in told if one.withdrawn_at is None and one.effective_at <= at]
    keys = [one.release_key for one in sorted(begun, key=lambda one: one.rank)]
    earlier = keys[: keys.index(current)] if current in keys else []
    return earlier[-1] if earlier else None


def withdraw(tx: Transaction, number: int, by: str, reason: str) -> Published:
    """Take a publication back whose instant has not come; taken back again, nothing changes.

    Raises
    ------
    NoSuchRelease
        No publication has this number.
    ChangeRefused
        It is or was in force.
    """
    told = read_publications(tx.connection)
    now = now_after(told, tx.at)
    found = next((one for one in told if one.number == number), None)
    if found is None:
        raise NoSuchRelease(
            "No publication has this number.", remedy="GET /v1/releases lists them."
        )
    if found.withdrawn_at is None:
        if found.effective_at <= now:
            raise ChangeRefused(
                f"Publication {number} is or was in force.",
                remedy="Roll back to an earlier release.",
            )
        mark_withdrawn(tx.connection, number, tx.at)
        tx.note("RELEASE_WITHDRAWN", str(number), {"by": by, "reason": reason})
        tx.announce(TOPIC, str(number), {"event": "WITHDRAWN", "release": found.release_key})
    told = read_publications(tx.connection)
    found = next(one for one in told if one.number == number)
    return Published(publication=found, scheduled=tuple(scheduled_after(told, tx.at)))


def _published(tx: Transaction, made: Publication, told: Sequence[Publication]) -> Published:
    insert_publication(tx.connection, made)
    said = {
        "release": made.release_key,
        "kind": made.kind,
        "effective_at": made.effective_at,
        "by": made.published_by,
        "approved_by": made.approved_by,
        "draft": made.draft,
    }
    tx.note("RELEASE_PUBLISHED", str(made.number), {**said, "reason": made.reason})
    told_outside = {
        "event": "PUBLISHED",
        "release": made.release_key,
        "effective_at": made.effective_at,
    }
    tx.announce(TOPIC, str(made.number), told_outside)
    ahead = scheduled_after([*told, made], max(made.effective_at, tx.at))
    return Published(publication=made, scheduled=tuple(ahead))
