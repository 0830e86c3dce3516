"""What must outlive a power cut is on the disk.

What lives here: `sync`. What does not: writing (`artifacts`, `api.whole_file`).
"""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Have on the disk what a file holds, or what was renamed in a folder, where the system can."""
    if os.name != "posix":
        return
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
