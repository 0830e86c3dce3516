"""Seeded hostile bodies: every field with every bad value, random damage, bytes that are no JSON.

An endpoint is a row of `hostile_endpoints.ENDPOINTS` with one good body, from which everything is
made. What a body must be answered with is told by the API description and by what the contract
mends (rule 12), not by the code under test.
"""

import copy
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from geodata.pilot.area import pilot_demo_calls
from tests.api.asgi_caller import JSON
from tests.api.described_values import Described, Place
from tests.api.hostile_endpoints import ALERT_ID, RECOMMEND, Body, Canary, Endpoint, new_canary


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One body, and what must come of it."""

    endpoint: Endpoint
    body: bytes
    canary: Canary
    statuses: frozenset[int]
    at: Place | None = None
    """The one place that is wrong, where that is known."""
    part: Place | None = None
    """The part of it that is left out of an answer."""
    said: str = ""
    """A code that the refusal must have."""
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)

    @property
    def address(self) -> str:
        """The address with its ids."""
        ids = {"incident_id": self.canary.name, "alert_id": ALERT_ID}
        return self.endpoint.address.format(**ids)


# -- every field, every bad value -----------------------------------------------------------------

LONG = "x" * 300
MISSING = object()
VALUES: tuple[Any, ...] = (
    MISSING, None, True, False, 0, 1, -1, 7, 1.5, 2.0, -0.0, 1e308, -1e308, 2**31, 2**53, 2**64,
    10**300, float("nan"), float("inf"), float("-inf"), "", " ", "x", "0", "47.6", "NaN", "null",
    "true", "\u0000", "\u007f", "\U0001f691", "\u202eabc", LONG, "care", "CARE", "AVAILABLE", "YES",
    "DUAL", "MEAL", [], {}, [[]], [None], [1, 2], ["a"] * 40, [{}], {"": ""}, {"lon": 0, "lat": 0},
    {"lon": "x"}, "2026-07-21T13:05:02", "2026-07-21T13:05:02Z", "2026-07-21 13:05:02+00:00",
    "2026-02-30T13:05:02Z", "2026-07-21T24:00:01Z", "1969-12-31T23:59:59Z", "21/07/2026 13:05",
    "2099-12-31T23:59:59-23:59", "2000-01-01T00:00:00+23:59", 1784667902, "$text", ["$text"],
    {"$text said": "$text"}, {"name": "$text", "n": 1},
)  # fmt: skip
"""`$text` stands for the canary."""
ROWS = ("units", "incidents")


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Yield the place of every value inside a body."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in inner:
        yield (*at, key)
        if isinstance(below, dict | list):
            yield from places(below, (*at, key))


def value_at(body: Body, place: Place) -> Any:
    for part in place:
        body = body[part]
    return body


def filled(value: Any, word: str) -> Any:
    """Return a value with the canary in it."""
    if isinstance(value, str):
        return value.replace("$text", word)
    if isinstance(value, list):
        return [filled(below, word) for below in value]
    if isinstance(value, dict):
        return {filled(key, word): filled(below, word) for key, below in value.items()}
    return value


def matches(place: Place, pattern: Place) -> bool:
    return len(place) == len(pattern) and all(
        one == other or (other == "*" and isinstance(one, int))
        for one, other in zip(place, pattern, strict=True)
    )


def part_of(place: Place, patterns: tuple[Place, ...]) -> Place | None:
    """Return the part of a place that one of the patterns names, or None."""
    parts = [place[:length] for length in range(1, len(place) + 1)]
    return next((p for p in parts if any(matches(p, pattern) for pattern in patterns)), None)


def field_cases(endpoint: Endpoint, described: Described, rng: random.Random) -> Iterator[Case]:
    """Yield every field of a good body with every value above, one at a time; of rows the first."""
    every = places(endpoint.good(new_canary(rng)))
    for place in (at for at in every if at[0] not in ROWS or at[1:2] in ((), (0,))):
        for value in VALUES:
            yield field_case(endpoint, described, place, value, new_canary(rng))


def field_case(
    endpoint: Endpoint, described: Described, place: Place, value: Any, canary: Canary
) -> Case:
    body = endpoint.good(canary)
    holder, key = value_at(body, place[:-1]), place[-1]
    allowed = _allowed(described, place, filled(value, canary.text))
    if value is MISSING:
        del holder[key]
    else:
        named = (place, (*place, 0)) if isinstance(value, list) else (place,)
        is_name = any(matches(one, pattern) for one in named for pattern in endpoint.names)
        holder[key] = filled(value, canary.name if allowed and is_name else canary.text)
    part = part_of(place, endpoint.mended)
    if (*place, "*") in endpoint.mended and isinstance(value, list):
        rows = value_at(endpoint.good(canary), place)[:1] * len(value)
        part = place if described.allows(place, rows) else None  # bad rows, and not too many
        part = None if place in endpoint.needed else part
    doubtful = part_of(place, endpoint.doubtful) is not None
    if allowed:
        statuses, at = endpoint.taken | ({422} if doubtful else set()), None
    else:
        statuses, at = endpoint.taken if part else frozenset({422}), place
    return Case(
        endpoint=endpoint,
        body=json.dumps(body).encode(),
        canary=canary,
        statuses=statuses,
        at=at,
        part=part if at else None,
    )


def _allowed(described: Described, place: Place, value: Any) -> bool:
    if value is MISSING:
        return isinstance(place[-1], int) or not described.requires(place)
    return described.allows(place, value)


# -- random damage --------------------------------------------------------------------------------


def damage_cases(endpoint: Endpoint, rng: random.Random, count: int) -> Iterator[Case]:
    """Yield bodies with one to four values replaced, removed, doubled, moved or wrapped."""
    for _ in range(count):
        canary = new_canary(rng)
        original = endpoint.good(canary)
        if endpoint is RECOMMEND and rng.random() < 0.5:
            original = _demo_body(rng, canary)
        yield Case(
            endpoint=endpoint,
            body=json.dumps(damaged(original, rng, canary, endpoint.names)).encode(),
            canary=canary,
            statuses=endpoint.taken | {422},
        )


def _demo_body(rng: random.Random, canary: Canary) -> Body:
    made = json.loads(rng.choice(_demo_texts())) | {"narrative": canary.text}
    made["incident"]["remarks"] = canary.text
    return made


@cache
def _demo_texts() -> tuple[str, ...]:
    return tuple(json.dumps(call.request) for call in pilot_demo_calls())


def damaged(body: Body, rng: random.Random, canary: Canary, names: tuple[Place, ...] = ()) -> Body:
    """Return a body with damage; where an answer repeats a text it is the name."""
    for _ in range(rng.randint(1, 4)):
        found = list(places(body))
        if not found:
            break
        place = rng.choice(found)
        holder, key = value_at(body, place[:-1]), place[-1]
        _DAMAGE[rng.randrange(len(_DAMAGE))](holder, key, body, rng)
    body = filled(body, canary.text)
    for place in list(places(body)):
        text = value_at(body, place)
        if isinstance(text, str) and any(matches(place, name) for name in names):
            value_at(body, place[:-1])[place[-1]] = text.replace(canary.text, canary.name)
    return body


def _replace(holder: Any, key: Any, _body: Body, rng: random.Random) -> None:
    holder[key] = copy.deepcopy(rng.choice(VALUES[1:]))


def _remove(holder: Any, key: Any, _body: Body, _rng: random.Random) -> None:
    del holder[key]


def _double(holder: Any, key: Any, _body: Body, rng: random.Random) -> None:
    if isinstance(holder, list):
        holder.extend(copy.deepcopy(holder[key]) for _ in range(rng.choice((1, 2, 60))))
    else:
        holder[f"{key}_2"] = copy.deepcopy(holder[key])


def _move(holder: Any, key: Any, body: Body, rng: random.Random) -> None:
    """Put a copy of any part of the body there, such as a unit where its position belongs."""
    holder[key] = copy.deepcopy(value_at(body, rng.choice(list(places(body)))))


def _wrap(holder: Any, key: Any, _body: Body, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 30))):
        holder[key] = rng.choice(([holder[key]], {"value": holder[key]}))


_DAMAGE = (_replace, _replace, _replace, _remove, _double, _move, _wrap)


# -- bytes that are no JSON -----------------------------------------------------------------------


def byte_cases(endpoint: Endpoint, rng: random.Random, count: int) -> Iterator[Case]:
    """Yield good bodies cut short, with bytes changed, put in or taken out, in other encodings."""
    for _ in range(count):
        canary = new_canary(rng)
        body = bytearray(json.dumps(endpoint.good(canary)).encode())
        statuses = endpoint.taken | {422}
        kind, at = rng.randrange(5), rng.randrange(1, len(body) - 1)
        if kind == 0:
            body, statuses = body[:at], frozenset({422})
        elif kind == 1:
            body[at : at + 1] = rng.choice((b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88"))
            statuses = frozenset({422})
        elif kind == 2:
            body[at] = rng.randrange(256)
        elif kind == 3:
            del body[at : at + rng.choice((1, 1, 2, 40))]
        else:
            body[at:at] = rng.choice((b'"', b"{", b"}", b",", b"\\", b"\x00", b"\n", b"9" * 400))
        yield Case(endpoint=endpoint, body=bytes(body), canary=canary, statuses=statuses)


def whole_body_cases(endpoint: Endpoint, canary: Canary) -> Iterator[Case]:
    """Yield bodies that are refused as a whole."""
    good = json.dumps(endpoint.good(canary))
    word = json.dumps(canary.text)
    texts: list[str | bytes] = [
        "", " ", "null", "true", "17", "1e999", "NaN", word, "[]", f"[{word}]", f"[{good}]",
        "\ufeff" + good, good[:-1], good + good, good + ",", good + word, "'" + good[1:],
        "[" * 100_000, '{"a":' * 10_000, '{"incident":' * 10_000 + word, "[" * 900 + "]" * 900,
        good.encode("utf-16"), good.encode("utf-32"), b"\x1f\x8b" + good.encode(), b"\xff\xfe",
        good.replace('"narrative": "', '"narrative": "\\ud800'), good.replace('":', '"=', 1),
        good.replace('"narrative": "', '"narrative": "\\q'), good.replace("{", "{,", 1),
        good.replace('"narrative": "', '"narrative": "\t'), "9" * 5000, f"/* {good} */",
        f"<request>{canary.text}</request>", f"narrative={canary.text}",
    ]  # fmt: skip
    for text in texts:
        body = text if isinstance(text, bytes) else text.encode()
        yield Case(
            endpoint=endpoint, body=body, canary=canary, statuses=frozenset({422}), at=()
        )  # fmt: skip


def transport_cases(endpoint: Endpoint, canary: Canary) -> Iterator[Case]:
    """Yield what is refused before it is read: other content types, and ten megabytes."""
    good = json.dumps(endpoint.good(canary)).encode()
    for kind in (
        "", "text/plain", "application/xml", "application/x-www-form-urlencoded", "json",
        "multipart/form-data; boundary=x", "application/jsonp", "text/json", canary.text,
        "application/json-seq", "application/octet-stream", "application/json x",
    ):  # fmt: skip
        yield Case(
            endpoint=endpoint, body=good, canary=canary, statuses=frozenset({415}),
            said="CONTENT_TYPE_NOT_JSON", headers={"content-type": kind},
        )  # fmt: skip
    padding = json.dumps(canary.text * 10).encode()
    for large in (b" " * 10_000_000 + good, good[:-1] + b',"x":[' + padding * 50_000 + b"]}"):
        yield Case(
            endpoint=endpoint, body=large, canary=canary, statuses=frozenset({413}),
            said="BODY_TOO_LARGE",
        )  # fmt: skip
