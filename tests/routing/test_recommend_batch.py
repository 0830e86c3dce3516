"""Rule 10 from calls to answers: solved together, no unit twice, a batch of one is one call."""

from datetime import timedelta

import numpy as np
import pytest

from routing.model import Agency, AssignedUnit, IncidentId, Mode, Options, Status, UnitId
from routing.recommend import recommend
from routing.recommend_batch import recommend_batch
from tests.routing.situations import NOON, call, chosen, fix, situation, unit

PLACES = ("AB", "BC", "FG", "GH", "BG", "CH", "KL", "LM", "AF", "GL")


def pending(k: int, at: str = "BG", **changes):
    return call(at, **{"incident_id": IncidentId(f"I{k:02d}"), **changes}), Options()


def together(units, *calls, **changes):
    return recommend_batch(situation(units, **changes), calls, NOON)


def sent(answer):
    units = [*answer.assign, *(answer.hold.send_now if answer.hold else ())]
    return [one.unit_id for one in units if not one.already_assigned]


def seeded(rng: np.random.Generator):
    """Return a roster and calls with every kind of trouble."""

    def place():
        return fix(str(rng.choice(PLACES)), float(rng.random()))

    states = (Status.AVAILABLE, Status.AVAILABLE, Status.AVAILABLE, Status.BUSY)
    units = [
        unit(
            f"{kind}{k}",
            place(),
            status=states[int(rng.integers(4))],
            shift_end=NOON + timedelta(minutes=int(rng.choice([20, 300]))),
            status_since=NOON - timedelta(minutes=int(rng.integers(1, 4))),
        )
        for kind, n in (("C", 4), ("S", 5))
        for k in range(int(rng.integers(0, n)))
    ]
    modes = (Mode.BY_POLICY, Mode.BY_POLICY, Mode.BY_POLICY, Mode.SPD_ADD)
    calls = [
        pending(
            k,
            str(rng.choice(PLACES)),
            priority=int(rng.integers(1, 4)),
            requested_mode=modes[int(rng.integers(4))],
            queued_at=NOON - timedelta(seconds=int(rng.integers(0, 3)) * 60),
        )
        for k in range(int(rng.integers(1, 6)))
    ]
    return units, calls


@pytest.mark.parametrize("seed", range(60))
def test_rule_10_a_batch_of_one_is_the_single_call(seed):
    rng = np.random.default_rng([10, seed])
    units, calls = seeded(rng)
    now = situation(units)
    (incident, options), *_ = calls
    alone = recommend(now, incident, NOON, options)
    batch = recommend_batch(now, [(incident, options)], NOON)
    assert repr(batch.recommendations[0]) == repr(alone)


@pytest.mark.parametrize("seed", range(60))
def test_rule_10_no_unit_is_in_two_answers_and_order_does_not_matter(seed):
    rng = np.random.default_rng([11, seed])
    units, calls = seeded(rng)
    batch = together(units, *calls)
    named = [unit_id for answer in batch.recommendations for unit_id in sent(answer)]
    assert len(named) == len(set(named))
    order = rng.permutation(len(calls))
    again = together([units[i] for i in rng.permutation(len(units))], *(calls[k] for k in order))
    by_id = {answer.incident_id: repr(answer) for answer in again.recommendations}
    assert [by_id[answer.incident_id] for answer in batch.recommendations] == [
        repr(answer) for answer in batch.recommendations
    ]


def test_rule_10_two_calls_share_the_units_so_that_both_are_served():
    units = [unit("C1", "AB"), unit("C2", "MN"), unit("S1", "AB"), unit("S2", "MN")]
    near, far = pending(1, "BG"), pending(2, "BC")
    first, second = together(units, near, far).recommendations
    assert {first.outcome, second.outcome} == {"DISPATCH"}
    assert {*chosen(first).values(), *chosen(second).values()} == {"C1", "C2", "S1", "S2"}


def test_rule_10_the_better_priority_is_served_and_the_other_is_told_who_has_the_units():
    units = [unit("C1"), unit("S1")]
    low, high = pending(1, priority=3), pending(2, "GH", priority=2)
    waits, goes = together(units, low, high).recommendations
    assert (goes.outcome, waits.outcome) == ("DISPATCH", "HOLD")
    assert waits.hold.reasons == ("TAKEN_IN_BATCH",)
    care = next(one for one in waits.explain.units if one.unit_id == "C1")
    assert (care.rules, care.held_for) == (("TAKEN_IN_BATCH",), "I02")


def test_rule_10_a_call_past_its_escalation_comes_before_one_that_waits_less():
    units = [unit("C1"), unit("S1")]
    waited = pending(1, held_since=NOON - timedelta(seconds=901))
    fresh = pending(2, queued_at=NOON - timedelta(hours=1))
    assert [a.outcome for a in together(units, fresh, waited).recommendations] == [
        "HOLD", "DISPATCH",
    ]  # fmt: skip


def test_rule_1_spd_add_takes_its_unit_before_any_priority():
    care = AssignedUnit(unit_id=UnitId("C9"), agency=Agency.CARE, status=Status.ON_SCENE)
    trouble = pending(1, priority=9, requested_mode=Mode.SPD_ADD, assigned=(care,))
    pair = pending(2, priority=1)
    answers = together([unit("C1"), unit("S1")], pair, trouble).recommendations
    assert [answer.outcome for answer in answers] == ["HOLD", "DISPATCH"]


def test_rule_6_police_sent_to_a_call_without_care_go_to_no_other():
    units = [unit("C1", "AB"), unit("S1", "AB"), unit("S2", "KL")]
    answers = together(units, pending(1, priority=1), pending(2, priority=2)).recommendations
    assert [answer.outcome for answer in answers] == ["DISPATCH", "HOLD"]
    assert len({*sent(answers[0]), *sent(answers[1])}) == 3


def test_rule_7_units_near_their_shifts_end_serve_a_call_that_would_wait():
    tired = {"shift_end": NOON + timedelta(minutes=10)}
    units = [unit("C1"), unit("S1"), unit("C2", **tired), unit("S2")]
    answers = together(units, pending(1, priority=1), pending(2, priority=2)).recommendations
    assert [answer.outcome for answer in answers] == ["DISPATCH", "DISPATCH"]
    assert [one.selected_because for one in answers[1].assign][1] == "LAST_RESORT"


def test_rule_9_a_unit_named_earlier_is_kept_in_a_batch_too():
    near, far = unit("C1", fix("BG", 0.5)), unit("C2", fix("GH", 0.5))
    earlier = (pending(1)[0], Options(earlier_unit_ids=frozenset({"C2"})))
    batch = together([near, far, unit("S1")], earlier)
    assert chosen(batch.recommendations[0])["CARE"] == "C2"


def test_rule_10_the_facts_say_how_sure_the_batch_is():
    units = [unit("C1", "AB"), unit("C2", "MN"), unit("S1", "AB"), unit("S2", "MN")]
    facts = together(units, pending(1), pending(2, "BC"), pending(3, "EJ")).facts
    assert (facts.calls, facts.solved, facts.served) == (3, 2, 2)
    assert (facts.proven_optimal, facts.gap_s, facts.cut_short) == (True, 0, False)


def test_rule_10_without_time_every_call_is_still_answered():
    units = [unit("C1", "AB"), unit("C2", "MN"), unit("S1", "AB"), unit("S2", "MN")]
    calls = [pending(1), pending(2, "BC")]
    batch = recommend_batch(situation(units), calls, NOON, seconds_left=lambda: 0.0)
    assert [answer.outcome for answer in batch.recommendations] == ["DISPATCH", "DISPATCH"]
    assert all(answer.basis.cut_short for answer in batch.recommendations)


def test_the_same_call_twice_is_refused():
    with pytest.raises(ValueError, match="incident_id"):
        together([unit("C1")], pending(1), pending(1))
