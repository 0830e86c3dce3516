"""Where units are taken to start from: posts, or the middles of police beats.

What lives here: `Posts` and reading a file of posts. What does not: how far they reach (`reach`).
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.errors import StartError
from geodata.beats import BeatMap
from geodata.pilot.area import pilot_posts
from routing.codes import Agency

COLUMNS: Final = ("agency", "post_id", "lon", "lat")
POSTS_MAX: Final = 1_000
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posts:
    """Lon and lat of each post by its name, for both kinds of unit; one unit stands at each."""

    of: Mapping[Agency, Mapping[str, Point]]
    told: str
    """Where they are from, in words for a report."""

    def __post_init__(self) -> None:
        for agency in Agency:
            if not self.of.get(agency):
                raise StartError(
                    f"There is no {agency} post, so that no pair could ever arrive.",
                    remedy="Give a file with a row of each agency: --posts FILE (docs/impact.md).",
                )


def posts_of(file: Path | None, beats: BeatMap | None) -> Posts:
    """Return the posts of a file, or the pilot's, with police in every beat where beats are given.

    Raises
    ------
    StartError
        The file cannot be used.
    """
    if file is not None:
        posts = _read(file)
        told = f"posts of {file.name}"
    else:
        posts = _pilot()
        told = "the pilot's posts"
    if beats is not None:
        posts[Agency.SPD] = dict(beats.beat_centres)
        told += ", police at the middle of every beat"
    return Posts(of=posts, told=told)


def _pilot() -> dict[Agency, dict[str, Point]]:
    found: dict[Agency, dict[str, Point]] = {agency: {} for agency in Agency}
    for post in pilot_posts():
        agency = Agency.CARE if post.post_id.startswith("CARE") else Agency.SPD
        found[agency][post.post_id] = (post.lon, post.lat)
    return found


def _read(file: Path) -> dict[Agency, dict[str, Point]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            table = csv.DictReader(text)
            rows = list(table)
            header = table.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise StartError(f"{file}: {problem}.", remedy=_FORM) from None
    missing = [name for name in COLUMNS if name not in header]
    if missing or len(rows) > POSTS_MAX:
        said = f"lacks the column {missing[0]}" if missing else f"has more than {POSTS_MAX} rows"
        raise StartError(f"{file} {said}.", remedy=_FORM)
    return _posts(file, rows)


_FORM: Final = "Expected a CSV of agency (CARE or SPD), post_id, lon, lat."


def _posts(file: Path, rows: Sequence[Mapping[str, str]]) -> dict[Agency, dict[str, Point]]:
    found: dict[Agency, dict[str, Point]] = {agency: {} for agency in Agency}
    for number, row in enumerate(rows, start=2):
        try:
            agency = Agency(row["agency"].strip().upper())
            lon, lat = float(row["lon"]), float(row["lat"])
        except (ValueError, AttributeError, TypeError) as problem:
            raise StartError(f"{file}, row {number}: {problem}.", remedy=_FORM) from None
        if not (-180 <= lon <= 180 and -90 <= lat <= 90 and lon and lat):
            raise StartError(f"{file}, row {number}: {lon}, {lat} is no place.", remedy=_FORM)
        if row["post_id"] in found[agency]:
            raise StartError(f"{file}, row {number}: post {row['post_id']} again.", remedy=_FORM)
        found[agency][row["post_id"]] = (lon, lat)
    return found
