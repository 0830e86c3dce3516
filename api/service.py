"""What one running service holds: settings, counters, the log, and the view all requests read."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from api.errors import NotReady
from api.live_view import LiveView
from api.metrics import Metrics, software_version
from api.operations import Answered
from api.settings import Settings


@dataclass(slots=True, kw_only=True)
class Service:
    """The one thing that changes is the reference to the view; a request reads it once."""

    settings: Settings
    metrics: Metrics
    log: FilteringBoundLogger
    view: LiveView | None = field(default=None)
    stage: str = "starting"
    failure: str | None = None

    def current_view(self) -> LiveView:
        """Return the view to decide with.

        Raises
        ------
        NotReady
            Streets and kernels are still being loaded, or could not be.
        """
        if self.view is None:
            raise NotReady(
                f"The service is not ready: {self.failure or self.stage}.",
                remedy="Ask again; GET /readyz says when. Until then pair by hand.",
            )
        return self.view

    def set_stage(self, stage: str) -> None:
        """Note what start-up is doing now."""
        self.stage = stage
        self.log.info("starting", stage=stage)

    def fail(self, reason: str) -> None:
        """Note that start-up did not succeed."""
        self.failure = reason
        self.log.error("cannot_become_ready", reason=reason)

    def become_ready(self, view: LiveView) -> None:
        """Take a view into service."""
        self.view = view
        self.stage = "ready"
        self.metrics.ready.set(1)
        basis = (software_version(), view.network_id, view.weights_id, str(view.schematic).lower())
        self.metrics.build.labels(*basis).set(1)
        self.log.info("ready", network_id=view.network_id, weights_id=view.weights_id)

    def count(self, answered: Answered) -> None:
        """Count one recommendation; the log line has its id and no content."""
        answer, counted = answered.answer, self.metrics
        counted.outcomes.labels(answer.outcome, answer.mode or "NONE").inc()
        counted.rungs.labels(answer.basis.eta).inc()
        for warning in answer.warnings:
            counted.warnings.labels(warning.code).inc()
        for stage, took_s in answered.stages:
            counted.stage_s.labels(stage).observe(took_s)
        self.log.info(
            "recommendation",
            id=answer.recommendation_id,
            outcome=answer.outcome,
            mode=answer.mode,
            eta=answer.basis.eta,
            units=sum(kind.seen for kind in answer.explain.counts.values()),
            warnings=len(answer.warnings),
        )

    def degraded(self) -> Iterator[str]:
        """Yield what works less well than it should, as code words."""
        yield "NOT_RECORDED"
        if self.view is not None and self.view.schematic:
            yield "SCHEMATIC_NETWORK"
