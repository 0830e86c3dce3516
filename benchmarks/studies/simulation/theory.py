"""What theory says of the same load, beside what was simulated.

What lives here: `theory_section`: Erlang's formulas for police (and for CARE), the hypercube model
of a small CARE fleet, the two-type chain of the pair; what each assumes and how far off the
simulation is. What does not: the models (`analytic`), their load (`theory_load`), and the engine's
own check against them where all that they assume is true (`benchmarks.beside_theory`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.html_page import minutes, percent
from benchmarks.studies.analytic.erlang import erlang_b, erlang_c
from benchmarks.studies.analytic.hypercube import Fleet, Workloads, approximate, exact
from benchmarks.studies.analytic.two_types import TwoTypes, losses_of
from benchmarks.studies.past.replay_tables import table_of
from benchmarks.studies.simulation.simulation_tables import Simulated
from benchmarks.studies.simulation.theory_load import CARE, SPD, Load, care_travel, load_of
from benchmarks.studies.tables import Section, Table, texts

Reals = NDArray[np.float64]
EXACT_UNITS: Final = 8
"""Larger CARE fleets by Larson's approximation: 256 states are solved at once, 16,384 are not."""
HYPERCUBE_UNITS_MAX: Final = 40
CHAIN_STATES_MAX: Final = 12_000

ERLANG: Final = (
    "Erlang's formulas take the simulated load of every local hour of the day, units that are all "
    "alike and calls at random, each for one unit. B: who finds nobody free is lost; C: waits for "
    "as long as it takes, and times are exponential. Here jobs for two units wait for both, a unit "
    "near its shift's end, of another sector or in reserve may be kept, and a call of CARE that "
    "waits too long is handed to police."
)
HYPERCUBE: Final = (
    "The hypercube model has CARE units free at their posts or busy: calls at random from where "
    "they were, the unit with the shortest drive that is free goes (of those at one post by "
    "chance), times are exponential with the simulated mean of each unit, and calls that find all "
    "busy are lost. Here they wait a while before police answer alone, units also start from where "
    "they are on the way back, and demand differs by the hour. Calls that are decided when no CARE "
    "is on duty, such as an officer's just after closing, are left out of these figures."
)
CHAIN: Final = (
    "The chain of the two-type loss system is solved exactly: calls of the pair take a CARE and a "
    "police unit at once, police work takes one; whoever finds too few free is lost; all times are "
    "exponential with the simulated means. Here nobody is lost at once but waits, which keeps "
    "units busier, an officer on scene asks when police are there already, and loads differ by the "
    "hour."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One figure of theory beside the simulated one."""

    figure: str
    model: str
    theory: float
    simulated: float
    is_share: bool = True

    def sentence(self) -> str:
        """Return how far off the simulation is."""
        if np.isnan(self.theory) or np.isnan(self.simulated):
            return f"{self.figure}: nothing to compare."
        apart = self.simulated - self.theory
        if self.is_share:
            told, size = (percent(self.theory), percent(self.simulated)), 1000 * abs(apart)
            far = f"{100 * abs(apart):.1f} points {'more' if apart > 0 else 'less'}"
        else:
            told, size = (minutes(self.theory), minutes(self.simulated)), abs(apart) / 6
            far = f"{minutes(abs(apart))} {'more' if apart > 0 else 'less'}"
        far = far if size >= 0.5 else "the same to a tenth"
        return f"{self.figure}: {told[0]} by {self.model}, {told[1]} simulated, {far}."


def theory_section(found: Simulated) -> Section:
    """Return the part of the report that tells what theory says."""
    load = load_of(found)
    parts = [_erlang(found, load), _hypercube(found, load), _chain(load)]
    tables = tuple(table for part in parts for table in part.tables)
    rows = [one for part in parts for one in part.rows]
    return Section(
        title="Beside theory",
        paragraphs=tuple(part.told() for part in parts),
        tables=(_table(rows), *tables),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """What one model says."""

    words: str
    """What it assumes, or why it does not apply."""
    rows: tuple[Beside, ...] = ()
    tables: tuple[Table, ...] = ()

    def told(self) -> str:
        """Return the paragraph."""
        return " ".join([self.words, *(row.sentence() for row in self.rows)])


def _table(rows: list[Beside]) -> Table:
    return table_of(
        "beside_theory", "Beside theory",
        [
            {
                "figure": one.figure, "model": one.model,
                **{
                    f"{who}_{unit}": value if one.is_share == (unit == "share") else np.nan
                    for unit in ("share", "s")
                    for who, value in (("theory", one.theory), ("simulated", one.simulated))
                },
            }
            for one in rows
        ],
        {
            "figure": "What is compared.", "model": "By which model.",
            "theory_share": "What the model says, of figures that are shares.",
            "simulated_share": "What was simulated, all replications together.",
            "theory_s": "What the model says, of figures that are times.",
            "simulated_s": "What was simulated.",
        },
    )  # fmt: skip


# -- Erlang ---------------------------------------------------------------------------------------


def _erlang(found: Simulated, load: Load) -> Part:
    return Part(words=ERLANG, rows=tuple(_erlang_rows(found, load)))


def _erlang_rows(found: Simulated, load: Load) -> Iterator[Beside]:
    waited = found.interval("police_waited_share").mean
    for agency, name, simulated in (
        (SPD, "Police jobs that find no unit free", waited),
        (CARE, "Eligible calls that find no CARE unit free", load.care_short_share),
    ):
        weights = load.jobs_h if agency == SPD else load.erlangs_h[CARE]
        units = np.rint(load.units_h[agency]).astype(np.int64)
        hours = np.flatnonzero((units > 0) & (weights > 0))
        offered_h = load.erlangs_h[agency]
        if agency == CARE and load.sent:  # beside those that were handed to police
            offered_h = offered_h * load.calls / load.sent
        for letter, formula in (("B", erlang_b), ("C", erlang_c)) if len(hours) else ():
            chance = [formula(float(offered_h[h]), int(units[h])) for h in hours.tolist()]
            yield Beside(
                figure=name, model=f"Erlang {letter}", simulated=simulated,
                theory=float(np.average(chance, weights=weights[hours])),
            )  # fmt: skip


# -- the hypercube --------------------------------------------------------------------------------


def fleet_of_load(load: Load, travel_s: Reals, *, can_wait: bool) -> tuple[Fleet, Reals]:
    """Return the fleet of the hypercube model and (n_units, n_atoms) mean travel times.

    Places that prefer the units in the same order of the drive are one atom.
    """
    preference = np.argsort(travel_s.T, axis=1, kind="stable")
    orders, atom = np.unique(preference, axis=0, return_inverse=True)
    count = np.bincount(atom.ravel(), minlength=len(orders)).astype(np.float64)
    mean_s = np.array([np.bincount(atom.ravel(), row, len(orders)) / count for row in travel_s])
    rate = load.calls / load.open_s
    service_s = np.where(np.isnan(load.care_s), np.nanmean(load.care_s), load.care_s)
    fleet = Fleet(
        calls_per_s=rate * count / count.sum(), preference=orders.astype(np.int64),
        service_s=service_s, can_wait=can_wait,
    )  # fmt: skip
    return fleet, mean_s


def _hypercube(found: Simulated, load: Load) -> Part:
    reason = _no_hypercube(load)
    travel_s = np.empty((0, 0)) if reason else care_travel(found)
    if not reason and not travel_s.shape[1]:
        reason = "no place of a call is reached from every post"
    if reason:
        return Part(words=f"The hypercube model is not applied: {reason}.")
    fleet, mean_s = fleet_of_load(load, travel_s, can_wait=False)
    solve = exact if fleet.n_units <= EXACT_UNITS else approximate
    name = "the hypercube model" if solve is exact else "Larson's approximation of the hypercube"
    lost = solve(fleet)
    rows = [
        Beside(
            figure="Eligible calls that find no CARE unit free", model=name,
            theory=lost.all_busy, simulated=load.care_short_share,
        ),
        Beside(
            figure="CARE's busy probability, mean of the units", model=name,
            theory=float(lost.busy.mean()), simulated=float(np.nanmean(load.care_busy)),
        ),
        Beside(
            figure="CARE's mean from dispatch to arrival", model=name, is_share=False,
            theory=lost.mean_travel_s(mean_s), simulated=load.travel_s,
        ),
    ]  # fmt: skip
    lost = _shared_alike(lost, travel_s)
    return Part(words=HYPERCUBE, rows=tuple(rows), tables=(_unit_table(load, lost, solve),))


def _shared_alike(lost: Workloads, travel_s: Reals) -> Workloads:
    """Return workloads in which units of one post have the same: who of them goes is chance."""
    _, post = np.unique(travel_s, axis=0, return_inverse=True)
    n = np.bincount(post.ravel())
    busy = (np.bincount(post.ravel(), lost.busy) / n)[post.ravel()]
    sent = np.zeros((len(n), lost.dispatches.shape[1]))
    np.add.at(sent, post.ravel(), lost.dispatches)
    alike = (sent / n[:, None])[post.ravel()]
    return Workloads(busy=busy, dispatches=alike, all_busy=lost.all_busy)


def _no_hypercube(load: Load) -> str:
    n = len(load.care_units)
    if not n or not load.calls or np.isnan(load.care_s).all():
        return "CARE comes to no call"
    if not load.works_alike:
        return "CARE units are on duty at different times, and the model has one fleet"
    return f"{n} CARE units are no small fleet" if n > HYPERCUBE_UNITS_MAX else ""


def _unit_table(load: Load, lost: Workloads, solve: object) -> Table:
    how = "solved exactly" if solve is exact else "Larson's approximation"
    return Table(
        name="hypercube_units", title="CARE units by the hypercube model",
        columns={
            "unit_id": texts(list(load.care_units)),
            "busy_theory_share": lost.busy, "busy_simulated_share": load.care_busy,
            "apart_share": load.care_busy - lost.busy,
            "dispatches_theory_share": lost.dispatches.sum(axis=1),
        },
        definitions={
            "unit_id": "Agency and a number.",
            "busy_theory_share": f"Busy probability by the model ({how}); calls that find all busy "
            "are lost.",
            "busy_simulated_share": "The simulated one: time on calls, of its time on duty.",
            "apart_share": "Simulated less theory.",
            "dispatches_theory_share": "Of all dispatches of CARE, by the model.",
        },
    )  # fmt: skip


# -- the pair -------------------------------------------------------------------------------------


def system_of_load(load: Load) -> TwoTypes | None:
    """Return the two-type loss system of a load; None without CARE or police on duty."""
    is_open = load.units_h[CARE] > 0
    if not is_open.any() or not load.calls or np.isnan(load.pair_spd_s):
        return None
    care, spd = (round(float(load.units_h[kind][is_open].mean())) for kind in (CARE, SPD))
    care_s = float(np.nanmean(load.care_s)) if not np.isnan(load.care_s).all() else np.nan
    if not care or not spd or np.isnan(care_s):
        return None
    return TwoTypes(
        care_units=care, spd_units=spd, pairs_per_s=load.calls / load.open_s,
        jobs_per_s=load.tasks / load.open_s, care_s=care_s, spd_s=load.pair_spd_s,
        job_s=load.task_s if load.tasks else 1.0,
    )  # fmt: skip


def _chain(load: Load) -> Part:
    system = system_of_load(load)
    if load.solo_share > 0:
        return Part(words="The two-type chain is not applied: CARE goes alone to some calls.")
    if system is None:
        return Part(words="The two-type chain is not applied: no pair comes to any call.")
    states = (system.care_units + 1) * (system.spd_units + 1) * (system.spd_units + 2) // 2
    if states > CHAIN_STATES_MAX:
        return Part(
            words=f"The two-type chain is not applied: {system.care_units} CARE and "
            f"{system.spd_units} police units have {states:,} states, too many to solve."
        )
    row = Beside(
        figure="Pairs of which a unit is missing", model="the two-type chain",
        theory=losses_of(system).pairs_lost, simulated=load.short_share,
    )  # fmt: skip
    return Part(words=CHAIN, rows=(row,))
