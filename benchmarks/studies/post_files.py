"""Where units stand: posts from a CSV file, from the pilot, from beats or from a list.

What lives here: reading posts, each fault with its line. What does not: which group stands where
(`unit_groups`), and how far posts are from a street (`placing`).
"""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.studies.errors import THE_FILE, Fault, fault_of, said_by
from benchmarks.studies.reading import nearest
from benchmarks.studies.scenario import PostSite
from geodata.beats import sector_of
from geodata.pilot.area import pilot_posts
from geodata.text_files import line_not_utf8
from routing.codes import Agency

COLUMNS: Final = ("post_id", "lon", "lat")
POSTS_MAX: Final = 2_000
FORM: Final = "Give a CSV (UTF-8) of post_id, lon, lat and, if needed, agency (CARE, SPD), sector."


@dataclass(frozen=True, slots=True, kw_only=True)
class PostAt:
    """A post and where it is told."""

    post: PostSite
    file: Path
    line: int | None

    def fault(self, message: str, remedy: str) -> Fault:
        """Return what is wrong with it."""
        return fault_of(self.file, f"post {self.post.post_id}", message, remedy, line=self.line)


def posts_of_pilot(agency: Agency) -> tuple[PostSite, ...]:
    """Return the pilot's posts of one kind of unit."""
    return tuple(
        PostSite(post_id=one.post_id, lon=one.lon, lat=one.lat)
        for one in pilot_posts()
        if one.post_id.startswith(agency)
    )


def posts_of_beats(
    places: Mapping[str, tuple[float, float]], sectors: Iterable[str]
) -> tuple[PostSite, ...]:
    """Return a post in each beat of some sectors, in the order of their names; () for all."""
    wanted = {sector.upper() for sector in sectors}
    return tuple(
        PostSite(post_id=beat, lon=lon, lat=lat, sector=sector_of(beat))
        for beat, (lon, lat) in sorted(places.items())
        if not wanted or sector_of(beat) in wanted
    )


def read_posts(file: Path, agency: Agency) -> tuple[list[PostAt], list[Fault]]:
    """Return the posts of a CSV file for one kind of unit, and everything that is wrong with it.

    Rows of the other kind are checked, and left out.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            table = csv.reader(text)
            header = [name.strip().lower() for name in next(table, [])]
            rows = [(table.line_num, cells) for cells in table if any(map(str.strip, cells))]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        line = line_not_utf8(file)
        message = f"cannot be read: {said_by(problem)}."
        return [], [fault_of(file, THE_FILE, message, FORM, line=line)]
    faults = list(_header_faults(file, header))
    if faults:
        return [], faults
    if len(rows) > POSTS_MAX:
        many = f"has {len(rows):,} rows; at most {POSTS_MAX:,} are taken."
        return [], [fault_of(file, THE_FILE, many, "Give fewer posts.")]
    reader = _Rows(file, header)
    posts = [one for line, cells in rows if (one := reader.take(line, cells, agency)) is not None]
    return posts, reader.faults


def _header_faults(file: Path, header: Sequence[str]) -> Iterator[Fault]:
    for name in COLUMNS:
        if name not in header:
            like = nearest(name, header)
            has = f"; did you mean {like}?" if like else f"; it has {', '.join(header) or 'none'}."
            yield fault_of(file, name, f"is no column of the table{has}", FORM, line=1)


class _Rows:
    """The rows of one file."""

    def __init__(self, file: Path, header: Sequence[str]) -> None:
        self._file, self._header = file, header
        self._lines: dict[tuple[Agency, str], int] = {}
        self.faults: list[Fault] = []

    def take(self, line: int, cells: Sequence[str], wanted: Agency) -> PostAt | None:
        """Return the post of a row, None where it is bad or of the other kind."""
        row = dict(zip(self._header, map(str.strip, cells), strict=False))
        before = len(self.faults)
        agency = self._agency(line, row, wanted)
        lon, lat = self._degrees(line, row, "lon", 180), self._degrees(line, row, "lat", 90)
        post_id = row.get("post_id", "")
        if not post_id:
            self._bad(line, "post_id", "is empty.", "Name the post.")
        elif agency is not None and (first := self._lines.get((agency, post_id))) is not None:
            self._bad(line, "post_id", f"is {post_id!r}, as on line {first}.", "Name each once.")
        elif agency is not None:
            self._lines[agency, post_id] = line
        if len(self.faults) > before or agency is not wanted or lon is None or lat is None:
            return None
        post = PostSite(post_id=post_id, lon=lon, lat=lat, sector=row.get("sector") or None)
        return PostAt(post=post, file=self._file, line=line)

    def _bad(self, line: int, column: str, message: str, remedy: str) -> None:
        self.faults.append(fault_of(self._file, column, message, remedy, line=line))

    def _agency(self, line: int, row: Mapping[str, str], wanted: Agency) -> Agency | None:
        text = row.get("agency", wanted).upper()
        if text in tuple(Agency):
            return Agency(text)
        self._bad(line, "agency", f"is {text!r}.", "Give CARE or SPD.")
        return None

    def _degrees(self, line: int, row: Mapping[str, str], column: str, most: int) -> float | None:
        text = row.get(column, "")
        try:
            value = float(text)
        except ValueError:
            self._bad(line, column, f"is {text!r}, no number.", "Give degrees of WGS 84.")
            return None
        if not math.isfinite(value) or not value or abs(value) > most:
            remedy = f"Give degrees of WGS 84, -{most} to {most}, no feet and no metres; "
            swapped = "lon and lat may be exchanged."
            self._bad(line, column, f"is {text}, which is no place.", f"{remedy}{swapped}")
            return None
        return value
