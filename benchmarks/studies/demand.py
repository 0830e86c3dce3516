"""What comes in: calls as columns, from a table or generated.

What lives here: `Calls`. What does not: which calls a table holds (`past_demand`) and how calls are
drawn (`generated_demand`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from geodata.call_records import UnitRecords
from geodata.snap import Positions
from routing.codes import Agency

CARE_911 = 0
CARE_OFFICER = 1
"""An officer who is on scene asks for CARE."""
POLICE = 2
"""A background police job."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calls:
    """Calls in the order of their instants; columns of shape (n_calls,)."""

    call_id: tuple[str, ...]
    kind: NDArray[np.int8]
    """CARE_911, CARE_OFFICER or POLICE."""
    at_s: NDArray[np.float64]
    """When it is queued, seconds since 1970 in UTC."""
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    """Degrees."""
    positions: Positions
    """Snapped as an incident; no street where none is near (such calls are never reached)."""
    call_type: tuple[str, ...]
    """The text; one that the release takes where nobody knows."""
    priority: NDArray[np.int16]
    """1 is the highest; 0 where nobody knows."""
    units_needed: NDArray[np.int8]
    """Police units of a background job; 1 of a CARE call."""
    source: str = ""
    """Of a table or of the generator, in words for a report."""
    is_proxy: bool = True
    """Whether this is no record of calls that were judged eligible."""
    notes: tuple[str, ...] = ()
    """What a reader must know: rows left out, assumptions, what the times are."""
    weeks: float = 1.0
    """Weeks of the period."""
    records: Mapping[Agency, UnitRecords] = field(default_factory=lambda: MappingProxyType({}))
    """What units did at past calls, of each agency that the table tells of; none of others."""

    def __len__(self) -> int:
        return len(self.at_s)
