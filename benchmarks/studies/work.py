"""The work of a study: parts computed wherever the engine is, kept as they are done, never twice.

results = work.map("replications", replicate_part, parts, ReplicationResult)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from api.impact.judging import Tell, tell_nobody
from benchmarks.studies.engine import Engine
from benchmarks.studies.kept import NotKept, bytes_of, result_of
from benchmarks.studies.run_folder import RunFolder

P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Where a study computes, where it keeps what is done, and whom it tells."""

    engine: Engine
    folder: RunFolder | None = None
    """None keeps nothing."""
    tell: Tell = tell_nobody

    def map(
        self, stage: str, function: Callable[[P], R], parts: Sequence[P], kind: type[R]
    ) -> list[R]:
        """Return the results of all parts in their order; those that are kept are not done again.

        Parameters
        ----------
        function
            At the top of a module; its result depends on the part alone.
        parts
            Picklable values whose `repr` says everything that the result depends on, beside what
            identifies the folder.
        kind
            The flat dataclass that the function returns (see `kept`).
        """
        keys = [_key(stage, function, part) for part in parts]
        kept = [self._kept(key, kind) for key in keys]
        found = {place: result for place, result in enumerate(kept) if result is not None}
        missing = [place for place in range(len(parts)) if place not in found]
        self.tell(stage, len(found), len(parts))
        for at, result in self.engine.run(function, [parts[place] for place in missing]):
            place = missing[at]
            found[place] = result
            if self.folder is not None:
                self.folder.keep_part(keys[place], bytes_of(result))
            self.tell(stage, len(found), len(parts))
        return [found[place] for place in range(len(parts))]

    def _kept(self, key: str, kind: type[R]) -> R | None:
        content = None if self.folder is None else self.folder.part(key)
        if content is None:
            return None
        try:
            return result_of(kind, content)
        except NotKept:
            return None


def _key(stage: str, function: Callable[..., object], part: object) -> str:
    told = f"{stage}\0{function.__module__}.{function.__qualname__}\0{part!r}"
    return sha256(told.encode()).hexdigest()[:40]
