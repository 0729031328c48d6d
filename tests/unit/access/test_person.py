"""Which names are names, and which are one person's."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayaway.access.person import Person, is_same_person
from stayaway.kernel.errors import RefusedError

UNSEEN = st.characters(categories=["Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"])
SEEN = st.characters(exclude_categories=["Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"])


@pytest.mark.parametrize(
    "other", ["ann lee", "Ann  Lee ", "ANN LEE", "Ann\tLee", "\uff21nn Lee", "Ann\u00a0Lee"]
)
def test_white_space_case_and_width_make_no_second_person(other: str) -> None:
    assert is_same_person("Ann Lee", other)
    assert not is_same_person("Ann Lee", "Ann Li")
    assert Person.of(" Ann  Lee", "web").name == "Ann Lee"


@pytest.mark.parametrize("name", ["ann", "ann lee", "cleo.b", "o'hara-7"])
def test_a_plain_name_is_its_own_key(name: str) -> None:
    """So that the references in a database that is there already go on to stand for it."""
    assert Person.of(name, "cli").key == name


@pytest.mark.parametrize("hidden", ["\u200b", "\u00ad", "\u202e", "\ufe0f", "\u034f", "\u3164", "\ue000"])
def test_a_name_that_was_recorded_with_something_hidden_is_the_same_persons(hidden: str) -> None:
    assert is_same_person("al", f"a{hidden}l{hidden}")


@pytest.mark.parametrize("name", ["", "  ", "\t\n", "a\x00b", "x" * 65])
def test_nobody_acts_without_a_name(name: str) -> None:
    with pytest.raises(RefusedError, match="Say who acts"):
        Person.of(name, "web")


@pytest.mark.parametrize(
    "hidden", ["\ufffd", "\u034f", "\u115f", "\u2800", "\u3164", "\ufe0f", "\uffa0", "\U000e0100"]
)
def test_letters_and_marks_that_show_nothing_are_refused(hidden: str) -> None:
    with pytest.raises(RefusedError, match="not seen"):
        Person.of(f"al{hidden}", "cli")


@given(character=UNSEEN)
def test_no_name_has_what_unicode_calls_unseen(character: str) -> None:
    with pytest.raises(RefusedError, match="not seen"):
        Person.of(f"al{character}", "cli")


@given(name=st.text(SEEN, min_size=1, max_size=20))
def test_a_name_is_the_same_persons_in_every_form_of_it(name: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert is_same_person(name, unicodedata.normalize(form, name))
    assert is_same_person(name, f"  {name} ")
