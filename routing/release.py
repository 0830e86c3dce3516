"""One release: everything that the city has decided, as one bundle with one effective instant.

What lives here: `Release` (rule 16), its checks, and where a call lies in police geography. What
does not: reading it from a file (`api.release_file`), and closures, which are live data beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from geodata.zones import ZoneMap
from routing.codes import Status
from routing.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Release:
    """Zones, policies and mappings that are published and rolled back together."""

    release_id: str
    effective_at: datetime | None = None
    """None for a release that has always been in force, such as the built-in one."""
    zone_version: int = 1
    policy_version: int = 1
    zones: ZoneMap
    city_policy: Policy
    """Of calls outside every zone, and of zones that name no policy."""
    zone_policies: Mapping[str, Policy] = field(default_factory=lambda: MappingProxyType({}))
    """By `Zone.policy_id`."""
    status_of: Mapping[str, Status] = field(default_factory=lambda: MappingProxyType({}))
    """Ours by the CAD's text (normalised), beside our own names."""
    precinct_of: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Precinct by sector."""

    def __post_init__(self) -> None:
        named = {zone.policy_id for zone in self.zones.zones} - {""}
        unknown = sorted(named - set(self.zone_policies))
        if unknown:
            raise ValueError(
                f"zones name the policies {', '.join(unknown)}, which the release does not have; "
                "add them or correct policy_id"
            )
        if self.effective_at is not None and self.effective_at.tzinfo is None:
            raise ValueError(f"effective_at is {self.effective_at}; expected an offset from UTC")
