"""The ASGI application: routes, errors, the layer around each request, and how it becomes ready.

The port is open at once, so that /healthz answers; streets and kernels are made ready meanwhile in
a thread, and until then /readyz and recommendations answer 503.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from functools import partial
from threading import Thread
from time import sleep
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth.guard import Gate, Guarded, Marked, kept_current
from api.auth.keys import KeyStore
from api.auth.opening import make_gate
from api.auth.roles import require_declared
from api.desk import Desk
from api.error_answers import problem_response
from api.errors import (
    InternalFault,
    InvalidRequest,
    NoSuchPage,
    StoreUnavailable,
    TandemError,
    WrongMethod,
)
from api.ladder import always_answering
from api.limits import Deadline, InHand, Limited
from api.live_roster import LiveRoster
from api.live_view import LiveView, load_view
from api.log import fault_place, make_log
from api.metrics import Metrics, software_version
from api.observe import Observed, door
from api.openapi import install_description
from api.operations import Clock, Decider, utc_now
from api.plain_paths import PlainPaths
from api.replay.sources import sources_of
from api.routes import (
    claims,
    closures,
    drafts,
    events,
    health,
    incidents,
    measures,
    network,
    ogc,
    pending,
    recommend_batch,
    recommend_units,
    releases,
    reports,
    studies,
    units,
)
from api.service import Service
from api.settings import Settings
from api.spooling import Spooling, spool_path
from routing.fixes import FixLimits
from routing.recommend import recommend

DESCRIPTION: Final = """\
Finds the best pair of CARE and SPD units for a 911 call, by drive time on the street network.

Every address but those of health asks for credentials: an API key or a token of the city's
identity provider, sent as `Authorization: Bearer ...`. Each operation names its roles.
"""

OPENAPI_PATH: Final = "/openapi.json"
STORE_AGAIN_S: Final = 1.0
"""After so long a start tries a store again that could not be reached."""

Loader = Callable[[Settings, Callable[[str], None]], LiveView]


class App(FastAPI):
    """The framework's app, with doors beside its middleware and router for what must be fast."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.doors: dict[tuple[str, str], ASGIApp] = {}
        """By method and address; the route behind each is in the router too, and described."""
        self.addresses: list[Route] = []
        """Every route, in the order in which the router tries them."""

    def add_layer(self, layer: Callable[[ASGIApp], ASGIApp]) -> None:
        """Put a layer around the router and around each door, outside those put there before."""
        self.add_middleware(layer)
        self.doors = {address: layer(inner) for address, inner in self.doors.items()}

    def methods_at(self, path: str) -> str:
        """Return all methods of the address that a path has, as the header Allow lists them.

        The framework has one route for each method and would name those of one route only.
        """
        first = next((one.path for one in self.addresses if one.path_regex.match(path)), None)
        found = [one.methods or () for one in self.addresses if one.path == first]
        return ", ".join(sorted({method for methods in found for method in methods}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve by a door where there is one."""
        if scope["type"] == "http" and (scope["method"], scope["path"]) in self.doors:
            scope["app"] = self
            await self.doors[scope["method"], scope["path"]](scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class FirstMeant:
    """Takes a path for the first address with an id that it fits, whatever the method.

    An id may hold a slash, so `PUT /v1/incidents/A/override` could tell a call named `A/override`,
    while POST would override A; the same path must not mean both. An address without an id takes no
    name away: a unit may be called `positions`.
    """

    def __init__(
        self, app: ASGIApp, *, plain: Collection[str], methods_at: Callable[[str], str]
    ) -> None:
        self.app = app
        self.plain = plain
        self.methods_at = methods_at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse its method."""
        is_asked = scope["type"] == "http" and scope["path"] not in self.plain
        methods = self.methods_at(scope["path"]) if is_asked else ""
        if methods and scope["method"] not in methods.split(", "):
            refusal = problem_response(_as_ours(HTTPException(405)), {"allow": methods})
            await refusal(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def make_app(
    settings: Settings,
    *,
    load: Loader = load_view,
    decide: Decider = recommend,
    now: Clock = utc_now,
    keys: KeyStore | None = None,
) -> App:
    """Return the application; it loads its network when it is started.

    Raises
    ------
    StartError
        A route stands in no row of the table of roles.
    """
    log = make_log(settings.log_level)
    service = Service(settings=settings, metrics=Metrics(), log=log, now=now)
    service.decide = always_answering(decide, service.note_fall)
    service.keys = keys or service.keys
    gate = make_gate(settings, service.keys)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        Thread(target=_become_ready, args=(service, load, loop), daemon=True).start()
        async with kept_current(gate, log):
            yield
        await service.end_queue()
        if service.desk is not None and service.desk.spooling is not None:
            await service.desk.spooling.close()
        await asyncio.to_thread(service.close)

    app = App(
        title="Tandem",
        summary="Pairs CARE and SPD units for 911 calls",
        description=DESCRIPTION,
        version=software_version(),
        lifespan=lifespan,
        openapi_url=OPENAPI_PATH,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service, app.state.gate = service, gate
    _add_routes(app)
    require_declared(app.addresses)
    gate.routes = app.router.routes
    _add_layers(app, service, gate)
    install_description(app)
    app.add_exception_handler(TandemError, _own_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    return app


def _add_routes(app: App) -> None:
    """Add all addresses; of two that a path may mean, the first is tried first."""
    app.addresses += [route for route in app.routes if isinstance(route, Route)]
    for part in (
        recommend_units,
        recommend_batch,
        claims,
        reports,
        incidents,
        units,
        pending,
        closures,
        events,
        measures,
        drafts,
        releases,
        studies,
        network,
        ogc,
        health,
    ):
        app.include_router(part.router)
        app.addresses += [route for route in part.router.routes if isinstance(route, Route)]


def _add_layers(app: App, service: Service, gate: Gate) -> None:
    """Put around all addresses what each request passes, the innermost first."""
    settings = service.settings
    routes = [route.path for route in app.addresses]
    app.doors["POST", recommend_units.PATH] = door(recommend_units.recommend)
    plain = {path for path in routes if "{" not in path}
    app.add_middleware(FirstMeant, plain=plain, methods_at=app.methods_at)
    app.add_middleware(PlainPaths)
    app.add_middleware(Deadline, request_s_max=settings.request_s_max)  # of reads and feeds alone
    app.add_layer(partial(Guarded, gate=gate))
    app.add_layer(partial(Observed, routes=routes, metrics=service.metrics, log=service.log))
    app.state.in_hand = InHand(settings, service.metrics)
    app.add_layer(partial(Limited, in_hand=app.state.in_hand))
    if settings.dev:
        app.add_layer(Marked)


def _become_ready(service: Service, load: Loader, loop: asyncio.AbstractEventLoop) -> None:
    """Load in a thread of its own, which a stop need not wait for; hand the view to the loop."""
    with suppress(RuntimeError):  # the loop is closed when the service was stopped meanwhile
        try:
            view = load(service.settings, service.set_stage)
            desk = _open_desk(service, view, loop)
            store = service.store if desk is None else desk.roster
            live = LiveRoster.opened(store, view, _fix_limits(service.settings, view))
            if desk is not None:
                desk.mirror_claims(live)
                desk.decide_by_store(live)
            live.view.on_duty_at(service.now())  # the weights of this hour, if they are others
        except Exception as error:  # noqa: BLE001  the process stays to say that it is not ready
            gc.enable()  # a start switches it off, and this one is over too
            loop.call_soon_threadsafe(
                service.fail, f"{type(error).__name__} at {fault_place(error)}"
            )
            return
        loop.call_soon_threadsafe(_take_into_service, service, live, desk)


def _open_desk(service: Service, view: LiveView, loop: asyncio.AbstractEventLoop) -> Desk | None:
    """Return the durable side, once its store can be reached; None where there is none."""
    settings = service.settings
    if not settings.store:
        return None
    service.set_stage("opening the store")
    sources = sources_of(settings, view.situation.network)
    desk = None
    while desk is None:
        try:
            desk = Desk.opened(
                settings.store,
                instance=settings.instance,
                now=service.now,
                log=service.log,
                sources=sources,
            )
        except StoreUnavailable:
            if loop.is_closed():  # the service was stopped meanwhile
                raise
            service.set_stage("waiting for the store, which cannot be reached")
            sleep(STORE_AGAIN_S)
    desk.record_s_max = settings.record_s_max
    path = settings.spool or spool_path(settings.store, settings.instance)
    if path is not None:
        desk.spooling = Spooling.opened(
            path,
            records_max=settings.spool_records_max,
            bytes_max=settings.spool_bytes_max,
            writer=desk.writer,
            log=service.log,
        )
    return desk


def _fix_limits(settings: Settings, view: LiveView) -> FixLimits:
    return FixLimits(
        future_s=view.situation.policy.future_fix_s,
        speed_mps_max=settings.fix_speed_mps_max,
        jump_m=settings.fix_jump_m,
    )


def _take_into_service(service: Service, live: LiveRoster, desk: Desk | None) -> None:
    gc.collect()
    gc.freeze()  # what stays for good is not looked at again by the collector
    gc.enable()
    service.become_ready(live, desk)
    if desk is not None and desk.spooling is not None:
        desk.spooling.begin()
    service.batches.begin(recommend_batch.load_solvers)
    service.solver.start()
    if service.settings.studies_folder is not None:
        service.current_studies()  # those that a stop has interrupted go on


async def _own_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TandemError)
    return problem_response(error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers = {"allow": request.app.methods_at(request.url.path)}
    return problem_response(_as_ours(error), headers)


def _as_ours(error: HTTPException) -> TandemError:
    remedy = "GET /openapi.json lists every address and its methods."
    if error.status_code == 404:
        return NoSuchPage("There is nothing at this address.", remedy=remedy)
    if error.status_code == 405:
        return WrongMethod("This address does not take that method.", remedy=remedy)
    if error.status_code < 500:
        return InvalidRequest("The request cannot be understood.", remedy=remedy)
    return InternalFault("The service failed on this request.")


async def _validation_error(_request: Request, _error: Exception) -> Response:
    return problem_response(
        InvalidRequest(
            "A parameter of the address cannot be understood.",
            remedy="GET /openapi.json lists the parameters.",
        )
    )
