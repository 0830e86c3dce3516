"""All collections of a service, and which of them somebody may read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from api.auth.guard import other_role
from api.auth.principal import Principal
from api.closures.features import list_features
from api.desk import Desk
from api.errors import NoSuchCollection
from api.live_view import LiveView
from api.ogc.closures import SORTS, ClosureCollection
from api.ogc.collections import Collection
from api.ogc.drafts import START, DraftCollection
from api.ogc.live import live_collections
from api.releases.draft_rows import list_drafts, read_draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The collections of one view and, where there is one, of the desk; not on the event loop."""

    view: LiveView
    desk: Desk | None
    at: datetime
    """The instant at which closures stand as they are told."""

    def readable(self, by: Principal) -> list[Collection]:
        """Return the collections that somebody may read.

        Raises
        ------
        StoreUnavailable
            The store cannot be reached, so drafts are not known.
        """
        return [one for one in self._all() if not one.about.readers.isdisjoint(by.roles)]

    def find(self, collection_id: str, by: Principal) -> Collection:
        """Return one collection; the store is asked for what is kept there alone.

        Raises
        ------
        NoSuchCollection
            There is none with this id.
        RoleNotAllowed
            The caller may not read it.
        StoreUnavailable
            The store cannot be reached.
        """
        found = self._one(collection_id)
        if found is None:
            raise NoSuchCollection(
                "There is no collection with this id.", remedy="GET /ogc/collections lists them."
            )
        if found.about.readers.isdisjoint(by.roles):
            raise other_role(by, found.about.readers)
        return found

    def _all(self) -> Iterator[Collection]:
        yield from live_collections(self.view)
        if self.desk is not None:
            with self.desk.database.reading() as connection:
                drafts = list_drafts(connection)
                features = list_features(connection, at=self.at)
            yield from (ClosureCollection.of(name, features) for name in SORTS)
            yield from (DraftCollection(draft=draft) for draft in drafts)

    def _one(self, collection_id: str) -> Collection | None:
        for one in live_collections(self.view):
            if one.about.collection_id == collection_id:
                return one
        if self.desk is None:
            return None
        with self.desk.database.reading() as connection:
            if collection_id in SORTS:
                features = list_features(connection, at=self.at)
                return ClosureCollection.of(collection_id, features)
            name = collection_id.removeprefix(START)
            draft = None if name == collection_id else read_draft(connection, name)
        return None if draft is None else DraftCollection(draft=draft)
