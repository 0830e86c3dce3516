"""What publishing a draft would change: everything that is counted, measured and decided again.

    impact = measure(question, tell)

What lives here: `Question`, `Impact` and `measure`, the whole of it in order. What does not: how it
is told (`as_object`, `page`) and where the files are (`api.commands.impact`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from api.impact.counting import Counts, count
from api.impact.ground import Ground, compare_ground
from api.impact.judging import Judged, Level, Tell, judge
from api.impact.posts import Posts
from api.impact.reach import Reached, reach_of
from api.impact.what_if import SituationAt, WhatIf, what_if
from geodata.call_history import CallHistory
from routing.live import with_release
from routing.model import Situation
from routing.policy import Policy
from routing.release import Release

BUSY_HOUR: Final = (2026, 7, 21, 13)
"""A Tuesday at 13:00 local time: its drive times stand for coverage (12-14 o'clock and Tuesday are
the busiest; CARE two-year report)."""
SHOWN_MAX: Final = 100
"""Signs of a value of a policy that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A release and the name of its content."""

    release: Release
    key: str
    """`release_id@digest`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """What is compared, on what."""

    at: SituationAt
    """The streets with the drive times of an instant."""
    live: Bundle
    draft: Bundle
    history: CallHistory
    posts: Posts
    care_units: int
    decides_again: bool = True
    """Whether the period is decided again call by call; without call types it never is."""

    @property
    def releases(self) -> tuple[Release, Release]:
        """Live and draft."""
        return self.live.release, self.draft.release


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """One value of a policy that differs; '' where a release does not have the policy."""

    policy_id: str
    what: str
    live: str
    draft: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Impact:
    """All of the answer."""

    question: Question
    judged: tuple[Judged, Judged]
    counts: Counts
    ground: Ground
    reached: Reached
    policies: tuple[PolicyChange, ...]
    what_if: WhatIf | None

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that the table of calls can tell."""
        return levels_of(self.question.history)


def levels_of(history: CallHistory) -> tuple[Level, ...]:
    """Return the levels that a table of calls can tell: without types nobody is known eligible."""
    told = (Level.IN_AREA, Level.IN_HOURS)
    return (*told, Level.ELIGIBLE) if history.has_types else told


def judged_by_both(question: Question, tell: Tell) -> tuple[Judged, Judged]:
    """Return what the live release and the draft make of the past calls."""
    live, draft = question.releases
    situation = busy_situation(question)
    return (
        judge(with_release(situation, live), question.history, tell, "gates, live release"),
        judge(with_release(situation, draft), question.history, tell, "gates, draft"),
    )


def busy_situation(question: Question) -> Situation:
    """Return the streets with the drive times of a busy hour."""
    live, _ = question.releases
    return question.at(datetime(*BUSY_HOUR, tzinfo=live.city_policy.window.zone))


def measure(question: Question, tell: Tell) -> Impact:
    """Return what publishing the draft would change."""
    live, draft = question.releases
    history = question.history
    situation = busy_situation(question)
    judged = judged_by_both(question, tell)
    tell("land and streets", 0, 1)
    ground = compare_ground(situation.network, live, draft)
    tell("coverage", 0, 1)
    reached = reach_of(
        situation, question.releases, history, judged, ground, question.posts, question.care_units
    )
    decided = None
    if question.decides_again and history.has_types:
        decided = what_if(
            question.at, question.releases, history, judged, question.posts, tell=tell
        )
    return Impact(
        question=question,
        judged=judged,
        counts=count(history, *judged),
        ground=ground,
        reached=reached,
        policies=tuple(policy_changes(live, draft)),
        what_if=decided,
    )


def policy_changes(live: Release, draft: Release) -> Iterator[PolicyChange]:
    """Yield every value of every policy that differs."""
    known = [_policies(release) for release in (live, draft)]
    for policy_id in sorted({*known[0], *known[1]}):
        before, after = (one.get(policy_id) for one in known)
        if before is None or after is None:
            there = ["" if one is None else "has it" for one in (before, after)]
            yield PolicyChange(policy_id=policy_id, what="policy", live=there[0], draft=there[1])
            continue
        for field in fields(Policy):
            values = [getattr(one, field.name) for one in (before, after)]
            if values[0] != values[1]:
                said = [_shown(value) for value in values]
                yield PolicyChange(
                    policy_id=policy_id, what=field.name, live=said[0], draft=said[1]
                )


def _policies(release: Release) -> dict[str, Policy]:
    return {release.city_policy.policy_id: release.city_policy, **release.zone_policies}


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + " ..."
