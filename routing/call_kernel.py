"""One kernel for everything that a decision asks of all units by the streets.

What lives here: `look`, which joins the kernels of `places`, `candidates_kernel` and `route_walk`,
so that Python crosses into compiled code once where it would ten times: each crossing costs
microseconds. What does not: what any of the figures means.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import njit
from geodata.earth import metres_per_degree
from routing.candidates_kernel import (
    N_RULES,
    NEVER_S,
    NOWHERE,
    Clock,
    Codes,
    Columns,
    Flags,
    Ints,
    Limits,
    Longs,
    Needs,
    Places,
    Reals,
    facts,
    place_row,
    survey,
    tally,
)
from routing.places import EdgeByStreet, Place, incident_label, times_to
from routing.route_walk import NOBODY, Junctions, Lines, Turns, drives
from routing.route_walk import Streets as Driven
from routing.stretch_kernel import Inside, entered_label, with_inside

Streets = tuple[EdgeByStreet, Ints, Turns, Ints, Ints, Ints, int]
"""Edges by street, ms of each edge, turns, rank, nodes, table of labels from ancestors, width."""
Ways = tuple[Ints, Ints, Ints, Driven, Lines, NDArray[np.uint8], Junctions]
"""What a walk reads besides: ms after each edge, table of labels to ancestors, arcs, streets."""
Labelled = tuple[Ints, Ints, tuple[Ints, Ints], Ints, Reals, NDArray[np.uint8]]
"""Rows and bases of unit labels, and units by the tree; street, fraction and ways of positions."""
Told = tuple[Reals, Reals]
"""What is told of units besides: fixed_at_s and available_since_s."""
Wanted = tuple[int, int, int, int]
"""How many qualified units of a kind to rank, how many of all to show, and how many of the
qualified of CARE and of SPD are shown whether they are near or not. (0, 0, 0, 0) ranks nothing."""

Looked = tuple[Longs, Ints, Flags, Longs, Reals]
"""Seconds of arrival, rule bits with the marks, and whether by a line, (n,) each, as
`candidates_kernel.survey` says; `ranked` and `driven`.

`ranked` holds N_COUNTS numbers as `candidates_kernel.tally`; HEAD counts, then rows: qualified
CARE, qualified SPD, shown CARE, shown SPD, each in the order of rule 9; shown are the nearest of
all and those of the qualified that are named. Then `candidates_kernel.facts` of the shown rows. It
is empty where nothing is wanted. `driven` is that of `route_walk.drives`, for the qualified that
are named, if there are enough of them. They are few arrays, because to hand one to Python takes as
long as to look at a hundred units.
"""

HEAD: Final = 4
"""Numbers before the rows in `look`'s ranks: how many rows of each of the four lists follow."""
N_COUNTS: Final = 2 * (2 + N_RULES)
"""Numbers of a `tally`, flat; they stand before the ranks."""


@njit
def _first_of_each(
    arrive_s: Longs, since_s: Reals, agency: Codes, bits: Ints, wanted: Wanted
) -> Longs:
    """Return the ranks of `look`: HEAD counts, then the rows of the four lists."""
    most = (wanted[0], wanted[0], wanted[1], wanted[1])
    lists = np.empty((HEAD, wanted[0] + wanted[1]), np.int64)
    n, last_s = np.zeros(HEAD, np.int64), np.full(HEAD, NEVER_S, np.int64)
    for row in range(len(arrive_s)):
        for k in range(agency[row], HEAD, 2):
            # Most rows are later than the last of a full list.
            if (k < 2 and bits[row] != 0) or arrive_s[row] > last_s[k]:
                continue
            n[k] = place_row(arrive_s, since_s, row, lists[k, : most[k]], n[k])
            if 0 < n[k] == most[k]:
                last_s[k] = arrive_s[lists[k, n[k] - 1]]
    for kind in range(2):
        for i in range(min(wanted[2 + kind], n[kind])):
            known = False
            for j in range(n[2 + kind]):
                known |= lists[2 + kind, j] == lists[kind, i]
            if not known:
                lists[2 + kind, n[2 + kind]] = lists[kind, i]
                n[2 + kind] += 1
    ranks = np.empty(HEAD + n.sum(), np.int64)
    ranks[:HEAD] = n
    end = HEAD
    for k in range(HEAD):
        for i in range(n[k]):
            ranks[end] = lists[k, i]
            end += 1
    return ranks


@njit
def _to_send(ranks: Longs, wanted: Wanted, by_line: Flags, source: Codes) -> Longs:
    """Return the first of the qualified of CARE and of SPD, as many as are named.

    NOBODY stands for one whose way is not by the streets. Nobody at all, (0,), where a kind has too
    few, because then the call is on hold.
    """
    care, spd = wanted[2], wanted[3]
    if ranks[0] < care or ranks[1] < spd:
        return np.empty(0, np.int64)
    rows = np.concatenate(
        (ranks[HEAD : HEAD + care], ranks[HEAD + ranks[0] : HEAD + ranks[0] + spd])
    )
    for i in range(len(rows)):
        if by_line[rows[i]] or source[rows[i]] == NOWHERE:
            rows[i] = NOBODY
    return rows


@njit
def _seen(
    streets: Streets, to_table: Ints, labelled: Labelled, place: Place, inside: Inside
) -> tuple[Ints, Ints, Ints]:
    """Return (n_units,) ms to the call, its row over open streets and its path to the root."""
    edge_by_street, move_ms, turns, rank, nodes, table, width = streets
    rows, bases, by_tree, street, fraction, ways = labelled
    row, path, _ = incident_label(
        place, edge_by_street, move_ms, turns[1], turns[2], rank, nodes, table, width
    )
    drive_ms = times_to(
        rows, bases, by_tree, row, path, street, fraction, ways, place, edge_by_street, move_ms
    )
    if len(inside[0]) + len(inside[1]) + len(inside[2]) > 0:
        in_row, in_path, _ = entered_label(inside[2], nodes, table, width)
        entered = (in_row, in_path)
        with_inside(drive_ms, rows, bases, (row, path), entered, inside, nodes, to_table)
    return drive_ms, row, path


@njit
def look(
    streets: Streets,
    by_ways: Ways,
    labelled: Labelled,
    place: Place,
    inside: Inside,
    places: Places,
    columns: Columns,
    told: Told,
    at: tuple[float, float],
    limits: Limits,
    needs: Needs,
    marks: Longs,
    keep: int,
    wanted: Wanted,
    clock: Clock,
    short_m: float,
) -> Looked:
    """Return all units as seen from a call, and the first of each kind; see `Looked`.

    Parameters
    ----------
    inside
        What closures add; `NOTHING_INSIDE` where no unit is inside one, nor the call.
    at
        Lon and lat of the call in degrees.
    marks
        (n, 2) rows and the bits that the request sets on them.
    keep
        Mask of the rules that count.
    short_m
        Metres before the call where somebody waits; see `route_walk.waiting_place`.
    """
    edge_by_street, move_ms, turns, rank, nodes, _, _ = streets
    rows, bases, _, street, fraction, ways = labelled
    end_ms, to_table, arcs, edges, lines, flags, junctions = by_ways
    drive_ms, row, path = _seen(streets, to_table, labelled, place, inside)
    call = (at[0], at[1], *metres_per_degree(at[1]))
    arrive_s, bits, by_line = survey(drive_ms, places, columns, call, limits, needs)
    for i in range(len(bits)):
        bits[i] &= keep
    for i in range(len(marks)):
        bits[marks[i, 0]] |= marks[i, 1]
    agency, source, (fixed_at_s, since_s) = columns[0], places[0], told
    ranked = named = np.empty(0, np.int64)
    if wanted[0]:
        ranks = _first_of_each(arrive_s, since_s, agency, bits, wanted)
        shown = ranks[HEAD + ranks[0] + ranks[1] :]
        spots = (source, street, places[1])
        told_of = facts(shown, arrive_s, by_line, fixed_at_s, spots, clock)
        ranked = np.concatenate((tally(bits, agency).ravel(), ranks, told_of))
        named = _to_send(ranks, wanted, by_line, source)
    driven = drives(
        named, (rows, bases, street, fraction, ways), (place, row, path), edge_by_street,
        (move_ms, end_ms), turns, (rank, nodes, to_table), arcs, edges, lines, flags, junctions,
        short_m,
    )  # fmt: skip
    return arrive_s, bits, by_line, ranked, driven
