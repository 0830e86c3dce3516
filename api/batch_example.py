"""The example of a batch: three pending calls of the demo, answered together by this code.

`python -m api.batch_example` writes `batch_example.json` anew; a test fails when the file is no
longer what the code returns.
"""

import json
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_suffix(".json")
EXAMPLE_ID: Final = "rec_01K0P2V8S6EXAMPLE000000000"


def read_batch_example() -> dict[str, Any]:
    """Return `{"request": ..., "answer": ...}`."""
    example: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return example


def make_batch_request() -> dict[str, Any]:
    """Return the request: two calls at almost one place, and the second again in an older version.

    The units are those of the first demo call; two of CARE are free, so that one call waits.
    """
    from api.examples import read_examples

    request = dict(read_examples()["DISPATCH"]["request"])
    first = request.pop("incident")
    here = first["location"]
    near = {**here, "lon": here["lon"] - 0.004, "lat": here["lat"] - 0.004}
    second = {**first, "incident_id": "DEMO-2", "version": 2, "priority": 2, "location": near}
    far = {**here, "lon": here["lon"] - 0.001, "lat": here["lat"] - 0.006}
    third = {**first, "incident_id": "DEMO-3", "priority": 4, "location": far}
    request["request_id"] = "demo-batch-1"
    request["incidents"] = [first, {**second, "version": 1}, second, third]
    return request


def make_batch_example() -> dict[str, Any]:
    """Return the example as this code answers it now, without a deadline."""
    from api.batch_operations import recommend_together
    from api.live_view import load_view
    from api.settings import Settings

    view = load_view(Settings(network=None, release=None, zones=None), lambda _stage: None)
    request = make_batch_request()
    answered = recommend_together(
        view, json.dumps(request).encode(), name=lambda _made_at: EXAMPLE_ID, elapsed_s=lambda: 0.0
    )
    return {"request": request, "answer": json.loads(answered.body)}


if __name__ == "__main__":
    FILE.write_text(json.dumps(make_batch_example(), indent=1) + "\n", encoding="utf-8")
