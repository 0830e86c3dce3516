"""Scenarios side by side: twins differ by nothing, one more unit by less work, pair by pair."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student

from benchmarks.studies.comparing.compare_tables import (
    CLEAR,
    NOT_CLEAR,
    Comparison,
    difference_table,
    overview_table,
    replication_table,
    sensitivity_table,
)
from benchmarks.studies.comparing.pictures import curve_of, curve_picture
from benchmarks.studies.comparing.ranges import RANGES, SENSITIVE
from benchmarks.studies.comparing.study import comparison_of, result_of
from benchmarks.studies.comparing.words import OTHER_CALLS
from benchmarks.studies.engine import Engine, Here
from benchmarks.studies.errors import BadScenario, StudyError
from benchmarks.studies.kept import bytes_of
from benchmarks.studies.kept import result_of as result_of_bytes
from benchmarks.studies.report.result_files import result_files
from benchmarks.studies.scenario import Durations
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.simulation.measures import MEASURES
from benchmarks.studies.studies import STUDIES
from benchmarks.studies.work import Work
from benchmarks.studies.world_making import world_of

EXAMPLE = Path(__file__).parents[4] / "benchmarks" / "studies" / "examples" / "staffing.toml"
DOCS = Path(__file__).parents[4] / "docs" / "studies.md"
SHORT: Mapping[str, object] = {
    "simulation.days": 2, "simulation.replications": 3, "demand.police.per_day": 20,
}  # fmt: skip
VARIATIONS: list[dict[str, object]] = [
    {"name": "Twin"},
    {"name": "One unit", "units.CARE.count": 1},
    {"name": "Six units", "units.CARE.count": 6},
    {"name": "Other seed", "seed": 8},
    {"name": "Alone", "zone.mode": "SOLO"},
]


def compare(variations: object, more: Mapping[str, object], engine: Engine) -> Comparison:
    changes = {**SHORT, **more, "variations": variations}
    world = world_of(read_scenario(EXAMPLE, changes))
    return comparison_of(world, changes, Work(engine=engine))


@cache
def found() -> Comparison:
    return compare(VARIATIONS, {}, Here())


@cache
def sensitive() -> Comparison:
    return compare([], {"simulation.replications": 1}, Here())


def column(comparison: Comparison, scenario: str, name: str) -> list[object]:
    table = difference_table(comparison)
    some = table.columns["scenario"] == scenario
    values: list[object] = table.columns[name][some].tolist()
    return values


def known(values: list[object]) -> list[object]:
    return [value for value in values if value == value]  # noqa: PLR0124


def test_a_twin_without_a_change_differs_by_exactly_nothing() -> None:
    for name in ("mean", "low", "high"):
        values = known(column(found(), "Twin", name))
        assert values
        assert set(values) == {0.0}
    assert set(column(found(), "Twin", "difference")) == {NOT_CLEAR}


def test_the_base_is_laid_beside_what_is_published_before_anything_else() -> None:
    first = result_of(found()).cautions[0]
    drive_s = found().base.values("care_dispatch_to_arrival_mean_s").mean()
    assert first.startswith(f"Modelled against published: CARE is there {drive_s / 60:.1f} min")
    assert "CARE's own reports say 13" in first


def test_a_twin_with_another_seed_has_other_calls_and_says_so() -> None:
    assert set(known(column(found(), "Other seed", "mean"))) != {0.0}
    same = dict(
        zip(*(overview_table(found()).columns[key] for key in ("scenario", "same_calls")),
            strict=True)
    )  # fmt: skip
    assert same == {
        "Base": "yes", "Twin": "yes", "One unit": "yes", "Six units": "yes", "Alone": "yes",
        "Other seed": "NO",
    }  # fmt: skip
    assert OTHER_CALLS.format(names="Other seed") in result_of(found()).cautions


def test_with_more_units_each_is_less_busy() -> None:
    base, one, *_ = (found().base, *found().others[1:])
    six = found().others[2]
    busy = "care_utilisation_share"
    assert (six.values(busy) < base.values(busy)).all()
    assert (base.values(busy) < one.values(busy)).all()
    at = list(MEASURES).index(busy)
    assert column(found(), "Six units", "difference")[at] == CLEAR


def test_differences_are_those_of_pairs_of_replications() -> None:
    table = replication_table(found()).columns

    def runs(scenario: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        some = (table["scenario"] == scenario) & (table["measure"] == "care_response_p90_s")
        return np.asarray(table["value"][some], np.float64)

    paired = runs("One unit") - runs("Base")
    low, high = student.interval(
        0.95, len(paired) - 1, paired.mean(), paired.std(ddof=1) / np.sqrt(len(paired))
    )
    at = list(MEASURES).index("care_response_p90_s")
    told = [column(found(), "One unit", name)[at] for name in ("mean", "low", "high")]
    assert told == pytest.approx([paired.mean() / 60, low / 60, high / 60])
    unpaired = runs("One unit").std(ddof=1) ** 2 + runs("Base").std(ddof=1) ** 2
    assert paired.var(ddof=1) != pytest.approx(unpaired), "pairs would tell nothing"


def test_the_curve_is_of_the_one_number_that_varies_and_has_the_base() -> None:
    curve = curve_of(found())
    assert curve is not None
    assert (curve.key, curve.numbers) == ("units.CARE.count", (1.0, 3.0, 6.0))
    assert [one.name for one in curve.scenarios] == ["One unit", "Base", "Six units"]
    assert curve_picture(compare(VARIATIONS[:1], {}, Here())) is None


class Backwards:
    """The last part first, each result written and read again, as where parts are kept."""

    def run(self, function: Callable[[Any], Any], parts: Sequence[Any]) -> Iterator[Any]:
        for place in reversed(range(len(parts))):
            made = function(parts[place])
            yield place, result_of_bytes(type(made), bytes_of(made))


def test_parts_in_any_order_and_kept_ones_give_the_same_bytes() -> None:
    some = [VARIATIONS[k] for k in (1, 3)]
    files = [
        dict(result_files(result_of(compare(some, {}, engine)))) for engine in (Here(), Backwards())
    ]
    assert files[0] == files[1]
    assert len(files[0]) > 8


def test_without_variations_each_assumption_is_tried_alone() -> None:
    table = sensitivity_table(sensitive()).columns
    assert len(table["measure"]) == len(SENSITIVE) * len(RANGES)
    rows = dict(zip(zip(table["measure"], table["assumption"], strict=True),
                    zip(table["at_low"], table["at_high"], strict=True), strict=True))  # fmt: skip
    low, high = rows["care_utilisation", "durations.care_on_scene_s"]
    assert low < 0 < high
    low, high = rows["officer_saved_per_call", "durations.spd_without_care_s"]
    assert low < 0 < high
    assert rows["pair_response_p90", "durations.spd_without_care_s"] == (0.0, 0.0)
    assert result_of(sensitive()).sections[0].pictures[0].png


def test_every_range_holds_what_is_taken_and_is_in_the_docs() -> None:
    docs = DOCS.read_text(encoding="utf-8")
    for one in RANGES:
        assert f"| `{one.key}` | {one.low:g} to {one.high:g} | {one.source} |" in docs
        assert one.low <= getattr(Durations(), one.key) <= one.high
        assert one.low < one.high


def test_another_number_of_replications_is_refused() -> None:
    with pytest.raises(StudyError, match="Longer has 4 replications and the base 3"):
        compare([{"name": "Longer", "simulation.replications": 4}], {}, Here())


def test_a_variation_that_a_change_makes_impossible_is_told_by_its_name(tmp_path: Path) -> None:
    posts = tmp_path / "posts.csv"
    posts.write_text("agency,post_id,lon,lat\nCARE,A,-122.3331,47.6015\n")
    world = world_of(read_scenario(EXAMPLE, {**SHORT, "variations": [
        {"name": "Other posts", "units.CARE.posts": str(posts)}]}))  # fmt: skip
    posts.unlink()
    with pytest.raises(BadScenario) as bad:
        STUDIES["compare"](world, SHORT, Work(engine=Here()))
    assert bad.value.faults[0].where.startswith("Other posts: ")
