"""Calls of a study in the column names of Seattle's public Call Data, to be laid beside it.

    call_data_table(world, calls, {Agency.CARE: UnitTimes(dispatched_s=..., at_scene_s=...)})

What lives here: `call_data_table`, for coverage, replay and simulation alike. What does not: when
anybody comes, which is the study's, and writing files (`table_files`).

Names are those of the data set's fields, capitals and all; instants are local wall-clock time
without an offset, as the city publishes them; seconds are whole. What a study does not know is an
empty cell, and a column of which it knows nothing is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks.studies.demand import Calls
from benchmarks.studies.tables import Table, texts
from benchmarks.studies.world import NO_AREA, World
from routing.codes import Agency

Reals = NDArray[np.float64]
NAME: Final = "call_data"
TITLE: Final = "Calls in the columns of Seattle's public Call Data"
NOTE: Final = (
    "Made by a study, not by the city: lay it beside the public Call Data, never among its rows. "
    "One row for each call, where the city's has one for each unit sent. "
    "The wall clock repeats an hour each November; both hours read alike, as in the city's table."
)
_PLACES: Final = {"dispatch_precinct": "precinct", "dispatch_sector": "sector",
                  "dispatch_beat": "beat"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitTimes:
    """What the units of one agency did at each call: (n_calls,) seconds since 1970, NaN for none.

    A column that a study does not know is None.
    """

    dispatched_s: Reals
    """Of its first unit."""
    at_scene_s: Reals | None = None
    """Of its first unit."""
    in_service_s: Reals | None = None
    """Of its last unit: free for another call."""
    service_s: Reals | None = None
    """Seconds from dispatch to in service, summed over its units; None takes those of one unit."""


def call_data_table(
    world: World,
    calls: Calls,
    times: Mapping[Agency, UnitTimes],
    *,
    name: str = NAME,
    title: str = TITLE,
    notes: tuple[str, ...] = (),
) -> Table:
    """Return one row for each call.

    Parameters
    ----------
    times
        Of the agencies that the study sends; may be empty.
    notes
        What a reader must know of these instants.
    """
    zone = world.release.city_policy.window.zone
    columns = _of_calls(world, calls, zone)
    arrivals = []
    for agency in Agency:
        if agency in times:
            columns |= _of_agency(agency, calls.at_s, times[agency], zone)
            arrivals.append(times[agency].at_scene_s)
    known = [at_scene_s for at_scene_s in arrivals if at_scene_s is not None]
    if known:
        first_s = np.fmin.reduce(known)
        columns["cad_event_arrived_time"] = wall_clock(first_s, zone)
        columns["cad_event_first_response_time_s_"] = _whole(first_s - calls.at_s)
    return Table(
        name=name, title=title, columns=columns,
        definitions={one: _DEFINITIONS[one] for one in columns},
        geometry=[shapely.Point(*at) for at in zip(calls.lon, calls.lat, strict=True)],
        notes=(NOTE, *notes),
    )  # fmt: skip


def _of_calls(world: World, calls: Calls, zone: ZoneInfo) -> dict[str, NDArray[Any]]:
    priorities = [str(one) if one else None for one in calls.priority.tolist()]
    columns: dict[str, NDArray[Any]] = {
        "cad_event_number": texts(calls.call_id),
        "priority": texts(priorities),
        "initial_call_type": texts(calls.call_type),
        "cad_event_original_time_queued": wall_clock(calls.at_s, zone),
    }
    for column, geography in _PLACES.items():
        if geography in world.areas:
            areas = world.areas[geography]
            numbers = areas.number_at(calls.lon, calls.lat).tolist()
            columns[column] = texts([None if k == NO_AREA else areas.names[k] for k in numbers])
    return columns | {"dispatch_longitude": calls.lon, "dispatch_latitude": calls.lat}


def _of_agency(
    agency: Agency, queued_s: Reals, times: UnitTimes, zone: ZoneInfo
) -> dict[str, NDArray[Any]]:
    """Return the columns of one agency."""
    kind = agency.lower()
    columns: dict[str, NDArray[Any]] = {
        f"first_{kind}_call_sign_dispatch_time": wall_clock(times.dispatched_s, zone),
        f"first_{kind}_call_sign_dispatch_delay_time_s_": _whole(times.dispatched_s - queued_s),
    }
    if times.at_scene_s is not None:
        columns[f"first_{kind}_call_sign_at_scene_time"] = wall_clock(times.at_scene_s, zone)
        columns[f"first_{kind}_call_sign_response_time_s_"] = _whole(times.at_scene_s - queued_s)
    if times.in_service_s is not None:
        service_s = times.service_s
        if service_s is None:
            service_s = times.in_service_s - times.dispatched_s
        columns[f"last_{kind}_call_sign_in_service_time"] = wall_clock(times.in_service_s, zone)
        columns[f"{kind}_call_sign_total_service_time_s_"] = _whole(service_s)
    return columns


def _whole(seconds: Reals) -> Reals:
    """Return whole seconds, half up, NaN for none."""
    whole: Reals = np.floor(seconds + 0.5)
    return whole


def wall_clock(at_s: Reals, zone: ZoneInfo) -> NDArray[np.object_]:
    """Return local wall-clock texts to a second, such as 2015-03-08T01:59:59, None for NaN."""
    return texts([None if s != s else _wall_text(s, zone) for s in at_s.tolist()])  # noqa: PLR0124


def _wall_text(at_s: float, zone: ZoneInfo) -> str:
    local = datetime.fromtimestamp(int(at_s // 1), zone)
    return local.replace(tzinfo=None).isoformat(timespec="seconds")


def _definitions() -> dict[str, str]:
    found = {
        "cad_event_number": "Number of the call, of the table of calls or of the generator.",
        "priority": "1 is the highest; empty where nobody knows.",
        "initial_call_type": "Text of the type, as the release is asked about it.",
        "cad_event_original_time_queued": "When the call is queued, local wall-clock time; of past "
        "calls the instant that their table has.",
        "dispatch_precinct": "Police precinct of the place.",
        "dispatch_sector": "Police sector of the place.",
        "dispatch_beat": "Police beat of the place.",
        "dispatch_longitude": "Degrees, WGS 84.", "dispatch_latitude": "Degrees, WGS 84.",
        "cad_event_arrived_time": "When the first unit of either kind is there, local wall-clock "
        "time; empty where none is.",
        "cad_event_first_response_time_s_": "Seconds from queued until the first unit of either "
        "kind is there.",
    }  # fmt: skip
    for agency in Agency:
        kind, clock = agency.lower(), "local wall-clock time; empty where none is"
        found |= {
            f"first_{kind}_call_sign_dispatch_time": f"When the first {agency} unit is dispatched, "
            f"{clock}.",
            f"first_{kind}_call_sign_at_scene_time": f"When the first {agency} unit is there, "
            f"{clock}.",
            f"last_{kind}_call_sign_in_service_time": f"When the last {agency} unit is free again, "
            f"{clock}.",
            f"{kind}_call_sign_total_service_time_s_": "Seconds from dispatch to in service, "
            f"summed over the {agency} units of the call.",
            f"first_{kind}_call_sign_dispatch_delay_time_s_": "Seconds from queued to the dispatch "
            f"of the first {agency} unit.",
            f"first_{kind}_call_sign_response_time_s_": "Seconds from queued until the first "
            f"{agency} unit is there.",
        }
    return found


_DEFINITIONS: Final = _definitions()
