"""A service as the command line asks it: over HTTP, with the key of the environment.

What lives here: `Remote`, and refusals in words. What does not: what is asked (`release_work` ...).
The key never is an option, so it stands in no list of processes and no shell history.
"""

import http.client
import json
import os
import urllib.request
from collections.abc import Mapping
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit

from msgspec import Struct

from api.commands.console import notes
from api.errors import StartError
from api.settings import Settings

URL_VARIABLE: Final = "TANDEM_URL"
KEY_VARIABLE: Final = "TANDEM_KEY"
WAIT_S: Final = 60.0
ANSWER_BYTES_MAX: Final = 200_000_000
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
JSON: Final = "application/json"


COMMANDS: Final[Mapping[str, str]] = {
    "GET /v1/drafts/{name}/check": "`tandem release draft NAME`",
    "POST /v1/drafts/{name}/approve": "`tandem release approve NAME`",
    "PUT /v1/drafts/{name}/zones": "`tandem release draft NAME --zones FILE`",
    "GET /v1/drafts": "`tandem release draft`",
    "GET /v1/releases": "`tandem release history`",
    "by release_key": "by its key",
    "send `replaces` with the key that is in force": "give --replaces with the key that is in "
    "force (`tandem release history`)",
    "send If-Match with its ETag": "give its number with --version",
    "GET /v1/closures": "`tandem closures list`",
}
"""What a service names by its address, the longest first, as the command line has it."""


def in_commands(text: str) -> str:
    """Return what a service says with commands in the place of addresses."""
    for address, command in COMMANDS.items():
        text = text.replace(address, command)
    return text


class Refused(StartError):
    """What a service has refused, in its own words."""

    code = "REFUSED"
    title = "The service refused"

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        detail = str(problem.get("detail") or f"The service answered {status}.")
        remedy = str(problem.get("remedy") or "")
        lines = [in_commands(detail)]
        for one in problem.get("errors", ()):
            said = str(one.get("detail") or "")
            more = "" if one.get("remedy") in (None, remedy) else f" {one['remedy']}"
            if more or said.rstrip(".") not in detail:
                lines.append(in_commands(f"  {one.get('path') or 'request'}: {said}{more}"))
        super().__init__("\n".join(lines), remedy=in_commands(remedy))
        self.status = status
        self.refusal = str(problem.get("code") or "")


class Answer(Struct, frozen=True, kw_only=True):
    """What came back."""

    status: int
    said: Any
    """Of JSON."""
    etag: str | None = None


class _Stays(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the key is for one service."""

    def redirect_request(self, *_told: Any, **_how: Any) -> None:
        return None


class Remote:
    """One service.

    Raises
    ------
    StartError
        The address is none.
    """

    def __init__(self, url: str | None) -> None:
        chosen = url or os.environ.get(URL_VARIABLE) or _default_url()
        parts = urlsplit(chosen)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise StartError(
                f"{chosen} is no address of a service.",
                remedy=f"Give --url or {URL_VARIABLE} such as {_default_url()}.",
            )
        self.url = chosen.rstrip("/")
        self._key = os.environ.get(KEY_VARIABLE)
        if self._key and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            notes.print(f"The key goes to {parts.hostname} in plain text; use https.", markup=False)
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stays)

    def get(self, path: str) -> Answer:
        """Return what the service says at an address; raises what `ask` does."""
        return self.ask("GET", path)

    def send(self, method: str, path: str, said: Any, **headers: str) -> Answer:
        """Send JSON; raises what `ask` does."""
        return self.ask(
            method, path, json.dumps(said).encode(), **{"content-type": JSON, **headers}
        )

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Ask once.

        Raises
        ------
        Refused
            The service says no, and why.
        StartError
            It cannot be reached, or is no service of ours.
        """
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._key:
            told["authorization"] = f"Bearer {self._key}"
        # The scheme was looked at when this was made.
        asked = urllib.request.Request(self.url + path, body, told, method=method)  # noqa: S310
        try:
            with self._opener.open(asked, timeout=WAIT_S) as response:
                content, etag = response.read(ANSWER_BYTES_MAX), response.headers.get("etag")
                return Answer(status=response.status, said=_parsed(content), etag=etag)
        except HTTPError as refused:
            with refused:
                raise Refused(refused.code, _problem(refused.read(ANSWER_BYTES_MAX))) from None
        except (URLError, OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise StartError(
                f"No service answers at {self.url} ({reason}).",
                remedy=f"Start one with `tandem serve`, or name it with --url or {URL_VARIABLE}.",
            ) from None


def in_path(name: str) -> str:
    """Return a name as it may stand in an address."""
    return quote(name, safe="")


def _default_url() -> str:
    return f"http://127.0.0.1:{Settings.model_fields['port'].default}"


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        raise StartError("What answers there is no service of Tandem.") from None


def _problem(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
