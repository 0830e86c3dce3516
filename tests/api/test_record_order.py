"""Records stand in the order of their answers, also where one takes longer than the next."""

import asyncio
import json
import threading

from sqlalchemy import select

from api.live_view import LiveView
from api.operations import Answered
from api.replay.record import QUICK_BYTES_MAX, Witness
from api.store.tables import audit
from tests.api.asgi_caller import call, ready_desk
from tests.api.call_story import ASK, told

WAIT_S_MAX = 20
ROUNDS = 50
"""Of the event loop, in which a request that waits for nothing is long in the line."""


class Held(Witness):
    """Makes a long record only when it is let go."""

    go = threading.Event()

    def seen(self, answered: Answered, body: bytes) -> bytes:
        if len(body) > QUICK_BYTES_MAX:
            assert self.go.wait(WAIT_S_MAX)
        return super().seen(answered, body)


def test_a_short_record_does_not_overtake_a_long_one(view: LiveView) -> None:
    short = json.dumps(told()).encode()
    long = short + b" " * QUICK_BYTES_MAX
    with ready_desk(view, log_level="error", dev=True) as app:
        desk = app.state.service.desk
        desk.witness = Held(desk.witness.sources)

        async def both() -> list[str]:
            asked = [asyncio.create_task(call(app, "POST", ASK, one)) for one in (long, short)]
            for _ in range(ROUNDS):
                await asyncio.sleep(0)
            Held.go.set()
            replies = await asyncio.gather(*asked)
            return [json.loads(one.body)["recommendation_id"] for one in replies]

        answered = asyncio.run(both())
        with desk.database.reading() as connection:
            kept = select(audit.c.subject).where(audit.c.kind == "RECOMMENDED")
            assert connection.execute(kept.order_by(audit.c.number)).scalars().all() == answered
