"""What the service tells of the calls that it remembers, in /metrics. Counts only, never an id."""

from api.errors import StoreError
from api.metrics import Metrics
from api.store.calls import CallStore


def set_call_gauges(metrics: Metrics, calls: CallStore) -> None:
    """Bring the gauges of calls up to now; called when they are asked for."""
    try:
        n_open, n_known = float(len(calls.open_alerts())), float(calls.count())
    except StoreError:
        n_open = n_known = float("nan")  # not known is not none
    metrics.alerts_open.set(n_open)
    metrics.calls_known.set(n_known)
