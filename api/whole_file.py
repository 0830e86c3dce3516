"""A file that is written whole or not at all."""

import os
from pathlib import Path

from geodata.on_disk import sync


def write_whole(target: Path, content: bytes) -> None:
    """Write a file whole or not at all, whatever interrupts it, and have it on the disk.

    Raises
    ------
    OSError
        It cannot be written; what was there before is there still.
    """
    half = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with half.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(target)
        sync(target.parent)
    finally:
        half.unlink(missing_ok=True)
