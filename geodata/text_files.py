"""Text files that should be UTF-8: on which line one is not.

What lives here: `line_not_utf8`. What does not: reading tables (`call_history`).
"""

import gzip
import zlib
from pathlib import Path
from typing import Final

BYTES_READ_MAX: Final = 200_000_000
"""How far a wrong byte is looked for."""


def line_not_utf8(file: Path) -> int | None:
    """Return the first line, from 1, that is not UTF-8; None where none is found."""
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            seen = 0
            for number, line in enumerate(lines, 1):
                seen += len(line)
                if seen > BYTES_READ_MAX:
                    return None
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError:
                    return number
    except (OSError, EOFError, zlib.error):
        pass
    return None
