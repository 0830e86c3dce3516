"""What was recommended, read back from the bytes that were sent.

What lives here: the few fields of a kept answer that a confirmation or an override judges by.
"""

from collections.abc import Iterable, Iterator, Mapping
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
    basis: _Basis = _Basis()

    @property
    def going(self) -> tuple[SentUnit, ...]:
        """Units that are to go and are not on the call yet."""
        named = self.assign if self.hold is None else self.hold.send_now
        return tuple([unit for unit in named if not unit.already_assigned])

    @property
    def fixed_ids(self) -> frozenset[str]:
        """Units that were on the call already."""
        named = self.assign if self.hold is None else self.hold.send_now
        return frozenset(unit.unit_id for unit in named if unit.already_assigned)


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
    units: tuple[Any, ...] | None = None


class Named(Struct, frozen=True, kw_only=True):
    """What the last request about a call named."""

    assigned: frozenset[str] = frozenset()
    """Units on the call."""
    agencies: Mapping[str, Agency] = {}
    """The kind of each unit that came with it in place of the roster."""


_ASKED: Final = msgspec.json.Decoder(_Asked)
_AGENCIES: Final = {str(agency): agency for agency in Agency}


def named_by_request(connection: Connection, incident_id: str) -> Named:
    """Return the units that the last request about a call named."""
    asked = select(incidents.c.request).where(incidents.c.incident_id == incident_id)
    request = connection.execute(asked).scalar_one_or_none()
    if request is None:
        return Named()
    try:
        told = _ASKED.decode(request)
    except msgspec.MsgspecError:  # it was mended when it was read, in ways that are not known here
        return Named()
    return Named(
        assigned=frozenset(row["unit_id"] for row in _rows(told.incident.assigned)),
        agencies={
            row["unit_id"]: _AGENCIES[row["agency"]]
            for row in _rows(told.units or ())
            if row.get("agency") in _AGENCIES
        },
    )


def _rows(rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("unit_id"), str):
            yield row
