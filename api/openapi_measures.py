"""What the API description says of the measures of a day; the example is worked out by the code."""

import datetime as dt
from typing import Any, Final

import msgspec

from api.measures.day import (
    CallOfDay,
    DayMeasures,
    OverrideOfDay,
    PoliceAloneAssumption,
    UnitOnCall,
    measure_day,
)
from api.measures.days_asked import TIME_ZONE
from api.measures.public import PublicMeasures, public
from api.openapi_roster import Described, describe_operations

DAILY: Final = "/v1/measures/daily"
PUBLIC: Final = "/v1/public/measures"
REFUSALS: Final = {
    "422": "It is no day, or, for the public, one that is not over.",
    "503": "Not ready, no store, or it cannot be reached; ask again after Retry-After.",
}
_QUEUED: Final = dt.datetime(2026, 7, 21, 20, 5, tzinfo=dt.UTC)


def example() -> DayMeasures:
    """Return the measures of a day of twelve calls, at every second of which police came too."""

    def unit(agency: str, arrived_min: int, left_min: int) -> UnitOnCall:
        at = {"on_scene": arrived_min, "cleared": left_min}
        stamps = {name: _QUEUED + dt.timedelta(minutes=m) for name, m in at.items()}
        return UnitOnCall(unit_id=agency, agency=agency, stamps=stamps)

    calls = [
        CallOfDay(
            incident_id=str(n),
            queued_at=_QUEUED,
            units=(unit("CARE", 11 + n, 45 + n), unit("SPD", 8 + n, 22 + n))[: 1 + n % 2],
        )
        for n in range(12)
    ]
    override = OverrideOfDay(reason="CLOSER_UNIT_KNOWN", claim_state="FULFILLED")
    return measure_day(_QUEUED.date(), TIME_ZONE, calls, [override], PoliceAloneAssumption())


DAY: Final = {"type": "string", "format": "date", "examples": [_QUEUED.date().isoformat()]}


def describe_measures(document: dict[str, Any], reference: str) -> None:
    """Complete both operations; `reference` is the place of a model by its name."""
    template = reference.replace("{model}", "{name}")
    (daily, published), models = msgspec.json.schema_components(
        [DayMeasures, PublicMeasures], ref_template=template
    )
    known = document["components"]["schemas"]
    assert not known.keys() & models.keys(), "two models of one name"
    known.update(models)
    for path, schema, told in (
        (DAILY, daily, example()),
        (PUBLIC, published, public(example())),
    ):
        one = Described(path=path, method="get", answers={}, refusals=REFUSALS)
        meaning = document["paths"][path]["get"]["responses"]["200"]["description"]
        describe_operations((one,), {}, document["paths"], reference)
        content = {"schema": schema, "examples": {"DAY": {"value": msgspec.to_builtins(told)}}}
        document["paths"][path]["get"]["parameters"][0]["schema"] = DAY
        document["paths"][path]["get"]["responses"]["200"] = {
            "description": meaning,
            "content": {"application/json": content},
        }
