"""The files of `deploy/` name what there is: settings, files of the project, and directives."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from api.settings import ENV_PREFIX, Settings

REPOSITORY = Path(__file__).parents[1]
DEPLOY = REPOSITORY / "deploy"
SETTINGS = {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}


def unknown_settings(text: str) -> set[str]:
    return set(re.findall(rf"\b{ENV_PREFIX}[A-Z_]+", text)) - SETTINGS


def missing_sources(containerfile: str) -> set[str]:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", containerfile, re.MULTILINE)
    return {name for line in copied for name in line.split() if not (REPOSITORY / name).exists()}


@pytest.mark.parametrize("file", sorted(DEPLOY.iterdir()), ids=lambda file: file.name)
def test_every_setting_that_is_named_exists(file: Path) -> None:
    assert unknown_settings(file.read_text(encoding="utf-8")) == set()


def test_a_setting_that_does_not_exist_is_found() -> None:
    assert unknown_settings("Environment=TANDEM_SHOP=/x TANDEM_STORE=/y") == {"TANDEM_SHOP"}


def test_the_image_copies_what_there_is_and_runs_as_an_ordinary_user() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    assert missing_sources(text) == set()
    assert missing_sources("COPY api nowhere /opt\n") == {"nowhere"}
    stages = text.split("\nFROM ")
    assert re.search(r"^USER tandem$", stages[-1], re.MULTILINE)
    assert "make setup" not in stages[-1]


def test_the_entry_of_the_image_may_be_run_and_copies_the_kernels(tmp_path: Path) -> None:
    text = (DEPLOY / "start").read_text(encoding="utf-8")
    assert os.access(DEPLOY / "start", os.X_OK)
    kernels, tandem = tmp_path / "kernels", tmp_path / "tandem"
    kernels.mkdir()
    (kernels / "one.nbc").write_bytes(b"compiled")
    tandem.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    tandem.chmod(0o755)
    entry = tmp_path / "start"
    entry.write_text(text.replace("/opt/tandem/kernels", str(kernels)), encoding="utf-8")
    folder = tmp_path / "writable" / "kernels"
    done = subprocess.run(
        ["sh", str(entry), "serve", "--allow-remote"], capture_output=True, text=True, check=True,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "TANDEM_CACHE_DIR": str(folder)},
    )  # fmt: skip
    assert done.stdout == "serve --allow-remote\n"
    assert (folder / "one.nbc").read_bytes() == b"compiled"


@pytest.mark.parametrize("change", ["", "ProtectSytem=strict\n"])
def test_the_unit_is_understood_by_systemd(tmp_path: Path, change: str) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("needs systemd-analyze")
    text = (DEPLOY / "tandem.service").read_text(encoding="utf-8")
    text = text.replace("/opt/tandem/.venv/bin/tandem", "/bin/true")
    file = tmp_path / "tandem.service"
    file.write_text(text.replace("[Service]\n", f"[Service]\n{change}"), encoding="utf-8")
    done = subprocess.run(
        [verify, "verify", str(file)], capture_output=True, text=True, check=False
    )
    is_understood = done.returncode == 0 and "Unknown" not in done.stderr
    assert is_understood is not bool(change), done.stderr
