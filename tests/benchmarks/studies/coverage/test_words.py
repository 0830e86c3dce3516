"""The sentences of a coverage report tell a limit that tells something, as its tables have it."""

import pytest

from api.impact.judging import tell_nobody
from benchmarks.studies.coverage.study import coverage_study
from benchmarks.studies.coverage.words import telling_of
from benchmarks.studies.tables import StudyResult
from routing.coverage import Shares
from tests.benchmarks.studies.worlds import calls_at, world_on
from tests.builders import position_on
from tests.street_drawing import draw

WITHIN_S = (300.0, 480.0, 600.0, 780.0, 900.0)
TOWN = draw("A---B---C---D---E", block_m=1_500.0).network


@pytest.mark.parametrize(
    ("within", "told_s"),
    [
        ((0.1, 0.2, 0.3, 0.4, 0.5), 780.0),  # the standard itself tells enough
        ((0.2, 0.7, 0.97, 1.0, 1.0), 480.0),  # nearest to a half
        ((0.3, 0.9, 0.97, 0.98, 1.0), 300.0),
        ((0.99, 1.0, 1.0, 1.0, 1.0), 780.0),  # nothing shorter does
        ((0.0, 0.0, 0.0, 1.0, 1.0), 780.0),
    ],
)
def test_the_limit_told_is_the_standard_or_a_shorter_one_that_tells_more(
    within: tuple[float, ...], told_s: float
) -> None:
    shares = Shares(total=10.0, within=within, p50_s=None, p90_s=None, unreached=0.0)
    assert WITHIN_S[telling_of(shares, WITHIN_S)] == told_s


def result() -> StudyResult:
    """Four blocks of 1,500 m; CARE and police in the first, calls in each."""
    places = sorted(
        (position_on(TOWN, k, 0.5) for k in range(TOWN.n_streets)), key=lambda one: one.lon
    )
    world = world_on(TOWN, places[:1], places[:1])
    return coverage_study(world, calls_at(places), tell_nobody)


def test_the_sentence_of_the_shorter_limit_says_what_the_table_has() -> None:
    found = result()
    (said,) = (one for one in found.in_short if one.startswith("Within "))
    (table,) = (one for one in found.all_tables if one.name == "coverage_overall")
    shares = {
        unit: table.columns["within_5_min_share"][row]
        for row, (unit, of) in enumerate(
            zip(table.columns["unit"], table.columns["of"], strict=True)
        )
        if of == "calls"
    }
    assert 0.05 < shares["PAIR"] < 0.95
    assert said.startswith(
        f"Within 5 min CARE reaches {100 * shares['CARE']:.0f} %, SPD {100 * shares['SPD']:.0f} %, "
        f"and both {100 * shares['PAIR']:.0f} %"
    )
