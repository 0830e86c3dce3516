"""The roles, and the one table of which of them may use which address.

Deny by default: an address that is not in the table is refused, whoever asks, and an app that has
one does not start (`require_declared`). Who adds a route adds its row, here and in
docs/security.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from starlette.routing import BaseRoute, Route

from api.errors import StartError


class Role(StrEnum):
    """What a key or a token is for. None includes another: a key may have several."""

    CAD = "cad"
    """The dispatch center's CAD: asks, and is the master of calls, units and positions."""
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"
    SPD_SERGEANT = "spd-sergeant"
    ANALYST = "analyst"
    """Figures and studies; no live call."""
    GIS_EDITOR = "gis-editor"
    """Drafts of zones."""
    GIS_PUBLISHER = "gis-publisher"
    """Publishes what another person drafted."""
    AUDITOR = "auditor"
    """Reads everything, writes nothing."""
    ADMIN = "admin"
    """The service itself: keys, figures; decides about no call."""


Roles = frozenset[Role]
Address = tuple[str, str]
"""Method and path as the route declares it, such as ("GET", "/v1/units/{unit_id:path}")."""

PUBLIC: Final[Roles] = frozenset()
"""Anybody, without credentials: probes of load balancers. An empty set, so no role is in it."""

EVERY_ROLE: Final[Roles] = frozenset(Role)
DESK: Final[Roles] = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.SPD_SERGEANT})
ASKS: Final[Roles] = DESK | {Role.CAD}
READS: Final[Roles] = ASKS | {Role.AUDITOR}
"""Live calls and units: a place can be a home, so neither analysts nor editors of zones."""
DRAWS: Final[Roles] = frozenset({Role.GIS_EDITOR, Role.DISPATCHER, Role.SUPERVISOR})
"""Proposes closures; who edits which features of /ogc, each collection says itself."""
CLOSES: Final[Roles] = frozenset({Role.GIS_PUBLISHER, Role.DISPATCHER, Role.SUPERVISOR})
"""Activates and ends them."""
READS_CLOSURES: Final[Roles] = READS | DRAWS | CLOSES
REPORTS: Final[Roles] = frozenset({Role.CAD})
FIGURES: Final[Roles] = frozenset({Role.ANALYST, Role.AUDITOR, Role.SUPERVISOR, Role.ADMIN})
EDITS: Final[Roles] = frozenset({Role.GIS_EDITOR})
APPROVES: Final[Roles] = frozenset({Role.GIS_PUBLISHER, Role.SUPERVISOR})
PUBLISHES: Final[Roles] = frozenset({Role.GIS_PUBLISHER})
STUDIES: Final[Roles] = frozenset({Role.ANALYST, Role.SUPERVISOR, Role.ADMIN})
"""Runs coverage studies, which know no live call."""
LOOKS: Final[Roles] = EDITS | APPROVES | {Role.AUDITOR}
"""Who reads drafts and releases."""

DECLARED: Final[Mapping[Address, Roles]] = MappingProxyType(
    {
        ("GET", "/healthz"): PUBLIC,
        ("GET", "/readyz"): PUBLIC,
        ("GET", "/openapi.json"): EVERY_ROLE,
        ("HEAD", "/openapi.json"): EVERY_ROLE,
        ("GET", "/metrics"): FIGURES,
        ("GET", "/v1/network"): EVERY_ROLE,
        ("POST", "/v1/recommend-units"): ASKS,
        ("POST", "/v1/recommend-units/batch"): ASKS,
        ("PUT", "/v1/incidents/{incident_id:path}"): REPORTS,
        ("GET", "/v1/incidents/{incident_id:path}"): READS,
        ("GET", "/v1/alerts"): READS,
        ("POST", "/v1/alerts/{alert_id}/acknowledge"): ASKS,
        ("GET", "/v1/events"): READS,
        ("POST", "/v1/recommendations/{recommendation_id}/confirm"): ASKS,
        ("GET", "/v1/recommendations/{recommendation_id}"): READS,
        ("GET", "/v1/claims"): READS,
        ("GET", "/v1/claims/{claim_id}"): READS,
        ("POST", "/v1/claims/{claim_id}/release"): ASKS,
        ("POST", "/v1/incidents/{incident_id:path}/override"): ASKS,
        ("POST", "/v1/incidents/{incident_id:path}/scene-safe"): ASKS,
        ("POST", "/v1/units/{unit_id:path}/status"): REPORTS,
        ("GET", "/v1/measures/daily"): FIGURES,
        ("GET", "/v1/public/measures"): PUBLIC,
        ("GET", "/v1/pending"): READS,
        ("GET", "/v1/drafts"): LOOKS,
        ("GET", "/v1/drafts/{name}"): LOOKS,
        ("PUT", "/v1/drafts/{name}"): EDITS,
        ("DELETE", "/v1/drafts/{name}"): EDITS | {Role.ADMIN},
        ("PUT", "/v1/drafts/{name}/policy"): EDITS,
        ("PUT", "/v1/drafts/{name}/zones"): EDITS,
        ("POST", "/v1/drafts/{name}/import"): EDITS,
        ("GET", "/v1/drafts/{name}/check"): LOOKS,
        ("GET", "/v1/drafts/{name}/diff"): LOOKS,
        ("POST", "/v1/drafts/{name}/approve"): APPROVES,
        ("POST", "/v1/drafts/{name}/publish"): PUBLISHES,
        ("GET", "/v1/releases"): LOOKS,
        ("GET", "/v1/releases/live"): LOOKS,
        ("POST", "/v1/releases/rollback"): PUBLISHES,
        ("POST", "/v1/releases/{number}/withdraw"): PUBLISHES,
        ("GET", "/v1/releases/{key:path}"): LOOKS,
        ("GET", "/v1/studies"): STUDIES,
        ("POST", "/v1/studies"): STUDIES,
        ("GET", "/v1/studies/{study_id}"): STUDIES,
        ("POST", "/v1/studies/{study_id}/cancel"): STUDIES,
        ("GET", "/v1/studies/{study_id}/files/{name}"): STUDIES,
        ("GET", "/ogc"): EVERY_ROLE,
        ("GET", "/ogc/"): EVERY_ROLE,
        ("GET", "/ogc/conformance"): EVERY_ROLE,
        ("GET", "/ogc/api"): EVERY_ROLE,
        ("GET", "/ogc/collections"): EVERY_ROLE,
        ("GET", "/ogc/collections/{collection_id}"): EVERY_ROLE,
        ("GET", "/ogc/collections/{collection_id}/schema"): EVERY_ROLE,
        ("GET", "/ogc/collections/{collection_id}/items"): EVERY_ROLE,
        ("OPTIONS", "/ogc/collections/{collection_id}/items"): EVERY_ROLE,
        ("POST", "/ogc/collections/{collection_id}/items"): DRAWS,
        ("GET", "/ogc/collections/{collection_id}/items/{feature_id:path}"): EVERY_ROLE,
        ("OPTIONS", "/ogc/collections/{collection_id}/items/{feature_id:path}"): EVERY_ROLE,
        ("PUT", "/ogc/collections/{collection_id}/items/{feature_id:path}"): DRAWS,
        ("PATCH", "/ogc/collections/{collection_id}/items/{feature_id:path}"): DRAWS,
        ("DELETE", "/ogc/collections/{collection_id}/items/{feature_id:path}"): DRAWS,
        ("GET", "/v1/closures"): READS_CLOSURES,
        ("POST", "/v1/closures"): DRAWS,
        ("GET", "/v1/closures/{closure_id}"): READS_CLOSURES,
        ("PUT", "/v1/closures/{closure_id}"): DRAWS,
        ("DELETE", "/v1/closures/{closure_id}"): DRAWS,
        ("POST", "/v1/closures/{closure_id}/activate"): CLOSES,
        ("POST", "/v1/closures/{closure_id}/end"): CLOSES,
        ("GET", "/v1/units"): READS,
        ("PUT", "/v1/units"): REPORTS,
        ("POST", "/v1/units/positions"): REPORTS,
        ("GET", "/v1/units/{unit_id:path}"): READS,
        ("PUT", "/v1/units/{unit_id:path}"): REPORTS,
        ("DELETE", "/v1/units/{unit_id:path}"): REPORTS,
    }
)
"""Every address of the service and who may use it."""


def addresses_of(routes: Iterable[BaseRoute]) -> list[Address]:
    """Return the methods and paths that routes serve, in their order."""
    return [
        (method, route.path)
        for route in routes
        if isinstance(route, Route)
        for method in sorted(route.methods or ())
    ]


def require_declared(
    routes: Sequence[BaseRoute], declared: Mapping[Address, Roles] = DECLARED
) -> None:
    """Refuse to serve a route of which nobody said who may use it, or a row without a route.

    Raises
    ------
    StartError
        The table and the routes differ.
    """
    served = set(addresses_of(routes))
    silent = [route for route in routes if not isinstance(route, Route)]
    missing = [" ".join(one) for one in sorted(served - declared.keys())]
    missing += [repr(route) for route in silent]
    stale = [" ".join(one) for one in sorted(declared.keys() - served)]
    if missing or stale:
        raise StartError(
            "The table of roles differs from the routes"
            + (f"; without roles: {', '.join(missing)}" if missing else "")
            + (f"; roles without a route: {', '.join(stale)}" if stale else "")
            + ".",
            remedy="Every route has its row in DECLARED (api/auth/roles.py), and each row a route.",
        )


def names_of(roles: Iterable[Role]) -> str:
    """Return roles as a sentence lists them, in the order of their declaration."""
    wanted = frozenset(roles)
    return ", ".join(role.value for role in Role if role in wanted)
