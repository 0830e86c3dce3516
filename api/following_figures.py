"""What the service tells of how it follows the feed and of its listeners, in /metrics."""

from api.desk import Desk
from api.event_streams import Streams
from api.metrics import Metrics


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
