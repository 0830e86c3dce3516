"""What the event loop reads and writes, as columns: jobs, units, events that wait, what was done.

What lives here: the groups of columns, and how they begin. What does not: what happens
(`fleet_kernel`, `event_loop`). Named tuples, because compiled code takes them as they are.

Instants are seconds since 1970 in UTC; NaN is not yet, or never. A place is (street, fraction,
ways), as in `routing.places`.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.snap import Positions

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Reals = NDArray[np.float64]
Codes = NDArray[np.int8]
Ways = NDArray[np.uint8]
Flags = NDArray[np.bool_]

# How a job is decided.
ALONE: Final = 0
"""By the loop: the nearest police that qualify."""
ASK: Final = 1
"""By `recommend`: the loop stops for it."""
OFFICER: Final = 2
"""By the loop; the officer asks for CARE once on scene, and the loop stops for that."""
PAIR: Final = 3
"""By the loop: the nearest CARE and the nearest police, both or neither; for comparisons with
exact models, where nothing else of a decision counts."""

# What became of a job.
COMING: Final = 0
QUEUED: Final = 1
TAKEN: Final = 2
LOST: Final = 3

ROUTE_EDGES_MAX: Final = 1024
"""A way home of more edges is not driven: the unit stays."""


class Jobs(NamedTuple):
    """Everything that comes in, in the order of the instants at which it is decided, (n_jobs,)."""

    at_s: Reals
    kind: Codes
    priority: Ints
    """1 is the highest."""
    units: Codes
    """Police that it needs."""
    stay_s: Reals
    """How long police stay from their own arrival; of an OFFICER job: until the officer asks."""
    care_stay_s: Reals
    """How long CARE stays; PAIR alone."""
    street: Ints
    fraction: Reals
    ways: Ways
    """The place on the streets, as a target."""
    lon: Reals
    lat: Reals
    on_street: Flags
    """Whether a street is near enough; else arrivals are those of a straight line."""
    rest_street: Ints
    rest_fraction: Reals
    rest_ways: Ways
    """Where a unit stands that went there."""
    sector: Ints
    precinct: Ints
    """Numbers, -1 where nobody knows."""
    state: Codes
    """COMING, QUEUED, TAKEN or LOST."""
    dispatched_s: Reals
    arrived_s: Reals
    """The first police on scene; of a PAIR the later of both."""
    unit: Ints
    """The first police unit, -1 before."""


class Units(NamedTuple):
    """The fleet, in the order of the roster, (n_units,)."""

    agency: Codes
    status: Codes
    crew: Ints
    claimed: Flags
    shift_end_s: Reals
    skills: Longs
    since_s: Reals
    """Available since, and with another status since when it has that."""
    sector: Ints
    precinct: Ints
    posting: Codes
    """1 returns to its post, 0 stays."""
    post: Ints
    street: Ints
    fraction: Reals
    ways: Ways
    lon: Reals
    lat: Reals
    snap_m: Reals
    source: Codes
    rest_street: Ints
    rest_fraction: Reals
    rest_ways: Ways
    """Where it will stand when it clears."""
    rows: Ints
    """(n_units, width) labels."""
    bases: Ints
    order: Ints
    """Units in the order in which the tree enters their bases."""
    entered: Ints
    """Where it does, in that order."""
    job: Ints
    """-1 without one."""
    token: Longs
    """Events of a unit with another token are no longer true."""
    log_row: Longs
    duty_row: Longs
    off_due: Flags
    """Its shift is over, and it goes when it clears."""
    break_due_s: Reals
    """A break that it takes when it clears; 0 is none."""
    home_begin_s: Reals
    """When it set out for its post; NaN when it is not under way."""
    home_edges: Ints
    """Edges of its way home."""
    home_edge: Ints
    """(n_units, ROUTE_EDGES_MAX)."""
    home_ms: Ints
    """(n_units, ROUTE_EDGES_MAX) milliseconds until each edge is left."""
    home_share: Reals
    """(n_units, 2) shares of the first and the last edge at which the way begins and ends."""


class Posts(NamedTuple):
    """Where units stand when nothing is on, (n_posts,), with their labels as targets."""

    street: Ints
    fraction: Reals
    ways: Ways
    rows: Ints
    """(n_posts, width)."""
    paths: Ints
    """(n_posts, 2, width); the first `depths` entries count."""
    depths: Ints


class Shifts(NamedTuple):
    """When units come on duty, go, and break, in the order of time, (n_changes,)."""

    at_s: Reals
    unit: Ints
    kind: Codes
    """BEGIN, END or BREAK."""
    value_s: Reals
    """BEGIN: when the shift ends; BREAK: how long it is."""


BEGIN: Final = 0
END: Final = 1
BREAK: Final = 2


class Heap(NamedTuple):
    """Events that wait."""

    at_s: Reals
    number: Longs
    """In the order in which they were pushed, for events of one instant."""
    kind: Codes
    subject: Ints
    token: Longs


class Log(NamedTuple):
    """What every unit did, in the order in which it was begun."""

    unit: Ints
    job: Ints
    """Or ON_BREAK, ON_DUTY."""
    begin_s: Reals
    arrive_s: Reals
    end_s: Reals
    from_street: Ints
    from_fraction: Reals
    from_home: Flags
    """It was under way to its post."""


ON_BREAK: Final = -2
ON_DUTY: Final = -3

# Registers: single numbers that the loop keeps.
NEXT_JOB: Final = 0
NEXT_SHIFT: Final = 1
HEAP_SIZE: Final = 2
PUSHED: Final = 3
LOGGED: Final = 4
WAITING: Final = 5
HELD_FOR_CARE: Final = 6
HELD_FOR_SPD: Final = 7
SUBJECT: Final = 8
SERVE_FIRST: Final = 9
"""1: units may have become free that the queue has not seen."""
HEAP_FULL: Final = 10
N_REGISTERS: Final = 12


class Rules(NamedTuple):
    """The policy's figures for police jobs, see `candidates_kernel.survey`."""

    refuse_m: float
    ms_per_m: float
    unknown_ms: int
    start_ms: int
    guard_s: float
    turnout_care_s: int
    turnout_spd_s: int
    crew_care: int
    crew_spd: int
    scope: int
    """0 anywhere, 1 the precinct, 2 the sector."""
    keeps_reserve: bool
    queues: bool
    """False: who finds nobody is lost."""


class Run(NamedTuple):
    """All columns of one run; those of the streets change with the weights."""

    jobs: Jobs
    units: Units
    posts: Posts
    shifts: Shifts
    heap: Heap
    log: Log
    queue: Ints
    """(n_jobs,) jobs that wait, the first to be served first; WAITING of them."""
    reserve: Ints
    """(n_sectors,) units that a sector keeps back."""
    registers: Longs


def positions_now(units: Units) -> Positions:
    """Return where units are, as of when they were settled."""
    return Positions(
        street=units.street, fraction=units.fraction, leaves=units.ways, lon=units.lon,
        lat=units.lat, distance_m=units.snap_m, side=np.zeros(len(units.status), np.int8),
    )  # fmt: skip
