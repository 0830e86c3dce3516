"""A study as one page of HTML: findings, maps, tables, assumptions, definitions, manifest.

What lives here: `page_of`. What does not: the frame and the pieces of a page (`api.html_page`) and
what a study says (its `StudyResult`). Equal results give equal text.
"""

from collections.abc import Iterable, Mapping
from html import escape
from itertools import islice
from typing import Final

from api.html_page import figure, listed, minutes, percent, table, whole_page
from benchmarks.studies.tables import Section, StudyResult, Table, is_missing

ROWS_SHOWN: Final = 60
"""Of a table; its files have all."""
KIND_WORDS: Final = {
    "COVERAGE": "Coverage study",
    "SITING": "Siting study",
    "SIMULATION": "Simulation study",
    "REPLAY": "Replay of a past period",
    "COMPARISON": "Comparison of scenarios",
}


def page_of(result: StudyResult) -> str:
    """Return the page of a study."""
    parts = [
        f"<p>{escape(KIND_WORDS.get(result.kind, result.kind))}</p>",
        f"<h1>{escape(result.title)}</h1>",
        *(f'<div class="caution">{escape(text)}</div>' for text in result.cautions),
        "<h2>In short</h2>", listed(map(escape, result.in_short)),
        *(piece for section in result.sections for piece in _section(section)),
        "<h2>Assumptions</h2>",
        table(("what", "value and source"), result.assumptions.items(), texts=2),
        "<h2>What each count is</h2>", *_definitions(result),
        "<h2>What it was made of</h2>",
        table(("", ""), _flat(result.manifest), texts=2),
    ]  # fmt: skip
    return whole_page(result.title, parts)


def _section(section: Section) -> Iterable[str]:
    yield f"<h2>{escape(section.title)}</h2>"
    for paragraph in section.paragraphs:
        yield f"<p>{escape(paragraph)}</p>"
    for picture in section.pictures:
        yield figure(picture.png, picture.words)
    for one in section.tables:
        yield f"<h3>{escape(one.title)}</h3>"
        yield _table(one)


def _table(shown: Table) -> str:
    """Return the first rows of a table, and where the others and the words are."""
    texts = [column.dtype.kind in "OU" for column in shown.columns.values()]
    columns = [
        [_cell(name, value) for value in column[:ROWS_SHOWN].tolist()]
        for name, column in shown.columns.items()
    ]
    made = table([_head(name) for name in shown.columns], zip(*columns, strict=True), texts)
    more = len(shown) - ROWS_SHOWN
    notes = [*shown.notes]
    if more > 0:
        notes.append(f"The first {ROWS_SHOWN} of {len(shown):,} rows; {shown.name}.csv has all.")
    link = f'<a href="#{escape(shown.name)}">What each column is</a>'
    return f"{made}<p><small>{' '.join([*map(escape, notes), link])}</small></p>"


def _head(name: str) -> str:
    """Return a column's name in words; seconds are shown as minutes and shares in per cent."""
    for ending, words in (("_s", " (min)"), ("_share", " (%)"), ("_km2", " (km²)")):
        if name.endswith(ending):
            return name.removesuffix(ending).replace("_", " ") + words
    for unit in ("m", "km", "ms", "h", "hours"):
        if name.endswith(f"_{unit}"):
            return name.removesuffix(f"_{unit}").replace("_", " ") + f" ({unit})"
    return name.replace("_", " ")


def _cell(name: str, value: object) -> str:
    """Return a value as a person reads it."""
    if is_missing(value):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and name.endswith("_s"):
        return minutes(float(value)).removesuffix(" min")
    if isinstance(value, float) and name in {"lon", "lat"}:
        return f"{value:.5f}"
    if isinstance(value, float):
        if name.endswith("_share"):
            return percent(value).removesuffix(" %")
        return _real(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _real(value: float) -> str:
    """Return a real number with at least three digits that count, and no more than it needs."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    digits = 1 if abs(value) >= 100 else 2 if abs(value) >= 10 else 3
    return f"{value:,.{digits}f}" if abs(value) >= 0.001 else f"{value:.2e}"


def _definitions(result: StudyResult) -> Iterable[str]:
    for one in result.all_tables:
        yield f'<h3 id="{escape(one.name)}">{escape(one.title)} ({escape(one.name)}.csv)</h3>'
        entries = (
            f"<dt>{escape(name)}</dt><dd>{escape(one.definitions[name])}</dd>"
            for name in one.columns
        )
        yield "<dl>" + "".join(entries) + "</dl>"


LIST_SHOWN: Final = 20


def _flat(value: Mapping[str, object], before: str = "") -> Iterable[tuple[str, str]]:
    """Return what a manifest says, a line each."""
    for key, one in value.items():
        name = f"{before}{key}"
        if isinstance(one, Mapping):
            yield from _flat(one, f"{name}.")
        elif isinstance(one, list | tuple):
            said = ", ".join(str(item) for item in islice(one, LIST_SHOWN))
            yield name, said + (f" ... ({len(one):,})" if len(one) > LIST_SHOWN else "")
        else:
            yield name, "" if one is None else str(one)
