"""Many keys of a keys file as columns: a million take some 60 MB, and half a second to read.

Only lines exactly as `FileSeal` writes them become rows; whatever else stands in the file is left to its
reader, who knows what to refuse.
"""

import binascii
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stayaway.kernel.packed import Names, PackedMap, joined_names

_HEAD = b'{"scope": "'
_MIDDLE = b'", "key": "'
_TAIL = b'"}'
_KEY_CHARACTERS = 44
"""32 bytes in base64: 43 characters and one of padding."""
_AFTER_SCOPE = len(_MIDDLE) + _KEY_CHARACTERS + len(_TAIL)
_LINES_AT_ONCE = 50_000


def _table_of(characters: str) -> npt.NDArray[np.bool_]:
    found = np.zeros(256, dtype=np.bool_)
    found[[ord(character) for character in characters]] = True
    return found


_ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BASE64 = _table_of(_ALNUM + "+/")
_SCOPE = _table_of(_ALNUM + "._:-@")


@dataclass(frozen=True, slots=True, eq=False)
class KeyTable:
    """Immutable. `rows`: for each scope the row of `keys`, which holds base64."""

    rows: PackedMap[int]
    keys: npt.NDArray[np.bytes_]

    def get(self, scope: str) -> bytes | None:
        """The key of the scope; None where it is not here."""
        row = self.rows.get(scope)
        return None if row is None else binascii.a2b_base64(bytes(self.keys[row]))


def read_table(data: bytes) -> tuple[KeyTable, list[bytes]]:
    """(table, rest): the keys of these whole lines, the first of each scope; and all other lines."""
    buffer = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(buffer == ord("\n"))
    starts = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1] + 1])
    lengths = ends - starts
    scopes, keys, places, rest = (
        list[Names](),
        list[npt.NDArray[np.bytes_]](),
        list[npt.NDArray[np.int64]](),
        [],
    )
    for length in np.unique(lengths).tolist():
        of_length = np.flatnonzero(lengths == length)
        for first in range(0, len(of_length), _LINES_AT_ONCE):
            chosen = of_length[first : first + _LINES_AT_ONCE]
            if length <= len(_HEAD) + _AFTER_SCOPE:
                rest += chosen.tolist()
                continue
            lines = np.lib.stride_tricks.sliding_window_view(buffer, length)[starts[chosen]]
            plain = _is_plain(lines)
            rest += chosen[~plain].tolist()
            lines = lines[plain]
            scopes.append(_texts(lines[:, len(_HEAD) : -_AFTER_SCOPE]))
            keys.append(_texts(lines[:, len(_MIDDLE) - _AFTER_SCOPE : -len(_TAIL)]))
            places.append(chosen[plain])
    return _to_table(scopes, keys, places), [data[starts[row] : ends[row]] for row in sorted(rest)]


def _is_plain(lines: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    middle = lines[:, -_AFTER_SCOPE : len(_MIDDLE) - _AFTER_SCOPE]
    key = lines[:, len(_MIDDLE) - _AFTER_SCOPE : -len(_TAIL)]
    plain: npt.NDArray[np.bool_] = (
        (lines[:, : len(_HEAD)] == np.frombuffer(_HEAD, np.uint8)).all(axis=1)
        & _SCOPE[lines[:, len(_HEAD) : -_AFTER_SCOPE]].all(axis=1)
        & (middle == np.frombuffer(_MIDDLE, np.uint8)).all(axis=1)
        & _BASE64[key[:, :-1]].all(axis=1)
        & (key[:, -1] == ord("="))
        & (lines[:, -len(_TAIL) :] == np.frombuffer(_TAIL, np.uint8)).all(axis=1)
    )
    return plain


def _texts(columns: npt.NDArray[np.uint8]) -> npt.NDArray[np.bytes_]:
    return np.ascontiguousarray(columns).view(f"S{columns.shape[1]}").reshape(-1)


def _to_table(
    scopes: list[Names], keys: list[npt.NDArray[np.bytes_]], places: list[npt.NDArray[np.int64]]
) -> KeyTable:
    names = joined_names(scopes)
    order = np.lexsort((np.concatenate([np.zeros(0, dtype=np.int64), *places]), names))
    names = names[order]
    first = np.ones(len(names), dtype=np.bool_)
    first[1:] = names[1:] != names[:-1]
    kept = np.concatenate([np.zeros(0, dtype=f"S{_KEY_CHARACTERS}"), *keys])[order[first]]
    return KeyTable(PackedMap(names[first], int), kept)
