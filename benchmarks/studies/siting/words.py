"""What a siting study says in sentences: findings, cautions, assumptions."""

from collections.abc import Iterator

from benchmarks.studies.coverage.hours import in_words
from benchmarks.studies.coverage.words import FREE, of_the_data
from benchmarks.studies.coverage.words import assumptions as of_coverage
from benchmarks.studies.scenario import Model
from benchmarks.studies.siting.parts import Sited
from benchmarks.studies.siting.pictures import drawn_count
from benchmarks.studies.siting.siting_tables import UNITS, Sitings, Worth, scale_of
from routing.coverage import LONGEST_MS


def cautions(found: Sitings) -> tuple[str, ...]:
    """Return what stands on the face of the report."""
    said = list(of_the_data(found.world, is_proxy=found.calls.is_proxy))
    n_clock = sum(one.ended == "CLOCK" for one in found.sited)
    if n_clock:
        said.append(
            f"{n_clock} of {len(found.sited)} searches were ended by the clock "
            "(siting.seconds_max): another run may end elsewhere, within the bounds that are told."
        )
    return (*said, FREE)


def in_short(found: Sitings) -> tuple[str, ...]:
    """Return the findings, a sentence each."""
    return (*_today(found), *_median(found), *_most(found), *_longest(found), *_floor(found),
            *_standard(found), *_bounds(found))  # fmt: skip


def _percent(share: float) -> str:
    return "all" if share >= 1.0 else f"{100 * share:.1f} %"


def _worth(worth: Worth, within_s: float) -> str:
    """Return what posts do, in words."""
    if worth.mean_s != worth.mean_s:
        return "no call reached"
    nine = "never" if worth.p90_s != worth.p90_s else f"{worth.p90_s / 60:.1f} min"
    return (
        f"{worth.mean_s / 60:.2f} min in the mean, {nine} at nine tenths, "
        f"{_percent(worth.within_share)} of the calls within {within_s / 60:g} min"
    )


def _places(count: int) -> str:
    return "1 place" if count == 1 else f"{count} places"


def _today(found: Sitings) -> Iterator[str]:
    n, calls = found.candidates.n_today, len(found.spd_ms)
    hour = in_words(found.world.scenario.coverage.hours[0])
    if not n:
        yield f"No CARE unit is on duty {hour}, so there is no before."
        return
    yield (
        f"Today CARE stands at {_places(n)} ({found.names(found.today)}); {hour} the pair is "
        f"complete at {calls:,} calls after {_worth(found.worth_today, found.within_s)}."
    )


def _one(found: Sitings, model: Model, count: int) -> Sited | None:
    chosen = [one for one in found.sited if one.model == model and one.count == count]
    return chosen[0] if chosen and len(chosen[0].sites) else None


def _proof(one: Sited) -> str:
    return "proven best" if one.proven else f"at most {100 * one.gap:.2g} % from the best"


def _where(found: Sitings, one: Sited) -> str:
    """Return the places of a solution with their streets."""
    return ", ".join(
        f"{found.candidates.names[row]} on {found.streets[row]}" for row in one.sites.tolist()
    )


def _median(found: Sitings) -> Iterator[str]:
    one = _one(found, Model.P_MEDIAN, drawn_count(found))
    if one is None:
        return
    worth, today = found.worth(one.sites), found.worth_today
    change = ""
    if found.candidates.n_today and abs(worth.unreached_share - today.unreached_share) < 1e-9:
        change = f": {abs(worth.mean_s - today.mean_s):.0f} s " + (
            "sooner than today" if worth.mean_s <= today.mean_s else "later than today"
        )
    yield (
        f"The best {_places(one.count)} for the mean ({_where(found, one)}; {_proof(one)}): "
        f"{_worth(worth, found.within_s)}{change}."
    )


def _most(found: Sitings) -> Iterator[str]:
    one = _one(found, Model.MCLP, drawn_count(found))
    if one is not None and found.worth_today.within_share < 1.0:
        share, minutes = found.worth(one.sites).within_share, f"{found.within_s / 60:g} min"
        yield (
            f"The best {_places(one.count)} for calls within {minutes} ({_where(found, one)}; "
            f"{_proof(one)}): {_percent(share)}, today {_percent(found.worth_today.within_share)}."
        )


def _longest(found: Sitings) -> Iterator[str]:
    one = _one(found, Model.P_CENTER, drawn_count(found))
    if one is None:
        return
    before, after = (
        ms[ms < LONGEST_MS] for ms in (found.pair_ms(found.today), found.pair_ms(one.sites))
    )
    if len(before) and len(after):
        yield (
            f"The best {_places(one.count)} for the longest arrival ({_where(found, one)}; "
            f"{_proof(one)}): {after.max() / 60_000:.1f} min at the latest call, today "
            f"{before.max() / 60_000:.1f} min."
        )


def _floor(found: Sitings) -> Iterator[str]:
    one = _one(found, Model.P_MEDIAN, drawn_count(found))
    floor = found.floor
    if one is None or floor.mean_s != floor.mean_s:
        return
    care_ms = found.care_ms(one.sites).min(axis=0)
    later = float((found.spd_ms >= care_ms)[found.spd_ms < LONGEST_MS].mean())
    yield (
        f"No posts of CARE can bring the mean below {floor.mean_s / 60:.2f} min, which is police "
        f"alone; with those best for the mean, police come last or together at "
        f"{_percent(later)} of the calls."
    )


def _standard(found: Sitings) -> Iterator[str]:
    chosen = [one for one in found.sited if one.model == Model.LSCP]
    if not chosen:
        return
    one, minutes = chosen[0], f"{found.within_s / 60:g} min"
    if not len(one.sites):
        yield f"From no candidate is the pair complete at any call within {minutes}."
        return
    worth = found.worth(one.sites)
    few = "" if len(one.sites) > 1 else (
        " A shorter standard tells the models apart: --set siting.within_s=300."
    )  # fmt: skip
    cover = "covers" if len(one.sites) == 1 else "cover"
    yield (
        f"{_places(len(one.sites))} ({_proof(one)}) {cover} every point of demand that can be "
        f"covered within {minutes}: {_percent(worth.within_share)} of the calls.{few}"
    )


def _bounds(found: Sitings) -> Iterator[str]:
    n, proven = len(found.sited), sum(one.proven for one in found.sited)
    if not n:
        return
    if proven == n:
        yield f"All {n} solutions are proven best among the candidates for the points of demand."
        return
    worst = max(found.sited, key=lambda one: one.gap)
    unit, each = UNITS[Model(worst.model)], scale_of(found.instance, Model(worst.model))
    yield (
        f"{proven} of {n} solutions are proven best among the candidates; the others are at most "
        f"{100 * worst.gap:.2g} % from it ({worst.model}, {worst.count} posts: "
        f"{worst.value / each:.6g} {unit}, bound {worst.bound / each:.6g})."
    )


def assumptions(found: Sitings) -> dict[str, str]:
    """Return what was assumed, by key of the scenario."""
    world, spec = found.world, found.world.scenario.siting
    said = of_coverage(world, found.calls, world.scenario.coverage.hours[:1])
    said["siting.candidates"] = found.candidates.told
    said["siting.demand_points_max"] = found.points.told
    said["siting.within_s"] = f"{spec.within_s:g} s from dispatch until both are there"
    said["siting.seconds_max"] = (
        f"{spec.seconds_max:g} s of the clock for one model and number, after a set number of steps"
    )
    if any(one.model == Model.MEXCLP for one in found.sited):
        said["siting.busy"] = found.workload
    said["SPD"] = "stays where it is: only CARE is placed"
    return said
