"""Several pending calls decided together (rule 10): one Situation, no unit in two answers.

What lives here: from the calls to the solver's tables and back. What does not: the objective and
the search (`pairing_batch`), and the decision of one call (`recommend`). A batch of one is exactly
that decision.

Units that the solver does not place (those near their shift's end, the second of a kind, police
that go at once to a call whose CARE is missing) are placed after it, call by call in canonical
order. Pure, like `recommend`: the time that is left comes in as a function.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_changes
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from routing.answer import Recommendation
from routing.assign import IMPOSSIBLE, NO_UNIT
from routing.codes import Agency, Mode, Outcome
from routing.eligibility import mark_taken
from routing.halves import SHOWN, Half, Team, form_team, needed_units
from routing.model import Incident, Options, Situation
from routing.outcomes import StageCallback
from routing.pairing_batch import DEFAULT_LIMITS, BatchLimits, BatchPairing, no_deadline, pair_batch
from routing.pairing_tables import ARRIVAL_MAX_S, PendingCall
from routing.recommend import Prepared, conclude, no_stage, prepare
from routing.roster import AGENCIES

Solver = Callable[..., BatchPairing]

URGENT: Final = 0
"""Priority of SPD_ADD: before every other call, nothing in its way (rule 1)."""


class BatchFacts(Struct, frozen=True, kw_only=True):
    """How good the batch is, and how sure that is."""

    calls: int
    solved: int
    """Calls that were eligible and had somebody to choose."""
    served: int
    """Calls that get all that they need."""
    sum_of_max_s: int
    """Over the calls that the solver served, of the later arrival."""
    sum_of_both_s: int
    bound_of_max_s: int
    """No choice that serves as well has a lower sum."""
    gap_s: int
    proven_optimal: bool
    cut_short: bool
    """The deadline ended the search; the same request may be answered better."""
    flows: int
    """Work done, in min-cost flows."""
    programs: int
    """Work done, in integer programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecommendation:
    """The answers in the order of the calls."""

    recommendations: tuple[Recommendation, ...]
    facts: BatchFacts
    pairing: BatchPairing
    """What the search chose for the calls that were open."""


def recommend_batch(  # noqa: PLR0913  limits, clock, solver and stages are the caller's
    situation: Situation,
    calls: Sequence[tuple[Incident, Options]],
    decided_at: datetime,
    *,
    limits: BatchLimits = DEFAULT_LIMITS,
    seconds_left: Callable[[], float] = no_deadline,
    solve: Solver = pair_batch,
    stage: StageCallback = no_stage,
) -> BatchRecommendation:
    """Return what to do with each of several calls, whose incident_ids differ.

    Parameters
    ----------
    solve
        `pair_batch`, or what asks it elsewhere.

    Raises
    ------
    ValueError
        When two calls have the same incident_id, or `decided_at` has no offset from UTC.
    """
    if decided_at.tzinfo is None:
        raise ValueError(f"decided_at is {decided_at}; expected an offset from UTC")
    ids = [incident.incident_id for incident, _ in calls]
    if len(set(ids)) != len(ids):
        raise ValueError("two calls of the batch have the same incident_id; send each call once")
    decided_at = decided_at.astimezone(UTC)
    prepared = [
        prepare(situation, incident, decided_at, options, no_stage) for incident, options in calls
    ]
    stage("SOLVE")
    open_calls = [k for k, one in enumerate(prepared) if _is_open(one)]
    pending = [_pending(prepared[k]) for k in open_calls]
    pairing = solve(pending, limits=limits, seconds_left=seconds_left)
    stage("EXPLAIN")
    answers = _Placing(prepared, open_calls, pairing).answers()
    return BatchRecommendation(
        recommendations=answers,
        facts=_facts(answers, len(open_calls), pairing),
        pairing=pairing,
    )


def _is_open(one: Prepared) -> bool:
    """Tell whether units are to be chosen for a call now."""
    return one.team is not None and bool(one.team.sought) and one.opens_at is None


def _facts(answers: Sequence[Recommendation], solved: int, pairing: BatchPairing) -> BatchFacts:
    return BatchFacts(
        calls=len(answers),
        solved=solved,
        served=sum(answer.outcome is Outcome.DISPATCH for answer in answers),
        sum_of_max_s=pairing.sum_of_max_s,
        sum_of_both_s=pairing.sum_of_both_s,
        bound_of_max_s=pairing.bound_of_max_s,
        gap_s=pairing.gap_s,
        proven_optimal=pairing.proven_optimal,
        cut_short=pairing.cut_short,
        flows=pairing.flows,
        programs=pairing.programs,
    )


# -- to the solver --------------------------------------------------------------------------------


def _pending(one: Prepared) -> PendingCall:
    incident, team = one.draft.case.incident, one.team
    assert team is not None, "a call without a team is not pending"
    queued_at = incident.queued_at or incident.received_at
    decided_at = one.draft.decided_at
    return PendingCall(
        incident_id=incident.incident_id,
        care_s=_half_s(one, Agency.CARE),
        spd_s=_half_s(one, Agency.SPD),
        priority=URGENT if one.draft.case.check.mode is Mode.SPD_ADD else incident.priority,
        escalated=_is_escalated(one),
        queued_s=None
        if queued_at is None
        else max(0, int((decided_at - queued_at).total_seconds())),
    )


def _is_escalated(one: Prepared) -> bool:
    incident, policy = one.draft.case.incident, one.draft.case.check.policy
    if incident.held_since is None:
        return False
    return one.draft.decided_at >= incident.held_since + timedelta(seconds=policy.escalate_after_s)


def _half_s(one: Prepared, agency: Agency) -> NDArray[np.int64] | int | None:
    """Return what the solver reads of a kind: costs by column, a fixed arrival, or not needed.

    A unit named earlier counts as `min_gain_s - 1` faster, so that it is kept unless another gains
    more (rule 9).
    """
    team, field = one.team, one.field
    assert team is not None, "a call that is pending has a team"
    assert field is not None, "a call that is pending has a field"
    half = team.half(agency)
    if half is None:
        return None
    if half.fixed:
        return min(half.there_s() or 0, ARRIVAL_MAX_S - 1)
    muster = field.muster
    rows = columns_of(one, agency)
    cost_s = np.minimum(muster.cost_s[rows], ARRIVAL_MAX_S - 1)
    for unit_id in one.draft.case.options.earlier_unit_ids:
        row = muster.roster.row_of(unit_id)
        cost_s[rows == row] -= muster.policy.min_gain_s - 1
    cost_s = np.maximum(cost_s, 0)
    cost_s[field.bits[rows] != 0] = IMPOSSIBLE
    return cost_s


def columns_of(one: Prepared, agency: Agency) -> NDArray[np.intp]:
    """Return the rows of a kind in the order in which equals are preferred (rule 9)."""
    assert one.field is not None, "a call that is pending has a field"
    roster = one.field.muster.roster
    rows = np.flatnonzero(roster.agency == AGENCIES.index(agency))
    return rows[np.argsort(roster.available_since_s[rows], kind="stable")]


# -- from the solver ------------------------------------------------------------------------------


class _Placing:
    """Turns the solver's columns into answers; knows which unit has which call meanwhile."""

    def __init__(
        self, prepared: Sequence[Prepared], open_calls: Sequence[int], pairing: BatchPairing
    ) -> None:
        self.prepared = list(prepared)
        self.pairing = pairing
        self.taken: dict[str, str] = {}
        """Incident by unit_id."""
        self.chosen: dict[int, dict[Agency, int]] = {}
        """Rows by call, for the calls that the solver served."""
        for place, call in enumerate(open_calls):
            if pairing.served[place]:
                columns = {Agency.CARE: pairing.care[place], Agency.SPD: pairing.spd[place]}
                self.chosen[call] = self._rows(call, columns)
        for call, rows in self.chosen.items():
            self._take(call, list(rows.values()))

    def answers(self) -> tuple[Recommendation, ...]:
        """Return the answers, calls that the solver served first, then the others in order."""
        found: dict[int, Recommendation] = {}
        order = sorted(range(len(self.prepared)), key=self._canonical)
        for call in [*(c for c in order if c in self.chosen), *order]:
            if call not in found:
                found[call] = self._answer(call)
        return tuple([found[call] for call in range(len(self.prepared))])

    def _rows(self, call: int, columns: dict[Agency, int]) -> dict[Agency, int]:
        one = self.prepared[call]
        return {
            agency: int(columns_of(one, agency)[column])
            for agency, column in columns.items()
            if column != NO_UNIT
        }

    def _take(self, call: int, rows: Sequence[int]) -> None:
        one = self.prepared[call]
        assert one.field is not None, "only a call with units takes any"
        for row in rows:
            unit_id = one.field.muster.roster.unit_id[row]
            self.taken[unit_id] = one.draft.case.incident.incident_id

    def _canonical(self, call: int) -> tuple[int, bool, float, str]:
        """Return the order of `pairing_tables`: priority, escalated, longest queued, id."""
        one = self.prepared[call]
        incident = one.draft.case.incident
        urgent = one.draft.case.check.mode is Mode.SPD_ADD
        queued_at = incident.queued_at or incident.received_at or one.draft.decided_at
        priority = URGENT if urgent else incident.priority or _LAST_PRIORITY
        return priority, not _is_escalated(one), queued_at.timestamp(), incident.incident_id

    def _answer(self, call: int) -> Recommendation:
        one = self.prepared[call]
        draft = replace(
            one.draft, proven=self.pairing.proven_optimal, cut_short=self.pairing.cut_short
        )
        if one.field is None or one.team is None:
            return conclude(replace(one, draft=draft))
        case, field = draft.case, one.field
        own = case.incident.incident_id
        others = {unit: incident for unit, incident in self.taken.items() if incident != own}
        case = replace(case, options=with_changes(case.options, taken=others))
        draft = replace(draft, case=case)
        bits = field.bits.copy()
        held_for = {**field.limits.held_for, **mark_taken(bits, field.muster.roster, others)}
        field = replace(field, bits=bits, limits=with_changes(field.limits, held_for=held_for))
        needed = needed_units(case.check, case.incident)
        team = form_team(field.muster, bits, needed, case.options, one.team.fixed, None)
        team = _with_chosen(team, self.chosen.get(call, {}))
        answer = conclude(replace(one, draft=draft, field=field, team=team))
        going = [unit for unit in answer.assign if not unit.already_assigned]
        going += answer.hold.send_now if answer.hold else ()
        rows = [field.muster.roster.row_of(unit.unit_id) for unit in going]
        self._take(call, [row for row in rows if row is not None])
        return answer


_LAST_PRIORITY: Final = 2**31


def _with_chosen(team: Team, chosen: dict[Agency, int]) -> Team:
    """Return the team with the solver's choice as the first of each kind."""
    sought: dict[Agency, Half] = {}
    for agency in SHOWN:
        half = team.sought.get(agency)
        if half is None:
            continue
        row = chosen.get(agency)
        if row is not None and half.rows[:1] != (row,):
            rows = (row, *[other for other in half.rows if other != row])
            half = replace(
                half,
                rows=rows,
                arrivals_s=tuple(half.muster.arrive_s[list(rows)].tolist()),
                costs_s=tuple(half.muster.cost_s[list(rows)].tolist()),
                shown=half.shown if row in half.shown or not half.shown else (*half.shown, row),
                together=True,
                kept=False,
            )
        sought[agency] = half
    return Team(sought=sought, fixed=team.fixed)
