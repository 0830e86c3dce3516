"""What other police work takes away from a call: more urgent needs, reserves, and whose area it is.

What lives here: rule 8, as further bits on the units of the police. What does not: what a unit
breaks by itself (`eligibility`). SPD_ADD knows none of this: nothing stands in its way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import hypot
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.beats import sector_of
from geodata.earth import metres_per_degree
from routing.arrivals import Muster
from routing.codes import Agency, OverrideAction, Role
from routing.eligibility import HELD, OUT_OF_SCOPE, RESERVE
from routing.gates import CallCheck, has_taken
from routing.model import CompetingNeed, Incident, Situation
from routing.policy import Policy, SpdScope
from routing.roster import AGENCIES, UnitColumns

_SPD: Final = AGENCIES.index(Agency.SPD)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_LOWEST_PRIORITY: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PoliceLimits:
    """What was held for whom, and whether the call's sector was needed and not known."""

    held_for: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    """Incident by row of the roster."""
    sector_unknown: bool = False


NO_LIMITS: Final = PoliceLimits()


def limit_police(
    situation: Situation,
    incident: Incident,
    check: CallCheck,
    muster: Muster,
    bits: NDArray[np.int32],
    competing: Sequence[CompetingNeed],
) -> PoliceLimits:
    """Set the bits of rule 8 on the units of the police, in place.

    More urgent needs choose first, each the nearest qualified units of its sector; then each sector
    keeps its reserve; then units of other sectors or precincts go, where the policy says so.
    """
    policy = check.policy
    reserves = policy.reserve_per_sector > 0 or bool(policy.reserve_of_sector)
    scoped = policy.spd_scope is not SpdScope.ANY
    if Agency.SPD not in check.rules.requirements or not (competing or reserves or scoped):
        return NO_LIMITS
    rows_of = _rows_by_sector(muster.roster)
    held_for = dict(_holds(situation, incident, muster, bits, competing, rows_of))
    if reserves and not has_taken(incident, OverrideAction.USE_RESERVE, Role.SUPERVISOR):
        _keep_reserves(policy, bits, rows_of)
    unknown = scoped and not _keep_scope(situation, incident, policy, bits, rows_of)
    return PoliceLimits(held_for=held_for, sector_unknown=unknown)


def _rows_by_sector(roster: UnitColumns) -> Mapping[str, list[int]]:
    """Return the rows of the police by the sector of their home; without one they are not in it."""
    rows_of: dict[str, list[int]] = {}
    for row in np.flatnonzero(roster.agency == _SPD).tolist():
        beat = roster.home_beat[row]
        sector = roster.home_sector[row] or (sector_of(beat) if beat else None)
        if sector is not None:
            rows_of.setdefault(sector.upper(), []).append(row)
    return rows_of


def _holds(
    situation: Situation,
    incident: Incident,
    muster: Muster,
    bits: NDArray[np.int32],
    competing: Sequence[CompetingNeed],
    rows_of: Mapping[str, list[int]],
) -> Iterator[tuple[int, str]]:
    """Hold units for needs that are more urgent than the call, and yield row and incident of each.

    A need says its sector and no place, so its nearest units are those nearest to the centre of the
    sector, as the crow flies; to the call where no police geography is loaded. A call without a
    priority gives way to every need.
    """
    own = _LOWEST_PRIORITY if incident.priority is None else incident.priority
    urgent = [
        need
        for need in competing
        if need.priority < own and need.incident_id != incident.incident_id
    ]
    urgent.sort(key=lambda need: (need.priority, need.queued_at or _LAST, need.incident_id))
    for need in urgent:
        sector = need.sector.upper()
        at = _centre(situation, muster, sector)
        free = [row for row in rows_of.get(sector, ()) if bits[row] == 0]
        nearest = sorted((_away(muster, row, at), row) for row in free)
        for _, row in nearest[: need.units_needed]:
            bits[row] |= HELD
            yield row, need.incident_id


def _centre(situation: Situation, muster: Muster, sector: str) -> tuple[float, float]:
    centres = situation.beats.sector_centres if situation.beats is not None else {}
    return centres.get(sector, (muster.target.lon, muster.target.lat))


def _away(muster: Muster, row: int, point: tuple[float, float]) -> float:
    """Return metres from a unit to a point; a unit without a place comes last."""
    per_lon, per_lat = metres_per_degree(point[1])
    placement = muster.placement
    metres = hypot(
        (placement.lon[row] - point[0]) * per_lon, (placement.lat[row] - point[1]) * per_lat
    )
    return metres if np.isfinite(metres) else np.inf


def _keep_reserves(
    policy: Policy, bits: NDArray[np.int32], rows_of: Mapping[str, list[int]]
) -> None:
    for sector, rows in rows_of.items():
        kept = policy.reserve_of_sector.get(sector, policy.reserve_per_sector)
        free = [row for row in rows if bits[row] == 0]
        if kept and len(free) <= kept:
            bits[free] |= RESERVE


def _keep_scope(
    situation: Situation,
    incident: Incident,
    policy: Policy,
    bits: NDArray[np.int32],
    rows_of: Mapping[str, list[int]],
) -> bool:
    """Rule out units of other areas; False when nobody knows which area the call lies in.

    A unit whose own sector is not known is never ruled out for it.
    """
    at, beats = incident.location, situation.beats
    sector = None if beats is None else beats.sector_at(at.lon, at.lat)
    own = _area(situation, policy, sector)
    if own is None:
        return False
    for other, rows in rows_of.items():
        if _area(situation, policy, other) != own:
            bits[rows] |= OUT_OF_SCOPE
    return True


def _area(situation: Situation, policy: Policy, sector: str | None) -> str | None:
    if sector is None or policy.spd_scope is SpdScope.SECTOR:
        return sector
    return situation.precinct_of.get(sector)
