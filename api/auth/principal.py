"""Who is behind a request: the key or token it came with, and what that may do and assert.

A principal is a machine's key or a person's token. An *operator* is the person for whom a CAD acts;
the CAD asserts {id, role} in the body, and its key says which operator roles it may assert.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.auth.roles import EVERY_ROLE, Role, Roles
from api.errors import OperatorRoleNotAllowed, Problem

PRINCIPAL: Final = "tandem.principal"
"""Where a request's scope keeps its principal, once the guard let it pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """What is known of a caller; it holds nothing secret, so it may be logged and audited."""

    key_id: str
    roles: Roles
    asserts: frozenset[str] | None = frozenset()
    """The operator roles it may assert, such as DISPATCHER; None is any (no credentials asked)."""

    def may_assert(self, role: str) -> bool:
        """Tell whether it may say that an operator of this role acts."""
        return self.asserts is None or role in self.asserts


LOCAL: Final = Principal(key_id="local", roles=EVERY_ROLE, asserts=None)
"""The command line, which asks the code and no service."""

DEVELOPMENT: Final = Principal(key_id="development", roles=EVERY_ROLE, asserts=None)
"""Everybody in development mode."""

OWN_OPERATOR_ROLES: Final[Mapping[Role, str]] = {
    Role.DISPATCHER: "DISPATCHER",
    Role.SUPERVISOR: "SUPERVISOR",
    Role.SPD_SERGEANT: "SPD_SERGEANT",
}
"""What a person with a token is at the desk, and so may assert of themselves."""


def principal_of(scope: Mapping[str, Any]) -> Principal:
    """Return who is behind a request that the guard let pass."""
    found = scope[PRINCIPAL]
    assert isinstance(found, Principal)
    return found


def require_operator_roles(by: Principal, told: Iterable[tuple[str, str]]) -> None:
    """Refuse a body in which an operator acts whose role the caller may not assert.

    Parameters
    ----------
    told
        The JSON pointer of each role and the role itself.

    Raises
    ------
    OperatorRoleNotAllowed
        One of the roles is not among those of the key.
    """
    if by.asserts is None:
        return
    remedy = "Use a key that may assert this role: tandem keys create --asserts ROLE."
    refused = [
        Problem(
            path=path,
            code=OperatorRoleNotAllowed.code,
            detail="the key may not assert this operator role",
            remedy=remedy,
        )
        for path, role in told
        if role not in by.asserts
    ]
    if refused:
        may = ", ".join(sorted(by.asserts)) or "none"
        raise OperatorRoleNotAllowed(
            f"{refused[0].path}: this key may not assert this operator role; it may assert {may}.",
            remedy=remedy,
            problems=tuple(refused),
        )
