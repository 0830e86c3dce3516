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
    N_RULES,
    Call,
    Clock,
    Columns,
    Flags,
    Ints,
    Limits,
    Longs,
    Needs,
    Places,
    Reals,
    facts,
    nearest_rows,
    survey,
    tally,
)
from routing.places import EdgeByStreet, Place, incident_label, times_to

Streets = tuple[EdgeByStreet, Ints, tuple[Ints, Ints, Ints], Ints, Ints, Ints, int]
"""Edges by street, ms of each edge, turns, rank, nodes, table of labels from ancestors, width."""
Labelled = tuple[Ints, Ints, Ints, Reals, NDArray[np.uint8]]
"""Rows and bases of unit labels; street, fraction and ways of their positions."""
Told = tuple[Reals, Reals, Reals, Reals]
"""What is told of units besides: fixed_at_s and available_since_s; lon and lat of positions."""
Wanted = tuple[int, int, int, int]
"""How many qualified units of a kind to rank, how many of all to show, and how many of the
qualified of CARE and of SPD are shown whether they are near or not. (0, 0, 0, 0) ranks nothing."""

HEAD: Final = 4
"""Numbers before the rows in `look`'s ranks: how many rows of each of the four lists follow."""


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
    place
        Where the call is.
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
    rows, bases, street, fraction, ways = labelled
    row, path, base = incident_label(
        place, edge_by_street, move_ms, turns[1], turns[2], rank, nodes, table, width
    )
    drive_ms = times_to(
        rows, bases, nodes, row, path, street, fraction, ways, place, edge_by_street, move_ms
    )
    arrive_s, bits, by_line, turnout_s = survey(drive_ms, places, columns, call, limits, needs)
    for i in range(len(bits)):
        bits[i] &= keep
    for i in range(len(marks)):
        bits[marks[i, 0]] |= marks[i, 1]
    most, n_shown = wanted[0], wanted[1]
    ranks = np.empty(HEAD + 4 * (most + n_shown) if most else 0, np.int64)
    counts = np.empty(2 * (2 + N_RULES) if most else 0, np.int64)
    shown = np.empty(0, np.int64)
    if most:
        agency, (fixed_at_s, since_s, lon, lat) = columns[0], told
        counts[:] = tally(bits, agency).ravel()
        first, end = HEAD, HEAD
        for kind in range(2):
            found, _ = nearest_rows(arrive_s, since_s, agency, bits, kind, -1, 0, most)
            ranks[kind] = len(found)
            ranks[end : end + len(found)] = found
            end += len(found)
        n_ranked = end
        for kind in range(2):
            found, _ = nearest_rows(arrive_s, since_s, agency, bits, kind, 0, 0, n_shown)
            begin = end
            ranks[end : end + len(found)] = found
            end += len(found)
            for i in range(first, first + min(wanted[2 + kind], ranks[kind])):
                if not (ranks[begin:end] == ranks[i]).any():
                    ranks[end] = ranks[i]
                    end += 1
            ranks[2 + kind] = end - begin
            first += ranks[kind]
        ranks = ranks[:end]
        shown = ranks[n_ranked:]
        spots = (places[0], street, lon, lat, places[1])
        matrix = facts(shown, arrive_s, by_line, fixed_at_s, spots, clock)
    else:
        matrix = np.empty((0, 6))
    return row, path, base, arrive_s, bits, by_line, turnout_s, ranks, counts, matrix
