"""How an answer is compared with what a scenario expects of it.

What lives here: `differences`. An expectation names the parts that matter, under the names of the
answer itself, and everything that it does not name may be anything:

- a table asks for its keys; `{}` asks that there is something at all;
- a list of tables asks that each finds an element of its own, in any order;
- any other list, number or text must be equal, an instant in any offset;
- `{at_least = 3, at_most = 9}` is a range, both ends included;
- `absent` names paths that must be null, empty or not there (`hold`, `assign.0.stage`);
- `exactly` names lists that must hold nothing beyond what is expected (`assign`, `warnings`);
- `says` are words that the message must hold.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

_BOUNDS: Final = {"at_least", "at_most"}
_DIRECTIVES: Final = ("absent", "exactly", "says")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*")

Table = Mapping[str, Any]


def differences(expect: Table, answer: Table) -> list[str]:
    """Return what of an answer is not as expected, each in a line that names its place."""
    plain = {key: value for key, value in expect.items() if key not in _DIRECTIVES}
    found = list(_compare(plain, answer, ""))
    for path in expect.get("absent", ()):
        value = at_path(answer, path)
        if value not in (None, [], {}):
            found.append(f"{path} is {_short(value)}; expected nothing")
    for path in expect.get("exactly", ()):
        wanted, real = at_path(expect, path) or [], at_path(answer, path) or []
        if len(wanted) != len(real):
            found.append(f"{path} holds {len(real)}; expected exactly {len(wanted)}")
    message = answer.get("message", "")
    missing = [words for words in expect.get("says", ()) if words not in message]
    return found + [f"message does not say '{words}'" for words in missing]


def at_path(value: Any, path: str) -> Any:
    """Return what stands at a path such as `assign.0.stage`, or None."""
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _compare(expect: Any, real: Any, path: str) -> Iterator[str]:
    if isinstance(expect, Mapping) and expect and set(expect) <= _BOUNDS:
        yield from _within(expect, real, path)
    elif isinstance(expect, Mapping):
        if not isinstance(real, Mapping):
            yield f"{path} is {_short(real)}; expected a part with {_short(dict(expect))}"
            return
        for key, value in expect.items():
            yield from _compare(value, real.get(key), f"{path}.{key}" if path else key)
    elif isinstance(expect, list) and expect and isinstance(expect[0], Mapping):
        yield from _each_found(expect, real, path)
    elif not _equal(expect, real):
        yield f"{path} is {_short(real)}; expected {_short(expect)}"


def _within(bounds: Table, real: Any, path: str) -> Iterator[str]:
    number = isinstance(real, int | float) and not isinstance(real, bool)
    least, most = bounds.get("at_least", -float("inf")), bounds.get("at_most", float("inf"))
    if not number or not least <= real <= most:
        yield f"{path} is {_short(real)}; expected {least} to {most}"


def _each_found(expect: Sequence[Table], real: Any, path: str) -> Iterator[str]:
    """Give each expected table an element of its own; what fits best is named where none fits."""
    left = list(real) if isinstance(real, list) else []
    for wanted in expect:
        fits = [list(_compare(wanted, one, path)) for one in left]
        best = min(range(len(fits)), key=lambda i: len(fits[i]), default=None)
        if best is None:
            yield f"{path} has no element left for {_short(dict(wanted))}"
        elif fits[best]:
            yield f"{path} has no {_short(dict(wanted))}: {'; '.join(fits[best])}"
        else:
            left.pop(best)


def _equal(expect: Any, real: Any) -> bool:
    if isinstance(expect, datetime):
        is_instant = isinstance(real, str) and _INSTANT.fullmatch(real)
        return bool(is_instant) and datetime.fromisoformat(real) == expect
    if isinstance(expect, bool) or isinstance(real, bool):
        return expect is real
    return bool(expect == real)


def _short(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k} {_short(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_short, value)) + "]"
    return "nothing" if value is None else str(value)
