"""/api/v1/zone-files: a clerk's file in, a report of candidate zones out; nothing is stored.

The body is counted while it arrives. The file is read in a process of its own, so the loop never waits for
it and what it does to memory ends with that process. The report holds names of places: it is never logged.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from stayaway.api.alerts import ActorName
from stayaway.api.guard import MAX_UPLOAD_BODY_BYTES, UPLOAD_PATH
from stayaway.api.problems import FieldProblem, Problem
from stayaway.orders.zonefiles.attributes import checked_distance, parse_number, parse_unit
from stayaway.orders.zonefiles.limits import MAX_FEATURES
from stayaway.orders.zonefiles.model import (
    Distance,
    ReadOptions,
    TooLargeError,
    UnreadableZoneFileError,
)
from stayaway.orders.zonefiles.notes import Notes
from stayaway.orders.zonefiles.upload import read_upload
from stayaway.orders.zonefiles.wire import ZoneFileReportForm

_AT_ONCE: Final = 2
"""Uploads read at a time; the others wait. Each may take up to 3 GB of memory."""
_MAX_FIELDS: Final = 64
_FORM_SCHEMA: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "The zone file."},
                    "accept_repair": {
                        "type": "array",
                        "items": {"type": "integer", "minimum": 1},
                        "description": "Numbers of candidates whose repair is agreed to.",
                    },
                    "distance_value": {
                        "type": "number",
                        "description": "For points and lines without their own; it is drawn around lines.",
                    },
                    "distance_unit": {"type": "string", "enum": ["YD", "FT", "M"]},
                },
            }
        }
    },
}


@dataclass(frozen=True, slots=True)
class _Form:
    data: bytes
    options: ReadOptions


class _FormError(Exception):
    """A field that cannot be used, with words."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(field)
        self.problem = FieldProblem(pointer=f"/{field}" if field else "", detail=words)


def zone_files_router() -> APIRouter:
    """The one route."""
    router = APIRouter(
        tags=["zone files"], responses={code: {"model": Problem} for code in (400, 413, 415, 422)}
    )
    turns = asyncio.Semaphore(_AT_ONCE)

    @router.post(
        UPLOAD_PATH,
        response_model=ZoneFileReportForm,
        openapi_extra={"requestBody": _FORM_SCHEMA},
    )
    async def read_zone_file(request: Request, actor: ActorName) -> Response:  # noqa: ARG001 - the header makes foreign forms impossible; a look at one's own file is no act
        """Explain a zone file: its candidate zones, what is wrong and where. Nothing is stored."""
        try:
            form = await _read_form(request)
            async with turns:
                done = await asyncio.to_thread(read_upload, form.data, form.options)
        except _FormError as error:
            return _problem("bad-request", "The form cannot be used.", 422, problems=[error.problem])
        except UnreadableZoneFileError as error:
            is_large = isinstance(error, TooLargeError)
            name, status = ("too-large", 413) if is_large else ("unreadable-file", 422)
            title = "The file cannot be read."
            return _problem(name, title, status, detail=error.message, remedy=error.remedy)
        except ClientDisconnect:
            return _problem("broken-off", "The upload broke off.", 400)
        return Response(done.report, media_type="application/json")

    return router


def _problem(name: str, title: str, status: int, **more: Any) -> Response:
    return Problem(type=f"urn:stayaway:problem:{name}", title=title, status=status, **more).response()


async def _read_form(request: Request) -> _Form:
    parser = MultiPartParser(request.headers, _counted(request), max_files=1, max_fields=_MAX_FIELDS)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _FormError("", "Send multipart/form-data with one file and a few fields.") from error
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise _FormError("file", "Send the zone file in the field `file`.")
        accepted = frozenset(_number(value) for value in form.getlist("accept_repair"))
        options = ReadOptions(file_name=file.filename, accepted_repairs=accepted, distance=_distance(form))
        return _Form(await file.read(), options)
    finally:
        await form.close()


async def _counted(request: Request) -> AsyncGenerator[bytes, None]:
    """The body, refused as soon as it is too long, whatever length was promised."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_UPLOAD_BODY_BYTES:
            raise TooLargeError(
                f"The upload has over {MAX_UPLOAD_BODY_BYTES // 1024**2} MB.",
                "Send only the zones' layer, or simplify it.",
            )
        yield chunk


def _number(value: UploadFile | str) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 6:
        number = int(value)
        if 1 <= number <= MAX_FEATURES:
            return number
    raise _FormError("accept_repair", f"Give a candidate's number, 1 to {MAX_FEATURES}.")


def _distance(form: FormData) -> Distance | None:
    raw_value, raw_unit = form.get("distance_value"), form.get("distance_unit")
    if raw_value in (None, "") and raw_unit in (None, ""):
        return None
    value, unit = parse_number(raw_value), parse_unit(raw_unit)
    if value is None or unit is None:
        field = "distance_value" if value is None else "distance_unit"
        raise _FormError(field, "Give the distance as a number, and its unit as YD, FT or M.")
    notes = Notes()
    if checked_distance(Distance(value, unit), None, ("distance_value",), notes) is None:
        raise _FormError("distance_value", notes.all()[0].remedy)
    return Distance(value, unit)
