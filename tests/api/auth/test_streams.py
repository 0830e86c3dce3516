"""A stream of events lasts no longer than the credentials that it was begun with."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from api.auth.roles import Role
from api.live_view import LiveView
from tests.api.auth.credentials import NOW, key
from tests.api.loopback import TIMEOUT_S, Served, served
from tests.api.store.engines import new_location
from tests.api.waiting import wait_until

ENDED = "tandem_event_streams_ended_total"


@pytest.fixture
def running(view: LiveView) -> Iterator[Served]:
    with new_location("sqlite") as location, served(view, location, dev=False) as made:
        yield made


@contextmanager
def stream(port: int, credential: str) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    connection.request("GET", "/v1/events", headers={"authorization": f"Bearer {credential}"})
    yield connection.getresponse()
    connection.close()


def test_a_stream_ends_with_the_key_that_began_it_and_with_no_other(running: Served) -> None:
    gone, kept = key(Role.CAD), key(Role.CAD, Role.ADMIN)
    for made in (gone, kept):
        running.service.keys.add(made.kept)

    def status(text: str) -> int:
        return running.ask("GET", "/v1/alerts", authorization=f"Bearer {text}")[0]

    wait_until(lambda: {status(gone.text), status(kept.text)} == {200}, "the keys are known")
    with stream(running.port, gone.text) as ended, stream(running.port, kept.text) as lasting:
        assert (ended.status, lasting.status) == (200, 200)
        assert b"connected" in ended.readline() + ended.readline() + ended.readline()
        running.service.keys.revoke(gone.kept.key_id, NOW)
        ended.read()  # until its end, which comes within the client's timeout
        _, said = running.ask("GET", "/metrics", authorization=f"Bearer {kept.text}")
        assert f'{ENDED}{{why="CREDENTIALS_ENDED"}} 1' in said
        assert "tandem_event_clients 1" in said
        assert b"connected" in lasting.readline() + lasting.readline() + lasting.readline()
    assert status(gone.text) == 401


def test_a_stream_is_begun_with_credentials_alone(running: Served) -> None:
    assert running.ask("GET", "/v1/events")[0] == 401
