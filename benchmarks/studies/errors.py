"""What can be wrong with a study, each thing with its line and its remedy."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.errors import StartError

THE_FILE: Final = "the file"
"""Where a fault of a whole file is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with a file."""

    file: str
    line: int | None
    """From 1; None where the fault is of the whole file."""
    where: str
    """Such as `units.CARE.count`, or the column of a table."""
    message: str
    remedy: str

    def __str__(self) -> str:
        at = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{at}: {self.where}: {self.message} {self.remedy}".strip()


def fault_of(
    file: Path, where: str, message: str, remedy: str, *, line: int | None = None
) -> Fault:
    """Return one thing that is wrong with a file: the one place where faults are made."""
    return Fault(file=str(file), line=line, where=where, message=message, remedy=remedy)


def said_by(problem: Exception) -> str:
    """Return what an error says, without number and path where the system says it."""
    if isinstance(problem, UnicodeDecodeError):
        return f"it is not UTF-8 ({problem.reason})"
    return getattr(problem, "strerror", None) or " ".join(str(problem).split())


class StudyError(StartError):
    """A study that cannot be made."""


class BadScenario(StudyError):
    """A scenario, or data that it names, with everything that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        shown = "\n".join(f"  {fault}" for fault in faults)
        count = "one error" if len(faults) == 1 else f"{len(faults)} errors"
        super().__init__(f"The scenario has {count}:\n{shown}")
        self.faults = tuple(faults)

    def __reduce__(self) -> tuple[type["BadScenario"], tuple[Sequence[Fault]]]:
        """Come out of another process as it went in."""
        return type(self), (self.faults,)


def faults_in(read: Callable[[], object]) -> Iterator[Fault]:
    """Yield what is wrong with what is read; nothing where it can be."""
    try:
        read()
    except BadScenario as bad:
        yield from bad.faults
