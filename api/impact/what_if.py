"""A past period decided again, under the live release and under the draft, and what differs.

What lives here: `what_if` and the answers that it compares, made by the service's own `recommend`.
What does not: counts of gates (`counting`).

Every call is decided by itself at its own instant with the drive times of its hour. Units stand at
posts, all free, with whatever crew and skills the policies ask for: no call keeps a unit from the
next. So this shows what the rules change, not how busy units would have been.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import numpy as np

from api.impact.judging import Judged, Level, Tell, incident_of
from api.impact.posts import Posts
from geodata.call_history import CallHistory
from routing.answer import Recommendation
from routing.codes import Agency, Explain, Gate, GateOutcome, Status
from routing.live import with_release, with_roster
from routing.model import Options, Situation
from routing.placement import Homes
from routing.policy import Requirement
from routing.recommend import recommend
from routing.release import Release
from routing.roster import Unit, UnitColumns, UnitId, unit_columns

CREW: Final = 99
EXAMPLES_MAX: Final = 5
"""Calls shown for each kind of difference."""
TOLD_EVERY: Final = 200
_SHORT: Final = Options(alternatives=0, explain=Explain.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What matters of an answer."""

    outcome: str
    mode: str | None
    zone: str | None
    failing: tuple[str, ...]
    """Codes of the gates that fail."""
    units: tuple[str, ...]
    both_at_s: int | None
    """When the pair is there, in seconds from the decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One call whose answer differs."""

    call_id: str
    at: datetime
    lon: float
    lat: float
    call_type: str
    live: Said
    draft: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """All calls of the period."""

    n_calls: int
    n_outside: int
    """Of them in the area of neither release: NOT_ELIGIBLE under both, and not decided here."""
    n_same: int
    """Decided alike in outcome, mode, units and arrival."""
    changed: tuple[tuple[str, int], ...]
    """What became what, such as `NOT_ELIGIBLE to DISPATCH`, with the number of calls."""
    outcomes: tuple[tuple[str, int, int], ...]
    """Outcome and mode, with the calls that had it under the live release and the draft."""
    examples: tuple[tuple[str, tuple[Example, ...]], ...]
    """The first calls of each kind of difference."""


SituationAt = Callable[[datetime], Situation]
"""The streets with the drive times of an instant, without units."""


def what_if(
    at: SituationAt,
    releases: tuple[Release, Release],
    history: CallHistory,
    judged: tuple[Judged, Judged],
    posts: Posts,
    *,
    tell: Tell,
) -> WhatIf:
    """Return what differs between the answers to past calls under two releases."""
    worlds = [_World(at, release, posts, roster_of(posts, releases)) for release in releases]
    rows = np.flatnonzero(np.maximum(*(one.level for one in judged)) > Level.OUTSIDE).tolist()
    tally = _Tally()
    for done, row in enumerate(rows):
        instant = history.instant(row)
        incident = incident_of(history, row)
        said = [said_of(recommend(w.at(instant), incident, instant, _SHORT)) for w in worlds]
        tally.add(history, row, said[0], said[1])
        if done % TOLD_EVERY == 0:
            tell("what if", done, len(rows))
    tell("what if", len(rows), len(rows))
    return tally.result(len(history), len(history) - len(rows))


class _World:
    """One release with units at posts, made once for each set of drive times."""

    def __init__(
        self, at: SituationAt, release: Release, posts: Posts, roster: UnitColumns
    ) -> None:
        self._at, self._release, self._roster = at, release, roster
        places = {name: place for agency in Agency for name, place in posts.of[agency].items()}
        self._homes = Homes(posts=places)
        self._made: dict[str, Situation] = {}

    def at(self, instant: datetime) -> Situation:
        """Return the situation of an instant."""
        plain = self._at(instant)
        key = "" if plain.travel_times is None else plain.travel_times.weights_id
        if key not in self._made:
            there = replace(with_release(plain, self._release), homes=self._homes)
            self._made[key] = with_roster(there, self._roster)
        return self._made[key]


def roster_of(posts: Posts, releases: Iterable[Release]) -> UnitColumns:
    """Return units at every post, as many and such as the policies ask for at most."""
    wanted: dict[Agency, list[Requirement]] = {agency: [] for agency in Agency}
    for release in releases:
        for policy in (release.city_policy, *release.zone_policies.values()):
            for rules in policy.modes.values():
                for agency, requirement in rules.requirements.items():
                    wanted[agency].append(requirement)
    units = [
        _unit(agency, post, number, wanted[agency])
        for agency in Agency
        for post in posts.of[agency]
        for number in range(max([one.units for one in wanted[agency]], default=1))
    ]
    return unit_columns(units)


def _unit(agency: Agency, post: str, number: int, wanted: Sequence[Requirement]) -> Unit:
    skills = {s for one in wanted for s in (*one.required_skills, *one.preferred_skills)}
    return Unit(
        unit_id=UnitId(post if number == 0 else f"{post}-{number + 1}"),
        agency=agency,
        crew_count=CREW,
        skills=frozenset(skills),
        status=Status.AVAILABLE,
        home_post=post,
        home_beat=post if agency is Agency.SPD else None,
        home_sector=post[:1].upper() if agency is Agency.SPD and len(post) == 2 else None,
    )


def said_of(found: Recommendation) -> Said:
    """Return what matters of an answer."""
    zone = next(gate for gate in found.gates if gate.gate is Gate.ZONE)
    sent = found.assign or (found.hold.send_now if found.hold else ())
    failing = (gate.code for gate in found.gates if gate.result is GateOutcome.FAIL)
    return Said(
        outcome=str(found.outcome),
        mode=None if found.mode is None else str(found.mode),
        zone=zone.value,
        failing=tuple(str(code) for code in failing if code is not None),
        units=tuple(one.unit_id for one in sent),
        both_at_s=None if found.pair is None else found.pair.both_at_s,
    )


def difference(live: Said, draft: Said) -> str | None:
    """Return what became what in words, or None where nothing that matters differs."""
    if live.outcome != draft.outcome:
        return f"{live.outcome} to {draft.outcome}"
    if live.mode != draft.mode:
        return f"{live.outcome}: mode {live.mode} to {draft.mode}"
    if live.units != draft.units:
        return f"{live.outcome}: other units"
    if live.both_at_s != draft.both_at_s:
        return f"{live.outcome}: other arrival"
    if live.failing != draft.failing:
        return f"{live.outcome}: other reasons"
    return f"{live.outcome}: other zone only" if live.zone != draft.zone else None


@dataclass(slots=True)
class _Tally:
    n_same: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    live: Counter[str] = field(default_factory=Counter)
    draft: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Example]] = field(default_factory=dict)

    def add(self, history: CallHistory, row: int, live: Said, draft: Said) -> None:
        self.live[_kind(live)] += 1
        self.draft[_kind(draft)] += 1
        words = difference(live, draft)
        if words is None:
            self.n_same += 1
            return
        self.changed[words] += 1
        shown = self.examples.setdefault(words, [])
        if len(shown) < EXAMPLES_MAX:
            shown.append(
                Example(
                    call_id=history.call_id[row], at=history.instant(row),
                    lon=history.lon.item(row), lat=history.lat.item(row),
                    call_type=history.call_type(row), live=live, draft=draft,
                )
            )  # fmt: skip

    def result(self, n_calls: int, n_outside: int) -> WhatIf:
        kinds = sorted({*self.live, *self.draft})
        changed = sorted(self.changed.items(), key=lambda item: (-item[1], item[0]))
        return WhatIf(
            n_calls=n_calls,
            n_outside=n_outside,
            n_same=self.n_same,
            changed=tuple(changed),
            outcomes=tuple((kind, self.live[kind], self.draft[kind]) for kind in kinds),
            examples=tuple((words, tuple(self.examples[words])) for words, _ in changed),
        )


def _kind(said: Said) -> str:
    return said.outcome if said.mode is None else f"{said.outcome} {said.mode}"
