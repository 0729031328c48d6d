"""The repair offered for an invalid outline, and how it is said."""

from typing import Any

import shapely

from stayaway.kernel.shape import Shape
from stayaway.orders.area import area_m2
from stayaway.orders.zonefiles.model import RepairOffer
from stayaway.orders.zonefiles.validity import Edge, Flaw, repaired


def make_offer(shape: Shape, outline: shapely.Geometry, *, is_accepted: bool) -> RepairOffer | None:
    """A valid shape in place of this invalid one; None where nothing is left of it."""
    mended = repaired(outline)
    if mended is None:
        return None
    before, after = area_m2(shape), area_m2(mended)
    return RepairOffer(
        geometry=polygons_of(mended),
        vertices=count_positions(mended),
        drawn_area_m2=round(before, 1),
        repaired_area_m2=round(after, 1),
        change_m2=round(after - before, 1),
        change_percent=round(100 * (after - before) / before, 3) if before > 0 else None,
        is_accepted=is_accepted,
    )


def said(flaw: Flaw) -> str:
    """What is wrong, as a sentence."""
    if flaw.edges is None:
        return f"The zone is invalid: {flaw.words}."
    one, other = (_edge_text(edge) for edge in flaw.edges)
    return f"The zone is invalid: {flaw.words}; edge {one} meets edge {other}."


def _edge_text(edge: Edge) -> str:
    (lon1, lat1), (lon2, lat2) = edge
    return f"({lon1:.7f} {lat1:.7f} to {lon2:.7f} {lat2:.7f})"


def place(flaw: Flaw) -> str:
    """Where it is wrong, as short as a value."""
    return "invalid" if flaw.lon_lat is None else f"at {flaw.lon_lat[0]:.7f} {flaw.lon_lat[1]:.7f}"


def choice(offer: RepairOffer | None, number: int) -> str:
    """What can be done about it, with what the repair changes."""
    if offer is None:
        return "It cannot be repaired: draw it again."
    percent = "" if offer.change_percent is None else f" ({offer.change_percent:+.3g} %)"
    change = f"{offer.change_m2:+,.1f} m2{percent}, to {offer.repaired_area_m2:,.1f} m2"
    if offer.is_accepted:
        return f"The repair was accepted: it changes the area by {change}."
    return f"Draw it again, or accept the repair of candidate {number}: it changes the area by {change}."


def polygons_of(shape: Shape) -> dict[str, Any]:
    """The shape as an RFC 7946 Polygon or MultiPolygon."""
    coordinates = shape.to_coordinates()
    if len(coordinates) == 1:
        return {"type": "Polygon", "coordinates": coordinates[0]}
    return {"type": "MultiPolygon", "coordinates": coordinates}


def count_positions(shape: Shape) -> int:
    """Positions of all rings, the one that closes a ring counted again."""
    return sum(len(ring) for part in shape.parts for ring in part)
