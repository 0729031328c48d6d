"""Published codes of plates and makers, as far as they tell a motorcycle from a car.

Sources: NCIC License Plate Type (LIT) and Vehicle Make (VMA) field codes as NIEM 5.2 prints them
(code lists 1.2, 2.1 and 2.6 of `fbi_ncic`). A plate's type is free text on the wire; a clerk may write
the code or the words.
"""

from typing import Literal

PlateClass = Literal["MOTORCYCLE", "FOUR_WHEELS", "TRAILER", "ANY"]
Build = Literal["MOTORCYCLE", "FOUR_WHEELS"]

_LIT = (
    "AM AP AQ AR AT BU CC CI CL CM CN CO CU DA DB DD DL DP DU DV DX EX FD FG FM HI IP IT JJ LE LF LS MC MD MF"
    " ML MP MR MV MY NG NP OB OR PC PE PF PH PP PR PS PX RE RV SC SN ST SV TK TL TM TP TR TX US VF ZZ"
)
PLATE_TYPES = frozenset(_LIT.split())
"""Every LIT code. Most say whose plate it is, not on what: those fit any vehicle."""

_CLASSES: dict[str, PlateClass] = {
    **dict.fromkeys(("MC", "MD", "MP", "MOTORCYCLE", "MOTOR CYCLE", "MOPED"), "MOTORCYCLE"),
    **dict.fromkeys(
        ("PC", "TK", "TR", "BU", "TX", "PASSENGER", "PASSENGER CAR", "CAR", "AUTO", "TRUCK", "BUS", "TAXI"),
        "FOUR_WHEELS",
    ),
    **dict.fromkeys(("TL", "TRAILER"), "TRAILER"),
}

_MOTORCYCLE_MAKERS = {
    "APRI": "APRILIA",
    "BUEL": "BUELL",
    "DUCA": "DUCATI",
    "HD": "HARLEY-DAVIDSON",
    "INDI": "INDIAN",
    "KAWK": "KAWASAKI",
    "KTM": "KTM",
    "MOGU": "MOTO GUZZI",
    "ROEN": "ROYAL ENFIELD",
    "VESP": "VESPA",
    "YAMA": "YAMAHA",
}
_CAR_MAKERS = {
    "ACUR": "ACURA",
    "AUDI": "AUDI",
    "BUIC": "BUICK",
    "CADI": "CADILLAC",
    "CHEV": "CHEVROLET",
    "CHRY": "CHRYSLER",
    "DODG": "DODGE",
    "FORD": "FORD",
    "GMC": "GMC",
    "HYUN": "HYUNDAI",
    "INFI": "INFINITI",
    "JEEP": "JEEP",
    "KIA": "KIA",
    "LEXS": "LEXUS",
    "LINC": "LINCOLN",
    "LNDR": "LAND ROVER",
    "MAZD": "MAZDA",
    "MERZ": "MERCEDES-BENZ",
    "MITS": "MITSUBISHI",
    "MNNI": "MINI",
    "NISS": "NISSAN",
    "PONT": "PONTIAC",
    "PORS": "PORSCHE",
    "RAM": "RAM",
    "SUBA": "SUBARU",
    "TESL": "TESLA",
    "TOYT": "TOYOTA",
    "VOLK": "VOLKSWAGEN",
    "VOLV": "VOLVO",
}


def _builds(makers: dict[str, str], build: Build) -> dict[str, Build]:
    names = {*makers, *makers.values(), *(name.replace("-", " ") for name in makers.values())}
    return dict.fromkeys(sorted(names), build)


_BUILDS = {**_builds(_MOTORCYCLE_MAKERS, "MOTORCYCLE"), **_builds(_CAR_MAKERS, "FOUR_WHEELS")}
"""Makers of one kind of road vehicle only, by VMA code and by name. Honda, BMW, Suzuki, Triumph and
others build both, and are left out."""


def plate_class(plate_type: str) -> PlateClass:
    """What a plate of this type goes on, as far as its code or word tells."""
    return _CLASSES.get(plate_type.strip().upper(), "ANY")


def is_unknown_code(plate_type: str) -> bool:
    """Whether the text has the form of an NCIC plate type code, two capitals, and is none."""
    return (
        len(plate_type) == 2
        and plate_type.isascii()
        and plate_type.isupper()
        and plate_type not in PLATE_TYPES
    )


def build_of(make: str) -> Build | None:
    """What the maker builds, where that is one kind of road vehicle only."""
    return _BUILDS.get(make.strip().upper())
