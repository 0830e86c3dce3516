"""Examples of requests and answers: one demo call for each outcome, with what this code answers.

`python -m api.examples` writes `examples.json` anew; a test fails when the file is no longer what
the code returns.
"""

import json
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_suffix(".json")
EXAMPLE_ID: Final = "rec_01K0P2V8S6EXAMPLE000000000"

Examples = dict[str, dict[str, Any]]


def read_examples() -> Examples:
    """Return `{outcome: {"request": ..., "answer": ...}}`."""
    examples: Examples = json.loads(FILE.read_text(encoding="utf-8"))
    return examples


def make_examples() -> Examples:
    """Return the examples as this code answers them now: the first demo call of each outcome."""
    from api.live_view import load_view
    from api.operations import recommend_units
    from api.settings import Settings
    from geodata.pilot.area import pilot_demo_calls

    view = load_view(Settings(network=None, release=None, zones=None), lambda _stage: None)
    examples: Examples = {}
    for call in pilot_demo_calls():
        body = json.dumps(call.request).encode()
        answered = recommend_units(view, body, name=lambda _made_at: EXAMPLE_ID)
        answer = json.loads(answered.body)
        examples.setdefault(answer["outcome"], {"request": call.request, "answer": answer})
    return examples


if __name__ == "__main__":
    FILE.write_text(json.dumps(make_examples(), indent=1) + "\n", encoding="utf-8")
