"""The bytes of one uploaded file into a report of candidate zones. Nothing is stored."""

import hashlib
from collections.abc import Callable

import numpy as np

from stayaway.orders.zonefiles.crs import Converter, LonLat, converter_for
from stayaway.orders.zonefiles.csvpoints import read_csv
from stayaway.orders.zonefiles.gdal import read_layer
from stayaway.orders.zonefiles.geojson import read_geojson
from stayaway.orders.zonefiles.judge import Judge
from stayaway.orders.zonefiles.kml import read_kml, read_kmz
from stayaway.orders.zonefiles.limits import (
    MAX_DRAWN,
    MAX_DRAWN_VERTICES,
    MAX_UPLOAD_BYTES,
    MAX_VERTICES,
)
from stayaway.orders.zonefiles.model import (
    FORMAT_WORDS,
    Candidate,
    Feature,
    Floats,
    Format,
    ReadOptions,
    TooLargeError,
    UnreadableZoneFileError,
    ZoneFileReport,
)
from stayaway.orders.zonefiles.notes import Notes
from stayaway.orders.zonefiles.recognise import note_other_name, recognise
from stayaway.orders.zonefiles.shapefile import read_shapefile

OnProgress = Callable[[int, int], None]
_STEP = 500


def read_zone_file(
    data: bytes, options: ReadOptions, on_progress: OnProgress | None = None
) -> ZoneFileReport:
    """Every candidate zone in `data`, with all that is to be said about it.

    `on_progress(done, total)` is called now and then where there are many candidates. Raises
    UnreadableZoneFileError, in words of its own for each cause, where no candidate can be had at all.
    """
    if len(data) > MAX_UPLOAD_BYTES:
        raise TooLargeError(
            f"The file has over {MAX_UPLOAD_BYTES // 1024**2} MB.",
            "Send only the zones' layer, or simplify it.",
        )
    notes = Notes()
    kind = recognise(data)
    note_other_name(kind, options.file_name, notes)
    features, crs_text = _read(kind, data, notes)
    total = sum(feature.vertices for feature in features)
    if total > MAX_VERTICES:
        raise TooLargeError(
            f"The file has {total} positions; at most {MAX_VERTICES} are read.",
            "Send only the zones, or simplify them.",
        )
    converter: Converter = (
        LonLat() if crs_text is None else converter_for(crs_text, _positions(features), notes)
    )
    judge = Judge(converter, notes, options)
    _require_drawable(
        [feature for number, feature in enumerate(features, start=1) if judge.draws_around(feature, number)]
    )
    candidates: list[Candidate] = []
    for number, feature in enumerate(features, start=1):
        candidates.append(judge.candidate(feature, number))
        if on_progress is not None and (number % _STEP == 0 or number == len(features)):
            on_progress(number, len(features))
    _note_needless_yes(options.accepted_repairs, candidates, notes)
    return ZoneFileReport(
        format=kind,
        file_sha256=hashlib.sha256(data).hexdigest(),
        crs=converter.system,
        candidates=tuple(candidates),
        findings=notes.all(),
    )


def _require_drawable(drawn: list[Feature]) -> None:
    """Refuse what would take minutes to draw a distance around."""
    positions = sum(feature.vertices for feature in drawn)
    if len(drawn) > MAX_DRAWN or positions > MAX_DRAWN_VERTICES:
        raise TooLargeError(
            f"A distance would be drawn around {len(drawn)} features with {positions} positions; at most"
            f" {MAX_DRAWN} with {MAX_DRAWN_VERTICES} are.",
            "Keep or choose only the places that the order names, or simplify them.",
        )


def _read(kind: Format, data: bytes, notes: Notes) -> tuple[list[Feature], str | None]:
    """The features, and the declared system; None for WGS 84 lon/lat."""
    if kind == "GEOJSON":
        found = read_geojson(data, notes)
        return found.features, found.crs_text
    if kind == "SHAPEFILE":
        layer, prj = read_shapefile(data, notes)
        return layer.features, prj
    if kind == "GEOPACKAGE":
        layer = read_layer("GEOPACKAGE", {"zones.gpkg": data}, notes)
        if layer.crs_text is None:
            raise UnreadableZoneFileError(
                f"The {FORMAT_WORDS[kind]} declares no coordinate system.",
                "Export the layer again in WGS 84 longitude and latitude.",
            )
        return layer.features, layer.crs_text
    readers = {"KML": read_kml, "KMZ": read_kmz, "CSV": read_csv}
    return readers[kind](data, notes), None


def _positions(features: list[Feature]) -> Floats:
    arrays = [array for feature in features for array in feature.arrays]
    points = [feature.position for feature in features if feature.position is not None]
    return np.concatenate([*arrays, np.array(points, dtype=np.float64).reshape(-1, 2)])


def _note_needless_yes(accepted: frozenset[int], candidates: list[Candidate], notes: Notes) -> None:
    offered = {candidate.number for candidate in candidates if candidate.repair is not None}
    for number in sorted(accepted - offered):
        remedy = "A repair was accepted that is not offered: look at the report, then say yes again."
        notes.error(None, (), f"candidate {number}", remedy)
