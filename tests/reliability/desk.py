"""A dispatch desk for a seeded while: units move, calls are asked about, and all of it is recorded.

The decisions are the service's own: the roster is a `LiveView` that changes with units, calls are
remembered, some decisions fall down the ladder, and some batches are cut short.
"""

import datetime as dt
import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from api.batch_operations import recommend_together
from api.errors import InvalidRequest, StoreUnavailable
from api.incident_operations import update_incident
from api.ladder import always_answering
from api.live_view import LiveView, load_view
from api.operations import Answered, Manner, recommend_units
from api.replay.block import UnitBlocks
from api.replay.record import SeenRecord, seen_batch, seen_record
from api.replay.sources import Sources, sources_of
from api.request_schemas import UnitEntry
from api.settings import Settings
from api.store.calls import KnownCall, MemoryCalls, OnCall
from routing.codes import Agency, Eta, Outcome, Status
from routing.model import Fix, Recommendation, Situation, Unit, UnitId
from routing.recommend import recommend
from routing.recommend_batch import recommend_batch
from tests.reliability import asked

BEGIN: Final = dt.datetime(2026, 7, 20, 17, tzinfo=dt.UTC)
DAYS: Final = 5
NIGHT: Final = range(7, 18)
"""Hours of UTC."""
CALLS: Final = 25
"""Calls that are told again and again, so that they have a past."""
ROSTER: Final = asked.names(9, 30)
IN_REQUEST: Final = asked.names(4, 8)
MOVES: Final = 8
"""Recommendations between two changes of the roster."""


class _Forgetful(MemoryCalls):
    """A memory of calls that now and then cannot be reached."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng

    def known(self, incident_id: str) -> KnownCall | None:
        if self._rng.random() < 0.02:
            raise StoreUnavailable("lost")
        return super().known(incident_id)


class Desk:
    """One service's settings at work."""

    def __init__(self, settings: Settings, seed: int, box: asked.Box) -> None:
        self.rng = random.Random(seed)
        self.view: LiveView = load_view(settings, lambda _stage: None)
        self.sources: Sources = sources_of(settings, self.view.situation.network)
        self.calls = _Forgetful(self.rng)
        self.blocks = UnitBlocks()
        self.box = box
        self.now = BEGIN
        self.held: bytes | None = None
        """The request of a call that was put on HOLD just now."""
        self.versions: dict[int, int] = {}
        """The last version that was told, by call."""
        self._change(ROSTER)

    def records(self, n: int) -> Iterator[SeenRecord]:
        """Yield n records over some days."""
        step_s, made = DAYS * 86_400 / n, 0
        while made < n:
            self._wait(step_s)
            if made % MOVES == 0:
                self._change(self.rng.sample(ROSTER, 6))
            for record in self._ask()[: n - made]:
                made += 1
                yield record

    def _wait(self, step_s: float) -> None:
        """Let some time pass; most nights in no time, because the pilot is closed then."""
        self.now += dt.timedelta(seconds=self.rng.expovariate(1 / step_s))
        if self.now.hour in NIGHT and self.rng.random() < 0.9:
            self.now = self.now.replace(hour=NIGHT[-1] + 1)

    def _ask(self) -> tuple[SeenRecord, ...]:
        chance = self.rng.random()
        try:
            if chance < 0.02:
                return self._batch()
            answered, body = self._single(is_update=chance > 0.85)
        except InvalidRequest:
            return ()  # outside the streets, which is refused and not recorded
        if answered is None:
            return ()  # an update that came late, which is not decided
        if answered.found.outcome is Outcome.HOLD and self.rng.random() < 0.4:
            self.held = body
        return (seen_record(answered, body, self.sources, self.blocks),)

    def _single(self, *, is_update: bool) -> tuple[Answered | None, bytes]:
        as_of = asked.text_of(self.now) if self.rng.random() < 0.1 else None
        body = self._request(incident=self._incident(), as_of=as_of)
        if self.held is not None:  # a call on HOLD is asked about again
            body, self.held = self.held, None
        manner = Manner(now=lambda: self.now, decide=self._decide(), calls=self.calls)
        if is_update:
            incident_id = json.loads(body)["incident"]["incident_id"]
            return update_incident(self.view, incident_id, body, manner).answered, body
        answered = recommend_units(
            self.view, body, now=manner.now, decide=manner.decide, calls=self.calls
        )
        return answered, body

    def _batch(self) -> tuple[SeenRecord, ...]:
        rows = {one["incident_id"]: one for one in (self._incident() for _ in range(6))}
        body = self._request(incidents=list(rows.values()))
        late = self.rng.random() < 0.4
        answered = recommend_together(
            self.view,
            body,
            elapsed_s=lambda: math.inf if late else 0.0,
            now=lambda: self.now,
            decide=always_answering(recommend_batch, lambda _fault, _rung: None),
            calls=self.calls,
        )
        return seen_batch(answered, body, self.sources, self.blocks)

    def _decide(self) -> Any:
        """Return `recommend` on the ladder, of which a rung or two break now and then."""
        chance = self.rng.random()
        broken = {Eta.ROAD} if chance < 0.05 else set()
        broken |= {Eta.ROAD, Eta.STRAIGHT_LINE} if chance < 0.02 else set()

        def decide(situation: Situation, *asked: Any, **how: Any) -> Recommendation:
            if situation.rung in broken:
                raise ArithmeticError("a broken rung")
            return recommend(situation, *asked, **how)

        return always_answering(decide, lambda _fault, _rung: None)

    def _incident(self) -> dict[str, Any]:
        number = self.rng.randrange(CALLS)
        version = max(1, self.versions.get(number, 1) + self.rng.choice((0, 0, 0, 1, 1, -1)))
        self.versions[number] = version
        return asked.incident_in(self.rng, self.box, number, self.now) | {"version": version}

    def _request(self, **parts: Any) -> bytes:
        made = asked.beside(self.rng, self.now) | parts
        made["units"] = None
        if self.rng.random() < 0.3:
            names = self.rng.sample(IN_REQUEST, self.rng.randrange(1, len(IN_REQUEST)))
            made["units"] = [asked.unit_in(self.rng, self.box, one, self.now) for one in names]
        return json.dumps(made).encode()

    def _change(self, names: list[str]) -> None:
        """Change some units of the roster, one of which may go and come back."""
        units = [self._unit(name) for name in names]
        gone = [UnitId(names[-1])] if len(names) < len(ROSTER) and self.rng.random() < 0.3 else []
        gone = [one for one in gone if self.view.on_duty.roster.row_of(one) is not None]
        units = [one for one in units if one.unit_id not in gone]
        version = self.view.roster_version + 1
        changed = self.view.with_roster(version, self.now, units=units, removed=gone)
        claimed = self.rng.sample([*ROSTER, *IN_REQUEST], 5)
        self.view = changed.with_claims(claimed)
        self._report(claimed[0])

    def _report(self, unit_id: str) -> None:
        """Let the CAD report a unit on some call, and perhaps its scene as safe."""
        agency = Agency.CARE if unit_id.startswith("CARE") else Agency.SPD
        unit = OnCall(unit_id=unit_id, agency=agency, status=Status.ENROUTE)
        safe_at = self.now if self.rng.random() < 0.5 else None
        incident_id = asked.id_of(self.rng.randrange(CALLS))
        self.calls.put_facts(incident_id, (unit,), safe_at)

    def _unit(self, name: str) -> Unit:
        told = asked.unit_in(self.rng, self.box, name, self.now)
        one = UnitEntry.model_validate_json(json.dumps(told))
        fix = one.position
        names = ("lon", "lat", "fixed_at", "heading_deg", "speed_mps", "accuracy_m")
        return Unit(
            unit_id=UnitId(name),
            agency=one.agency,
            call_sign=one.call_sign,
            version=one.version,
            crew_count=one.crew_count,
            skills=frozenset(one.skills),
            status=one.status if one.status != "MEAL" else "UNKNOWN",
            status_since=one.status_since,
            expected_clear_at=one.expected_clear_at,
            shift_end=one.shift_end,
            home_post=one.home_post,
            home_sector=one.home_sector,
            home_beat=one.home_beat,
            position=None if fix is None else Fix(**{k: getattr(fix, k) for k in names}),
        )


# -- what a city changes --------------------------------------------------------------------------

DRIVING: Final = """
[[routine.hours]]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
from = 15
to = 19
factor = {factor}
[routine]
signal_s = {signal_s}
"""
CHANGES: Final = (
    ("pilot-2023-10", "pilot-2024-05"),
    ('{ from = "11:00", to = "23:00" }', '{ from = "12:00", to = "22:00" }'),
    ("min_gain_s = 30", "min_gain_s = 90"),
    ("turnout_care_s = 60", "turnout_care_s = 75"),
    ('on_no_care = "SEND_SPD"', 'on_no_care = "HOLD"'),
    ("reserve_per_sector = 0", "reserve_per_sector = 1"),
    ("policy_version = 1", "policy_version = 2"),
    ('on_no_spd = "HOLD"', 'on_no_spd = "SOLO"'),
)
SOLO: Final = """
[policies.PILOT.modes.SOLO]
refuses_yes = ["WEAPON", "VIOLENCE", "MEDICAL"]
CARE = { units = 1, min_crew = 2 }
"""


def first_settings(folder: Path, network: Path | None = None) -> Settings:
    """Return the pilot's release, hours that differ, and beats."""
    beats, driving = folder / "beats.geojson", folder / "driving-1.toml"
    beats.write_text(json.dumps(_beats()))
    driving.write_text(DRIVING.format(factor=1.3, signal_s=10.5))
    return Settings(network=network, driving=driving, beats=beats)


def later_settings(folder: Path, first: Settings) -> Settings:
    """Return another policy and other weights in the same city."""
    from geodata.pilot.area import pilot_release_file

    text = pilot_release_file().read_text()
    for old, new in CHANGES:
        assert text.count(old) >= 1, old
        text = text.replace(old, new)
    release, driving = folder / "release-2.toml", folder / "driving-2.toml"
    release.write_text(text + SOLO)
    zones = pilot_release_file().with_name("zone.geojson")
    (folder / "zone.geojson").write_text(zones.read_text())
    driving.write_text(DRIVING.format(factor=1.45, signal_s=14))
    return first.model_copy(update={"release": release, "driving": driving})


def _beats() -> dict[str, Any]:
    edges = (-122.36, -122.338, -122.334, -122.330, -122.30)
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"beat": f"{sector}1"},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [
                        [[west, 47.57], [east, 47.57], [east, 47.63], [west, 47.63], [west, 47.57]]
                    ],
                },
            }
            for sector, west, east in zip(asked.SECTORS, edges, edges[1:], strict=False)
        ],
    }
