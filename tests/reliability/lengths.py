"""How long a test of what holds under stress runs: bounded in `make test`, at length on demand."""

import os
from typing import Final

VARIABLE: Final = "TANDEM_RELIABILITY"
IS_LONG: Final = os.environ.get(VARIABLE) == "long"


def length(short: int, long: int) -> int:
    """Return the length for this run: `make reliability` runs the long one."""
    return long if IS_LONG else short
