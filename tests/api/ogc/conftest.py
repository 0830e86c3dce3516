"""A service with drafts of two people, each with a key of their own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from sqlalchemy import delete

from api.app import App
from api.auth.keys import NewKey
from api.auth.memory_keys import MemoryKeys
from api.auth.ring import KeyRing
from api.auth.roles import Role
from api.live_view import LiveView
from api.releases.draft_rows import delete_draft
from api.store.closure_tables import closures
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


@pytest.fixture(scope="module")
def building(view: LiveView) -> Iterator[Office]:
    """Yield an app with its keys."""
    keys = {"first": key(Role.GIS_EDITOR), "second": key(Role.GIS_EDITOR)}
    keys |= {role.value: key(role) for role in Role}
    with ready_desk(view, log_level="error", dev=False) as app:
        app.state.gate.ring = KeyRing(MemoryKeys(one.kept for one in keys.values()))
        app.state.gate.refresh()
        yield Office(app, keys)


@pytest.fixture
def office(building: Office) -> Office:
    """Return the app without closures; `first` owns the draft `night`, `second` owns `day`."""
    writer = building.app.state.service.desk.writer
    for name, who in (("night", "first"), ("day", "second")):
        writer.call(lambda tx, name=name: delete_draft(tx.connection, name))
        new_draft(writer, name, building.id_of(who))
    writer.call(lambda tx: tx.connection.execute(delete(closures)))
    return building
