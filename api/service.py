"""What one running service holds: settings, counters, the log, and the view all requests read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from structlog.typing import FilteringBoundLogger

from api.errors import NotReady
from api.live_view import LiveView
from api.metrics import Metrics, software_version
from api.operations import Answered, Decider
from api.settings import Settings
from routing.recommend import recommend


@dataclass(slots=True, kw_only=True)
class Service:
    """The one thing that changes is the reference to the view; a request reads it once."""

    settings: Settings
    metrics: Metrics
    log: FilteringBoundLogger
    decide: Decider = recommend
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

    def count(self, answered: Answered) -> Mapping[str, Any]:
        """Count one recommendation and return what its log line says: its id and no content."""
        found, counted = answered.found, self.metrics
        counted.outcomes.add(found.outcome, found.mode or "NONE")
        counted.rungs.add(found.basis.eta)
        for warning in answered.warnings:
            counted.warnings.add(warning.code)
        counted.stage_s.observe(*answered.stages)
        return {
            "id": answered.recommendation_id,
            "outcome": found.outcome,
            "mode": found.mode,
            "eta": found.basis.eta,
            "units": sum([kind.seen for kind in found.explain.counts.values()]),
            "warnings": len(answered.warnings),
        }

    def degraded(self) -> Iterator[str]:
        """Yield what works less well than it should, as code words."""
        yield "NOT_RECORDED"
        if self.view is not None and self.view.schematic:
            yield "SCHEMATIC_NETWORK"
