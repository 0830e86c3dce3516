"""Bytes that tell when they are not what was written, and unpack within bounds."""

import zlib
from collections.abc import Callable
from typing import Final, NoReturn

HEAD_BYTES: Final = 8
PLAIN_BYTES_MAX: Final = 64 * 2**20
"""What unpacks to more is refused before it has taken the memory."""

Refuse = Callable[[str], NoReturn]
"""Raises the error of a format, with what is wrong."""


def sealed(content: bytes, magic: bytes, version: int) -> bytes:
    """Return content behind three letters, a version and its CRC-32."""
    return b"".join((magic, bytes([version]), zlib.crc32(content).to_bytes(4, "big"), content))


def unsealed(stored: bytes, magic: bytes, version: int, refuse: Refuse) -> bytes:
    """Return the content of sealed bytes."""
    if len(stored) < HEAD_BYTES or not stored.startswith(magic):
        refuse(f"it does not begin with {magic.decode()}")
    if stored[3] != version:
        refuse(f"its format is {stored[3]}; this software reads {version}")
    content = stored[HEAD_BYTES:]
    if zlib.crc32(content).to_bytes(4, "big") != stored[4:HEAD_BYTES]:
        refuse("its checksum does not fit")
    return content


def inflated(stream: bytes, refuse: Refuse) -> bytes:
    """Return what a zlib stream holds."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(stream, PLAIN_BYTES_MAX)
    except zlib.error as error:
        refuse(str(error))
    if not unpacker.eof or unpacker.unused_data:
        refuse(f"it is cut short, or unpacks to more than {PLAIN_BYTES_MAX:,} bytes")
    return plain
