"""Kernels of the fleet: where units stand and drive home, when they are free, and for whom.

What lives here: a unit's label after each move, the way home and where it is on it, the begin and
the end of duty, work and breaks. What does not: which unit goes where (`event_loop`).

The constants repeat those of `routing.roster`, and a test compares them.
"""

import math
from typing import Final

import numpy as np

from benchmarks.studies.simulation.event_heap import BREAK_OVER, CLEAR, push
from benchmarks.studies.simulation.run_columns import (
    LOGGED,
    ON_BREAK,
    ON_DUTY,
    ROUTE_EDGES_MAX,
    Ints,
    Log,
    Longs,
    Posts,
    Reals,
    Run,
    Units,
)
from geodata.compiled import njit
from geodata.driving_time import UNREACHABLE_MS
from routing.call_kernel import Streets, Ways
from routing.hierarchy import ENTER
from routing.places import incident_label, unit_labels
from routing.route_walk import drive

OFF_DUTY: Final = 0
AVAILABLE: Final = 1
DISPATCHED: Final = 2
BUSY: Final = 8
OUT_OF_SERVICE: Final = 9


@njit
def _reorder(units: Units, unit: int, nodes: Ints) -> None:
    """Put a unit where it belongs in the order of the tree, after its label was made."""
    base = units.bases[unit]
    entered = nodes[base, ENTER] if base >= 0 else -1
    order, by_entry = units.order, units.entered
    place = 0
    while order[place] != unit:
        place += 1
    while place > 0 and by_entry[place - 1] > entered:
        order[place], by_entry[place] = order[place - 1], by_entry[place - 1]
        place -= 1
    while place < len(order) - 1 and by_entry[place + 1] < entered:
        order[place], by_entry[place] = order[place + 1], by_entry[place + 1]
        place += 1
    order[place], by_entry[place] = unit, entered


@njit
def label(units: Units, unit: int, streets: Streets, ways: Ways) -> None:
    """Make the label of a unit where it is now."""
    edge_by_street, move_ms, turns, rank, nodes, _, _ = streets
    one = slice(unit, unit + 1)
    unit_labels(
        units.street[one], units.fraction[one], units.ways[one], edge_by_street, move_ms, ways[0],
        turns[0], rank, nodes, ways[1], units.rows[one], units.bases[one],
    )  # fmt: skip
    _reorder(units, unit, nodes)


@njit
def _point(street: int, fraction: float, ways: Ways) -> tuple[float, float]:
    """Return lon and lat of a place on a street."""
    first, lon, lat, metres = ways[4]
    begin, last = first[street], first[street + 1] - 1
    at = fraction * metres[last]
    i = begin
    while i < last - 1 and metres[i + 1] <= at:
        i += 1
    long = metres[i + 1] - metres[i]
    share = 0.0 if long <= 0.0 else min(1.0, (at - metres[i]) / long)
    return lon[i] + share * (lon[i + 1] - lon[i]), lat[i] + share * (lat[i + 1] - lat[i])


@njit
def stand(
    units: Units, unit: int, place: tuple[int, float, int], streets: Streets, ways: Ways
) -> None:
    """Let a unit stand at a place; one without a street is left where it was."""
    units.home_begin_s[unit] = np.nan
    if place[0] >= 0:
        units.street[unit], units.fraction[unit], units.ways[unit] = place
        units.lon[unit], units.lat[unit] = _point(place[0], place[1], ways)
    label(units, unit, streets, ways)


@njit
def label_posts(posts: Posts, streets: Streets) -> None:
    """Make the labels of all posts as targets."""
    edge_by_street, move_ms, turns, rank, nodes, from_table, width = streets
    for post in range(len(posts.street)):
        place = (posts.street[post], posts.fraction[post], posts.ways[post])
        row, path, _ = incident_label(
            place, edge_by_street, move_ms, turns[1], turns[2], rank, nodes, from_table, width
        )
        posts.rows[post] = row
        posts.depths[post] = path.shape[1]
        posts.paths[post, :, : path.shape[1]] = path


@njit
def go_home(run: Run, unit: int, now_s: float, streets: Streets, ways: Ways) -> None:
    """Let a unit drive back to its post; it stays where no way leads there."""
    units, posts = run.units, run.posts
    post = units.post[unit]
    edge_by_street, move_ms, turns, rank, nodes, _, _ = streets
    place = (posts.street[post], posts.fraction[post], posts.ways[post])
    unit_place = (units.street[unit], units.fraction[unit], units.ways[unit])
    if place[0] < 0 or unit_place[0] < 0:
        return
    goal = (place, posts.rows[post], posts.paths[post][:, : posts.depths[post]])
    ms, edges, begin, end, _ = drive(
        unit_place, (units.rows[unit], units.bases[unit]), goal, edge_by_street, move_ms, ways[0],
        turns, (rank, nodes, ways[1]), ways[2], ways[3],
    )  # fmt: skip
    n = len(edges)
    if ms >= UNREACHABLE_MS or n > ROUTE_EDGES_MAX or ms == 0:
        return
    left = 0
    for i in range(n):
        edge, last = edges[i], i == n - 1
        low = begin if i == 0 else 0.0
        high = end if last else 1.0
        left += math.floor((high - low) * move_ms[edge] + 0.5) + (0 if last else ways[0][edge])
        units.home_edge[unit, i], units.home_ms[unit, i] = edge, left
    units.home_edges[unit] = n
    units.home_share[unit, 0], units.home_share[unit, 1] = begin, end
    units.home_begin_s[unit] = now_s


@njit
def settle_one(run: Run, unit: int, now_s: float, streets: Streets, ways: Ways) -> None:
    """Move a unit that drives home to where it is now."""
    units, posts = run.units, run.posts
    gone_ms = 1000.0 * (now_s - units.home_begin_s[unit])
    n = units.home_edges[unit]
    if gone_ms >= units.home_ms[unit, n - 1]:
        post = units.post[unit]
        place = (posts.street[post], posts.fraction[post], posts.ways[post])
        stand(units, unit, place, streets, ways)
        return
    i = 0
    while units.home_ms[unit, i] <= gone_ms:
        i += 1
    edge = units.home_edge[unit, i]
    begun_ms = 0 if i == 0 else units.home_ms[unit, i - 1]
    low = units.home_share[unit, 0] if i == 0 else 0.0
    high = units.home_share[unit, 1] if i == n - 1 else 1.0
    # At a signal at the end of an edge it stands; its delay is the part that is not in motion.
    share = min(high, low + (gone_ms - begun_ms) / streets[1][edge])
    street, is_along = ways[3][0][edge], ways[3][1][edge]
    units.street[unit] = street
    units.fraction[unit] = share if is_along else 1.0 - share
    units.ways[unit] = np.uint8(1) if is_along else np.uint8(2)
    units.lon[unit], units.lat[unit] = _point(street, units.fraction[unit], ways)
    label(units, unit, streets, ways)


@njit
def anyone_moves(home_begin_s: Reals, now_s: float) -> bool:
    """Return whether a unit drives home at an instant, so that `settle` has something to do."""
    n = 0
    for begin_s in home_begin_s:
        n += begin_s <= now_s
    return n > 0


@njit
def settle(run: Run, now_s: float, streets: Streets, ways: Ways) -> None:
    """Move every unit that drives home to where it is now."""
    units = run.units
    for unit in range(len(units.home_begin_s)):
        if units.home_begin_s[unit] <= now_s:
            settle_one(run, unit, now_s, streets, ways)


@njit
def relabel(run: Run, now_s: float, streets: Streets, ways: Ways) -> None:
    """Make all labels anew after a change of weights; whoever drives home looks for a new way.

    All must have been settled with the weights before.
    """
    units = run.units
    label_posts(run.posts, streets)
    for unit in range(len(units.street)):
        label(units, unit, streets, ways)
    for unit in range(len(units.street)):
        if units.home_begin_s[unit] <= now_s:
            units.home_begin_s[unit] = np.nan
            go_home(run, unit, now_s, streets, ways)


# -- duty, work and breaks ------------------------------------------------------------------------


@njit
def note(log: Log, registers: Longs, unit: int, job: int, begin_s: float) -> int:
    """Begin a line of the log; return its row."""
    row = registers[LOGGED]
    registers[LOGGED] = row + 1
    log.unit[row], log.job[row], log.begin_s[row] = unit, job, begin_s
    return int(row)


@njit
def take(run: Run, unit: int, job: int, now_s: float, arrive_s: float) -> None:
    """Send a free unit to a job, at whose place it will stand when it clears."""
    units, jobs, log = run.units, run.jobs, run.log
    row = note(log, run.registers, unit, job, now_s)
    log.arrive_s[row] = arrive_s
    log.from_street[row], log.from_fraction[row] = units.street[unit], units.fraction[unit]
    log.from_home[row] = not math.isnan(units.home_begin_s[unit])
    units.status[unit] = DISPATCHED
    units.since_s[unit], units.job[unit], units.log_row[unit] = now_s, job, row
    units.home_begin_s[unit] = np.nan
    units.token[unit] += 1
    units.rest_street[unit] = jobs.rest_street[job]
    units.rest_fraction[unit], units.rest_ways[unit] = jobs.rest_fraction[job], jobs.rest_ways[job]


@njit
def clear_at(run: Run, unit: int, at_s: float) -> None:
    """Let a unit clear at an instant; an earlier word about it is no longer true."""
    run.units.token[unit] += 1
    push(run.heap, run.registers, at_s, CLEAR, unit, run.units.token[unit])


@njit
def _free(units: Units, unit: int, now_s: float) -> None:
    units.status[unit], units.since_s[unit], units.job[unit] = AVAILABLE, now_s, -1


@njit
def rest(run: Run, unit: int, now_s: float, long_s: float) -> None:
    """Let a unit begin a break."""
    units = run.units
    units.status[unit], units.since_s[unit], units.job[unit] = OUT_OF_SERVICE, now_s, -1
    units.break_due_s[unit] = 0.0
    units.token[unit] += 1
    units.log_row[unit] = note(run.log, run.registers, unit, ON_BREAK, now_s)
    push(run.heap, run.registers, now_s + long_s, BREAK_OVER, unit, units.token[unit])


@njit
def leave_duty(run: Run, unit: int, now_s: float) -> None:
    """Let a unit go off duty."""
    units = run.units
    units.status[unit], units.since_s[unit], units.job[unit] = OFF_DUTY, now_s, -1
    units.off_due[unit], units.break_due_s[unit] = False, 0.0
    units.home_begin_s[unit] = np.nan
    units.token[unit] += 1
    run.log.end_s[units.duty_row[unit]] = now_s


@njit
def join_duty(
    run: Run, unit: int, now_s: float, shift_end_s: float, streets: Streets, ways: Ways
) -> bool:
    """Let a unit begin a shift, at its post; whoever is on duty is relieved where it is.

    Returns whether it is newly free.
    """
    units, posts = run.units, run.posts
    units.shift_end_s[unit] = shift_end_s
    units.off_due[unit] = False
    if units.status[unit] != OFF_DUTY:
        return False
    units.duty_row[unit] = note(run.log, run.registers, unit, ON_DUTY, now_s)
    post = units.post[unit]
    place = (posts.street[post], posts.fraction[post], posts.ways[post])
    stand(units, unit, place, streets, ways)
    _free(units, unit, now_s)
    return True


@njit
def done(run: Run, unit: int, now_s: float, streets: Streets, ways: Ways) -> bool:
    """Let a unit clear its job; return whether it is free then."""
    units = run.units
    run.log.end_s[units.log_row[unit]] = now_s
    place = (units.rest_street[unit], units.rest_fraction[unit], units.rest_ways[unit])
    stand(units, unit, place, streets, ways)
    if units.off_due[unit]:
        leave_duty(run, unit, now_s)
        return False
    _free(units, unit, now_s)
    if units.posting[unit] == 1:
        go_home(run, unit, now_s, streets, ways)
    if units.break_due_s[unit] > 0.0:
        rest(run, unit, now_s, units.break_due_s[unit])
        return False
    return True


@njit
def back_from_break(run: Run, unit: int, now_s: float, streets: Streets, ways: Ways) -> bool:
    """Let a unit end its break; return whether it is free then."""
    units = run.units
    run.log.end_s[units.log_row[unit]] = now_s
    if units.off_due[unit]:
        leave_duty(run, unit, now_s)
        return False
    _free(units, unit, now_s)
    if units.home_begin_s[unit] <= now_s:
        settle_one(run, unit, now_s, streets, ways)
    return True
