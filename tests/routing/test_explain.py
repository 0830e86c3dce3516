"""Rule 13: per unit why it was chosen, what removed it, or how far it is behind."""

from routing.eligibility import rule_names
from routing.model import Explain, Options, Status, UnitRule
from tests.routing.situations import decide, unit

AVAILABLE = [unit(f"C{i}", at) for i, at in enumerate(("AB", "GH", "KL", "HI", "MN", "NO", "EJ"))]
POLICE = [unit("S1", "KL"), unit("S2", "EJ"), unit("S3", "BG", status=Status.BUSY)]


def explained(answer):
    return {one.unit_id: one for one in answer.explain.units}


def test_the_nearest_five_of_each_kind_are_explained_police_first():
    units = decide(AVAILABLE + POLICE).explain.units
    assert [str(one.agency) for one in units] == ["SPD"] * 3 + ["CARE"] * 5
    for kind in ("SPD", "CARE"):
        arrivals = [one.arrive_s for one in units if one.agency == kind]
        assert arrivals == sorted(arrivals)


def test_all_or_none_can_be_asked_for_and_counts_are_always_there():
    everything = decide(AVAILABLE + POLICE, options=Options(explain=Explain.ALL)).explain
    nothing = decide(AVAILABLE + POLICE, options=Options(explain=Explain.NONE)).explain
    assert (len(everything.units), nothing.units) == (10, ())
    assert everything.counts == nothing.counts
    assert (nothing.counts["CARE"].seen, nothing.counts["CARE"].qualified) == (7, 7)
    assert dict(nothing.counts["SPD"].removed) == {"STATUS_NOT_AVAILABLE": 1}


def test_a_unit_is_behind_on_its_own_arrival_not_the_pair_s():
    answer = decide([unit("C1", "EJ"), unit("S1", "KL"), unit("S2", "MN")])
    spd = explained(answer)["S2"]
    assert spd.verdict == "BEHIND"
    assert spd.behind_s == spd.arrive_s - explained(answer)["S1"].arrive_s == 25
    assert answer.pair.both_at_s > spd.arrive_s  # the pair would not be any later


def test_a_removed_unit_keeps_its_arrival_and_says_what_removed_it():
    removed = explained(decide(AVAILABLE + POLICE))["S3"]
    assert (removed.verdict, removed.rules, removed.behind_s) == (
        "REMOVED", ("STATUS_NOT_AVAILABLE",), None,
    )  # fmt: skip
    assert removed.arrive_s == 20 + 60
    assert (removed.position.basis, removed.position.snap_m) == ("AVL", 0)


def test_the_chosen_unit_is_explained_even_behind_five_that_were_removed():
    closer = [unit(f"C{i}", "BG", crew_count=1) for i in range(5)]
    answer = decide([*closer, unit("C9", "EJ"), unit("S1")])
    assert [one.verdict for one in answer.explain.units if one.agency == "CARE"] == [
        *["REMOVED"] * 5, "SELECTED",
    ]  # fmt: skip


def test_a_unit_that_breaks_two_rules_counts_under_both():
    answer = decide([unit("C1", crew_count=1, status=Status.BUSY), unit("C2"), unit("S1")])
    counts = answer.explain.counts["CARE"]
    assert (counts.seen, counts.qualified) == (2, 1)
    assert dict(counts.removed) == {"CREW_BELOW_MINIMUM": 1, "STATUS_NOT_AVAILABLE": 1}


def test_the_tentative_unit_of_a_hold_is_explained_as_chosen():
    assert explained(decide([unit("S1")]))["S1"].verdict == "SELECTED"


def test_every_rule_has_a_name_and_its_own_bit():
    assert rule_names(sum(UnitRule)) == tuple(rule.name for rule in UnitRule)
    assert rule_names(0) == ()
