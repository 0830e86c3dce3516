"""What a closure would do, before it does it, and who may let it.

What lives here: the effect on the streets that are loaded, the two checks before activation, and
the answer that tells of a closure. What does not: the graph (`geodata`, `routing`).
"""

from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from api.answer_schemas import WarningPart
from api.closures.effect import SUPERVISOR_SHARE, effect_of
from api.closures.live_closures import LiveClosures
from api.closures.operations import refused
from api.closures.records import ClosureState, KeptClosure
from api.closures.schemas import ClosureAnswer, ClosurePart, EffectPart, closure_part
from api.errors import ClosureTooLarge, InvalidRequest
from geodata.closures import is_closed, next_change


class Judged(Struct, frozen=True, kw_only=True):
    """What was found about a closure."""

    effect: EffectPart | None
    warnings: tuple[WarningPart, ...] = ()


def judged(live: LiveClosures, kept: KeptClosure, at: datetime) -> Judged:
    """Return what a closure does, or why nobody can say; nothing of one that is over."""
    if kept.state_at(at) not in (ClosureState.PROPOSED, ClosureState.ACTIVE):
        return Judged(effect=None)
    soon = kept if kept.activated_at is not None else replace(kept, activated_at=at)
    try:
        closure = live.placed(soon)
    except InvalidRequest as error:
        return Judged(effect=None, warnings=tuple(_warning(one) for one in error.problems))
    if closure is None:
        return Judged(effect=None)
    view = live.view
    return Judged(effect=effect_of(view.situation, view.schedule, closure, at))


def require_allowed(found: Judged, *, is_supervisor: bool, accept_cut_off: bool) -> None:
    """Let a closure pass, or say what stands against it.

    Raises
    ------
    ClosureTooLarge
        It closes so much that a supervisor has to.
    ClosureRefused
        It cuts off streets or posts, and nobody said that this is meant.
    """
    effect = found.effect
    if effect is None:
        return
    if effect.needs_supervisor and not is_supervisor:
        raise ClosureTooLarge(
            f"It closes {effect.length_m / 1000:.1f} km, {100 * effect.network_share:.1f} % of the "
            "network.",
            remedy=f"Above {100 * SUPERVISOR_SHARE:g} % a supervisor activates it.",
        )
    if effect.cut_off is not None and not accept_cut_off:
        raise refused("CLOSURE_CUTS_OFF", _cut_off_words(effect), _CUT_OFF_REMEDY)


_CUT_OFF_REMEDY: Final = "Leave a way in, or send accept_cut_off: true where this is meant."


def _cut_off_words(effect: EffectPart) -> str:
    assert effect.cut_off is not None, "nothing is cut off"
    cut = effect.cut_off
    said = [f"{cut.street_count} streets"] if cut.street_count else []
    said += [f"the posts {', '.join(cut.posts)}"] if cut.posts else []
    names = ", ".join(cut.streets[:5])
    return f"it would cut off {' and '.join(said)}" + (f" ({names})" if names else "")


def _warning(problem: object) -> WarningPart:
    return WarningPart.model_validate(problem)


# -- the answer -----------------------------------------------------------------------------------


def closure_answer(
    live: LiveClosures,
    kept: KeptClosure,
    at: datetime,
    found: Judged,
    warnings: list[WarningPart],
) -> ClosureAnswer:
    """Return a closure as it is answered."""
    return ClosureAnswer(
        closure=part_of(live, kept, at),
        effect=found.effect,
        warnings=[*warnings, *found.warnings],
    )


def part_of(live: LiveClosures, kept: KeptClosure, at: datetime) -> ClosurePart:
    """Return a closure as it stands at an instant."""
    state = kept.state_at(at)
    closed_now, next_change_at = False, None
    if state is ClosureState.ACTIVE:
        try:
            closure = live.placed(kept)
        except InvalidRequest:
            closure = None  # it closes nothing on these streets, which /readyz says
        if closure is not None:
            closed_now, next_change_at = is_closed(closure, at), next_change(closure, at)
    return closure_part(kept, state, closed_now=closed_now, next_change_at=next_change_at)
