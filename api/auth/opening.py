"""What the settings say of credentials: the gate of a service, and whether it may be served."""

import ipaddress
from typing import Final

from api.auth.guard import Gate
from api.auth.key_set import KeySet, keys_in, read_source, require_safe
from api.auth.keys import KeyStore
from api.auth.ring import KeyRing
from api.auth.tokens import TokenRules, Tokens
from api.errors import StartError
from api.settings import Settings

CREATE: Final = "tandem keys create --label CAD --role cad --asserts DISPATCHER --store tandem.db"


def make_gate(settings: Settings, keys: KeyStore) -> Gate:
    """Return what lets requests pass, with what the settings name; it knows no key yet.

    Raises
    ------
    StartError
        Some settings of the identity provider are there and others are not.
    """
    return Gate(KeyRing(keys), make_tokens(settings), is_open=settings.dev)


def make_tokens(settings: Settings) -> Tokens | None:
    """Return what reads the provider's tokens, or None without a provider.

    Raises
    ------
    StartError
        Issuer, audience and JWKS are not all given, or the address is not safe.
    """
    issuer, audience, jwks = settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks
    if not issuer and not audience and not jwks:
        return None
    if not issuer or not audience or not jwks:
        raise StartError(
            "Some settings of the identity provider are missing.",
            remedy="Set TANDEM_OIDC_ISSUER, TANDEM_OIDC_AUDIENCE and TANDEM_OIDC_JWKS, or none.",
        )
    if "://" in jwks:
        require_safe(jwks)
    rules = TokenRules(issuer=issuer, audience=audience, roles_claim=settings.oidc_roles_claim)
    return Tokens(rules, KeySet(jwks))


def require_credentials(settings: Settings, has_live_key: bool) -> None:
    """Refuse to serve where nothing would open: neither a live key nor an identity provider.

    Raises
    ------
    StartError
        Nobody could be let in, or the file of the provider's keys cannot be used.
    """
    if settings.dev:
        return
    if make_tokens(settings) is None:
        if not has_live_key:
            raise StartError(
                "Nobody could be let in: there is no live API key and no identity provider.",
                remedy=f"Make a key: {CREATE}\n"
                "and serve with the same --store. To try the service on this machine without "
                "credentials: tandem serve --dev",
            )
    elif settings.oidc_jwks and "://" not in settings.oidc_jwks:
        try:
            keys_in(read_source(settings.oidc_jwks))
        except OSError as error:
            raise StartError(
                f"TANDEM_OIDC_JWKS: {settings.oidc_jwks} cannot be read: {error.strerror}.",
                remedy="Name the file with what the provider publishes at its `jwks_uri`.",
            ) from None


def require_reach(settings: Settings, *, allow_remote: bool) -> None:
    """Refuse to be reachable from other machines unless somebody wants it, and asks who comes.

    Raises
    ------
    StartError
        The host is not a loopback address, and development mode is on or the caller did not insist.
    """
    host = settings.host
    if is_loopback(host):
        return
    if settings.dev:
        raise StartError(
            f"Host '{host}' can be reached from other machines, and development mode asks for no "
            "credentials: anybody there could ask for recommendations and change the roster.",
            remedy="Use 127.0.0.1, or leave --dev and TANDEM_DEV away and make a key: " + CREATE,
        )
    if not allow_remote:
        raise StartError(
            f"Host '{host}' can be reached from other machines, and the service itself speaks "
            "plain HTTP: keys and places would cross the network readable.",
            remedy="Use 127.0.0.1 behind a proxy that ends TLS (docs/security.md), or insist with "
            "--allow-remote.",
        )


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
