"""An upload read in a process of its own, so that a server's loop and memory are not at its mercy."""

import json
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stayaway.orders.zonefiles.children import Cause, ChildFailedError, python_command, run_child
from stayaway.orders.zonefiles.limits import READER_OUTPUT_BYTES, READER_WALL_S
from stayaway.orders.zonefiles.model import Distance, ReadOptions, TooLargeError, UnreadableZoneFileError
from stayaway.orders.zonefiles.read import read_zone_file
from stayaway.orders.zonefiles.report import report_json

_READER: Final = Path(__file__).with_name("reader_child.py")
_LENGTH: Final = struct.Struct("<I")
_REPORT: Final = b"R"
_REFUSAL: Final = b"U"
_SIMPLER = "Send only the zones' layer, or simplify it."
_FAILURES: Final[dict[Cause, str]] = {
    "TIME": f"Reading the file took more than the {READER_WALL_S} s allowed.",
    "OUTPUT": "The file holds more than can be shown.",
    "NOT_CONFINED": "The file cannot be read safely on this machine.",
    "DIED": "The file stopped its reader: it is damaged, hostile or needs too much memory.",
}


@dataclass(frozen=True, slots=True)
class ReadUpload:
    """The report as the bytes of its JSON (`zone_file_report.v1`)."""

    report: bytes


def read_upload(data: bytes, options: ReadOptions) -> ReadUpload:
    """What `read_zone_file` reports, read in a child with limits on memory and time.

    Blocks: call it in a thread. Raises UnreadableZoneFileError.
    """
    request = json.dumps(_options_json(options)).encode()
    with tempfile.TemporaryDirectory(prefix="stayaway-") as folder:
        try:
            answer = run_child(
                python_command(_READER),
                _LENGTH.pack(len(request)) + request + data,
                folder=Path(folder),
                wall_s=READER_WALL_S,
                output_bytes=READER_OUTPUT_BYTES,
            )
        except ChildFailedError as error:
            raise UnreadableZoneFileError(_FAILURES[error.cause], _SIMPLER) from error
    if answer.startswith(_REPORT):
        return ReadUpload(answer[1:])
    refusal = json.loads(answer.removeprefix(_REFUSAL))
    kind = TooLargeError if refusal["is_large"] else UnreadableZoneFileError
    raise kind(refusal["message"], refusal["remedy"])


def answer_request(request: bytes) -> bytes:
    """In the child: the answer to what `read_upload` sent."""
    (length,) = _LENGTH.unpack_from(request)
    start = _LENGTH.size + length
    options = _parse_options(json.loads(request[_LENGTH.size : start]))
    try:
        report = read_zone_file(request[start:], options)
    except UnreadableZoneFileError as error:
        refusal = {
            "message": error.message,
            "remedy": error.remedy,
            "is_large": isinstance(error, TooLargeError),
        }
        return _REFUSAL + json.dumps(refusal).encode()
    return _REPORT + json.dumps(report_json(report), ensure_ascii=False, separators=(",", ":")).encode()


def _options_json(options: ReadOptions) -> dict[str, Any]:
    distance = options.distance
    return {
        "file_name": options.file_name,
        "accepted_repairs": sorted(options.accepted_repairs),
        "distance": None if distance is None else [distance.value, distance.unit],
        "draws_all": options.draws_all,
        "draws_only": options.draws_only,
    }


def _parse_options(raw: dict[str, Any]) -> ReadOptions:
    return ReadOptions(
        file_name=raw["file_name"],
        accepted_repairs=frozenset(raw["accepted_repairs"]),
        distance=None if raw["distance"] is None else Distance(*raw["distance"]),
        draws_all=raw["draws_all"],
        draws_only=raw["draws_only"],
    )
