"""The whole service ended by kill -9, and told to stop, while many callers ask it."""

import json
import random
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from signal import SIGTERM
from threading import Event, Thread

from sqlalchemy import text

from api.store.database import Database
from tests.api.call_story import told
from tests.reliability.found import Found, _read_chains
from tests.reliability.lengths import length
from tests.reliability.told import tell
from tests.reliability.whole_service import ASK, WholeService, store_file, whole_service

KILLS = length(2, 50)
CALLERS = 8
SEED = 20231001
STOP_S_MAX = 20.0


@dataclass(slots=True)
class Callers:
    """Threads that ask about calls of their own until the service is gone.

    An answer that its end cuts off is none.
    """

    service: WholeService
    run: int
    answered: dict[str, bytes] = field(default_factory=dict)
    """By recommendation_id the answer of each that said it is recorded."""
    refused: int = 0
    more: Event = field(default_factory=Event)

    def ask_on(self, caller: int) -> None:
        with closing(self.service.connect()) as connection, suppress(OSError, HTTPException):
            for number in range(100_000):
                asked = told()
                asked["incident"] |= {"incident_id": f"{self.run}-{caller}-{number}"}
                connection.request(
                    "POST", ASK, json.dumps(asked), {"Content-Type": "application/json"}
                )
                reply = connection.getresponse()
                body = reply.read()
                if reply.status == 200 and b'"recorded":true' in body:
                    self.answered[json.loads(body)["recommendation_id"]] = body
                    self.more.set()
                else:
                    self.refused += 1

    def wait_for(self, n: int) -> None:
        while len(self.answered) < n:
            assert self.more.wait(30), "no more answers"
            self.more.clear()


def begun(callers: Callers) -> list[Thread]:
    threads = [Thread(target=callers.ask_on, args=(n,), daemon=True) for n in range(CALLERS)]
    for thread in threads:
        thread.start()
    return threads


def kept_in(store: str) -> tuple[dict[str, bytes], Found]:
    """Return the answers that are kept, and what is wrong with chain or file."""
    database, found = Database(store), Found()
    with database.reading() as connection:
        intact = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
        found.require(intact == "ok", f"integrity check: {intact}")
        _read_chains(connection, found)
        rows = connection.execute(text("SELECT recommendation_id, answer FROM recommendations"))
        kept = {name: bytes(answer) for name, answer in rows}
        noted = connection.execute(
            text("SELECT count(*) FROM audit WHERE kind = 'RECOMMENDED'")
        ).scalar_one()
        calls = connection.execute(text("SELECT count(*) FROM incidents")).scalar_one()
    database.close()
    found.require(noted == len(kept), f"{noted} records of {len(kept)} recommendations")
    found.require(calls == len(kept), f"{calls} calls of {len(kept)} recommendations")
    return kept, found


def test_whatever_the_service_said_is_recorded_is_there_after_kill_9(tmp_path: Path) -> None:
    store, answered = store_file(tmp_path), dict[str, bytes]()
    for run in range(KILLS):
        rng = random.Random(f"{SEED} {run}")
        with whole_service(store) as service:
            callers = Callers(service, run)
            threads = begun(callers)
            callers.wait_for(rng.randint(5, 120))
            Event().wait(rng.uniform(0, 0.02))
            service.kill()
            for thread in threads:
                thread.join()
        answered |= callers.answered
        kept, found = kept_in(store)
        assert found.wrong == [], f"after kill {run}"
        assert {name: kept.get(name) for name in answered} == answered, f"after kill {run}"
    tell(f"{KILLS} kills of the whole service: {len(answered)} recorded, 0 lost, {len(kept)} kept")


def test_a_service_that_is_told_to_stop_answers_what_it_has_in_hand(tmp_path: Path) -> None:
    store = store_file(tmp_path)
    with whole_service(store) as service:
        callers = Callers(service, 0)
        threads = begun(callers)
        callers.wait_for(50)
        code = service.stop(STOP_S_MAX)
        for thread in threads:
            thread.join()
    kept, found = kept_in(store)
    assert found.wrong == []
    assert code in (0, -SIGTERM)  # uvicorn ends by the signal again when all is done
    assert kept == callers.answered
    assert not Path(f"{store}.main.spool").read_bytes()
