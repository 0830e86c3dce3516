"""Groups of units of a scenario: how many, where, when.

What lives here: from the tables of `units` to `UnitGroup`s. What does not: files of posts
(`post_files`), and whether a street is near a post (`placing`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from api.release_lines import Path as KeyPath
from benchmarks.studies.errors import Fault
from benchmarks.studies.post_files import (
    POSTS_MAX,
    PostAt,
    posts_of_beats,
    posts_of_pilot,
    read_posts,
)
from benchmarks.studies.reading import Reading, nearest
from benchmarks.studies.scenario import ALL_DAY, PostSite, Shift, UnitGroup, dotted
from benchmarks.studies.scenario_keys import POST, SHIFT, UNITS
from benchmarks.studies.scenario_values import MINUTES_A_DAY, BadValue, Span, shown
from routing.codes import Agency

CREW: Final = MappingProxyType({Agency.CARE: 2, Agency.SPD: 1})
"""CARE goes in twos (seattle.gov); police may be one."""
SHIFTS_MAX: Final = 50
GROUPS_MAX: Final = 100
Sectors = Mapping[str, tuple[str, ...]]
"""Sectors of each precinct."""
_SHORT: Final = MappingProxyType(
    {"W": "WEST", "E": "EAST", "S": "SOUTH", "N": "NORTH", "SW": "SOUTHWEST"}
)
"""How Seattle's own boundaries name precincts."""


def sectors_of(precinct_of: Mapping[str, str]) -> Sectors:
    """Return the sectors of each precinct, from the precinct of each sector."""
    found: dict[str, list[str]] = {}
    for sector, precinct in sorted(precinct_of.items()):
        found.setdefault(precinct.upper(), []).append(sector.upper())
    return {precinct: tuple(sectors) for precinct, sectors in found.items()}


def precinct_named(name: str, known: Collection[str]) -> str | None:
    """Return the precinct of a name or its letters, None where there is none."""
    wanted = name.strip().upper()
    wanted = wanted if wanted in known else _SHORT.get(wanted, wanted)
    return wanted if wanted in known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Police:
    """Police geography that groups may be placed by."""

    beats: Mapping[str, tuple[float, float]] | None
    """Where a unit stands in each beat, lon and lat; None where the scenario names no beats."""
    sectors: Sectors


def read_groups(
    reading: Reading, raw: Mapping[str, Any], police: Police
) -> tuple[tuple[UnitGroup, ...], list[tuple[Agency, KeyPath, PostAt]]]:
    """Return the groups of both kinds, and every post with the keys that name it.

    Units of a kind that the scenario does not name stand at the pilot's posts, one at each.
    """
    tables = reading.table(("units",), raw)
    reading.unknown(("units",), tables, tuple(Agency))
    groups: list[UnitGroup] = []
    places: list[tuple[Agency, KeyPath, PostAt]] = []
    for agency in Agency:
        for path, table in _tables(reading, agency, tables):
            group = _Group(reading, agency, path, table, police)
            groups.append(group.read())
            places += [(agency, group.posts_path, post) for post in group.posts]
    for path, fault in _two_places(places):
        reading.keep(path, fault)
    return tuple(groups), places


def _two_places(
    posts: Sequence[tuple[Agency, KeyPath, PostAt]],
) -> Iterator[tuple[KeyPath, Fault]]:
    """Yield a fault for each post whose name another post has elsewhere: units go home by name."""
    first: dict[str, PostSite] = {}
    for _, path, at in posts:
        post = at.post
        known = first.setdefault(post.post_id, post)
        if (known.lon, known.lat) != (post.lon, post.lat):
            yield (
                path,
                at.fault(
                    f"is at lon {post.lon:g}, lat {post.lat:g}, and at lon {known.lon:g}, "
                    f"lat {known.lat:g} too.",
                    "Give each place a name of its own, also across groups and kinds of unit.",
                ),
            )


def _tables(
    reading: Reading, agency: Agency, tables: Mapping[str, Any]
) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    path: KeyPath = ("units", agency.value)
    told = tables.get(agency, {})
    if not isinstance(told, list):
        yield path, reading.table(path, {"units": tables})
        return
    if len(told) > GROUPS_MAX:
        reading.fault(path, f"has {len(told)} groups.", f"Give at most {GROUPS_MAX}.")
        return
    for place, one in enumerate(told):
        if isinstance(one, dict):
            yield (*path, place), one
        else:
            reading.fault((*path, place), f"is {shown(one)}, and no table.",
                          f"Write [[{dotted(path)}]] and its keys below it.")  # fmt: skip


class _Group:
    """One group of units."""

    def __init__(
        self,
        reading: Reading,
        agency: Agency,
        path: KeyPath,
        raw: Mapping[str, Any],
        police: Police,
    ) -> None:
        self._reading, self._agency, self._path, self._raw = reading, agency, path, raw
        self._police = police
        self.posts_path: KeyPath = (*path, "posts")
        self.posts: list[PostAt] = []
        self._file: Path | None = None

    def read(self) -> UnitGroup:
        """Return the group; what is wrong is kept, and a default stands in its place."""
        values = self._reading.take(self._path, self._raw, UNITS)
        posts, told = self._posts(values)
        count = values.get("count", len(posts))
        if count and not posts:
            posts, told = posts_of_pilot(self._agency), "the pilot's posts"
        named = {"posting": values["posting"]} if "posting" in values else {}
        return UnitGroup(
            agency=self._agency,
            count=count,
            posts=posts,
            shifts=self._shifts(),
            crew_count=values.get("crew", CREW[self._agency]),
            skills=frozenset(values.get("skills", ())),
            told=told,
            posts_file=self._file,
            **named,
        )

    # -- posts ----------------------------------------------------------------------------------

    def _posts(self, values: Mapping[str, Any]) -> tuple[tuple[PostSite, ...], str]:
        told = self._raw.get("posts", "pilot")
        if not self._wants_beats(told):
            return (), ""
        if told == "pilot":
            line = self._reading.line(self.posts_path)
            posts = posts_of_pilot(self._agency)
            self.posts = [PostAt(post=p, file=self._reading.file, line=line) for p in posts]
            return posts, "the pilot's posts"
        if told == "beats":
            return self._of_beats(values)
        if isinstance(told, str):
            return self._of_file(told)
        return self._of_list(told)

    def _wants_beats(self, told: object) -> bool:
        """Tell whether the keys go together: sectors and precinct are of beats alone."""
        fits = True
        for name in ("sectors", "precinct"):
            if name in self._raw and told != "beats":
                self._fault(name, "is only of beats.", 'Set posts = "beats", or leave it out.')
                fits = False
        if "sectors" in self._raw and "precinct" in self._raw:
            self._fault("precinct", "stands beside sectors.", "Give one of the two.")
            fits = False
        return fits

    def _fault(self, name: str, message: str, remedy: str) -> None:
        self._reading.fault((*self._path, name), message, remedy)

    def _of_beats(self, values: Mapping[str, Any]) -> tuple[tuple[PostSite, ...], str]:
        if self._police.beats is None:
            if not any(found.path[:2] == ("areas", "beat") for found in self._reading.found):
                self._fault("posts", "is beats, and the scenario names none.",
                            "Give the GeoJSON of beats: [areas.beat] file = ...")  # fmt: skip
            return (), ""
        sectors = self._sectors(values)
        if sectors is None:
            return (), ""
        posts = posts_of_beats(self._police.beats, sectors)
        line = self._reading.line(self.posts_path)
        self.posts = [PostAt(post=p, file=self._reading.file, line=line) for p in posts]
        of = f" of sectors {', '.join(sorted(sectors))}" if sectors else ""
        return posts, f"every beat{of}, in its middle"

    def _sectors(self, values: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Return the sectors that are meant, () for all, None where they cannot be."""
        assert self._police.beats is not None
        if "precinct" in values:
            known = self._police.sectors
            precinct = precinct_named(values["precinct"], known)
            if precinct is None:
                self._fault("precinct", f"is {shown(values['precinct'])}.",
                            f"Give one of {', '.join(known)}, or sectors.")  # fmt: skip
                return None
            return known[precinct]
        there = {beat[0] for beat in self._police.beats}
        sectors = tuple(sector.upper() for sector in values.get("sectors", ()))
        for place, sector in enumerate(sectors):
            if sector not in there:
                self._reading.fault(
                    (*self._path, "sectors", place),
                    f"is {shown(sector)}; no beat has this sector.",
                    f"The sectors are {', '.join(sorted(there))}.",
                )
        return sectors if there.issuperset(sectors) else None

    def _of_file(self, told: str) -> tuple[tuple[PostSite, ...], str]:
        file = self._reading.path_of(self.posts_path, told)
        if file is None:
            like = nearest(told, ("pilot", "beats"))
            if like and "." not in told:
                self._fault("posts", f"is {shown(told)}.", f"Did you mean {like}?")
            return (), ""
        found, faults = read_posts(file, self._agency)
        for fault in faults:
            self._reading.keep(self.posts_path, fault)
        if not found and not faults:
            self._fault("posts", f"is {file.name}, which has no post of {self._agency}.",
                        f"Add rows with agency {self._agency}.")  # fmt: skip
        self.posts, self._file = found, file
        return tuple(one.post for one in found), f"posts of {Path(told).name}"

    def _of_list(self, told: object) -> tuple[tuple[PostSite, ...], str]:
        if not isinstance(told, list) or not 1 <= len(told) <= POSTS_MAX:
            self._fault("posts", f"is {shown(told)}.", f"Give {UNITS['posts'].kind.words}.")
            return (), ""
        found: dict[str, PostSite] = {}
        for place, one in enumerate(told):
            path = (*self.posts_path, place)
            post = self._post(path, one)
            if post is None:
                continue
            if post.post_id in found:
                self._reading.fault((*path, "post_id"), f"is {post.post_id!r} once more.",
                                    "Name each once.")  # fmt: skip
            found[post.post_id] = post
            at = PostAt(post=post, file=self._reading.file, line=self._reading.line(path))
            self.posts.append(at)
        return tuple(found.values()), "posts of the scenario"

    def _post(self, path: KeyPath, raw: object) -> PostSite | None:
        if not isinstance(raw, dict):
            self._reading.fault(path, f"is {shown(raw)}.", "Give {post_id, lon, lat}.")
            return None
        values = self._reading.take(path, raw, POST)
        if not {"post_id", "lon", "lat"} <= set(values):
            return None
        if not values["lon"] or not values["lat"]:
            self._reading.fault(path, "is at 0, which is no place.", "Give lon and lat.")
            return None
        return PostSite(**values)

    # -- shifts ---------------------------------------------------------------------------------

    def _shifts(self) -> tuple[Shift, ...]:
        if "shifts" not in self._raw:
            return (Shift(),)
        told, path = self._raw["shifts"], (*self._path, "shifts")
        if not isinstance(told, list) or not 1 <= len(told) <= SHIFTS_MAX:
            self._reading.fault(path, f"is {shown(told)}.", f"Give {UNITS['shifts'].kind.words}.")
            return (Shift(),)
        shifts = [(k, self._shift((*path, k), one)) for k, one in enumerate(told)]
        good = [(k, shift) for k, shift in shifts if shift is not None]
        self._no_overlap(path, good)
        return tuple(shift for _, shift in good) or (Shift(),)

    def _shift(self, path: KeyPath, told: object) -> Shift | None:
        if isinstance(told, str):
            try:
                start, end = Span().read(told)
            except BadValue as bad:
                self._reading.fault(path, bad.message, bad.remedy)
                return None
            return Shift(start=start, end=end)
        if not isinstance(told, dict):
            self._reading.fault(path, f"is {shown(told)}.", f"Give {Span().words}.")
            return None
        values = self._reading.take(path, told, SHIFT)
        if "hours" not in values:
            return None
        start, end = values["hours"]
        days = {"days": values["days"]} if "days" in values else {}
        shift = Shift(start=start, end=end, break_s=round(60 * values.get("break_min", 0)), **days)
        if shift.break_s >= 60 * length_min(start, end):
            self._reading.fault((*path, "break_min"), "is as long as the shift.",
                                "Give a shorter break.")  # fmt: skip
        return shift

    def _no_overlap(self, path: KeyPath, shifts: list[tuple[int, Shift]]) -> None:
        taken: dict[int, int] = {}
        for place, shift in shifts:
            minutes = list(week_minutes(shift))
            other = next((taken[m] for m in minutes if m in taken), None)
            if other is not None:
                self._reading.fault(
                    (*path, place),
                    f"overlaps shifts[{other}]: each unit works all of them.",
                    "Shorten one of them, or give the units of one their own [[units....]] group.",
                )
            taken |= dict.fromkeys(minutes, place)


def length_min(start: time, end: time) -> int:
    """Return the minutes from a start to an end that may lie on the next day."""
    begin, stop = 60 * start.hour + start.minute, 60 * end.hour + end.minute
    return (stop - begin) % MINUTES_A_DAY or MINUTES_A_DAY


def week_minutes(shift: Shift) -> Iterator[int]:
    """Yield every minute of the week in which a shift has its units."""
    begin = 60 * shift.start.hour + shift.start.minute
    for day in sorted(shift.days):
        first = day * MINUTES_A_DAY + begin
        for minute in range(first, first + length_min(shift.start, shift.end)):
            yield minute % (7 * MINUTES_A_DAY)


assert length_min(*ALL_DAY) == MINUTES_A_DAY
