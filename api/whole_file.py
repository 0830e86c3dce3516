"""A file that is written whole or not at all."""

import os
from pathlib import Path


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
        sync_folder(target.parent)
    finally:
        half.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have on the disk what was renamed in a folder."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
