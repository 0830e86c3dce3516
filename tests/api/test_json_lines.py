"""Lines of JSON values, beside a text in which every value says its own line."""

import json
import random
from typing import Any

import pytest

from api.json_lines import JsonLines
from api.release_lines import Path


def drawn(
    draw: random.Random, depth: int, leaves: list[tuple[Any, ...]], path: tuple[Any, ...]
) -> Any:
    """Return lists and objects whose leaves are texts with a number; paths go to `leaves`."""
    kind = draw.choice("lo" if depth else "t")
    if kind == "t":
        leaves.append(path)
        return f'leaf {len(leaves) - 1} " , ] }} \\ \n'
    keys = [draw.choice(['a"b', "{", "ä", "x", "]"]) + str(k) for k in range(draw.randint(1, 4))]
    parts = range(len(keys)) if kind == "l" else keys
    made = {key: drawn(draw, depth - 1, leaves, (*path, key)) for key in parts}
    return list(made.values()) if kind == "l" else made


@pytest.mark.parametrize("seed", range(40))
def test_every_value_has_the_line_on_which_it_stands(seed: int) -> None:
    draw, leaves = random.Random(seed), list[Path]()
    value = drawn(draw, draw.randint(1, 4), leaves, ())
    text = "\n \t" * draw.randint(0, 2) + json.dumps(value, indent=draw.choice([None, 0, 3]))
    lines, rows = JsonLines(text), text.split("\n")
    for number, path in enumerate(leaves):
        assert f'"leaf {number} ' in rows[lines.line(path) - 1], path


def test_what_is_not_there_has_the_line_of_the_nearest_thing_around_it() -> None:
    lines = JsonLines('{\n"features": [\n{"a": 1},\n{"b":\n{}}]}\n')
    assert lines.line(("features", 1, "b", "c", 3)) == 4
    assert lines.line(("features", 7)) == 2
    assert lines.line(("gone",)) == lines.line(()) == 1


def test_of_a_key_that_is_told_twice_the_last_counts_as_for_the_reader() -> None:
    assert JsonLines('{"a": 1,\n"a": 2}').line(("a",)) == 2
