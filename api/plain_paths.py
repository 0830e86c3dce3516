"""Addresses that no id can be in: refused before anything is looked up by them.

A store cannot keep every text that an address may spell: PostgreSQL refuses a zero byte, and an id
of some thousand characters does not fit its indexes, which looks like a store that is down.
"""

import re
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from api.error_answers import problem_response
from api.errors import NoSuchPage

PATH_CHARACTERS_MAX: Final = 256
"""An id has 64 at the most (`api.request_schemas.Id`), and no control characters."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class PlainPaths:
    """The layer that answers 404 for such an address."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not is_plain(scope["path"]):
            error = NoSuchPage(
                "There is nothing at this address.",
                remedy="Ids have 1 to 64 characters and no control characters.",
            )
            await problem_response(error)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def is_plain(path: str) -> bool:
    """Tell whether an address may hold an id that can be kept."""
    return len(path) <= PATH_CHARACTERS_MAX and _CONTROL.search(path) is None
