"""A CSV of points with distances into features.

The first row names the columns, in any order and any case: `lon` (or `longitude`), `lat` (or `latitude`),
`distance_value`, `distance_unit` (YD, FT or M), `name`; further columns are not looked at. Degrees have a
point for decimals; values are separated by comma, semicolon or tab; the text is UTF-8.
"""

import csv
import io
import re
from typing import Final

from stayaway.orders.zonefiles.attributes import read_attributes
from stayaway.orders.zonefiles.limits import MAX_FEATURES
from stayaway.orders.zonefiles.model import Feature, TooLargeError, UnreadableZoneFileError
from stayaway.orders.zonefiles.notes import Notes

_LON: Final = ("lon", "longitude")
_LAT: Final = ("lat", "latitude")
_NUMBER = re.compile(r"[-+]?[0-9]{1,12}(?:\.[0-9]{0,20})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]{1,3},[0-9]+", re.ASCII)
_MAX_COLUMNS: Final = 200
_COLUMNS = "The first row names the columns: lon, lat, distance_value, distance_unit, name."


def read_csv(data: bytes, notes: Notes) -> list[Feature]:
    """One feature a row; UnreadableZoneFileError where the columns are not there."""
    rows = _rows(_decode(data))
    header = [cell.strip().casefold() for cell in rows[0]] if rows else []
    if len(set(filter(None, header))) < len([cell for cell in header if cell]):
        raise UnreadableZoneFileError("Two columns of the CSV have one name.", _COLUMNS)
    lon, lat = _column(header, _LON), _column(header, _LAT)
    records = [
        (number, row) for number, row in enumerate(rows[1:], start=2) if any(cell.strip() for cell in row)
    ]
    if len(records) > MAX_FEATURES:
        raise TooLargeError(f"The CSV has {len(records)} rows; at most {MAX_FEATURES} are read.", "Split it.")
    if not records:
        notes.warning(None, (), "0 rows", "There is no row, and so no zone, under the names of columns.")
    return [
        _read_row(row, line, header, (lon, lat), candidate, notes)
        for candidate, (line, row) in enumerate(records, start=1)
    ]


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableZoneFileError(
            f"The CSV's text is not UTF-8: byte {error.start} is none of it.",
            "Save it as UTF-8 (in Excel: CSV UTF-8) and send it again.",
        ) from error


def _rows(text: str) -> list[list[str]]:
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            if len(row) > _MAX_COLUMNS:
                raise TooLargeError(f"A row of the CSV has over {_MAX_COLUMNS} columns.", _COLUMNS)
            rows.append(row)
            if len(rows) > 2 * MAX_FEATURES:
                raise TooLargeError(f"The CSV has over {2 * MAX_FEATURES} rows.", "Split it.")
    except csv.Error as error:
        raise UnreadableZoneFileError(
            f"The CSV breaks off in row {len(rows) + 1}: a quotation mark or a value that never ends.",
            "Save the sheet as CSV again.",
        ) from error
    return rows


def _column(header: list[str], names: tuple[str, ...]) -> int:
    found = [header.index(name) for name in names if name in header]
    if len(found) != 1:
        raise UnreadableZoneFileError(f"The CSV needs one column {' or '.join(names)}.", _COLUMNS)
    return found[0]


def _read_row(
    row: list[str], line: int, header: list[str], columns: tuple[int, int], candidate: int, notes: Notes
) -> Feature:
    path = ("rows", line)
    if len(row) > len(header):
        remedy = "The row has more values than there are columns: put texts with commas in quotation marks."
        notes.error(candidate, path, f"{len(row)} values", remedy)
    attributes = dict(zip(header, row, strict=False))
    name, distance = read_attributes(attributes, candidate, path, notes)
    numbers = [_read_degrees(row, column, header, candidate, line, notes) for column in columns]
    if numbers[0] is None or numbers[1] is None:
        return Feature(path, "NOTHING", name, distance)
    return Feature(path, "POINT", name, distance, position=(numbers[0], numbers[1]))


def _read_degrees(
    row: list[str], column: int, header: list[str], candidate: int, line: int, notes: Notes
) -> float | None:
    text = row[column].strip() if column < len(row) else ""
    if _NUMBER.fullmatch(text):
        return float(text)
    remedy = "Give decimal degrees with a point, such as -111.9312."
    if _DECIMAL_COMMA.fullmatch(text):
        remedy = "Write a decimal point instead of the comma."
    elif "°" in text or "'" in text:
        remedy = "Degrees, minutes and seconds are not read: give decimal degrees, such as -111.9312."
    notes.error(candidate, ("rows", line, header[column]), text, remedy)
    return None
