"""One assumption at a time: how far each duration may be from what is taken, and what that changes.

    scenarios = one_at_a_time(base, changes)

What lives here: RANGES with their sources, and the scenarios that have one end of one range each.
What does not: measures (`scenarios`), tables and pictures.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.studies.comparing.scenarios import Compared, Varied, varied
from benchmarks.studies.scenario import Changes, Scenario

POLICE_WORK: Final = "demand.police"
NO_FACILITY: Final = "no durations.facility"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """How far an assumption may reach."""

    key: str
    """Of the scenario, under `durations`."""
    low: float
    high: float
    source: str
    needs: str = ""
    """Without it the key has no effect and is left out."""

    @property
    def dotted(self) -> str:
        """The key as a scenario file has it."""
        return f"durations.{self.key}"

    def end(self, value: float) -> str:
        """Return the name of the scenario with one end of the range."""
        return f"{self.dotted} = {value:g}"


RANGES: Final = (
    Range(key="dispatch_delay_s", low=40, high=150, source="JEMSS city models"),
    Range(key="turnout_care_s", low=30, high=120, source="assumption: half and twice 60 s"),
    Range(key="turnout_spd_s", low=10, high=60, source="assumption: half and three times 20 s"),
    Range(key="scene_safe_s", low=300, high=1800, source="assumption: study range 5-30 min"),
    Range(key="care_on_scene_s", low=1530, high=2550,
          source="34 min (CARE two-year report); the range of a quarter is an assumption"),
    Range(key="transport_share", low=0.14, high=0.42,
          source="28 % (CARE two-year report); the range of a half is an assumption"),
    Range(key="facility_s", low=450, high=1800, source="assumption: half and twice 15 min"),
    Range(key="transport_drive_s", low=300, high=1200, needs=NO_FACILITY,
          source="assumption: half and twice 10 min"),
    Range(key="spd_without_care_s", low=1800, high=2700, source="assumption (press): 30-45 min"),
    Range(key="spd_units_without_care", low=1, high=2,
          source="assumption; 46 % of P2 and 17 % of P3 events had two or more (2024 sample)"),
    Range(key="police_job_s", low=1200, high=2700, needs=POLICE_WORK,
          source="assumption: 20-45 min"),
    Range(key="police_two_units_share", low=0.17, high=0.46, needs=POLICE_WORK,
          source="2024 sample: 17 % of P3 and 46 % of P2 events"),
    Range(key="speed_factor", low=0.88, high=1.12,
          source="12.2 % mean error of the model on 870 published drive times"),
    Range(key="shape", low=1, high=4, source="assumption: exponential to rather regular"),
)  # fmt: skip
"""The assumed durations of a scenario; see docs/studies.md."""
SENSITIVE: Final = ("pair_response_p90_s", "care_utilisation_share", "officer_saved_per_call_s")
"""Measures on which each assumption is tried."""


def ranges_of(scenario: Scenario) -> tuple[Range, ...]:
    """Return the ranges that can change anything in a scenario."""
    has = {
        "": True, POLICE_WORK: scenario.demand.police is not None,
        NO_FACILITY: scenario.durations.facility is None,
    }  # fmt: skip
    return tuple(one for one in RANGES if has[one.needs])


def one_at_a_time(base: Varied, changes: Changes) -> Iterator[Varied]:
    """Yield the base with the low, then the high end of each range."""
    for one in ranges_of(base.scenario):
        for value in (one.low, one.high):
            yield varied(base, changes, one.end(value), {one.dotted: _number(value)})


def _number(value: float) -> float | int:
    """Return whole numbers as such: some keys take no others."""
    return int(value) if value == int(value) else value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tried:
    """One assumption at both ends of its range."""

    range: Range
    low: Compared
    high: Compared

    def swing(self, base: Compared, measure: str) -> float:
        """Return the greatest change of a measure that either end makes, 0 where none is known."""
        ends = (abs(one.difference(base, measure).mean) for one in (self.low, self.high))
        return max((end for end in ends if end == end), default=0.0)  # noqa: PLR0124


def tried(scenario: Scenario, ends: list[Compared]) -> tuple[Tried, ...]:
    """Return the assumptions of `one_at_a_time` with their measures."""
    pairs = zip(ranges_of(scenario), ends[::2], ends[1::2], strict=True)
    return tuple(Tried(range=one, low=low, high=high) for one, low, high in pairs)
