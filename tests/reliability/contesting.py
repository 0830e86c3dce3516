"""A process whose threads claim pairs of too few units, and give most of them up again."""

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, TypeVar

from sqlalchemy import insert

from api.claims.confirm import confirm
from api.claims.ending import release
from api.claims.records import Claim, Confirmation
from api.errors import StoreUnavailable
from api.store.calls import Decided
from api.store.records import Operator
from api.store.sql_calls import keep_decision
from api.store.tables import recommendations, to_us
from api.store.writer import Operation, Transaction, Writer
from routing.codes import Mode, Outcome, ReasonCode
from tests.reliability.writing import START, Acknowledge, in_threads, writing_to

CARE_UNITS: Final = 40
SPD_UNITS: Final = 60
RECOMMENDED_AT_ONCE: Final = 10
HELD_MAX: Final = 2
TRIES_MAX: Final = 50
Done = TypeVar("Done")
OPERATOR: Final = Operator(operator_id="D1", role="DISPATCHER")
VALID_UNTIL: Final = "2100-01-01T00:00:00Z"


def pair_of(rng: random.Random) -> tuple[str, str]:
    """Return a CARE and an SPD unit."""
    return f"CARE{rng.randrange(CARE_UNITS)}", f"SPD{rng.randrange(SPD_UNITS)}"


def answer_of(name: str, pair: tuple[str, str]) -> bytes:
    """Return what was answered, as far as a confirmation reads it."""
    assign = [{"agency": "CARE", "unit_id": pair[0]}, {"agency": "SPD", "unit_id": pair[1]}]
    said = {"recommendation_id": f"rec_{name}", "incident_id": f"inc_{name}", "incident_version": 1}
    more = {"valid_until": VALID_UNTIL, "outcome": "DISPATCH", "mode": "DUAL", "assign": assign}
    return json.dumps({**said, **more, "basis": {"unit_source": "REQUEST"}}).encode()


def recommend(tx: Transaction, name: str, pair: tuple[str, str]) -> None:
    """Keep a recommendation of a pair for a call of its own."""
    decided = Decided(
        incident_id=f"inc_{name}", version=1, outcome=Outcome.DISPATCH, mode=Mode.DUAL,
        recommendation_id=f"rec_{name}", decided_at=START, unit_ids=pair, held_since=None,
        change=None, screened=True,
    )  # fmt: skip
    row = {
        "recommendation_id": f"rec_{name}", "incident_id": decided.incident_id,
        "incident_version": 1, "decided_at": to_us(START), "outcome": "DISPATCH", "mode": "DUAL",
        "answer": answer_of(name, pair), "seen": b"",
    }  # fmt: skip
    tx.connection.execute(insert(recommendations), row)
    keep_decision(tx, decided, b'{"incident": {}}')
    tx.note("RECOMMENDED", f"rec_{name}", {})


def persistently(writer: Writer, operation: Operation[Done]) -> Done:
    """Do an operation as a caller does that comes back after a 503.

    Of two processes that write to one SQLite file without a pause, one may wait too long for its
    turn; it has then written nothing.
    """
    for _ in range(TRIES_MAX):
        with suppress(StoreUnavailable):
            return writer.call(operation)
    raise AssertionError(f"no turn in {TRIES_MAX} tries")


def names_of(writer: Writer, prefix: str, n: int, rng: random.Random) -> Iterator[str]:
    """Yield names of recommendations that were kept just now, some at a time."""
    for first in range(0, n, RECOMMENDED_AT_ONCE):
        numbers = range(first, min(n, first + RECOMMENDED_AT_ONCE))
        made = {f"{prefix}_{number}": pair_of(rng) for number in numbers}

        def keep(tx: Transaction, made: dict[str, tuple[str, str]] = made) -> None:
            for name, pair in made.items():
                recommend(tx, name, pair)

        persistently(writer, keep)
        yield from made


def contest_on(options: dict[str, Any], acknowledge: Acknowledge) -> None:
    """Claim with many threads; each holds at most HELD_MAX pairs and then gives the oldest up.

    Parameters
    ----------
    options
        threads, claims (of each thread), seed, and what `writing_to` takes.
    """

    def one_thread(thread: int) -> None:
        prefix = f"{options['instance']}_{thread}"
        rng = random.Random(f"{options['seed']} {prefix}")
        held: list[Claim] = []
        made = 0
        for name in names_of(writer, prefix, options["claims"], rng):
            asked = Confirmation(recommendation_id=f"rec_{name}", operator=OPERATOR, claim_s=600)
            done = persistently(writer, lambda tx, asked=asked: confirm(tx, asked))
            if isinstance(done, Claim):
                made += 1
                held.append(done)
            if len(held) > HELD_MAX or (held and rng.random() < 0.5):
                claim_id = held.pop(0).claim_id
                persistently(
                    writer,
                    lambda tx, of=claim_id: release(tx, of, OPERATOR, ReasonCode.SUPERVISOR_ORDER),
                )
        acknowledge(f"{made} {options['claims'] - made}")

    with writing_to(options) as writer:
        in_threads(options["threads"], one_thread)
