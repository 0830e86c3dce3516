"""Examples of every request about claims and reports: one story, answered at fixed instants.

`python -m api.desk_examples` writes `desk_examples.json` anew; a test fails when the file is no
longer what the code returns. The API description and docs/desk.md show these.
"""

import copy
import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from api.examples import read_examples

FILE: Final = Path(__file__).with_suffix(".json")
NOW: Final = dt.datetime(2026, 7, 21, 20, 5, 2, 120_000, tzinfo=dt.UTC)
CALL: Final = "2026000214301"
OTHER: Final = "2026000214302"
OPERATOR: Final = {"operator": {"id": "D417", "role": "DISPATCHER"}}
_ID: Final = re.compile(r"\b(rec|claim|over|event)_([0-9A-HJKMNP-TV-Z]{26})\b")

Examples = dict[str, dict[str, Any]]


def read_desk_examples() -> Examples:
    """Return `{name: {"request": ..., "answer": ...}}`; the request of a reading is None."""
    examples: Examples = json.loads(FILE.read_text(encoding="utf-8"))
    return examples


def make_desk_examples() -> Examples:
    """Return the story as this code answers it now, with ids that stay the same."""
    story = _Story()
    try:
        return _named(_told(story))
    finally:
        story.close()


def _told(story: "_Story") -> Examples:
    later = "2026000214303"
    story.ask(later)
    overridden = story.override(later, "2K3#20260721B")
    released = story.release(overridden["answer"]["claim"]["claim_id"])
    mine, theirs = story.ask(CALL), story.ask(OTHER)
    confirmed = story.confirm(mine)
    refused = story.confirm(theirs)
    claim_id = confirmed["answer"]["claim"]["claim_id"]
    police, care = (unit["unit_id"] for unit in confirmed["answer"]["claim"]["units"])
    listed = story.claims()
    dispatched = story.report(police, "DISPATCHED", CALL, seconds=5)
    safe = story.scene_safe(CALL, seconds=10)
    displaced = story.report(care, "DISPATCHED", OTHER, seconds=20)
    claim = story.claim(claim_id)
    return {
        "CONFIRMED": confirmed,
        "REFUSED": refused,
        "CLAIMS": listed,
        "DISPATCHED": dispatched,
        "SAFE": safe,
        "DISPLACED": displaced,
        "CLAIM": claim,
        "OVERRIDDEN": overridden,
        "RELEASED": released,
        "RECOMMENDATION": {"request": None, "answer": mine},
    }


class _Story:
    """Calls that are asked about, confirmed and reported, over a store in memory."""

    def __init__(self) -> None:
        from api.live_view import load_view
        from api.settings import Settings
        from api.store.audit_chain import enter_instance
        from api.store.calls import MemoryCalls
        from api.store.database import Database
        from api.store.schema import require_schema
        from api.store.writer import Writer

        self.view = load_view(Settings(network=None, release=None, zones=None), lambda _stage: None)
        self.calls = MemoryCalls()
        self.at = NOW
        self.database = Database(":memory:")
        require_schema(self.database)
        with self.database.writing() as connection:
            enter_instance(connection, "example", NOW)
        self.writer = Writer(self.database, instance="example", now=lambda: self.at)

    def close(self) -> None:
        self.writer.close()
        self.database.close()

    def ask(self, call: str) -> dict[str, Any]:
        from api.operations import recommend_units
        from api.recording import keep_records, record_of
        from api.replay.needs import Seen

        made: dict[str, Any] = copy.deepcopy(read_examples()["DISPATCH"]["request"])
        made |= {"as_of": None, "options": {"alternatives": 0, "explain": "NONE"}}
        made["incident"] |= {"incident_id": call}
        body = json.dumps(made).encode()
        answered = recommend_units(self.view, body, now=lambda: self.at, calls=self.calls)
        record = record_of(answered, body, Seen(seen=b""))
        self.writer.call(lambda tx: keep_records(tx, [record]))
        answer: dict[str, Any] = json.loads(record.answer)
        return answer

    def confirm(self, answer: dict[str, Any]) -> dict[str, Any]:
        from api.auth.principal import LOCAL
        from api.claims.writes import confirming

        def write(body: bytes) -> Any:
            return confirming(answer["recommendation_id"], body, LOCAL, 120, lambda _claim: None)

        return self._do(OPERATOR, write)

    def override(self, call: str, *unit_ids: str) -> dict[str, Any]:
        from api.auth.principal import LOCAL
        from api.claims.writes import overriding

        told = {"action": "USE_OTHER_UNIT", "unit_ids": unit_ids, "reason_code": "UNIT_CLOSER"}
        return self._do(
            OPERATOR | told, lambda body: overriding(call, body, LOCAL, 120, lambda _o, _w: None)
        )

    def release(self, claim_id: str) -> dict[str, Any]:
        from api.auth.principal import LOCAL
        from api.claims.writes import releasing

        told = OPERATOR | {"reason_code": "OTHER", "reason_text": "radio is being repaired"}
        return self._do(told, lambda body: releasing(claim_id, body, LOCAL))

    def report(self, unit_id: str, status: str, call: str, *, seconds: int) -> dict[str, Any]:
        from api.auth.principal import LOCAL
        from api.claims.writes import reporting

        self.at = NOW + dt.timedelta(seconds=seconds)
        agency = "CARE" if unit_id.startswith("CARE") else "SPD"
        told = {"status": status, "at": _text(self.at), "incident_id": call, "agency": agency}
        return self._do(
            told, lambda body: reporting(unit_id, body, LOCAL, {}, lambda _reported: None)
        )

    def scene_safe(self, call: str, *, seconds: int) -> dict[str, Any]:
        from api.auth.principal import LOCAL
        from api.claims.writes import scene_safe

        self.at = NOW + dt.timedelta(seconds=seconds)
        told = {"scene_safe_at": _text(self.at)}
        return self._do(told, lambda body: scene_safe(call, body, LOCAL))

    def claims(self) -> dict[str, Any]:
        from api.claims.claim_rows import live_claims
        from api.claims.schemas import ClaimsAnswer, claim_part

        with self.database.reading() as connection:
            found = live_claims(connection)
        answer = ClaimsAnswer(claims=[claim_part(claim) for claim in found])
        return {"request": None, "answer": json.loads(answer.model_dump_json())}

    def claim(self, claim_id: str) -> dict[str, Any]:
        from api.claims.claim_rows import read_claim
        from api.claims.schemas import ClaimAnswer, claim_part

        with self.database.reading() as connection:
            found = read_claim(connection, claim_id)
        assert found is not None
        answer = ClaimAnswer(claim=claim_part(found), warnings=[])
        return {"request": None, "answer": json.loads(answer.model_dump_json())}

    def _do(self, told: dict[str, Any], write: Callable[[bytes], Any]) -> dict[str, Any]:
        from api.claims.writes import Lost, claim_refused
        from api.error_answers import problem_response

        try:
            answer = self.writer.call(write(json.dumps(told).encode())).answer
        except Lost as lost:
            answer = bytes(problem_response(claim_refused(lost.refused, None)).body)
        return {"request": told, "answer": json.loads(answer)}


def _text(instant: dt.datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _named(examples: Examples) -> Examples:
    """Return the story with its ids numbered in the order in which they occur."""
    known: dict[str, str] = {}

    def name(found: re.Match[str]) -> str:
        kind = found.group(1)
        return known.setdefault(found.group(0), f"{kind}_01K0P2V8S6EXAMPLE{len(known):09}")

    made: Examples = json.loads(_ID.sub(name, json.dumps(examples)))
    return made


if __name__ == "__main__":
    FILE.write_text(json.dumps(make_desk_examples(), indent=1) + "\n", encoding="utf-8")
