"""What the service tells of how it follows the feed and of its listeners, in /metrics."""

from datetime import datetime

from api.desk import Desk
from api.event_streams import Streams
from api.live_view import LiveView
from api.metrics import Metrics
from api.queue.serving import PendingQueue


def set_queue_gauges(metrics: Metrics, queue: PendingQueue | None, now: datetime) -> None:
    """Bring the gauges of the calls that wait up to now."""
    if queue is not None:
        metrics.queue.calls.set(queue.book.count)
        metrics.queue.oldest_s.set(queue.book.oldest_s(now))


def set_closure_gauge(metrics: Metrics, view: LiveView, now: datetime) -> None:
    """Bring the number of closures that close something up to now."""
    closed = view.hours_at(now).closed
    metrics.closures_active.set(0 if closed is None else closed.n_active)


def set_following_gauges(metrics: Metrics, desk: Desk | None, streams: Streams | None) -> None:
    """Bring the gauges up to now; called when they are asked for."""
    if streams is not None:
        metrics.stream_clients.set(streams.clients)
    if desk is None or desk.follower is None:
        return
    follower = desk.follower
    metrics.follower_lag_s.set(follower.lag_s)
    metrics.follower_losses.set(follower.losses)
    metrics.follower_refills.set(follower.refills)
    metrics.feed_number.set(follower.number)
