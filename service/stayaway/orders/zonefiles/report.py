"""The report as JSON, and its usable candidates as GeoJSON."""

from typing import Any

from stayaway.orders.zonefiles.model import Candidate, RepairOffer, ZoneFileReport

SCHEMA = "zone_file_report.v1"


def report_json(report: ZoneFileReport) -> dict[str, Any]:
    """The report as `zone_file_report.v1`; it holds names of places, so it is for the clerk's eyes only."""
    return {
        "schema": SCHEMA,
        "format": report.format,
        "file_sha256": report.file_sha256,
        "crs": {
            "name": report.crs.name,
            "code": report.crs.code,
            "is_declared": report.crs.is_declared,
            "operation": report.crs.operation,
            "accuracy_m": report.crs.accuracy_m,
        },
        "usable": len(report.usable),
        "has_errors": report.has_errors,
        "candidates": [_candidate_json(candidate) for candidate in report.candidates],
        "findings": [
            {
                "severity": finding.severity,
                "candidate": finding.candidate,
                "pointer": finding.pointer,
                "value": finding.value,
                "remedy": finding.remedy,
                "lon_lat": None if finding.lon_lat is None else list(finding.lon_lat),
            }
            for finding in report.findings
        ],
    }


def feature_collection(report: ZoneFileReport) -> dict[str, Any]:
    """The usable candidates as RFC 7946, each geometry ready for a zone of an orders file."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": candidate.number,
                "properties": {"name": candidate.name, **_distance_json(candidate)},
                "geometry": candidate.geometry,
            }
            for candidate in report.usable
        ],
    }


def _candidate_json(candidate: Candidate) -> dict[str, Any]:
    return {
        "number": candidate.number,
        "pointer": candidate.pointer,
        "name": candidate.name,
        "is_usable": candidate.is_usable,
        "geometry": candidate.geometry,
        **_distance_json(candidate),
        "vertices": candidate.vertices,
        "area_m2": candidate.area_m2,
        "repair": None if candidate.repair is None else _repair_json(candidate.repair),
    }


def _distance_json(candidate: Candidate) -> dict[str, Any]:
    distance = candidate.distance
    if distance is None:
        return {}
    return {"distance_value": distance.value, "distance_unit": distance.unit}


def _repair_json(repair: RepairOffer) -> dict[str, Any]:
    return {
        "geometry": repair.geometry,
        "vertices": repair.vertices,
        "drawn_area_m2": repair.drawn_area_m2,
        "repaired_area_m2": repair.repaired_area_m2,
        "change_m2": repair.change_m2,
        "change_percent": repair.change_percent,
        "is_accepted": repair.is_accepted,
    }
