"""A service over a store, with an editor, a second person and a publisher, as a city has them."""

import contextlib
from collections.abc import Iterator
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from api.app import make_app
from api.live_view import LiveView
from api.settings import Settings
from tests.api.call_story import FakeClock
from tests.api.store.engines import new_location
from tests.api.waiting import wait_until


def by(person: str) -> dict[str, Any]:
    return {"operator": {"id": person, "role": "SUPERVISOR"}}


class Workshop:
    """Drafts, approves, publishes and asks over HTTP, in development mode."""

    def __init__(self, client: TestClient, clock: FakeClock, location: str) -> None:
        self.client = client
        self.clock = clock
        self.location = location

    def get(self, path: str) -> Any:
        reply = self.client.get(path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def start(self, name: str = "night", **body: Any) -> Any:
        """Begin a draft of whoever has no credentials, who is called `development`."""
        reply = self.client.put(f"/v1/drafts/{name}", json=body)
        assert reply.status_code == 201, reply.text
        return reply.json()

    def policy(self, old: str, new: str, name: str = "night") -> Response:
        text = self.get(f"/v1/drafts/{name}")["policy"]
        assert old in text
        return self.put_text(text.replace(old, new), name)

    def put_text(self, text: str, name: str = "night", **headers: str) -> Response:
        kind = {"content-type": "application/toml"}
        return self.client.put(
            f"/v1/drafts/{name}/policy", content=text.encode(), headers=kind | headers
        )

    def put_zones(self, zones: Any, name: str = "night") -> Response:
        return self.client.put(f"/v1/drafts/{name}/zones", json=zones)

    def etag(self, name: str = "night") -> str:
        return str(self.client.get(f"/v1/drafts/{name}").headers["etag"])

    def post(self, path: str, body: Any, **headers: str) -> Response:
        return self.client.post(path, json=body, headers=headers)

    def approve(self, name: str = "night", person: str = "eva") -> Response:
        path = f"/v1/drafts/{name}/approve"
        return self.post(path, by(person), **{"if-match": self.etag(name)})

    def publish(self, name: str = "night", **body: Any) -> Response:
        path = f"/v1/drafts/{name}/publish"
        return self.post(path, by("pat") | body, **{"if-match": self.etag(name)})

    def published(self, old: str, new: str, name: str = "night", **body: Any) -> Any:
        """Return a publication of the release in force with one change of its file."""
        self.start(name)
        assert self.policy(old, new, name).status_code == 200
        assert self.approve(name).status_code == 200
        reply = self.publish(name, **body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def live(self) -> Any:
        return self.get("/v1/releases/live")


@contextlib.contextmanager
def workshop(kind: str, view: LiveView, **settings: Any) -> Iterator[Workshop]:
    """Yield a service in development mode over an empty store of a kind."""
    with new_location(kind) as location, served(location, view, FakeClock(), **settings) as made:
        yield made


@contextlib.contextmanager
def served(location: str, view: LiveView, clock: FakeClock, **settings: Any) -> Iterator[Workshop]:
    """Yield a service over a store that may hold something."""
    chosen = {"store": location, "dev": True, "log_level": "error", **settings}
    app = make_app(Settings(**chosen), load=lambda _settings, _stage: view, now=clock)
    with TestClient(app, raise_server_exceptions=False) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200, "the app is ready")
        yield Workshop(client, clock, location)
