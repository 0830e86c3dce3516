"""The pictures of a simulation: how soon units come, and how busy they are by the hour.

Equal results give equal bytes.
"""

from typing import Final

import numpy as np
from matplotlib.figure import Figure

from api.impact.reach import PAIR
from api.map_drawing import BLACK, OF_KIND, png_of
from benchmarks.studies.curves import hours_of_day, reach_curves
from benchmarks.studies.scenario import PUBLISHED_CARE_S
from benchmarks.studies.simulation.care_calls import SENT
from benchmarks.studies.simulation.simulation_tables import Simulated, busy_shares
from benchmarks.studies.tables import Picture
from routing.codes import Agency

LONGEST_MIN: Final = 30


def response_curves(found: Simulated) -> Picture:
    """Return the shares of the 911 calls that are reached by each minute."""
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots()
    seconds: dict[str, list[float]] = {PAIR: [], str(Agency.CARE): [], str(Agency.SPD): []}
    for one in found.results:
        some = (one.outcome == SENT) & ~one.is_officer
        care = (one.care_arrived_s - one.queued_s)[some]
        spd = (one.spd_arrived_s - one.queued_s)[some]
        for kind, values in zip(seconds, (np.maximum(care, spd), care, spd), strict=True):
            seconds[kind] += values.tolist()
    reach_curves(axes, {k: np.array(v) for k, v in seconds.items()}, longest_min=LONGEST_MIN)
    axes.set(xlabel="minutes after the call was queued", ylabel="% of the 911 calls")
    return Picture(
        name="simulation_responses", png=png_of(figure),
        words="How soon after a 911 call was queued CARE (squares), police (triangles) and both "
        "(circles, wide) are there, of the calls to which CARE came; all replications.",
    )  # fmt: skip


def travel_bars(found: Simulated) -> Picture:
    """Return CARE's times from dispatch to arrival, with what is published."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    axes = figure.subplots()
    values = np.concatenate(
        [(one.care_arrived_s - one.care_dispatched_s)[one.outcome == SENT] for one in found.results]
    )
    known = np.clip(values[~np.isnan(values)] / 60, 0, LONGEST_MIN)
    weights = np.full(len(known), 100 / max(len(known), 1))
    bins = [float(minute) for minute in range(LONGEST_MIN + 1)]
    axes.hist(known, bins=bins, weights=weights, color=OF_KIND[str(Agency.CARE)], ec="white")
    axes.axvline(
        PUBLISHED_CARE_S / 60,
        color=BLACK,
        lw=1.5,
        ls="--",
        label=f"published mean, {PUBLISHED_CARE_S / 60:g} min",
    )
    if len(known):
        axes.axvline(
            known.mean(), color=BLACK, lw=1.5, label=f"modelled mean, {known.mean():.1f} min"
        )
    axes.set(xlim=(0, LONGEST_MIN), xlabel="minutes from dispatch to arrival, CARE")
    axes.set_ylabel("% of CARE's dispatches")
    axes.legend(fontsize=8.5, frameon=False)
    return Picture(
        name="simulation_travel", png=png_of(figure),
        words="CARE from dispatch to arrival in the model; the solid line is the model's mean, the "
        "dashed line the published one.",
    )  # fmt: skip


def busy_bars(found: Simulated) -> Picture:
    """Return how busy units are by the hour of the day."""
    busy, duty = busy_shares(found)
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    axes = figure.subplots()
    for i, (agency, hatch) in enumerate(((Agency.CARE, ""), (Agency.SPD, "////"))):
        shown = np.where(duty[i] > 0, 100 * np.nan_to_num(busy[i]), 0.0)
        axes.bar(
            np.arange(24) + 0.42 * i - 0.21, shown, width=0.42, color=OF_KIND[str(agency)],
            edgecolor="white" if hatch else BLACK, lw=0.6, hatch=hatch, label=str(agency),
        )  # fmt: skip
    hours_of_day(axes, "% of time on duty", columns=2)
    return Picture(
        name="simulation_busy", png=png_of(figure),
        words="Busy probability by the local hour: time on calls, of the time on duty; CARE plain, "
        "police hatched. Hours without a unit on duty have no bar.",
    )  # fmt: skip
