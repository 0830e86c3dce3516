"""A real PostgreSQL goes away under the whole service, and comes back: nothing that it was asked is
lost, each recommendation is in store and audit once, under its own instant.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import perf_counter

import pytest
from sqlalchemy import text

from api.store.database import Database
from tests.api.call_story import OPERATOR, told
from tests.api.requests_made import ROSTER
from tests.api.waiting import wait_until
from tests.reliability.crashing_server import CrashingServer, crashing_server
from tests.reliability.found import Found, _read_chains
from tests.reliability.lengths import length
from tests.reliability.told import tell
from tests.reliability.whole_service import ASK, WholeService, whole_service

ASKED = length(20, 500)
ANSWER_S_MAX = 2.0
"""The published bar for a recommendation, under all conditions."""


@pytest.fixture(scope="module")
def server() -> Iterator[CrashingServer]:
    with crashing_server() as made:
        yield made


def answers(service: WholeService, prefix: str, n: int) -> tuple[dict[str, bool], float]:
    """Return which answers say that they are recorded, by id, and what the slowest took."""
    found, slowest_s = {}, 0.0
    with closing(service.connect()) as connection:
        for number in range(n):
            asked = told()
            asked["incident"] |= {"incident_id": f"{prefix}{number}"}
            began = perf_counter()
            status, answer = service.ask(connection, "POST", ASK, asked)
            slowest_s = max(slowest_s, perf_counter() - began)
            assert (status, answer["outcome"] is not None) == (200, True)
            found[answer["recommendation_id"]] = answer["recorded"]
    return found, slowest_s


def degraded(service: WholeService) -> set[str]:
    with closing(service.connect()) as connection:
        status, body = service.ask(connection, "GET", "/readyz")
    assert status == 200
    return set(body["degraded"])


def test_calls_are_answered_while_the_server_is_away_and_entered_when_it_is_back(
    server: CrashingServer, tmp_path: Path
) -> None:
    with whole_service(server.url, spool=str(tmp_path / "main.spool")) as service:
        before, _ = answers(service, "before", 3)
        server.stop()
        during, slowest_s = answers(service, "during", ASKED)
        assert {"STORE_DOWN", "SPOOLING"} <= degraded(service)
        with closing(service.connect()) as connection:
            units = {"units": list(ROSTER), **OPERATOR}
            assert service.ask(connection, "PUT", "/v1/units", units)[0] == 503
        server.start()
        began = perf_counter()
        wait_until(lambda: not {"STORE_DOWN", "SPOOLING"} & degraded(service), "all is entered")
        entered_s = perf_counter() - began
        after, _ = answers(service, "after", 3)
    assert (set(before.values()), set(during.values()), set(after.values())) == (
        {True}, {False}, {True},
    )  # fmt: skip
    assert slowest_s <= ANSWER_S_MAX
    assert kept_and_noted(server.url) == (sorted(before | during | after), [])
    tell(f"{ASKED} answered without the server, the slowest in {slowest_s * 1000:.0f} ms; all "
         f"entered {entered_s:.1f} s after it was back")  # fmt: skip


def kept_and_noted(url: str) -> tuple[list[str], list[str]]:
    """Return the recommendations that are kept, and what is wrong with their records."""
    database, found = Database(url), Found()
    with database.reading() as connection:
        _read_chains(connection, found)
        kept = connection.execute(
            text("SELECT recommendation_id, decided_at FROM recommendations")
        ).fetchall()
        noted = connection.execute(
            text("SELECT subject, at FROM audit WHERE kind = 'RECOMMENDED'")
        ).fetchall()
    database.close()
    found.require(
        sorted(map(tuple, kept)) == sorted(map(tuple, noted)), "records of other instants"
    )
    return sorted(name for name, _ in kept), found.wrong
