"""One CARE call in a simulation: what has become of it so far, and how it may end.

What lives here: `CareCall` and the words for its outcomes. What does not: who decides (`city`).
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from routing.codes import Agency


@dataclass(slots=True, kw_only=True)
class CareCall:
    """What has become of one CARE call so far; seconds since 1970."""

    row: int
    job: int
    asked_s: float = np.nan
    """When it was decided first."""
    held_s: float | None = None
    """Since when it waits; None when it does not."""
    waits_s: float = np.nan
    """Since when it has waited for units while the hours are open."""
    waited_s: float = 0.0
    missing: tuple[Agency, ...] = ()
    lacked: tuple[Agency, ...] = ()
    """What was missing when it was first held for units."""
    on_call: dict[Agency, tuple[int, float, float]] = field(default_factory=dict)
    """Unit's row, dispatched, arrives; by agency."""
    clears: dict[Agency, float] = field(default_factory=dict)
    outcome: str = ""
    mode: str | None = None
    why: str = ""
    """Codes of failing gates, or reasons of its hold."""
    left_share: float = np.nan
    """Of CARE's demand, reached in time by a CARE unit that is free after it was sent."""


SENT: Final = "SENT"
"""CARE came: with police, or alone where the mode is SOLO."""
POLICE_ALONE: Final = "POLICE_ALONE"
"""It was held for as long as a supervisor lets it, and police answered alone."""
REFUSED: Final = "REFUSED"
"""Not eligible: the normal response plan, police alone."""
OPEN: Final = "OPEN"
"""Not decided when the study ended."""
