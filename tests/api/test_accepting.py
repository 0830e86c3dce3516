"""Callers that all connect at once are all heard at once."""

import asyncio
import math
import socket
import sys

import pytest
import uvloop
from starlette.applications import Starlette

from api.commands import serve
from api.commands.serve import ACCEPTED_A_PASS, make_server, open_listener
from api.settings import Settings

CALLERS = 64
SETTINGS = Settings(log_level="error")


async def passes_until_all_are_heard() -> int:
    """Return the passes of the event loop until every caller has a connection."""
    listener, interval_s = open_listener("127.0.0.1", 0), sys.getswitchinterval()
    server = make_server(SETTINGS, Starlette())
    sys.setswitchinterval(interval_s)
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=[listener])
    callers = [socket.create_connection(listener.getsockname()) for _ in range(CALLERS)]
    heard, passes = server.server_state.connections, 0
    while len(heard) < CALLERS and passes < 10 * CALLERS:
        await asyncio.sleep(0)
        passes += 1
    for caller in callers:
        caller.close()
    for _ in range(2 * CALLERS):
        await asyncio.sleep(0)
    assert not heard
    await server.shutdown(sockets=[listener])
    return passes


def passes() -> int:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(passes_until_all_are_heard())


def test_many_connections_are_accepted_in_one_pass_of_the_event_loop() -> None:
    assert passes() <= math.ceil(CALLERS / ACCEPTED_A_PASS) + 8


def test_one_connection_a_pass_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "ACCEPTED_A_PASS", 1)
    assert passes() >= CALLERS
