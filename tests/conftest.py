"""What every test may lean on: the same random numbers each time, and folders that vanish."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from geodata.network import StreetNetwork
from geodata.osm_import import import_osm_file

REPOSITORY = Path(__file__).resolve().parents[1]

settings.register_profile("tandem", derandomize=True, deadline=None, database=None)
settings.load_profile("tandem")


@pytest.fixture(autouse=True)
def same_random_numbers() -> None:
    random.seed(20231001)


@pytest.fixture(scope="session", autouse=True)
def library_caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep what libraries write for themselves out of the home folder.

    Our own compiled kernels stay where they are kept between starts (`TANDEM_CACHE_DIR`), because
    compiling them for each run would cost more than the tests do.
    """
    folder = tmp_path_factory.mktemp("library-caches")
    kept = {"TANDEM_DATA", "TANDEM_CACHE_DIR"}
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TANDEM_")]:
            if name not in kept:
                patch.delenv(name)  # a developer's own settings must not decide a test
        patch.delenv("WEB_CONCURRENCY", raising=False)
        patch.setenv("TANDEM_DEV", "true")  # tests of credentials say dev=False themselves
        patch.setenv("MPLCONFIGDIR", str(folder / "matplotlib"))
        patch.setenv("MPLBACKEND", "agg")
        yield folder


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is costly to make and may be shared by all tests of a run."""
    return tmp_path_factory.mktemp("session-cache")


@pytest.fixture(scope="session")
def tandem_data() -> Path:
    """The folder of real data beside the project; a test that asks for it is skipped without."""
    folder = Path(os.environ.get("TANDEM_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"needs the real data: TANDEM_DATA (or its default) is {folder}, no folder")
    return folder


@pytest.fixture(scope="session")
def seattle(tandem_data: Path) -> StreetNetwork:
    """The real street network of the whole city, read once for all tests of a run."""
    return import_osm_file(tandem_data / "network" / "seattle_drive_2026-07-18.osm.gz")
