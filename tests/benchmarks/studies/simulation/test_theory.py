"""The report's part "Beside theory": loads counted by hand, and equal where all is as assumed."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from benchmarks.studies.analytic.erlang import erlang_b
from benchmarks.studies.simulation.city import City
from benchmarks.studies.simulation.incoming import Incoming
from benchmarks.studies.simulation.measures import result_of_city
from benchmarks.studies.simulation.simulation_tables import Simulated
from benchmarks.studies.simulation.theory import Beside, system_of_load, theory_section
from benchmarks.studies.simulation.theory_load import Load, care_travel, load_of
from benchmarks.studies.tables import Section
from routing.codes import Mode
from tests.benchmarks.studies.simulation.hand_scenes import (
    BLOCK_S,
    END_S,
    MIDNIGHT_S,
    Come,
    Team,
    call_911,
    care,
    hours,
    incoming,
    job,
    officer,
    spd,
    window,
    world_of_teams,
)

DAYS, CARE_S, EVERY_S, UNITS = 60, 1200.0, 1500.0, 2


def simulated(teams: Sequence[Team], comes: Sequence[Come], **policy: object) -> Simulated:
    return of_incoming(teams, incoming(comes), **policy)


def of_incoming(teams: Sequence[Team], comes: Incoming, **policy: object) -> Simulated:
    world = world_of_teams(teams, **policy)
    city = City(world, comes)
    result = result_of_city(city.run(), 0, city.fleet.roster.unit_id, city.zone)
    return Simulated(world=world, results=[result], calls=comes.care)


def told(section: Section, figure: str) -> list[tuple[float, float]]:
    """Return theory and simulation of a figure, a pair for each model."""
    columns = section.tables[0].columns
    rows = [k for k, name in enumerate(columns["figure"].tolist()) if name == figure]
    unit = "s" if "dispatch to arrival" in figure else "share"
    return [tuple(float(columns[f"{who}_{unit}"][k]) for who in ("theory", "simulated"))
            for k in rows]  # fmt: skip


# -- loads ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def load() -> Load:
    """Two CARE units of 12 hours, three police; one call lacks CARE, one is refused.

    The last officer asks after CARE's shift, for a call that was accepted before closing.
    """
    comes = [
        call_911(60, 0.5), call_911(61, 0.5), call_911(62, 0.5), officer(180, 0.5, care_s=600.0),
        call_911(800, 0.5), job(0, 0.5, stay_s=900, units=2), job(400, 0.5, stay_s=300),
        officer(719, 3.5),
    ]  # fmt: skip
    teams = [care(0.5, 0.5, shifts=hours(10, 22)), spd(0.5, 0.5, 0.5)]
    return load_of(simulated(teams, comes, window=window(10, 22)))


def test_calls_and_rates_are_those_of_the_hours_with_care(load: Load) -> None:
    assert (load.calls, load.sent, load.open_s) == (4, 3, 12 * 3600)
    assert load.short_share == load.care_short_share == 0.25
    assert load.solo_share == 0
    assert load.units_h[:, 12].tolist() == [2, 3]
    assert load.units_h[:, 3].tolist() == [0, 3]


def test_means_are_those_of_units_on_calls_and_on_background_work(load: Load) -> None:
    """One unit has 1200 s and 600 s, the other 1200 s; the third call is handed to police."""
    assert sorted(load.care_s.tolist()) == [900, 1200]
    assert sorted(load.care_busy.tolist()) == [1200 / 43200, 1800 / 43200]
    assert load.tasks_of_a_job == 2, "4 police to 2 jobs: two, one, and one alone at a refused call"
    assert load.task_s == (900 + 900 + 300 + 600) / 4
    assert load.tasks == 4


def test_travel_is_that_of_the_drive_from_each_post() -> None:
    found = simulated([care(0.5, 3.5), spd(0.5)], [call_911(0, 0.5), call_911(60, 2.5)])
    assert care_travel(found).tolist() == [[0, 2 * BLOCK_S], [3 * BLOCK_S, BLOCK_S]]


# -- where everything is as the models assume -----------------------------------------------------


@cache
def at_random(longer: float = 1.0) -> Section:
    """Return theory beside two CARE units and many police at one place, lost when both are busy."""
    rng = np.random.default_rng(11)
    at_s = np.cumsum(rng.exponential(EVERY_S, int(DAYS * 86400 / EVERY_S)))
    stay_s = rng.exponential(CARE_S, len(at_s))
    comes = [
        call_911((s - 36_000) / 60, 0.5, care_s=longer * stay, stay_s=1.0)
        for s, stay in zip(at_s.tolist(), stay_s.tolist(), strict=True)
    ]
    told = incoming(comes)
    period = replace(told.period, end_s=MIDNIGHT_S + DAYS * 86400)
    teams = [care(*[0.5] * UNITS), spd(*[0.5] * 9)]
    return theory_section(
        of_incoming(teams, replace(told, period=period), escalate_after_s=0)
    )  # fmt: skip


def test_theory_and_simulation_agree_where_all_is_as_the_models_assume() -> None:
    section, exact = at_random(), erlang_b(CARE_S / EVERY_S, UNITS)
    (erlang, _), (cube, lost) = (told(section, "Eligible calls that find no CARE unit free")[k]
                                 for k in (0, 2))  # fmt: skip
    assert erlang == pytest.approx(exact, rel=0.1), "loads are the simulated ones"
    assert cube == pytest.approx(exact, rel=0.05)
    assert lost == pytest.approx(cube, rel=0.05)
    ((chain, missing),) = told(section, "Pairs of which a unit is missing")
    assert (chain, missing) == (pytest.approx(cube, rel=0.02), lost)
    ((busy, busy_simulated),) = told(section, "CARE's busy probability, mean of the units")
    assert busy_simulated == pytest.approx(busy, rel=0.05)


def test_a_model_with_another_load_does_not_agree() -> None:
    lost = told(at_random(), "Eligible calls that find no CARE unit free")[2][1]
    assert lost != pytest.approx(erlang_b(1.15 * CARE_S / EVERY_S, UNITS), rel=0.05)
    assert told(at_random(1.15), "Pairs of which a unit is missing")[0][1] > 1.1 * lost


# -- where a model does not apply, and what is said -----------------------------------------------

ONE = [call_911(0, 0.5), call_911(60, 2.5)]


@pytest.mark.parametrize(
    ("teams", "policy", "said"),
    [
        ([care(0.5, shifts=hours(8, 20)), care(0.5), spd(0.5)], {}, "different times"),
        ([care(0.5), spd(0.5)], {"by_policy_mode": Mode.SOLO}, "CARE goes alone"),
        ([care(0.5, shifts=hours(2, 3)), spd(0.5)], {}, "CARE comes to no call"),
        ([care(0.5, shifts=hours(2, 3)), spd(0.5)], {}, "no pair comes to any call"),
        ([care(*[0.5] * 41), spd(0.5)], {}, "41 CARE units are no small fleet"),
        ([care(0.5), spd(*[0.5] * 150)], {}, "too many to solve"),
    ],
)
def test_a_model_that_does_not_apply_says_why(
    teams: list[Team], policy: dict[str, object], said: str
) -> None:
    section = theory_section(simulated(teams, ONE, **policy))
    assert any("not applied" in text and said in text for text in section.paragraphs)


def test_every_model_says_what_it_assumes_and_how_far_off_the_simulation_is() -> None:
    erlang, cube, chain = at_random().paragraphs
    assert "Erlang's formulas take" in erlang
    assert "simulated, " in erlang
    assert "free at their posts" in cube
    assert "dispatch to arrival: 0.0 min by the hypercube model, 0.0 min simulated" in cube
    assert "solved exactly" in chain
    assert "Pairs of which" in chain


def test_sentences_say_how_far_and_in_which_direction() -> None:
    more = Beside(figure="F", model="M", theory=0.1, simulated=0.123)
    assert more.sentence() == "F: 10.0 % by M, 12.3 % simulated, 2.3 points more."
    less = Beside(figure="F", model="M", theory=360.0, simulated=300.0, is_share=False)
    assert less.sentence() == "F: 6.0 min by M, 5.0 min simulated, 1.0 min less."
    alike = Beside(figure="F", model="M", theory=0.1, simulated=0.1004)
    assert alike.sentence().endswith("simulated, the same to a tenth.")
    assert (
        "nothing to compare"
        in Beside(figure="F", model="M", theory=np.nan, simulated=0.0).sentence()
    )


def test_nobody_on_duty_has_no_system_to_solve() -> None:
    assert system_of_load(load_of(simulated([care(), spd(0.5)], ONE))) is None
    assert END_S > MIDNIGHT_S
