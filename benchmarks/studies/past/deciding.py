"""Past calls decided one by one by the service's own `recommend()`, and what it said of each.

    decided = Decider(world, calls).decide(rows)

What lives here: `Decided`, `Decider`. What does not: who is on duty where (`rosters`), whether a
recorded unit can be laid beside the recommended one (`recorded_units`), counts of anything.

Every call is decided by itself, so that neither the order of calls nor another call matters: no
unit is busy with an earlier one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.coverage.hours import hours_of
from benchmarks.studies.demand import Calls
from benchmarks.studies.past.recorded_units import (
    Compared,
    RecordedUnit,
    RecordedUnits,
    compared,
)
from benchmarks.studies.past.rosters import OnDuty, Rosters
from benchmarks.studies.tables import texts
from benchmarks.studies.world import World
from routing.answer import Assignment, Recommendation
from routing.codes import Agency, Answer, Explain, Gate, GateOutcome
from routing.model import (
    Incident,
    IncidentId,
    Location,
    Options,
    Screening,
    Situation,
    place_units,
)
from routing.placement import Placement
from routing.recommend import recommend
from routing.roster import unit_columns

Reals = NDArray[np.float64]
Texts = NDArray[np.object_]
BETWEEN: Final = ";"
"""Between codes in one cell."""
PLACED_MAX: Final = 64
_SHORT: Final = Options(alternatives=0, explain=Explain.NONE)
_LONG: Final = Options(alternatives=0, explain=Explain.ALL)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decided:
    """What was said of each call; columns of shape (n_calls,), seconds from the decision."""

    decided_s: Reals
    """Instant of the decision, seconds since 1970."""
    outcome: Texts
    mode: Texts
    """None where the call is not eligible."""
    zone: Texts
    gates: Texts
    """Codes of the gates that fail."""
    holds: Texts
    """Reasons why the pair waits."""
    care_unit: Texts
    """Whom the answer sends now; None for nobody."""
    spd_unit: Texts
    care_s: Reals
    """Arrival of that unit; NaN where nobody comes."""
    spd_s: Reals
    pair_s: Reals
    """When both are there, of calls to which both go."""
    care_from: Texts
    """POSTS or RECORDED_POSITIONS: where its units were taken to be."""
    spd_from: Texts
    care_recorded_s: Reals
    """Arrival of the recorded unit had it been sent then, by the same drive times; NaN where it
    cannot be compared."""
    spd_recorded_s: Reals
    care_compared: Texts
    """`Compared`: whether the recorded unit is laid beside the recommended one, or why not."""
    spd_compared: Texts


COLUMNS: Final = tuple(Decided.__dataclass_fields__)
_REALS: Final = frozenset(
    ("decided_s", "care_s", "spd_s", "pair_s", "care_recorded_s", "spd_recorded_s")
)


def decided_of(rows: Sequence[Mapping[str, Any]]) -> Decided:
    """Return rows as columns."""
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        column = [row[name] for row in rows]
        columns[name] = np.array(column, np.float64) if name in _REALS else texts(column)
    return Decided(**columns)


def joined(parts: Sequence[Decided]) -> Decided:
    """Return parts one after the other."""
    if not parts:
        return decided_of(())
    return Decided(**{n: np.concatenate([getattr(one, n) for one in parts]) for n in COLUMNS})


def in_order(decided: Decided, rows: NDArray[np.integer]) -> Decided:
    """Return some rows, in their order."""
    return Decided(**{name: getattr(decided, name)[rows] for name in COLUMNS})


class Decider:
    """Decides the calls of one world.

    Raises
    ------
    BadScenario
        The file of recorded positions has faults.
    """

    def __init__(self, world: World, calls: Calls) -> None:
        self._world, self._calls = world, calls
        self._rosters = Rosters(world)
        self._recorded = RecordedUnits(calls, self._rosters)
        self._hours = hours_of(world.release, calls.at_s)
        self._placed: dict[object, Placement] = {}
        posts = [post for group in world.scenario.units for post in group.posts]
        self._posts = {post.post_id: (post.lon, post.lat) for post in posts}

    def decide(self, rows: NDArray[np.int64]) -> Decided:
        """Return what is said of some calls, in the order of `rows`."""
        order = np.argsort(self._hours[rows], kind="stable")  # drive times of an hour are made once
        found = [self._one(row) for row in rows[order].tolist()]
        back = np.empty(len(rows), np.int64)
        back[order] = np.arange(len(rows))
        return in_order(decided_of(found), back)

    def _one(self, row: int) -> dict[str, Any]:
        recorded = self._recorded.of(row)
        at_s = self._recorded.decided_s(row, recorded)
        instant = datetime.fromtimestamp(at_s, UTC)
        on_duty = self._recorded.joining(self._rosters.at(instant), recorded, instant)
        hour = hours_of(self._world.release, np.array([at_s])).item()
        situation = self._situation(hour, on_duty)
        options = _LONG if recorded else _SHORT
        found = recommend(situation, self._incident(row), instant, options)
        return {"decided_s": at_s, **_said(found, on_duty), **_beside(found, recorded)}

    def _incident(self, row: int) -> Incident:
        """Return a past call as the service is asked about it: screened, with NO to everything."""
        calls = self._calls
        at = datetime.fromtimestamp(calls.at_s.item(row), UTC)
        clear = Screening(
            completed_at=at, weapon=Answer.NO, violence=Answer.NO, medical=Answer.NO,
            enforcement=Answer.NO, drug_use=Answer.NO,
        )  # fmt: skip
        return Incident(
            incident_id=IncidentId(calls.call_id[row]),
            received_at=at,
            queued_at=at,
            location=Location(lon=calls.lon.item(row), lat=calls.lat.item(row)),
            call_type=calls.call_type[row],
            priority=calls.priority.item(row) or None,
            screening=clear,
        )

    def _situation(self, hour: int, on_duty: OnDuty) -> Situation:
        """Return the situation of an hour with units; those at posts are placed once."""
        plain = self._world.at_hour(hour)
        assert plain.travel_times is not None, "a study has drive times"
        homes = replace(plain.homes, posts=self._posts)
        roster = unit_columns(on_duty.units)
        key = None if on_duty.key is None else (plain.travel_times.weights_id, on_duty.key)
        placement = self._placed.get(key) if key is not None else None
        if placement is None:
            placement = place_units(
                roster, network=plain.network, streets=plain.streets,
                travel_times=plain.travel_times, homes=homes,
            )  # fmt: skip
            if key is not None:
                if len(self._placed) >= PLACED_MAX:
                    del self._placed[next(iter(self._placed))]
                self._placed[key] = placement
        return replace(plain, roster=roster, placement=placement, homes=homes)


# -- what an answer says --------------------------------------------------------------------------


def _said(found: Recommendation, on_duty: OnDuty) -> dict[str, Any]:
    sent = found.assign or (found.hold.send_now if found.hold else ())
    care, spd = (_of_kind(sent, agency) for agency in Agency)
    arrive = [
        np.nan if one is None or one.arrive_s is None else one.arrive_s for one in (care, spd)
    ]
    failing = [
        code
        for gate in found.gates
        if gate.result is GateOutcome.FAIL
        for code in (gate.code, *gate.further_codes)
        if code is not None
    ]
    zone = next(gate for gate in found.gates if gate.gate is Gate.ZONE)
    pair_s = None if found.pair is None or not found.assign else found.pair.both_at_s
    return {
        "outcome": str(found.outcome),
        "mode": None if found.mode is None else str(found.mode),
        "zone": zone.value,
        "gates": BETWEEN.join(map(str, failing)),
        "holds": BETWEEN.join(map(str, found.hold.reasons)) if found.hold else "",
        "care_unit": None if care is None else care.call_sign,
        "spd_unit": None if spd is None else spd.call_sign,
        "care_s": arrive[0], "spd_s": arrive[1],
        "pair_s": np.nan if pair_s is None else pair_s,
        "care_from": on_duty.source(Agency.CARE), "spd_from": on_duty.source(Agency.SPD),
    }  # fmt: skip


def _of_kind(sent: Sequence[Assignment], agency: Agency) -> Assignment | None:
    """Return the last to arrive of the units of a kind: when there are several, all must come."""
    some = [one for one in sent if one.agency is agency]
    return max(some, key=lambda one: one.arrive_s or 0, default=None)


def _beside(found: Recommendation, recorded: Mapping[Agency, RecordedUnit]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for agency in Agency:
        kind = agency.lower()
        why, seconds = compared(found, agency, recorded.get(agency))
        row[f"{kind}_compared"] = str(why)
        row[f"{kind}_recorded_s"] = seconds if why is Compared.YES else np.nan
    return row
