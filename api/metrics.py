"""What the service counts about itself, in the text format of Prometheus.

One registry per app, so that two apps in one process never add up. Labels take values from short
lists of our own only (routes, outcomes, codes), never anything that a request carries.

What is counted at each request is counted here in plain numbers, and made into Prometheus' own
objects when it is asked for: a lock and a look-up by label for each of a dozen figures would cost a
request more than all else around it. So these are for one thread, the one that answers.
"""

from bisect import bisect_left
from collections.abc import Iterator
from importlib.metadata import version
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

SECONDS: Final = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0,
)  # fmt: skip
"""Bucket edges; the last is the published bar of 2 s for a CAD unit recommendation."""

CALLS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
GAPS_S: Final = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Bucket edges: calls of a batch, and whole seconds that its sum may be from the least."""

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def software_version() -> str:
    """Return the version of the installed distribution."""
    return version("tandem-dispatch")


class Tally(Collector):
    """Counts by labels."""

    def __init__(
        self, name: str, meaning: str, labels: tuple[str, ...], *, registry: CollectorRegistry
    ) -> None:
        self.name, self.meaning, self.labels = name, meaning, labels
        self._counts: dict[tuple[str, ...], int] = {}
        registry.register(self)

    def add(self, *values: str, n: int = 1) -> None:
        """Count one or more."""
        self._counts[values] = self._counts.get(values, 0) + n

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counts as Prometheus' client has them."""
        family = CounterMetricFamily(self.name, self.meaning, labels=self.labels)
        for values, n in self._counts.items():
            family.add_metric(tuple(map(str, values)), n)
        yield family


class Durations(Collector):
    """How many took how long, by one label; with other edges, how many had how much of what."""

    def __init__(
        self,
        name: str,
        meaning: str,
        label: str,
        *,
        registry: CollectorRegistry,
        edges: tuple[float, ...] = SECONDS,
    ) -> None:
        self.name, self.meaning, self.label, self.edges = name, meaning, label, edges
        self._counts: dict[str, list[int]] = {}
        self._sums_s: dict[str, float] = {}
        registry.register(self)

    def observe(self, *took: tuple[str, float]) -> None:
        """Count durations in seconds, each under its label; an edge belongs to the bucket below."""
        for value, took_s in took:
            counts = self._counts.get(value)
            if counts is None:
                counts = self._counts[value] = [0] * (len(self.edges) + 1)
                self._sums_s[value] = 0.0
            counts[bisect_left(self.edges, took_s)] += 1
            self._sums_s[value] += took_s

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the counts as Prometheus' client has them."""
        edges = [*map(floatToGoString, self.edges), "+Inf"]
        family = HistogramMetricFamily(self.name, self.meaning, labels=[self.label])
        for value, counts in self._counts.items():
            buckets = list(zip(edges, accumulate(counts), strict=True))
            family.add_metric([str(value)], buckets, self._sums_s[value])
        yield family


class BatchMetrics:
    """What is counted of batches of calls, each by the outcome of its search."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.decided = Tally(
            "tandem_batches", "Batches of calls decided: PROVEN best, BOUNDED or CUT_SHORT.",
            ("outcome",), registry=registry,
        )  # fmt: skip
        self.calls = Durations(
            "tandem_batch_calls", "Calls of a batch.", "outcome", registry=registry, edges=CALLS
        )
        self.took_s = Durations(
            "tandem_batch_seconds", "From the request to the answer of a batch.", "outcome",
            registry=registry,
        )  # fmt: skip
        self.gap_s = Durations(
            "tandem_batch_gap_seconds", "What the sum of arrivals may be from the least.",
            "outcome", registry=registry, edges=GAPS_S,
        )  # fmt: skip

    def add(self, outcome: str, *, calls: int, took_s: float, gap_s: int) -> None:
        """Count one batch."""
        self.decided.add(outcome)
        self.calls.observe((outcome, calls))
        self.took_s.observe((outcome, took_s))
        self.gap_s.observe((outcome, gap_s))


class QueueMetrics:
    """What is counted of the calls that wait."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.calls = Gauge("tandem_queue_calls", "Calls that wait.", registry=registry)
        self.oldest_s = Gauge(
            "tandem_queue_oldest_seconds", "For how long the call waits that waits longest.",
            registry=registry,
        )  # fmt: skip
        self.looks = Tally(
            "tandem_queue_looks", "Looks at all calls that wait, by what came of them.",
            ("result",), registry=registry,
        )  # fmt: skip
        self.changes = Tally(
            "tandem_queue_changes", "What became of calls that wait.", ("event",), registry=registry
        )


class Metrics:
    """The counters, gauges and histograms of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        on = self.registry
        self.requests = Tally(
            "tandem_requests", "HTTP requests answered.", ("route", "status"), registry=on
        )
        self.request_s = Durations(
            "tandem_request_seconds", "Time to answer.", "route", registry=on
        )
        self.shed = Tally(
            "tandem_shed", "Requests refused before they were read, by kind.", ("kind",),
            registry=on,
        )  # fmt: skip
        self.wait_s = Durations(
            "tandem_wait_seconds", "Time that calls waited for their turn, where they had to.",
            "kind", registry=on,
        )  # fmt: skip
        self.outcomes = Tally(
            "tandem_recommendations", "Recommendations made.", ("outcome", "mode"), registry=on
        )
        self.rungs = Tally(
            "tandem_rung", "Recommendations by source of their times.", ("eta",), registry=on
        )
        self.falls = Tally(
            "tandem_falls", "Decisions that failed on a rung, and fell.", ("rung",), registry=on
        )
        self.stage_s = Durations("tandem_stage_seconds", "Time by stage.", "stage", registry=on)
        self.warnings = Tally(
            "tandem_warnings", "Warnings given in answers, by code.", ("code",), registry=on
        )
        self.batches = BatchMetrics(on)
        self.queue = QueueMetrics(on)
        self._add_roster()
        self._add_calls()
        self._add_spool()
        self._add_following()
        self._add_claims()
        self.ready = Gauge("tandem_ready", "1 when recommendations are answered.", registry=on)
        self.build = Gauge(
            "tandem_build_info", "Always 1; what runs is in the labels.",
            ["version", "network_id", "weights_id", "schematic"], registry=on,
        )  # fmt: skip

    def _add_roster(self) -> None:
        on = self.registry
        self.units = Gauge(
            "tandem_units", "Units on the roster.", ["agency", "status"], registry=on
        )
        self.position_age_s = Gauge(
            "tandem_position_age_seconds", "Age of the oldest and the newest dated position.",
            ["which"], registry=on,
        )  # fmt: skip
        self.roster_version = Gauge(
            "tandem_roster_version", "Writes that changed the roster.", registry=on
        )
        self.position_writes = Tally(
            "tandem_position_writes", "Rows of position feeds, by what became of them.",
            ("result",), registry=on,
        )  # fmt: skip
        self.unit_writes = Tally(
            "tandem_unit_writes", "Records of units, by what became of them.",
            ("result",), registry=on,
        )  # fmt: skip
        self.conflicts = Tally(
            "tandem_unit_conflicts", "Records that were kept and flagged.", ("code",), registry=on
        )

    def _add_calls(self) -> None:
        on = self.registry
        self.call_versions = Tally(
            "tandem_call_versions", "Versions of calls that were told, by what became of them.",
            ("result",), registry=on,
        )  # fmt: skip
        self.alerts = Tally(
            "tandem_safety_alerts", "Safety alerts that were raised and acknowledged.",
            ("event",), registry=on,
        )  # fmt: skip
        self.alerts_open = Gauge(
            "tandem_safety_alerts_open", "Safety alerts nobody has acknowledged.", registry=on
        )
        self.calls_known = Gauge("tandem_calls_known", "Calls that are remembered.", registry=on)

    def _add_spool(self) -> None:
        on = self.registry
        self.spool = Gauge(
            "tandem_spool_records", "Recommendations of this process, by where they are or went.",
            ["state"], registry=on,
        )  # fmt: skip
        self.spool_bytes = Gauge("tandem_spool_bytes", "Bytes of the spool.", registry=on)

    def _add_following(self) -> None:
        on = self.registry
        self.closures_active = Gauge(
            "tandem_closures_active", "Closures that close something now.", registry=on
        )
        self.follower_lag_s = Gauge(
            "tandem_follower_lag_seconds",
            "From the last change that was heard of until it was in memory.", registry=on,
        )  # fmt: skip
        self.follower_losses = Gauge(
            "tandem_follower_losses", "How often the feed of changes could not be followed.",
            registry=on,
        )  # fmt: skip
        self.follower_refills = Gauge(
            "tandem_follower_refills", "How often all of memory was read anew.", registry=on
        )
        self.feed_number = Gauge(
            "tandem_feed_number", "Number of the last change that is in memory.", registry=on
        )
        self.stream_clients = Gauge(
            "tandem_event_clients", "Listeners of GET /v1/events.", registry=on
        )
        self.streams_ended = Tally(
            "tandem_event_streams_ended", "Streams of events that ended, by why.", ("why",),
            registry=on,
        )  # fmt: skip

    def _add_claims(self) -> None:
        on = self.registry
        self.claims = Tally(
            "tandem_claims", "Claims that were made (CONFIRMED) and that ended.", ("event",),
            registry=on,
        )  # fmt: skip
        self.claim_refusals = Tally(
            "tandem_claim_refusals", "Reasons for which nothing was claimed.", ("code",),
            registry=on,
        )  # fmt: skip
        self.overrides = Tally(
            "tandem_overrides", "Recommendations overridden.", ("action", "reason"), registry=on
        )
        self.status_reports = Tally(
            "tandem_status_reports", "Reports of units' statuses: APPLIED, or OLDER than known.",
            ("result",), registry=on,
        )  # fmt: skip

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
