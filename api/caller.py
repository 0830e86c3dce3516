"""Who the request that is being served comes from, for the audit of what it writes."""

from contextvars import ContextVar
from typing import Final

CALLER: Final[ContextVar[str | None]] = ContextVar("caller", default=None)
"""The key_id of the principal, set by the guard; None where the service acts by itself."""
