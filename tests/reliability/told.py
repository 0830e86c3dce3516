"""Figures of a test, for a person who runs it at length (`make reliability` shows them)."""

import sys


def tell(said: str) -> None:
    """Write one line; pytest shows it with `-s`, and of a test that fails."""
    sys.stdout.write(f"\n{said}\n")
