"""Far more calls than the service is rated for: it answers many, and refuses the rest at once.

Figures that hold on a quiet machine are those of `benchmarks.overload`; here another program may
run beside, so the bounds of the short version are wide, and what must never happen is exact.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.load import load_on, percentiles_ms
from benchmarks.overload import (
    CONNECTIONS_MAX,
    GOODPUT_SHARE,
    NORMAL_S_MAX,
    RATED,
    REFUSAL_P99_MS_MAX,
    Phase,
    normal_again_s,
    overloaded_service,
    phase,
)
from tests.reliability.lengths import IS_LONG, length
from tests.reliability.told import tell

SECONDS = length(2, 20)


@pytest.fixture(scope="module")
def phases() -> Iterator[dict[float, Phase]]:
    """What was answered at the rated rate and at two and ten times that, and afterwards."""
    with (
        tempfile.TemporaryDirectory() as made,
        overloaded_service(Path(made)) as (place, service),
        load_on(service.port, CONNECTIONS_MAX) as load,
    ):
        phase(load, place, 0.5, 1.0, 0)
        found = {
            times: phase(load, place, times, SECONDS, int(times * 1_000_000))
            for times in (1.0, 2.0, 10.0)
        }
        usual_p99_ms = percentiles_ms(found[1.0].answers)[1]
        if IS_LONG:
            assert normal_again_s(load, place, usual_p99_ms, 20_000_000) <= NORMAL_S_MAX
        for one in found.values():
            tell(" | ".join(one.row))
        yield found


@pytest.mark.parametrize("times", [2.0, 10.0])
def test_whatever_is_not_recorded_is_told_when_to_come_back(
    phases: dict[float, Phase], times: float
) -> None:
    statuses = {one.status for one in phases[times].answers}
    assert statuses <= {200, 503}
    assert phases[times].others == 0


def test_under_ten_times_its_rate_it_answers_calls_and_refuses_the_rest_at_once(
    phases: dict[float, Phase],
) -> None:
    found = phases[10.0]
    share, p99_ms = (GOODPUT_SHARE, REFUSAL_P99_MS_MAX) if IS_LONG else (0.25, 2_000.0)
    assert found.refused
    assert found.goodput >= share * RATED
    assert percentiles_ms(found.refused)[1] <= p99_ms
