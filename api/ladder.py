"""It always answers: when a decision fails on one rung of the ladder, the next one is tried.

What lives here: the climb (rule 12). What does not: what each rung means (`routing.arrivals`), and
calls that are far from any street, which are no failure.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from routing.codes import Eta
from routing.model import Situation

FALLS: Final = {
    Eta.ROAD: Eta.STRAIGHT_LINE,
    Eta.LAST_GOOD: Eta.STRAIGHT_LINE,
    Eta.STRAIGHT_LINE: Eta.BEAT_ORDER,
}
"""Where a failed decision goes: what failed by the streets fails with older weights as well."""

Found = TypeVar("Found")
"""One recommendation, or those of a batch."""
Told = Callable[[BaseException, Eta], None]
"""Told of a fault and of the rung that it happened on."""


def always_answering(decide: Callable[..., Found], told: Told) -> Callable[..., Found]:
    """Return `decide` with the next rungs of the ladder behind it.

    A fault on the last rung is raised, because there is nothing left to answer with.
    """

    def on_the_ladder(situation: Situation, *asked: Any, **how: Any) -> Found:
        while True:
            try:
                return decide(situation, *asked, **how)
            except Exception as fault:  # whatever it is, the call still needs units
                told(fault, situation.rung)
                if situation.rung not in FALLS:
                    raise
                situation = replace(situation, rung=FALLS[situation.rung])

    return on_the_ladder
