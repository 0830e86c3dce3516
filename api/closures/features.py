"""Closures as GeoJSON features, for programs of GIS staff that draw them.

What lives here: from a closure to a feature and back, and the writes of features. What does not:
the addresses at which they are read and written. A closure that is drawn is PROPOSED; activating
it is a call of its own.

Properties are plain values: windows are one line of text (`windows`), instants are RFC 3339.
"""

from datetime import UTC, datetime
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import to_json
from sqlalchemy import Connection

from api.answer_schemas import utc_text
from api.closures import operations
from api.closures.closure_rows import list_closures, read_closure
from api.closures.records import ClosureContent, ClosureState, KeptClosure
from api.closures.schemas import ClosureWrite, content_of
from api.closures.windows import DAYS, text_of, windows_of
from api.errors import InvalidRequest, Problem
from api.mending import pointer
from api.store.writer import Transaction
from api.validation_words import CONTRACT, problem_of

WRITABLE: Final = (
    "name", "note", "traffic", "effect", "starts_at", "ends_at", "windows", "direction",
    "street", "from_street", "to_street",
)  # fmt: skip
"""Properties that a writer may set; any other is passed over."""
_STREETS: Final = ("street", "from_street", "to_street")
_UNNAMED: Final = "Closure"


def list_features(
    connection: Connection, *, state: ClosureState | None = None, at: datetime | None = None
) -> list[dict[str, Any]]:
    """Return closures as features, in the order in which they were proposed.

    Parameters
    ----------
    state
        None for those that are proposed or active.
    at
        The instant at which they stand so; None for now.
    """
    instant = at or datetime.now(UTC)
    most = operations.IN_USE_MAX
    found = list_closures(connection, state=state, at=instant, most=most)
    return [feature_of(one, instant) for one in found]


def read_feature(connection: Connection, closure_id: str, at: datetime) -> dict[str, Any]:
    """Return one closure as a feature.

    Raises
    ------
    NoSuchClosure
        There is none.
    """
    return feature_of(operations.require_closure(read_closure(connection, closure_id)), at)


def propose(tx: Transaction, feature: dict[str, Any], by: str) -> str:
    """Keep a drawn closure as a proposal and return its id.

    Raises
    ------
    InvalidRequest
        The feature is no closure; its problems name the members.
    ClosureRefused
        Too many are in use, or its end has passed.
    """
    return operations.propose(tx, content_of_feature(feature), by).closure_id


def replace_proposed(tx: Transaction, closure_id: str, feature: dict[str, Any], by: str) -> None:
    """Put another feature in the place of a proposed one.

    Raises
    ------
    NoSuchClosure
        There is none.
    ClosureRefused
        It is not proposed any more.
    InvalidRequest
        The feature is no closure.
    """
    operations.replace_proposed(tx, closure_id, content_of_feature(feature), by)


def update_proposed(tx: Transaction, closure_id: str, patch: dict[str, Any], by: str) -> None:
    """Change members of a proposed closure (JSON merge patch, RFC 7396); raises as replacing does.

    A geometry takes the place of named streets.
    """
    before = read_feature(tx.connection, closure_id, tx.at)
    after = _merged(before, patch)
    replace_proposed(tx, closure_id, after, by)


def delete_proposed(tx: Transaction, closure_id: str, by: str) -> None:
    """Take a proposed closure away; raises as replacing does."""
    operations.delete_proposed(tx, closure_id, by)


# -- a feature and back ---------------------------------------------------------------------------


def feature_of(kept: KeptClosure, at: datetime) -> dict[str, Any]:
    """Return a closure as a feature; one whose streets are named has no geometry."""
    content = kept.content
    return {
        "type": "Feature",
        "id": kept.closure_id,
        "geometry": content.geometry,
        "properties": {
            "closure_id": kept.closure_id,
            "name": content.name,
            "note": content.note,
            "state": str(kept.state_at(at)),
            "traffic": str(content.traffic),
            "effect": str(content.effect),
            "direction": str(content.direction),
            "starts_at": _text(content.starts_at),
            "ends_at": _text(content.ends_at),
            "windows": text_of(content.windows),
            "street": content.street,
            "from_street": content.from_street,
            "to_street": content.to_street,
            "version": kept.version,
            "proposed_by": kept.proposed_by,
        },
    }


def content_of_feature(feature: dict[str, Any]) -> ClosureContent:
    """Return what a feature says of a closure.

    Raises
    ------
    InvalidRequest
        It is none.
    """
    told = feature.get("properties")
    properties = told if isinstance(told, dict) else {}
    given = {name: properties.get(name) for name in WRITABLE}
    body = {name: value for name, value in given.items() if value not in (None, "")}
    body.setdefault("name", _UNNAMED)
    body["windows"] = _windows(body.get("windows", ""))
    geometry = feature.get("geometry")
    if geometry is not None:
        body = {name: value for name, value in body.items() if name not in _STREETS}
        body["geometry"] = geometry
    try:
        return content_of(ClosureWrite.model_validate_json(to_json(body)))
    except (ValidationError, ValueError) as error:
        raise _refusal(error) from None


def _windows(text: Any) -> list[dict[str, Any]]:
    if not isinstance(text, str):
        raise _bad_windows("must be one line of text")
    try:
        found = windows_of(text)
    except ValueError as error:
        raise _bad_windows(str(error)) from None
    return [
        {"days": [DAYS[day] for day in one.days], "start": one.start, "end": one.end}
        for one in found
    ]


def _bad_windows(said: str) -> InvalidRequest:
    problem = Problem(
        path="/properties/windows",
        code="CLOSURE_INVALID",
        detail=said,
        remedy="Write it like: mon,tue 17:30-23:00; sat 10:00-02:00",
    )
    return InvalidRequest(f"{problem.path}: {said}.", remedy=problem.remedy, problems=(problem,))


def _refusal(error: ValueError) -> InvalidRequest:
    faults = (
        error.errors(include_url=False, include_input=False)
        if isinstance(error, ValidationError)
        else []
    )
    problems = tuple(
        problem_of(fault, _place(pointer(fault["loc"]), fault["loc"])) for fault in faults
    )
    said = f"{problems[0].path}: {problems[0].detail}" if problems else "it is no JSON of ours"
    return InvalidRequest(f"The feature is no closure: {said}.", remedy=CONTRACT, problems=problems)


def _place(path: str, location: tuple[int | str, ...]) -> str:
    is_drawn = not location or location[0] == "geometry"
    return path if is_drawn else f"/properties{path}"


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else utc_text(instant)


def _merged(before: Any, patch: Any) -> Any:
    """Return a value after a JSON merge patch."""
    if not isinstance(patch, dict):
        return patch
    after = dict(before) if isinstance(before, dict) else {}
    for name, value in patch.items():
        if value is None:
            after.pop(name, None)
        else:
            after[name] = _merged(after.get(name), value)
    return after
