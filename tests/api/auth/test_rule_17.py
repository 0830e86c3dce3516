"""Rule 17 in plain calls, which the mutants of `tests.rule_mutants` must break."""

from collections.abc import Callable
from typing import Any

from starlette.routing import Route

from api.asserted_roles import require_asserted
from api.auth.principal import Principal
from api.auth.ring import KeyRing
from api.auth.roles import Role
from api.errors import TandemError
from api.request_schemas import IncidentEntry, OperatorEntry
from tests.api.auth.credentials import (
    claims,
    expired_key,
    flipped,
    gate_of,
    jwks,
    key,
    provider,
    public,
    revoked,
    rsa_key,
    token,
)
from tests.api.requests_made import REQUEST

RELEASE = {
    "action": "RELEASE_CARE_ALONE", "role": "SPD_SERGEANT", "reason_code": "SUPERVISOR_ORDER",
}  # fmt: skip


def refusal(call: Callable[[], object]) -> str | None:
    """Return the code with which a call is refused, or None."""
    try:
        call()
    except TandemError as error:
        return error.code
    return None


def call(*overrides: dict[str, Any]) -> IncidentEntry:
    said = {**REQUEST["incident"], "overrides": list(overrides)}
    return IncidentEntry.model_validate(said, strict=False)


def test_rule_17_a_key_asserts_the_operator_roles_that_it_declares() -> None:
    def asserting(by: Principal, role: str | None, *overrides: dict[str, Any]) -> str | None:
        operator = None if role is None else OperatorEntry(id="D417", role=role)
        return refusal(lambda: require_asserted(by, operator, [call(), call(*overrides)]))

    by = Principal(key_id="a", roles=frozenset(), asserts=frozenset({"DISPATCHER"}))
    assert asserting(by, "DISPATCHER") is None
    assert asserting(by, None) is None
    assert asserting(by, "SUPERVISOR") == "OPERATOR_ROLE_NOT_ALLOWED"
    assert asserting(by, "DISPATCHER", RELEASE) == "OPERATOR_ROLE_NOT_ALLOWED"
    none = Principal(key_id="b", roles=frozenset(Role))
    assert asserting(none, "DISPATCHER") == "OPERATOR_ROLE_NOT_ALLOWED"


async def _nothing(_request: Any) -> Any:
    """Serve nothing."""


def test_rule_17_an_address_opens_to_its_roles_and_to_nobody_else() -> None:
    cad, auditor = key(Role.CAD), key(Role.AUDITOR)
    gate = gate_of([cad.kept, auditor.kept])
    gate.routes = [Route("/v1/secrets", _nothing, methods=["GET"])]

    def asked(method: str, path: str, *credentials: str) -> str | None:
        headers = [(b"authorization", f"Bearer {one}".encode()) for one in credentials]
        scope = {"type": "http", "method": method, "path": path, "headers": headers}
        return refusal(lambda: gate.admit(scope))

    assert asked("GET", "/healthz") is None
    assert asked("PUT", "/v1/units") == "CREDENTIALS_MISSING"
    assert asked("PUT", "/v1/units", cad.text) is None
    assert asked("PUT", "/v1/units", auditor.text) == "ROLE_NOT_ALLOWED"
    assert asked("PUT", "/v1/units/a/b", auditor.text) == "ROLE_NOT_ALLOWED"
    assert asked("GET", "/v1/units", cad.text, cad.text) == "CREDENTIALS_REFUSED"
    assert asked("GET", "/v1/secrets", cad.text) == "NO_ROLES_DECLARED"


def test_rule_17_a_key_opens_with_its_secret_and_while_it_is_live() -> None:
    good, other, old, gone = key(Role.CAD), key(Role.CAD), expired_key(Role.CAD), key(Role.CAD)
    ring = KeyRing(gate_of([good.kept, other.kept, old.kept, revoked(gone).kept]).ring.store)
    ring.refresh()

    def asked(text: str) -> str | None:
        return refusal(lambda: ring.principal(text.encode()))

    assert asked(good.text) is None
    assert asked(flipped(good.text)) == "CREDENTIALS_REFUSED"
    assert asked(good.text[:17] + other.text[17:]) == "CREDENTIALS_REFUSED"
    assert asked(old.text) == "CREDENTIALS_EXPIRED"
    assert asked(gone.text) == "CREDENTIALS_REVOKED"
    assert asked(flipped(gone.text)) == "CREDENTIALS_REFUSED"


def test_rule_17_a_token_is_of_the_provider_for_this_service_and_for_now() -> None:
    now_s = claims()["iat"] + 3_600

    def asked(**changes: Any) -> str | None:
        return refusal(lambda: provider().principal(token("cad", **changes).encode()))

    assert asked() is None
    assert asked(aud="payroll") == "CREDENTIALS_REFUSED"
    assert asked(iss="https://example.org") == "CREDENTIALS_REFUSED"
    assert asked(exp=now_s - 40) == "CREDENTIALS_EXPIRED"
    assert asked(exp=now_s + 90_000) == "CREDENTIALS_REFUSED"
    assert asked(sub=None) == "CREDENTIALS_REFUSED"
    mail = {**public(rsa_key("mail"), "RS256", "rsa-1"), "use": "enc"}
    others = provider(jwks(mail, public(rsa_key("other"), "RS256", "rsa-2")))
    assert refusal(lambda: others.principal(token("cad").encode())) == "CREDENTIALS_REFUSED"


def test_rule_17_a_log_names_the_key_and_no_person() -> None:
    found = provider().principal(token("dispatcher").encode())
    assert "Jane" not in found.key_id
    assert found.key_id == provider().principal(token("auditor").encode()).key_id
    assert found.asserts == {"DISPATCHER"}
