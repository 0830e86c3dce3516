"""Compiled kernels are kept where they may be written, and never outlive an edit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from geodata.compiled import KERNEL_MODULES, cache_folder, kernel_hash

PROJECT = Path(__file__).resolve().parents[2]


def test_every_module_with_kernels_is_in_the_hash() -> None:
    packages = (PROJECT / name for name in ("geodata", "routing", "api", "benchmarks"))
    modules = [path for package in packages for path in package.rglob("*.py")]
    using = {
        str(path.relative_to(PROJECT)) for path in modules
        if "\n@njit" in path.read_text(encoding="utf-8")
        or path.name in ("compiled.py", "run_columns.py")
    }  # fmt: skip
    assert using == set(KERNEL_MODULES)


@pytest.mark.parametrize("edited", KERNEL_MODULES)
def test_an_edit_of_any_kernel_module_means_another_folder(tmp_path: Path, edited: str) -> None:
    for name in KERNEL_MODULES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((PROJECT / name).read_bytes())
    before = kernel_hash(tmp_path)
    assert before == kernel_hash(PROJECT)
    with (tmp_path / edited).open("a", encoding="utf-8") as file:
        file.write("# edited\n")
    assert kernel_hash(tmp_path) != before


def test_the_setting_moves_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_CACHE_DIR", str(tmp_path / "kept"))
    folder = cache_folder()
    assert folder is not None
    assert folder.parent == tmp_path / "kept"
    assert folder.stat().st_mode & 0o077 == 0  # what lies in it is executed: nobody else writes it


def test_a_folder_that_cannot_be_made_means_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("TANDEM_CACHE_DIR", str(tmp_path / "file" / "below"))
    assert cache_folder() is None


def test_kernels_run_without_a_home_and_without_a_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    environment["TANDEM_CACHE_DIR"] = str(tmp_path / "file" / "below")
    code = "from geodata.earth import metres_per_degree as m; print(round(m(47.6)[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "111183"
