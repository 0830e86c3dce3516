"""A draft: a release that somebody works on, before it is published.

What lives here: `Draft` and what follows from it alone. What does not: where drafts are kept
(`draft_rows`), and what may be done with them (`draft_writes`, `draft_zones`).
"""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

DIGEST_DIGITS: Final = 32
ZONES_FILE: Final = "zones.geojson"
"""What the release file of a draft calls its zones."""
NAME_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
Feature = dict[str, Any]


class Content(Struct, frozen=True, kw_only=True):
    """What a release is made of."""

    text: str
    """The release file (TOML); its zones stand in `zones`."""
    zones: str
    """GeoJSON FeatureCollection in WGS 84 degrees."""

    @property
    def digest(self) -> str:
        """Names the content: what is decided, whoever wrote it and whatever it is called."""
        both = b"\0".join((self.text.encode(), self.zones.encode()))
        return hashlib.sha256(both).hexdigest()[:DIGEST_DIGITS]


class Draft(Struct, frozen=True, kw_only=True):
    """One draft as it is kept."""

    name: str
    owner: str
    """Who made it, and alone may change it."""
    base_key: str
    """The key of the release that it was made from."""
    content: Content
    version: int
    """From 1, or beyond those of an earlier draft of the name; one more with each change."""
    note: str
    created_at: datetime
    changed_at: datetime
    editors: tuple[str, ...]
    """Who made and changed it."""
    approved_by: str | None = None
    approved_digest: str | None = None
    """Of the content that was approved."""

    @property
    def digest(self) -> str:
        """Names the content."""
        return self.content.digest

    @property
    def etag(self) -> str:
        """As HTTP names this version."""
        return f'"{self.name}-v{self.version}"'

    @property
    def is_approved(self) -> bool:
        """Whether the content is the one that somebody else has approved."""
        return self.approved_by is not None and self.approved_digest == self.digest

    @property
    def n_zones(self) -> int:
        """How many zones it has, without reading them: `zones_text` has written all of them."""
        return self.content.zones.count('"type":"Feature"')

    def features(self) -> list[Feature]:
        """Return its zones as GeoJSON features, in the order in which they stand."""
        found: list[Feature] = json.loads(self.content.zones)["features"]
        return found


def zones_text(features: Sequence[Feature]) -> str:
    """Return features as the text of a FeatureCollection, a feature on a line."""
    lines = ",\n".join(
        json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in features
    )
    return f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'
