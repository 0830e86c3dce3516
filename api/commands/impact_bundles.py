"""The two releases that `tandem release impact` compares: of files, or of a running service.

What lives here: `Files`, and the way from a service to a folder that is read like any other. What
does not: the comparison (`api.impact`).
"""

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from api.commands.remote import Remote, in_path
from api.errors import StartError

if TYPE_CHECKING:
    from api.impact.measure import Bundle

FILE: Final = "release.toml"


class Files(Struct, frozen=True, kw_only=True):
    """Where both release files are, and what they are called where their service names them."""

    draft: Path
    live: Path | None
    """None is the pilot's."""
    draft_key: str | None = None
    live_key: str | None = None


def files_of(
    name: str | None, url: str | None, draft: Path | None, live: Path | None, folder: Path
) -> Files:
    """Return the files that were named, or those of a draft of a service, fetched into a folder.

    Raises
    ------
    StartError
        Neither is named, or both are; the service does not answer or does not have it.
    """
    if (name is None) == (draft is None):
        raise StartError(
            "Which draft is meant is not clear.",
            remedy="Name one of the service, or give its file with --draft.",
        )
    if draft is not None:
        return Files(draft=draft, live=live)
    assert name is not None, "a draft without a name"
    remote = Remote(url)
    drafted = remote.get(f"/v1/drafts/{in_path(name)}").said
    fetched = _kept(drafted["policy"], drafted["zones"], folder / "draft")
    key = f"{name} (version {drafted['draft']['version']})"
    if live is not None:
        return Files(draft=fetched, live=live, draft_key=key)
    live_key = remote.get("/v1/releases/live").said["release_key"]
    released = remote.get(f"/v1/releases/{in_path(live_key)}").said
    return Files(
        draft=fetched,
        live=_kept(released["policy"], released["zones"], folder / "live"),
        draft_key=key,
        live_key=live_key,
    )


def _kept(policy: str, zones: dict[str, Any] | None, folder: Path) -> Path:
    """Write a release as it is read: its file, and the file of zones that it names."""
    folder.mkdir()
    file = folder / FILE
    file.write_text(policy, encoding="utf-8", newline="")
    named = tomllib.loads(policy).get("zones_file")
    if zones is not None and isinstance(named, str):
        beside = (folder / named).resolve()
        if not beside.is_relative_to(folder.resolve()):
            raise StartError(f"The service names a file outside the release: {named}.")
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(zones), encoding="utf-8")
    return file


def bundle(file: Path | None, key: str | None) -> "Bundle":
    """Return the release of a file, by the name that its service gives it or by its content's.

    Raises
    ------
    StartError
        The file cannot be used.
    """
    from api.impact.measure import Bundle
    from api.release_file import read_release
    from api.replay.sources import kept_release
    from api.settings import read_settings
    from geodata.pilot.area import pilot_release_file

    chosen = pilot_release_file() if file is None else file
    release = read_release(chosen)
    if key is None:
        key = kept_release(read_settings({"release": chosen, "zones": None, "beats": None})).key
    return Bundle(release=release, key=key)
