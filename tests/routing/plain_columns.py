"""What each unit breaks and when it arrives, column by column in numpy: the kernels' oracle."""

import numpy as np
from numpy.typing import NDArray

from geodata.driving_time import UNREACHABLE_MS
from geodata.earth import metres_per_degree
from routing.arrivals import NEVER_S, START_AND_PARK_MS, Target
from routing.codes import UnitRule
from routing.model import Situation
from routing.placement import NOWHERE
from routing.policy import ModeRules, Policy
from routing.roster import AGENCIES, AVAILABLE, CREW_UNKNOWN, UnitColumns


def plain_arrivals(
    now: Situation, target: Target, policy: Policy
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Return arrive_s, by_line and turnout_s, each (n_units,)."""
    roster, placement, times = now.roster, now.placement, now.travel_times
    turnout_s = np.array([policy.turnout_care_s, policy.turnout_spd_s])[roster.agency]
    by_line = placement.source != NOWHERE
    drive_ms = np.zeros(len(roster), np.int64)
    if target.on_street and times is not None and placement.labels is not None:
        drive_ms = times.drive_ms(placement.labels, target.snapped).astype(np.int64)
        by_line &= placement.positions.distance_m > policy.snap.refuse_m
    per_lon, per_lat = metres_per_degree(target.lat)
    metres = np.hypot(
        (placement.lon - target.lon) * per_lon, (placement.lat - target.lat) * per_lat
    )
    line_ms = metres * (1000.0 * policy.detour_factor / policy.straight_line_mps)
    line_ms = np.floor(np.minimum(line_ms, UNREACHABLE_MS - 1) + 0.5)
    drive_ms[by_line] = line_ms[by_line].astype(np.int64)
    drive_ms[placement.source == NOWHERE] = 1000 * policy.unknown_position_drive_s
    start_ms = START_AND_PARK_MS if times is None else times.start_and_park_ms
    arrive_s = (1000 * turnout_s + start_ms + drive_ms + 500) // 1000
    arrive_s[drive_ms >= UNREACHABLE_MS] = NEVER_S
    return arrive_s, by_line, turnout_s


def plain_rules(
    roster: UnitColumns,
    policy: Policy,
    rules: ModeRules,
    arrive_s: NDArray[np.int64],
    now_s: float,
) -> NDArray[np.int32]:
    """Return (n_units,) the `UnitRule` bits that each unit breaks by itself."""
    bits = np.where(roster.status == AVAILABLE, 0, int(UnitRule.STATUS_NOT_AVAILABLE))
    bits = bits.astype(np.int32)
    bits[roster.claimed] |= int(UnitRule.CLAIMED)
    bits[now_s + policy.shift_guard_s > roster.shift_end_s] |= int(UnitRule.SHIFT_ENDING)
    wanted = np.array([rules.requirements[a].min_crew for a in AGENCIES])[roster.agency]
    unknown = roster.crew_count == CREW_UNKNOWN
    bits[~unknown & (roster.crew_count < wanted)] |= int(UnitRule.CREW_BELOW_MINIMUM)
    bits[unknown & (wanted > 1)] |= int(UnitRule.CREW_UNKNOWN)
    for code, agency in enumerate(AGENCIES):
        skills = rules.requirements[agency].required_skills
        lacking = np.array([not skills <= own for own in roster.skills], np.bool_)
        bits[(roster.agency == code) & lacking] |= int(UnitRule.SKILL_MISSING)
    bits[arrive_s == NEVER_S] |= int(UnitRule.NOT_REACHABLE)
    return bits
