"""The pair as a loss system: calls that need a CARE and an SPD unit at once, beside police jobs.

What lives here: the exact equilibrium of its Markov chain. What does not: queues, hours, streets.

State: CARE units busy, SPD units busy on calls of the pair, SPD units busy on jobs. A call of the
pair takes one of each kind together and each leaves after a time of its own; a job takes one SPD
unit. What finds too few free is lost. All times are exponential. Arrivals see the equilibrium
(PASTA: Wolff, Operations Research 30 (1982) 223-231), so lost shares are chances of states.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.sparse import lil_array
from scipy.sparse.linalg import spsolve


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoTypes:
    """What comes in, and who there is."""

    care_units: int
    spd_units: int
    pairs_per_s: float
    """Calls that need both."""
    jobs_per_s: float
    """Jobs that need one SPD unit."""
    care_s: float
    """Mean seconds that CARE is busy with a call."""
    spd_s: float
    """Mean seconds that SPD is busy with a call of the pair."""
    job_s: float
    """Mean seconds of a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What happens in the long run."""

    pairs_lost: float
    """Share of calls that are lost."""
    jobs_lost: float
    """Share of jobs that are lost."""
    care_busy: float
    """Mean number of CARE units that are busy."""
    spd_busy: float
    """Mean number of SPD units that are busy."""


State = tuple[int, int, int]


def losses_of(system: TwoTypes) -> Losses:
    """Return the exact long-run losses and busy units."""
    states = [
        (care, pair, job)
        for care, pair, job in product(
            range(system.care_units + 1), range(system.spd_units + 1), range(system.spd_units + 1)
        )
        if pair + job <= system.spd_units
    ]
    number = {state: place for place, state in enumerate(states)}
    balance = lil_array((len(states), len(states)))
    for state in states:
        for rate, to in _moves(system, state):
            balance[number[to], number[state]] += rate
            balance[number[state], number[state]] -= rate
    balance[0, :] = 1.0
    wanted = np.zeros(len(states))
    wanted[0] = 1.0
    chance = np.maximum(spsolve(balance.tocsc(), wanted), 0.0)
    care, pair, job = np.array(states).T
    spd_full = pair + job == system.spd_units
    return Losses(
        pairs_lost=float(chance[spd_full | (care == system.care_units)].sum()),
        jobs_lost=float(chance[spd_full].sum()),
        care_busy=float(chance @ care),
        spd_busy=float(chance @ (pair + job)),
    )


def _moves(system: TwoTypes, state: State) -> list[tuple[float, State]]:
    """Return the rates, a second, at which a state is left, and to where."""
    care, pair, job = state
    moves = [
        (care / system.care_s, (care - 1, pair, job)),
        (pair / system.spd_s, (care, pair - 1, job)),
        (job / system.job_s, (care, pair, job - 1)),
    ]
    if pair + job < system.spd_units:
        moves.append((system.jobs_per_s, (care, pair, job + 1)))
        if care < system.care_units:
            moves.append((system.pairs_per_s, (care + 1, pair + 1, job)))
    return [(rate, to) for rate, to in moves if rate > 0]
