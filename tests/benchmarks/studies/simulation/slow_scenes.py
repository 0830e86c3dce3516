"""Small scenes drawn from a seed: streets, units with shifts, police, a policy, calls of two days.

What lives here: worlds as the engine takes them, and the same as `slow_city` takes it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from benchmarks.studies.demand import CARE_OFFICER, Calls
from benchmarks.studies.scenario import (
    Demand,
    Durations,
    GeneratedCalls,
    Posting,
    PostSite,
    Shift,
    SimulationSpec,
    UnitGroup,
)
from benchmarks.studies.simulation.incoming import Incoming
from benchmarks.studies.world import World
from geodata.beats import BeatMap
from geodata.driving_time import ROUTINE, edge_times
from geodata.raw_streets import Control
from geodata.snap import Position, StreetIndex
from routing.codes import Agency, Mode
from routing.hours import TimeWindow
from routing.model import PILOT
from routing.policy import PACIFIC, SOLO_RULES, OnNoCare, Policy, SpdScope
from tests.benchmarks.studies.simulation.slow_city import SlowJob, SlowRules, SlowScene, SlowUnit
from tests.benchmarks.studies.simulation.slow_roads import Place, SlowRoads
from tests.benchmarks.studies.worlds import world_on
from tests.street_drawing import StreetMap, draw

GRID = "A---B---C---D\n|   |   |   |\nE---F-->G---H\n|   |   ^   |\nI---J---K---L"
SECTORS = ("K", "M")
PRECINCTS = MappingProxyType({"K": "WEST", "M": "WEST", "X": "EAST"})
ROSTERS = (
    (Shift(),),
    (Shift(start=time(6), end=time(14), break_s=1800), Shift(start=time(14), end=time(22))),
    (Shift(start=time(7), end=time(15), break_s=2400), Shift(start=time(21), end=time(3))),
    (Shift(start=time(10), end=time(22), break_s=3600), Shift(start=time(22), end=time(4))),
)


def drawn_streets(rng: np.random.Generator) -> StreetMap:
    """Return a grid whose streets all have another speed, so that no two ways take alike."""
    names = (
        "AB",
        "BC",
        "CD",
        "AE",
        "BF",
        "CG",
        "DH",
        "EF",
        "FG",
        "GH",
        "EI",
        "FJ",
        "GK",
        "HL",
        "IJ",
        "JK",
        "KL",
    )
    speeds = {
        name: {"limit_along_kmh": float(kmh), "limit_against_kmh": float(kmh)}
        for name, kmh in zip(names, rng.uniform(8, 30, len(names)), strict=True)
    }
    both = Control.SIGNAL_ALONG | Control.SIGNAL_AGAINST
    return draw(GRID, block_m=400.0, streets=speeds, controls={"F": both, "C": both})


def _group(rng: np.random.Generator, agency: Agency, places: list[Position]) -> UnitGroup:
    posts = tuple(
        PostSite(
            post_id=f"{agency}-{k:02}", lon=at.lon, lat=at.lat,
            sector=(*SECTORS, None)[int(rng.integers(3))] if agency is Agency.SPD else None,
        )
        for k, at in enumerate(places)
    )  # fmt: skip
    return UnitGroup(
        agency=agency, count=len(posts), posts=posts,
        shifts=ROSTERS[int(rng.integers(len(ROSTERS)))],
        posting=Posting.RETURN if rng.random() < 0.7 else Posting.STAY,
    )  # fmt: skip


def _policy(rng: np.random.Generator, *, is_solo: bool) -> Policy:
    opens = time(int(rng.integers(7, 12)), 30)
    modes = MappingProxyType({**PILOT.modes, Mode.SOLO: SOLO_RULES})
    return replace(
        PILOT,
        window=TimeWindow(start=opens, end=time(int(rng.integers(18, 24)), 15), zone=PACIFIC),
        modes=modes,
        by_policy_mode=Mode.SOLO if is_solo else Mode.DUAL,
        on_no_care=OnNoCare.HOLD if rng.random() < 0.4 else OnNoCare.SEND_SPD,
        spd_scope=list(SpdScope)[int(rng.integers(3))],
        reserve_per_sector=int(rng.integers(2)),
        escalate_after_s=int(rng.integers(200, 1200)),
        turnout_care_s=int(rng.integers(20, 90)),
    )


def drawn_world(seed: int) -> World:
    """Return the world of a seed."""
    rng = np.random.default_rng(seed)
    streets = drawn_streets(rng)
    n = int(rng.integers(3, 6)), int(rng.integers(3, 7))
    places = iter(_places(rng, streets, sum(n)))
    at = {a: [next(places) for _ in range(k)] for a, k in zip(Agency, n, strict=True)}
    factor = [1.0 + 0.4 * (hour % 24 in (7, 8, 16, 17)) for hour in range(168)]
    profile = replace(ROUTINE, hour_factor=tuple(factor), start_and_park_s=30.0)
    world = world_on(
        streets.network, at[Agency.CARE], at[Agency.SPD],
        weights=lambda hour: edge_times(streets.network, profile, hour=hour),
        units=tuple(_group(rng, agency, some) for agency, some in at.items()),
    )  # fmt: skip
    facility = _places(rng, streets, 1)[0]
    scenario = replace(
        world.scenario,
        file=Path(f"drawn-{seed}.toml"), seed=seed,
        durations=Durations(
            facility=(facility.lon, facility.lat), transport_share=0.3, facility_s=700.0,
            care_on_scene_s=1300.0, police_job_s=1200.0, spd_without_care_s=1500.0,
            police_two_units_share=0.3,
        ),
        demand=Demand(
            care=GeneratedCalls(per_day=float(rng.uniform(30, 70))),
            police=GeneratedCalls(per_day=float(rng.uniform(30, 160))),
            officer_share=float(rng.uniform(0.2, 0.8)),
        ),
        simulation=SimulationSpec(
            days=1, warm_up_days=1, first_day=date(2026, 3, 3), within_s=200.0
        ),
    )  # fmt: skip
    return with_policy(replace(world, scenario=scenario), _policy(rng, is_solo=seed % 3 == 0))


def with_policy(world: World, policy: Policy) -> World:
    """Return a world in which this policy holds, with two sectors: west K, east M."""
    west, south, east, north = world.network.bounds
    middle = 0.5 * (west + east)
    beats = BeatMap({
        "K1": shapely.box(west - 0.01, south - 0.01, middle, north + 0.01),
        "M1": shapely.box(middle, south - 0.01, east + 0.01, north + 0.01),
    })  # fmt: skip
    known = {}

    def at_hour(hour: int):  # type: ignore[no-untyped-def]
        plain = world.at_hour(hour)
        if plain.travel_times not in known:
            known[plain.travel_times] = replace(
                plain, policy=policy, beats=beats, precinct_of=PRECINCTS
            )
        return known[plain.travel_times]

    release = replace(world.release, city_policy=policy, precinct_of=PRECINCTS)
    return replace(world, release=release, beats=beats, at_hour=at_hour)


def _places(rng: np.random.Generator, streets: StreetMap, n: int) -> list[Position]:
    west, south, east, north = streets.network.bounds
    lon, lat = rng.uniform(west, east, n), rng.uniform(south, north, n)
    return list(StreetIndex.build(streets.network).snap_units(lon, lat))


# -- the same for the slow twin -------------------------------------------------------------------


def slow_scene(world: World, incoming: Incoming) -> SlowScene:
    """Return what the engine is given as the slow twin takes it."""
    begin_s, end_s = incoming.period.begin_s, incoming.period.end_s
    told = world.scenario.durations.facility
    return SlowScene(
        rules=_slow_rules(world),
        units=list(_slow_units(world, begin_s, end_s)),
        jobs=list(_slow_jobs(world, incoming)),
        roads=list(_slow_roads(world, begin_s, end_s)),
        facility=None if told is None else _place(world.streets.snap_incident(*told)),
        end_s=end_s,
    )


def _place(at: Position) -> Place:
    return int(at.street), float(at.fraction), int(at.leaves)


def _slow_rules(world: World) -> SlowRules:
    policy = world.release.city_policy
    return SlowRules(
        zone=PACIFIC, opens=policy.window.start, closes=policy.window.end,
        is_solo=policy.by_policy_mode is Mode.SOLO,
        sends_spd=policy.on_no_care is OnNoCare.SEND_SPD,
        escalate_s=policy.escalate_after_s, guard_s=policy.shift_guard_s,
        turnout_s={"CARE": policy.turnout_care_s, "SPD": policy.turnout_spd_s},
        crew={"CARE": 2, "SPD": 1}, park_ms=world.times_at(0).start_and_park_ms,
        scope=str(policy.spd_scope), reserve=policy.reserve_per_sector,
        within_s=world.scenario.simulation.within_s,
    )  # fmt: skip


def _slow_units(world: World, begin_s: float, end_s: float) -> Iterator[SlowUnit]:
    groups = [g for agency in Agency for g in world.scenario.units if g.agency is agency]
    row = 0
    for group in groups:
        shifts = list(_shifts(group, PACIFIC, begin_s, end_s))
        for post in group.posts:
            at = world.post_positions[group.agency][
                world.post_ids[group.agency].index(post.post_id)
            ]
            yield SlowUnit(
                row=row, agency=str(group.agency), crew=group.crew_count, post=_place(at),
                returns=group.posting is Posting.RETURN, sector=post.sector,
                precinct=PRECINCTS.get(post.sector or ""), duty=_joined(shifts),
                breaks=[((a + b - rest) / 2, rest) for a, b, rest in shifts if rest],
            )  # fmt: skip
            row += 1


def _shifts(
    group: UnitGroup, zone: ZoneInfo, begin_s: float, end_s: float
) -> Iterator[tuple[float, float, float]]:
    """Yield begin, end and seconds of break of each shift that touches the period."""
    first = datetime.fromtimestamp(begin_s, zone).date() - timedelta(days=1)
    for number in range(10):
        day = first + timedelta(days=number)
        for shift in group.shifts:
            last = day if shift.end > shift.start else day + timedelta(days=1)
            start_s = datetime.combine(day, shift.start, zone).timestamp()
            stop_s = datetime.combine(last, shift.end, zone).timestamp()
            if day.weekday() in shift.days and stop_s > begin_s and start_s < end_s:
                yield start_s, stop_s, shift.break_s


def _joined(shifts: list[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """Return the spans on duty: shifts that follow each other are one."""
    spans: list[tuple[float, float]] = []
    for start_s, stop_s, _ in sorted(shifts):
        if spans and start_s <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(stop_s, spans[-1][1])
        else:
            spans.append((start_s, stop_s))
    return spans


def _slow_jobs(world: World, incoming: Incoming) -> Iterator[SlowJob]:
    found = [*_care_jobs(world, incoming), *_police_jobs(world, incoming)]
    for number, job in enumerate(sorted(found, key=lambda one: one.at_s)):
        job.number = number
        yield job


def _area(world: World, calls: Calls, row: int) -> tuple[str | None, str | None]:
    assert world.beats is not None
    sector = world.beats.sector_at(float(calls.lon[row]), float(calls.lat[row]))
    return sector, None if sector is None else PRECINCTS.get(sector)


def _care_jobs(world: World, incoming: Incoming) -> Iterator[SlowJob]:
    calls, draws = incoming.care, incoming.draws
    for row in range(len(calls)):
        sector, precinct = _area(world, calls, row)
        is_transport = bool(draws.is_transport[row])
        queued_s = float(calls.at_s[row])
        yield SlowJob(
            number=-1, row=row, is_care=True, at_s=queued_s + float(draws.delay_s[row]),
            queued_s=queued_s, place=_place(calls.positions[row]),
            priority=int(calls.priority[row]) or 3, units=1, sector=sector, precinct=precinct,
            stay_s=float(draws.without_care_s[row]),
            by_officer=bool(calls.kind[row] == CARE_OFFICER),
            asking_s=float(draws.asking_s[row]), safe_s=float(draws.scene_safe_s[row]),
            care_s=float(draws.care_s[row]),
            facility_s=float(draws.facility_s[row]) if is_transport else None,
        )  # fmt: skip


def _police_jobs(world: World, incoming: Incoming) -> Iterator[SlowJob]:
    calls = incoming.police
    assert calls is not None
    for row in range(len(calls)):
        sector, precinct = _area(world, calls, row)
        yield SlowJob(
            number=-1, row=row, is_care=False, at_s=float(calls.at_s[row]),
            queued_s=float(calls.at_s[row]), place=_place(calls.positions[row]),
            priority=int(calls.priority[row]), units=int(calls.units_needed[row]),
            sector=sector, precinct=precinct, stay_s=float(incoming.police_stay_s[row]),
        )  # fmt: skip


def _slow_roads(world: World, begin_s: float, end_s: float) -> Iterator[tuple[float, SlowRoads]]:
    known, before = {}, None
    for at_s in np.arange(begin_s, end_s, 3600.0).tolist():
        local = datetime.fromtimestamp(at_s, PACIFIC)
        weights = world.times_at(24 * local.weekday() + local.hour).edge_times
        if weights.weights_id != before:
            before = weights.weights_id
            known.setdefault(before, SlowRoads(world.network, weights))
            yield at_s, known[before]
