"""What queueing theory says of the same load, beside what was simulated.

What lives here: `theory_table`. What does not: the models (`analytic`), and the engine's own check
against them (`benchmarks.beside_theory`).
"""

from typing import Final

import numpy as np

from benchmarks.studies.analytic.erlang import erlang_c
from benchmarks.studies.past.replay_tables import table_of
from benchmarks.studies.simulation.care_calls import REFUSED
from benchmarks.studies.simulation.simulation_tables import Simulated, busy_shares
from benchmarks.studies.tables import Table
from routing.codes import Agency

WHY: Final = (
    "Erlang's model has one load all day, units that are all alike, exponential times and no "
    "drive; here loads differ by the hour, units are also sent to whoever is near, and a call that "
    "waits too long is handed to police. The figures should be of one size, not equal."
)


def theory_table(found: Simulated) -> Table:
    """Return Erlang's chance to wait at the simulated load, beside the simulated one."""
    busy, duty = busy_shares(found)
    rows = []
    for i, agency in enumerate((Agency.CARE, Agency.SPD)):
        known = duty[i] > 0
        if not known.any():
            continue
        units = float(duty[i][known].mean())
        load = float((busy[i] * duty[i])[known].mean())
        n = round(units)
        rows.append(
            {
                "agency": str(agency),
                "units": units,
                "load_erlang": load,
                "wait_theory_share": erlang_c(load, n) if n else np.nan,
                "wait_simulated_share": _waited(found, agency),
            }
        )
    return table_of(
        "beside_theory", "Beside theory", rows,
        {
            "agency": "CARE or SPD.",
            "units": "On duty in the mean, in hours with any.",
            "load_erlang": "Units that are busy at once in the mean, in those hours.",
            "wait_theory_share": "Erlang C: chance that nobody is free, at that load.",
            "wait_simulated_share": "Share of the eligible CARE calls that waited for a unit; of "
            "police, of the background jobs.",
        },
    )  # fmt: skip


def _waited(found: Simulated, agency: Agency) -> float:
    if agency is Agency.SPD:
        return found.interval("police_waited_share").mean
    shares = []
    for one in found.results:
        eligible = one.outcome != REFUSED
        held = np.array(
            ["NO_UNIT" in why or "TOO_FEW" in why for why in one.why.tolist()], np.bool_
        )
        shares.append(float(held[eligible].mean()) if eligible.any() else np.nan)
    return float(np.nanmean(shares)) if not np.isnan(shares).all() else np.nan
