"""A service asked over HTTP by a command: its address, the key, and refusals in words.

    service = RemoteService.named(url)
    answer = service.ask("POST", "/v1/closures", body)

The key comes from TANDEM_KEY alone: an option would stand in the list of processes.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from types import MappingProxyType
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from api.errors import StartError

DEFAULT_URL: Final = "http://127.0.0.1:8911"
TIMEOUT_S: Final = 60.0
ANSWER_BYTES_MAX: Final = 100_000_000
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class _NoRedirects(HTTPRedirectHandler):
    """A key must not follow where another address points."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteService:
    """Where a service is, and who asks."""

    url: str
    key: str | None = field(default=None, repr=False)

    @classmethod
    def named(cls, url: str | None) -> "RemoteService":
        """Return the service of an option, else of TANDEM_URL, else on this machine.

        Raises
        ------
        StartError
            It is no address of a service.
        """
        chosen = (url or os.environ.get("TANDEM_URL") or DEFAULT_URL).rstrip("/")
        if urlsplit(chosen).scheme not in ("http", "https") or not urlsplit(chosen).hostname:
            raise StartError(
                "The address of the service is none.",
                remedy=f"Give --url or TANDEM_URL such as {DEFAULT_URL}.",
            )
        return cls(url=chosen, key=os.environ.get("TANDEM_KEY") or None)

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = NOTHING
    ) -> Any:
        """Return the JSON of an answer.

        Raises
        ------
        StartError
            The service cannot be reached, or refuses; the message is its own.
        """
        sent = None if body is None else json.dumps(body).encode()
        told = {"accept": "application/json", **headers}
        if sent is not None:
            told["content-type"] = "application/json"
        if self.key is not None:
            told["authorization"] = f"Bearer {self.key}"
        request = Request(self.url + path, sent, told, method=method)  # noqa: S310  http(s) alone
        try:
            with build_opener(_NoRedirects).open(request, timeout=TIMEOUT_S) as answer:
                return json.loads(answer.read(ANSWER_BYTES_MAX) or b"null")
        except HTTPError as error:
            raise _refusal(error.code, error.read(ANSWER_BYTES_MAX)) from None
        except (URLError, OSError, ValueError, HTTPException):
            raise StartError(
                f"The service at {self.url} cannot be reached, or is none of ours.",
                remedy="Start it (tandem serve), or name another with --url or TANDEM_URL.",
            ) from None


def _refusal(status: int, body: bytes) -> StartError:
    """Return what a service said against a request, as it said it."""
    try:
        told = json.loads(body)
        detail, remedy = str(told["detail"]), str(told["remedy"])
    except (ValueError, KeyError, TypeError):
        return StartError(
            f"The service answered {status}.", remedy="Look at what stands before it."
        )
    problems = [f"  {one['path']}: {one['detail']}" for one in told.get("errors", ())[1:]]
    if status == 401:
        remedy += " Put the key into the environment as TANDEM_KEY."
    return StartError("\n".join([detail, *problems]), remedy=remedy)
