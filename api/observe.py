"""Around every request: how long it took, what became of it, and an answer when our code fails.

A plain ASGI layer, so that it costs microseconds. It logs addresses of our own only, so that a
probe with a name in its path leaves no trace of it. One line is written for each request; what a
route has to say of it (`note`) stands in the same line.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from time import perf_counter
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from api.auth.principal import PRINCIPAL
from api.error_answers import problem_response
from api.errors import InternalFault, TandemError
from api.log import fault_place
from api.metrics import Metrics

OTHER: Final = "other"
QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines; logged at level debug."""

NOTED: Final = "tandem.noted"
"""Where a request keeps what its log line says beside route, status and time."""

Endpoint = Callable[[Request], Awaitable[Response]]


def note(scope: Scope, said: Mapping[str, Any]) -> None:
    """Add to the log line of a request; never a value that the request carries."""
    scope[NOTED] = said


def door(endpoint: Endpoint) -> ASGIApp:
    """Return an endpoint as an ASGI app of its own, with our refusals as answers.

    It answers as it does behind the framework's router, without the cost of that: the address
    matched twice, two exit stacks, an empty set of dependencies.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await endpoint(Request(scope, receive))
        except TandemError as error:
            response = problem_response(error)
        await response(scope, receive, send)

    return serve


class Observed:
    """Times, counts and logs each request, and turns a bug of ours into a bare 500.

    Parameters
    ----------
    routes
        The addresses that are named in figures and lines; all others are OTHER.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Collection[str],
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self.app = app
        self.routes = frozenset(routes)
        self.patterns = [
            (compile_path(route)[0], route.replace(":path}", "}"))
            for route in routes
            if "{" in route
        ]
        self.metrics = metrics
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            self.log.info("caller_went_away")
        except Exception as error:  # noqa: BLE001  nothing of it may reach the caller or the log
            self.log.error(  # noqa: TRY400  a traceback shows values of the request
                "fault", kind=type(error).__name__, place=fault_place(error)
            )
            if not status:
                fault = InternalFault(
                    "The service failed on this request.",
                    remedy="Decide by hand. The service's log names the place of the fault.",
                )
                await problem_response(fault)(scope, receive, watched)
        finally:
            self._note(scope, status, perf_counter() - began)

    def _note(self, scope: Scope, status: int, took_s: float) -> None:
        route = self._route_of(scope["path"])
        self.metrics.requests.add(route, str(status))
        self.metrics.request_s.observe((route, took_s))
        level = self.log.debug if route in QUIET else self.log.info
        said, by = scope.get(NOTED, {}), scope.get(PRINCIPAL)
        ms, key_id = round(took_s * 1000, 3), by and by.key_id
        level("request", route=route, status=status, ms=ms, key_id=key_id, **said)

    def _route_of(self, path: str) -> str:
        """Return our own name of an address: never an id that stands in it."""
        if path in self.routes:
            return path
        return next((route for pattern, route in self.patterns if pattern.match(path)), OTHER)
