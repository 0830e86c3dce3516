"""Closures over HTTP, beside a call that is asked about again and again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from httpx2 import Response

from api.live_view import LiveView
from geodata.network import StreetNetwork
from tests.api.claims.http_desk import HttpDesk, served
from tests.api.requests_made import ROSTER
from tests.api.store.engines import new_location

CLOSURES = "/v1/closures"
CALL_AT = (-122.3372, 47.6104)
"""Where the call of `requests_made` is."""


def point(lon: float = CALL_AT[0], lat: float = CALL_AT[1]) -> dict[str, Any]:
    return {"geometry": {"type": "Point", "coordinates": [lon, lat]}}


def block(network: StreetNetwork, street: int) -> dict[str, Any]:
    """Return a line along a street from end to end."""
    return {"type": "LineString", "coordinates": network.street_line(street).tolist()}


def star(network: StreetNetwork, junction: int, spared: int) -> dict[str, Any]:
    """Return a line along every street that meets a junction but one, there and back."""
    points: list[list[float]] = []
    ends = (network.edge_tail == junction) | (network.edge_head == junction)
    for street in sorted(set(network.edge_street[ends].tolist()) - {spared}):
        line = network.street_line(street).tolist()
        inwards = line if network.ends_of(street)[1] == junction else line[::-1]
        points += [*inwards, *inwards[::-1]]
    return {"type": "LineString", "coordinates": points}


class Closing:
    """Proposes, activates and ends closures, and asks for recommendations."""

    def __init__(self, desk: HttpDesk) -> None:
        self.desk, self.client, self.clock = desk, desk.client, desk.clock

    def propose(self, **fields: Any) -> Response:
        return self.desk.post(CLOSURES, {"name": "Water main", **point(), **fields})

    def proposed(self, **fields: Any) -> str:
        reply = self.propose(**fields)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["closure"]["closure_id"])

    def step(self, closure_id: str, step: str, key: str | None = None, **body: Any) -> Response:
        return self.desk.post(f"{CLOSURES}/{closure_id}/{step}", body, key)

    def active(self, **fields: Any) -> str:
        closure_id = self.proposed(**fields)
        reply = self.step(closure_id, "activate", accept_cut_off=True)
        assert reply.status_code == 200, reply.text
        return closure_id

    def read(self, closure_id: str) -> Any:
        return self.client.get(f"{CLOSURES}/{closure_id}").json()

    def told(self) -> tuple[int, list[str]]:
        """Return how many closures an answer says are active, and which it tells of."""
        answer = self.desk.ask()
        named = [one["closure_id"] for one in answer["closures"]]
        return answer["basis"]["closures_active"], named


@contextmanager
def closing(kind: str, view: LiveView, **settings: Any) -> Iterator[Closing]:
    """Yield a service over an empty store of a kind, with four units on its roster."""
    with new_location(kind) as location, served(location, view, **settings) as desk:
        assert desk.client.put("/v1/units", json={"units": list(ROSTER)}).status_code == 200
        yield Closing(desk)
