"""What was recommended, read back from the bytes that were sent.

What lives here: the few fields of a kept answer that a confirmation or an override judges by.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from api.store.tables import incidents, recommendations
from routing.codes import Agency, Gate, Mode, Outcome, OverrideAction, Role, UnitSource


class SentUnit(Struct, frozen=True, kw_only=True):
    """A unit of `assign` or `hold.send_now`."""

    agency: Agency
    unit_id: str
    unit_version: int | None = None
    already_assigned: bool = False


class SentHold(Struct, frozen=True, kw_only=True):
    """The part of a HOLD that may be confirmed or filled by an override."""

    tentative: Mapping[Agency, str | None] = {}
    send_now: tuple[SentUnit, ...] = ()


class SentOverride(Struct, frozen=True, kw_only=True):
    """What a person in a role may do instead."""

    action: OverrideAction
    role: Role
    gate: Gate | None = None


class _Named(Struct, frozen=True, kw_only=True):
    unit_id: str
    agency: Agency


class _Explained(Struct, frozen=True, kw_only=True):
    units: tuple[_Named, ...] = ()


class _Basis(Struct, frozen=True, kw_only=True):
    unit_source: UnitSource = UnitSource.ROSTER


class Sent(Struct, frozen=True, kw_only=True):
    """One recommendation as it was answered."""

    recommendation_id: str
    incident_id: str
    incident_version: int
    valid_until: datetime
    outcome: Outcome
    mode: Mode | None
    assign: tuple[SentUnit, ...] = ()
    hold: SentHold | None = None
    overrides: tuple[SentOverride, ...] = ()
    explain: _Explained = _Explained()
    basis: _Basis = _Basis()

    @property
    def going(self) -> tuple[SentUnit, ...]:
        """Units that are to go and are not on the call yet."""
        named = self.assign if self.hold is None else self.hold.send_now
        return tuple([unit for unit in named if not unit.already_assigned])

    @property
    def fixed_ids(self) -> frozenset[str]:
        """Units that were on the call already."""
        return frozenset(unit.unit_id for unit in self.assign if unit.already_assigned)

    def agency_of(self, unit_id: str) -> Agency | None:
        """Return the kind of a unit that the answer explains."""
        return next((u.agency for u in self.explain.units if u.unit_id == unit_id), None)


_SENT: Final = msgspec.json.Decoder(Sent)


def read_sent(connection: Connection, recommendation_id: str) -> Sent | None:
    """Return what was recommended; None when it is not kept."""
    of = recommendations.c.recommendation_id == recommendation_id
    answer = connection.execute(select(recommendations.c.answer).where(of)).scalar_one_or_none()
    return None if answer is None else _SENT.decode(answer)


class _AskedIncident(Struct, frozen=True, kw_only=True):
    assigned: tuple[Any, ...] = ()


class _Asked(Struct, frozen=True, kw_only=True):
    incident: _AskedIncident


_ASKED: Final = msgspec.json.Decoder(_Asked)


def named_by_request(connection: Connection, incident_id: str) -> set[str]:
    """Return the units that the last request about a call named as assigned to it."""
    asked = select(incidents.c.request).where(incidents.c.incident_id == incident_id)
    request = connection.execute(asked).scalar_one_or_none()
    if request is None:
        return set()
    try:
        rows = _ASKED.decode(request).incident.assigned
    except msgspec.MsgspecError:  # it was mended when it was read, in ways that are not known here
        return set()
    return {row["unit_id"] for row in rows if isinstance(row, dict) and "unit_id" in row}
