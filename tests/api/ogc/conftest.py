"""A service with drafts of two people, each with a key of their own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from api.app import App
from api.auth.keys import NewKey
from api.auth.memory_keys import MemoryKeys
from api.auth.ring import KeyRing
from api.auth.roles import Role
from api.live_view import LiveView
from tests.api.asgi_caller import ready_desk
from tests.api.auth.credentials import key
from tests.api.releases.drawn import new_draft


@dataclass(frozen=True)
class Office:
    """An app whose gate is closed, and the keys to it."""

    app: App
    keys: Mapping[str, NewKey]

    def of(self, name: str) -> dict[str, str]:
        """Return the header of somebody's key."""
        return {"authorization": f"Bearer {self.keys[name].text}"}

    def id_of(self, name: str) -> str:
        return self.keys[name].kept.key_id


@pytest.fixture
def office(view: LiveView) -> Iterator[Office]:
    """Yield an app in which `first` owns the draft `night` and `second` the draft `day`."""
    keys = {"first": key(Role.GIS_EDITOR), "second": key(Role.GIS_EDITOR)}
    keys |= {role.value: key(role) for role in Role}
    with ready_desk(view, log_level="error", dev=False) as app:
        app.state.gate.ring = KeyRing(MemoryKeys(one.kept for one in keys.values()))
        app.state.gate.refresh()
        made = Office(app, keys)
        writer = app.state.service.desk.writer
        new_draft(writer, "night", made.id_of("first"))
        new_draft(writer, "day", made.id_of("second"))
        yield made
