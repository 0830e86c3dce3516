"""Closures as a collection: those that are proposed or active; a proposed one can be edited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from shapely.geometry import shape

from api.auth.principal import Principal
from api.auth.roles import DRAWS, READS_CLOSURES
from api.closures.features import (
    delete_proposed,
    propose,
    replace_proposed,
    update_proposed,
)
from api.closures.records import ClosureState, Direction
from api.errors import InvalidRequest, Problem
from api.ogc.collections import About, Feature, Field, Kind, Shape
from api.ogc.layers import Layer, Times
from api.ogc.live import INSTANT
from api.store.writer import Transaction
from geodata.closures import Effect, Traffic

ALL: Final = "closures"
FIELDS: Final = (
    Field(name="closure_id", title="Id", more={"readOnly": True}),
    Field(name="name", title="Name"),
    Field(name="note", title="Note"),
    Field(
        name="state",
        title="State",
        more={"enum": [state.value for state in ClosureState], "readOnly": True},
    ),
    Field(name="traffic", title="Closed for", more={"enum": [one.value for one in Traffic]}),
    Field(name="effect", title="What it does", more={"enum": [one.value for one in Effect]}),
    Field(name="direction", title="Way", more={"enum": [one.value for one in Direction]}),
    Field(name="starts_at", title="Starts", more=INSTANT),
    Field(name="ends_at", title="Ends", more=INSTANT),
    Field(name="windows", title="Hours, such as mon,tue 17:30-23:00"),
    Field(name="street", title="Street"),
    Field(name="from_street", title="From street"),
    Field(name="to_street", title="To street"),
    Field(name="version", title="Version", kind=Kind.WHOLE, more={"readOnly": True}),
    Field(name="proposed_by", title="Proposed by", more={"readOnly": True}),
)
DESCRIPTION: Final = (
    "Closures that are proposed or active. What is drawn here is proposed, and closes nothing "
    "until it is activated; only proposed ones can be edited."
)


def _about(collection_id: str, title: str, shape: Shape, note: str) -> About:
    return About(
        collection_id=collection_id,
        title=title,
        description=f"{DESCRIPTION} {note}",
        shape=shape,
        fields=FIELDS,
        readers=READS_CLOSURES,
        writers=DRAWS,
        has_time=True,
    )


SORTS: Final[Mapping[str, tuple[About, frozenset[str]]]] = {
    about.collection_id: (about, kinds)
    for about, kinds in (
        (
            _about(ALL, "Closures", Shape.ANY, "Those that name streets have no geometry."),
            frozenset[str](),
        ),
        (
            _about("closures_points", "Closures, points", Shape.POINT, "Points alone."),
            frozenset({"Point"}),
        ),
        (
            _about("closures_lines", "Closures, lines", Shape.LINE, "Lines alone."),
            frozenset({"LineString"}),
        ),
        (
            _about("closures_areas", "Closures, areas", Shape.POLYGON, "Areas alone."),
            frozenset({"Polygon"}),
        ),
    )
}
"""By the id: what it says of itself, and the geometries that it has; none is all of them. A GIS
draws in a layer of one kind of geometry only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureCollection:
    """The closures of one kind of geometry, or all, as they were when they were looked up."""

    about: About
    features: Sequence[Mapping[str, Any]]
    kinds: frozenset[str]

    @classmethod
    def of(cls, collection_id: str, features: Sequence[Mapping[str, Any]]) -> "ClosureCollection":
        """Return one of the collections of these closures."""
        about, kinds = SORTS[collection_id]
        chosen = [one for one in features if not kinds or _kind(one.get("geometry")) in kinds]
        return cls(about=about, features=chosen, kinds=kinds)

    def layer(self) -> Layer:
        """Return them, in the order in which they were proposed."""
        features = self.features

        def properties(row: int) -> dict[str, Any]:
            told = features[row]["properties"]
            return {field.name: told.get(field.name) for field in FIELDS}

        shapes = [None if one["geometry"] is None else shape(one["geometry"]) for one in features]
        return Layer.of([one["id"] for one in features], shapes, properties, times=_times(features))

    def may_edit(self, _by: Principal) -> bool:
        """Tell whether somebody with the roles may; which closures, each edit finds out."""
        return True

    def create(self, tx: Transaction, feature: Feature, by: Principal) -> str:
        """Propose a closure and return its id; this and the others raise what `features` does."""
        self._require_kind(feature)
        return propose(tx, dict(feature), by.key_id)

    def replace(self, tx: Transaction, feature_id: str, feature: Feature, by: Principal) -> None:
        """Put another in the place of a proposed one."""
        self._require_kind(feature)
        replace_proposed(tx, feature_id, dict(feature), by.key_id)

    def update(self, tx: Transaction, feature_id: str, patch: Feature, by: Principal) -> None:
        """Change parts of a proposed one."""
        if "geometry" in patch:
            self._require_kind(patch)
        update_proposed(tx, feature_id, dict(patch), by.key_id)

    def delete(self, tx: Transaction, feature_id: str, by: Principal) -> None:
        """Take a proposed one away."""
        delete_proposed(tx, feature_id, by.key_id)

    def _require_kind(self, feature: Feature) -> None:
        """Refuse a geometry that would not be seen again in this collection."""
        if self.kinds and _kind(feature.get("geometry")) not in self.kinds:
            detail = f"is no {' or '.join(sorted(self.kinds))}"
            remedy = "Draw it in the collection of its geometry, or in closures, which has all."
            problem = Problem(
                path="/geometry", code="GEOMETRY_INVALID", detail=detail, remedy=remedy
            )
            raise InvalidRequest(f"The geometry {detail}.", remedy=remedy, problems=(problem,))


def _kind(geometry: Any) -> str:
    return str(geometry.get("type")) if isinstance(geometry, Mapping) else ""


def _times(features: Sequence[Mapping[str, Any]]) -> Times:
    return Times(
        from_s=np.array([_second(one, "starts_at", -np.inf) for one in features], np.float64),
        to_s=np.array([_second(one, "ends_at", np.inf) for one in features], np.float64),
    )


def _second(feature: Mapping[str, Any], name: str, otherwise: float) -> float:
    told = feature["properties"][name]
    return otherwise if told is None else datetime.fromisoformat(told).timestamp()
