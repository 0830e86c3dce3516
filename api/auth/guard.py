"""Before every request: who asks, and may they? A plain ASGI layer that costs microseconds.

A request is refused before any of its body is read. Deny by default: what nobody declared
(`roles.DECLARED`) nobody may use. No answer repeats what a caller sent.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import BaseRoute, Match, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from api.auth.principal import DEVELOPMENT, PRINCIPAL, Principal
from api.auth.ring import KEY_START, KeyRing
from api.auth.roles import DECLARED, PUBLIC, Address, Roles, names_of
from api.auth.tokens import Tokens
from api.caller import CALLER
from api.error_answers import problem_response
from api.errors import (
    CredentialsMissing,
    CredentialsRefused,
    Forbidden,
    NoRolesDeclared,
    RoleNotAllowed,
    TandemError,
    Unauthorized,
)
from api.log import fault_place

CREDENTIALS_BYTES_MAX: Final = 8_192
REFRESH_S: Final = 0.5
"""How often the store is asked; a revocation takes effect within this and one query."""
_BEARER: Final = b"bearer "
_CHALLENGE: Final = 'Bearer realm="tandem"'
_REMEDY: Final = "Send the header Authorization: Bearer KEY, with a key of `tandem keys create`."
MODE_HEADER: Final = (b"tandem-mode", b"development")


class Gate:
    """What one service lets pass.

    Parameters
    ----------
    is_open
        Development mode: nobody is asked who they are, and everybody may assert any operator role.
    """

    def __init__(
        self,
        ring: KeyRing,
        tokens: Tokens | None = None,
        *,
        declared: Mapping[Address, Roles] = DECLARED,
        routes: Sequence[BaseRoute] = (),
        is_open: bool = False,
    ) -> None:
        self.ring = ring
        self.tokens = tokens
        self.routes = routes
        self.is_open = is_open
        self.is_current = True
        """Whether the last look at the keys succeeded."""
        self._plain: dict[Address, Roles] = {}
        self._patterns: list[tuple[str, Any, Roles]] = []
        for (method, path), roles in declared.items():
            self.declare(method, path, roles)

    def declare(self, method: str, path: str, roles: Roles) -> None:
        """Say who may use an address; those declared first are matched first, as routes are."""
        if "{" in path:
            self._patterns.append((method, compile_path(path)[0], roles))
        else:
            self._plain[method, path] = roles

    def admit(self, scope: Scope) -> None:
        """Let a request pass, with its principal, or refuse it.

        Raises
        ------
        Unauthorized
            Nobody knows who asks.
        Forbidden
            Who asks may not do this.
        """
        roles = self.roles_at(scope["method"], scope["path"])
        if roles == PUBLIC:
            return
        principal = DEVELOPMENT if self.is_open else self._principal(scope["headers"])
        scope[PRINCIPAL] = principal
        CALLER.set(principal.key_id)
        if roles is None:
            self._refuse_undeclared(scope)
        elif roles.isdisjoint(principal.roles):
            raise other_role(principal, roles)

    def still_admits(self, scope: Scope) -> bool:
        """Tell whether a request that lasts, such as a stream, would be let pass now."""
        try:
            self.admit(scope)
        except (Unauthorized, Forbidden):
            return False
        return True

    def roles_at(self, method: str, path: str) -> Roles | None:
        """Return who may use an address, or None where nobody said so."""
        plain = self._plain.get((method, path))
        if plain is not None:
            return plain
        for wanted, pattern, roles in self._patterns:
            if wanted == method and pattern.match(path):
                return roles
        return None

    def _principal(self, headers: Sequence[tuple[bytes, bytes]]) -> Principal:
        given = [value for name, value in headers if name == b"authorization"]
        if not given:
            raise CredentialsMissing("The request says not who asks.", remedy=_REMEDY)
        value = given[0]
        if len(given) > 1 or len(value) > CREDENTIALS_BYTES_MAX or value[:7].lower() != _BEARER:
            raise CredentialsRefused("The header Authorization is not usable.", remedy=_REMEDY)
        text = value[7:]
        if text.startswith(KEY_START):
            return self.ring.principal(text)
        if self.tokens is None:
            raise CredentialsRefused("This is no key of this service.", remedy=_REMEDY)
        return self.tokens.principal(text)

    def _refuse_undeclared(self, scope: Scope) -> None:
        """Refuse an address that a route serves; where none does, the router says so."""
        if any(route.matches(dict(scope))[0] is Match.FULL for route in self.routes):
            raise NoRolesDeclared(
                "No role may use this address.",
                remedy="Whoever added the route declares its roles in api/auth/roles.py.",
            )

    def refresh(self) -> None:
        """Learn of new and revoked keys, and of the keys of tokens; not on the event loop."""
        try:
            self.ring.refresh()
        finally:
            if self.tokens is not None:
                self.tokens.refresh()

    def degraded(self) -> Iterator[str]:
        """Yield what asks for less, or knows less, than it should, as code words."""
        if self.is_open:
            yield "DEVELOPMENT_MODE"
        elif not self.is_current:
            yield "KEYS_NOT_CURRENT"


def other_role(principal: Principal, roles: Roles) -> RoleNotAllowed:
    """Return the refusal of a caller who has none of the roles that are asked for."""
    return RoleNotAllowed(
        f"This needs one of the roles {names_of(roles)}; "
        f"these credentials have {names_of(principal.roles) or 'none'}.",
        remedy="Use credentials with one of these roles; docs/security.md has the table.",
    )


def refusal(error: TandemError) -> Response:
    """Return a refusal as an answer, with the challenge that RFC 6750 asks for."""
    challenge = _CHALLENGE
    if not isinstance(error, CredentialsMissing):
        is_unknown = isinstance(error, Unauthorized)
        challenge += f', error="{"invalid_token" if is_unknown else "insufficient_scope"}"'
    return problem_response(error, {"www-authenticate": challenge})


class Guarded:
    """Lets pass what the gate lets pass, and answers the rest itself."""

    def __init__(self, app: ASGIApp, *, gate: Gate) -> None:
        self.app = app
        self.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            try:
                self.gate.admit(scope)
            except TandemError as error:
                await refusal(error)(scope, receive, send)
                return
        elif scope["type"] != "lifespan":  # a socket, which nothing here serves
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)


class Marked:
    """Says in every answer that the service is in development mode."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self.app(scope, receive, partial(_send_marked, send))


async def _send_marked(send: Send, message: Message) -> None:
    if message["type"] == "http.response.start":
        message = {**message, "headers": [*message.get("headers", ()), MODE_HEADER]}
    await send(message)


@asynccontextmanager
async def kept_current(gate: Gate, log: FilteringBoundLogger) -> AsyncIterator[None]:
    """Keep a gate informed while the service runs; it is informed once before the first request."""
    await _refresh(gate, log)
    task = asyncio.create_task(_refresh_again(gate, log))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _refresh_again(gate: Gate, log: FilteringBoundLogger) -> None:
    while True:
        await asyncio.sleep(REFRESH_S)
        await _refresh(gate, log)


async def _refresh(gate: Gate, log: FilteringBoundLogger) -> None:
    try:
        await asyncio.to_thread(gate.refresh)
        gate.is_current = True
    except Exception as error:  # noqa: BLE001  what is known goes on being used; the next may work
        if gate.is_current:  # once, not twice a second
            gate.is_current = False
            log.warning("keys_not_refreshed", kind=type(error).__name__, place=fault_place(error))
