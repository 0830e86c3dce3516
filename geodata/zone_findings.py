"""What an import of zones has to say: which feature, at which place, what is wrong and what to do.

What lives here: one finding and how findings are written as text, JSON and GeoJSON. What does not:
finding them (`zone_archive`, `zone_crs`, `zone_checks`, `zone_streets`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from geodata.errors import GeodataError

FINDINGS_MAX: Final = 1_000
"""Findings that a report keeps; what is beyond is counted."""

TEXT_CHARS_MAX: Final = 80
"""Characters of a file's own text that a finding repeats."""


class Weight(StrEnum):
    """ERROR refuses the file; WARNING is for a person to judge; REPAIR says what was changed."""

    ERROR = "ERROR"
    WARNING = "WARNING"
    REPAIR = "REPAIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about a file of zones."""

    code: str
    """Of the list in docs/zones.md."""
    weight: Weight
    feature: str
    """The zone_id, or `feature 3` counted from 1 where it has none; '' is the whole file."""
    detail: str
    remedy: str
    lon: float | None = None
    """Degrees; None where it has no place."""
    lat: float | None = None

    def as_text(self) -> str:
        """Return one line."""
        place = "" if self.lon is None else f" at {self.lon:.6f}, {self.lat:.6f}"
        subject = self.feature or "the file"
        return f"{self.weight} {self.code}: {subject}{place}: {self.detail}. {self.remedy}"


def error(code: str, detail: str, remedy: str, *, feature: str = "") -> Finding:
    """Return a finding that refuses the file and has no place."""
    return Finding(code=code, weight=Weight.ERROR, feature=feature, detail=detail, remedy=remedy)


class ZoneFileRefusedError(GeodataError):
    """A file that is not read any further; carries why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.as_text())


def shown(value: object) -> str:
    """Return a value of the file as it may stand in a message: short and printable."""
    text = repr(value) if isinstance(value, str) else str(value)
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= TEXT_CHARS_MAX else f"{text[:TEXT_CHARS_MAX]}..."


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether findings refuse the file."""
    return any(finding.weight is Weight.ERROR for finding in findings)


def as_objects(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as JSON objects."""
    return [asdict(finding) for finding in findings]


def from_object(raw: Mapping[str, Any]) -> Finding:
    """Return a finding that `as_objects` has written."""
    return Finding(**{**raw, "weight": Weight(raw["weight"])})


def spots(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return a GeoJSON FeatureCollection of the places of findings, to be opened beside the file.

    A finding without a place is a feature without a geometry.
    """
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {
                    "code": f.code, "weight": f.weight, "feature": f.feature, "detail": f.detail,
                    "remedy": f.remedy,
                },
                "geometry": None
                if f.lon is None
                else {"type": "Point", "coordinates": [f.lon, f.lat]},
            }
            for f in findings
        ],
    }  # fmt: skip
