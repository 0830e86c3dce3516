"""The event loop: jobs arrive, units go, arrive and clear; it stops where a person would decide.

What lives here: `advance` and what the caller may do between (`enqueue`, `timer`). What does not:
decisions about CARE calls, which are `recommend`'s and the caller's.
"""

from typing import Final

import numpy as np

from benchmarks.studies.simulation.choice_kernel import CARE, pick
from benchmarks.studies.simulation.event_heap import (
    CLEAR,
    OFFICER_ASKS,
    TIMER,
    pop,
    push,
)
from benchmarks.studies.simulation.fleet_kernel import (
    AVAILABLE,
    BUSY,
    OFF_DUTY,
    OUT_OF_SERVICE,
    anyone_moves,
    back_from_break,
    clear_at,
    done,
    join_duty,
    leave_duty,
    rest,
    settle,
    take,
)
from benchmarks.studies.simulation.run_columns import (
    ASK,
    BEGIN,
    BREAK,
    HEAP_SIZE,
    HELD_FOR_CARE,
    HELD_FOR_SPD,
    LOST,
    NEXT_JOB,
    NEXT_SHIFT,
    OFFICER,
    PAIR,
    QUEUED,
    SERVE_FIRST,
    SUBJECT,
    TAKEN,
    WAITING,
    Longs,
    Reals,
    Rules,
    Run,
)
from geodata.compiled import njit
from routing.call_kernel import Streets, Ways

# Why the loop stopped.
DONE: Final = 0
ASKED: Final = 1
"""A call is to be decided; SUBJECT is its job."""
OFFICER_ASKED: Final = 2
"""An officer on scene asks for CARE; SUBJECT is the job."""
FREED: Final = 3
"""A unit is free while calls are held for its kind."""
TIME: Final = 4
"""A timer of the caller; SUBJECT is its number."""


@njit
def enqueue(run: Run, job: int) -> None:
    """Let a job wait: behind those of its priority that came before it."""
    queue, jobs, registers = run.queue, run.jobs, run.registers
    place = registers[WAITING]
    registers[WAITING] = place + 1
    while place > 0:
        other = queue[place - 1]
        if (jobs.priority[other], other) <= (jobs.priority[job], job):
            break
        queue[place] = other
        place -= 1
    queue[place] = job
    jobs.state[job] = QUEUED


@njit
def timer(run: Run, at_s: float, number: int) -> None:
    """Let the loop stop at an instant with TIME."""
    push(run.heap, run.registers, at_s, TIMER, number, 0)


@njit
def serve(run: Run, job: int, now_s: float, streets: Streets, rules: Rules) -> bool:
    """Send the units that a job needs, all or none; return whether they went."""
    jobs, units = run.jobs, run.units
    # Both as the same wide kind of number, so that compiled code may take either by its place.
    needed = (0 + (jobs.kind[job] == PAIR), 0 + jobs.units[job])
    rows, arrivals_s = pick(run, job, needed, now_s, streets, rules)
    if len(rows) == 0:
        return False
    jobs.state[job], jobs.dispatched_s[job] = TAKEN, now_s
    jobs.unit[job] = rows[needed[0]]
    jobs.arrived_s[job] = arrivals_s.max() if needed[0] else arrivals_s.min()
    for i in range(len(rows)):
        unit, arrive_s = rows[i], arrivals_s[i]
        take(run, unit, job, now_s, arrive_s)
        units.status[unit] = BUSY
        stay_s = jobs.care_stay_s[job] if units.agency[unit] == CARE else jobs.stay_s[job]
        if jobs.kind[job] == OFFICER:
            push(run.heap, run.registers, arrive_s + stay_s, OFFICER_ASKS, job, 0)
        else:
            clear_at(run, unit, arrive_s + stay_s)
    return True


@njit
def serve_queue(run: Run, now_s: float, streets: Streets, ways: Ways, rules: Rules) -> None:
    """Send units to jobs that wait, the first in the queue first, as far as units are free."""
    registers, queue = run.registers, run.queue
    registers[SERVE_FIRST] = 0
    if registers[WAITING] == 0:
        return
    if anyone_moves(run.units.home_begin_s, now_s):
        settle(run, now_s, streets, ways)
    place = 0
    while place < registers[WAITING]:
        if not (run.units.status == AVAILABLE).any():
            return
        # As wide a number as in `_arrive`, so that `serve` and all beneath are compiled once.
        if serve(run, 0 + queue[place], now_s, streets, rules):
            for i in range(place, registers[WAITING] - 1):
                queue[i] = queue[i + 1]
            registers[WAITING] -= 1
        else:
            place += 1


@njit
def _arrive(run: Run, job: int, now_s: float, streets: Streets, ways: Ways, rules: Rules) -> None:
    if anyone_moves(run.units.home_begin_s, now_s):
        settle(run, now_s, streets, ways)
    if serve(run, job, now_s, streets, rules):
        return
    if rules.queues:
        enqueue(run, job)
    else:
        run.jobs.state[job] = LOST


@njit
def _change_shift(run: Run, change: int, streets: Streets, ways: Ways) -> int:
    """Begin or end a shift or a break; return the unit that is free now, or -1."""
    shifts, units = run.shifts, run.units
    unit, now_s, value_s = 0 + shifts.unit[change], shifts.at_s[change], shifts.value_s[change]
    status = units.status[unit]
    if shifts.kind[change] == BEGIN:
        return unit if join_duty(run, unit, now_s, value_s, streets, ways) else -1
    if status == OFF_DUTY:
        return -1
    if shifts.kind[change] == BREAK:
        if status == AVAILABLE:
            rest(run, unit, now_s, value_s)
        elif status != OUT_OF_SERVICE:
            units.break_due_s[unit] = value_s
    elif status == AVAILABLE:
        leave_duty(run, unit, now_s)
    else:
        units.off_due[unit] = True
    return -1


@njit
def _happen(run: Run, now_s: float, streets: Streets, ways: Ways) -> tuple[int, int]:
    """Take the next event that waits; return why to stop, or DONE, and the unit that is free."""
    kind, subject, token = pop(run.heap, run.registers)
    if kind in (OFFICER_ASKS, TIMER):
        run.registers[SUBJECT] = subject
        return OFFICER_ASKED if kind == OFFICER_ASKS else TIME, -1
    if token != run.units.token[subject]:
        return DONE, -1
    if kind == CLEAR:
        return DONE, subject if done(run, subject, now_s, streets, ways) else -1
    return DONE, subject if back_from_break(run, subject, now_s, streets, ways) else -1


@njit
def _next(
    registers: Longs, heap_at_s: Reals, shift_at_s: Reals, job_at_s: Reals
) -> tuple[int, float]:
    """Return what comes next (0 an event that waits, 1 a change of shift, 2 a job) and when."""
    which, at_s = 0, np.inf
    if registers[HEAP_SIZE] > 0:
        at_s = heap_at_s[0]
    change, job = registers[NEXT_SHIFT], registers[NEXT_JOB]
    if change < len(shift_at_s) and shift_at_s[change] < at_s:
        which, at_s = 1, shift_at_s[change]
    if job < len(job_at_s) and job_at_s[job] < at_s:
        which, at_s = 2, job_at_s[job]
    return which, at_s


@njit
def advance(
    run: Run, now_s: float, until_s: float, streets: Streets, ways: Ways, rules: Rules
) -> tuple[int, float]:
    """Let time pass until somebody has to decide, or the end; return why it stopped, and when.

    At one instant units clear first, then shifts change, then jobs arrive.
    """
    # Each column of a tuple that a kernel is given is counted up and down: `_next` gets four.
    registers = run.registers
    heap_at_s, shift_at_s, job_at_s = run.heap.at_s, run.shifts.at_s, run.jobs.at_s
    if registers[SERVE_FIRST]:
        serve_queue(run, now_s, streets, ways, rules)
    while True:
        which, at_s = _next(registers, heap_at_s, shift_at_s, job_at_s)
        if at_s > until_s or at_s == np.inf:
            return DONE, until_s
        now_s, freed = at_s, -1
        if which == 0:
            why, freed = _happen(run, now_s, streets, ways)
            if why != DONE:
                return why, now_s
        elif which == 1:
            freed = _change_shift(run, registers[NEXT_SHIFT], streets, ways)
            registers[NEXT_SHIFT] += 1
        else:
            job = registers[NEXT_JOB]
            registers[NEXT_JOB] += 1
            if run.jobs.kind[job] == ASK:
                registers[SUBJECT] = job
                return ASKED, now_s
            _arrive(run, job, now_s, streets, ways, rules)
        if freed >= 0:
            held = HELD_FOR_CARE if run.units.agency[freed] == CARE else HELD_FOR_SPD
            if registers[held] > 0:
                registers[SERVE_FIRST] = 1
                return FREED, now_s
            if registers[WAITING] > 0:
                serve_queue(run, now_s, streets, ways, rules)
