"""What a picture of one decision shows, gathered from the request, the answer and the view."""

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

import numpy as np

from api.answer_schemas import utc_text
from api.dispatcher_text import local_time, minutes
from api.live_view import LiveView
from api.map_picture import LonLat, MapData, rings_of
from api.request_schemas import RecommendRequest
from routing.model import Assignment, Recommendation

TITLE_CHARS_MAX: Final = 112


def map_data(view: LiveView, request: RecommendRequest, answer: Recommendation) -> MapData:
    """Return what to draw of an answer that was asked for with routes."""
    sent = [*answer.assign, *(answer.hold.send_now if answer.hold else ())]
    drawn = [unit for unit in sent if unit.route is not None]
    chosen = {unit.unit_id for unit in sent}
    stage = next((unit.stage for unit in answer.assign if unit.stage is not None), None)
    return MapData(
        title=_title(answer),
        network=view.situation.network,
        call=(request.incident.location.lon, request.incident.location.lat),
        zones=[(zone.name, list(rings_of(zone.geometry))) for zone in view.situation.zones.zones],
        routes={
            str(unit.agency): np.array(unit.route.geometry.coordinates)
            for unit in drawn
            if unit.route
        },
        labels={str(unit.agency): _label(unit) for unit in drawn},
        others=list(_others(request, chosen)),
        stage=None if stage is None else ((stage.lon, stage.lat), stage.near),
    )


def _title(answer: Recommendation) -> str:
    mode = f" {answer.mode}" if answer.mode else ""
    at = local_time(utc_text(answer.decided_at))
    first = f"Call {answer.incident_id}: {answer.outcome.replace('_', ' ')}{mode} at {at}"
    return "\n".join([first, *wrap(answer.message, TITLE_CHARS_MAX)])


def _label(unit: Assignment) -> str:
    return f"{unit.call_sign}, {minutes(unit.arrive_s)}"


def _others(request: RecommendRequest, chosen: set[str]) -> Iterator[tuple[str, LonLat]]:
    for unit in request.units or ():
        if unit.unit_id not in chosen and unit.position is not None:
            yield str(unit.agency), (unit.position.lon, unit.position.lat)
