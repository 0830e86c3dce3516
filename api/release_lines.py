"""On which line of a TOML text each key stands.

What lives here: `lines_of_keys`, for texts that `tomllib` has read without complaint; it reads no
values. What does not: reading TOML, which `tomllib` does and which tells no lines.
"""

import re
from collections.abc import Mapping
from typing import Final

Path = tuple[str | int, ...]
"""Keys and places in lists, from the top of the file."""

_SPACE: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN_VALUE: Final = re.compile(r"[^,\]}#\n]+")
_ESCAPE: Final = re.compile(r'\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[btnfr"\\])')
_MEANT: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


def lines_of_keys(text: str) -> Mapping[Path, int]:
    """Return the line, from 1, of every table header, key and item of a list.

    A key whose value goes over several lines has the line on which it begins; an item of a list
    has its own.

    Raises
    ------
    ValueError
        The text is not TOML.
    """
    return _Scan(text.replace("\r\n", "\n")).run()


def line_of(path: Path, lines: Mapping[Path, int]) -> int:
    """Return the line of a key, or of the nearest thing around it that stands in the text."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


class _Scan:
    """One pass over a text; `at` is the next character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line, self._counted = 1, 0
        self._lines: dict[Path, int] = {}
        self._entries: dict[Path, int] = {}
        """Entries so far of each array of tables."""

    def run(self) -> Mapping[Path, int]:
        table: Path = ()
        while self._next():
            if self._next() == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _next(self) -> str:
        """Skip space and comments and return the next character, '' at the end."""
        found = _SPACE.match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        return self._text[self._at : self._at + 1]

    def _take(self, pattern: "re.Pattern[str]") -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise ValueError(f"not TOML at character {self._at}")
        self._at = found.end()
        return found[0]

    def _note(self, path: Path) -> None:
        """Give a path the line of the next character, unless it has one."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        self._lines.setdefault(path, self._line)

    def _header(self) -> Path:
        is_entry = self._text.startswith("[[", self._at)
        begins = self._at
        self._at += 2 if is_entry else 1
        names = self._key()
        ends, self._at = self._at, begins
        path: Path = ()
        for place, name in enumerate(names):
            path = (*path, name)
            self._note(path)
            if is_entry and place == len(names) - 1:
                self._entries[path] = self._entries.get(path, -1) + 1
            if path in self._entries:
                path = (*path, self._entries[path])
                self._note(path)
        self._at = ends
        self._next()
        self._at += 2 if is_entry else 1
        return path

    def _key(self) -> tuple[str, ...]:
        names: list[str] = []
        while True:
            quote = self._next()
            if quote in {'"', "'"}:
                quoted = self._take(_QUOTED)[1:-1]
                names.append(_ESCAPE.sub(_meant, quoted) if quote == '"' else quoted)
            else:
                names.append(self._take(_BARE_KEY))
            if self._next() != ".":
                return tuple(names)
            self._at += 1

    def _pair(self, table: Path) -> None:
        self._next()
        begins = self._at
        names = self._key()
        ends, self._at = self._at, begins
        for length in range(1, len(names) + 1):
            self._note((*table, *names[:length]))
        self._at = ends
        if self._next() != "=":
            raise ValueError(f"not TOML at character {self._at}")
        self._at += 1
        self._value((*table, *names))

    def _value(self, path: Path) -> None:
        first = self._next()
        if first in {'"', "'"}:
            self._take(_QUOTED)
        elif first == "[":
            self._list(path)
        elif first == "{":
            self._inline_table(path)
        else:
            self._take(_PLAIN_VALUE)

    def _list(self, path: Path) -> None:
        self._at += 1
        place = 0
        while self._next() not in {"]", ""}:
            self._note((*path, place))
            self._value((*path, place))
            place += 1
            if self._next() == ",":
                self._at += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._next() not in {"}", ""}:
            self._pair(path)
            if self._next() == ",":
                self._at += 1
        self._at += 1


def _meant(escape: "re.Match[str]") -> str:
    code = escape[1]
    return _MEANT[code] if code in _MEANT else chr(int(code[1:], 16))
