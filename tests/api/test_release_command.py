"""`tandem release check` as a function: what it says of a release that can be used."""

from pathlib import Path

import pytest

from api.commands.release import run_check
from tests.api.release_texts import SMALL


@pytest.mark.parametrize(
    ("year", "is_told"), [("2024", False), ("2199", True)], ids=["in force", "not yet in force"]
)
def test_a_release_that_is_not_in_force_yet_is_said_to_be_used_at_once_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], year: str, is_told: bool
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(SMALL.replace("2024-01-01", f"{year}-01-01"), encoding="utf-8")
    run_check(file)
    said = " ".join(capsys.readouterr().out.split())
    assert ("which is not enforced" in said) == is_told
