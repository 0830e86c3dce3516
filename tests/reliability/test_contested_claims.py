"""Two processes claim the same few units: no unit is ever in two claims, and no claim is half."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import Connection, text

from api.claims.claim_rows import make_claim
from api.claims.records import Claim, ClaimedUnit
from api.store.database import Database
from api.store.writer import Transaction
from routing.codes import Agency
from tests.api.store.engines import DATABASES, new_location, opened
from tests.reliability.contesting import OPERATOR
from tests.reliability.lengths import length
from tests.reliability.nursery import nursery
from tests.reliability.told import tell
from tests.reliability.writing import START

CLIENTS = 64
CLAIMS_EACH = length(10, 782)
"""Of one client; at length 50,048 in all."""
CLAIMS = CLAIMS_EACH * CLIENTS
SEED = 20231001
SILENCE_S_MAX = 7_200.0
"""A client says nothing before its last claim."""


@pytest.fixture(params=DATABASES)
def location(request: pytest.FixtureRequest) -> Iterator[str]:
    with new_location(request.param) as made:
        yield made


def contested(location: str) -> tuple[int, int]:
    """Return how many claims two processes made, and how many they were refused."""
    with opened(location):
        pass  # the tables are there before both begin
    told = {"task": "contest", "location": location, "threads": CLIENTS // 2, "seed": SEED}
    with ExitStack() as stack:
        both = [stack.enter_context(nursery()) for _ in range(2)]
        for number, processes in enumerate(both):
            own = {"instance": f"instance{number}", "claims": CLAIMS_EACH}
            processes.order({**told, **own})
        lines = [line for processes in both for line in processes.rest(SILENCE_S_MAX)]
    counts = [[int(n) for n in line.removeprefix("ack ").split()] for line in lines]
    assert len(counts) == CLIENTS
    return sum(made for made, _ in counts), sum(refused for _, refused in counts)


def wrong_claims(connection: Connection) -> list[str]:
    """Return units in two claims at once and half pairs, by the feed's order and by the rows."""
    wrong, holder = [], dict[str, str]()
    feed = text("SELECT key, body FROM changes WHERE topic = 'claim' ORDER BY change_id")
    for claim_id, body in connection.execute(feed):
        said = json.loads(body)
        names = [unit_id for unit_id, _ in said["units"]]
        if sorted(agency for _, agency in said["units"]) != ["CARE", "SPD"]:
            wrong.append(f"{claim_id} is told as a half pair")
        for name in names:
            if said["state"] == "LIVE":
                if name in holder:
                    wrong.append(f"{name} is in {holder[name]} and in {claim_id}")
                holder[name] = claim_id
            elif holder.get(name) == claim_id:
                del holder[name]
    rows = text(
        "SELECT claim_id, count(*), count(DISTINCT agency), count(DISTINCT is_live) "
        "FROM claim_units GROUP BY claim_id"
    )
    wrong += [f"{one[0]} is half" for one in connection.execute(rows) if one[1:] != (2, 2, 1)]
    live = text("SELECT unit_id, claim_id FROM claim_units WHERE is_live")
    if sorted(holder.items()) != sorted((u, c) for u, c in connection.execute(live)):
        wrong.append("the feed and the rows name other holders")
    return wrong


def count(connection: Connection, statement: str) -> int:
    return int(connection.execute(text(statement)).scalar_one())


def test_no_unit_is_in_two_claims_and_no_pair_is_half(location: str) -> None:
    made, refused = contested(location)
    database = Database(location)
    with database.reading() as connection:
        assert wrong_claims(connection) == []
        assert count(connection, "SELECT count(*) FROM claims") == made
        noted = count(connection, "SELECT count(*) FROM audit WHERE kind = 'CLAIM_MADE'")
    database.close()
    assert (made + refused, noted) == (CLAIMS, made)
    assert min(made, refused) > CLAIMS // 20
    kind = "SQLite" if database.is_embedded else "PostgreSQL"
    tell(f"{kind}: {made + refused} claims of {CLIENTS} clients: {made} made, {refused} refused")


def claim(name: str, *units: str) -> Claim:
    told = [ClaimedUnit(unit_id=one, agency=Agency(one[:-1])) for one in units]
    return Claim(
        claim_id=name, incident_id=name, recommendation_id=None, made_at=START, expires_at=START,
        units=tuple(told), operator=OPERATOR,
    )  # fmt: skip


def test_the_database_itself_refuses_a_second_claim_and_without_that_it_is_found(
    location: str,
) -> None:
    def both(tx: Transaction) -> list[bool]:
        return [make_claim(tx, claim(name, "CARE1", "SPD1")) for name in "AB"]

    with opened(location) as (database, writer):
        assert writer.call(both) == [True, False]
        with database.writing() as connection:
            assert wrong_claims(connection) == []
            connection.execute(text("DROP INDEX uq_claim_units_live"))
        writer.call(lambda tx: make_claim(tx, claim("C", "CARE1", "SPD2")))
        writer.call(lambda tx: make_claim(tx, claim("D", "SPD3")))
        with database.reading() as connection:
            assert wrong_claims(connection) == [
                "CARE1 is in A and in C",
                "D is told as a half pair",
                "D is half",
                "the feed and the rows name other holders",
            ]
