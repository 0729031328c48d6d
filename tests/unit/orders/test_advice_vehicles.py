"""Vehicles whose description contradicts itself."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.orders.vehicle_codes import PLATE_TYPES, build_of, plate_class
from stayaway.orders.vin import check_digit, vin_remedy
from support.advised import only, order, orders_file, pointers, respondent, vehicle

CAR = "/orders/0/respondents/0/vehicles/0"


def with_vehicle(**changes: Any) -> dict[str, Any]:
    return orders_file(order(1, respondents=[respondent(1, vehicles=[vehicle(**changes)])]))


@pytest.mark.parametrize(
    ("plate_type", "make"),
    [
        ("MC", "Toyota"),
        ("Motorcycle", "TOYT"),
        ("MP", "Mercedes Benz"),
        ("PC", "Harley-Davidson"),
        ("TK", "HD"),
        ("truck", "yamaha"),
        ("TL", "Ford"),
    ],
)
def test_a_plate_type_that_contradicts_the_make_is_noted(plate_type: str, make: str) -> None:
    pointer, remedy = only(with_vehicle(plate_type=plate_type, make=make))
    assert pointer == f"{CAR}/plate_type"
    assert make in remedy


@pytest.mark.parametrize(
    ("plate_type", "make"),
    [
        ("MC", "Honda"),
        ("MC", "BMW"),
        ("MC", "Harley-Davidson"),
        ("PC", "Toyota"),
        ("DV", "Harley-Davidson"),
        ("PE", "Ford"),
        ("AT", "Yamaha"),
        ("Livery of the county", "Kawasaki"),
        ("PC", "Somebody's Kit Cars"),
    ],
)
def test_what_fits_or_cannot_be_known_is_not_noted(plate_type: str, make: str) -> None:
    assert pointers(with_vehicle(plate_type=plate_type, make=make)) == []


def test_a_code_that_ncic_does_not_have_is_noted_words_are_not() -> None:
    pointer, remedy = only(with_vehicle(plate_type="QQ"))
    assert (pointer, "LIT" in remedy) == (f"{CAR}/plate_type", True)
    assert pointers(with_vehicle(plate_type="ok")) == []
    assert all(pointers(with_vehicle(plate_type=code)) == [] for code in sorted(PLATE_TYPES))


def test_makers_are_known_by_code_and_name_one_kind_each() -> None:
    assert build_of("chev") == build_of("Chevrolet") == "FOUR_WHEELS"
    assert build_of("KTM") == build_of("moto guzzi") == "MOTORCYCLE"
    assert build_of("Honda") is None
    assert plate_class("DL") == "ANY"


def test_an_old_verification_is_noted_by_the_files_own_latest_record() -> None:
    assert pointers(with_vehicle(last_verified_at="2024-12-01T00:00:00Z")) == [f"{CAR}/last_verified_at"]
    assert pointers(with_vehicle(last_verified_at="2025-02-01T00:00:00Z")) == []


# ---------------------------------------------------------------- VIN


@pytest.mark.parametrize(
    "vin",
    [
        "1M8GDM9AXKP042788",
        "11111111111111111",
        "5GZCZ43D13S812715",
        "1m8gdm9axkp042788",
        "1M8 GDM9AXKP-042788",
    ],
)
def test_published_examples_pass(vin: str) -> None:
    """The regulation's worked example and others in common use."""
    assert vin_remedy(vin) is None
    assert pointers(with_vehicle(vin=vin)) == []


@pytest.mark.parametrize(
    ("vin", "words"),
    [
        ("1M8GDM9A1KP042788", "is 1 and should be X"),
        ("5GZCZ43D13S812716", "should be"),
        ("1M8GDM9AXKP04278", "this has 16: right only for an older"),
        ("1M8GDM9AXKP0427889", "A VIN has 17 characters; this has 18"),
        ("123", "this has 3: copy it"),
        ("1M8GDM9AXKP04278O", "A VIN has no O"),
    ],
)
def test_a_wrong_vin_is_noted_with_the_reason(vin: str, words: str) -> None:
    pointer, remedy = only(with_vehicle(vin=vin))
    assert pointer == f"{CAR}/vin"
    assert words in remedy


LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
ORACLE = dict(zip("0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ", [i % 10 for i in range(40)], strict=False))


@settings(deadline=None)
@given(st.text(LETTERS, min_size=17, max_size=17))
def test_the_check_digit_against_the_usual_one_line_form(text: str) -> None:
    """The widely used "position in a string of tens" computation, independent of the tables."""
    values = [ORACLE[c] for c in text]
    total = sum(v * int("0123456789X".index(w)) for v, w in zip(values, "8765432X098765432", strict=True))
    assert check_digit(text) == "0123456789X"[total % 11]


@settings(deadline=None)
@given(st.text(LETTERS, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(LETTERS))
def test_most_single_slips_are_found(text: str, place: int, other: str) -> None:
    """A character changed into one of another value changes the check digit, but for weight 0."""
    good = text[:8] + check_digit(text) + text[9:]
    assert vin_remedy(good) is None
    if place != 8 and ORACLE[other] != ORACLE[good[place]]:
        assert vin_remedy(good[:place] + other + good[place + 1 :]) is not None
