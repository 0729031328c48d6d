"""Vehicles whose description contradicts itself, and links that nobody has checked for long."""

from datetime import datetime, timedelta

from stayaway.orders.findings import Path
from stayaway.orders.model import Vehicle
from stayaway.orders.standing import Standing
from stayaway.orders.vehicle_codes import build_of, is_unknown_code, plate_class
from stayaway.orders.vin import vin_remedy

VERIFY_AFTER = timedelta(days=366)
"""NCIC has entries validated yearly after the first time; a year and a day's grace."""

_PLATES_OF = {"MOTORCYCLE": "a motorcycle", "FOUR_WHEELS": "a car or truck", "TRAILER": "a trailer"}
_BUILDS = {"MOTORCYCLE": "motorcycles", "FOUR_WHEELS": "cars and trucks"}


def advise_vehicles(order: Standing, known_at: datetime) -> None:
    """Note contradictions of plate type and make, impossible VINs, and old verifications."""
    for path, _, vehicle in order.vehicles():
        _advise_plate_type(order, path, vehicle)
        if vehicle.vin is not None:
            remedy = vin_remedy(vehicle.vin)
            if remedy is not None:
                order.warn((*path, "vin"), vehicle.vin, remedy)
        if vehicle.last_verified_at is not None and known_at - vehicle.last_verified_at > VERIFY_AFTER:
            order.warn(
                (*path, "last_verified_at"),
                order.raw_at(*path, "last_verified_at"),
                "The link between respondent and vehicle was verified over a year before the latest record of"
                " this file: check with the registration authority whether the car was sold.",
            )


def _advise_plate_type(order: Standing, path: Path, vehicle: Vehicle) -> None:
    if vehicle.plate_type is None:
        return
    if is_unknown_code(vehicle.plate_type):
        order.warn(
            (*path, "plate_type"),
            vehicle.plate_type,
            "NCIC has no plate type (LIT) of this code: check it, or write the words.",
        )
    kind = plate_class(vehicle.plate_type)
    build = None if vehicle.make is None else build_of(vehicle.make)
    if kind != "ANY" and build is not None and kind != build:
        order.warn(
            (*path, "plate_type"),
            vehicle.plate_type,
            f"The plate is {_PLATES_OF[kind]}'s, but {vehicle.make} builds {_BUILDS[build]}: one of them is"
            " wrong, or the plate belongs to another vehicle. A stop on the wrong vehicle endangers people.",
        )
