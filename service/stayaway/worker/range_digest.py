"""The digest of a range's records: one SHA-256 over all of them, whatever batches they came in (pure)."""

import hashlib
from collections.abc import Iterable
from struct import Struct
from typing import Any

_LENGTH = Struct(">I").pack
_NO_VALUE = b"\xff\xff\xff\xff"
"""In the length's place for a record without a value; no value is that long."""


class RangeDigest:
    """SHA-256(salt || length || value || length || value ...), each length in 4 bytes, the highest first.

    It can be read at any record and goes on from there, in this process only: what a hash has taken in
    cannot be written down. Immutable.
    """

    __slots__ = ("_sha256",)

    def __init__(self, sha256: Any) -> None:
        self._sha256 = sha256

    @classmethod
    def begun(cls, salt: bytes) -> "RangeDigest":
        """Before the first record."""
        return cls(hashlib.sha256(salt))

    def after(self, values: Iterable[bytes | None]) -> "RangeDigest":
        """With these records' values."""
        parts = []
        for value in values:
            if value is None:
                parts.append(_NO_VALUE)
            else:
                parts += (_LENGTH(len(value)), value)
        sha256 = self._sha256.copy()
        # All at once: a hash of its own for each record cost twice as much (deploy/benchmarks.md).
        sha256.update(b"".join(parts))
        return RangeDigest(sha256)

    @property
    def value(self) -> bytes:
        """32 bytes, as of the records so far."""
        digest: bytes = self._sha256.digest()
        return digest
