"""From a Recommendation to the bytes of the answer of POST /v1/recommend-units.

Mechanical: names and nesting are those of `routing.answer`, whose parts are written as they are.
Which keys the whole has, and in which order, the contract says (`answer_schemas`). What is added
here are those that only the caller knows, and the texts of instants that have a fraction.

The contract's models are not filled on the way: that took ten times as long as the writing itself.
`tests/api/test_answer_writing.py` holds the two equal, field by field and answer by answer.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, get_args, get_type_hints

import numpy as np
from msgspec import Struct
from msgspec.json import Encoder

from api.answer_schemas import BasisPart, RecommendAnswer, utc_text
from api.read_request import RequestWarning
from routing.model import Recommendation

_OURS: Final = frozenset({"recommendation_id", "request_id", "safety_changed", "warnings", "basis"})
_FOUND: Final = tuple(name for name in RecommendAnswer.model_fields if name not in _OURS)
_OF_VIEW: Final = ("schematic", "roster_version")
_BASIS: Final = tuple(name for name in BasisPart.model_fields if name not in _OF_VIEW)
_found_values: Final = attrgetter(*_FOUND)
_basis_values: Final = attrgetter(*_BASIS)


class Told(Struct, frozen=True, kw_only=True):
    """What an answer says of its call's past."""

    supersedes: str | None = None
    safety_changed: Mapping[str, Any] | None = None
    """As it is sent (`SafetyChangedPart`)."""


UNTOLD: Final = Told()


def answer_bytes(  # noqa: PLR0913  what only the caller knows has no other parts in common
    found: Recommendation,
    *,
    recommendation_id: str,
    request_id: str | None,
    warnings: Sequence[RequestWarning],
    schematic: bool,
    roster_version: int | None = None,
    told: Told = UNTOLD,
) -> bytes:
    """Return the answer as JSON; a number that is not finite is written as null, never as NaN."""
    values: dict[str, Any] = {"recommendation_id": recommendation_id, "request_id": request_id}
    values |= zip(_FOUND, _found_values(found), strict=True)
    values["supersedes"] = told.supersedes
    for name in _WHOLE.instants:
        values[name] = _instant(values[name])
    for name in _WHOLE.parts:
        values[name] = _shown(values[name])
    basis = dict(zip(_BASIS, _basis_values(found.basis), strict=True))
    values["safety_changed"] = told.safety_changed
    values["warnings"] = warnings
    values["basis"] = basis | dict(zip(_OF_VIEW, (schematic, roster_version), strict=True))
    return _ENCODER.encode(values)


def _plain(value: object) -> object:
    """Return what the encoder can write for what it does not know: mappings and numpy's scalars."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no shape in the answer for a {type(value).__name__}")


_ENCODER: Final = Encoder(enc_hook=_plain)


# -- instants -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """Where a kind of part has instants: in its own fields, and in parts of it."""

    names: tuple[str, ...]
    instants: tuple[str, ...]
    parts: tuple[str, ...]


def _shapes(kind: type) -> dict[type, _Shape]:
    """Return the shape of a kind and of all kinds within, of those that lead to an instant."""
    hints, found = get_type_hints(kind), dict[type, _Shape]()
    instants, parts = [], []
    for name, hint in hints.items():
        leaves = _leaves(hint)
        inner = [_shapes(leaf) for leaf in leaves if leaf.__module__ == kind.__module__]
        if dt.datetime in leaves:
            instants.append(name)
        if any(inner):
            parts.append(name)
        for shapes in inner:
            found |= shapes
    if instants or parts:
        shape = _Shape(names=tuple(hints), instants=tuple(instants), parts=tuple(parts))
        found[kind] = shape
    return found


def _leaves(hint: Any) -> list[type]:
    """Return the classes that a type hint is made of."""
    inner = get_args(hint)
    leaves = [leaf for part in inner for leaf in _leaves(part)] if inner else [hint]
    return [leaf for leaf in leaves if isinstance(leaf, type)]  # not the ... of a tuple


_SHAPES: Final = _shapes(Recommendation)
_WHOLE: Final = _SHAPES[Recommendation]


def _shown(value: Any) -> Any:
    """Return a part with the contract's texts where the encoder would write an instant otherwise.

    It writes six digits of a second where there is a fraction, and other offsets as they are. Most
    instants are whole seconds in UTC, and then the part is returned as it is.
    """
    kind = type(value)
    if kind is tuple:
        return [_shown(part) for part in value]
    shape = _SHAPES.get(kind)
    if shape is None:
        return value
    changed: dict[str, Any] = {}
    for name in shape.parts:
        if inner := getattr(value, name):
            changed[name] = _shown(inner)
    for name in shape.instants:
        instant = getattr(value, name)
        if instant is not None and (instant.microsecond or instant.tzinfo is not dt.UTC):
            changed[name] = utc_text(instant)
    if not changed:
        return value
    return {name: getattr(value, name) for name in shape.names} | changed


def _instant(instant: dt.datetime | None) -> str | None:
    return None if instant is None else utc_text(instant)
