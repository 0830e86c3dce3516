"""`tandem keys`: make, show, revoke and replace API keys in the durable store.

A key is printed once, alone on standard output, so that it can be piped where it belongs. It is
never taken as an argument: arguments stand in the list of processes and in a shell's history.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from api.auth.keys import LABEL_CHARACTERS_MAX, ApiKey, KeyStore, NewKey, make_key
from api.auth.memory_keys import no_such_key
from api.auth.roles import Role, names_of
from api.commands.console import notes, out
from api.errors import StartError
from api.settings import read_settings

OPERATOR_ROLE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
"""What `operator.role` of a request may be (`api.request_schemas.RoleName`)."""


@contextmanager
def _keys(store: str | None) -> Iterator[KeyStore]:
    from api.auth.sql_keys import opened_keys

    location = store or read_settings().store
    if location is None:
        raise StartError(
            "Nothing says where the store is.",
            remedy="Name it with --store or TANDEM_STORE: a file, or postgresql://user@host/name.",
        )
    with opened_keys(location) as keys:
        yield keys


def run_create(
    label: str,
    roles: Sequence[str],
    asserts: Sequence[str],
    *,
    expires_days: int,
    store: str | None,
) -> None:
    """Make a key and print it."""
    named = " ".join(label.split())
    if not named or len(named) > LABEL_CHARACTERS_MAX or not named.isprintable():
        raise StartError(
            f"--label must have 1 to {LABEL_CHARACTERS_MAX} printable characters.",
            remedy="Name the system that will use the key, such as 'CAD production'.",
        )
    made = make_key(
        named,
        _roles(roles),
        _operator_roles(asserts),
        at=datetime.now(UTC),
        lifetime=timedelta(days=expires_days),
    )
    with _keys(store) as keys:
        keys.add(made.kept)
    _show_once(made)


def run_list(store: str | None) -> None:
    """Show all keys, without their secrets, which nobody has."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in ("key_id", "label", "roles", "asserts", "state", "expires", "last used"):
        table.add_column(head, overflow="fold")
    now = datetime.now(UTC)
    with _keys(store) as keys:
        listed = keys.list()
    for key in listed:
        asserts = ", ".join(sorted(key.asserts))
        days = key.expires_at, key.last_used_at
        table.add_row(
            key.key_id, key.label, names_of(key.roles), asserts, state_of(key, now),
            *("never" if day is None else f"{day:%Y-%m-%d}" for day in days),
        )  # fmt: skip
    out.print(table)
    notes.print(f"{sum(key.is_live(now) for key in listed)} of {len(listed)} keys are live.")


def run_revoke(key_id: str, store: str | None) -> None:
    """Let a key open nothing any more."""
    with _keys(store) as keys:
        keys.revoke(key_id, datetime.now(UTC))
    notes.print(f"{key_id} is revoked. A running service refuses it within a second.")


def run_rotate(key_id: str, *, expires_days: int, overlap_hours: int, store: str | None) -> None:
    """Make a key that may do what another may, and let that one end."""
    now = datetime.now(UTC)
    with _keys(store) as keys:
        old = keys.find(key_id)
        if old is None:
            raise no_such_key()
        lifetime = timedelta(days=expires_days)
        made = make_key(old.label, old.roles, old.asserts, at=now, lifetime=lifetime)
        keys.add(made.kept)
        if not old.is_revoked(now):
            old = keys.revoke(key_id, now + timedelta(hours=overlap_hours))
    _show_once(made)
    notes.print(f"{key_id} is good until {_until(old):%Y-%m-%d %H:%M} UTC.", highlight=False)


def state_of(key: ApiKey, at: datetime) -> str:
    """Return a word for what a key is at an instant."""
    if key.is_revoked(at):
        return "revoked"
    if not key.is_live(at):
        return "expired"
    return "live" if key.revoked_at is None else "replaced"


def _until(key: ApiKey) -> datetime:
    return min(key.expires_at, key.revoked_at or key.expires_at)


def _show_once(made: NewKey) -> None:
    kept = made.kept
    asserts = ", ".join(sorted(kept.asserts)) or "none"
    notes.print(
        f"Key {kept.key_id} for {kept.label}: roles {names_of(kept.roles)}; may assert {asserts}; "
        f"until {kept.expires_at:%Y-%m-%d}. It is shown now and never again:",
        markup=False,
        soft_wrap=True,
    )
    print(made.text)  # noqa: T201  the result, alone on standard output


def _roles(words: Sequence[str]) -> frozenset[Role]:
    known = {role.value: role for role in Role}
    wrong = [word for word in words if word not in known]
    if wrong or not words:
        said = f"--role {wrong[0]}: no such role." if wrong else "A key needs at least one --role."
        raise StartError(said, remedy=f"The roles are {names_of(Role)}.")
    return frozenset(known[word] for word in words)


def _operator_roles(words: Sequence[str]) -> frozenset[str]:
    wrong = [word for word in words if not OPERATOR_ROLE.fullmatch(word)]
    if wrong:
        raise StartError(
            f"--asserts {wrong[0]}: no operator's role.",
            remedy="Such as DISPATCHER, SUPERVISOR or SPD_SERGEANT, as `operator.role` has it.",
        )
    return frozenset(words)
