"""The event loop and its decisions once more, slow and plain: a heap, lists and no kernel of ours.

Written from what is documented: docs/studies.md ("Simulation"), the rules of units and calls of the
release (docs/release.md, docs/recommend-units.md) and `slow_roads` for drives. It knows one policy
for the whole map, calls that are eligible by place, type and screening, and every unit's place.

    SlowCity(scene).run()
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from tests.benchmarks.studies.simulation.slow_roads import Leg, Place, SlowRoads

NEVER_S = float("inf")
LEFT_OF_EVERY = 8
EVENT, CHANGE, JOB, WEIGHTS = range(4)
"""What comes first at one instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowRules:
    """What a policy says, as far as it matters here."""

    zone: ZoneInfo
    opens: time
    closes: time
    is_solo: bool
    sends_spd: bool
    """Police go at once when CARE is missing."""
    escalate_s: float
    guard_s: float
    turnout_s: Mapping[str, int]
    crew: Mapping[str, int]
    park_ms: int
    scope: str = "ANY"
    within_s: float = 780.0
    reserve: int = 0
    """Police that every sector keeps for itself."""


@dataclass(slots=True, kw_only=True)
class SlowUnit:
    """A unit, and what it does now."""

    row: int
    agency: str
    crew: int
    post: Place
    returns: bool
    sector: str | None
    precinct: str | None
    duty: Sequence[tuple[float, float]]
    breaks: Sequence[tuple[float, float]]
    """When and how long."""
    status: str = "OFF"
    since_s: float = 0.0
    shift_end_s: float = NEVER_S
    place: Place = (-1, 0.0, 0)
    home: tuple[float, list[Leg]] | None = None
    """When it set out for its post, and its way."""
    goes_off: bool = False
    break_due_s: float = 0.0
    clear: int = -1
    """Number of the event with which it clears or comes back; earlier ones are no longer true."""
    rest: Place = (-1, 0.0, 0)
    line: "SlowLine | None" = None


@dataclass(slots=True, kw_only=True)
class SlowLine:
    """Something that a unit did; `job` is a number, -1 for a break."""

    unit: int
    job: int
    begin_s: float
    arrive_s: float | None = None
    end_s: float | None = None
    place: Place | None = None
    from_home: bool = False


@dataclass(slots=True, kw_only=True)
class SlowJob:
    """A call or a police job; `number` is its place in the order of decisions."""

    number: int
    row: int
    is_care: bool
    at_s: float
    """When it is decided first."""
    queued_s: float
    place: Place
    priority: int
    units: int
    sector: str | None
    precinct: str | None
    stay_s: float
    """Of police alone."""
    by_officer: bool = False
    asking_s: float = 0.0
    safe_s: float = 0.0
    care_s: float = 0.0
    facility_s: float | None = None
    """Stay at the facility; None without transport."""
    dispatched_s: float | None = None
    arrived_s: float | None = None
    on_call: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    clears: dict[str, float] = field(default_factory=dict)
    outcome: str = "OPEN"
    asked_s: float | None = None
    held_s: float | None = None
    waits_s: float = 0.0
    waited_s: float = 0.0
    missing: tuple[str, ...] = ()
    left_share: float | None = None
    """Of some calls: what CARE still reaches in time once it is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowScene:
    """All that a replication is made of."""

    rules: SlowRules
    units: Sequence[SlowUnit]
    jobs: Sequence[SlowJob]
    """In the order of the instants at which they are decided."""
    roads: Sequence[tuple[float, SlowRoads]]
    """From when on which weights hold; the first from the begin."""
    facility: Place | None
    end_s: float


class SlowCity:
    """One replication of a scene, event by event."""

    def __init__(self, scene: SlowScene) -> None:
        self.scene, self.rules, self.units = scene, scene.rules, scene.units
        self.roads = scene.roads[0][1]
        self.lines: list[SlowLine] = []
        self.queue: list[SlowJob] = []
        self.held: dict[int, SlowJob] = {}
        self.heap: list[tuple[float, int, int, Callable[[], None]]] = []
        self.number = count()
        self.now_s = scene.roads[0][0]
        for begin_s, roads in scene.roads[1:]:
            self._later(begin_s, WEIGHTS, lambda roads=roads: self._reweigh(roads))
        for kind in ("END", "BEGIN", "BREAK"):  # at one instant in this order, then by unit
            for unit in self.units:
                self._plan(unit, kind)
        for job in scene.jobs:
            self._later(job.at_s, JOB, lambda job=job: self._comes(job))

    def run(self) -> None:
        """Let all of the period pass."""
        while self.heap and self.heap[0][0] <= self.scene.end_s:
            self.now_s, _, _, happens = heapq.heappop(self.heap)
            happens()

    def _later(self, at_s: float, kind: int, happens: Callable[[], None]) -> int:
        number = next(self.number)
        heapq.heappush(self.heap, (at_s, kind, number, happens))
        return number

    # -- where units are --------------------------------------------------------------------------

    def _reweigh(self, roads: SlowRoads) -> None:
        for unit in self.units:
            self._settle(unit)
        self.roads = roads
        for unit in self.units:
            if unit.home is not None:
                self._go_home(unit)

    def _settle(self, unit: SlowUnit) -> None:
        """Put a unit that drives home to where it is now."""
        if unit.home is None:
            return
        begin_s, legs = unit.home
        found = self.roads.after(legs, 1000.0 * (self.now_s - begin_s))
        if found is None:
            unit.home, unit.place = None, unit.post
        else:
            unit.place = found

    def _go_home(self, unit: SlowUnit) -> None:
        found = self.roads.way(unit.place, unit.post)
        unit.home = (self.now_s, found[1]) if found is not None and found[0] > 0 else None

    # -- shifts and breaks ------------------------------------------------------------------------

    def _plan(self, unit: SlowUnit, kind: str) -> None:
        begin_s, end_s = self.now_s, self.scene.end_s
        for start_s, stop_s in unit.duty:
            ends_s = NEVER_S if stop_s >= end_s else stop_s
            if kind == "BEGIN":
                at_s = max(start_s, begin_s)
                self._later(at_s, CHANGE, lambda u=unit, e=ends_s: self._begin_shift(u, e))
            elif kind == "END" and stop_s < end_s:
                self._later(stop_s, CHANGE, lambda u=unit: self._end_shift(u))
        for at_s, long_s in unit.breaks:
            if kind == "BREAK" and at_s > begin_s:
                self._later(at_s, CHANGE, lambda u=unit, s=long_s: self._break(u, s))

    def _begin_shift(self, unit: SlowUnit, ends_s: float) -> None:
        unit.shift_end_s, unit.goes_off = ends_s, False
        if unit.status == "OFF":
            unit.place, unit.home = unit.post, None
            self._free(unit)
            self._freed(unit)

    def _end_shift(self, unit: SlowUnit) -> None:
        if unit.status == "FREE":
            self._leave(unit)
        elif unit.status != "OFF":
            unit.goes_off = True

    def _leave(self, unit: SlowUnit) -> None:
        unit.status, unit.goes_off, unit.break_due_s, unit.home = "OFF", False, 0.0, None

    def _break(self, unit: SlowUnit, long_s: float) -> None:
        if unit.status == "FREE":
            self._rest(unit, long_s)
        elif unit.status == "BUSY":
            unit.break_due_s = long_s

    def _rest(self, unit: SlowUnit, long_s: float) -> None:
        unit.status, unit.break_due_s = "BREAK", 0.0
        unit.line = SlowLine(unit=unit.row, job=-1, begin_s=self.now_s)
        self.lines.append(unit.line)
        self._later(self.now_s + long_s, EVENT, lambda: self._back(unit))

    def _back(self, unit: SlowUnit) -> None:
        self._end_line(unit)
        if unit.goes_off:
            self._leave(unit)
            return
        self._free(unit)
        self._freed(unit)

    def _end_line(self, unit: SlowUnit) -> None:
        assert unit.line is not None
        unit.line.end_s = self.now_s

    # -- free and busy ----------------------------------------------------------------------------

    def _free(self, unit: SlowUnit) -> None:
        unit.status, unit.since_s = "FREE", self.now_s

    def _take(self, unit: SlowUnit, job: SlowJob, arrive_s: float) -> None:
        line = SlowLine(
            unit=unit.row, job=job.number, begin_s=self.now_s, arrive_s=arrive_s, place=unit.place,
            from_home=unit.home is not None,
        )  # fmt: skip
        self.lines.append(line)
        unit.line, unit.status, unit.home, unit.rest = line, "BUSY", None, job.place
        unit.clear = -1

    def _clears(self, unit: SlowUnit, at_s: float) -> None:
        number = next(self.number)
        unit.clear = number
        heapq.heappush(self.heap, (at_s, EVENT, number, lambda: self._clear(unit, number)))

    def _clear(self, unit: SlowUnit, number: int) -> None:
        if unit.clear != number:
            return
        self._end_line(unit)
        unit.place = unit.rest
        if unit.goes_off:
            self._leave(unit)
            return
        self._free(unit)
        if unit.returns:
            self._go_home(unit)
        if unit.break_due_s:
            self._rest(unit, unit.break_due_s)
        else:
            self._freed(unit)

    def _freed(self, unit: SlowUnit) -> None:
        """Offer a unit that is free: to calls on hold first, then to jobs that wait."""
        if any(unit.agency in call.missing for call in self.held.values()):
            waiting = [call for call in self.held.values() if call.missing]
            for call in sorted(waiting, key=lambda one: (one.priority, one.held_s, one.row)):
                self._decide(call)
        for job in sorted(self.queue, key=lambda one: (one.priority, one.number)):
            if self._serve(job):
                self.queue.remove(job)

    # -- who goes ---------------------------------------------------------------------------------

    def _nearest(self, job: SlowJob, agency: str, needed: int) -> list[tuple[SlowUnit, float]]:
        """Return the first units by arrival, then longest available; guarded ones come last."""
        told, rules = [], self.rules
        free = [one for one in self.units if one.agency == agency and one.status == "FREE"]
        for unit in free if len(free) >= needed else []:
            if unit.crew < rules.crew[agency]:
                continue
            self._settle(unit)
            ms = self.roads.ms(unit.place, job.place)
            if ms is not None:
                arrive_s = (1000 * rules.turnout_s[agency] + rules.park_ms + ms + 500) // 1000
                is_guarded = self.now_s + rules.guard_s > unit.shift_end_s
                told.append((is_guarded, arrive_s, unit.since_s, unit.row))
        if agency == "SPD":
            told = [one for one in told if self._may_leave(self.units[one[3]], job, told)]
        return [(self.units[row], self.now_s + s) for _, s, _, row in sorted(told)[:needed]]

    def _may_leave(
        self, unit: SlowUnit, job: SlowJob, told: list[tuple[bool, int, float, int]]
    ) -> bool:
        """Return whether rule 8 lets a police unit go: first the reserve, then whose area it is."""
        rules = self.rules
        if rules.reserve and unit.sector is not None:
            own = [one for one in told if self.units[one[3]].sector == unit.sector and not one[0]]
            if unit.row in [one[3] for one in own] and len(own) <= rules.reserve:
                return False
        if rules.scope == "ANY" or unit.sector is None:
            return True
        by_sector = rules.scope == "SECTOR"
        area = job.sector if by_sector else job.precinct
        return area is None or area == (unit.sector if by_sector else unit.precinct)

    def _serve(self, job: SlowJob) -> bool:
        """Send the police that a job needs, all or none."""
        found = self._nearest(job, "SPD", job.units)
        if len(found) < job.units:
            return False
        job.dispatched_s, job.arrived_s = self.now_s, found[0][1]
        for unit, arrive_s in found:
            self._take(unit, job, arrive_s)
            if job.by_officer and job.outcome == "OPEN":
                told = unit.row, self.now_s, arrive_s
                self._later(arrive_s + job.asking_s, EVENT, lambda told=told: self._ask(job, told))
            else:
                self._clears(unit, arrive_s + job.stay_s)
        return True

    def _serve_or_wait(self, job: SlowJob) -> None:
        if not self._serve(job):
            self.queue.append(job)

    # -- calls of CARE ----------------------------------------------------------------------------

    def _comes(self, job: SlowJob) -> None:
        if job.is_care and not job.by_officer:
            self._ask(job)
        else:
            self._serve_or_wait(job)

    def _ask(self, call: SlowJob, officer: tuple[int, float, float] | None = None) -> None:
        call.asked_s = self.now_s
        if officer is not None:
            call.on_call["SPD"] = officer
        self._decide(call)

    def _decide(self, call: SlowJob) -> None:
        opens_s = self._hours(call)
        if opens_s is None:
            self._police_alone(call, "REFUSED")
        elif opens_s > self.now_s:
            self._before_opening(call, opens_s)
        else:
            self._in_hours(call)

    def _hours(self, call: SlowJob) -> float | None:
        """Return when a call may be answered: now, when the hours begin, or never (None)."""
        rules = self.rules
        now = datetime.fromtimestamp(self.now_s, rules.zone)
        opens = datetime.combine(now.date(), rules.opens, rules.zone)
        closes = datetime.combine(now.date(), rules.closes, rules.zone)
        if opens <= now < closes:
            return self.now_s
        if now < opens:
            yesterday = timedelta(days=1)
            accepted = (opens - yesterday).timestamp(), (closes - yesterday).timestamp()
        else:
            accepted = opens.timestamp(), closes.timestamp()
        if accepted[0] <= call.queued_s < accepted[1]:
            return self.now_s  # accepted before closing
        return opens.timestamp() if now < opens else None

    def _before_opening(self, call: SlowJob, opens_s: float) -> None:
        police_go = self.rules.sends_spd and not self.rules.is_solo
        if "SPD" in call.on_call or police_go:
            if "SPD" not in call.on_call and (found := self._nearest(call, "SPD", 1)):
                self._send(call, "SPD", *found[0])
            self._police_alone(call, "REFUSED")
            return
        self._hold(call, ())
        call.waits_s = opens_s
        self._later(max(self.now_s + 1.0, opens_s), EVENT, lambda: self._timer(call))

    def _in_hours(self, call: SlowJob) -> None:
        needed = ["CARE"]
        if "SPD" not in call.on_call and not self.rules.is_solo:
            needed.append("SPD")
        found = {agency: self._nearest(call, agency, 1) for agency in needed}
        missing = tuple(agency for agency in needed if not found[agency])
        if not missing:
            self._end_hold(call)
            for agency in needed:
                self._send(call, agency, *found[agency][0])
            self._finish(call)
            return
        if "CARE" in missing and found.get("SPD") and self.rules.sends_spd:
            self._send(call, "SPD", *found["SPD"][0])
        was_missing = call.missing
        self._hold(call, missing)
        if not was_missing:
            call.waits_s = self.now_s
            self._later(self.now_s + self.rules.escalate_s, EVENT, lambda: self._timer(call))

    def _send(self, call: SlowJob, agency: str, unit: SlowUnit, arrive_s: float) -> None:
        self._take(unit, call, arrive_s)
        call.on_call[agency] = unit.row, self.now_s, arrive_s
        if call.row % LEFT_OF_EVERY == 0:  # a slow question
            call.left_share = self._left()

    def _left(self) -> float:
        """Return the share of CARE's calls that a CARE unit which is free now reaches in time."""
        rules = self.rules
        free = [one for one in self.units if one.agency == "CARE" and one.status == "FREE"]
        for unit in free:
            self._settle(unit)
        places = [job.place for job in self.scene.jobs if job.is_care]
        spent_ms = 1000 * rules.turnout_s["CARE"] + rules.park_ms
        reached = [
            any(
                spent_ms + ms <= 1000 * rules.within_s
                for unit in free
                if (ms := self.roads.ms(unit.place, place)) is not None
            )
            for place in places
        ]
        return sum(reached) / len(reached)

    def _finish(self, call: SlowJob) -> None:
        """CARE begins when it is there and the scene is safe; police leave then."""
        call.outcome = "SENT"
        row, _, there_s = call.on_call["CARE"]
        care, begins_s = self.units[row], there_s
        if "SPD" in call.on_call:
            begins_s = max(there_s, call.on_call["SPD"][2] + call.safe_s)
        done_s = begins_s + call.care_s
        if call.facility_s is not None:
            facility = self.scene.facility
            assert facility is not None, "a scene with transport has a facility"
            drive_ms = self.roads.ms(call.place, facility)
            assert drive_ms is not None
            done_s += drive_ms / 1000.0 + call.facility_s
            care.rest = facility
        self._clear_from(call, "CARE", done_s)
        if "SPD" in call.on_call:
            self._clear_from(call, "SPD", begins_s)

    def _clear_from(self, call: SlowJob, agency: str, at_s: float) -> None:
        call.clears[agency] = at_s
        self._clears(self.units[call.on_call[agency][0]], at_s)

    def _hold(self, call: SlowJob, missing: tuple[str, ...]) -> None:
        if call.held_s is None:
            call.held_s = self.now_s
        call.missing = missing
        self.held[call.row] = call

    def _end_hold(self, call: SlowJob) -> None:
        if self.held.pop(call.row, None) is not None:
            assert call.held_s is not None
            call.waited_s = self.now_s - call.held_s

    def _timer(self, call: SlowJob) -> None:
        if call.row not in self.held:
            return
        if self.now_s >= call.waits_s + self.rules.escalate_s:
            self._police_alone(call, "POLICE_ALONE")
        elif not call.missing:
            self._decide(call)

    def _police_alone(self, call: SlowJob, outcome: str) -> None:
        """Let police answer alone: those on the call stay, else those of the queue go."""
        self._end_hold(call)
        call.outcome = outcome
        if "SPD" in call.on_call:
            leaves_s = call.on_call["SPD"][2] + call.stay_s
            self._clear_from(call, "SPD", max(self.now_s, leaves_s))
        else:
            self._serve_or_wait(call)
