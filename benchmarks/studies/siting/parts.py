"""One model with one number of posts: a part of the study, solved wherever the engine is.

What lives here: `SitingPart`, `Sited` and `solve_part`. A part carries its instance, named by a
digest, so that a process or a machine that solves it needs no file.
"""

from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.scenario import Model
from benchmarks.studies.siting.instance import PROVEN_GAP, Instance, Limits
from benchmarks.studies.siting.models import Question, site


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SitingPart:
    """What is solved; its `repr` names the instance by its digest."""

    model: str
    question: Question
    seconds_max: float
    digest: str
    """Of the instance."""
    arrive_ms: NDArray[np.int32] = field(repr=False)
    """(n_sites, n_points)"""
    weight: NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sited:
    """The answer of a model; no seconds, which no two runs have alike."""

    model: str
    count: int
    """Posts asked for; 0 of LSCP, which finds it."""
    busy: float
    sites: NDArray[np.int64]
    """Candidates, rising; MEXCLP may name one for several units."""
    value: float
    bound: float
    gap: float
    cut_short: bool

    @property
    def proven(self) -> bool:
        """Whether nothing is better."""
        return self.gap <= PROVEN_GAP

    @property
    def ended(self) -> str:
        """PROVEN, or what ended the search: NODES, the same in every run, or CLOCK."""
        return "PROVEN" if self.proven else "CLOCK" if self.cut_short else "NODES"


def parts_of(
    instance: Instance, questions: list[tuple[Model, Question]], seconds_max: float
) -> list[SitingPart]:
    """Return a part for each question of the instance."""
    arrive_ms = instance.arrive_ms.astype(np.int32)
    digest = sha256(repr(arrive_ms.shape).encode() + arrive_ms.tobytes())
    digest.update(instance.weight.tobytes())
    return [
        SitingPart(
            model=model.value, question=question, seconds_max=seconds_max,
            digest=digest.hexdigest(), arrive_ms=arrive_ms, weight=instance.weight,
        )
        for model, question in questions
    ]  # fmt: skip


def solve_part(part: SitingPart) -> Sited:
    """Return the answer of a model; depends on the part alone unless the clock ends it."""
    instance = Instance(arrive_ms=part.arrive_ms.astype(np.int64), weight=part.weight)
    model = Model(part.model)
    found = site(instance, model, part.question, Limits(seconds=part.seconds_max))
    return Sited(
        model=part.model, count=0 if model is Model.LSCP else part.question.count,
        busy=part.question.busy, sites=np.array(found.sites, np.int64), value=found.value,
        bound=found.bound, gap=found.gap, cut_short=found.cut_short,
    )  # fmt: skip
