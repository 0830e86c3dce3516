"""On which line of a JSON text a value stands.

    JsonLines(text).line(("features", 3, "properties", "zone_id"))

What lives here: `JsonLines`, for texts that `json` has read without complaint. What does not:
reading JSON, which `json` does and which tells no lines of what it has read (`release_lines` is the
same for TOML).
"""

import re
from bisect import bisect_left
from json import JSONDecoder
from typing import Final

from api.release_lines import Path

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = JSONDecoder()


class JsonLines:
    """A text of JSON; only what is asked for is looked up, and each list or object once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends: list[int] | None = None
        self._inside: dict[int, dict[str | int, tuple[int, int]]] = {}
        """By the place of a list or object: where each of its parts begins, and its value."""

    def line(self, path: Path) -> int:
        """Return the line, from 1, of a value, or of the nearest thing around it that is there.

        A value of an object has the line of its key.
        """
        begins = value = self._next(0)
        for part in path:
            there = self._parts(value)
            if part not in there:
                break
            begins, value = there[part]
        if self._ends is None:
            self._ends = [found.start() for found in re.finditer("\n", self._text)]
        return bisect_left(self._ends, begins) + 1

    def _next(self, at: int) -> int:
        """Return the place of the next character that is no space."""
        found = _SPACE.match(self._text, at)
        assert found is not None, "no space at all fits too"
        return found.end()

    def _parts(self, at: int) -> dict[str | int, tuple[int, int]]:
        if at not in self._inside:
            opening = self._text[at : at + 1]
            self._inside[at] = self._read(at, is_list=opening == "[") if opening in "[{" else {}
        return self._inside[at]

    def _read(self, at: int, *, is_list: bool) -> dict[str | int, tuple[int, int]]:
        found: dict[str | int, tuple[int, int]] = {}
        at = self._next(at + 1)
        while self._text[at] not in "]}":
            begins, key = at, len(found)
            if not is_list:
                key, at = _DECODER.raw_decode(self._text, at)
                at = self._next(self._next(at) + 1)
            found[key] = begins, at
            at = self._next(_DECODER.raw_decode(self._text, at)[1])
            if self._text[at] == ",":
                at = self._next(at + 1)
        return found
