"""One frozen object, every setting documented, bad values refused by name."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from api.errors import StartError
from api.settings import ENV_PREFIX, Settings, read_settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def undocumented(text: str) -> set[str]:
    rows = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    return {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields} ^ set(rows)


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    assert undocumented(DOCUMENT.read_text(encoding="utf-8")) == set()


def test_an_undocumented_setting_is_found() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert undocumented(text.replace("TANDEM_PORT", "TANDEM_HARBOUR")) == {
        "TANDEM_PORT", "TANDEM_HARBOUR",
    }  # fmt: skip


def test_documented_defaults_are_the_real_ones() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        row = next(line for line in text.splitlines() if f"{ENV_PREFIX}{name.upper()}`" in line)
        assert field.default is None or f"`{field.default}`" in row


def test_the_environment_is_read_once_and_cannot_be_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TANDEM_PORT", "9000")
    settings = read_settings()
    assert settings.port == 9000
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_a_value_that_cannot_be_used_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_PORT", "harbour")
    with pytest.raises(StartError, match="TANDEM_PORT"):
        read_settings()
