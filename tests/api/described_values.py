"""What the API description allows at a place of a body, judged from the description alone.

An independent reading of the few words of JSON Schema that the description uses, so that a test
knows what must be accepted and what must be refused without asking the code that decides it.
"""

import datetime as dt
import math
import re
from collections.abc import Iterator
from typing import Any

Place = tuple[str | int, ...]
Schema = dict[str, Any]

INSTANT = re.compile(r"20\d\d-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
"""RFC 3339 with an offset; the service knows this century only."""


class Described:
    """The schemas of one document, found by the place of a value in a body."""

    def __init__(self, document: Schema, schema: Schema) -> None:
        self.document = document
        self.schema = schema

    def allows(self, place: Place, value: Any) -> bool:
        """Tell whether a value may stand at a place; unknown keys may hold anything."""
        schemas = [self.schema]
        for part in place:
            schemas = [below for schema in schemas for below in self._below(schema, part)]
        return any(self._fits(schema, value) for schema in schemas) or not schemas

    def requires(self, place: Place) -> bool:
        """Tell whether a body must have a value at a place."""
        schemas = [self.schema]
        for part in place[:-1]:
            schemas = [below for schema in schemas for below in self._below(schema, part)]
        plain = [one for schema in schemas for one in self._choices(schema)]
        return any(place[-1] in schema.get("required", ()) for schema in plain)

    def wrong_places(self, value: Any) -> list[Place]:
        """Return every place of a body that breaks the description, the deepest that is known."""
        return list(self._wrong(self.schema, value, ()))

    def _wrong(self, schema: Schema, value: Any, at: Place) -> Iterator[Place]:
        if self._fits(schema, value):
            return
        inside = self._wrong_inside(schema, value, at)
        yield from inside or [at]

    def _wrong_inside(self, schema: Schema, value: Any, at: Place) -> list[Place]:
        found: list[Place] = []
        for choice in self._choices(schema):
            if isinstance(value, dict) and "properties" in choice:
                found += [(*at, key) for key in choice.get("required", ()) if key not in value]
                for key in value.keys() & choice["properties"].keys():
                    found += self._wrong(choice["properties"][key], value[key], (*at, key))
            most = choice.get("maxItems", math.inf)
            if isinstance(value, list) and "items" in choice and len(value) <= most:
                for row, below in enumerate(value):
                    found += self._wrong(choice["items"], below, (*at, row))
        return found

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            found = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def _choices(self, schema: Schema) -> list[Schema]:
        schema = self._resolved(schema)
        if "anyOf" not in schema:
            return [schema]
        return [one for choice in schema["anyOf"] for one in self._choices(choice)]

    def _below(self, schema: Schema, part: str | int) -> list[Schema]:
        found = []
        for choice in self._choices(schema):
            if isinstance(part, int):
                found += [choice["items"]] if "items" in choice else []
            elif part in choice.get("properties", {}):
                found.append(choice["properties"][part])
        return found

    def _fits(self, schema: Schema, value: Any) -> bool:
        return any(self._fits_one(choice, value) for choice in self._choices(schema))

    def _fits_one(self, schema: Schema, value: Any) -> bool:
        if "const" in schema:
            return bool(value == schema["const"])
        if "enum" in schema:
            return isinstance(value, str) and value in schema["enum"]
        return _FITS[schema["type"]](self, schema, value)

    def _object(self, schema: Schema, value: Any) -> bool:
        return (
            isinstance(value, dict)
            and set(schema.get("required", ())) <= set(value)
            and all(
                self._fits(schema["properties"][key], below)
                for key, below in value.items()
                if key in schema.get("properties", {})
            )
        )

    def _array(self, schema: Schema, value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) <= schema.get("maxItems", math.inf)
            and all(self._fits(schema["items"], below) for below in value)
        )

    def _string(self, schema: Schema, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        if schema.get("format") == "date-time":
            return _is_instant(value)
        low, high = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        pattern = schema.get("pattern", "").replace("$", r"\Z")
        return low <= len(value) <= high and re.search(pattern, value) is not None

    def _number(self, schema: Schema, value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if not math.isfinite(value) or (schema["type"] == "integer" and value != int(value)):
            return False
        return bool(schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf))


_FITS = {
    "object": Described._object,
    "array": Described._array,
    "string": Described._string,
    "number": Described._number,
    "integer": Described._number,
    "boolean": lambda _self, _schema, value: isinstance(value, bool),
    "null": lambda _self, _schema, value: value is None,
}


def pointer(place: Place) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in place)


def same_line(path: str, place: Place) -> bool:
    """Tell whether a path names a place, or a part of it, or what it is a part of."""
    at = f"{pointer(place)}/"
    if not place:
        return path == ""
    return path != "" and (at.startswith(f"{path}/") or f"{path}/".startswith(at))


def _is_instant(text: str) -> bool:
    if INSTANT.fullmatch(text) is None:
        return False
    try:
        dt.datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True
