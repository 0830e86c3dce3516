"""What pydantic found, as our own stable code and in words for an integrator; never the value."""

from typing import Final

from pydantic_core import ErrorDetails

from api.errors import Problem
from api.request_schemas import INSTANT_PATTERN

CONTRACT: Final = "GET /openapi.json lists what this field takes, with a full example."
WITH_OFFSET: Final = "Write it with its offset: 2026-07-21T13:03:20-07:00, or ...Z for UTC."

REASON_TEXT_MISSING: Final = "reason_text_missing"
CLOSURE_INVALID: Final = "closure_invalid"
ONE_SCENARIO: Final = "one_scenario"

_WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "missing": ("MISSING", "is missing", "Send it; a request cannot be decided without it."),
    "json_invalid": (
        "NOT_JSON", "", "Send one JSON object in UTF-8 (RFC 8259), without lone surrogates or NaN."
    ),
    "timezone_aware": (
        "NO_UTC_OFFSET", "has no offset from UTC, so the instant is not known", WITH_OFFSET
    ),
    "finite_number": (
        "NOT_FINITE", "must be a finite number",
        "Send a plain decimal number; NaN and Infinity are not JSON.",
    ),
    "float_type": ("WRONG_TYPE", "must be a number, not text, true or false", CONTRACT),
    "int_type": ("WRONG_TYPE", "must be a whole number, not text, true or false", CONTRACT),
    "int_from_float": ("WRONG_TYPE", "must be a whole number, without a fraction", CONTRACT),
    "bool_type": ("WRONG_TYPE", "must be true or false", CONTRACT),
    "string_type": ("WRONG_TYPE", "must be text", CONTRACT),
    "list_type": ("WRONG_TYPE", "must be a list", CONTRACT),
    "model_type": ("WRONG_TYPE", "must be an object", CONTRACT),
    "string_pattern_mismatch": (
        "BAD_CHARACTERS", "has characters that are not allowed here", CONTRACT
    ),
    "enum": ("NOT_ONE_OF", "", CONTRACT),
    "literal_error": ("NOT_ONE_OF", "", CONTRACT),
    "string_too_short": ("TOO_SHORT", "must not be empty", CONTRACT),
    "string_too_long": ("TOO_LONG", "", CONTRACT),
    "too_long": ("TOO_LONG", "", "Send fewer: units on duty, needs that wait now."),
    REASON_TEXT_MISSING: (
        "REASON_TEXT_MISSING", "reason_text is required with OTHER",
        "Say why in at most 200 characters, without names.",
    ),
    CLOSURE_INVALID: ("CLOSURE_INVALID", "", CONTRACT),
    ONE_SCENARIO: (
        "ONE_SCENARIO", "either scenario or scenario_file is required, not both",
        "Send the text of a scenario file, or the name of one in the folder of data.",
    ),
    "greater_than_equal": ("OUT_OF_RANGE", "", CONTRACT),
    "less_than_equal": ("OUT_OF_RANGE", "", CONTRACT),
    "int_parsing_size": ("OUT_OF_RANGE", "", CONTRACT),
}  # fmt: skip
"""By pydantic's type of fault: our code, what is wrong ('' = pydantic's own words), the remedy."""


def problem_of(fault: ErrorDetails, path: str) -> Problem:
    """Return what is wrong with the field at a JSON pointer and what to send instead."""
    kind = fault["type"]
    is_instant = fault.get("ctx", {}).get("pattern") == INSTANT_PATTERN
    if is_instant or kind.startswith("datetime"):
        said = "must be an instant of this century in RFC 3339, with seconds and an offset"
        return Problem(path=path, code="NOT_AN_INSTANT", detail=said, remedy=WITH_OFFSET)
    own = fault["msg"].replace("Input should be ", "must be ")
    code, detail, remedy = _WORDS.get(kind, ("INVALID", "", CONTRACT))
    return Problem(path=path, code=code, detail=detail or own[:1].lower() + own[1:], remedy=remedy)
