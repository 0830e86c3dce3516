"""Which operator roles a body asserts, and whether its sender may (rule 17).

A role is asserted by `operator`, who writes, and by each of a call's `overrides`: what a person of
that role decided.
"""

from collections.abc import Iterable, Iterator

from api.auth.principal import Principal, require_operator_roles
from api.request_schemas import IncidentEntry, OperatorEntry
from api.store.records import Operator


def require_asserted(
    by: Principal,
    operator: OperatorEntry | Operator | None,
    incidents: Iterable[IncidentEntry] = (),
) -> None:
    """Refuse a body with an operator role that its sender may not assert.

    Raises
    ------
    OperatorRoleNotAllowed
        One of the roles is not among those that the key may assert.
    """
    if by.asserts is not None:
        require_operator_roles(by, _asserted(operator, incidents))


def _asserted(
    operator: OperatorEntry | Operator | None, incidents: Iterable[IncidentEntry]
) -> Iterator[tuple[str, str]]:
    """Yield where each role stands and the role."""
    if operator is not None:
        yield "/operator/role", operator.role
    for incident in incidents:
        for override in incident.overrides:
            yield "overrides/role", override.role
