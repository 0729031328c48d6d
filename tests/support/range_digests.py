"""What a COVERAGE entry says of its records' bytes, worked out by itself."""

import hashlib
from collections.abc import Iterable


def range_digest(salt: bytes, values: Iterable[bytes | None]) -> bytes:
    """SHA-256 of salt, then of each record its length in 4 bytes and its value; ffffffff for no value."""
    text = salt.hex()
    for value in values:
        text += "ffffffff" if value is None else f"{len(value):08x}{value.hex()}"
    return hashlib.sha256(bytes.fromhex(text)).digest()
