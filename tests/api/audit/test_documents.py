"""Every code of a fault and every kind with a time of its own stands in its document."""

from pathlib import Path

from api.audit.faults import Why
from api.store.sql_prune import Kind

DOCS = Path(__file__).parents[3] / "docs"


def undocumented(text: str, codes: type[Why] | type[Kind]) -> set[str]:
    return {code for code in codes if f"| `{code}`" not in text}


def test_every_code_has_its_row() -> None:
    assert undocumented((DOCS / "audit.md").read_text(encoding="utf-8"), Why) == set()
    assert undocumented((DOCS / "store.md").read_text(encoding="utf-8"), Kind) == set()


def test_a_code_without_a_row_is_found() -> None:
    text = (DOCS / "audit.md").read_text(encoding="utf-8")
    assert undocumented(text.replace("| `SWAPPED`", "| SWAPPED"), Why) == {Why.SWAPPED}
