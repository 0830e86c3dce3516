"""What the README shows is what the software does."""

import json
import re
from pathlib import Path
from typing import Any

from api.live_view import load_view
from api.operations import recommend_units
from api.settings import Settings

PROJECT = Path(__file__).resolve().parents[1]


def missing(shown: Any, real: Any, path: str = "") -> list[str]:
    """Return the places where an abridged JSON value says something else than the real one."""
    if isinstance(shown, dict) and isinstance(real, dict):
        return [m for k, v in shown.items() for m in missing(v, real.get(k), f"{path}/{k}")]
    if isinstance(shown, list) and isinstance(real, list) and len(shown) <= len(real):
        return [m for i, v in enumerate(shown) for m in missing(v, real[i], f"{path}/{i}")]
    return [] if shown == real else [path]


def shown_answer() -> Any:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    return json.loads(block)


def test_the_answer_in_the_readme_is_the_real_one() -> None:
    view = load_view(Settings(), lambda _stage: None)
    real = json.loads(recommend_units(view, (PROJECT / "docs" / "call.json").read_bytes()).body)
    shown = shown_answer()
    assert shown["outcome"] == "DISPATCH"
    assert missing(shown, real) == []


def test_a_changed_figure_in_the_readme_is_found() -> None:
    shown = shown_answer()
    other = json.loads(json.dumps(shown))
    other["pair"]["both_at_s"] += 1
    assert missing(other, shown) == ["/pair/both_at_s"]
    assert missing(shown, {"outcome": "HOLD"}) != []
