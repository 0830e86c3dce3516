"""What is kept of closures makes the same weights again, lanes that were opened among them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from api.closures.closed_sets import KeptClosedSet, KeptStreets, kept_set, set_id_of
from api.hour_situations import HourSituations
from api.live_view import BUILT_IN_PROFILES
from api.replay.sources import KeptWeights, from_bytes, to_bytes, weights_of
from geodata.closures import ClosedNow, Effect, Traffic
from geodata.driving_time import UNREACHABLE_MS
from geodata.network import StreetFlag, StreetNetwork
from tests.api.builtin_view import builtin_view

LANE, SHUT = 5, 9
"""Two streets: one made a reversible lane, and one closed for all but emergencies."""


def gated() -> StreetNetwork:
    network = builtin_view().situation.network
    flags = network.street_flags.copy()
    flags[LANE] |= StreetFlag.GATED
    return replace(network, street_flags=flags)


def closed_on(network: StreetNetwork) -> ClosedNow:
    def streets(closure_id: str, street: int, **fields: Any) -> KeptStreets:
        edges = np.flatnonzero(network.edge_street == street).tolist()
        told = {"name": "Works", "traffic": Traffic.ALL_BUT_EMERGENCY, **fields}
        return KeptStreets(closure_id=closure_id, edges=edges, **told)

    both = [streets("a", LANE, effect=Effect.OPENS_LANES), streets("b", SHUT)]
    return KeptClosedSet(closures=both).closed_now(network.n_edges)


@pytest.mark.parametrize("name", ["ROUTINE", "EMERGENCY"])
def test_kept_weights_are_those_that_decisions_read(name: str) -> None:
    network = gated()
    closed = closed_on(network)
    hours = HourSituations(replace(builtin_view().situation, network=network), BUILT_IN_PROFILES)
    used = hours.closing(closed)._times(BUILT_IN_PROFILES[name], 0)
    kept = weights_of(BUILT_IN_PROFILES, network, closed)[used.weights_id]
    made = from_bytes(to_bytes(kept), KeptWeights).edge_times(network)
    assert (made.move_ms == used.move_ms).all()
    assert used.weights_id not in weights_of(BUILT_IN_PROFILES, network)
    open_now = used.move_ms < UNREACHABLE_MS
    assert open_now[network.edge_street == LANE].all()
    assert open_now[network.edge_street == SHUT].all() == (name == "EMERGENCY")


def test_a_kept_set_is_the_same_set_again() -> None:
    network = gated()
    closed = closed_on(network)
    again = kept_set(closed).closed_now(network.n_edges)
    assert set_id_of(again) == set_id_of(closed)
    assert again.closure_id == closed.closure_id
    assert [one.effect for one in again.active] == ["OPENS_LANES", "CLOSES"]
