"""Leaving out the bad parts of a body, each with its reason, so that the rest can be used.

What lives here: which parts of a body may be left out (`Leniency`) and how (`mended`). What that
means for a call is said in `read_request`, for the roster in `read_roster`.

The body is checked as a whole by pydantic's compiled core; only when that finds fault are the
places it names left out and the body checked again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from api.errors import InvalidRequest
from api.request_schemas import Entry
from api.validation_words import problem_of

MENDS_MAX: Final = 5_000
"""More faults than this and the body is refused: the sender has another format in mind."""

Location = tuple[int | str, ...]
Body = TypeVar("Body", bound=Entry)
_MARK: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leniency:
    """Which parts of a body may be left out."""

    rows: Mapping[Location, tuple[str, type[Entry] | None]]
    """The lists whose rows stand alone: the first word of their warnings, and their model; '*' is
    any row of a list around them. A list within the rows of another comes before that."""
    mendable: frozenset[Location]
    """Where the parts are that may go; '*' is any row of a list."""

    def part_of(self, location: Location) -> Location | None:
        """Return the longest part of a location that may be left out, or None."""
        pattern = pattern_of(location)
        for length in range(len(location), 0, -1):
            if pattern[:length] in self.mendable:
                return location[:length]
        return None

    def kind_of(self, part: Location) -> str | None:
        """Return the first word of the warnings about a part, or None outside all rows."""
        at = pattern_of(part)
        return next(
            (kind for rows, (kind, _) in self.rows.items() if at[: len(rows)] == rows), None
        )

    def is_row(self, part: Location) -> bool:
        """Tell whether a part is a whole row of one of the lists."""
        return isinstance(part[-1], int) and pattern_of(part[:-1]) in self.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A part that was left out, the fault that it has, and what stood there."""

    part: Location
    fault: ErrorDetails
    raw: Any


def pattern_of(location: Location) -> Location:
    """Return a location with '*' for the rows of lists."""
    return tuple("*" if isinstance(part, int) else part for part in location)


def optional_fields(model: type[Entry], at: Location) -> Iterator[Location]:
    """Yield where the optional fields of a model are, through its parts; '*' is any list item."""
    for name, field in model.model_fields.items():
        if not field.is_required():
            yield (*at, name)
            yield (*at, name, "*")
            for part in (field.annotation, *get_args(field.annotation)):
                if isinstance(part, type) and issubclass(part, Entry):
                    yield from optional_fields(part, (*at, name))


def pointer(location: Iterable[int | str]) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


def read_leniently(
    model: type[Body], body: bytes, leniency: Leniency
) -> tuple[Body, tuple[LeftOut, ...]]:
    """Return what a body says, and the parts that were left out of it.

    Raises
    ------
    InvalidRequest
        The body is not JSON, or something is wrong that may not be left out.
    """
    try:
        return model.model_validate_json(body), ()
    except ValidationError as error:
        return _mended(model, body, error, leniency)


def _mended(
    model: type[Body], body: bytes, error: ValidationError, leniency: Leniency
) -> tuple[Body, tuple[LeftOut, ...]]:
    """Leave out what the checks named and check again."""
    if error.error_count() > MENDS_MAX:
        raise InvalidRequest(
            f"The body has {error.error_count()} faults; at most {MENDS_MAX} are mended.",
            remedy="Compare it with the example in GET /openapi.json.",
        )
    faults = error.errors(include_url=False, include_input=False)
    parts = _parts_to_leave_out(faults, leniency)
    raw = from_json(body)
    left_out = tuple([_leave_out(raw, part, fault) for part, fault in parts.items()])
    marked = [_value_at(raw, part[:-1]) for part in parts if isinstance(part[-1], int)]
    for items in marked:
        items[:] = [item for item in items if item is not _MARK]
    try:
        return model.model_validate_json(to_json(raw)), left_out
    except ValidationError as again:
        raise _refusal(again.errors(include_url=False, include_input=False)) from None


def _parts_to_leave_out(
    faults: Sequence[ErrorDetails], leniency: Leniency
) -> dict[Location, ErrorDetails]:
    """Return what to leave out, each with the first fault found in it; parts of parts are gone."""
    refused = [fault for fault in faults if leniency.part_of(fault["loc"]) is None]
    if refused:
        raise _refusal(refused)
    parts: dict[Location, ErrorDetails] = {}
    for fault in faults:
        part = leniency.part_of(fault["loc"])
        assert part is not None
        parts.setdefault(part, fault)
    return {
        part: fault
        for part, fault in parts.items()
        if not any(part[:length] in parts for length in range(1, len(part)))
    }


def _refusal(faults: Sequence[ErrorDetails]) -> InvalidRequest:
    problems = tuple(problem_of(fault, pointer(fault["loc"])) for fault in faults)
    first = problems[0]
    return InvalidRequest(
        f"{first.path or 'The body'}: {first.detail}.", remedy=first.remedy, problems=problems
    )


def _value_at(raw: Any, location: Location) -> Any:
    """Return the value at a location that the checks named, so that it exists."""
    for part in location:
        raw = raw[part]
    return raw


def _leave_out(raw: Any, part: Location, fault: ErrorDetails) -> LeftOut:
    """Take one part out of the parsed body; list items are only marked."""
    holder, name = _value_at(raw, part[:-1]), part[-1]
    left_out = LeftOut(part=part, fault=fault, raw=holder[name])
    if isinstance(name, int):
        holder[name] = _MARK
    else:
        del holder[name]
    return left_out
