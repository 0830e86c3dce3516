"""Every code that the service can send stands in its document."""

import re
from pathlib import Path

from api.believed_fixes import _WORDS as _FIX_WORDS
from api.error_answers import STATUS
from api.event_streams import EventType, ResyncReason
from api.operations import _PLACE_WORDS
from api.queue.waiting import LeftWhy, QueueEvent
from api.read_batch import _ROWS as _BATCH_ROWS
from api.read_request import _ROWS
from api.roster_schemas import ConflictCode, UnitResult
from api.validation_words import _WORDS

REPOSITORY = Path(__file__).parents[2]
NAMES = (
    "recommend-units.md", "roster.md", "calls.md", "security.md", "reliability.md", "events.md",
    "desk.md", "queue.md", "ogc.md", "release.md", "closures.md", "studies.md",
)  # fmt: skip
DOCUMENTS = [REPOSITORY / "docs" / name for name in NAMES]
SOURCES = (
    "read_request", "validation_words", "operations", "errors", "read_roster", "roster_operations",
    "read_batch", "call_memory", "incident_operations", "closures/placing", "closures/features",
    "studies/jobs",
)  # fmt: skip


def codes_of_the_source() -> set[str]:
    """Return what stands as `code="..."` in the modules that send codes."""
    texts = [(REPOSITORY / "api" / f"{name}.py").read_text(encoding="utf-8") for name in SOURCES]
    return set(re.findall(r'\bcode="([A-Z_]+)"', "\n".join(texts)))


def _closure_steps() -> str:
    folder = REPOSITORY / "api" / "closures"
    return "".join((folder / f"{name}.py").read_text() for name in ("operations", "judging"))


def all_codes() -> set[str]:
    rows = {f"{kind}_ENTRY_LEFT_OUT" for kind, _ in _ROWS.values()}
    rows |= {f"{kind}_ENTRY_DEGRADED" for kind, model in _ROWS.values() if model}
    rows |= {f"{kind}_ENTRY_LEFT_OUT" for kind, _ in _BATCH_ROWS.values()}
    rows |= {
        "INCIDENT_ENTRY_DEGRADED",
        "POSITION_ENTRY_DEGRADED",
        *_FIX_WORDS,
        *ConflictCode,
        *UnitResult,
        *EventType,
        *ResyncReason,
        *QueueEvent,
        *LeftWhy,
        *re.findall(r'"(CLOSURES?_[A-Z_]+)"', _closure_steps()),
        "EVENT_ID_INVALID",
        "TOPIC_UNKNOWN",
    }
    places = {code for code, _, _ in _PLACE_WORDS.values()}
    words = {code for code, _, _ in _WORDS.values()}
    return rows | places | words | {kind.code for kind in STATUS} | codes_of_the_source()


def undocumented(text: str) -> set[str]:
    return {code for code in all_codes() if f"`{code}`" not in text}


def documents() -> str:
    return "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)


def test_every_code_is_documented() -> None:
    assert len(codes_of_the_source()) >= 4
    assert undocumented(documents()) == set()


def test_a_missing_code_is_found() -> None:
    text = documents().replace("`NO_UTC_OFFSET`", "").replace("`FIX_ZERO`", "")
    assert undocumented(text) == {"NO_UTC_OFFSET", "FIX_ZERO"}
