"""The real app behind the real ASGI stack, ready once for all tests of a run."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from api.app import make_app
from api.live_view import LiveView, load_view
from api.settings import Settings
from tests.api.waiting import wait_until


@pytest.fixture(scope="session")
def view() -> LiveView:
    """The built-in streets, zone and policy."""
    return load_view(Settings(), lambda _stage: None)


@pytest.fixture(scope="session")
def client(view: LiveView) -> Iterator[TestClient]:
    """A client of the ready app; like a server, it turns a fault of ours into an answer."""
    app = make_app(Settings(log_level="error"), load=lambda _settings, _stage: view)
    with TestClient(app, raise_server_exceptions=False) as made:
        wait_until(lambda: made.get("/readyz").status_code == 200, "the app is ready")
        yield made
