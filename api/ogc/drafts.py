"""Drafts of zones as collections: `zones_draft_NAME`, which its owner edits."""

from dataclasses import dataclass
from typing import Any, Final

from shapely.geometry import shape

from api.auth.principal import Principal
from api.auth.roles import EDITS, LOOKS
from api.ogc.collections import About, Feature, Field, Shape
from api.ogc.layers import Layer
from api.ogc.live import ZONE_FIELDS
from api.releases.draft_zones import (
    create_zone,
    delete_zone,
    replace_zone,
    update_zone,
    zone_features,
)
from api.releases.drafts import Draft
from api.store.writer import Transaction

START: Final = "zones_draft_"
FIELDS: Final = (*ZONE_FIELDS, Field(name="note", title="Note for editors"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftCollection:
    """The zones of one draft as it was when it was looked up."""

    draft: Draft

    @property
    def about(self) -> About:
        """What it says of itself."""
        return About(
            collection_id=f"{START}{self.draft.name}",
            title=f"Draft {self.draft.name}",
            description="Zones that are being worked on; nothing is decided by them until the "
            "draft is published.",
            shape=Shape.AREA,
            fields=FIELDS,
            readers=LOOKS,
            writers=EDITS,
        )

    def layer(self) -> Layer:
        """Return its zones, in the order in which they stand in the draft."""
        features = zone_features(self.draft)

        def properties(row: int) -> dict[str, Any]:
            told = features[row]["properties"]
            return {field.name: told.get(field.name) for field in FIELDS}

        return Layer.of(
            [one["id"] for one in features],
            [shape(one["geometry"]) for one in features],
            properties,
        )

    def may_edit(self, by: Principal) -> bool:
        """Tell whether it is somebody's own."""
        return self.draft.owner == by.key_id

    def create(self, tx: Transaction, feature: Feature, by: Principal) -> str:
        """Add a zone and return its zone_id; this and the others raise what `draft_zones` does."""
        return create_zone(tx, self.draft.name, feature, by.key_id)

    def replace(self, tx: Transaction, feature_id: str, feature: Feature, by: Principal) -> None:
        """Put a zone in the place of another."""
        replace_zone(tx, self.draft.name, feature_id, feature, by.key_id)

    def update(self, tx: Transaction, feature_id: str, patch: Feature, by: Principal) -> None:
        """Change parts of a zone."""
        update_zone(tx, self.draft.name, feature_id, patch, by.key_id)

    def delete(self, tx: Transaction, feature_id: str, by: Principal) -> None:
        """Remove a zone."""
        delete_zone(tx, self.draft.name, feature_id, by.key_id)
