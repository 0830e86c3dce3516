"""What the service counts about itself, in the text format of Prometheus.

One registry per app, so that two apps in one process never add up. Labels take values from short
lists of our own only (routes, outcomes, codes), never anything that a request carries.
"""

from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS: Final = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0,
)  # fmt: skip
"""Bucket edges; the last is the published bar of 2 s for a CAD unit recommendation."""

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def software_version() -> str:
    """Return the version of the installed distribution."""
    return version("tandem-dispatch")


class Metrics:
    """The counters, gauges and histograms of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        on = self.registry
        self.requests = Counter(
            "tandem_requests", "HTTP requests answered.", ["route", "status"], registry=on
        )
        self.request_s = Histogram(
            "tandem_request_seconds", "Time to answer.", ["route"], buckets=SECONDS, registry=on
        )
        self.outcomes = Counter(
            "tandem_recommendations", "Recommendations made.", ["outcome", "mode"], registry=on
        )
        self.rungs = Counter(
            "tandem_rung", "Recommendations by source of their times.", ["eta"], registry=on
        )
        self.stage_s = Histogram(
            "tandem_stage_seconds", "Time by stage.", ["stage"], buckets=SECONDS, registry=on
        )
        self.warnings = Counter(
            "tandem_warnings", "Warnings given in answers, by code.", ["code"], registry=on
        )
        self.ready = Gauge("tandem_ready", "1 when recommendations are answered.", registry=on)
        self.build = Gauge(
            "tandem_build_info", "Always 1; what runs is in the labels.",
            ["version", "network_id", "weights_id", "schematic"], registry=on,
        )  # fmt: skip

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
