"""One kernel for everything that a decision asks of all units by the streets.

What lives here: `look`, which joins the kernels of `places` and `candidates_kernel` so that Python
crosses into compiled code once where it would nine times: each crossing costs microseconds. What
does not: what any of the figures means.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import njit
from routing.candidates_kernel import (
    NEVER_S,
    Call,
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

Streets = tuple[EdgeByStreet, Ints, tuple[Ints, Ints, Ints], Ints, Ints, Ints, int]
"""Edges by street, ms of each edge, turns, rank, nodes, table of labels from ancestors, width."""
Labelled = tuple[Ints, Ints, tuple[Ints, Ints], Ints, Reals, NDArray[np.uint8]]
"""Rows and bases of unit labels, and units by the tree; street, fraction and ways of positions."""
Told = tuple[Reals, Reals, Reals, Reals]
"""What is told of units besides: fixed_at_s and available_since_s; lon and lat of positions."""
Wanted = tuple[int, int, int, int]
"""How many qualified units of a kind to rank, how many of all to show, and how many of the
qualified of CARE and of SPD are shown whether they are near or not. (0, 0, 0, 0) ranks nothing."""

HEAD: Final = 4
"""Numbers before the rows in `look`'s ranks: how many rows of each of the four lists follow."""


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
def look(
    streets: Streets,
    labelled: Labelled,
    place: Place,
    places: Places,
    columns: Columns,
    told: Told,
    call: Call,
    limits: Limits,
    needs: Needs,
    marks: Longs,
    keep: int,
    wanted: Wanted,
    clock: Clock,
) -> tuple[Ints, Ints, int, Longs, Ints, Flags, Longs, Longs, Longs, Reals]:
    """Return the label of a call, all units as seen from it, and the first of each kind.

    Parameters
    ----------
    marks
        (n, 2) rows and the bits that the request sets on them.
    keep
        Mask of the rules that count.

    Returns
    -------
    row, path, base
        As `places.incident_label`.
    arrive_s, bits, by_line, turnout_s
        As `candidates_kernel.survey`, with the marks.
    ranks
        HEAD counts, then rows: qualified CARE, qualified SPD, shown CARE, shown SPD, each in the
        order of rule 9; shown are the nearest of all and those of the qualified that are named.
    counts
        As `candidates_kernel.tally`, flat.
    facts
        As `candidates_kernel.facts`, for the shown rows.
    """
    edge_by_street, move_ms, turns, rank, nodes, table, width = streets
    rows, bases, by_tree, street, fraction, ways = labelled
    row, path, base = incident_label(
        place, edge_by_street, move_ms, turns[1], turns[2], rank, nodes, table, width
    )
    drive_ms = times_to(
        rows, bases, by_tree, row, path, street, fraction, ways, place, edge_by_street, move_ms
    )
    arrive_s, bits, by_line, turnout_s = survey(drive_ms, places, columns, call, limits, needs)
    for i in range(len(bits)):
        bits[i] &= keep
    for i in range(len(marks)):
        bits[marks[i, 0]] |= marks[i, 1]
    agency, (fixed_at_s, since_s, lon, lat) = columns[0], told
    ranks, counts, shown = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)
    if wanted[0]:
        counts = tally(bits, agency).ravel()
        ranks = _first_of_each(arrive_s, since_s, agency, bits, wanted)
        shown = ranks[HEAD + ranks[0] + ranks[1] :]
    spots = (places[0], street, lon, lat, places[1])
    matrix = facts(shown, arrive_s, by_line, fixed_at_s, spots, clock)
    return row, path, base, arrive_s, bits, by_line, turnout_s, ranks, counts, matrix
