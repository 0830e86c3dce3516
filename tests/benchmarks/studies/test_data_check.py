"""Names that no data has are found before anything is computed, each with its line and remedy."""

import pickle
from pathlib import Path

import pytest

from benchmarks.studies.commands import Asked, check_scenario, run_study
from benchmarks.studies.errors import BadScenario, Fault
from tests.benchmarks.studies.test_demand import table

SQUARE = (
    '{"type": "Feature", "properties": {"name": "%s"}, "geometry": {"type": "Polygon", '
    '"coordinates": [[[%g, 47.58], [%g, 47.58], [%g, 47.63], [%g, 47.63], [%g, 47.58]]]}}'
)
BOXES = (("North Dock", -122.36, -122.335), ("South Dock", -122.335, -122.30))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table(tmp_path)
    squares = ",\n".join(SQUARE % (name, w, e, e, w, w) for name, w, e in BOXES)
    text = f'{{"type": "FeatureCollection", "features": [\n{squares}\n]}}\n'
    (tmp_path / "docks.geojson").write_text(text)
    return tmp_path


def faults(folder: Path, text: str, changes: tuple[str, ...] = ()) -> tuple[Fault, ...]:
    """Return what `check` finds, and make sure that each study finds it before it begins."""
    file = folder / "scenario.toml"
    file.write_text('name = "x"\n' + text, encoding="utf-8")
    with pytest.raises(BadScenario) as told:
        check_scenario(file, changes)
    for kind in ("coverage", "simulate", "compare"):
        out = folder / kind
        with pytest.raises(BadScenario) as again:
            run_study(Asked(kind=kind, scenario=file, out=out, workers=1, changes=changes))
        assert again.value.faults == told.value.faults
        assert not out.exists()
    return told.value.faults


def test_a_weight_of_no_area_is_told_with_its_line_and_the_nearest_names(folder: Path) -> None:
    (one, other) = faults(
        folder,
        '[areas.dock]\nfile = "docks.geojson"\n[demand.care]\nper_day = 3\nspread = "AREAS"\n'
        'areas = "dock"\n[demand.care.area_weights]\n"North Dock" = 1\n"Nort Dock" = 2\n"Q" = 3\n',
    )
    assert (one.line, one.where) == (10, "demand.care.area_weights.Nort Dock")
    assert one.remedy.startswith("Did you mean North Dock")
    assert (other.line, other.message) == (11, "is no area of dock.")
    assert other.remedy == "The areas of dock are North Dock, South Dock."


def test_a_weight_of_no_zone_is_told(folder: Path) -> None:
    text = '[demand.care]\nper_day = 3\nspread = "AREAS"\nareas = "zone"\narea_weights = {Q = 1}\n'
    (one,) = faults(folder, text)
    assert (one.line, one.message) == (6, "is no area of zone.")


def test_a_type_that_no_row_has_is_told_with_its_line_and_the_nearest_types(folder: Path) -> None:
    text = (
        '[demand.care]\ncalls = "calls.csv"\ncall_types = [\n  "welfare check",\n'
        '  "WELLFARE CHECK",\n]\n[demand.police]\ncalls = "calls.csv"\ncall_types = ["ZZ"]\n'
    )
    care, police = faults(folder, text)
    assert (Path(care.file).name, care.line) == ("scenario.toml", 6)
    assert (care.where, care.remedy) == ("demand.care.call_types[1]", "Did you mean WELFARE CHECK?")
    assert (police.line, police.where) == (10, "demand.police.call_types[0]")
    assert police.remedy == "The types of the table are PARKING, WELFARE CHECK."


def test_types_and_weights_of_a_variation_are_told_on_the_line_of_the_variation(
    folder: Path,
) -> None:
    text = (
        '[demand.care]\ncalls = "calls.csv"\n[[variations]]\nname = "Fewer"\n'
        '"demand.care.call_types" = ["PARKNG"]\n'
    )
    (one,) = faults(folder, text)
    assert (one.line, one.where) == (6, "variations[0]: demand.care.call_types[0]")
    assert one.remedy == "Did you mean PARKING?"


def test_a_type_set_at_the_command_line_is_told(folder: Path) -> None:
    text = '[demand.care]\ncalls = "calls.csv"\n'
    (one,) = faults(folder, text, ('demand.care.call_types=["NONE SUCH"]',))
    assert (one.where, one.line) == ("--set demand.care.call_types[0]", None)


def test_days_that_a_table_has_not_are_told_on_their_line(folder: Path) -> None:
    text = '[demand.care]\ncalls = "calls.csv"\nfirst_day = 2031-01-01\n'
    (one,) = faults(folder, text)
    assert (one.line, one.where) == (4, "demand.care.first_day")


def test_what_a_pattern_would_not_heed_is_told(folder: Path) -> None:
    text = (
        '[demand.care]\nper_day = 3\nspread = "PATTERN"\n'
        'pattern = { calls = "calls.csv", call_types = ["X"] }\n'
    )
    (one,) = faults(folder, text)
    assert (one.line, one.where) == (5, "demand.care.pattern.call_types")


def test_a_replay_of_generated_calls_is_refused_before_its_folder_is_made(folder: Path) -> None:
    file = folder / "scenario.toml"
    file.write_text('name = "x"\n[demand.care]\nper_day = 3\n')
    with pytest.raises(BadScenario) as told:
        run_study(Asked(kind="replay", scenario=file, out=folder / "out", workers=1))
    assert [(one.line, one.where) for one in told.value.faults] == [(2, "demand.care")]
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[demand.care]\ncalls = "latin.csv"\n', "the file"),
        ('[units.CARE]\nposts = "latin.csv"\n[demand.care]\nper_day = 3\n', "the file"),
        ('[coverage]\nrecorded_positions = "latin.csv"\n[demand.care]\nper_day = 3\n', "the file"),
    ],
)
def test_a_table_that_is_not_utf_8_is_told_with_its_line(
    folder: Path, text: str, where: str
) -> None:
    rows = b"1,CARE,C1,P,-122.3,47.6,2024-05-01\n" * 2_000
    head = b"call_id,agency,unit_id,post_id,lon,lat,at\n"
    (folder / "latin.csv").write_bytes(head + rows + b"2,CARE,C1,P,-122.3,47.6,\xef\n")
    (one,) = faults(folder, text)
    assert (Path(one.file).name, one.line, one.where) == ("latin.csv", 2_002, where)
    assert "not UTF-8" in one.message


def test_a_missing_column_is_told_on_the_line_of_the_header(folder: Path) -> None:
    (folder / "calls.csv").write_text("call_id,lon,lat,when\n1,-122.3,47.6,2024-05-01\n")
    (one,) = faults(folder, '[demand.care]\ncalls = "calls.csv"\n')
    assert one.line == 1
    assert "there is no received_at or queued_at" in one.message


def test_errors_of_the_scenario_of_its_files_and_of_its_tables_are_told_at_once(
    folder: Path,
) -> None:
    (folder / "at.csv").write_text("unit_id,lon,lat,at\n")
    (folder / "places.csv").write_text("post_id,lon,lat\nA,0,47.6\n")
    (folder / "docks.geojson").write_text('{"features": [\n7]}')
    found = faults(
        folder,
        '[areas.dock]\nfile = "docks.geojson"\n[units.CARE]\ncuont = 3\n[demand.care]\n'
        'calls = "calls.csv"\ncall_types = ["PARKIN"]\n[coverage]\nrecorded_positions = "at.csv"\n'
        '[siting]\ncandidates = "places.csv"\n',
    )
    assert [(Path(one.file).name, one.line) for one in found] == [
        ("scenario.toml", 5), ("scenario.toml", 8), ("at.csv", 1), ("docks.geojson", 2),
        ("places.csv", 2),
    ]  # fmt: skip


def test_good_names_are_no_fault(folder: Path) -> None:
    file = folder / "scenario.toml"
    file.write_text(
        'name = "x"\n[areas.dock]\nfile = "docks.geojson"\n[demand.care]\ncalls = "calls.csv"\n'
        'call_types = ["Welfare  check"]\n[demand.police]\nper_day = 9\nspread = "AREAS"\n'
        'areas = "dock"\narea_weights = {"South Dock" = 1}\n',
        encoding="utf-8",
    )
    check_scenario(file, ())


def test_faults_come_out_of_another_process_as_they_went_in() -> None:
    fault = Fault(file="a.toml", line=3, where="x", message="is wrong.", remedy="Mend it.")
    bad = BadScenario([fault])
    again = pickle.loads(pickle.dumps(bad))
    assert (again.faults, str(again)) == (bad.faults, str(bad))
