"""From the names in a record to the view that its decision read.

What lives here: `Streets` (a network made ready once) and `Library`, which parses a kept release,
makes weight sets and places a recorded roster, and remembers the latest of each. What does not: the
decision (`reproduce`), and where releases are kept (`sources.Shelf`).
"""

import json
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from api.closures.closed_sets import NOTHING_CLOSED
from api.errors import StartError
from api.hour_situations import HourSituations
from api.live_view import LiveView, load_streets
from api.release_file import read_release
from api.replay.block import units_of
from api.replay.errors import NotKept
from api.replay.record import SeenRecord, SeenVersions
from api.replay.sources import KeptRelease, Shelf, network_digest
from geodata.beats import BeatMap
from geodata.closures import ClosedNow
from geodata.driving_time import ROUTINE, edge_times
from geodata.network import StreetNetwork
from geodata.pilot.area import pilot_posts
from geodata.snap import StreetIndex
from geodata.zones import ZoneMap
from routing.live import with_roster
from routing.model import Homes, Situation, UnitSource, Versions, place_units, unit_columns
from routing.release import Release
from routing.road_hierarchy import load_or_build_hierarchy
from routing.travel_time import TravelTimes

WEIGHT_SETS_MAX: Final = 12
"""Remembered at a time; each takes 18 MB for a city."""
RELEASES_MAX: Final = 16
ROSTERS_MAX: Final = 8

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class _Latest(Generic[Key, Made]):
    """The latest things that were made, each once while it is remembered."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[Key, Made] = OrderedDict()

    def of(self, key: Key, make: Callable[[], Made]) -> Made:
        if key in self._made:
            self._made.move_to_end(key)
        else:
            self._made[key] = make()
            if len(self._made) > self._most:
                self._made.popitem(last=False)
        return self._made[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Streets:
    """One network, ready for any weights."""

    network: StreetNetwork
    index: StreetIndex
    times: TravelTimes
    """Of some weights, to make others of."""
    digest: str

    @classmethod
    def loaded(cls, folder: Path | None) -> "Streets":
        """Return the streets of a folder, or the built-in schematic.

        Raises
        ------
        ArtifactError
            The folder holds no usable network.
        """
        network = load_streets(folder)
        graph, hierarchy = load_or_build_hierarchy(folder, network)
        times = TravelTimes(network, graph, hierarchy, edge_times(network, ROUTINE))
        return cls(
            network=network,
            index=StreetIndex.build(network),
            times=times,
            digest=network_digest(network),
        )

    @classmethod
    def of(cls, situation: Situation) -> "Streets":
        """Return the streets that a situation has loaded."""
        assert situation.travel_times is not None, "no drive times are loaded"
        return cls(
            network=situation.network,
            index=situation.streets,
            times=situation.travel_times,
            digest=network_digest(situation.network),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A kept release, parsed."""

    release: Release
    beats: BeatMap | None


class Library:
    """Yields the view of a record; for one thread."""

    def __init__(self, shelf: Shelf, streets: Streets) -> None:
        self._shelf = shelf
        self.streets = streets
        self._releases: _Latest[str, Decided] = _Latest(RELEASES_MAX)
        self._weights: _Latest[str, TravelTimes] = _Latest(WEIGHT_SETS_MAX)
        self._rosters: _Latest[tuple[bytes, SeenVersions], Situation] = _Latest(ROSTERS_MAX)

    def view(self, record: SeenRecord) -> LiveView:
        """Return the view that a recommendation was decided with.

        Raises
        ------
        NotKept
            A release or weight set is not kept, or these are other streets.
        DamagedBlock
            The recorded roster cannot be read.
        """
        seen = record.versions
        self._require_streets(seen)
        situation = self._situation(seen)
        on_duty = situation
        if seen.unit_source is UnitSource.ROSTER:
            # Times of a reading differ from record to record, and the roster mostly does not.
            key = record.units, replace_times(seen)
            on_duty = self._rosters.of(key, lambda: with_roster(situation, units_of(record.units)))
        return LiveView(
            by_hour=HourSituations(situation),
            about={},
            release=self._release(seen.release).release,
            release_key=seen.release,
            on_duty=on_duty,
            roster_version=seen.roster_version,
            claimed=frozenset(record.claimed),
        )

    def _require_streets(self, seen: SeenVersions) -> None:
        own = self.streets.network.source.network_id
        if (seen.network_id, seen.network_digest) != (own, self.streets.digest):
            raise NotKept(
                f"It was decided on the streets {seen.network_id} ({seen.network_digest}); these "
                f"are {own} ({self.streets.digest}).",
                remedy="Name the folder of those streets with --network.",
            )

    def _situation(self, seen: SeenVersions) -> Situation:
        decided = self._release(seen.release)
        release, streets = decided.release, self.streets
        times = self._times(seen.weights_id)
        beats = {} if decided.beats is None else decided.beats.beat_centres
        homes = Homes(posts={one.post_id: (one.lon, one.lat) for one in pilot_posts()}, beats=beats)
        nobody = unit_columns(())
        placement = place_units(
            nobody, network=streets.network, streets=streets.index, travel_times=times, homes=homes
        )
        return Situation(
            network=streets.network,
            streets=streets.index,
            travel_times=times,
            emergency_times=self._times(seen.emergency_weights_id),
            rung=seen.rung,
            beats=decided.beats,
            zones=release.zones,
            policy=release.city_policy,
            zone_policies=release.zone_policies,
            precinct_of=release.precinct_of,
            roster=nobody,
            placement=placement,
            homes=homes,
            closed=self._closed(seen.closed_set),
            versions=Versions(
                release_id=seen.release_id,
                zone_version=seen.zone_version,
                policy_version=seen.policy_version,
                closures_active=seen.closures_active,
                unit_source=seen.unit_source,
                software=seen.software,
            ),
        )

    def _times(self, weights_id: str) -> TravelTimes:
        def make() -> TravelTimes:
            kept = self._shelf.weights(weights_id)
            if kept is None:
                raise _not_kept("weight set", weights_id)
            return self.streets.times.reweighed(kept.edge_times(self.streets.network))

        return self._weights.of(weights_id, make)

    def _closed(self, set_id: str) -> ClosedNow | None:
        if set_id == NOTHING_CLOSED:
            return None
        kept = self._shelf.closed_set(set_id)
        if kept is None:
            raise _not_kept("set of closures", set_id)
        try:
            return kept.closed_now(self.streets.network.n_edges)
        except ValueError as error:
            raise NotKept(
                f"What was closed is not of these streets: {error}.",
                remedy="Name the folder of the streets of then with --network.",
            ) from None

    def _release(self, key: str) -> Decided:
        def make() -> Decided:
            kept = self._shelf.release(key)
            if kept is None:
                raise _not_kept("release", key)
            if kept.key != key:
                raise NotKept(
                    f"What is kept as release {key} is {kept.key}.",
                    remedy="Restore the store from a backup.",
                )
            return read_kept(kept)

        return self._releases.of(key, make)


def _not_kept(what: str, name: str) -> NotKept:
    return NotKept(
        f"The {what} {name} is not kept.",
        remedy="It was pruned, or this is the store of another service.",
    )


def read_kept(kept: KeptRelease) -> Decided:
    """Return a release as the service reads it, from its texts alone.

    Raises
    ------
    NotKept
        This version of the software cannot use it.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="tandem-replay-") as folder:
            file = Path(folder) / "release.toml"
            file.write_text(kept.text, encoding="utf-8", newline="")
            if kept.zones_file is not None:
                beside = Path(folder) / kept.zones_file
                beside.parent.mkdir(parents=True, exist_ok=True)
                beside.write_text(kept.zones_text or "", encoding="utf-8", newline="")
            release = read_release(file)
        if kept.other_zones is not None:
            zones = ZoneMap.from_geojson(_json(kept.other_zones))
            release = replace(release, zones=zones, release_id=kept.release_id)
        beats = None if kept.beats is None else BeatMap.from_geojson(_json(kept.beats))
    except (StartError, ValueError, OSError) as error:
        raise NotKept(
            f"The release {kept.release_id} cannot be read by this version of Tandem: {error}",
            remedy="Replay with the version that decided.",
        ) from None
    return Decided(release=release, beats=beats)


def _json(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def replace_times(seen: SeenVersions) -> SeenVersions:
    """Return versions without what does not change where units are."""
    from msgspec.structs import replace as with_changes

    return with_changes(seen, roster_version=0, hour=0)
