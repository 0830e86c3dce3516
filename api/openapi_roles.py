"""What the API description says of credentials: the scheme, and who may use each operation."""

from collections.abc import Mapping
from typing import Any, Final

from api.answer_schemas import ProblemAnswer
from api.auth.roles import DECLARED, PUBLIC, Address, Roles, names_of
from api.errors import PROBLEM_TYPE

SCHEME: Final = "bearer"
SCHEMES: Final = {
    SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key made by `tandem keys create`, or a token of the city's identity "
        "provider.",
    }
}
REFUSALS: Final = {
    "401": "No credentials, or they are not valid, expired or revoked; see `code`.",
    "403": "The credentials have none of the operation's roles, or may not assert the operator's.",
}
OPEN_NOTE: Final = (
    "\n**Development mode**: this service asks nobody for credentials. The roles of an operation "
    "are those that it would ask for.\n"
)


def describe_roles(
    document: dict[str, Any],
    reference: str,
    *,
    is_open: bool,
    declared: Mapping[Address, Roles] = DECLARED,
) -> None:
    """Say of each operation who may use it, and what is answered to others.

    Parameters
    ----------
    reference
        The place of a model by its name.
    is_open
        Development mode, in which nobody is refused.
    """
    roles_of = {(method, path.replace(":path}", "}")): r for (method, path), r in declared.items()}
    problem = {"schema": {"$ref": reference.format(model=ProblemAnswer.__name__)}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            roles = roles_of[method.upper(), path]
            told = "Anybody." if roles == PUBLIC else f"Roles: {names_of(roles)}."
            operation["description"] = f"{operation['description']}\n\n{told}"
            if roles != PUBLIC and not is_open:
                operation["security"] = [{SCHEME: []}]
                operation["responses"] |= {
                    status: {"description": meaning, "content": {PROBLEM_TYPE: problem}}
                    for status, meaning in REFUSALS.items()
                }
    if is_open:
        document["info"]["description"] += OPEN_NOTE
    else:
        document["components"]["securitySchemes"] = SCHEMES
