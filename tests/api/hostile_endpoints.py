"""The addresses that take a body, each with one good body, from which hostile ones are made."""

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from api.answer_schemas import RecommendAnswer
from api.batch_schemas import RecommendBatchAnswer
from api.examples import read_examples
from api.incident_schemas import AlertAnswer, IncidentWritten
from api.request_schemas import VERSION_MAX, UnitEntry
from api.roster_schemas import PositionsWritten, SnapshotWritten, UnitWritten
from tests.api.described_values import Place

Body = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Two words that nobody could guess; a body holds both."""

    text: str
    """In narratives and bad values: it must never come back."""
    name: str
    """In ids: it may come back in an answer, never in a refusal, a header or the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address that takes a body."""

    method: str
    path: str
    good: Callable[[Canary], Body]
    mended: tuple[Place, ...]
    """Parts that never fail the rest: left out and named instead; `*` is any row."""
    names: tuple[Place, ...]
    """Fields whose value an answer repeats."""
    answer: type[BaseModel]
    doubtful: tuple[Place, ...] = ()
    """Parts whose allowed values may still be refused, because of where they are."""
    needed: tuple[Place, ...] = ()
    """Lists of which one row at least must be good."""
    unit_id: str = ""
    """What stands in the address where the path has a name for it."""
    taken: frozenset[int] = frozenset({200})
    """The statuses of an answer."""
    before: Callable[[Canary], Body] | None = None
    """The snapshot that the roster must have for the good body to be of use."""
    cases_min: int = 500

    @property
    def address(self) -> str:
        return self.path.replace("{unit_id}", self.unit_id)


def new_canary(rng: random.Random) -> Canary:
    return Canary(text=f"zq{rng.getrandbits(64):016x}", name=f"NQ{rng.getrandbits(64):016x}")


def recommend_body(canary: Canary) -> Body:
    """Return a request with a value in every field of the contract, and narratives beside them."""
    written = _recommend_text().replace("$text", canary.text).replace("$name", canary.name)
    return json.loads(written)


@cache
def _recommend_text() -> str:
    made = copy.deepcopy(read_examples()["DISPATCH"]["request"])
    narrative = "$text lives at 5th Avenue"
    made |= {"narrative": narrative, "request_id": "$name"}
    incident = made["incident"]
    assigned = {
        "unit_id": "2K7#20260721B", "agency": "SPD", "call_sign": "2K7", "status": "ENROUTE",
        "on_scene_at": "2026-07-21T13:04:50-07:00",
    }  # fmt: skip
    position = dict(made["units"][3]["position"])
    incident |= {
        "incident_id": "$name", "remarks": [narrative, {"more": narrative}],
        "scene_safe_at": "2026-07-21T13:04:55-07:00",
        "assigned": [assigned | {"position": position, "officer": narrative}],
        "overrides": [
            {"action": "OVERRIDE_GATE", "role": "SUPERVISOR", "gate": "CALL_TYPE",
             "reason_code": "OTHER", "reason_text": narrative},
        ],
    }  # fmt: skip
    made["competing"] = [
        {"incident_id": "2026000214300", "agency": "SPD", "sector": "M", "priority": 2,
         "units_needed": 1, "queued_at": "2026-07-21T12:51:07-07:00"},
    ]  # fmt: skip
    made["exclude_unit_ids"] = ["2M9#20260721B"]
    made["options"] = {
        "alternatives": 2, "explain": "NEAREST", "route": False, "deadline_ms": 1000,
    }  # fmt: skip
    units = [made["units"][i] for i in (0, 1, 3, 4)]
    units[0] |= {
        "crew_names": narrative, "skills": ["$text"], "unit_type": "VAN",
        "available_since": "2026-07-21T12:31:00-07:00", "shift_start": "2026-07-21T11:00:00-07:00",
        "expected_clear_at": "2026-07-21T13:31:00-07:00",
        "home": {"post": "CARE_HQ", "sector": "M", "beat": "M1"},
    }  # fmt: skip
    made["units"] = units
    return json.dumps(made)


RECOMMEND = Endpoint(
    method="POST",
    path="/v1/recommend-units",
    good=recommend_body,
    mended=(
        ("units", "*"), ("competing", "*"), ("exclude_unit_ids", "*"),
        ("incident", "assigned", "*"), ("incident", "overrides", "*"),
        ("options",), ("operator",), ("request_id",),
        ("incident", "location", "source"), ("incident", "location", "uncertainty_m"),
    ),
    names=(
        ("request_id",), ("incident", "incident_id"), ("incident", "assigned", "*", "unit_id"),
        ("incident", "assigned", "*", "call_sign"), ("competing", "*", "incident_id"),
        ("units", "*", "unit_id"), ("units", "*", "call_sign"),
    ),
    doubtful=(("incident", "location"),),
    answer=RecommendAnswer,
    cases_min=5_000,
)  # fmt: skip


def batch_body(canary: Canary) -> Body:
    """Return a batch of two calls: whatever becomes of one, the other is decided.

    They differ, because to tell equals apart takes the solver most of its time.
    """
    made = recommend_body(canary)
    other = recommend_body(canary)["incident"] | {"priority": 2}
    other["incident_id"] += "2"
    made["incidents"] = [made.pop("incident"), other]
    return made


RECOMMEND_BATCH = Endpoint(
    method="POST",
    path="/v1/recommend-units/batch",
    good=batch_body,
    mended=(("incidents", "*"), *(at for at in RECOMMEND.mended if at[0] != "incident")),
    names=tuple(
        ("incidents", "*", *at[1:]) if at[0] == "incident" else at for at in RECOMMEND.names
    ),
    needed=(("incidents",),),
    answer=RecommendBatchAnswer,
)


# -- the roster -----------------------------------------------------------------------------------

UNIT_ID = "2K7-20260721B"


def unit_body(canary: Canary) -> Body:
    """Return the record of one unit; its version is the highest, so that none after it is old."""
    unit = copy.deepcopy(recommend_body(canary)["units"][0])
    unit |= {
        "unit_id": UNIT_ID, "call_sign": canary.name, "unit_type": canary.name,
        "version": VERSION_MAX, "skills": [canary.name],
        "home": {"post": canary.name, "sector": canary.name, "beat": canary.name},
    }  # fmt: skip
    unit["position"] |= {"fixed_at": "2026-07-21T13:04:26-07:00"}
    return {
        "operator": {"id": "CAD-1", "role": "SYSTEM"},
        "narrative": f"{canary.text} lives at 5th Avenue",
        "unit": unit,
    }


def snapshot_body(canary: Canary) -> Body:
    """Return a snapshot of three units."""
    made = unit_body(canary)
    unit = made.pop("unit")
    names = (UNIT_ID, canary.name, "CARE-1-20260721A")
    return made | {"units": [copy.deepcopy(unit) | {"unit_id": name} for name in names]}


def positions_body(canary: Canary) -> Body:
    """Return a feed of two fixes of units that the roster has."""
    made = unit_body(canary)
    fix = made.pop("unit")["position"]
    later = {"fixed_at": "2026-07-21T13:05:00-07:00", "device": made["narrative"]}
    rows = [{"unit_id": UNIT_ID} | fix | later, {"unit_id": "CARE-1-20260721A"} | fix | later]
    return made | {"positions": rows}


def _of_unit(*at: str) -> tuple[Place, ...]:
    """Return the texts of a unit that an answer repeats."""
    fields: tuple[Place, ...] = (
        ("unit_id",), ("call_sign",), ("unit_type",), ("skills", "*"),
        ("home", "post"), ("home", "sector"), ("home", "beat"),
    )  # fmt: skip
    return tuple((*at, *one) for one in fields)


PUT_UNIT = Endpoint(
    method="PUT",
    path="/v1/units/{unit_id}",
    unit_id=UNIT_ID,
    good=unit_body,
    mended=(
        ("operator",),
        *(("unit", name) for name in sorted(set(UnitEntry.model_fields) - {"unit_id", "agency"})),
    ),
    names=_of_unit("unit"),
    doubtful=(("unit", "unit_id"),),
    answer=UnitWritten,
    taken=frozenset({200, 201}),
)
PUT_UNITS = Endpoint(
    method="PUT",
    path="/v1/units",
    good=snapshot_body,
    mended=(("operator",), ("units", "*")),
    names=_of_unit("units", "*"),
    answer=SnapshotWritten,
)
POSITIONS = Endpoint(
    method="POST",
    path="/v1/units/positions",
    good=positions_body,
    mended=(("operator",), ("positions", "*")),
    names=(("positions", "*", "unit_id"),),
    answer=PositionsWritten,
    before=snapshot_body,
)

# -- calls ----------------------------------------------------------------------------------------

ALERT_ID = "alert_01K0P2V8S6EXAMPLE000000001"


def incident_body(canary: Canary) -> Body:
    """Return a version of a call that nothing is known of, told now."""
    return recommend_body(canary) | {"as_of": None}


def acknowledge_body(canary: Canary) -> Body:
    operator = {"id": canary.name, "role": "DISPATCHER", "remark": canary.text}
    return {"operator": operator, "narrative": canary.text}


PUT_INCIDENT = replace(
    RECOMMEND,
    method="PUT",
    path="/v1/incidents/{incident_id}",
    good=incident_body,
    doubtful=(*RECOMMEND.doubtful, ("incident", "incident_id")),
    answer=IncidentWritten,
)
ACKNOWLEDGE = Endpoint(
    method="POST",
    path="/v1/alerts/{alert_id}/acknowledge",
    good=acknowledge_body,
    mended=(),
    names=(("operator", "id"),),
    answer=AlertAnswer,
)

ENDPOINTS = (RECOMMEND, RECOMMEND_BATCH, PUT_UNITS, PUT_UNIT, POSITIONS, PUT_INCIDENT, ACKNOWLEDGE)
"""Every endpoint that takes a body; a new one is one more row."""
