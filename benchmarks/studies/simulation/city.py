"""A city through time: calls come, `recommend()` decides those of CARE, the event loop the others.

    outcome = City(world, incoming_of(world, replication=3)).run()

What lives here: `City`, which stands where dispatchers stand: it asks the service's own decision
for every CARE call, holds those that have to wait, and tells units when they are done. What does
not: what units do by themselves (`event_loop`), and what the outcome means (`measures`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.coverage.hours import hours_of
from benchmarks.studies.demand import CARE_OFFICER, Calls
from benchmarks.studies.simulation.care_calls import (
    OPEN,
    POLICE_ALONE,
    REFUSED,
    SENT,
    CareCall,
)
from benchmarks.studies.simulation.event_loop import (
    ASKED,
    DONE,
    FREED,
    OFFICER_ASKED,
    TIME,
    advance,
    enqueue,
    serve,
    timer,
)
from benchmarks.studies.simulation.fleet import Sectors, fleet_of, scope_code, sectors_of
from benchmarks.studies.simulation.fleet_kernel import (
    BUSY,
    clear_at,
    relabel,
    settle,
    take,
)
from benchmarks.studies.simulation.incoming import Incoming
from benchmarks.studies.simulation.left_behind import LeftBehind
from benchmarks.studies.simulation.run_columns import (
    ALONE,
    ASK,
    HEAP_FULL,
    HELD_FOR_CARE,
    HELD_FOR_SPD,
    OFFICER,
    SUBJECT,
    TAKEN,
    Rules,
    Run,
    positions_now,
)
from benchmarks.studies.simulation.run_making import GivenJobs, new_run
from benchmarks.studies.world import World, some_of
from geodata.driving_time import UNREACHABLE_MS
from geodata.snap import COLUMN_TYPES, NO_STREET, Position, Positions
from routing.answer import Assignment, Recommendation
from routing.codes import Agency, Answer, Explain, GateOutcome, HoldReason, Origin, Outcome, Status
from routing.model import (
    AssignedUnit,
    Incident,
    IncidentId,
    Location,
    Options,
    Placement,
    Screening,
    Situation,
    UnitId,
)
from routing.policy import OnNoCare, Policy
from routing.recommend import recommend
from routing.travel_time import TravelTimes, UnitLabels

POLICE_PRIORITY: Final = 3
"""Of calls whose priority nobody knows: most of the 2024 sample's welfare checks have it."""
SHORT: Final = Options(alternatives=0, explain=Explain.NONE)
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CityOutcome:
    """All that happened in one replication."""

    care: Calls
    calls: tuple[CareCall, ...]
    police: Calls | None
    police_jobs: NDArray[np.int64]
    """Rows of `run.jobs` of the police jobs."""
    without_care_s: Reals
    """How long police would have stayed at each CARE call had CARE not come."""
    run: Run
    duty: tuple[tuple[tuple[float, float], ...], ...]
    count_s: tuple[float, float]
    """From the end of the warm-up to the end."""


class City:
    """One replication of a world, in which this comes in."""

    def __init__(self, world: World, incoming: Incoming) -> None:
        self.world, self.durations = world, world.scenario.durations
        period = incoming.period
        self.begin_s, self.count_s, self.end_s = period.begin_s, period.count_s, period.end_s
        self.care, self.police, self.draws = incoming.care, incoming.police, incoming.draws
        self.police_stay_s = incoming.police_stay_s
        self.zone = world.release.city_policy.window.zone
        self.policy = world.release.city_policy
        self.rules = _rules(self.policy, world.times_at(0))
        self.left = LeftBehind(world, self.care)
        self.held: dict[int, CareCall] = {}
        self._make()

    # -- before anything happens ------------------------------------------------------------------

    def _make(self) -> None:
        sectors = sectors_of(self.world, self.policy)
        self.fleet = fleet_of(self.world, sectors, self.begin_s, self.end_s)
        self.segments = list(self._segments())
        jobs, care_jobs, self.police_jobs = self._jobs(sectors)
        times = self.world.times_at(self.segments[0][2])
        self.run_columns = new_run(jobs, self.fleet.given, sectors.reserve, times)
        self.calls = tuple(
            CareCall(row=row, job=job, outcome=OPEN) for row, job in enumerate(care_jobs.tolist())
        )
        self.call_of_job = {call.job: call for call in self.calls}
        self.facility = self._facility()
        self._template = self.fleet.roster
        n = len(self._template)
        self._zeros = np.zeros(n, np.int8)
        self._never, self._false = np.full(n, np.nan), np.zeros(n, np.bool_)

    def _segments(self) -> Iterator[tuple[float, float, int]]:
        """Yield spans of equal drive times: begin, end and an hour of the week that has them."""
        hours_s = np.arange(self.begin_s, self.end_s, 3600.0)
        hours = hours_of(self.world.release, hours_s + 1.0)
        known = {hour: self.world.times_at(hour).weights_id for hour in sorted(set(hours.tolist()))}
        begin = 0
        for i in range(1, len(hours) + 1):
            if i == len(hours) or known[int(hours[i])] != known[int(hours[begin])]:
                end_s = self.end_s if i == len(hours) else float(hours_s[i])
                yield float(hours_s[begin]), end_s, int(hours[begin])
                begin = i

    def _jobs(self, sectors: Sectors) -> tuple[GivenJobs, NDArray[np.int64], NDArray[np.int64]]:
        """Return all jobs in the order of their instants, and where CARE's and the police's are."""
        care, police = self.care, self.police
        is_officer = care.kind == CARE_OFFICER
        parts = [care] if police is None else [care, police]
        at_s = np.concatenate([care.at_s + self.draws.delay_s, *(p.at_s for p in parts[1:])])
        order = np.argsort(at_s, kind="stable")
        n, n_care = len(order), len(care)
        kind = np.full(n, ALONE, np.int8)
        kind[:n_care] = np.where(is_officer, OFFICER, ASK)
        stay_s = np.zeros(n)
        stay_s[:n_care] = self.draws.asking_s
        if police is not None:
            stay_s[n_care:] = self.police_stay_s
        priority = np.concatenate([p.priority for p in parts]).astype(np.int32)
        at = _joined([p.positions for p in parts], order)
        lon, lat = (np.concatenate([getattr(p, name) for p in parts]) for name in ("lon", "lat"))
        sector, precinct = self._areas(sectors, lon, lat)
        place = np.empty(n, np.int64)
        place[order] = np.arange(n)
        jobs = GivenJobs(
            at_s=at_s[order],
            kind=kind[order],
            priority=np.where(priority > 0, priority, POLICE_PRIORITY)[order],
            units=np.concatenate([p.units_needed for p in parts]).astype(np.int8)[order],
            stay_s=stay_s[order],
            care_stay_s=np.full(n, np.nan),
            lon=lon[order], lat=lat[order],
            targets=at,
            on_street=at.street != NO_STREET,
            rests=at,
            sector=sector[order], precinct=precinct[order],
        )  # fmt: skip
        return jobs, place[:n_care], place[n_care:]

    def _areas(
        self, sectors: Sectors, lon: Reals, lat: Reals
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the sector and precinct of each job, where the policy looks at them at all."""
        n = len(lon)
        beats, rules = self.world.beats, self.rules
        if beats is None or not (rules.scope or rules.keeps_reserve):
            return np.full(n, -1, np.int32), np.full(n, -1, np.int32)
        at = [sectors.of(beats.sector_at(*p)) for p in zip(lon.tolist(), lat.tolist(), strict=True)]
        found = np.array(at, np.int32).reshape(n, 2)
        return found[:, 0].copy(), found[:, 1].copy()

    def _facility(self) -> Position | None:
        told = self.durations.facility
        return None if told is None else self.world.streets.snap_incident(*told)

    def _facility_drive_s(self, row: int) -> float:
        """Return how long the drive to the facility takes from a call, by the times of now."""
        drawn_s, times = float(self.draws.transport_drive_s[row]), self.times
        if self.facility is None:
            return drawn_s
        here = times.unit_labels(some_of(self.care.positions, np.array([row])))
        drive_ms = int(times.drive_ms(here, self.facility)[0])
        return drawn_s if drive_ms >= UNREACHABLE_MS else drive_ms / 1000.0

    # -- time passes ------------------------------------------------------------------------------

    def run(self) -> CityOutcome:
        """Let all of the period pass."""
        run, before = self.run_columns, None
        for begin_s, end_s, hour in self.segments:
            self.situation = self.world.at_hour(hour)
            self.times = self.world.times_at(hour)
            self.columns = self.times.kernel_columns, self.times.walk_columns
            times = self.world.times_at(hour)
            self.left.drive_by(times)
            self.columns = times.kernel_columns, times.walk_columns
            if before is not None:
                settle(run, begin_s, *before)
                relabel(run, begin_s, *self.columns)
            before = self.columns
            self._pass(run, begin_s, end_s)
        settle(run, self.end_s, *self.columns)
        assert not run.registers[HEAP_FULL], "events were lost"
        return CityOutcome(
            care=self.care, calls=self.calls, police=self.police, police_jobs=self.police_jobs,
            without_care_s=self.draws.without_care_s, run=run, duty=self.fleet.duty,
            count_s=(self.count_s, self.end_s),
        )  # fmt: skip

    def _pass(self, run: Run, now_s: float, end_s: float) -> None:
        while True:
            why, now_s = advance(run, now_s, end_s, *self.columns, self.rules)
            if why == DONE:
                return
            settle(run, now_s, *self.columns)
            if why == FREED:
                self._look_again(now_s)
                continue
            subject = int(run.registers[SUBJECT])
            if why == TIME:
                self._timer(self.calls[subject], now_s)
                continue
            assert why in (ASKED, OFFICER_ASKED), why
            call = self.call_of_job[subject]
            if why == OFFICER_ASKED:
                unit = int(run.jobs.unit[subject])
                arrived_s = float(run.jobs.arrived_s[subject])
                call.on_call[Agency.SPD] = unit, float(run.jobs.dispatched_s[subject]), arrived_s
            call.asked_s = now_s
            self._decide(call, now_s)

    def _look_again(self, now_s: float) -> None:
        """Decide the calls that wait for units again: urgent first, then whoever waits longest."""
        waiting = [call for call in self.held.values() if call.missing]
        priority = self.run_columns.jobs.priority
        for call in sorted(waiting, key=lambda one: (priority[one.job], one.held_s, one.row)):
            self._decide(call, now_s)

    def _timer(self, call: CareCall, now_s: float) -> None:
        if call.row not in self.held:
            return
        if now_s >= call.waits_s + self.policy.escalate_after_s:
            self._end_hold(call, now_s)
            self._to_police(call, now_s, POLICE_ALONE)
        elif not call.missing:  # it has waited for the hours to begin
            self._decide(call, now_s)

    # -- one call ---------------------------------------------------------------------------------

    def _decide(self, call: CareCall, now_s: float) -> None:
        at = datetime.fromtimestamp(now_s, UTC)
        found = recommend(self._situation(now_s), self._incident(call, now_s), at, SHORT)
        call.mode = None if found.mode is None else str(found.mode)
        if found.outcome is Outcome.NOT_ELIGIBLE:
            failing = [g for g in found.gates if g.result is GateOutcome.FAIL]
            call.why = ";".join(str(g.code) for g in failing)
            self._end_hold(call, now_s)
            self._to_police(call, now_s, REFUSED)
        elif found.outcome is Outcome.DISPATCH:
            self._end_hold(call, now_s)
            self._send(call, found.assign, now_s)
            self._finish(call)
        else:
            self._hold(call, found, now_s)
        self._count_held()

    def _situation(self, now_s: float) -> Situation:
        """Return what a dispatcher sees: every unit as it is now, its position known."""
        units, plain = self.run_columns.units, self.situation
        assert plain.travel_times is not None, "a study has drive times"
        fixed_s = np.full(len(units.status), now_s)
        roster = replace(
            self._template, status=units.status.copy(), status_since_s=units.since_s.copy(),
            available_since_s=units.since_s.copy(), shift_end_s=units.shift_end_s.copy(),
            fixed_at_s=fixed_s, lon=units.lon.copy(), lat=units.lat.copy(),
        )  # fmt: skip
        roster.remember_skills(self._template)
        positions = positions_now(units)
        labels = UnitLabels(
            weights_id=plain.travel_times.weights_id, positions=positions, rows=units.rows,
            bases=units.bases, by_tree=(units.order, units.entered),
        )  # fmt: skip
        placement = Placement(
            source=self._zeros, lon=units.lon, lat=units.lat, discarded=self._false,
            positions=positions, labels=labels,
        )  # fmt: skip
        return replace(plain, roster=roster, placement=placement)

    def _incident(self, call: CareCall, now_s: float) -> Incident:
        """Return the call as the service is asked about it: screened, with NO to everything."""
        row, calls = call.row, self.care
        queued = datetime.fromtimestamp(calls.at_s.item(row), UTC)
        is_officer = calls.kind[row] == CARE_OFFICER
        held = None if call.held_s is None else datetime.fromtimestamp(call.held_s, UTC)
        return Incident(
            incident_id=IncidentId(calls.call_id[row]),
            received_at=queued, queued_at=queued,
            location=Location(lon=calls.lon.item(row), lat=calls.lat.item(row)),
            call_type=calls.call_type[row],
            priority=calls.priority.item(row) or None,
            origin=Origin.OFFICER if is_officer else Origin.CALL_911,
            screening=replace(_CLEAR, completed_at=queued),
            assigned=tuple(self._assigned(call, now_s)),
            held_since=held,
        )  # fmt: skip

    def _assigned(self, call: CareCall, now_s: float) -> Iterator[AssignedUnit]:
        for agency, (row, _, arrives_s) in sorted(call.on_call.items()):
            is_there = arrives_s <= now_s
            yield AssignedUnit(
                unit_id=UnitId(self._template.unit_id[row]),
                agency=agency,
                status=Status.ON_SCENE if is_there else Status.ENROUTE,
                on_scene_at=datetime.fromtimestamp(arrives_s, UTC) if is_there else None,
            )

    def _send(self, call: CareCall, assign: Sequence[Assignment], now_s: float) -> None:
        run = self.run_columns
        for one in assign:
            if one.already_assigned:
                continue
            row = self._template.row_of(one.unit_id)
            assert row is not None, one
            assert one.arrive_s is not None, one
            arrives_s = now_s + one.arrive_s
            take(run, row, call.job, now_s, arrives_s)
            run.units.status[row] = BUSY
            call.on_call[one.agency] = row, now_s, arrives_s
        call.left_share = self.left.share(run.units)

    def _finish(self, call: CareCall) -> None:
        """Tell the units of a call when each is done."""
        draws, row = self.draws, call.row
        care, spd = call.on_call.get(Agency.CARE), call.on_call.get(Agency.SPD)
        call.outcome = SENT
        self.run_columns.jobs.state[call.job] = TAKEN
        if care is None:  # police alone, by a policy that says so
            assert spd is not None, call
            self._clear(call, Agency.SPD, spd[2] + float(draws.without_care_s[row]))
            call.outcome = POLICE_ALONE
            return
        safe_s = -np.inf if spd is None else spd[2] + float(draws.scene_safe_s[row])
        done_s = max(care[2], safe_s) + float(draws.care_s[row])
        if draws.is_transport[row]:
            done_s += self._facility_drive_s(row) + float(draws.facility_s[row])
            self._rest_at_facility(care[0])
        self._clear(call, Agency.CARE, done_s)
        if spd is not None:
            self._clear(call, Agency.SPD, max(safe_s, care[2]))

    def _rest_at_facility(self, unit: int) -> None:
        units, at = self.run_columns.units, self.facility
        if at is not None and at.street != NO_STREET:
            units.rest_street[unit], units.rest_fraction[unit] = at.street, at.fraction
            units.rest_ways[unit] = at.leaves

    def _clear(self, call: CareCall, agency: Agency, at_s: float) -> None:
        clear_at(self.run_columns, call.on_call[agency][0], at_s)
        call.clears[agency] = at_s

    def _hold(self, call: CareCall, found: Recommendation, now_s: float) -> None:
        hold = found.hold
        assert hold is not None, "a held call says why"
        run = self.run_columns
        if hold.send_now:
            self._send(call, hold.send_now, now_s)
        call.why = ";".join(map(str, hold.reasons))
        opens = HoldReason.WINDOW_NOT_OPEN in hold.reasons
        is_answered = Agency.SPD in call.on_call or (
            Agency.SPD in hold.missing and self.policy.on_no_care is OnNoCare.SEND_SPD
        )
        if opens and is_answered:  # who is there, or goes when free, does not wait for the hours
            self._to_police(call, now_s, REFUSED)
            return
        if call.held_s is None:
            call.held_s = now_s
        if opens:
            assert hold.earliest_dispatch_at is not None, hold
            call.missing, call.waits_s = (), hold.earliest_dispatch_at.timestamp()
            timer(run, max(now_s + 1.0, call.waits_s), call.row)
        elif not call.missing:
            call.missing, call.waits_s = hold.missing, now_s
            call.lacked = call.lacked or hold.missing
            timer(run, now_s + self.policy.escalate_after_s, call.row)
        else:
            call.missing = hold.missing
        self.held[call.row] = call

    def _end_hold(self, call: CareCall, now_s: float) -> None:
        if self.held.pop(call.row, None) is not None and call.held_s is not None:
            call.waited_s = now_s - call.held_s

    def _to_police(self, call: CareCall, now_s: float, outcome: str) -> None:
        """Let police answer alone; whoever of CARE waits for them is free."""
        run, row = self.run_columns, call.row
        call.outcome = outcome
        stay_s = float(self.draws.without_care_s[row])
        if Agency.CARE in call.on_call:
            self._clear(call, Agency.CARE, now_s)
        if Agency.SPD in call.on_call:
            run.jobs.state[call.job] = TAKEN
            self._clear(call, Agency.SPD, max(now_s, call.on_call[Agency.SPD][2] + stay_s))
            return
        run.jobs.kind[call.job], run.jobs.stay_s[call.job] = ALONE, stay_s
        if not serve(run, call.job, now_s, self.columns[0], self.rules):
            enqueue(run, call.job)

    def _count_held(self) -> None:
        registers = self.run_columns.registers
        for register, agency in ((HELD_FOR_CARE, Agency.CARE), (HELD_FOR_SPD, Agency.SPD)):
            registers[register] = sum(agency in call.missing for call in self.held.values())


_CLEAR: Final = Screening(
    weapon=Answer.NO, violence=Answer.NO, medical=Answer.NO, enforcement=Answer.NO,
    drug_use=Answer.NO,
)  # fmt: skip


def _joined(parts: Sequence[Positions], order: NDArray[np.int64]) -> Positions:
    return Positions(
        **{n: np.concatenate([getattr(p, n) for p in parts])[order] for n in COLUMN_TYPES}
    )


def _rules(policy: Policy, times: TravelTimes) -> Rules:
    """Return what the event loop must know of a policy for background police jobs."""
    keeps = bool(policy.reserve_per_sector or any(policy.reserve_of_sector.values()))
    return Rules(
        refuse_m=policy.snap.refuse_m,
        ms_per_m=1000.0 * policy.detour_factor / policy.straight_line_mps,
        unknown_ms=1000 * policy.unknown_position_drive_s,
        start_ms=times.start_and_park_ms,
        guard_s=float(policy.shift_guard_s),
        turnout_care_s=policy.turnout_care_s,
        turnout_spd_s=policy.turnout_spd_s,
        crew_care=0,
        crew_spd=1,
        scope=scope_code(policy.spd_scope),
        keeps_reserve=keeps,
        queues=True,
    )
