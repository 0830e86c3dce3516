"""How long things take, drawn for every call before anything happens.

What lives here: `CareDraws`, `care_draws`, `police_stays`. What does not: calls themselves
(`demand_making`).

Call k has the same durations whatever units, hours or policies there are, so that two scenarios
with one seed differ by what was changed alone (common random numbers). Every purpose has its own
counter-based stream (Philox).
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.scenario import Durations

Reals = NDArray[np.float64]


class Drawn(IntEnum):
    """What a stream is drawn for; numbers never change."""

    DISPATCH_DELAY = 101
    ASKING = 102
    SCENE_SAFE = 103
    CARE = 104
    TRANSPORT = 105
    FACILITY = 106
    WITHOUT_CARE = 107
    POLICE_JOB = 108
    TRANSPORT_DRIVE = 109


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CareDraws:
    """Durations of each CARE call, (n_calls,) seconds."""

    delay_s: Reals
    """Queued to decided."""
    asking_s: Reals
    """An officer's arrival to asking for CARE."""
    scene_safe_s: Reals
    care_s: Reals
    """CARE on scene, from when the scene is safe."""
    is_transport: NDArray[np.bool_]
    transport_drive_s: Reals
    """Where no facility is told."""
    facility_s: Reals
    without_care_s: Reals
    """Police on scene when CARE does not come."""


def replication_seed(seed: int, replication: int) -> int:
    """Return the seed of one replication."""
    return int(np.random.SeedSequence([seed, replication]).generate_state(1)[0])


def care_draws(durations: Durations, seed: int, n: int) -> CareDraws:
    """Return the durations of n calls."""

    def drawn(purpose: Drawn, mean_s: float) -> Reals:
        return gamma(seed, purpose, mean_s, durations.shape, n)

    return CareDraws(
        delay_s=drawn(Drawn.DISPATCH_DELAY, durations.dispatch_delay_s),
        asking_s=drawn(Drawn.ASKING, durations.dispatch_delay_s),
        scene_safe_s=drawn(Drawn.SCENE_SAFE, durations.scene_safe_s),
        care_s=drawn(Drawn.CARE, durations.care_on_scene_s),
        is_transport=_stream(seed, Drawn.TRANSPORT).random(n) < durations.transport_share,
        transport_drive_s=drawn(Drawn.TRANSPORT_DRIVE, durations.transport_drive_s),
        facility_s=drawn(Drawn.FACILITY, durations.facility_s),
        without_care_s=drawn(Drawn.WITHOUT_CARE, durations.spd_without_care_s),
    )


def police_stays(durations: Durations, seed: int, n: int) -> Reals:
    """Return how long police stay on scene at each of n background jobs, (n,) seconds."""
    return gamma(seed, Drawn.POLICE_JOB, durations.police_job_s, durations.shape, n)


def gamma(seed: int, purpose: Drawn, mean: float, shape: float, n: int) -> Reals:
    """Return n draws of a gamma distribution with a mean and a shape; a mean of 0 gives zeros."""
    return _stream(seed, purpose).gamma(shape, mean / shape, n) if mean else np.zeros(n)


def _stream(seed: int, purpose: Drawn) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, int(purpose)])))
