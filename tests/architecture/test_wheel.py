"""The wheel holds every data file of the packages, so that an installed Tandem has its pilot."""

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "benchmarks", "geodata", "routing")
DATA = {".csv", ".geojson", ".json", ".toml"}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    (wheel,) = WheelBuilder(str(REPOSITORY)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_module_and_data_file_is_shipped(shipped: set[str]) -> None:
    files = (file for package in PACKAGES for file in (REPOSITORY / package).rglob("*"))
    wanted = {f for f in files if f.suffix in DATA | {".py"}}
    assert {file.relative_to(REPOSITORY).as_posix() for file in wanted} - shipped == set()


def test_nothing_but_the_packages_is_shipped(shipped: set[str]) -> None:
    tops = {name.partition("/")[0] for name in shipped}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_command_is_declared(shipped: set[str]) -> None:
    assert any(name.endswith("/entry_points.txt") for name in shipped)
