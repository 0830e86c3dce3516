"""docs/studies.md has a row for each key of a scenario file, and no row besides."""

from pathlib import Path

from benchmarks.studies.key_table import BEGIN, END, TOLD, key_tables
from benchmarks.studies.scenario_keys import TABLES

DOCS = Path(__file__).resolve().parents[3] / "docs" / "studies.md"


def test_the_documentation_has_every_key_as_the_reader_has_it_and_none_besides() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert text.split(BEGIN)[1].split(END)[0].strip() == key_tables().strip()


def test_every_key_says_what_it_is_and_every_told_default_is_of_a_key() -> None:
    assert all(key.told for keys in TABLES.values() for key in keys.values())
    assert all(name in TABLES[heading] for heading, name in TOLD)
