"""A release file that cannot be used, and everything that is wrong with it."""

from dataclasses import dataclass

from api.errors import Problem, StartError


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseProblem(Problem):
    """One thing that is wrong with a release file; `path` is of keys, such as `zones[0].kind`."""

    line: int
    """From 1."""

    def __str__(self) -> str:
        return f"line {self.line}: {self.path}: {self.detail}. {self.remedy}"


class ReleaseFileError(StartError):
    """A release file that cannot be used; `found` is everything that is wrong with it."""

    code = "RELEASE_REFUSED"
    title = "The release cannot be used"

    def __init__(self, file: str, found: tuple[ReleaseProblem, ...]) -> None:
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        super().__init__(
            "\n".join([f"{file}: {count}.", *(f"  {problem}" for problem in found)]),
            problems=found,
        )
        self.file = file
        self.found = found
