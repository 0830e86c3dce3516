"""Every key of a TOML text is found on its line, however it is written."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.release_lines import Path, line_of, lines_of_keys

TEXT = '''\
# a comment with = and [brackets]
title = "a # no comment"
"quoted \\u00e9 key" = 'it is "so"'
a.b.c = { d = 1, "e f" = [2, 3] }

[table . "with dots.in it"]   # comment
list = [
    "x", # first
    [1, 2],
    { y = """
two lines ]""", z = 2024-01-01 11:00:00Z },
]
after = \'\'\'
[not.a.table]
\'\'\'

[[entries]]
name = 1
[[entries]]
name = 2
[entries.sub]
k = -1.5e3
[[entries.deep]]
[[entries.deep]]
last = true'''

LINES = {
    ("title",): 2,
    ("quoted é key",): 3,
    ("a",): 4,
    ("a", "b", "c"): 4,
    ("a", "b", "c", "d"): 4,
    ("a", "b", "c", "e f", 1): 4,
    ("table",): 6,
    ("table", "with dots.in it"): 6,
    ("table", "with dots.in it", "list"): 7,
    ("table", "with dots.in it", "list", 0): 8,
    ("table", "with dots.in it", "list", 1): 9,
    ("table", "with dots.in it", "list", 1, 1): 9,
    ("table", "with dots.in it", "list", 2, "y"): 10,
    ("table", "with dots.in it", "list", 2, "z"): 11,
    ("table", "with dots.in it", "after"): 13,
    ("entries",): 17,
    ("entries", 0): 17,
    ("entries", 0, "name"): 18,
    ("entries", 1, "name"): 20,
    ("entries", 1, "sub", "k"): 22,
    ("entries", 1, "deep", 0): 23,
    ("entries", 1, "deep", 1, "last"): 25,
}


def every_path(value: object, path: Path = ()) -> list[Path]:
    """Return the paths of all that a parsed text holds."""
    inner = list(value.items()) if isinstance(value, dict) else []
    inner = list(enumerate(value)) if isinstance(value, list) else inner
    below = [found for key, part in inner for found in every_path(part, (*path, key))]
    return [path, *below] if path else below


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_keys_are_found_on_their_lines(ending: str) -> None:
    found = lines_of_keys(TEXT.replace("\n", ending))
    assert {path: found[path] for path in LINES} == LINES


def test_no_key_is_found_that_the_text_does_not_have_and_none_is_missed() -> None:
    assert set(lines_of_keys(TEXT)) == set(every_path(tomllib.loads(TEXT)))


def test_what_is_not_there_has_the_line_of_what_is_around_it() -> None:
    found = lines_of_keys(TEXT)
    assert line_of(("entries", 1, "sub", "missing", 3), found) == 21
    assert line_of(("nothing",), found) == 1


words = st.text(st.characters(categories=["L", "N", "P", "Z"]), max_size=8)
values = st.recursive(
    st.one_of(st.integers(), st.booleans(), words),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=12,
)


def written(value: object, breaks: bool) -> str:
    """Return a value as TOML, lists with or without line breaks."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        space = "\n# ]\n" if breaks else " "
        return f"[{space}{f',{space}'.join(written(v, breaks) for v in value)}{space}]"
    if isinstance(value, dict):
        pairs = (f"{quoted(k)} = {written(v, breaks)}" for k, v in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return str(value)


def quoted(text: str) -> str:
    plain = (f"\\U{ord(c):08X}" if c in '"\\' or not 31 < ord(c) < 127 else c for c in text)
    return f'"{"".join(plain)}"'


@given(st.dictionaries(words, values, max_size=4), st.booleans())
def test_every_key_of_any_text_is_found(table: dict[str, object], breaks: bool) -> None:
    text = "".join(f"{quoted(key)} = {written(value, breaks)}\n" for key, value in table.items())
    assert tomllib.loads(text) == table
    found = lines_of_keys(text)
    assert set(found) == set(every_path(table))
    lines = text.splitlines()
    assert all(quoted(str(path[0])) in lines[found[path] - 1] for path in found if len(path) == 1)
