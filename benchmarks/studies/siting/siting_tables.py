"""The tables of a siting study: what each solution does, its posts, candidates and points.

What lives here: `Sitings` (all that was found), `Worth` and tables. Every figure of a row but its
model's value is counted anew at every single call, not at the points that calls were put to.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.coverage.arrivals import Arrivals
from benchmarks.studies.demand import Calls
from benchmarks.studies.scenario import Model
from benchmarks.studies.siting.instance import Instance, Whole
from benchmarks.studies.siting.parts import Sited
from benchmarks.studies.siting.places import Candidates, Points, shapes_of
from benchmarks.studies.tables import Table, texts
from benchmarks.studies.world import World, some_of
from routing.coverage import LONGEST_MS, shares_of_points

TODAY: Final = "TODAY"
UNITS: Final = {
    Model.LSCP: "posts", Model.MCLP: "calls within the standard",
    Model.P_MEDIAN: "mean minutes", Model.P_CENTER: "longest minutes",
    Model.MEXCLP: "expected calls within the standard",
}  # fmt: skip
"""What the value and the bound of each model count."""
MS_A_MINUTE: Final = 60_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What some posts do for all calls."""

    mean_s: float
    """Of the calls that the pair reaches; NaN where there is none."""
    p90_s: float
    """NaN where fewer than nine tenths are reached."""
    within_share: float
    unreached_share: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Sitings:
    """All that was found."""

    world: World
    calls: Calls
    arrivals: Arrivals
    candidates: Candidates
    points: Points
    instance: Instance
    """At the points of demand."""
    used: NDArray[np.int64]
    """Candidates at which CARE stands today or in any solution, rising."""
    used_ms: Whole
    """(n_used, n_calls) until CARE is there from each of them, at every call."""
    spd_ms: Whole
    """(n_calls,) until police are there."""
    sited: tuple[Sited, ...]
    workload: str
    """How busy units were taken to be, in words."""

    @property
    def within_s(self) -> float:
        """The standard."""
        return self.world.scenario.siting.within_s

    @property
    def today(self) -> NDArray[np.int64]:
        """Candidates that are today's posts."""
        return np.arange(self.candidates.n_today)

    @cached_property
    def worth_today(self) -> Worth:
        """What today's posts do."""
        return self.worth(self.today)

    @cached_property
    def floor(self) -> Worth:
        """What no posts of CARE can beat: police alone."""
        return worth_of(self.spd_ms, self.within_s)

    def care_ms(self, sites: NDArray[np.int64]) -> Whole:
        """Return (n_sites, n_calls) milliseconds until CARE is there from candidates in use."""
        return self.used_ms[np.searchsorted(self.used, sites)]

    def pair_ms(self, sites: NDArray[np.int64]) -> Whole:
        """Return (n_calls,) milliseconds until both are there."""
        if not len(sites):
            return np.full(len(self.spd_ms), LONGEST_MS, np.int64)
        return np.asarray(np.maximum(self.care_ms(sites).min(axis=0), self.spd_ms))

    def worth(self, sites: NDArray[np.int64]) -> Worth:
        """Return what posts at some candidates do."""
        return worth_of(self.pair_ms(sites), self.within_s)

    @cached_property
    def streets(self) -> tuple[str, ...]:
        """The street of every candidate, by name."""
        network = self.world.network
        numbers = network.street_name[self.candidates.at.street].tolist()
        return tuple(network.names[number] or "(unnamed)" for number in numbers)

    def names(self, sites: NDArray[np.int64]) -> str:
        """Return the names of some candidates; `2 x` where two units stand at one."""
        different, units = np.unique(sites, return_counts=True)
        return ", ".join(
            f"{n} x {self.candidates.names[row]}" if n > 1 else self.candidates.names[row]
            for row, n in zip(different.tolist(), units.tolist(), strict=True)
        )


def worth_of(ms: Whole, within_s: float) -> Worth:
    """Return mean, p90 and shares of arrivals at calls that count alike."""
    reached = ms[ms < LONGEST_MS]
    kept = np.minimum(ms, LONGEST_MS + 1).astype(np.int32)
    shares = shares_of_points(kept, np.ones(len(ms)), (within_s,))
    return Worth(
        mean_s=float(reached.mean()) / 1000 if len(reached) else np.nan,
        p90_s=np.nan if shares.p90_s is None or shares.p90_s * 1000 >= LONGEST_MS
        else shares.p90_s,
        within_share=shares.within[0],
        unreached_share=1.0 - len(reached) / len(ms),
    )  # fmt: skip


# -- the solutions --------------------------------------------------------------------------------

_DEFINITIONS: Final = {
    "model": "TODAY: the posts on duty now. LSCP: fewest posts with every call that can be reached "
    "within the standard so reached. MCLP: most calls within the standard. P_MEDIAN: least mean "
    "arrival. P_CENTER: least longest arrival. MEXCLP: most expected calls within the standard "
    "when units may be busy.",
    "posts": "Posts that are told apart; several units of MEXCLP at one place are one post.",
    "units": "Units that the model has placed: MEXCLP may place several at one post. Of TODAY its "
    "posts.",
    "mean_s": "Mean seconds from dispatch until the pair is complete, of the calls that it "
    "reaches.",
    "p90_s": "Seconds by which the pair is complete at nine tenths of all calls.",
    "within_share": "Share of all calls at which the pair is complete within the standard.",
    "unreached_share": "Share of all calls that no pair reaches.",
    "mean_change_s": "mean_s minus that of today's posts; below 0 is sooner.",
    "p90_change_s": "p90_s minus that of today's posts.",
    "within_change_share": "within_share minus that of today's posts.",
    "value": "What the posts are worth by the model, at its points of demand, in value_unit.",
    "bound": "What no choice of candidates can pass: at least (LSCP, P_MEDIAN, P_CENTER) or at "
    "most (MCLP, MEXCLP) so much, in value_unit.",
    "gap_share": "How far value and bound are apart, as a share of the value; 0: proven best.",
    "ended": "PROVEN: nothing is better. NODES: the search ended after a set number of steps, the "
    "same in every run. CLOCK: siting.seconds_max ended it, so that another run may end elsewhere.",
    "value_unit": "What value and bound count.",
    "busy_share": "Probability that a unit is busy, of MEXCLP.",
    "sites": "Names of the chosen places.",
}


def solution_table(found: Sitings) -> Table:
    """Return today's posts and every solution, before and after."""
    rows = [_row(found, TODAY, found.today), *(_solution(found, one) for one in found.sited)]
    return Table(
        name="siting_solutions", title="Today's posts and each solution",
        columns=_columns(rows, _DEFINITIONS), definitions=_DEFINITIONS,
        notes=(f"The standard is {found.within_s / 60:g} minutes from dispatch until both are "
               "there.",),
    )  # fmt: skip


def _columns(
    rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> dict[str, NDArray[Any]]:
    """Return columns of rows: texts as objects, numbers as they are."""
    columns = {}
    for name in names:
        values = [row[name] for row in rows]
        is_text = any(isinstance(value, str) or value is None for value in values)
        columns[name] = texts(values) if is_text else np.array(values)
    return columns


def _row(found: Sitings, model: str, sites: NDArray[np.int64]) -> dict[str, Any]:
    worth, today = found.worth(sites), found.worth_today
    return {
        "model": model, "posts": len(np.unique(sites)), "units": len(sites),
        "mean_s": worth.mean_s, "p90_s": worth.p90_s, "within_share": worth.within_share,
        "unreached_share": worth.unreached_share, "mean_change_s": worth.mean_s - today.mean_s,
        "p90_change_s": worth.p90_s - today.p90_s,
        "within_change_share": worth.within_share - today.within_share, "value": np.nan,
        "bound": np.nan, "gap_share": np.nan, "ended": "", "value_unit": "",
        "busy_share": np.nan, "sites": found.names(sites),
    }  # fmt: skip


def _solution(found: Sitings, one: Sited) -> dict[str, Any]:
    model = Model(one.model)
    each = scale_of(found.instance, model)
    return {
        **_row(found, one.model, one.sites), "value": one.value / each, "bound": one.bound / each,
        "gap_share": one.gap, "ended": one.ended, "value_unit": UNITS[model],
        "busy_share": one.busy if model is Model.MEXCLP else np.nan,
    }  # fmt: skip


def scale_of(instance: Instance, model: Model) -> float:
    """Return by what a model's value is divided to be in its unit of `UNITS`."""
    if model is Model.P_MEDIAN:
        return MS_A_MINUTE * max(1, int(instance.weight[instance.reached].sum()))
    return MS_A_MINUTE if model is Model.P_CENTER else 1.0


# -- places ---------------------------------------------------------------------------------------


def post_table(found: Sitings) -> Table:
    """Return every post of every solution."""
    rows = [row for one in found.sited for row in _posts(found, one)]
    definitions = {
        "model": "Whose post it is.",
        "posts_asked": "Posts, or units of MEXCLP, that the model was given; of LSCP what it "
        "found.",
        "site": "Name of the place.",
        "street": "The street on which it is.",
        "is_today": "Whether CARE stands there today.",
        "units": "Units there.",
        "calls": "Calls to which no other post of the solution is nearer for CARE.",
        "lon": "Degrees, WGS 84.", "lat": "Degrees, WGS 84.",
    }  # fmt: skip
    at = some_of(found.candidates.at, np.array([row["row"] for row in rows], np.int64))
    return Table(
        name="siting_posts", title="The posts of each solution",
        columns=_columns(rows, definitions), definitions=definitions, geometry=shapes_of(at),
    )  # fmt: skip


def _posts(found: Sitings, one: Sited) -> Iterator[dict[str, Any]]:
    different, units = np.unique(one.sites, return_counts=True)
    if not len(different):
        return
    care_ms = found.care_ms(different)
    nearest = care_ms.argmin(axis=0)[care_ms.min(axis=0) < LONGEST_MS]
    calls = np.bincount(nearest, minlength=len(different))
    for row, n, near in zip(different.tolist(), units.tolist(), calls.tolist(), strict=True):
        yield {
            "row": row, "model": one.model, "posts_asked": one.count or len(one.sites),
            "site": found.candidates.names[row], "street": found.streets[row],
            "is_today": row < found.candidates.n_today,
            "units": n, "calls": near, "lon": found.candidates.at.lon.item(row),
            "lat": found.candidates.at.lat.item(row),
        }  # fmt: skip


def candidate_table(found: Sitings) -> Table:
    """Return the places at which CARE could stand."""
    at, n = found.candidates.at, len(found.candidates.names)
    return Table(
        name="siting_candidates", title="Where CARE could stand",
        columns={"site": texts(found.candidates.names), "street": texts(found.streets),
                 "lon": at.lon, "lat": at.lat,
                 "is_today": np.arange(n) < found.candidates.n_today},
        definitions={"site": "Name of the place; G and a number for one of the grid.",
                     "street": "The street on which it is.",
                     "lon": "Degrees, WGS 84.", "lat": "Degrees, WGS 84.",
                     "is_today": "Whether CARE stands there today."},
        geometry=shapes_of(at),
    )  # fmt: skip


def point_table(found: Sitings) -> Table:
    """Return the points of demand."""
    at = some_of(found.points.calls, found.points.row)
    spd_s = np.where(found.spd_ms < LONGEST_MS, found.spd_ms / 1000, np.nan)[found.points.row]
    return Table(
        name="siting_points", title="Points of demand",
        columns={"calls": found.points.weight, "lon": at.lon, "lat": at.lat, "spd_s": spd_s},
        definitions={"calls": "Calls that the point stands for.", "lon": "Degrees, WGS 84.",
                     "lat": "Degrees, WGS 84.",
                     "spd_s": "Seconds from dispatch until police are there."},
        geometry=shapes_of(at),
    )  # fmt: skip
