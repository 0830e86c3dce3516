"""Tables of results: named columns with units and definitions, the same in every format.

What lives here: `Table`. What does not: writing files (`table_files`) and pages (`report`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """One table; columns of equal length, in the order in which they are shown."""

    name: str
    """Of its files, such as `coverage_by_zone`."""
    title: str
    columns: Mapping[str, NDArray[Any]]
    """By name, the unit last (`pair_p50_s`); texts as object arrays; NaN or None: no value."""
    definitions: Mapping[str, str]
    """What each column is, in a sentence; no column without one."""
    geometry: Sequence[BaseGeometry] | None = None
    """shapely shapes in degrees, one for each row, for the GeoPackage; None for a plain table."""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lengths = {len(column) for column in self.columns.values()}
        assert len(lengths) <= 1, f"{self.name}: columns of different lengths"
        undefined = set(self.columns) - set(self.definitions)
        assert not undefined, f"{self.name}: no definition of {sorted(undefined)}"

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """A picture of a report: PNG, with the words that say what it shows."""

    name: str
    png: bytes
    words: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Section:
    """A part of a report, in the order in which it is read."""

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyResult:
    """All that a study found; what is written, and what the page shows."""

    kind: str
    """COVERAGE, SITING, SIMULATION, REPLAY or COMPARISON."""
    title: str
    cautions: tuple[str, ...] = ()
    """What stands on the report's face: proxy, schematic streets, not comparable."""
    in_short: tuple[str, ...] = ()
    """The findings, a sentence each."""
    sections: tuple[Section, ...] = ()
    tables: tuple[Table, ...] = ()
    """That are written but not shown, such as one row for each call."""
    assumptions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What was assumed, by key of the scenario, with its value and its source."""
    manifest: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def all_tables(self) -> tuple[Table, ...]:
        """Every table: those that the page shows, then the others."""
        shown = [one for section in self.sections for one in section.tables]
        return (*shown, *self.tables)


def is_missing(value: object) -> bool:
    """Whether a cell holds no value: None or NaN."""
    return value is None or value != value  # noqa: PLR0124


def texts(values: Sequence[object]) -> NDArray[np.object_]:
    """Return a column of texts."""
    column = np.empty(len(values), object)
    column[:] = list(values)
    return column
