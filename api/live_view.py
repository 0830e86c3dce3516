"""What all requests read: one immutable view of streets, drive times, zones, policy and roster.

Made at start-up; a change makes a new view beside the old one, and a request takes the reference
once. Loading also decides a call, so that every kernel is compiled before the first request.

A label belongs to one weight set. The roster is kept with the labels of the weights of the hour in
which it last changed; for another hour (the next one, or a replay's) they are made when a decision
first asks for it and remembered with the view. So a decision never sees labels of other weights.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import numpy as np

from api.closures.schedule import FIRST, LAST, NO_SCHEDULE, Schedule
from api.errors import StartError
from api.hour_situations import HourSituations
from api.release_file import read_release
from api.settings import Settings
from api.warm_up import warm_up
from geodata.artifacts import describe_network, load_network, software_version
from geodata.beats import BeatMap
from geodata.driving_file import read_profiles
from geodata.driving_time import (
    EMERGENCY,
    ROUTINE,
    edge_times,
    hour_of_week,
)
from geodata.network import StreetNetwork
from geodata.pilot.area import pilot_posts, pilot_release_file
from geodata.snap import StreetIndex
from geodata.zones import ZoneMap
from routing.codes import Eta
from routing.live import with_claims, with_moves, with_release, with_travel_times, with_units
from routing.model import (
    Homes,
    Situation,
    UnitId,
    UnitSource,
    Versions,
    place_units,
    unit_columns,
)
from routing.release import Release
from routing.road_hierarchy import load_or_build_hierarchy
from routing.travel_time import TravelTimes
from routing.unit_fields import FixLike, UnitLike

Stage = Callable[[str], None]
Areas = TypeVar("Areas")
ZONES_BYTES_MAX: Final = 50_000_000
OTHER_HOURS_MAX: Final = 24
"""Hours and sets of closures for which the roster's labels are remembered."""
BUILT_IN_PROFILES: Final = {profile.name: profile for profile in (ROUTINE, EMERGENCY)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiveView:
    """A situation for every hour of the week, the roster, and what is told about the streets."""

    by_hour: HourSituations
    """(168,) without units, from Monday 00, local time; made as decisions ask for them."""
    about: Mapping[str, Any]
    """What GET /v1/network answers."""
    release: Release
    """What the city has decided."""
    on_duty: Situation
    """The roster placed, with the weights of one hour and the labels made with these."""
    release_key: str = ""
    """The key of `release` among those that are kept; '' is that of the settings."""
    roster_version: int = 0
    """How many writes the roster has seen; see `api.store.contract`."""
    claimed: frozenset[str] = frozenset()
    """Units that live claims hold, whether they are on the roster or not."""
    schedule: Schedule = NO_SCHEDULE
    """All closures that are known."""
    closed_since: datetime = FIRST
    closed_until: datetime = LAST
    """From when (included) until when (excluded) `by_hour` closes what the schedule says; for any
    other instant the right weights are looked up, or made."""
    other_hours: dict[str, Situation] = field(default_factory=dict, repr=False)
    """`on_duty` with other weights, as decisions ask for them; whoever adds one twice adds the
    same."""

    @property
    def situation(self) -> Situation:
        """The situation where the hour does not matter: streets, zones, policy."""
        return self.by_hour.plain

    def hours_at(self, instant: datetime) -> HourSituations:
        """Return the situations of all hours with what is closed at an instant.

        An instant beyond the set of now never gets it, whether a timer has run or not.
        """
        if self.closed_since <= instant < self.closed_until:
            return self.by_hour
        return self.by_hour.closing(self.schedule.closed_at(instant))

    def at(self, instant: datetime) -> Situation:
        """Return the situation, without units, with the drive times and closures of an instant."""
        return self.in_hour(self.hours_at(instant), instant)

    def in_hour(self, hours: HourSituations, instant: datetime) -> Situation:
        """Return the situation of an instant's local hour among those of all hours."""
        return hours[hour_of_week(instant.astimezone(self.situation.policy.window.zone))]

    def on_duty_at(self, instant: datetime) -> Situation:
        """Return the situation with the roster and the drive times and closures of an instant."""
        hour, now = self.at(instant), self.on_duty
        times = hour.travel_times
        if times is None or (
            times is now.travel_times and hour.rung is now.rung and hour.closed is now.closed
        ):
            return now
        # Kept by what is made of them. Without drive times of the road, closures leave those alone.
        name = f"{hour.rung} {times.weights_id} {id(times)} {id(hour.closed)}"
        made = self.other_hours.get(name)
        if made is None:
            made = _on_duty(now, hour)
            if len(self.other_hours) >= OTHER_HOURS_MAX:
                self.other_hours.clear()
            self.other_hours[name] = made
        return made

    def with_closures(self, schedule: Schedule, at: datetime) -> "LiveView":
        """Return the view after a change of closures, with what holds from an instant on."""
        by_hour = self.by_hour.closing(schedule.closed_at(at))
        after = replace(
            self,
            by_hour=by_hour,
            schedule=schedule,
            closed_since=at,
            closed_until=schedule.until(at),
            other_hours={},
        )
        return replace(after, on_duty=after.on_duty_at(at), other_hours={})

    def with_roster(
        self,
        version: int,
        at: datetime,
        *,
        units: Iterable[UnitLike] = (),
        fixes: Mapping[UnitId, FixLike] = MappingProxyType({}),
        removed: Collection[UnitId] = (),
    ) -> "LiveView":
        """Return the view after a change of the roster, labelled for the hour of the change.

        Parameters
        ----------
        units
            Units that were added or changed, with their fixes.
        fixes
            Fixes of units that only moved, by their ids.
        """
        now = self.on_duty_at(at)
        changed = unit_columns(units)
        if len(changed) or removed:
            now = with_units(now, changed, removed)
        moves = {_row(now, unit_id): fix for unit_id, fix in fixes.items()}
        rows = sorted(moves)
        now = with_moves(now, np.array(rows, np.intp), [moves[row] for row in rows])
        if self.claimed and len(changed):
            now = with_claims(now, self.claimed)
        return replace(self, on_duty=now, roster_version=version, other_hours={})

    def with_claims(self, unit_ids: Collection[str]) -> "LiveView":
        """Return the view after a change of claims: these units are claimed, and no others."""
        claimed = frozenset(unit_ids)
        if claimed == self.claimed:
            return self
        made = self.other_hours.copy()  # decisions add to it meanwhile
        hours = {name: with_claims(one, claimed) for name, one in made.items()}
        now = with_claims(self.on_duty, claimed)
        return replace(self, on_duty=now, claimed=claimed, other_hours=hours)

    def with_release(self, release: Release, key: str, *, has_own_zones: bool = True) -> "LiveView":
        """Return the view after a change of everything that the city decides, as one.

        Streets, drive times, units and their labels are those of before: nothing is placed anew.

        Parameters
        ----------
        key
            Of the release among those that are kept.
        has_own_zones
            Whether its zones are those of its version; answers tell none of zones that are tried.
        """
        decided = partial(with_release, release=release, has_own_zones=has_own_zones)
        return replace(
            self,
            by_hour=self.by_hour.changed(decided),
            on_duty=decided(self.on_duty),
            release=release,
            release_key=key,
            other_hours={},
        )

    @property
    def network_id(self) -> str:
        """Name of the street network."""
        return self.situation.network.source.network_id

    @property
    def weights_id(self) -> str:
        """Name of the weight set."""
        times = self.situation.travel_times
        return "" if times is None else times.weights_id

    @property
    def schematic(self) -> bool:
        """Whether the streets are a drawing and not a survey."""
        return self.situation.network.source.schematic


def _on_duty(now: Situation, hour: Situation) -> Situation:
    """Return the roster with the weights of another hour, or of other closures."""
    assert hour.travel_times is not None, "no drive times are loaded"
    closures_active = hour.versions.closures_active
    return replace(
        with_travel_times(now, hour.travel_times),
        emergency_times=hour.emergency_times,
        rung=hour.rung,
        closed=hour.closed,
        versions=replace(now.versions, closures_active=closures_active),
    )


def _row(situation: Situation, unit_id: UnitId) -> int:
    row = situation.roster.row_of(unit_id)
    assert row is not None, "a unit that is not on the roster moved"
    return row


def load_view(settings: Settings, stage: Stage) -> LiveView:
    """Load streets and zones and make them ready; `stage` is told what goes on.

    Raises
    ------
    StartError
        The release or the zones cannot be used.
    ArtifactError
        The folder holds no usable network.
    DrivingFileError
        The file of driving figures cannot be used.
    """
    stage("loading streets")
    network = load_streets(settings.network)
    release = load_release(settings)
    beats = None if settings.beats is None else load_beats(settings.beats)
    profiles = read_profiles(settings.driving) if settings.driving else BUILT_IN_PROFILES
    stage("preparing drive times (the first start compiles the kernels: about a minute)")
    streets = StreetIndex.build(network)
    graph, hierarchy = load_or_build_hierarchy(settings.network, network)
    times = TravelTimes(network, graph, hierarchy, edge_times(network, profiles[ROUTINE.name]))
    roster = unit_columns(())
    homes = Homes(
        posts={post.post_id: (post.lon, post.lat) for post in pilot_posts()},
        beats={} if beats is None else beats.beat_centres,
    )
    placement = place_units(
        roster, network=network, streets=streets, travel_times=times, homes=homes
    )
    situation = Situation(
        network=network,
        streets=streets,
        travel_times=times,
        emergency_times=times.reweighed(edge_times(network, profiles[EMERGENCY.name])),
        rung=Eta(settings.rung),
        beats=beats,
        zones=release.zones,
        policy=release.city_policy,
        zone_policies=release.zone_policies,
        precinct_of=release.precinct_of,
        roster=roster,
        placement=placement,
        homes=homes,
        versions=Versions(
            release_id=release.release_id,
            zone_version=release.zone_version if settings.zones is None else None,
            policy_version=release.policy_version,
            software=software_version(),
        ),
    )
    warm_up(situation)
    on_roster = replace(situation.versions, unit_source=UnitSource.ROSTER)
    return LiveView(
        by_hour=HourSituations(situation, profiles),
        about=describe_network(network),
        release=release,
        on_duty=replace(situation, versions=on_roster),
    )


def load_beats(file: Path) -> BeatMap:
    """Return the police beats of a GeoJSON file.

    Raises
    ------
    StartError
        The file cannot be read, is not GeoJSON, or its beats cannot be used.
    """
    remedy = "Give a GeoJSON FeatureCollection of polygons with the property beat, such as M1."
    return _read_areas(file, BeatMap.from_geojson, remedy)


def load_streets(folder: Path | None) -> StreetNetwork:
    """Return the saved network of a folder, or the built-in schematic."""
    if folder is not None:
        return load_network(folder)
    from geodata.pilot.streets import pilot_network  # brings the street build, which is not light

    return pilot_network()


def load_release(settings: Settings) -> Release:
    """Return the release of the settings, with other zones where they name some.

    Raises
    ------
    StartError
        The release or the zones cannot be used, or do not go together.
    """
    release = read_release(settings.release or pilot_release_file())
    if settings.zones is None:
        return release
    zones = load_zones(settings.zones)
    try:
        return replace(release, zones=zones, release_id=f"{release.release_id}+zones")
    except ValueError as error:
        remedy = "Give them a policy_id of the release, or none."
        raise StartError(f"{settings.zones}: {error}.", remedy=remedy) from None


def load_zones(file: Path) -> ZoneMap:
    """Return the zones of a GeoJSON file.

    Raises
    ------
    StartError
        The file cannot be read, is not GeoJSON, or its zones cannot be used.
    """
    remedy = "Give a GeoJSON FeatureCollection of polygons in WGS 84 degrees with a zone_id each."
    return _read_areas(file, ZoneMap.from_geojson, remedy)


def _read_areas(file: Path, read: Callable[[dict[str, Any]], Areas], remedy: str) -> Areas:
    """Return what `read` makes of a GeoJSON file of bounded size, or say what is wrong with it."""
    try:
        if file.stat().st_size > ZONES_BYTES_MAX:
            raise StartError(f"{file}: more than {ZONES_BYTES_MAX:,} bytes.", remedy=remedy)
        return read(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise StartError(f"{file}: {error}.", remedy=remedy) from None
