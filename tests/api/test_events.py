"""GET /v1/events over real HTTP: what is told, resumed, refused and ended."""

import datetime as dt
import json
import random
import socket
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

from api.event_streams import RECENT_MAX, Event, EventType, Streams
from api.live_view import LiveView
from api.store.changes import prune_changes
from api.store.writer import Transaction, Writer
from tests.api.call_story import told
from tests.api.followed import announce, utc_now, writing
from tests.api.loopback import Listening, Served, served
from tests.api.requests_made import ROSTER
from tests.api.store.engines import new_location
from tests.api.waiting import wait_until

N_EVENTS = 400


@pytest.fixture
def location() -> Iterator[str]:
    with new_location("sqlite") as made:
        yield made


@pytest.fixture
def running(view: LiveView, location: str) -> Iterator[Served]:
    with served(view, location, event_clients_max=3) as made:
        yield made


def nothing_is_missed_or_repeated(running: Served, writer: Writer, seed: int) -> bool:
    """Tell whether a listener that is cut off again and again is told each event once."""
    rng, seen, written = random.Random(seed), list[int](), 0
    first = Listening(running.port).greeted()
    last_id, begun = first.last_id, int(first.last_id or 0)
    first.close()
    while len(seen) < N_EVENTS:
        listener = Listening(running.port, last_id)
        more = min(N_EVENTS - written, rng.randint(0, 40))
        announce(writer, *[f"I{written + i}" for i in range(more)])
        written += more
        for event in listener.take(rng.randint(0, written - len(seen))):
            seen.append(event.number or 0)
        last_id = listener.last_id
        listener.close()
        if seen and seen[-1] >= begun + N_EVENTS:
            break
    return seen == list(range(begun + 1, begun + 1 + N_EVENTS))


def test_a_listener_that_is_cut_off_misses_nothing_and_is_told_nothing_twice(
    running: Served, location: str
) -> None:
    with writing(location) as writer:
        assert nothing_is_missed_or_repeated(running, writer, 20231001)


def test_a_stream_that_repeats_one_event_is_noticed(
    running: Served, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Streams.recent

    def one_too_early(streams: Streams, number: int) -> list[Event] | None:
        return right(streams, max(number - 1, 0))

    monkeypatch.setattr(Streams, "recent", one_too_early)
    with writing(location) as writer:
        assert not nothing_is_missed_or_repeated(running, writer, 20231001)


def test_what_the_desk_writes_is_told_with_ids_and_codes_alone(running: Served) -> None:
    listener = Listening(running.port).greeted()
    assert running.ask("PUT", "/v1/units", {"units": list(ROSTER)})[0] == 200
    _, answer = running.ask("POST", "/v1/recommend-units", told() | {"units": None})
    unit, call = listener.take(2)
    listener.close()
    assert (unit.type, unit.data["roster_version"]) == ("unit", "1")
    assert set(unit.data["changed"]) == {one["unit_id"] for one in ROSTER}
    assert (call.type, call.data["incident_id"]) == ("call", answer["incident_id"])
    assert call.data["outcome"] == answer["outcome"]
    said = json.dumps([unit.data, call.data])
    assert "PERSON" not in said
    assert "47.6" not in said


def test_only_the_topics_that_are_wanted_are_told(running: Served, location: str) -> None:
    with writing(location) as writer:
        listener = Listening(running.port, query="?topics=claim,alert").greeted()
        announce(writer, "I1", "I2")
        announce(writer, "K1", topic="keys")
        announce(writer, "C1", topic="claim")
        (event,) = listener.take(1)
        listener.close()
    assert (event.type, event.data["claim_id"]) == ("claim", "C1")


def test_keys_are_no_topic_outside(running: Served, location: str) -> None:
    assert "keys" not in set(EventType)
    with writing(location) as writer:
        listener = Listening(running.port).greeted()
        announce(writer, "K1", topic="keys")
        announce(writer, "I1")
        (event,) = listener.take(1)
        listener.close()
    assert event.data["incident_id"] == "I1"


def test_a_listener_pruned_past_is_told_to_read_everything_anew_and_goes_on(
    view: LiveView, location: str
) -> None:
    with writing(location) as writer:
        announce(writer, *"ABC")
        far = utc_now() + dt.timedelta(days=1)
        writer.call(lambda tx: prune_changes(tx.connection, far, 1_000))
        with served(view, location) as running:
            listener = Listening(running.port, "1")
            (resync,) = listener.take(1)
            announce(writer, "D")
            (event,) = listener.take(1)
            listener.close()
    assert (resync.type, resync.data["reason"], resync.data["after"]) == ("RESYNC", "PRUNED", 1)
    assert (event.data["incident_id"], event.number) == ("D", 4)


def test_a_number_that_is_not_reached_yet_is_told_so(running: Served, location: str) -> None:
    with writing(location) as writer:
        announce(writer, "A")
        listener = Listening(running.port, query="?after=900")
        (resync,) = listener.take(1)
        announce(writer, "B")
        (event,) = listener.take(1)
        listener.close()
    assert (resync.data["reason"], resync.number) == ("AHEAD", 1)
    assert event.number == 2


def wide(writer: Writer, first: int, n: int) -> None:
    """Announce n changes of about 2 kB each."""

    def operation(tx: Transaction) -> None:
        for i in range(n):
            tx.announce("units", str(first + i), {"moved": [f"UNIT{j:04}#x" for j in range(150)]})

    writer.call(operation)


def test_a_listener_that_does_not_read_is_sent_away_and_may_come_back(
    running: Served, location: str
) -> None:
    n = 4 * RECENT_MAX
    with socket.create_connection(("127.0.0.1", running.port)) as asleep, writing(location) as one:
        asleep.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: running.service.streams.clients == 1, "it listens")
        for first in range(0, n, 500):
            wide(one, first, 500)
        wait_until(lambda: running.service.streams.number == n, "all were told")
        asleep.settimeout(30)
        text = everything(asleep)
    resync = text[text.index("event: RESYNC") :]
    assert '"reason":"TOO_SLOW"' in resync
    last = int(text.rpartition("\nid: ")[2].split()[0])
    assert 0 < last < n
    numbers = [int(line[4:]) for line in text.splitlines() if line.startswith("id: ")]
    assert numbers[-1] == numbers[-2] == last
    back = Listening(running.port, str(last))
    assert [event.number for event in back.take(n - last)] == list(range(last + 1, n + 1))
    back.close()
    assert 'tandem_event_streams_ended_total{why="TOO_SLOW"} 1.0' in metrics(running)


def everything(connection: socket.socket) -> str:
    """Read until the other side ends the answer."""
    read = bytearray()
    while not read.endswith(b"0\r\n\r\n") and (more := connection.recv(65_536)):
        read += more
    return read.decode()


def metrics(running: Served) -> str:
    text: str = running.ask("GET", "/metrics")[1]
    return text


def test_a_quiet_stream_has_a_heartbeat_with_the_number(running: Served, location: str) -> None:
    running.service.streams.heartbeat_s = 0.05
    with writing(location) as writer:
        listener = Listening(running.port, query="?topics=alert").greeted()
        announce(writer, "A", "B")
        while listener.last_id != "2":
            line = listener.response.readline().decode()
            listener.last_id = line[4:].strip() if line.startswith("id: ") else listener.last_id
        listener.close()


def test_more_listeners_than_there_may_be_are_refused_and_a_gone_one_makes_room(
    running: Served,
) -> None:
    listeners = [Listening(running.port).greeted() for _ in range(3)]
    status, problem = running.ask("GET", "/v1/events")
    assert (status, problem["code"]) == (503, "OVERLOADED")
    assert "tandem_event_clients 3.0" in metrics(running)
    listeners.pop().close()
    wait_until(lambda: running.service.streams.clients == 2, "it is noticed")
    listeners.append(Listening(running.port).greeted())
    for one in listeners:
        one.close()


@pytest.mark.parametrize(
    ("query", "header", "code"),
    [
        ("?after=-1", "", "EVENT_ID_INVALID"),
        ("?after=" + "9" * 5_000, "", "EVENT_ID_INVALID"),
        ("?after=%F0%9F%9A%93", "", "EVENT_ID_INVALID"),
        ("", "1e3", "EVENT_ID_INVALID"),
        ("?topics=keys", "", "TOPIC_UNKNOWN"),
        ("?topics=", "", "TOPIC_UNKNOWN"),
    ],
)
def test_what_cannot_be_understood_is_named(
    running: Served, query: str, header: str, code: str
) -> None:
    headers: dict[str, Any] = {"Last-Event-ID": header} if header else {}
    status, problem = running.ask("GET", f"/v1/events{query}", **headers)
    assert (status, problem["errors"][0]["code"]) == (422, code)


def test_a_stop_ends_all_streams_at_once(view: LiveView, location: str) -> None:
    with served(view, location) as running:
        listeners = [Listening(running.port).greeted() for _ in range(3)]
        began_s = monotonic()
        running.stop()
        took_s = monotonic() - began_s
        for one in listeners:
            assert list(one.events()) == []
            one.close()
    assert took_s < 4.0  # the answers that are waited for would have 5 s


def test_without_a_store_there_is_nothing_to_tell(view: LiveView) -> None:
    with served(view, "") as running:
        status, problem = running.ask("GET", "/v1/events")
    assert (status, problem["code"]) == (503, "STORE_NOT_CONFIGURED")
