"""Large drafts hold up no other request: what takes long is done in a thread."""

import asyncio
import json
import time
from typing import Any

import pytest

from api.app import App
from api.live_view import LiveView
from api.releases.content import policy_text
from api.releases.drafts import zones_text
from api.releases.schemas import DraftAnswer
from tests.api.asgi_caller import call, ready_desk
from tests.api.releases.drawn import TEXT, collection, square

DRAFT = "/v1/drafts/night"
TOML = {"content-type": "application/toml"}
LARGE = TEXT + "".join(f'k{number} = ["a", "b", "c"]\n' for number in range(15_000))


async def longest_wait(app: App, *asked: Any) -> float:
    """Return the longest time between two probes that are answered while something is asked."""
    work = asyncio.create_task(call(app, *asked))
    longest_s, last_s = 0.0, time.perf_counter()
    while not work.done():
        await asyncio.sleep(0)
        now_s = time.perf_counter()
        longest_s, last_s = max(longest_s, now_s - last_s), now_s
    assert work.result().status < 300, work.result().body[:500]
    return longest_s


@pytest.fixture(scope="module")
def app(view: LiveView) -> Any:
    with ready_desk(view, log_level="error") as made:
        asyncio.run(call(made, "PUT", DRAFT, b"{}"))
        yield made


def test_a_large_release_file_is_read_beside_other_requests(app: App) -> None:
    began_s = time.perf_counter()
    policy_text(LARGE.encode())
    alone_s = time.perf_counter() - began_s
    waited_s = asyncio.run(longest_wait(app, "PUT", f"{DRAFT}/policy", LARGE.encode(), TOML))
    assert waited_s < alone_s / 2


def test_a_draft_is_told_without_its_zones_being_read(app: App) -> None:
    zones = collection(*(square(-122.4 + n / 50, 47.6, zone_id=f'"type":"{n}') for n in range(3)))
    told = asyncio.run(call(app, "PUT", f"{DRAFT}/zones", json.dumps(zones).encode()))
    found = DraftAnswer.model_validate_json(told.body)
    assert (found.draft.zones, len(found.zones["features"])) == (3, 3)
    assert zones_text(found.zones["features"]).encode() in told.body  # line for line as it is kept
