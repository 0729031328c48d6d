"""One feature of a file into one candidate zone: converted, cut, checked, and a repair offered.

A line becomes the zone within its distance; around points and outlines one is drawn only where that is asked.
"""

import dataclasses
from typing import Any

import numpy as np
import shapely

from stayaway.kernel.jsontext import json_pointer
from stayaway.kernel.shape import Shape
from stayaway.orders.area import area_m2
from stayaway.orders.distance import METRES, DistanceError
from stayaway.orders.findings import FindingList, Path
from stayaway.orders.geometry import read_polygons
from stayaway.orders.reach import zone_around
from stayaway.orders.zonefiles.crs import Converter, EdgeTooLongError
from stayaway.orders.zonefiles.limits import MAX_ZONE_VERTICES
from stayaway.orders.zonefiles.meridian import Parts, UnsplittableError, cut, cut_lines, needs_cut
from stayaway.orders.zonefiles.model import Candidate, Distance, Feature, Kind, ReadOptions, RepairOffer
from stayaway.orders.zonefiles.notes import Notes
from stayaway.orders.zonefiles.repairs import (
    choice,
    count_positions,
    make_offer,
    place,
    polygons_of,
    said,
)
from stayaway.orders.zonefiles.rings import check_lines, check_range, check_rings
from stayaway.orders.zonefiles.validity import find_flaws, outline_of

_FLAT = "Heights (and what follows them) were dropped: a zone has no height."
_WOUND = "Rings were wound the RFC 7946 way: outer ones counter-clockwise, holes clockwise."
_WIDENS = "A distance beside a polygon widens nothing: the polygon is the zone."
_NEEDS_DISTANCE = (
    "A point needs the distance that the order names: give distance_value and distance_unit in the file,"
    " or one distance for all its points."
)
_LINE = (
    "A line is no zone by itself: give the distance around it that the order names, as distance_value and"
    " distance_unit in the file or one distance for all its points and lines; or draw the polygon."
)
_OUTLINE = (
    "To draw a distance around it, give the one that the order names: distance_value and distance_unit in the"
    " file, or one distance for all."
)
_DRAWN = (
    "The distance was drawn around it on the ellipsoid, never beyond it: the polygon is the zone, and the"
    " distance beside it widens it no further."
)
_NOT_CHOSEN = "No distance was drawn around it: another candidate was chosen."
_CLOSED = (
    "The line is closed, and what it encloses is in the zone only within the distance of the line itself:"
    " draw a polygon if the order means the place within."
)
_LINE_CUT = (
    "The line goes over the 180 degree meridian and was cut there; edges over 180 degrees long were taken the"
    " short way. Check it on the map."
)
_KINDS: dict[Kind, str] = {"POLYGON": "an outline", "POINT": "a point", "LINE": "a line"}


class Judge:
    """Judges the features of one file."""

    def __init__(self, converter: Converter, notes: Notes, options: ReadOptions) -> None:
        self._converter = converter
        self._notes = notes
        self._accepted = options.accepted_repairs
        self._distance = options.distance
        self._draws_all = options.draws_all
        self._draws_only = options.draws_only

    def draws_around(self, feature: Feature, number: int) -> bool:
        """Whether a distance is to be drawn around it here, which takes its time."""
        kinds = ("LINE", "POINT", "POLYGON") if self._draws_all else ("LINE",)
        is_chosen = self._draws_only in (None, number)
        return is_chosen and feature.kind in kinds and self._distance_of(feature) is not None

    def _distance_of(self, feature: Feature) -> Distance | None:
        return feature.distance or self._distance

    def candidate(self, feature: Feature, number: int) -> Candidate:
        """The candidate; its findings are noted."""
        if feature.flat:
            self._notes.tally(number, _FLAT)
        if feature.kind == "LINE":
            return self._line(feature, number)
        if feature.kind == "NOTHING":
            return _candidate(feature, number, None)
        is_point = feature.kind == "POINT"
        made = self._point(feature, number) if is_point else self._polygon(feature, number)
        if not (self._draws_all and made.is_usable and made.geometry):
            return made
        return self._drawn_around(made, made.geometry, feature, number, _OUTLINE)

    def _has_failed(self, number: int) -> bool:
        # What is wrong with the file as a whole leaves none of its candidates in order.
        return self._notes.has_failed(number) or self._notes.has_failed(None)

    # ------------------------------------------------------------ points

    def _point(self, feature: Feature, number: int) -> Candidate:
        distance = self._distance_of(feature)
        if distance is None and not self._has_failed(number):
            self._notes.error(number, feature.pointer, "no distance", _NEEDS_DISTANCE)
        positions = self._converter.convert(np.array([feature.position], dtype=np.float64))
        if not check_range(positions, number, feature.pointer, self._notes, is_point=True):
            return _candidate(feature, number, None)
        self._check_area(positions, number, feature.pointer)
        lon, lat = (round(float(value), 7) + 0.0 for value in positions[0])
        if (lon, lat) == (0.0, 0.0):
            remedy = "0, 0 lies in the Atlantic; geocoders answer it when they found nothing."
            self._notes.warning(number, feature.pointer, [0, 0], remedy)
        geometry = {"type": "Point", "coordinates": [lon, lat]}
        is_usable = distance is not None and not self._has_failed(number)
        made = _candidate(feature, number, geometry, vertices=1, is_usable=is_usable)
        return dataclasses.replace(made, distance=distance)

    def _check_area(self, positions: Any, number: int, path: Path) -> None:
        if self._converter.is_outside(positions):
            remedy = (
                "It lies outside the area that the declared coordinate system is made for: check that the"
                " file declares the right one, and the zone on the map."
            )
            self._notes.warning(number, path, self._converter.system.name, remedy)

    # ------------------------------------------------------------ lines, and what a distance is drawn around

    def _line(self, feature: Feature, number: int) -> Candidate:
        refused = _candidate(feature, number, None, vertices=feature.vertices)
        if not check_lines(feature, number, self._notes):
            return refused
        lines = self._converted(
            (feature.lines,), [[*map(feature.line_path, range(len(feature.lines)))]], feature, number
        )
        if lines is None:
            return refused
        if any(np.array_equal(line[0], line[-1]) for line in feature.lines):
            self._notes.warning(number, feature.pointer, "a closed line", _CLOSED)
        if needs_cut(lines):
            self._notes.warning(number, feature.pointer, "over the 180 degree meridian", _LINE_CUT)
        coordinates = [line.tolist() for line in cut_lines(lines[0])]
        geometry = {"type": "MultiLineString", "coordinates": coordinates}
        return self._drawn_around(refused, geometry, feature, number, _LINE)

    def _drawn_around(
        self, made: Candidate, geometry: dict[str, Any], feature: Feature, number: int, lacking: str
    ) -> Candidate:
        """The zone within the distance of the geometry (in lon/lat). `lacking`: the words without one."""
        refused = dataclasses.replace(made, geometry=None, is_usable=False)
        if self._has_failed(number):
            return refused
        distance = self._distance_of(feature)
        if distance is None:
            self._notes.error(number, feature.pointer, _KINDS[feature.kind], lacking)
            return refused
        if self._draws_only not in (None, number):
            self._notes.tally(number, _NOT_CHOSEN)
            return refused
        try:
            shape = zone_around(geometry, distance.value * METRES[distance.unit])
        except DistanceError as error:
            self._notes.error(number, feature.pointer, _KINDS[feature.kind], str(error))
            return refused
        zone = polygons_of(shape)
        self._notes.tally(number, _DRAWN)
        return dataclasses.replace(
            made,
            geometry=zone,
            distance=distance,
            vertices=count_positions(shape),
            area_m2=round(area_m2(shape), 1),
            is_usable=not self._has_failed(number) and self._passes(zone, feature, number),
        )

    # ------------------------------------------------------------ polygons

    def _polygon(self, feature: Feature, number: int) -> Candidate:
        refused = _candidate(feature, number, None, vertices=feature.vertices)
        if not check_rings(feature, number, self._notes):
            return refused
        if feature.distance is not None and not self._draws_all:
            self._notes.tally(number, _WIDENS)
        parts = self._converted(feature.parts, _ring_paths(feature), feature, number)
        if parts is None:
            return refused
        if sum(len(ring) for part in parts for ring in part) > MAX_ZONE_VERTICES:
            remedy = f"A zone has at most {MAX_ZONE_VERTICES} positions: simplify it."
            self._notes.error(number, feature.pointer, "too many positions after conversion", remedy)
            return refused
        if needs_cut(parts):
            parts = self._cut(parts, feature, number)
        else:
            self._note_winding(parts, number)
        return refused if parts is None else self._shaped(parts, feature, number)

    def _converted(
        self, parts_there: Parts, paths: list[list[Path]], feature: Feature, number: int
    ) -> Parts | None:
        """In lon/lat, where all of it is on the Earth. `paths`: to each ring or line."""
        parts: list[tuple[Any, ...]] = []
        is_good = True
        added = 0
        for part, paths_of_part in zip(parts_there, paths, strict=True):
            rings = []
            for ring, path in zip(part, paths_of_part, strict=True):
                try:
                    straight = self._converter.straighten(ring)
                except EdgeTooLongError:
                    remedy = "Its edges are longer than any on the Earth: check the coordinates."
                    self._notes.error(number, path, "edges of over 50,000 km", remedy)
                    return None
                added += len(straight) - len(ring)
                rings.append(self._converter.convert(straight))
                is_good &= check_range(rings[-1], number, path, self._notes)
            parts.append(tuple(rings))
        if added:
            words = "Positions were put on edges over 1 km, which are not straight in lon/lat."
            self._notes.tally(number, words)
        if is_good:
            positions = np.concatenate([ring for part in parts for ring in part])
            self._check_area(positions, number, feature.pointer)
        return tuple(parts) if is_good else None

    def _note_winding(self, parts: Parts, number: int) -> None:
        wrong = (
            bool(shapely.is_ccw(shapely.LinearRing(ring))) == (index > 0)
            for part in parts
            for index, ring in enumerate(part)
        )
        if any(wrong):
            self._notes.tally(number, _WOUND)

    def _cut(self, parts: Parts, feature: Feature, number: int) -> Parts | None:
        try:
            pieces = cut(parts)
        except UnsplittableError:
            remedy = (
                "The zone goes over the 180 degree meridian or round a pole and cannot be cut there: its"
                " outline crosses itself, or goes round so much of the Earth that either side could be meant."
                " Draw it as parts that end at 180 and -180."
            )
            self._notes.error(number, feature.pointer, "over the 180 degree meridian", remedy)
            return None
        remedy = (
            "The zone goes over the 180 degree meridian or round a pole and was cut there; edges over 180"
            " degrees long were taken the short way. Check it on the map."
        )
        self._notes.warning(number, feature.pointer, f"{len(pieces)} parts", remedy)
        return pieces

    def _shaped(self, parts: Parts, feature: Feature, number: int) -> Candidate:
        shape = Shape.from_parts([[ring.tolist() for ring in part] for part in parts])
        if any(len(ring) < 4 for part in shape.parts for ring in part):
            remedy = "A ring shrinks to a line or a point on the 1e-7 degree (1 cm) grid: draw it larger."
            self._notes.error(number, feature.pointer, "collapsed ring", remedy)
            return _candidate(feature, number, None, vertices=feature.vertices)
        outline = outline_of(shape)
        offer = None
        if not outline.is_valid:
            offer = self._offer(shape, outline, feature, number)
        geometry = offer.geometry if offer is not None and offer.is_accepted else polygons_of(shape)
        is_usable = not self._has_failed(number) and self._passes(geometry, feature, number)
        area = area_m2(shape) if offer is None else offer.repaired_area_m2
        return dataclasses.replace(
            _candidate(feature, number, geometry, vertices=count_positions(shape), is_usable=is_usable),
            area_m2=round(area, 1),
            repair=offer,
        )

    def _passes(self, geometry: dict[str, Any], feature: Feature, number: int) -> bool:
        """Whether the registry's own check takes it: what is usable here must be usable in an order."""
        findings = FindingList(None, feature.pointer)
        passed = read_polygons(geometry, (), findings) is not None
        for finding in findings.findings:
            self._notes.error(number, feature.pointer, finding.value, finding.remedy)
        return passed

    # ------------------------------------------------------------ repairs

    def _offer(
        self, shape: Shape, outline: shapely.Geometry, feature: Feature, number: int
    ) -> RepairOffer | None:
        flaws, is_repairable = find_flaws(shape, outline)
        offer = None
        if is_repairable:
            offer = make_offer(shape, outline, is_accepted=number in self._accepted)
        for flaw in flaws:
            remedy = f"{said(flaw)} {choice(offer, number)}"
            if offer is not None and offer.is_accepted:
                self._notes.warning(number, feature.pointer, place(flaw), remedy)
            else:
                self._notes.error(number, feature.pointer, place(flaw), remedy, flaw.lon_lat)
        return offer


def _ring_paths(feature: Feature) -> list[list[Path]]:
    return [
        [feature.ring_path(part_index, ring_index) for ring_index in range(len(part))]
        for part_index, part in enumerate(feature.parts)
    ]


def _candidate(
    feature: Feature,
    number: int,
    geometry: dict[str, Any] | None,
    *,
    vertices: int = 0,
    is_usable: bool = False,
) -> Candidate:
    return Candidate(
        number=number,
        pointer=json_pointer(*feature.pointer),
        name=feature.name,
        geometry=geometry,
        distance=feature.distance,
        vertices=vertices,
        area_m2=None,
        is_usable=is_usable,
    )
