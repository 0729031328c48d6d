"""One feature of a file into one candidate zone: converted, cut, checked, and a repair offered."""

import dataclasses
from typing import Any

import numpy as np
import shapely

from stayaway.kernel.jsontext import json_pointer
from stayaway.kernel.shape import Shape
from stayaway.orders.area import area_m2
from stayaway.orders.findings import FindingList, Path
from stayaway.orders.geometry import read_polygons
from stayaway.orders.zonefiles.crs import Converter, EdgeTooLongError
from stayaway.orders.zonefiles.limits import MAX_ZONE_VERTICES
from stayaway.orders.zonefiles.meridian import Parts, UnsplittableError, cut, needs_cut
from stayaway.orders.zonefiles.model import Candidate, Distance, Feature, RepairOffer
from stayaway.orders.zonefiles.notes import Notes
from stayaway.orders.zonefiles.rings import check_range, check_rings
from stayaway.orders.zonefiles.validity import Edge, Flaw, find_flaws, outline_of, repaired

_FLAT = "Heights (and what follows them) were dropped: a zone has no height."
_WOUND = "Rings were wound the RFC 7946 way: outer ones counter-clockwise, holes clockwise."
_WIDENS = "A distance beside a polygon widens nothing: the polygon is the zone."
_NEEDS_DISTANCE = (
    "A point needs the distance that the order names: give distance_value and distance_unit in the file,"
    " or one distance for all its points."
)
_LINE = (
    "A line is no zone, and is not widened here: draw the distance around it (`stayaway zones around`), or"
    " draw the polygon."
)


class Judge:
    """Judges the features of one file."""

    def __init__(
        self, converter: Converter, notes: Notes, *, accepted: frozenset[int], distance: Distance | None
    ) -> None:
        self._converter = converter
        self._notes = notes
        self._accepted = accepted
        self._distance = distance

    def candidate(self, feature: Feature, number: int) -> Candidate:
        """The candidate; its findings are noted."""
        if feature.flat:
            self._notes.tally(number, _FLAT)
        if feature.kind == "POINT":
            return self._point(feature, number)
        if feature.kind == "POLYGON":
            return self._polygon(feature, number)
        if feature.kind == "LINE":
            self._notes.error(number, feature.pointer, "a line", _LINE)
        return _candidate(feature, number, None)

    def _has_failed(self, number: int) -> bool:
        # What is wrong with the file as a whole leaves none of its candidates in order.
        return self._notes.has_failed(number) or self._notes.has_failed(None)

    # ------------------------------------------------------------ points

    def _point(self, feature: Feature, number: int) -> Candidate:
        distance = feature.distance or self._distance
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

    # ------------------------------------------------------------ polygons

    def _polygon(self, feature: Feature, number: int) -> Candidate:
        refused = _candidate(feature, number, None, vertices=feature.vertices)
        if not check_rings(feature, number, self._notes):
            return refused
        if feature.distance is not None:
            self._notes.tally(number, _WIDENS)
        parts = self._converted(feature, number)
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

    def _converted(self, feature: Feature, number: int) -> Parts | None:
        """In lon/lat, where all of it is on the Earth."""
        parts: list[tuple[Any, ...]] = []
        is_good = True
        added = 0
        for part_index, part in enumerate(feature.parts):
            rings = []
            for ring_index, ring in enumerate(part):
                path = feature.ring_path(part_index, ring_index)
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
            self._check_area(np.concatenate([part[0] for part in parts]), number, feature.pointer)
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
        geometry = offer.geometry if offer is not None and offer.is_accepted else _geometry(shape)
        is_usable = not self._has_failed(number) and self._passes(geometry, feature, number)
        area = area_m2(shape) if offer is None else offer.repaired_area_m2
        return dataclasses.replace(
            _candidate(feature, number, geometry, vertices=_count(shape), is_usable=is_usable),
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
            offer = _make_offer(shape, outline, is_accepted=number in self._accepted)
        for flaw in flaws:
            remedy = f"{_said(flaw)} {_choice(offer, number)}"
            if offer is not None and offer.is_accepted:
                self._notes.warning(number, feature.pointer, _place(flaw), remedy)
            else:
                self._notes.error(number, feature.pointer, _place(flaw), remedy, flaw.lon_lat)
        return offer


def _make_offer(shape: Shape, outline: shapely.Geometry, *, is_accepted: bool) -> RepairOffer | None:
    mended = repaired(outline)
    if mended is None:
        return None
    before, after = area_m2(shape), area_m2(mended)
    return RepairOffer(
        geometry=_geometry(mended),
        vertices=_count(mended),
        drawn_area_m2=round(before, 1),
        repaired_area_m2=round(after, 1),
        change_m2=round(after - before, 1),
        change_percent=round(100 * (after - before) / before, 3) if before > 0 else None,
        is_accepted=is_accepted,
    )


def _said(flaw: Flaw) -> str:
    if flaw.edges is None:
        return f"The zone is invalid: {flaw.words}."
    one, other = (_edge_text(edge) for edge in flaw.edges)
    return f"The zone is invalid: {flaw.words}; edge {one} meets edge {other}."


def _edge_text(edge: Edge) -> str:
    (lon1, lat1), (lon2, lat2) = edge
    return f"({lon1:.7f} {lat1:.7f} to {lon2:.7f} {lat2:.7f})"


def _place(flaw: Flaw) -> str:
    return "invalid" if flaw.lon_lat is None else f"at {flaw.lon_lat[0]:.7f} {flaw.lon_lat[1]:.7f}"


def _choice(offer: RepairOffer | None, number: int) -> str:
    if offer is None:
        return "It cannot be repaired: draw it again."
    percent = "" if offer.change_percent is None else f" ({offer.change_percent:+.3g} %)"
    change = f"{offer.change_m2:+,.1f} m2{percent}, to {offer.repaired_area_m2:,.1f} m2"
    if offer.is_accepted:
        return f"The repair was accepted: it changes the area by {change}."
    return f"Draw it again, or accept the repair of candidate {number}: it changes the area by {change}."


def _geometry(shape: Shape) -> dict[str, Any]:
    coordinates = shape.to_coordinates()
    if len(coordinates) == 1:
        return {"type": "Polygon", "coordinates": coordinates[0]}
    return {"type": "MultiPolygon", "coordinates": coordinates}


def _count(shape: Shape) -> int:
    return sum(len(ring) for part in shape.parts for ring in part)


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
