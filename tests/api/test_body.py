"""A body is read as it comes: at once, in parts, late, or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from api.body import read_body
from api.errors import BodyTooLarge, BodyTooSlow, NotJson
from api.settings import Settings

JSON = (b"content-type", b"application/json")
Receive = Callable[[], Awaitable[dict[str, Any]]]


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def arriving(*messages: dict[str, Any], at_once: bool) -> Receive:
    """Return a `receive` that gives these, each after a turn of the loop unless at once."""
    left = list(messages)

    async def receive() -> dict[str, Any]:
        if not at_once:
            turn = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(turn.set_result, None)
            await turn
        return left.pop(0) if left else await asyncio.Future()

    return receive


def read(receive: Receive, *headers: tuple[bytes, bytes], **settings: Any) -> bytes:
    scope = {"type": "http", "headers": [*headers, JSON], "method": "POST", "path": "/"}
    return asyncio.run(read_body(Request(scope, receive), Settings(**settings)))


@pytest.mark.parametrize("at_once", [True, False])
def test_a_body_is_the_same_in_one_part_or_many(at_once: bool) -> None:
    assert read(arriving(part(b"abc"), at_once=at_once)) == b"abc"
    parts = part(b"a", more=True), part(b"", more=True), part(b"bc")
    assert read(arriving(*parts, at_once=at_once)) == b"abc"


@pytest.mark.parametrize("sent", [(), (part(b"a", more=True),)])
def test_a_body_that_does_not_come_is_given_up(sent: tuple[dict[str, Any], ...]) -> None:
    for at_once in (True, False):
        with pytest.raises(BodyTooSlow):
            read(arriving(*sent, at_once=at_once), body_read_s_max=0.001)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_caller_who_goes_away_is_noticed(at_once: bool) -> None:
    gone = {"type": "http.disconnect"}
    with pytest.raises(ClientDisconnect):
        read(arriving(gone, at_once=at_once))
    with pytest.raises(ClientDisconnect):
        read(arriving(part(b"a", more=True), gone, at_once=at_once))


def test_the_limit_is_for_the_sum_of_the_parts() -> None:
    parts = [part(b"x" * 400, more=True), part(b"x" * 400, more=True), part(b"x" * 200)]
    assert len(read(arriving(*parts, at_once=True), body_bytes_max=1_000)) == 1_000
    parts[2] = part(b"x" * 201)
    with pytest.raises(BodyTooLarge, match="1,000"):
        read(arriving(*parts, at_once=True), body_bytes_max=1_000)
    with pytest.raises(BodyTooLarge):
        read(arriving(at_once=True), (b"content-length", b"1001"), body_bytes_max=1_000)


def test_a_task_that_waits_for_a_body_can_be_cancelled() -> None:
    told = []

    async def receive() -> dict[str, Any]:
        try:
            return await asyncio.Future()
        except asyncio.CancelledError:
            told.append("cancelled")
            raise

    async def cancelled() -> bool:
        request = Request({"type": "http", "headers": [JSON]}, receive)
        reading = asyncio.create_task(read_body(request, Settings()))
        asyncio.get_running_loop().call_soon(reading.cancel)
        await asyncio.wait([reading])
        return reading.cancelled()

    assert asyncio.run(cancelled())
    assert told == ["cancelled"]


def test_of_two_content_types_the_first_counts() -> None:
    with pytest.raises(NotJson):
        read(arriving(part(b"{}"), at_once=True), (b"content-type", b"text/plain"))
