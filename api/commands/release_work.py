"""`tandem release draft|diff|approve|publish|rollback|withdraw|history`, asked of a service."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import typer
from msgspec import Struct
from rich.table import Table
from rich.text import Text

from api.commands.console import out
from api.commands.remote import Refused, Remote, in_path
from api.errors import StartError

EXIT_PROBLEMS: Final = 1
NOT_FOUND: Final = 404
STATES: Final = {
    "IN_FORCE": "is in force",
    "SCHEDULED": "will be in force",
    "WITHDRAWN": "is taken back",
    "PAST": "was in force",
}


class DraftAsked(Struct, frozen=True, kw_only=True):
    """What is asked of a draft."""

    name: str
    base: str | None
    note: str
    policy: Path | None
    zones: Path | None
    gis_file: Path | None
    query: dict[str, str]
    """Parameters of the import."""


def run_draft(url: str | None, asked: DraftAsked) -> None:
    """Begin a draft unless it is there, put files into it, and print its check."""
    remote = Remote(url)
    path = f"/v1/drafts/{in_path(asked.name)}"
    try:
        remote.get(path)
    except Refused as refused:
        if refused.status != NOT_FOUND:
            raise
        remote.send("PUT", path, {"base": asked.base, "note": asked.note})
        out.print(f"Draft {asked.name} begun.", markup=False)
    if asked.policy is not None:
        kind = {"content-type": "application/toml"}
        remote.ask("PUT", f"{path}/policy", _bytes(asked.policy), **kind)
    if asked.zones is not None:
        kind = {"content-type": "application/geo+json"}
        remote.ask("PUT", f"{path}/zones", _bytes(asked.zones), **kind)
    if asked.gis_file is not None:
        kind = {"content-type": "application/octet-stream"}
        query = urlencode(asked.query)
        read = remote.ask("POST", f"{path}/import?{query}", _bytes(asked.gis_file), **kind).said
        _print_findings(f"{asked.gis_file}: {read['zones']} zones", read["findings"])
        if not read["accepted"]:
            out.print("Nothing of it was taken.")
            raise typer.Exit(EXIT_PROBLEMS)
    _print_check(remote.get(f"{path}/check").said)


def run_show(url: str | None, name: str) -> None:
    """Print the release file of a draft."""
    draft = Remote(url).get(f"/v1/drafts/{in_path(name)}").said
    out.print(draft["policy"], markup=False, soft_wrap=True)


def run_list(url: str | None) -> None:
    """Print all drafts."""
    table = Table(title="Drafts", title_justify="left")
    for column in ("name", "version", "owner", "approved by", "changed", "begun from", "note"):
        table.add_column(column, overflow="fold")
    for one in Remote(url).get("/v1/drafts").said["drafts"]:
        _add(table, one["name"], one["version"], one["owner"], one["approved_by"] or "-",
             one["changed_at"], one["base"], one["note"])  # fmt: skip
    out.print(table)


def run_delete(url: str | None, name: str) -> None:
    """Forget a draft."""
    Remote(url).ask("DELETE", f"/v1/drafts/{in_path(name)}")
    out.print(f"Draft {name} deleted.", markup=False)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StartError(
            f"{file}: {error.strerror}.", remedy="Name a file that can be read."
        ) from None


def _print_check(checked: Any) -> None:
    title = f"Draft {checked['name']}, version {checked['version']}"
    _print_findings(title, checked["findings"])
    if not checked["usable"]:
        out.print("It cannot be published like this.")
        raise typer.Exit(EXIT_PROBLEMS)
    out.print(f"OK: {title} can be published once a second person has approved it.", markup=False)


def _print_findings(title: str, findings: list[Any]) -> None:
    if not findings:
        return
    table = Table(title=title, title_justify="left")
    for column in ("weight", "where", "what", "remedy"):
        table.add_column(column, overflow="fold")
    for one in findings:
        _add(table, one["weight"], one["place"], f"{one['code']}: {one['detail']}", one["remedy"])
    out.print(table)


def _add(table: Table, *cells: object) -> None:
    table.add_row(*(Text(str(cell)) for cell in cells))


def run_diff(url: str | None, name: str, *, as_json: bool) -> None:
    """Print what a draft would change."""
    found = Remote(url).get(f"/v1/drafts/{in_path(name)}/diff").said
    if as_json:
        out.print_json(data=found)
        return
    title = f"Draft {name}, version {found['version']}, against {found['against']}"
    out.print(title, markup=False)
    zones = Table(title="Zones", title_justify="left")
    for column in ("zone", "change", "m2", "gained m2", "lost m2", "attributes"):
        zones.add_column(column, overflow="fold")
    for one in found["zones"]:
        figures = [f"{one[key]:,.0f}" for key in ("area_m2", "gained_m2", "lost_m2")]
        _add(zones, one["zone_id"], one["change"], *figures, "; ".join(one["attributes"]))
    handed = Table(title="Streets that change hands", title_justify="left")
    for column in ("from", "to", "metres of street", "m2"):
        handed.add_column(column, overflow="fold")
    for one in found["handed"]:
        figures = [f"{one['street_m']:,.0f}", f"{one['area_m2']:,.0f}"]
        _add(handed, one["before"] or "(no zone)", one["after"] or "(no zone)", *figures)
    for table, rows in ((zones, found["zones"]), (handed, found["handed"])):
        if rows:
            out.print(table)
    for line in found["policies"]:
        out.print(f"- {line}", markup=False)
    if not (found["zones"] or found["policies"]):
        out.print("Nothing is another.")


def run_approve(
    url: str | None, name: str, version: int | None, operator: tuple[str, str] | None
) -> None:
    """Approve a version of a draft, by default the one that is there now.

    Parameters
    ----------
    operator
        Id and role of the person for whom the key approves; None is the key itself.
    """
    remote, path = Remote(url), f"/v1/drafts/{in_path(name)}"
    match = _match(remote, name, version)
    said = {} if operator is None else {"operator": {"id": operator[0], "role": operator[1]}}
    draft = remote.send("POST", f"{path}/approve", said, **{"if-match": match}).said["draft"]
    out.print(
        f"Draft {name}, version {draft['version']}, approved by {draft['approved_by']}.",
        markup=False,
    )


def _match(remote: Remote, name: str, version: int | None) -> str:
    if version is not None:
        return f'"{name}-v{version}"'
    return remote.get(f"/v1/drafts/{in_path(name)}").etag or "*"


def run_publish(url: str | None, name: str, version: int | None, said: dict[str, Any]) -> None:
    """Publish a draft, and print since when it is in force."""
    remote = Remote(url)
    match = {"if-match": _match(remote, name, version)}
    _print_published(remote.send("POST", f"/v1/drafts/{in_path(name)}/publish", said, **match).said)


def run_rollback(url: str | None, said: dict[str, Any]) -> None:
    """Go back to an earlier release."""
    _print_published(Remote(url).send("POST", "/v1/releases/rollback", said).said)


def run_withdraw(url: str | None, number: int, reason: str) -> None:
    """Take a scheduled publication back."""
    said = {"reason": reason}
    _print_published(Remote(url).send("POST", f"/v1/releases/{number}/withdraw", said).said)


def _print_published(made: Any) -> None:
    one = made["publication"]
    words = {
        "IN_FORCE": "is in force",
        "SCHEDULED": "will be in force",
        "WITHDRAWN": "is taken back",
    }
    state = words.get(one["state"], "was in force")
    out.print(
        f"Publication {one['number']}: {one['release_key']} {state} (from {one['effective_at']}).",
        markup=False,
    )
    for ahead in made["scheduled"]:
        out.print(
            f"Still scheduled: {ahead['number']}, {ahead['release_key']}, from "
            f"{ahead['effective_at']}. `tandem release withdraw {ahead['number']}` takes it back.",
            markup=False,
        )


def run_history(url: str | None, *, as_json: bool) -> None:
    """Print all publications, the newest first."""
    remote = Remote(url)
    told, live = remote.get("/v1/releases").said, remote.get("/v1/releases/live").said
    if as_json:
        out.print_json(data={"live": live, **told})
        return
    table = Table(title="Publications", title_justify="left")
    for column in ("number", "release", "state", "from", "kind", "by", "approved by", "reason"):
        # A key that is folded cannot be copied.
        table.add_column(column, overflow="fold", no_wrap=column == "release")
    for one in told["publications"]:
        known = ("number", "release_key", "state", "effective_at", "kind", "published_by")
        _add(table, *(one[key] for key in known), one["approved_by"] or "-", one["reason"])
    if told["publications"]:
        out.print(table)
    out.print(f"Decided by now: {live['release_key']}.", markup=False)
