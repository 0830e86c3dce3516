"""`tandem demo`: the real service on a free local port, asked the real demo calls over HTTP."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import perf_counter
from typing import Any, Final

from api.commands.console import notes, out
from api.commands.serve import make_server, open_listener
from api.errors import StartError
from api.settings import Settings

HOST: Final = "127.0.0.1"
READY_S_MAX: Final = 300.0
STOP_S_MAX: Final = 15.0
POLL_S: Final = 0.05
ANSWER_S_MAX: Final = 30.0


def run_demo(calls: int | None) -> None:
    """Start, ask, show, and stop, also when interrupted."""
    from api.dispatcher_text import answer_panel
    from geodata.pilot.area import pilot_demo_calls

    chosen = pilot_demo_calls()[:calls]
    built_in = Settings(network=None, release=None, zones=None)
    local = {"host": HOST, "port": 0, "log_level": "error", "dev": True}
    settings = built_in.model_copy(update=local)
    with _service(settings) as port:
        _wait_until_ready(port)
        _introduce(port, len(chosen), _get(port, "/v1/network"))
        for i, call in enumerate(chosen, start=1):
            answer, timing, took_s = _ask(port, call.request)
            out.print()
            out.print(answer_panel(answer, f"Call {i} of {len(chosen)}: {call.title}"))
            out.print(_timing(timing, took_s), style="dim", markup=False)
    notes.print("The service has been stopped. Your own: tandem serve", style="dim")


@contextmanager
def _service(settings: Settings) -> Iterator[int]:
    """Run a server in a thread and yield its port; it is stopped whatever happens."""
    listener = open_listener(settings.host, settings.port)
    server = make_server(settings)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(STOP_S_MAX)
        listener.close()


def _wait_until_ready(port: int) -> None:
    """Show what start-up is doing until the service may be asked.

    Raises
    ------
    StartError
        It did not become ready.
    """
    began, shown = perf_counter(), ""
    with notes.status("Starting the service") as status:
        while perf_counter() - began < READY_S_MAX:
            state = _readiness(port)
            if state.get("ready"):
                return
            if state.get("failure"):
                raise StartError(f"The service did not start: {state['failure']}.")
            stage = str(state.get("stage") or "starting")
            said = f"{stage[:1].upper()}{stage[1:]} ..."
            status.update(f"{said} {perf_counter() - began:.0f} s")
            if said != shown and not notes.is_terminal:
                notes.print(said, markup=False)
            shown = said
            time.sleep(POLL_S)
    raise StartError(
        f"The service was not ready after {READY_S_MAX:.0f} s.",
        remedy="Try again: what was compiled so far has been kept.",
    )


def _readiness(port: int) -> dict[str, Any]:
    try:
        return _get(port, "/readyz")
    except OSError:
        return {}


def _get(port: int, path: str) -> dict[str, Any]:
    return _exchange(port, "GET", path, None)[0]


def _ask(port: int, request: dict[str, Any]) -> tuple[dict[str, Any], str, float]:
    """Return the answer, the service's own stage times, and the seconds that it took in all."""
    body = json.dumps(request).encode()
    began = perf_counter()
    answer, timing = _exchange(port, "POST", "/v1/recommend-units", body)
    return answer, timing, perf_counter() - began


def _exchange(port: int, method: str, path: str, body: bytes | None) -> tuple[dict[str, Any], str]:
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_S_MAX)
    try:
        connection.request(method, path, body, {"content-type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        if body is not None and response.status != 200:
            raise StartError(f"The service refused a demo call: {answer['detail']}")
        return answer, response.getheader("server-timing") or ""
    finally:
        connection.close()


def _introduce(port: int, n_calls: int, network: dict[str, Any]) -> None:
    counts = network["counts"]
    out.print("[bold]Tandem[/bold] pairs CARE and SPD units for 911 calls by drive time.")
    if network["schematic"]:
        out.print(
            f"Streets: the built-in pilot network ({counts['junctions']:,} junctions, "
            f"{counts['streets']:,} streets). It is a [bold]schematic[/bold]: drawn from facts, "
            "not surveyed. Calls and units are made up."
        )
    out.print(f"Service: http://{HOST}:{port}, asked {n_calls} calls over HTTP.", markup=False)


def _timing(header: str, took_s: float) -> str:
    stages = (part.split(";dur=") for part in header.split(", ") if ";dur=" in part)
    named = [f"{stage} {float(ms):.2f}" for stage, ms in stages]
    return f"Time: {took_s * 1000:.1f} ms with HTTP; within the service (ms): {', '.join(named)}"
