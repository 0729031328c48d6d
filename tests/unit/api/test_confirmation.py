"""What a person must state before a lead may be called verified."""

import pytest

from stayaway.alerts.review_model import Confirmation, Dismissal, check_confirmation, check_dismissal


def _fields(
    confirmation: Confirmation, *, plate: bool = True, second: bool = False, image: bool = True
) -> list[str]:
    problems = check_confirmation(confirmation, has_plate=plate, needs_second_look=second, has_image=image)
    return [field for field, _ in problems]


def test_a_plate_needs_the_image_or_an_officer_s_sight() -> None:
    assert _fields(Confirmation()) == ["sight"]
    assert _fields(Confirmation(sight="IMAGE")) == []
    assert _fields(Confirmation(sight="OFFICER_SIGHT"), image=False) == []


def test_an_image_that_is_not_there_cannot_have_been_looked_at() -> None:
    assert _fields(Confirmation(sight="IMAGE"), image=False) == ["sight"]


def test_an_approximate_kind_needs_a_second_look() -> None:
    assert _fields(Confirmation(sight="IMAGE"), second=True) == ["second_look"]
    assert _fields(Confirmation(sight="IMAGE", second_look=True), second=True) == []
    assert _fields(Confirmation(), second=True) == ["sight", "second_look"]


def test_a_device_has_no_plate_to_look_at() -> None:
    assert _fields(Confirmation(), plate=False, image=False) == []


@pytest.mark.parametrize("code", ["", "VERIFIED_LEAD", "misread", "OTHER"])
def test_reasons_outside_the_closed_list_are_refused(code: str) -> None:
    assert check_dismissal(Dismissal(reason_code=code))
    assert not check_dismissal(Dismissal(reason_code="MISREAD"))
