"""One port through which names, plates, addresses and payloads pass to and from storage.

Each scope (an order, or SYSTEM_SCOPE) has its own 256-bit key, kept outside the database, so
that destroying one key makes everything of that order unreadable and its references unlinkable.
"""

import base64
import fcntl
import hmac
import json
import os
import secrets
import stat
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from stayaway.kernel.errors import StayawayError
from stayaway.platform.key_table import KeyTable, read_table

# What belongs to no order. Order ids cannot contain "@" (WIRE.md, "id").
SYSTEM_SCOPE = "@system"

_KEY_BYTES = 32
_NONCE_BYTES = 12  # NIST SP 800-38D, 8.2: 96-bit nonces for AES-GCM
_TAG_BYTES = 16
_FORMAT = b"\x01"
BLIND_BITS = 24
_MAX_DERIVED = 20_000
"""Scopes whose derived keys are kept, the last ones; deriving them anew takes some 10 us."""
_TABLE_BYTES = 64_000
"""So much of the keys file read at once becomes a table; less becomes entries of a dict."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class SealError(StayawayError):
    """Something could not be sealed or unsealed. Nothing is ever returned unsealed instead."""


class NoKeyError(SealError):
    """There is no key for the scope: it was destroyed, or belongs to another keys file."""


class Seal(Protocol):
    """Seal and unseal under a scope's key."""

    def ensure(self, scopes: Iterable[str]) -> None:
        """Make sure that each scope has a key, durably, before anything is sealed under it."""

    def lacking(self, scopes: Iterable[str]) -> list[str]:
        """Which of these have no key."""

    def seal(self, scope: str, purpose: str, plaintext: bytes) -> bytes:
        """`plaintext` encrypted and bound to its scope and purpose. SealError without a key."""

    def unseal(self, scope: str, purpose: str, sealed: bytes) -> bytes:
        """What was sealed. SealError for another scope or purpose, changed bytes, or no key."""

    def reference(self, scope: str, text: str) -> bytes:
        """32 bytes that stand for `text` under this scope; equal only for equal text and scope."""

    def blind(self, text: str) -> int:
        """A whole number of `BLIND_BITS` bits that stands for `text` in every scope, to look rows up by.

        So short that other texts have it too: whoever finds a row by it must unseal and compare.
        """


@dataclass(frozen=True, slots=True)
class _ScopeKeys:
    """The two keys derived from a scope's key, so that neither use can weaken the other."""

    cipher: AESGCM
    reference: bytes


def _derive(key: bytes, use: bytes) -> bytes:
    # RFC 5869; the scope's key is uniformly random, so no salt is needed.
    return HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=b"stayaway.v1." + use).derive(key)


def _bound_to(scope: str, purpose: str) -> bytes:
    return b"\0".join((purpose.encode(), scope.encode()))


class FileSeal:
    """Keys in a file of JSON lines {"scope", "key"}; any number of processes may use it at once.

    `ensure` creates the file, with mode 0600; it is refused if anyone else may open it.
    Appends are made under an exclusive lock and reach the disk before `ensure` returns; other processes
    see new keys because the file is read on as soon as it has grown.
    """

    def __init__(self, path: Path, *, must_exist: bool = False) -> None:
        """`must_exist`: looked at now, and never created; for whoever reads what was sealed before."""
        self._path = path
        self.must_exist = must_exist
        self._guard = threading.RLock()
        self._inode: tuple[int, int] | None = None
        self._read_to = 0
        self._tables: list[KeyTable] = []
        self._keys: dict[str, bytes] = {}
        self._derived: OrderedDict[str, _ScopeKeys] = OrderedDict()
        self._blind_key: bytes | None = None
        self._tail: tuple[bytes, dict[str, bytes]] = (b"", {})
        if must_exist:
            self._scope_keys(SYSTEM_SCOPE)

    def ensure(self, scopes: Iterable[str]) -> None:
        """Create the keys that are missing, all in one append; with the first of all that of SYSTEM_SCOPE."""
        wanted = dict.fromkeys((SYSTEM_SCOPE, *scopes))
        if not all(wanted):
            raise SealError("a key's scope is empty")
        with self._guard:
            if all(self._known(scope) is not None for scope in wanted):
                return
            with self._locked() as descriptor:
                self._read_on(descriptor)
                missing = [scope for scope in wanted if self._known(scope) is None]
                if missing:
                    self._append(descriptor, missing)

    def lacking(self, scopes: Iterable[str]) -> list[str]:
        """Which of these have no key in the file."""
        with self._guard:
            missing = [scope for scope in scopes if self._known(scope) is None]
            if missing:
                with self._opened(os.O_RDONLY) as descriptor:
                    self._read_on(descriptor)
            return [scope for scope in missing if self._known(scope) is None]

    def seal(self, scope: str, purpose: str, plaintext: bytes) -> bytes:
        """Format byte, nonce, AES-256-GCM ciphertext with tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = self._scope_keys(scope).cipher
        return _FORMAT + nonce + cipher.encrypt(nonce, plaintext, _bound_to(scope, purpose))

    def unseal(self, scope: str, purpose: str, sealed: bytes) -> bytes:
        """The plaintext; SealError for anything but what `seal` returned for scope and purpose."""
        cipher = self._scope_keys(scope).cipher
        if len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES or sealed[:1] != _FORMAT:
            raise SealError(f"what was stored as {purpose!r} is not in the sealed form")
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, ciphertext, _bound_to(scope, purpose))
        except InvalidTag as error:
            raise SealError(
                f"what was stored as {purpose!r} does not open with its scope's key",
                "It was changed, moved from another row, or sealed with other keys: check the keys file.",
            ) from error

    def reference(self, scope: str, text: str) -> bytes:
        """HMAC-SHA256 of `text` under the scope's reference key."""
        return hmac.digest(self._scope_keys(scope).reference, text.encode(), "sha256")

    def blind(self, text: str) -> int:
        """The first bits of HMAC-SHA256 of `text` under a key derived for this use alone."""
        key = self._blind_key or self._derive_blind_key()
        return int.from_bytes(hmac.digest(key, text.encode(), "sha256")[: BLIND_BITS // 8], "big")

    def _derive_blind_key(self) -> bytes:
        with self._guard:
            self._blind_key = _derive(self._key(SYSTEM_SCOPE), b"blind")
            return self._blind_key

    def _scope_keys(self, scope: str) -> _ScopeKeys:
        derived = self._derived.get(scope)
        if derived is not None:
            return derived
        with self._guard:
            key = self._key(scope)
            derived = _ScopeKeys(AESGCM(_derive(key, b"encrypt")), _derive(key, b"reference"))
            if len(self._derived) >= _MAX_DERIVED:
                self._derived.popitem(last=False)
            self._derived[scope] = derived
            return derived

    def _key(self, scope: str) -> bytes:
        """The scope's own key, read from the file where it is not known yet; the caller holds the guard."""
        key = self._known(scope)
        if key is None:
            with self._opened(os.O_RDONLY) as descriptor:
                self._read_on(descriptor)
            key = self._known(scope)
        if key is None:
            raise NoKeyError(
                f"the keys file holds no key for scope {scope!r}",
                "Use the keys file that belongs to this database; without its key the row stays sealed.",
            )
        return key

    def _known(self, scope: str) -> bytes | None:
        """The key of the scope, as far as the file was read."""
        for keys in (self._keys, self._tail[1]):
            if scope in keys:
                return keys[scope]
        found = (table.get(scope) for table in self._tables)
        return next((key for key in found if key is not None), None)

    @contextmanager
    def _opened(self, how: int) -> Iterator[int]:
        """The keys file, open, checked and the one that the path names now."""
        try:
            descriptor = os.open(self._path, how | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            if not how & os.O_CREAT and isinstance(error, FileNotFoundError):
                raise SealError(
                    f"there is no keys file {self._path}",
                    "Name the one that belongs to this database: new keys would open nothing in it.",
                ) from error
            raise SealError(
                f"the keys file {self._path} cannot be opened: {error.strerror}",
                "Name a file in a folder that exists and that this account may write.",
            ) from error
        try:
            self._check(os.fstat(descriptor))
            yield descriptor
        finally:
            os.close(descriptor)

    def _check(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode) or found.st_mode & _OTHERS or found.st_uid != os.geteuid():
            raise SealError(
                f"the keys file {self._path} is not a file for this account alone",
                "Its mode must be 0600 and its owner the account that runs stayaway.",
            )
        inode = (found.st_dev, found.st_ino)
        if self._inode != inode:  # first use, or the file was replaced (a key destroyed)
            self._inode, self._read_to = inode, 0
            self._tail = (b"", {})
            self._tables.clear()
            self._keys.clear()
            self._derived.clear()
            self._blind_key = None
        if found.st_size < self._read_to:
            raise SealError(
                f"the keys file {self._path} has become shorter",
                "Restore it: rows sealed with the missing keys cannot be read.",
            )

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The same under the exclusive lock, for appending."""
        create = 0 if self.must_exist else os.O_CREAT
        while True:
            with self._opened(os.O_RDWR | create) as descriptor:
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # released when the descriptor closes
                here = self._path.stat()
                if (here.st_dev, here.st_ino) == self._inode:
                    yield descriptor
                    return

    def _read_on(self, descriptor: int) -> None:
        """Take in the lines that were added since the last look."""
        size = os.fstat(descriptor).st_size
        data = b""
        while self._read_to + len(data) < size:
            piece = os.pread(descriptor, size - self._read_to - len(data), self._read_to + len(data))
            if not piece:
                break
            data += piece
        whole = data[: data.rfind(b"\n") + 1]
        lines = whole.splitlines() if len(whole) < _TABLE_BYTES else self._read_table(whole)
        for line in lines:
            scope, key = self._parse(line)
            if self._known(scope) is None:
                self._keys[scope] = key
        self._read_to += len(whole)
        self._tail = self._read_tail(data[len(whole) :])

    def _read_tail(self, tail: bytes) -> tuple[bytes, dict[str, bytes]]:
        """What follows the last line's end: a key, where only that end is missing, as `$(cat keys)` and some
        editors leave it. Else it is what a writer that died had begun to append: keys that nobody has used.
        """
        try:
            json.loads(tail)
        except ValueError:
            return b"", {}
        scope, key = self._parse(tail)
        return tail, {scope: key}

    def _read_table(self, lines: bytes) -> list[bytes]:
        """Take in what is as we write it; the lines that are not."""
        table, rest = read_table(lines)
        self._tables.append(table)
        return rest

    def _parse(self, line: bytes) -> tuple[str, bytes]:
        try:
            record = json.loads(line)
            scope, key = record["scope"], base64.b64decode(record["key"], validate=True)
        except (ValueError, TypeError, KeyError) as error:
            raise SealError(f"the keys file {self._path} has a line that is no key record") from error
        if not isinstance(scope, str) or len(key) != _KEY_BYTES:
            raise SealError(f"the keys file {self._path} has a key of the wrong form")
        return scope, key

    def _append(self, descriptor: int, scopes: list[str]) -> None:
        """New keys for `scopes`; on failure the file is left as it was."""
        fresh = {scope: secrets.token_bytes(_KEY_BYTES) for scope in scopes}
        lines = b"".join(
            json.dumps({"scope": scope, "key": base64.b64encode(key).decode()}).encode() + b"\n"
            for scope, key in fresh.items()
        )
        tail, keys = self._tail
        kept_to = self._read_to + len(tail)
        if tail:
            lines = tail + b"\n" + lines  # over itself: no moment without it
        os.ftruncate(descriptor, kept_to)
        try:
            written = 0
            while written < len(lines):
                written += os.pwrite(descriptor, lines[written:], self._read_to + written)
            os.fsync(descriptor)
            if self._read_to == 0:
                self._sync_folder()
        except OSError as error:
            os.ftruncate(descriptor, kept_to)
            raise SealError(f"new keys could not be written: {error.strerror}") from error
        self._read_to += len(lines)
        self._keys.update(keys | fresh)
        self._tail = (b"", {})

    def _sync_folder(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
