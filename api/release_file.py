"""A release from a TOML file: read and checked as a whole, every problem named at once.

    release = read_release(Path("release.toml"))

What lives here: `read_release`, the file itself, and the tables that belong to no policy and no
zone. What does not: policies (`release_policies`), zones (`release_zones`), the meaning of a
release (`routing.release`). docs/release.md describes every key.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from api.release_errors import ReleaseFileError, ReleaseProblem
from api.release_findings import Findings, did_you_mean, read_table, shown
from api.release_policies import read_policies
from api.release_schema import ReleasePart
from api.release_zones import read_zones, read_zones_file, zone_map
from routing.codes import Status
from routing.policy import Area, Policy, normalised
from routing.release import Release

RELEASE_BYTES_MAX: Final = 5_000_000
"""A larger release file is refused; large zones belong in a file of their own."""

NESTING_MAX: Final = 20

_DOTTED: Final = re.compile(
    r"(?:^|[\[{,])[ \t]*(?:(?:[\w-]+|\"[^\"\n]*\"|'[^'\n]*')[ \t]*\.[ \t]*)"
    rf"{{{NESTING_MAX}}}",
    re.MULTILINE,
)
"""A key of more parts than anything may be deep; the parser takes minutes for some thousand."""
_LINE: Final = re.compile(r"at line (\d+)")
START_HERE: Final = "`tandem release show --text` prints a whole release to start from."


def read_release(file: Path) -> Release:
    """Return the release of a file.

    Raises
    ------
    ReleaseFileError
        With every problem of the file: its line, its keys, what is wrong and what to do.
    """
    text = _text(file)
    raw = _tables(file, text)
    findings = Findings()
    release = _release(raw, file.parent, findings)
    if release is None or findings.found:
        raise ReleaseFileError(str(file), findings.problems(text))
    return release


def _refused(file: Path, code: str, line: int, what: str, remedy: str) -> ReleaseFileError:
    problem = ReleaseProblem(line=line, path="the file", code=code, detail=what, remedy=remedy)
    return ReleaseFileError(str(file), (problem,))


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(RELEASE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        what = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise _refused(file, "CANNOT_READ", 1, what, START_HERE) from None
    if len(content) > RELEASE_BYTES_MAX:
        what = f"has more than {RELEASE_BYTES_MAX:,} bytes"
        remedy = "Put the zones into a GeoJSON file and name it with zones_file."
        raise _refused(file, "TOO_LARGE", 1, what, remedy)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refused(file, "SYNTAX", line, "is not UTF-8", "Save it as UTF-8.") from None


def _tables(file: Path, text: str) -> Mapping[str, Any]:
    remedy = "Mend the line, or what was left open above it; docs/release.md shows the form."
    what = f"has tables or lists more than {NESTING_MAX} deep"
    if has_deep_key(text):
        raise _refused(file, "TOO_LARGE", 1, what, remedy)
    try:
        tables = tomllib.loads(text)
    except RecursionError:
        raise _refused(file, "SYNTAX", 1, "is nested too deeply", remedy) from None
    except ValueError as error:
        found = _LINE.search(str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise _refused(file, "SYNTAX", line, f"is not TOML: {error}", remedy) from None
    if _is_deep(tables):
        raise _refused(file, "TOO_LARGE", 1, what, remedy)
    return tables


def has_deep_key(text: str) -> bool:
    """Tell whether a key is too deep to be parsed: to be asked before a text of others is."""
    return _DOTTED.search(text) is not None


def _is_deep(tables: object) -> bool:
    """Tell whether anything is nested beyond the limit, so that all that follows may recurse."""
    level: list[Any] = [tables]
    for _ in range(NESTING_MAX):
        inner = (v.values() if isinstance(v, dict) else v for v in level)
        level = [v for values in inner for v in values if isinstance(v, dict | list)]
    return bool(level)


def _release(raw: Mapping[str, Any], folder: Path, findings: Findings) -> Release | None:
    """Return the release, or None; whatever is wrong is noted."""
    part, _ = read_table(ReleasePart, raw, (), findings)
    if part is None:
        return None
    precinct_of = _precinct_of(part.precincts, findings)
    sectors = frozenset(precinct_of) if "precincts" in raw else None
    policies = read_policies(part.policies, sectors, findings)
    city = _city_policy(part, policies, findings)
    placed = read_zones(part.zones, findings)
    if part.zones_file is not None:
        placed += read_zones_file(part.zones_file, folder, findings)
    zones = zone_map(placed, part.policies, part.edge_tolerance_m, findings)
    _require_zones(raw, policies, findings)
    status_of = _status_of(part.cad_statuses, findings)
    if part.release_id is None and not findings.any_under(("release_id",)):
        remedy = 'Write release_id = "seattle-2023-10" at the top; answers name it.'
        findings.add(("release_id",), "MISSING", "is missing", remedy)
    if findings.found or city is None or zones is None or part.release_id is None:
        return None
    return Release(
        release_id=part.release_id,
        effective_at=part.effective_at,
        zone_version=part.zone_version,
        policy_version=part.policy_version,
        zones=zones,
        city_policy=city,
        zone_policies=policies,
        status_of=status_of,
        precinct_of=precinct_of,
    )


def _city_policy(
    part: ReleasePart, policies: Mapping[str, Policy], findings: Findings
) -> Policy | None:
    names: Collection[str] = part.policies
    path = ("city_policy",)
    if not names:
        if not findings.any_under(("policies",)):
            remedy = f"Add a table such as [policies.PILOT]; {START_HERE}"
            findings.add(("policies",), "MISSING", "has no policy", remedy)
        return None
    if part.city_policy is None:
        if len(names) == 1:
            return policies.get(next(iter(names)))
        if not findings.any_under(path):
            what = "is missing, and there are several policies"
            remedy = f"Name the policy of calls outside every zone: {', '.join(sorted(names))}."
            findings.add(path, "MISSING", what, remedy)
        return None
    if part.city_policy not in names:
        what = f"is {shown(part.city_policy)}, and there is no such policy"
        remedy = did_you_mean(part.city_policy, sorted(names))
        findings.add(path, "UNKNOWN_NAME", what, remedy)
    return policies.get(part.city_policy)


def _require_zones(
    raw: Mapping[str, Any], policies: Mapping[str, Policy], findings: Findings
) -> None:
    """Note a release without zones, unless some mode is offered in the whole city."""
    if raw.get("zones") or "zones_file" in raw or findings.any_under(("policies",)):
        return
    rules = [mode for policy in policies.values() for mode in policy.modes.values()]
    if rules and not any(mode.area is Area.CITY for mode in rules):
        what = "has no zone, so that every call would be outside"
        remedy = 'Add [[zones]], or zones_file = "zones.geojson".'
        findings.add(("zones",), "MISSING", what, remedy)


_OWN: Final = {normalised(status): status for status in Status}


def _status_of(statuses: Mapping[str, Status], findings: Findings) -> Mapping[str, Status]:
    """Return our status by normalised text of the CAD."""
    found: dict[str, Status] = {}
    for raw, status in statuses.items():
        text, path = normalised(raw), ("cad_statuses", raw)
        own = _OWN.get(text, status)
        if not text:
            what = "has neither letter nor digit"
            findings.add(path, "WRONG_VALUE", what, "Write the text that the CAD sends.")
        elif own is not status:
            what = f"is {shown(str(status))}, but {own} is a status of our own"
            findings.add(path, "CONTRADICTION", what, "Take it out: our own names stay.")
        elif found.setdefault(text, status) is not status:
            what = f"is {shown(str(status))}, and the same text means {found[text]} already"
            findings.add(path, "CONTRADICTION", what, "Keep one of the two.")
    return MappingProxyType(found)


def _precinct_of(precincts: Mapping[str, Collection[str]], findings: Findings) -> Mapping[str, str]:
    """Return the precinct of each sector."""
    found: dict[str, str] = {}
    for precinct, sectors in precincts.items():
        for place, sector in enumerate(sectors):
            if found.setdefault(sector, precinct) != precinct:
                what = f"is {shown(sector)}, which is in {found[sector]} already"
                path = ("precincts", precinct, place)
                findings.add(path, "CONTRADICTION", what, "Keep the sector in one precinct.")
    return MappingProxyType(found)
