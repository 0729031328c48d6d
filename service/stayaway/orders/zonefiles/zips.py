"""Unpacking a clerk's zip into memory, within limits, and refusing what no honest zip has."""

import re
import stat
import struct
import zipfile
import zlib
from io import BytesIO
from itertools import pairwise

from stayaway.orders.zonefiles.limits import (
    MAX_UNPACKED_BYTES,
    MAX_ZIP_DIRECTORY_BYTES,
    MAX_ZIP_ENTRIES,
    MAX_ZIP_RATIO,
    RATIO_MATTERS_BYTES,
)
from stayaway.orders.zonefiles.model import TooLargeError, UnreadableZoneFileError

_REPACK = "Pack the plain files again as an ordinary .zip."
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_LOCAL_HEADER_BYTES = 30
_ENCRYPTED = 0x1
_NESTED = (".zip", ".kmz", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".zst")
_NESTED_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"Rar!", b"\xfd7zXZ")
_DRIVE = re.compile(r"^[A-Za-z]:")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, OSError, ValueError)


class Archive:
    """A zip whose list of entries has been checked; entries are unpacked one by one, within limits."""

    def __init__(self, data: bytes) -> None:
        self._zip = _open(data)
        self._entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        for entry in self._zip.infolist():
            _check_entry(entry)
        _check_names(self._zip.infolist())
        _check_overlap(self._zip.infolist())
        if sum(entry.file_size for entry in self._entries) > MAX_UNPACKED_BYTES:
            raise _too_large()

    @property
    def names(self) -> list[str]:
        """Names of files, without what macOS adds."""
        names = (entry.filename for entry in self._entries)
        return [name for name in names if not name.startswith("__MACOSX/") and "/._" not in f"/{name}"]

    def unpack(self, name: str) -> bytes:
        """The bytes of one entry; UnreadableZoneFileError where they are not what the list says.

        `zipfile` stops at the size in the list, which is within the limits, and compares the checksum.
        """
        try:
            content = self._zip.read(name)
        except _BROKEN as error:
            raise UnreadableZoneFileError(
                "The zip is damaged: an entry is not what the list says.", _REPACK
            ) from error
        if content.startswith(_NESTED_MAGICS):
            raise UnreadableZoneFileError("The zip holds an archive under another name.", _REPACK)
        return content


def list_names(data: bytes) -> list[str]:
    """Names of the entries, unchecked but bounded in number."""
    return [entry.filename for entry in _open(data).infolist()]


def _open(data: bytes) -> zipfile.ZipFile:
    _check_directory(data)
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except _BROKEN as error:
        raise UnreadableZoneFileError(
            "The zip is damaged: its list of entries cannot be read.", _REPACK
        ) from error
    if len(archive.infolist()) > MAX_ZIP_ENTRIES:
        raise _too_many(len(archive.infolist()))
    return archive


def _check_directory(data: bytes) -> None:
    """Refuse a list of entries that would itself fill the memory (APPNOTE.TXT 4.3.16)."""
    at = data.rfind(_END_SIGNATURE, max(0, len(data) - 65_557))
    if at < 0 or at + _END.size > len(data):
        raise UnreadableZoneFileError("The zip is damaged or cut off: its end is missing.", "Send it again.")
    _, _, _, _, entries, directory_bytes, _, _ = _END.unpack_from(data, at)
    if entries == 0xFFFF or directory_bytes == 0xFFFFFFFF or data.find(b"PK\x06\x06", max(0, at - 256)) >= 0:
        raise UnreadableZoneFileError("The zip uses Zip64, which no file this small needs.", _REPACK)
    if entries > MAX_ZIP_ENTRIES:
        raise _too_many(entries)
    if directory_bytes > MAX_ZIP_DIRECTORY_BYTES:
        raise TooLargeError("The zip's list of entries is too long.", _REPACK)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise UnreadableZoneFileError("The zip holds a symbolic link.", _REPACK)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnreadableZoneFileError("The zip holds what is no plain file.", _REPACK)
    if entry.flag_bits & _ENCRYPTED:
        raise UnreadableZoneFileError("The zip is protected by a password.", "Pack it without a password.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnreadableZoneFileError("The zip is packed by a method other than Deflate.", _REPACK)
    if "\\" in name or "\x00" in entry.orig_filename or _DRIVE.match(name) or name.startswith("/"):
        raise UnreadableZoneFileError("The zip holds an absolute path or one with a backslash.", _REPACK)
    if ".." in name.split("/"):
        raise UnreadableZoneFileError("The zip holds a path with `..`, which leads out of it.", _REPACK)
    if name.lower().endswith(_NESTED):
        raise UnreadableZoneFileError("The zip holds another archive.", "Pack the plain files in one zip.")
    _check_ratio(entry.file_size, entry.compress_size)


def _check_names(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename.casefold() for entry in entries]
    if len(set(names)) < len(names):
        # Two readers would see two different files.
        raise UnreadableZoneFileError("The zip holds two entries of one name.", _REPACK)


def _check_overlap(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse entries that share bytes (D. Fifield, "A better zip bomb", WOOT 2019)."""
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    for one, other in pairwise(ordered):
        if one.header_offset + _LOCAL_HEADER_BYTES + one.compress_size > other.header_offset:
            raise UnreadableZoneFileError("The zip's entries overlap: it is a zip bomb.", _REPACK)


def _check_ratio(unpacked: int, packed: int) -> None:
    if unpacked > RATIO_MATTERS_BYTES and unpacked > MAX_ZIP_RATIO * max(packed, 1):
        raise TooLargeError(
            f"An entry of the zip grows more than {MAX_ZIP_RATIO}-fold: it is a zip bomb.",
            "Send the real data.",
        )


def _too_large() -> TooLargeError:
    return TooLargeError(
        f"The zip holds more than {MAX_UNPACKED_BYTES // 1024**2} MB unpacked.", "Send only the zones' layer."
    )


def _too_many(entries: int) -> TooLargeError:
    return TooLargeError(
        f"The zip has {entries} entries; at most {MAX_ZIP_ENTRIES} are read.",
        "Pack only the zones' layer.",
    )
