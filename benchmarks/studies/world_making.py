"""The world of a scenario: its streets, drive times, release, posts and geographies, made ready.

    world = world_of(scenario, tell)

What lives here: `world_of`. What does not: reading the scenario (`scenario_file`), which has found
what is wrong with the files by then; a file that has changed since is told the same way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from api.hour_situations import HourSituations
from api.impact.judging import Tell, tell_nobody
from api.live_view import BUILT_IN_PROFILES
from api.release_file import read_release
from benchmarks.studies.errors import BadScenario
from benchmarks.studies.geography import areas_of, of_beats, zones_of
from benchmarks.studies.geojson_files import AreaFile, zones_of_file
from benchmarks.studies.placing import read_closures
from benchmarks.studies.scenario import GeneratedCalls, Mode, Scenario
from benchmarks.studies.streets import Streets, load_streets, sha256_of, street_index
from benchmarks.studies.world import Areas, World
from geodata.artifacts import software_version
from geodata.beats import BeatMap
from geodata.driving_file import read_profiles
from geodata.driving_time import EMERGENCY, ROUTINE, DrivingProfile, EdgeTimes, edge_times
from geodata.network import StreetNetwork
from geodata.pilot.area import pilot_release_file
from geodata.snap import Positions, StreetIndex
from routing.codes import Agency, Eta
from routing.codes import Mode as AnswerMode
from routing.hours import TimeWindow
from routing.model import Homes, Situation, Versions, place_units, unit_columns
from routing.policy import DUAL_RULES, SOLO_RULES, ModeRules, Policy
from routing.release import Release
from routing.travel_time import TravelTimes

CLOSED_HOURS_MAX: Final = 24
"""Weight sets remembered where closures hold: a factor for each hour of the day. A study comes back
to every hour of the week; with fewer, each hour would be made anew (46 ms of a city)."""
_RULES: Final[Mapping[Mode, tuple[AnswerMode, ModeRules]]] = MappingProxyType(
    {Mode.DUAL: (AnswerMode.DUAL, DUAL_RULES), Mode.SOLO: (AnswerMode.SOLO, SOLO_RULES)}
)
"""What a mode of the scenario is in an answer, and its rules where a policy has none."""


def world_of(scenario: Scenario, tell: Tell = tell_nobody) -> World:
    """Return the world of a scenario.

    Raises
    ------
    BadScenario
        A file has changed since the scenario was read, and cannot be used any more.
    """
    tell("streets", 0, 3)
    streets = load_streets(scenario.network)
    index = street_index(streets[0])
    tell("drive times", 1, 3)
    release = release_of(scenario)
    geographies, beats = _geographies(scenario, release)
    post_ids, places = _posts(scenario)
    profiles = profiles_of(scenario)
    situation = _situation(scenario, streets, release, beats, places, profiles)
    tell("geographies", 2, 3)
    by_hour = _by_hour(scenario, situation, profiles)
    world = World(
        scenario=scenario,
        network=streets[0],
        streets=index,
        release=release,
        beats=beats,
        areas=MappingProxyType(geographies),
        at_hour=by_hour.__getitem__,
        post_ids=MappingProxyType(post_ids),
        post_positions=MappingProxyType(_positions(index, post_ids, places)),
        hashes=MappingProxyType(dict(_hashes(scenario))),
    )
    tell("geographies", 3, 3)
    return world


# -- release --------------------------------------------------------------------------------------


def release_of(scenario: Scenario) -> Release:
    """Return the release of a scenario, with its zones, hours, mode and turnouts."""
    release = read_release(scenario.release or pilot_release_file())
    if scenario.zones is not None:
        zones, faults = zones_of_file(scenario.zones, release.zone_policies)
        if zones is None:
            raise BadScenario(faults)
        release = replace(release, zones=zones, release_id=f"{release.release_id}+zones")
    return replace(
        release,
        city_policy=_policy(scenario, release.city_policy),
        zone_policies=MappingProxyType(
            {name: _policy(scenario, one) for name, one in release.zone_policies.items()}
        ),
    )


def _policy(scenario: Scenario, policy: Policy) -> Policy:
    durations = scenario.durations
    after = replace(
        policy,
        turnout_care_s=round(durations.turnout_care_s),
        turnout_spd_s=round(durations.turnout_spd_s),
    )
    if scenario.window is not None:
        start, end = scenario.window
        window = TimeWindow(start=start, end=end, zone=policy.window.zone)
        after = replace(after, window=window)
    if scenario.mode is Mode.BY_POLICY:
        return after
    mode, rules = _RULES[scenario.mode]
    modes = after.modes if mode in after.modes else MappingProxyType({**after.modes, mode: rules})
    return replace(after, modes=modes, by_policy_mode=mode)


# -- geographies and posts ------------------------------------------------------------------------


def _geographies(scenario: Scenario, release: Release) -> tuple[dict[str, Areas], BeatMap | None]:
    found = {"zone": zones_of(release.zones)}
    beats = None
    for name, (file, field) in scenario.areas.items():
        geography = AreaFile(file)
        outlines = geography.outlines(name, field)
        if geography.faults:
            raise BadScenario(geography.faults)
        if name == "beat":
            beats = BeatMap.among(outlines)
            for areas in of_beats(beats, release.precinct_of):
                found.setdefault(areas.name, areas)
        else:
            found[name] = areas_of(name, outlines)
    return found, beats


Profiles = Mapping[str, DrivingProfile]
Places = Mapping[Agency, Mapping[str, tuple[float, float]]]


def _posts(scenario: Scenario) -> tuple[dict[Agency, tuple[str, ...]], Places]:
    places = {
        agency: {
            post.post_id: (post.lon, post.lat)
            for group in scenario.group(agency)
            for post in group.posts[: group.count]
        }
        for agency in Agency
    }
    return {agency: tuple(sorted(places[agency])) for agency in Agency}, places


def _positions(
    index: StreetIndex, post_ids: Mapping[Agency, tuple[str, ...]], places: Places
) -> dict[Agency, Positions]:
    found = {}
    for agency in Agency:
        at = np.array([places[agency][post] for post in post_ids[agency]], np.float64)
        lon, lat = at.reshape(-1, 2).T
        found[agency] = index.snap_units(lon, lat)
    return found


# -- drive times ----------------------------------------------------------------------------------


def profiles_of(scenario: Scenario) -> Profiles:
    """Return how somebody drives, slower by `speed_factor`; starting and parking stay."""
    driving, factor = scenario.driving, scenario.durations.speed_factor
    profiles = BUILT_IN_PROFILES if driving is None else read_profiles(driving)
    return {
        name: replace(profile, speed_factor=profile.speed_factor / factor)
        for name, profile in profiles.items()
    }


def _edge_times(scenario: Scenario, network: StreetNetwork, profile: DrivingProfile) -> EdgeTimes:
    """Return the times of the first hour; the slowest hour must have times that can be, too."""
    try:
        edge_times(network, profile, hour=int(np.argmax(profile.hour_factor)))
        return edge_times(network, profile)
    except ValueError as problem:
        key = ("durations", "speed_factor") if scenario.driving is None else ("streets", "driving")
        fault = scenario.fault(key, f"makes drive times that cannot be: {problem}.",
                               "Give figures of a drive in a city.")  # fmt: skip
        raise BadScenario([fault]) from None


def _situation(
    scenario: Scenario,
    streets: Streets,
    release: Release,
    beats: BeatMap | None,
    places: Places,
    profiles: Profiles,
) -> Situation:
    network, graph, hierarchy = streets
    index = street_index(network)
    routine = _edge_times(scenario, network, profiles[ROUTINE.name])
    emergency = _edge_times(scenario, network, profiles[EMERGENCY.name])
    times = TravelTimes(network, graph, hierarchy, routine)
    roster = unit_columns(())
    homes = Homes(
        posts={post: at for agency in Agency for post, at in places[agency].items()},
        beats={} if beats is None else beats.beat_centres,
    )
    placement = place_units(roster, network=network, streets=index, travel_times=times, homes=homes)
    return Situation(
        network=network, streets=index, travel_times=times,
        emergency_times=times.reweighed(emergency),
        rung=Eta.ROAD, beats=beats, zones=release.zones, policy=release.city_policy,
        zone_policies=release.zone_policies, precinct_of=release.precinct_of, roster=roster,
        placement=placement, homes=homes,
        versions=Versions(
            release_id=release.release_id,
            zone_version=release.zone_version if scenario.zones is None else None,
            policy_version=release.policy_version, software=software_version(),
        ),
    )  # fmt: skip


def _by_hour(scenario: Scenario, situation: Situation, profiles: Profiles) -> HourSituations:
    by_hour = HourSituations(situation, profiles, closed_hours_max=CLOSED_HOURS_MAX)
    if scenario.closures is None:
        return by_hour
    closed, faults = read_closures(scenario.closures, situation.network, situation.streets)
    if faults:
        raise BadScenario(faults)
    return by_hour if closed is None else by_hour.closing(closed)


# -- what was read --------------------------------------------------------------------------------


def _hashes(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield name and sha256 of every file that the scenario names; equal names have a number."""
    yield scenario.file.name, scenario.sha256
    seen: dict[str, int] = {scenario.file.name: 1}
    for file in dict.fromkeys(_files(scenario)):
        seen[file.name] = times = seen.get(file.name, 0) + 1
        yield file.name if times == 1 else f"{file.name} ({times})", sha256_of(file)


def _files(scenario: Scenario) -> Iterator[Path]:
    named = (scenario.network, scenario.driving, scenario.release, scenario.zones,
             scenario.closures, *(file for file, _ in scenario.areas.values()),
             *(group.posts_file for group in scenario.units),
             scenario.coverage.recorded_positions, scenario.siting.candidates)  # fmt: skip
    yield from (file for file in named if file is not None)
    for asked in (scenario.demand.care, scenario.demand.police):
        past = asked.pattern if isinstance(asked, GeneratedCalls) else asked
        if past is not None:
            yield past.file
            if past.mapping is not None:
                yield past.mapping
