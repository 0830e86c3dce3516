"""What a collection of features is: what it says of itself, its features, and who may change them.

Live ones are in `live`, drafts of zones in `drafts`, closures in `closures`; `catalogue` knows all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Protocol, runtime_checkable

from api.auth.principal import Principal
from api.auth.roles import EVERY_ROLE, Roles
from api.ogc.layers import Layer
from api.store.writer import Transaction

Feature = Mapping[str, Any]

NOBODY: Final[Roles] = frozenset()


class Shape(StrEnum):
    """The geometries of a collection, as Part 5 names them."""

    POINT = "geometry-point"
    LINE = "geometry-linestring"
    POLYGON = "geometry-polygon"
    AREA = "geometry-polygon-or-multipolygon"
    ANY = "geometry-any"


class Kind(StrEnum):
    """The kind of a property, as JSON Schema names it."""

    TEXT = "string"
    WHOLE = "integer"
    REAL = "number"
    YES_NO = "boolean"
    LIST = "array"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One property of the features of a collection."""

    name: str
    title: str
    kind: Kind = Kind.TEXT
    more: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """More of its JSON Schema, such as {"enum": [...]}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a collection says of itself."""

    collection_id: str
    title: str
    description: str
    shape: Shape
    fields: tuple[Field, ...]
    """The first is the one that holds the id of a feature."""
    readers: Roles = EVERY_ROLE
    writers: Roles = NOBODY
    has_time: bool = False


class Collection(Protocol):
    """Features that can be read."""

    @property
    def about(self) -> About:
        """What it says of itself."""

    def layer(self) -> Layer:
        """Return its features as they are now; not on the event loop."""


@runtime_checkable
class Editable(Collection, Protocol):
    """Features that some may change, each change in a transaction of the one writer."""

    def may_edit(self, by: Principal) -> bool:
        """Tell whether somebody may change them, so that a GIS need not try."""

    def create(self, tx: Transaction, feature: Feature, by: Principal) -> str:
        """Add a feature in CRS84 and return its id."""

    def replace(self, tx: Transaction, feature_id: str, feature: Feature, by: Principal) -> None:
        """Put a feature in the place of another."""

    def update(self, tx: Transaction, feature_id: str, patch: Feature, by: Principal) -> None:
        """Change parts of a feature: a JSON merge patch (RFC 7396)."""

    def delete(self, tx: Transaction, feature_id: str, by: Principal) -> None:
        """Remove a feature."""
