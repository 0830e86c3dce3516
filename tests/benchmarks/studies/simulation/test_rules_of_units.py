"""Shifts, breaks, the way home, scope and reserve of police: each in a scene computed by hand."""

import numpy as np
import pytest

from benchmarks.studies.scenario import Posting
from routing.policy import SpdScope
from tests.benchmarks.studies.simulation.hand_scenes import happens, hours, job, spd

NEVER = pytest.approx(np.nan, nan_ok=True)
STAY = {"posting": Posting.STAY}

# -- shifts ---------------------------------------------------------------------------------------


def test_nobody_is_sent_before_a_shift_begins_and_the_queue_is_served_when_it_does() -> None:
    found = happens([spd(0.5, shifts=hours(11, 15))], [job(30, 1.5)])
    assert found.job_sent_min() == [60]


def test_nobody_is_sent_after_a_shift_ends_until_the_next_one() -> None:
    shifts = (*hours(8, 11), *hours(12, 15))
    found = happens([spd(0.5, shifts=shifts)], [job(59, 0.5), job(90, 1.5)])
    assert found.job_sent_min() == [59, 120]


def test_who_is_busy_at_the_end_of_a_shift_goes_home_when_the_job_is_done() -> None:
    late = [job(50, 0.5, stay_s=1800), job(79, 1.5)]
    found = happens([spd(0.5, shifts=hours(8, 11))], late)
    assert found.job_sent_min() == [50, NEVER]
    assert found.result.on_duty_s.tolist() == [3 * 3600], "overtime is not on duty"
    assert found.result.busy_s.tolist() == [1800], "but busy"


def test_who_is_busy_until_its_next_shift_goes_on_and_is_free_when_the_job_is_done() -> None:
    shifts = (*hours(8, 11), *hours(12, 15))
    jobs = [job(50, 0.5, stay_s=7200), job(125, 0.5, stay_s=60), job(175, 0.5)]
    found = happens([spd(0.5, shifts=shifts)], jobs)
    assert found.job_sent_min() == [50, 170, 175], "10:50 to 12:50, on duty again since 12:00"


def test_the_crew_that_relieves_takes_the_unit_where_it_is() -> None:
    jobs = [job(50, 3.5, stay_s=300), job(70, 2.5)]
    relieved = happens([spd(0.5, shifts=(*hours(8, 11), *hours(11, 15)), **STAY)], jobs)
    apart = happens([spd(0.5, shifts=(*hours(8, 11), (hours(11, 15)[0])), **STAY)], [jobs[1]])
    assert relieved.job_drives_s() == [300, 100], "from where it stood"
    assert apart.job_drives_s() == [200], "from its post"
    assert relieved.result.on_duty_s.tolist() == [7 * 3600]


def test_a_new_shift_begins_at_the_post() -> None:
    shifts = (*hours(8, 11), *hours(12, 15))
    found = happens([spd(0.5, shifts=shifts, **STAY)], [job(50, 3.5, stay_s=60), job(125, 3.5)])
    assert found.job_drives_s() == [300, 300]


def test_near_the_end_of_a_shift_a_unit_goes_last_but_it_goes() -> None:
    teams = [spd(1.5, shifts=hours(8, 12)), spd(3.5, shifts=hours(8, 16))]
    assert happens(teams, [job(90, 1.5)], shift_guard_s=1800).job_units() == [0], "11:30 is early"
    found = happens(teams, [job(91, 1.5), job(92, 1.5)], shift_guard_s=1800)
    assert found.job_units() == [1, 0], "the far one, and then the near one as the last resort"
    assert happens(teams, [job(91, 1.5)], shift_guard_s=0).job_units() == [0]


# -- breaks ---------------------------------------------------------------------------------------


def test_nobody_is_sent_in_a_break() -> None:
    jobs = [job(30, 1.5), job(65, 1.5), job(140, 1.5)]
    found = happens([spd(0.5, shifts=hours(8, 15, break_min=60))], jobs)
    assert found.job_sent_min() == [30, 120, 140], "it lasts from 11:00 to 12:00"


def test_a_break_is_put_off_until_the_call_is_done() -> None:
    found = happens(
        [spd(0.5, shifts=hours(8, 15, break_min=60))], [job(55, 0.5, stay_s=900), job(75, 0.5)]
    )
    assert found.job_sent_min() == [55, 70 + 60], "an hour after 11:10, when the first is done"


def test_a_break_counts_as_duty_and_not_as_busy() -> None:
    found = happens([spd(0.5, shifts=hours(8, 15, break_min=60))], [job(125, 0.5, stay_s=600)])
    assert found.result.on_duty_s.tolist() == [7 * 3600]
    assert found.result.busy_s.tolist() == [600]


def test_a_break_that_is_due_ends_with_the_shift() -> None:
    shifts = (*hours(8, 15, break_min=60), *hours(16, 20))
    jobs = [job(59, 0.5, stay_s=5 * 3600), job(361, 0.5, stay_s=60), job(363, 0.5)]
    found = happens([spd(0.5, shifts=shifts)], jobs)
    assert found.job_sent_min() == [59, 361, 363]


# -- the way home ---------------------------------------------------------------------------------


def second_drive_s(after_s: float, blocks: float, **more: object) -> float:
    """Return the drive to a second job, so long after a first one three blocks away is done.

    The first is at 3.5; the unit of 0.5 is there after 300 s and clears at 10:10.
    """
    jobs = [job(0, 3.5, stay_s=300), job(10 + after_s / 60, blocks)]
    return happens([spd(0.5, **more)], jobs).job_drives_s()[1]


@pytest.mark.parametrize(
    ("after_s", "blocks", "drive_s"),
    [(0, 1.5, 200), (150, 1.5, 50), (100, 0.5, 200), (200, 0.0, 150), (400, 3.5, 300)],
)
def test_who_drives_home_is_sent_from_where_it_is(
    after_s: float, blocks: float, drive_s: float
) -> None:
    assert second_drive_s(after_s, blocks) == drive_s
    stays = abs(blocks - 3.5) * 100
    assert second_drive_s(after_s, blocks, **STAY) == stays


def test_who_drives_turns_round_at_the_next_corner_and_not_before() -> None:
    assert second_drive_s(70, 2.9) == 170, "at 2.8 towards 2, then back to 2.9"
    assert second_drive_s(70, 2.7) == 10


def test_a_unit_on_its_way_home_may_be_nearer_than_one_at_its_post() -> None:
    teams = [spd(0.5), spd(0.0)]
    jobs = [job(0, 3.5, stay_s=300), job(12, 1.5)]
    assert happens(teams, jobs).job_units() == [0, 0], "at 2.3, while the other is 150 s away"


# -- scope and reserve ----------------------------------------------------------------------------

WEST, EAST = 0.5, 3.5
"""In sector K and in sector M, both of the precinct WEST; a post of sector X is of EAST."""


@pytest.mark.parametrize(
    ("scope", "sent_min"),
    [(SpdScope.ANY, [0, 1]), (SpdScope.PRECINCT, [0, 1]), (SpdScope.SECTOR, [0, 20])],
)
def test_police_of_another_sector_go_where_the_policy_lets_them(
    scope: SpdScope, sent_min: list[float]
) -> None:
    teams = [spd(WEST, sector="K"), spd(EAST, sector="M")]
    found = happens(teams, [job(0, WEST, stay_s=1200), job(1, WEST)], spd_scope=scope)
    assert found.job_sent_min() == sent_min


def test_police_of_another_precinct_stay_there() -> None:
    teams = [spd(WEST, sector="K"), spd(EAST, sector="X"), spd(EAST + 0.5)]
    jobs = [job(0, WEST, stay_s=1200), job(1, WEST, stay_s=3600), job(2, WEST)]
    found = happens(teams, jobs, spd_scope=SpdScope.PRECINCT)
    assert found.job_units() == [0, 2, 0], "a unit without a sector goes anywhere"
    assert found.job_sent_min() == [0, 1, 20]


@pytest.mark.parametrize(("kept", "sent_min"), [(0, [0, 1, 2]), (1, [0, 1, 20]), (2, [0, 20, 79])])
def test_a_sector_keeps_its_reserve(kept: int, sent_min: list[float]) -> None:
    teams = [spd(WEST, WEST, WEST, sector="K")]
    jobs = [job(0, WEST, stay_s=1200), job(1, WEST, stay_s=3540), job(2, WEST, stay_s=60)]
    found = happens(teams, jobs, reserve_per_sector=kept)
    assert found.job_sent_min() == sent_min


def test_a_reserve_is_of_its_own_sector() -> None:
    teams = [spd(WEST, sector="K"), spd(EAST, EAST, sector="M")]
    found = happens(teams, [job(0, WEST)], reserve_per_sector=1)
    assert found.job_units() == [1], "the only one of K is kept back, M has two"
    other = happens(teams, [job(0, WEST)], reserve_per_sector=0, reserve_of_sector={"M": 2})
    assert other.job_units() == [0]


# -- jobs that wait -------------------------------------------------------------------------------


def test_urgent_jobs_go_first_and_a_job_for_two_does_not_hold_up_one_for_one() -> None:
    jobs = [
        job(0, 0.5, stay_s=1200), job(1, 0.5, priority=3), job(2, 0.5, priority=1, units=2),
        job(3, 0.5, priority=2),
    ]  # fmt: skip
    found = happens([spd(0.5)], jobs)
    assert found.job_sent_min() == [0, 30, NEVER, 20]
