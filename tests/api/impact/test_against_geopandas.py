"""The draft "pilot + Belltown" on the calls of 2015: every count equals a geopandas computation."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from api.impact.counting import LEVELS, Change, Counts, Group, count
from api.impact.ground import Ground, compare_ground
from api.impact.judging import Judged, judge, tell_nobody
from geodata.call_history import CallHistory, read_history
from geodata.network import StreetNetwork
from geodata.snap import NO_INCIDENT
from routing.live import with_release
from routing.release import Release
from tests.api.builtin_view import builtin_view
from tests.api.impact.drafts import ZoneEntry, pilot_outline, police_area, release_of

FEET = "EPSG:2926"
"""Washington North in US survey feet: the grid of Seattle's own layers."""
M2_PER_FT2 = (1200 / 3937) ** 2
M_PER_FT = 1200 / 3937
MILLIMETRE_DEG = 1e-8
"""A point so close to an edge lies on it (docs/zones.md); two calls of 2015 do, by rounding."""
ELIGIBLE = {"DOWN - CHECK FOR PERSON DOWN"}
CALLS = Path("calls") / "spd_911_incident_response_2015.csv.gz"
Zones = Callable[[Path], list[ZoneEntry]]


def core(data: Path) -> list[ZoneEntry]:
    return [("PILOT_CORE", pilot_outline(data), 0)]


def core_and_belltown(data: Path) -> list[ZoneEntry]:
    return [*core(data), ("BELLTOWN", police_area(data, "BELLTOWN"), -1)]


def built_in(_data: Path) -> list[ZoneEntry]:
    return [(z.zone_id, z.geometry, z.precedence) for z in builtin_view().release.zones.zones]


def built_in_and_belltown(data: Path) -> list[ZoneEntry]:
    return [*built_in(data), ("BELLTOWN", police_area(data, "BELLTOWN"), -1)]


def split_and_smaller(data: Path) -> list[ZoneEntry]:
    """SODO is lost, Belltown won, Pioneer Square a zone of its own, the market shut out."""
    areas = ("DOWNTOWN COMMERCIAL", "CHINATOWN/INTERNATIONAL DISTRICT", "BELLTOWN")
    market = shapely.box(-122.345, 47.607, -122.339, 47.611)
    outline = shapely.union_all([police_area(data, name) for name in areas])
    square = ("SQUARE", police_area(data, "PIONEER SQUARE"), 5)
    return [("PILOT_CORE", outline, 0), square, ("NO_MARKET", market, 9)]


CASES = [
    (core, core_and_belltown),
    (built_in, built_in_and_belltown),
    (core, split_and_smaller),
]


@dataclass(frozen=True)
class Case:
    zones: tuple[list[ZoneEntry], list[ZoneEntry]]
    counts: Counts
    ground: Ground
    rows: pd.DataFrame
    """What geopandas says of every call."""


Decided = Callable[[Zones], tuple[Release, Judged]]


@pytest.fixture(scope="module")
def calls(tandem_data: Path) -> CallHistory:
    return read_history(tandem_data / CALLS)


@pytest.fixture(scope="module")
def decided(
    tandem_data: Path,
    calls: CallHistory,
    seattle: StreetNetwork,
    tmp_path_factory: pytest.TempPathFactory,
) -> Decided:
    folder = tmp_path_factory.mktemp("releases")
    situation = replace(builtin_view().situation, network=seattle)

    @cache
    def decide(make: Zones) -> tuple[Release, Judged]:
        release = release_of(folder, make.__name__, make(tandem_data))
        return release, judge(with_release(situation, release), calls, tell_nobody, "")

    return decide


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case[1].__name__)
def case(
    request: pytest.FixtureRequest,
    tandem_data: Path,
    calls: CallHistory,
    seattle: StreetNetwork,
    decided: Decided,
) -> Case:
    (live, judged_live), (draft, judged_draft) = (decided(make) for make in request.param)
    zones = tuple(make(tandem_data) for make in request.param)
    return Case(
        zones=(zones[0], zones[1]),
        counts=count(calls, judged_live, judged_draft),
        ground=compare_ground(seattle, live, draft),
        rows=oracle_rows(tandem_data, (zones[0], zones[1])),
    )


# -- the oracle -----------------------------------------------------------------------------------


def in_order(zones: list[ZoneEntry]) -> list[ZoneEntry]:
    return sorted(zones, key=lambda z: (not z[0].startswith("NO_"), -z[2], z[0]))


def winning_parts(zones: list[ZoneEntry]) -> gpd.GeoDataFrame:
    """Return what each zone wins, by overlaying one after the other; EXCLUDE zones win nothing."""
    parts, before = [], shapely.Polygon()
    for zone_id, area, _ in in_order(zones):
        if not zone_id.startswith("NO_"):
            parts.append((zone_id, area.difference(before)))
        before = before.union(area)
    names, areas = zip(*parts, strict=True)
    return gpd.GeoDataFrame({"zone": names}, geometry=list(areas), crs=4326)


def zone_of_each(points: gpd.GeoDataFrame, zones: list[ZoneEntry]) -> pd.Series:
    """Return the first zone, in order, that each point lies in or on, '' for none or EXCLUDE."""
    names, areas, _ = zip(*in_order(zones), strict=True)
    frame = gpd.GeoDataFrame({"rank": range(len(names))}, geometry=list(areas), crs=4326)
    joined = points.sjoin(frame, predicate="dwithin", distance=MILLIMETRE_DEG, how="left")
    rank = joined.groupby(level=0)["rank"].min()
    return rank.map(dict(enumerate(names))).where(lambda n: ~n.str.startswith("NO_", na=True), "")


def oracle_rows(data: Path, zones: tuple[list[ZoneEntry], list[ZoneEntry]]) -> pd.DataFrame:
    """Return every call with its zone and levels under both releases."""
    table = pd.read_csv(data / CALLS)
    where = gpd.points_from_xy(table.Longitude, table.Latitude, crs=4326)
    points = gpd.GeoDataFrame(geometry=where)
    hour = pd.to_datetime(table["At Scene Time"]).dt.hour
    rows = pd.DataFrame({"type": table["Initial Type Description"].astype("category")})
    for name, one in zip(("live", "draft"), zones, strict=True):
        rows[f"{name}_zone"] = zone_of_each(points, one)
        inside = rows[f"{name}_zone"] != ""
        in_hours = inside & (hour >= 11) & (hour < 23)
        rows[f"{name}_0"], rows[f"{name}_1"] = inside, in_hours
        rows[f"{name}_2"] = in_hours & rows.type.isin(ELIGIBLE)
    return rows


def oracle_change(rows: pd.DataFrame, group: Group, level: int) -> Change:
    live, draft = rows[f"live_{level}"], rows[f"draft_{level}"]
    kind = rows.type == group.call_type if group.call_type else True
    here_live = kind & (rows.live_zone == group.zone_id if group.zone_id else True)
    here_draft = kind & (rows.draft_zone == group.zone_id if group.zone_id else True)
    other = rows.live_zone != rows.draft_zone
    return Change(
        live=int((live & here_live).sum()),
        draft=int((draft & here_draft).sum()),
        gained=int((draft & ~live & here_draft).sum()),
        lost=int((live & ~draft & here_live).sum()),
        moved_in=int((live & draft & here_draft & other).sum()),
        moved_out=int((live & draft & here_live & other).sum()),
    )


# -- what must be equal ---------------------------------------------------------------------------


def test_calls_gained_and_lost_equal_geopandas_in_all_and_by_zone(
    case: Case, calls: CallHistory
) -> None:
    rows = case.rows
    assert len(rows) == len(calls) == 91_067
    for group in (case.counts.total, *case.counts.by_zone):
        for level in range(len(LEVELS)):
            assert group.change[level] == oracle_change(rows, group, level), (group, level)


def test_belltown_is_gained_where_the_pilot_is_drawn_by_police_areas(case: Case) -> None:
    """The built-in outline holds all of Belltown that is land, so nothing is gained there."""
    gained = [change.gained for change in case.counts.total.change]
    belltown = [g for g in case.counts.by_zone if g.zone_id == "BELLTOWN"]
    if belltown:
        assert gained == [change.gained for change in belltown[0].change]
        assert gained[0] > 2_000
    else:
        assert gained == [0, 0, 0] or case.counts.total.change[0].lost > 2_000


def test_calls_gained_and_lost_equal_geopandas_by_type_and_by_zone_and_type(
    case: Case,
) -> None:
    rows = case.rows
    groups = case.counts.by_type + case.counts.by_zone_and_type[:20]
    assert len(case.counts.by_type) > 100
    for group in groups:
        for level in range(len(LEVELS)):
            assert group.change[level] == oracle_change(rows, group, level), (group, level)


def test_land_that_changes_hands_equals_an_overlay_on_the_citys_own_grid(case: Case) -> None:
    live, draft = (winning_parts(zones).to_crs(FEET) for zones in case.zones)
    both = live.overlay(draft, how="union", keep_geom_type=True)
    pair = [both.zone_1.fillna(""), both.zone_2.fillna("")]
    km2 = (both.area * M2_PER_FT2 / 1e6).groupby(pair).sum()
    found = {(one.from_zone, one.to_zone): one.km2 for one in case.ground.handed}
    for (a, b), area in km2.items():
        if a != b and area > 1e-4:
            assert found[a, b] == pytest.approx(area, rel=2e-3, abs=2e-5)
    assert case.ground.draft_km2 == pytest.approx(draft.area.sum() * M2_PER_FT2 / 1e6, rel=2e-3)


def test_streets_that_change_hands_equal_lines_cut_by_geopandas(
    case: Case, seattle: StreetNetwork
) -> None:
    streets = [s for s in range(seattle.n_streets) if not seattle.street_flags[s] & NO_INCIDENT]
    lines = [shapely.LineString(seattle.street_line(s)) for s in streets]
    frame = gpd.GeoDataFrame(geometry=lines, crs=4326).to_crs(FEET)
    live, draft = (winning_parts(z).to_crs(FEET).union_all() for z in case.zones)
    gained = frame.clip(draft.difference(live)).length.sum() * M_PER_FT
    lost = frame.clip(live.difference(draft)).length.sum() * M_PER_FT
    handed = case.ground.handed
    assert sum(h.street_m for h in handed if not h.from_zone) == pytest.approx(gained, rel=3e-3)
    assert sum(h.street_m for h in handed if not h.to_zone) == pytest.approx(lost, rel=3e-3)
