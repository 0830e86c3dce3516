"""What a scenario assumes beside the request: another policy, more zones, a lower rung, a memory.

What lives here: `Setting`, which changes what `recommend` is given. It is small on purpose: a file
names the fields of `Policy` that differ, under their own names, and nothing else can be changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from geodata.beats import BeatMap
from geodata.zones import Zone, ZoneKind, ZoneMap, read_outline
from routing.model import Eta, Incident, Mode, Options, Policy, Recommendation, Situation
from routing.policy import SOLO_RULES
from routing.recommend import recommend

Table = Mapping[str, Any]
Value = TypeVar("Value")

_OFFERED: Final = {Mode.SOLO: SOLO_RULES}
"""Modes that the pilot had not at its launch, as they are when a policy adds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Changes as a scenario file names them; empty for what the service starts with."""

    policy: Table
    """Fields of the city's policy; `modes.SOLO = {}` adds a mode."""
    zones: tuple[Table, ...]
    """More zones: `{zone_id, kind, precedence, box = [west, south, east, north]}`."""
    beats: Table
    """Police geography as boxes by beat."""
    precincts: Mapping[str, str]
    """Precinct by sector."""
    rung: Eta | None
    """The best rung of the ladder that may be used."""
    earlier_unit_ids: tuple[str, ...]
    """Units that an earlier recommendation for this call named."""
    held_since: datetime | None
    """Since when the call has been on hold."""

    @classmethod
    def of(cls, told: Table) -> "Setting":
        """Return the setting that a file tells.

        Raises
        ------
        ValueError
            It names something that cannot be set.
        """
        unknown = sorted(set(told) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"[setting] has {', '.join(unknown)}, which cannot be set")
        rung = told.get("rung")
        return cls(
            policy=told.get("policy", {}),
            zones=tuple(told.get("zones", ())),
            beats=told.get("beats", {}),
            precincts=told.get("precincts", {}),
            rung=None if rung is None else Eta(rung),
            earlier_unit_ids=tuple(told.get("earlier_unit_ids", ())),
            held_since=told.get("held_since"),
        )

    def decide(
        self,
        situation: Situation,
        incident: Incident,
        decided_at: datetime,
        options: Options,
        **stage: Any,
    ) -> Recommendation:
        """Return what `recommend` says in this setting."""
        return recommend(
            self.applied_to(situation),
            replace(incident, held_since=self.held_since),
            decided_at,
            replace(options, earlier_unit_ids=frozenset(self.earlier_unit_ids)),
            **stage,
        )

    def applied_to(self, situation: Situation) -> Situation:
        """Return a situation as this setting has it."""
        changes: dict[str, Any] = {"precinct_of": MappingProxyType(dict(self.precincts))}
        if self.policy:
            changes["policy"] = changed(situation.policy, self.policy, Policy)
        if self.zones:
            more = map(_zone, self.zones)
            changes["zones"] = ZoneMap((*situation.zones.zones, *more))
        if self.beats:
            changes["beats"] = BeatMap({beat: _box(box) for beat, box in self.beats.items()})
        if self.rung is not None:
            changes["rung"] = self.rung
        return replace(situation, **changes)


def changed(value: Any, changes: Any, kind: Any) -> Any:
    """Return a value with changes laid over it: dataclasses and mappings by part, others whole.

    Raises
    ------
    ValueError
        A field that there is not, or a value of another kind.
    """
    if isinstance(changes, Mapping) and is_dataclass(value) and not isinstance(value, type):
        kinds = get_type_hints(type(value))
        unknown = sorted(set(changes) - set(kinds))
        if unknown:
            raise ValueError(f"{type(value).__name__} has no {', '.join(unknown)}")
        return replace(
            value, **{k: changed(getattr(value, k), v, kinds[k]) for k, v in changes.items()}
        )
    if isinstance(changes, Mapping) and isinstance(get_origin(kind), type):
        key_kind, value_kind = get_args(kind)
        keyed = {msgspec.convert(key, key_kind): one for key, one in changes.items()}
        made = {
            key: changed(value.get(key, _OFFERED.get(key)), one, value_kind)
            for key, one in keyed.items()
        }
        return MappingProxyType({**value, **made})
    try:
        return msgspec.convert(changes, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"{changes!r}: {error}") from None


def _zone(told: Table) -> Zone:
    return Zone(
        zone_id=told["zone_id"],
        name=told["zone_id"],
        kind=ZoneKind(told["kind"]),
        precedence=told["precedence"],
        geometry=_box(told["box"]),
    )


def _box(box: list[float]) -> Any:
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return read_outline({"type": "Polygon", "coordinates": [ring]})
