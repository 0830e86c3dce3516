"""From a Recommendation to the bytes of the answer of POST /v1/recommend-units.

Mechanical: names and nesting are those of `routing.answer`, whose parts are written as they are.
Which keys the whole has, and in which order, the contract says (`answer_schemas`). What is added
here are those that only the caller knows, and the texts of instants that have a fraction.

The contract's models are not filled on the way: that took ten times as long as the writing itself.
`tests/api/test_answer_writing.py` holds the two equal, field by field and answer by answer.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, get_args, get_type_hints

import numpy as np
from msgspec import Struct, defstruct
from msgspec.json import Encoder

from api.answer_schemas import utc_text
from api.read_request import RequestWarning
from routing.model import Basis, Recommendation


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
    values = {
        "recommendation_id": recommendation_id,
        "request_id": request_id,
        "incident_id": found.incident_id,
        "incident_version": found.incident_version,
        "decided_at": utc_text(found.decided_at),
        "valid_until": utc_text(found.valid_until),
        "supersedes": told.supersedes,
        "recorded": found.recorded,
        "outcome": found.outcome,
        "mode": found.mode,
        "urgent": found.urgent,
        "refer_to": found.refer_to,
        "message": found.message,
        "gates": _shown(found.gates),
        "assign": _shown(found.assign),
        "pair": found.pair,
        "alternatives": found.alternatives,
        "explain": found.explain,
        "hold": _shown(found.hold),
        "overrides": found.overrides,
        "next_step": found.next_step,
        "safety_changed": told.safety_changed,
        "inside_closure_m": found.inside_closure_m,
        "closures": found.closures,
        "warnings": warnings,
        "basis": _WrittenBasis(*_basis_values(found.basis), schematic, roster_version),
    }
    return _ENCODER.encode(values)


_BASIS: Final = tuple(name for name in Basis.__struct_fields__ if name != "rung")  # not told
_basis_values: Final = attrgetter(*_BASIS)
_WrittenBasis: Final = defstruct("_WrittenBasis", (*_BASIS, "schematic", "roster_version"))
"""What the decision says it rests on, and of the view what only the caller knows."""


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
    instants_of: Callable[[Any], Any]
    """Returns the value of the instant, or of all of them, of a part."""


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
        shape = _Shape(
            names=tuple(hints),
            instants=tuple(instants),
            parts=tuple(parts),
            instants_of=attrgetter(*instants) if instants else bool,
        )
        found[kind] = shape
    return found


def _leaves(hint: Any) -> list[type]:
    """Return the classes that a type hint is made of."""
    inner = get_args(hint)
    leaves = [leaf for part in inner for leaf in _leaves(part)] if inner else [hint]
    return [leaf for leaf in leaves if isinstance(leaf, type)]  # not the ... of a tuple


_SHAPES: Final = _shapes(Recommendation)
assert _SHAPES[Recommendation].instants == ("decided_at", "valid_until")
assert _SHAPES[Recommendation].parts == ("gates", "assign", "hold"), "a part that is not shown"


def _shown(value: Any) -> Any:
    """Return a part with the contract's texts where the encoder would write an instant otherwise.

    It writes six digits of a second where there is a fraction, and other offsets as they are. Most
    instants are whole seconds in UTC, and then the part is returned as it is.
    """
    kind = type(value)
    if kind is tuple:
        return _shown_all(value)
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


def _shown_all(parts: tuple[Any, ...]) -> Sequence[Any]:
    """Return parts of one kind, of which mostly none has an instant."""
    shape = _SHAPES.get(type(parts[0])) if parts else None
    if shape is None or not (shape.parts or any(map(shape.instants_of, parts))):
        return parts
    return [_shown(part) for part in parts]
