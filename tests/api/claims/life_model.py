"""The life of calls as a model of plain dictionaries says it is, beside the real operations.

The model knows nothing of tables: units are on calls or not, claims hold units or not. What the
operations did is compared with it after every step.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from api.claims.records import Claim, ClaimState
from routing.codes import Status

ON = {
    Status.DISPATCHED,
    Status.ENROUTE,
    Status.STAGED,
    Status.ON_SCENE,
    Status.TRANSPORTING,
    Status.AT_FACILITY,
}
UNITS = ("C1", "C2", "S1", "S2", "S3")
CALLS = ("A", "B", "D")


@dataclass(slots=True)
class Held:
    """A live claim."""

    call: str
    units: tuple[str, ...]
    until: dt.datetime
    reported: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Model:
    """What must be so."""

    status: dict[str, Status] = field(default_factory=dict)
    since: dict[str, dt.datetime] = field(default_factory=dict)
    """Since when the last status of a unit that was reported has been so."""
    version: dict[str, int] = field(default_factory=dict)
    """Of the record of a unit."""
    calls: dict[str, int] = field(default_factory=dict)
    """The version of each call that was asked about."""
    newest: dict[str, tuple[str, tuple[str, ...], dict[str, int], dt.datetime]] = field(
        default_factory=dict
    )
    """The newest recommendation of a call: its id, its units, their versions, until when."""
    known: dict[str, set[str]] = field(default_factory=dict)
    """Units of which the newest recommendation of a call says that they are on it."""
    held: dict[str, Held] = field(default_factory=dict)
    """Live claims by claim_id."""
    ended: dict[str, ClaimState] = field(default_factory=dict)
    on: dict[str, list[str]] = field(default_factory=dict)
    """The call that a unit is on, the latest last."""
    writes: int = 0

    def claim_of(self, unit: str) -> str | None:
        return next((name for name, one in self.held.items() if unit in one.units), None)

    def end(self, claim_id: str, state: ClaimState) -> None:
        del self.held[claim_id]
        self.ended[claim_id] = state

    # -- claims -----------------------------------------------------------------------------------

    def may_claim(self, call: str, now: dt.datetime, units: tuple[str, ...]) -> bool:
        """Tell whether the newest recommendation of a call can be confirmed now, with its units."""
        _, _, versions, until = self.newest[call]
        fresh = all(
            self.status[unit] is Status.AVAILABLE
            and self.version[unit] == versions.get(unit, self.version[unit])
            for unit in units
        )
        free = all(self.claim_of(unit) is None for unit in units)
        known = set(self.on_call(call)) <= self.known[call]
        return now <= until and fresh and free and known

    def claimed(self, claim: Claim) -> None:
        self.held[claim.claim_id] = Held(claim.incident_id, claim.unit_ids, claim.expires_at)

    # -- facts ------------------------------------------------------------------------------------

    def report(self, unit: str, status: Status, call: str | None, at: dt.datetime) -> bool:
        """Take a report and tell whether it is applied."""
        if at < self.since[unit]:
            return False
        self.since[unit], self.status[unit] = at, status
        self.follow(unit, status, call)
        return True

    def follow(self, unit: str, status: Status, call: str | None) -> None:
        claim_id = self.claim_of(unit)
        on = self.on.setdefault(unit, [])
        if call is None and status in ON:
            own = None if claim_id is None else self.held[claim_id].call
            first = own if status is Status.DISPATCHED and own else None
            call = first or (on[-1] if on else own)
        if call is not None and (status in ON or status in (Status.BUSY, Status.UNKNOWN)):
            self._join(unit, call, claim_id)
        elif status not in ON and status is not Status.UNKNOWN:
            self._leave(unit, status, claim_id)

    def _join(self, unit: str, call: str, claim_id: str | None) -> None:
        on = self.on[unit]
        if claim_id is not None and self.held[claim_id].call != call and call not in on:
            self.end(claim_id, ClaimState.DISPLACED)
            claim_id = None
        on[:] = [call]
        if claim_id is not None and self.held[claim_id].call == call:
            one = self.held[claim_id]
            one.reported.add(unit)
            if one.reported == set(one.units):
                self.end(claim_id, ClaimState.FULFILLED)

    def _leave(self, unit: str, status: Status, claim_id: str | None) -> None:
        self.on[unit] = []
        if claim_id is None:
            return
        if unit in self.held[claim_id].reported or status is not Status.AVAILABLE:
            self.end(claim_id, ClaimState.DISPLACED)

    def on_call(self, call: str) -> list[str]:
        """Return the units that count as assigned to a call."""
        there = {unit for unit, on in self.on.items() if call in on}
        there |= {u for one in self.held.values() if one.call == call for u in one.units}
        return sorted(there)


def live_of(model: Model) -> list[tuple[str, str]]:
    return sorted((unit, name) for name, one in model.held.items() for unit in one.units)


def states_of(model: Model) -> dict[str, Any]:
    return {**dict.fromkeys(model.held, ClaimState.LIVE), **model.ended}
