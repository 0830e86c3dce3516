"""What the API description says of the stream of events; its example is made by what writes it."""

import datetime as dt
from typing import Any, Final

from api.event_streams import RETRY_MS, EventType, ResyncReason, event_of, resync_frame
from api.openapi_roster import Described, describe_operations
from api.store.changes import NumberedChange

EVENTS: Final = "/v1/events"
MEDIA_TYPE: Final = "text/event-stream"

_AT: Final = dt.datetime(2026, 7, 21, 20, 5, 2, 120_000, tzinfo=dt.UTC)
_CHANGES: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    (
        "units",
        "58",
        {"changed": ["2M1#20260721B"], "moved": ["CARE-1#20260721A"], "removed": []},
    ),
    ("call", "2026000214301", {"version": 3, "outcome": "HOLD"}),
    ("queue", "2026000214301", {"event": "DISPATCH", "outcome": "DISPATCH"}),
    (
        "alert",
        "alert_01K0P2V8S6EXAMPLE000000001",
        {"incident_id": "2026000214301", "event": "RAISED"},
    ),
)


def example() -> str:
    """Return a stream as it is written."""
    told = [
        event_of(
            NumberedChange(
                change_id=4713 + place, instance="main", topic=topic, key=key, said=said, at=_AT
            )
        ).frame
        for place, (topic, key, said) in enumerate(_CHANGES)
    ]
    begin = f"retry: {RETRY_MS}\nid: 4712\n: connected\n\n".encode()
    return (begin + b"".join(told) + resync_frame(ResyncReason.PRUNED, 5200, 4716)).decode()


def describe_events(paths: dict[str, Any], reference: str) -> None:
    """Complete the operation; `reference` is the place of a model by its name."""
    refusals = {
        "422": "The number or the topics cannot be understood.",
        "503": "Not ready, no store, or as many listeners as there may be; ask again later.",
    }
    one = Described(path=EVENTS, method="get", answers={}, refusals=refusals)
    describe_operations((one,), {}, paths, reference)
    operation = paths[EVENTS]["get"]
    operation["responses"]["200"] = {
        "description": "A stream of events of the types "
        + ", ".join([*EventType, "RESYNC"])
        + "; each has the number of its change as id.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": example()}},
    }
