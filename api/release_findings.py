"""What is wrong with a release file, gathered until everything has been read.

What lives here: `Findings`, and `read_table`, which reads what can be read of one table and notes
the rest in words for the person who wrote it. What does not: which keys there are
(`release_schema`), and on which lines they stand (`release_lines`).
"""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from api.release_errors import ReleaseProblem
from api.release_lines import Path, line_of, lines_of_keys

Model = TypeVar("Model", bound=BaseModel)

PROBLEMS_MAX: Final = 500
"""More than this and the list is cut: the file is of another kind."""
SHOWN_CHARS_MAX: Final = 60
ROUNDS_MAX: Final = 20
DOCUMENT: Final = "docs/release.md lists every key and what it takes."


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem before its line is known."""

    path: Path
    code: str
    what: str
    remedy: str


@dataclass(slots=True)
class Findings:
    """Problems in the order in which they were found."""

    found: list[Finding] = field(default_factory=list)

    def add(self, path: Path, code: str, what: str, remedy: str) -> None:
        """Note a problem, once."""
        finding = Finding(path=path, code=code, what=what, remedy=remedy)
        if len(self.found) == PROBLEMS_MAX:
            what = f"has more problems than the {PROBLEMS_MAX} that are told"
            self.found.append(
                Finding(path=(), code="TOO_LARGE", what=what, remedy="Mend these first.")
            )
        elif len(self.found) < PROBLEMS_MAX and finding not in self.found:
            self.found.append(finding)

    def any_under(self, path: Path) -> bool:
        """Tell whether something was found at a path or within it."""
        return any(finding.path[: len(path)] == path for finding in self.found)

    def problems(self, text: str) -> tuple[ReleaseProblem, ...]:
        """Return every problem with its line, from the top of the file."""
        if not self.found:
            return ()
        lines = lines_of_keys(text)
        made = [
            ReleaseProblem(
                line=line_of(finding.path, lines),
                path=dotted(finding.path),
                code=finding.code,
                detail=finding.what,
                remedy=finding.remedy,
            )
            for finding in self.found
        ]
        return tuple(sorted(made, key=lambda problem: problem.line))


def dotted(path: Path) -> str:
    """Return a path as a person writes it: `policies.PILOT.windows[0].from`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".") or "the file"


def shown(value: object) -> str:
    """Return a value about as it stands in the file, cut where it is long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in text))
    return text if len(text) <= SHOWN_CHARS_MAX else text[: SHOWN_CHARS_MAX - 3] + "..."


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return a remedy for a word that is none of the known ones."""
    choices = list(known)
    by_capitals = {choice.upper(): choice for choice in choices}
    close = get_close_matches(str(word).upper(), by_capitals, n=1, cutoff=0.7)
    if close:
        return f"Did you mean {by_capitals[close[0]]}?"
    return f"Known here: {', '.join(choices)}." if choices else DOCUMENT


# -- reading a table ------------------------------------------------------------------------------


def read_table(
    model: type[Model], raw: object, at: Path, findings: Findings
) -> tuple[Model | None, dict[str, Any]]:
    """Return what can be read of a table, as a model and as it stands, less what is wrong with it.

    The model is None when nothing can be read without the parts that are wrong.
    """
    if not isinstance(raw, dict):
        what = f"is {shown(raw)}; expected a table"
        findings.add(at, "WRONG_VALUE", what, f"Write it as [{dotted(at)}] with keys below.")
        return None, {}
    rest = copy.deepcopy(raw)
    for attempt in range(ROUNDS_MAX):
        try:
            return model.model_validate(rest), rest
        except ValidationError as error:
            faults = error.errors(include_url=False)
        places = set()
        for fault in faults:
            place = _place(fault)
            places.add(place[:-1] if fault["type"] == "missing" else place)
            if attempt == 0:
                _note(model, fault, (at, place), findings)
        if () in places:
            break
        _leave_out(rest, places)
    return None, {}


def _place(fault: ErrorDetails) -> Path:
    """Return where a fault is; of a wrong key of a table, the key."""
    return tuple(part for part in fault["loc"] if part != "[key]")


def _leave_out(raw: Any, places: set[Path]) -> None:
    """Take parts out of a table in place, the last items of lists first."""
    for place in sorted(places, key=lambda p: tuple(map(_order, p)), reverse=True):
        holder: Any = raw
        for part in place[:-1]:
            try:
                holder = holder[part]
            except (KeyError, IndexError):
                break
        else:
            with suppress(KeyError, IndexError):  # it went with what was around it
                del holder[place[-1]]


def _order(part: str | int) -> tuple[int, str]:
    return (part, "") if isinstance(part, int) else (-1, part)


# -- words ----------------------------------------------------------------------------------------

_EXPECTED: Final[Mapping[str, tuple[str, str]]] = {
    "int_type": ("a whole number", "Write it without quotes and without a point, such as 30."),
    "int_from_float": ("a whole number", "Write it without a point, such as 30."),
    "float_type": ("a number", "Write it without quotes, such as 1.5."),
    "finite_number": ("a finite number", "Write it out, such as 1.5."),
    "string_type": ("a text", 'Write it in quotes, such as "11:00".'),
    "list_type": ("a list", 'Write it in brackets, such as ["A", "B"].'),
    "dict_type": ("a table", DOCUMENT),
    "model_type": ("a table", DOCUMENT),
    "datetime_type": (
        "an instant", "Write it without quotes and with its offset: 2023-10-13T11:00:00-07:00.",
    ),
    "timezone_aware": (
        "an instant with its offset from UTC", "Add the offset: 2023-10-13T11:00:00-07:00.",
    ),
    "string_too_short": ("a text that is not empty", "Write at least one character."),
}  # fmt: skip
"""By pydantic's type of fault: what was expected, and the remedy."""

_BOUNDS: Final = {
    "greater_than_equal": ("{ge} or more", "Raise it to {ge} or more."),
    "greater_than": ("more than {gt}", "Raise it above {gt}."),
    "less_than_equal": ("at most {le}", "Lower it to {le} or less."),
    "less_than": ("less than {lt}", "Lower it below {lt}."),
}
_WORD: Final = re.compile(r"'([^']*)'")


def _note(
    model: type[BaseModel], fault: ErrorDetails, where: tuple[Path, Path], findings: Findings
) -> None:
    """Note one fault of pydantic in our words."""
    at, place = where
    kind, context, value = fault["type"], fault.get("ctx", {}), shown(fault["input"])
    path = (*at, *place)
    if kind == "missing":
        findings.add(path, "MISSING", "is missing", f"Add it; {DOCUMENT}")
    elif kind == "extra_forbidden":
        remedy = did_you_mean(place[-1], known_keys(model, place[:-1]))
        findings.add(path, "UNKNOWN_KEY", "is not a key of this table", remedy)
    elif kind in {"too_long", "too_short", "string_too_long"}:
        findings.add(path, *_wrong_length(kind, context))
    elif kind in {"enum", "literal_error"}:
        words = _WORD.findall(context["expected"])
        what = f"is {value}; expected one of {', '.join(words)}"
        findings.add(path, "WRONG_VALUE", what, did_you_mean(fault["input"], words))
    elif kind in _BOUNDS:
        expected, remedy = (words.format_map(context) for words in _BOUNDS[kind])
        findings.add(path, "OUT_OF_RANGE", f"is {value}; expected {expected}", remedy)
    elif kind == "string_pattern_mismatch":
        what = f"is {value}; expected letters, digits, '_', '-' and '.' only"
        if context["pattern"].startswith("^[^"):
            what = f"is {value}; expected a text of one line"
        findings.add(path, "WRONG_VALUE", what, "Write it without other characters.")
    elif kind in _EXPECTED:
        expected, remedy = _EXPECTED[kind]
        findings.add(path, "WRONG_VALUE", f"is {value}; expected {expected}", remedy)
    else:
        findings.add(
            path, "WRONG_VALUE", f"is {value}; {fault['msg']}", context.get("remedy", DOCUMENT)
        )


def _wrong_length(kind: str, context: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return code, what and remedy of something too long or too short."""
    if kind == "too_short":
        least = context["min_length"]
        what = f"has {context['actual_length']} entries; expected at least {least}"
        return "WRONG_VALUE", what, f"Give it {least} or more, or leave the key out."
    most = context["max_length"]
    what = f"is longer than the {most} characters that are allowed"
    if kind == "too_long":
        what = f"has more entries than the {most} that are allowed"
    return "TOO_LARGE", what, "Make it shorter; the limits stand in docs/release.md."


# -- the keys that there are ----------------------------------------------------------------------


def known_keys(model: type[BaseModel], place: Path) -> list[str]:
    """Return the keys of the table at a place within a model."""
    found: type[BaseModel] | None = model
    rest = list(place)
    while rest and found is not None:
        key = rest.pop(0)
        fields = {name_in_file(found, name): f for name, f in found.model_fields.items()}
        inner = fields[str(key)].annotation if str(key) in fields else None
        found, is_container = _model_within(inner)
        if is_container and rest:
            rest.pop(0)
    return [] if found is None else [name_in_file(found, name) for name in found.model_fields]


def name_in_file(model: type[BaseModel], name: str) -> str:
    """Return how a field is called in the file."""
    return model.model_fields[name].alias or name


def _model_within(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the table that an annotation holds, and whether in a list or under names."""
    for part in _parts(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part, part is not annotation and _is_container(annotation)
    return None, False


def _is_container(annotation: Any) -> bool:
    return any(get_origin(part) in {list, dict} for part in _parts(annotation))


def _parts(annotation: Any) -> Iterator[Any]:
    """Yield an annotation and everything that it is made of."""
    yield annotation
    if get_origin(annotation) is Literal:
        return
    arguments = get_args(annotation)
    inner = arguments[:1] if get_origin(annotation) is Annotated else arguments
    for part in inner:
        yield from _parts(part)
