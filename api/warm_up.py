"""One decision before the first request, so that no dispatcher waits for a compiler."""

import datetime as dt

import numpy as np

from geodata.earth import distance_m
from routing.live import with_moves, with_roster
from routing.model import (
    Agency,
    Answer,
    Fix,
    Incident,
    IncidentId,
    Location,
    Options,
    Outcome,
    Screening,
    Situation,
    Status,
    Unit,
    UnitId,
    unit_columns,
)
from routing.recommend import recommend


def warm_up(situation: Situation) -> Outcome:
    """Decide a made-up call within the first zone at noon; every kernel is compiled on the way.

    Where that zone lies outside the streets the call is not eligible and some kernels stay cold:
    the first requests are slower then, never wrong.
    """
    noon = dt.datetime.combine(dt.date(2026, 7, 21), dt.time(12), situation.policy.window.zone)
    lon, lat = _place(situation)
    roster = unit_columns(
        Unit(
            unit_id=UnitId(f"{agency}-{i}"),
            agency=agency,
            crew_count=2,
            status=Status.AVAILABLE,
            position=Fix(lon=lon + 0.001 * i, lat=lat + 0.001, fixed_at=noon),
        )
        for agency in Agency
        for i in range(2)
    )
    incident = Incident(
        incident_id=IncidentId("warm-up"),
        location=Location(lon=lon, lat=lat),
        call_type=next(iter(situation.policy.call_types.kind_of)),
        screening=Screening(
            completed_at=noon, weapon=Answer.NO, violence=Answer.NO, medical=Answer.NO
        ),
    )
    # What only some calls need: a place outside every zone, a circle around an uncertain one.
    situation.zones.nearest(lon, lat)
    situation.zones.is_near_edge(lon, lat, 1.0)
    on_duty = with_roster(situation, roster)
    # What judges and places the fixes of a feed.
    distance_m(lon, lat, lon, lat)
    on_duty = with_moves(on_duty, np.array([0]), [Fix(lon=lon, lat=lat, fixed_at=noon)])
    found = recommend(on_duty, incident, noon, Options(route=True))
    return found.outcome


def _place(situation: Situation) -> tuple[float, float]:
    zones = situation.zones.zones
    if zones:
        point = zones[0].geometry.representative_point()
        return float(point.x), float(point.y)
    west, south, east, north = situation.network.bounds
    return 0.5 * (west + east), 0.5 * (south + north)
