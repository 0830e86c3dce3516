"""From a kept release to the content of a draft, and back to a release with its own name.

What lives here: moving inline zones into GeoJSON, and the four keys that name a publication in its
file. Both change single lines of the text, so that its comments stay, and are verified by reading
the outcome. What does not: whether content can be used (`checks`).
"""

import re
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from shapely.geometry import mapping

from api.errors import ChangeRefused, InvalidRequest, Problem
from api.release_file import NESTING_MAX, has_deep_key, read_release
from api.releases.draft_writes import invalid
from api.releases.drafts import ZONES_FILE, Content, Feature, zones_text
from api.replay.library import read_kept
from api.replay.sources import KeptRelease
from geodata.zones import Zone
from routing.release import Release

NAMING: Final = ("release_id", "effective_at", "zone_version", "policy_version")
"""Keys that say what a release is called and since when it is in force: set when it is published,
whatever a draft says."""

_HEADER: Final = re.compile(r"^[ \t]*\[", re.MULTILINE)
_TABLE: Final = re.compile(r"[ \t]*\[\[?[ \t]*[A-Za-z_\"']")
_ZONES: Final = re.compile(r"[ \t]*\[\[[ \t]*zones[ \t]*\]\]")
_REST: Final = r"(?:\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[^\s#\"']+(?: [0-9][^\s#]*)?)"


class Naming(Struct, frozen=True, kw_only=True):
    """What a release is called."""

    release_id: str
    effective_at: datetime
    zone_version: int
    policy_version: int


def read_content(content: Content) -> Release:
    """Return the release of some content.

    Raises
    ------
    ReleaseFileError
        With everything that is wrong with the file.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-draft-") as folder:
        file = Path(folder) / "release.toml"
        file.write_text(content.text, encoding="utf-8", newline="")
        zones = Path(folder) / ZONES_FILE
        zones.write_text(content.zones, encoding="utf-8", newline="")
        return read_release(file)


def content_of(kept: KeptRelease) -> Content:
    """Return a kept release as the content of a draft; what it decides is the same.

    Raises
    ------
    ChangeRefused
        Its file is written in a way in which zones cannot be moved out of it.
    """
    release = read_kept(kept).release
    text = with_key(without_zones(kept.text), "zones_file", f'"{ZONES_FILE}"')
    notes = {**_notes(kept.zones_text), **_notes(kept.other_zones)}
    features = [zone_as_feature(zone, notes.get(zone.zone_id, "")) for zone in release.zones.zones]
    content = Content(text=text, zones=zones_text(features))
    if not _is_same(release, read_content(content)):
        raise _not_movable()
    return content


def zone_as_feature(zone: Zone, note: str = "") -> Feature:
    """Return a zone as a draft keeps it."""
    return {
        "type": "Feature",
        "id": zone.zone_id,
        "geometry": mapping(zone.geometry),
        "properties": {
            "zone_id": zone.zone_id,
            "name": zone.name,
            "kind": str(zone.kind),
            "precedence": zone.precedence,
            "policy_id": zone.policy_id,
            "note": note,
        },
    }


def _notes(zones: str | None) -> dict[str, str]:
    import json

    features = [] if zones is None else json.loads(zones)["features"]
    told = [one.get("properties") or {} for one in features]
    return {str(one.get("zone_id")): str(one.get("note") or "") for one in told}


def _is_same(one: Release, other: Release) -> bool:
    return is_same_zones(one, other) and is_same_policies(one, other)


def is_same_zones(one: Release, other: Release) -> bool:
    """Tell whether zones are the same, outlines to the last digit."""
    return one.zones.zones == other.zones.zones


def is_same_policies(one: Release, other: Release) -> bool:
    """Tell whether everything but the zones is the same."""

    def told(release: Release) -> tuple[Any, ...]:
        mappings = (release.zone_policies, release.status_of, release.precinct_of)
        edge_m = release.zones.edge_tolerance_m
        return release.city_policy, *(dict(each) for each in mappings), edge_m

    return told(one) == told(other)


def with_names(content: Content, naming: Naming, beats: str | None) -> KeptRelease:
    """Return content as the release that is published, under its own name."""
    at = naming.effective_at.astimezone(UTC).isoformat()
    text = content.text
    for key, written in (
        ("policy_version", str(naming.policy_version)),
        ("zone_version", str(naming.zone_version)),
        ("effective_at", at),
        ("release_id", f'"{naming.release_id}"'),
    ):
        text = with_key(text, key, written)
    return KeptRelease(
        release_id=naming.release_id,
        text=text,
        zones_file=ZONES_FILE,
        zones_text=content.zones,
        beats=beats,
    )


# -- the text of a release file -------------------------------------------------------------------


def policy_text(body: bytes) -> str:
    """Return a release file that was sent for a draft, with its zones outside of it.

    Raises
    ------
    InvalidRequest
        It is no TOML, or it brings zones of its own.
    """
    if has_deep_key(body.decode(errors="replace")):
        remedy = "docs/release.md shows the form."
        raise invalid("SYNTAX", "", f"A key has {NESTING_MAX} parts or more.", remedy)
    try:
        text = body.decode()
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        remedy = "Mend the line; docs/release.md shows the form."
        raise invalid("SYNTAX", "", f"It is not TOML: {str(error)[:200]}.", remedy) from None
    if "zones" in tables or tables.get("zones_file", ZONES_FILE) != ZONES_FILE:
        problem = Problem(
            path="zones" if "zones" in tables else "zones_file",
            code="ZONES_APART",
            detail="The zones of a draft stand beside its policy",
            remedy="Take them out; PUT /v1/drafts/{name}/zones or import them.",
        )
        raise InvalidRequest(problem.detail, remedy=problem.remedy, problems=(problem,))
    return with_key(text, "zones_file", f'"{ZONES_FILE}"')


def with_key(text: str, key: str, written: str) -> str:
    """Return a release file with a key of its top set, on its line or on a new first one.

    Raises
    ------
    ChangeRefused
        It is written in a way in which that cannot be done.
    """
    before = tomllib.loads(text)
    header = _HEADER.search(text)
    top = text[: header.start()] if header else text
    line = re.compile(rf"^([ \t]*{key}[ \t]*=[ \t]*){_REST}([ \t]*(?:#[^\n]*)?\r?)$", re.MULTILINE)
    changed, n_changed = line.subn(lambda found: f"{found[1]}{written}{found[2]}", top, count=1)
    made = changed + text[len(top) :] if n_changed else f"{key} = {written}\n{text}"
    _require(made, {**before, key: tomllib.loads(f"{key} = {written}")[key]})
    return made


def without_zones(text: str) -> str:
    """Return a release file without its tables `[[zones]]`; raises what `with_key` does."""
    wanted = {key: value for key, value in tomllib.loads(text).items() if key != "zones"}
    kept: list[str] = []
    block: list[str] | None = None
    for line in text.splitlines(keepends=True):
        if block is not None and _TABLE.match(line) and _is_whole("".join(block)):
            kept += _last_comments(block)  # they belong to what follows
            block = None
        if block is None and _ZONES.match(line):
            block = []
        (kept if block is None else block).append(line)
    made = "".join(kept)
    _require(made, wanted)
    return made


def _last_comments(block: list[str]) -> list[str]:
    last = len(block)
    while last and block[last - 1].strip()[:1] in ("", "#"):
        last -= 1
    return block[last:]


def _is_whole(piece: str) -> bool:
    """Tell whether some lines are whole statements: a bracket may begin a row of a list."""
    try:
        tomllib.loads(piece)
    except ValueError:
        return False
    return True


def _require(text: str, wanted: Mapping[str, Any]) -> None:
    try:
        found = tomllib.loads(text)
    except ValueError:
        found = {}
    if found != wanted:
        raise _not_movable()


def _not_movable() -> ChangeRefused:
    return ChangeRefused(
        "The release file is written in a way that cannot be changed line by line.",
        remedy="Write release_id, versions and zones_file at its top, a key on a line, and zones "
        "as tables [[zones]] or in a file; then start from it.",
    )
