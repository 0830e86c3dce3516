"""`tandem serve`: the service on a port, until it is told to stop."""

import errno
import gc
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from api.auth.keys import KeyStore
from api.auth.memory_keys import MemoryKeys
from api.auth.opening import require_credentials, require_reach
from api.commands.console import notes
from api.errors import StartError
from api.log import make_log, route_library_logs, written_beside
from api.settings import Settings, read_settings

BACKLOG: Final = 2_048
ACCEPTED_A_PASS: Final = 16
"""uvloop accepts one connection of a listener in a pass of its loop: of callers that all connect at
once in an overload, the last would wait for as many passes as there are callers."""
SWITCH_INTERVAL_S: Final = 0.0002
"""How long a Python thread may keep the event loop from running, where the interpreter's own figure
is 5 ms: a batch is decided beside single calls, whose whole answer takes well under 1 ms. The
figure was chosen by measuring (`python -m benchmarks.interference`)."""
WORKERS_VARIABLE: Final = "WEB_CONCURRENCY"
DEVELOPMENT_NOTE: Final = (
    "Development mode: nobody is asked for credentials. Never with real calls or on a network."
)


def run_serve(chosen: Mapping[str, Any], *, workers: int | None = None, allow_remote: bool) -> None:
    """Serve until a signal; options that were given win over the environment."""
    gc.disable()  # until ready: a start makes much that stays and next to nothing that goes
    settings = settings_with(chosen)
    require_one_worker(workers, os.environ.get(WORKERS_VARIABLE))
    require_reach(settings, allow_remote=allow_remote)
    require_places(settings)
    with keys_of(settings) as keys:
        _serve(settings, keys)


@contextmanager
def keys_of(settings: Settings) -> Iterator[KeyStore]:
    """Yield the keys that a service goes by, once it is sure that something opens it.

    Raises
    ------
    StartError
        There is neither a live key nor an identity provider, and development mode is off.
    """
    if settings.dev or settings.store is None:
        require_credentials(settings, has_live_key=False)
        yield MemoryKeys()
        return
    from api.auth.sql_keys import opened_keys

    with opened_keys(settings.store) as keys:
        now = datetime.now(UTC)
        require_credentials(settings, any(key.is_live(now) for key in keys.list()))
        yield keys


def _serve(settings: Settings, keys: KeyStore) -> None:
    listener = open_listener(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    if notes.is_terminal:
        notes.print(f"Tandem listens on {address} (Ctrl-C stops it).")
        if settings.dev:
            notes.print(DEVELOPMENT_NOTE)
    log = make_log(settings.log_level)
    log.info("listening", address=address)
    if settings.dev:
        log.warning("development_mode", meaning=DEVELOPMENT_NOTE)
    with written_beside():
        make_server(settings, keys=keys).run(sockets=[listener])


def require_one_worker(workers: int | None, environment: str | None) -> None:
    """Refuse more processes behind one port: instances have names, and share a store.

    Parameters
    ----------
    environment
        The value of WEB_CONCURRENCY, which ASGI servers read; the option wins over it.

    Raises
    ------
    StartError
        More than one is asked for, or something that is no number.
    """
    asked = environment if workers is None else str(workers)
    if asked is None or asked.strip() in ("", "1"):
        return
    source = f"{WORKERS_VARIABLE}={asked}" if workers is None else f"--workers {asked}"
    raise StartError(
        f"{source}: the service decides from the memory of one process, so it runs as exactly one "
        "worker.",
        remedy=f"Use --workers 1 and unset {WORKERS_VARIABLE}. For more, run several instances, "
        "each with its own --instance and --port, over one PostgreSQL; see docs/store.md.",
    )


def require_places(settings: Settings) -> None:
    """Read the files that are named, so that a mistake stops the start and not the readiness."""
    from api.live_view import load_beats, load_release, load_streets
    from geodata.driving_file import read_profiles

    if settings.network is not None:
        load_streets(settings.network)
    load_release(settings)
    if settings.beats is not None:
        load_beats(settings.beats)
    if settings.driving is not None:
        read_profiles(settings.driving)


def settings_with(chosen: Mapping[str, Any]) -> Settings:
    """Return the environment's settings with the options that were given on the command line."""
    return read_settings({name: value for name, value in chosen.items() if value is not None})


def open_listener(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises
    ------
    StartError
        The address is unknown or the port is taken.
    """
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[
            0
        ]
        listener = socket.socket(family, kind, number)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        raise _cannot_listen(host, port, error) from None
    listener.set_inheritable(False)
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> StartError:
    if error.errno == errno.EADDRINUSE:
        return StartError(
            f"Port {port} on {host} is in use by another program.",
            remedy="Stop that program, or choose another port: --port 0 takes a free one.",
        )
    if error.errno == errno.EACCES:
        return StartError(
            f"Port {port} on {host} may not be opened by this user.",
            remedy="Choose a port from 1024 up.",
        )
    return StartError(
        f"Cannot listen on {host} port {port}: {error.strerror or error}.",
        remedy="Check the host; 127.0.0.1 is this machine.",
    )


def make_server(settings: Settings, app: Any = None, *, keys: KeyStore | None = None) -> Any:
    """Return the uvicorn server of an app that is not started yet, by default the service's."""
    import uvicorn

    from api.app import make_app

    class Server(uvicorn.Server):
        """Accepts many connections at once, and ends endless answers before it waits for all."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            more = sockets and [one.dup() for one in sockets for _ in range(ACCEPTED_A_PASS)]
            await super().startup(more)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            service = getattr(getattr(served, "state", None), "service", None)
            if service is not None:
                service.end_streams()
            await super().shutdown(sockets)

    served = app or make_app(settings, keys=keys)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    route_library_logs(make_log(settings.log_level))
    config = uvicorn.Config(
        served,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        limit_concurrency=settings.concurrent_requests_max,
        timeout_graceful_shutdown=settings.shutdown_s_max,
    )
    return Server(config)
