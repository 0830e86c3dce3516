"""A roster of the pilot area at a fixed instant, and the requests that change it."""

import datetime as dt
import json
from typing import Any

from api.live_roster import LiveRoster
from api.live_view import LiveView
from api.position_feed import move_units
from api.roster_operations import put_unit, reconcile
from api.roster_schemas import PositionsWritten, SnapshotWritten, UnitWritten
from api.store.memory import MemoryRoster
from api.store.records import StoredFix
from routing.roster import UnitId
from tests.api.requests_made import unit

NOW = dt.datetime(2026, 7, 21, 20, 5, 2, tzinfo=dt.UTC)
LON, LAT = -122.3372, 47.6104
"""A corner downtown; 0.001 degrees of latitude are 111 m."""


def at(seconds: float) -> str:
    """Return an instant so many seconds after NOW, as a CAD writes it."""
    return (NOW + dt.timedelta(seconds=seconds)).isoformat()


def place(unit_id: str, seconds: float, north_m: float = 0.0, **changes: Any) -> dict[str, Any]:
    """Return a row of a feed: a fix so many seconds after NOW, so many metres north."""
    row = {"unit_id": unit_id, "lon": LON, "lat": LAT + north_m / 111_200, "fixed_at": at(seconds)}
    return row | changes


def record(unit_id: str, **changes: Any) -> dict[str, Any]:
    """Return the record of an AVAILABLE unit without a position; C... is CARE."""
    agency = "CARE" if unit_id.startswith("C") else "SPD"
    return unit(unit_id, agency, LON, LAT) | {"version": 1, "position": None} | changes


def position(seconds: float, north_m: float = 0.0, **changes: Any) -> dict[str, Any]:
    """Return the position of a record."""
    row = place("", seconds, north_m, **changes)
    return {key: value for key, value in row.items() if key != "unit_id"}


class Story:
    """One live roster and what is told to it, each thing received some seconds after NOW."""

    def __init__(self, view: LiveView) -> None:
        self.live = LiveRoster(MemoryRoster(), view)

    def snapshot(self, *units: Any, received: float = 0.0, **more: Any) -> SnapshotWritten:
        body = json.dumps({"units": list(units), **more}).encode()
        return reconcile(self.live, body, now=lambda: self._clock(received))

    def report(self, told: dict[str, Any], received: float = 0.0, **more: Any) -> UnitWritten:
        body = json.dumps({"unit": told, **more}).encode()
        return put_unit(self.live, told["unit_id"], body, now=lambda: self._clock(received))

    def feed(self, *rows: Any, received: float = 0.0, **more: Any) -> PositionsWritten:
        body = json.dumps({"positions": list(rows), **more}).encode()
        return move_units(self.live, body, now=lambda: self._clock(received))

    def fix(self, unit_id: str) -> StoredFix | None:
        """Return the fix that is kept of a unit."""
        return self.live.store.read([unit_id]).units[UnitId(unit_id)].fix

    def north_m(self, unit_id: str) -> float | None:
        """Return how far north the kept fix is, whole metres, the store and the view agreeing."""
        fix, roster = self.fix(unit_id), self.live.view.on_duty.roster
        row = roster.row_of(unit_id)
        assert row is not None
        if fix is None:
            assert roster.lat[row] != roster.lat[row]
            return None
        assert roster.lat[row] == fix.lat
        return round((fix.lat - LAT) * 111_200)

    @staticmethod
    def _clock(seconds: float) -> dt.datetime:
        return NOW + dt.timedelta(seconds=seconds)
