"""An alert's words: DOMAIN.md's, whole, and never a word that says guilty."""

import re
from importlib.resources import files

import pytest
from markupsafe import Markup

from stayaway.alerts import words
from stayaway.alerts.words import (
    DISMISSALS,
    MATCH_KINDS,
    RELATIONS,
    STANDINGS,
    STATES,
    age_words,
    lead_words,
    standing_of,
)
from stayaway.console.present import make_environment
from stayaway.kernel.plates import compare_plates, difference_words

_GUILTY = re.compile(
    r"\b(violat\w*|suspect\w*|offend\w*|wanted|perpetrator\w*|criminal(?!_))\b", re.IGNORECASE
)
_LEGAL_NAMES = ("Criminal no-contact order",)


def test_the_words_of_a_plate_alert_are_those_of_the_domain() -> None:
    """Age, association, doubt about the driver, who may be inside, no ground for a stop, what to do."""
    lead = lead_words(
        age_s=725,
        has_plate=True,
        has_device=False,
        agency_ori="AZ0070000",
        telephone="+1 555 0100",
        address_withheld=False,
    )
    assert lead.text == (
        "UNVERIFIED LEAD, read 12 min ago. Vehicle associated with a respondent; driver unknown; a protected "
        "person or child may be inside. Alone no ground for a stop. Check plate, region and vehicle against "
        "the image; confirm the order with AZ0070000, +1 555 0100."
    )


def test_a_withheld_address_is_not_voiced() -> None:
    lead = lead_words(
        age_s=0, has_plate=True, has_device=False, agency_ori="A", telephone="1", address_withheld=True
    )
    assert lead.text.endswith("The respondent was not told this address: do not voice it.")


def test_a_device_has_no_plate_to_check() -> None:
    lead = lead_words(
        age_s=60, has_plate=False, has_device=True, agency_ori="A", telephone="1", address_withheld=False
    )
    assert "Device assigned to a respondent; driver unknown" in lead.text
    assert "image" not in lead.text
    assert "Alone no ground for a stop." in lead.text


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-5, "less than 1 min ago"),
        (59.9, "less than 1 min ago"),
        (60, "1 min ago"),
        (7_259, "120 min ago"),
        (7_260, "2 h ago"),
        (49 * 3600, "2 days ago"),
    ],
)
def test_ages_are_said_in_minutes_as_long_as_minutes_matter(seconds: float, expected: str) -> None:
    assert age_words(seconds) == expected


def test_an_ended_order_is_never_live_nor_merely_historical() -> None:
    assert standing_of(()) == "LIVE"
    assert standing_of(("EXCEPTION_POSSIBLE",)) == "LIVE"
    assert standing_of(("HISTORICAL",)) == "HISTORICAL"
    assert standing_of(("HISTORICAL", "ORDER_SINCE_ENDED")) == "ORDER_SINCE_ENDED"


def test_differing_characters_are_named_by_place() -> None:
    assert difference_words(compare_plates("8AK871", "8AKB71")) == ("position 4: camera 8, order B",)
    assert difference_words(compare_plates("AB", "AB")) == ()
    assert difference_words(compare_plates("AB", "ABC")) == ("position 3: camera nothing, order C",)


@pytest.mark.parametrize("labels", [STANDINGS, STATES, RELATIONS])
def test_every_state_has_a_shape_of_its_own(labels: dict[str, words.Label]) -> None:
    symbols = [label.symbol for label in labels.values()]
    assert len(set(symbols)) == len(symbols)


def test_exact_and_approximate_are_told_apart_by_sign() -> None:
    assert {kind: label.symbol for kind, label in MATCH_KINDS.items()} == {
        "DEVICE": "✓",
        "EXACT": "✓",
        "REGION_UNKNOWN": "≈",
        "OCR_EQUIVALENT": "≈",
        "ONE_DIFFERENT": "≈",
        "REGION_DIFFERS": "≠",
    }


def test_the_reasons_to_dismiss_are_the_domain_s_closed_list() -> None:
    assert list(DISMISSALS) == [
        "MISREAD",
        "WRONG_REGION",
        "WRONG_VEHICLE",
        "NOT_RESPONDENT",
        "EXCEPTION_APPLIES",
        "ORDER_NOT_NOTICED",
        "ORDER_STALE",
        "POSITION_ERROR",
        "DUPLICATE",
        "INCONCLUSIVE",
    ]


def test_no_page_script_or_word_says_guilty() -> None:
    """Never violation, suspect, offender, wanted; an order's legal kind keeps its name."""
    sources = [str(vars(words))]
    for folder, endings in (("templates", (".html",)), ("static", (".js", ".css", ".svg"))):
        entries = (files("stayaway.console") / folder).iterdir()
        sources += [entry.read_text() for entry in entries if entry.name.endswith(endings)]
    for source in sources:
        text = source
        for name in _LEGAL_NAMES:
            text = text.replace(name, "")
        found = [match.group() for match in _GUILTY.finditer(text)]
        assert found == []


def test_no_text_from_outside_turns_a_line_of_the_page() -> None:
    template = make_environment().from_string("{{ text }} {{ ready }}")
    shown = template.render(text="BAK\u202e174 <b>", ready=Markup("<i>ours</i>"))
    assert shown == "BAK\\u202e174 &lt;b&gt; <i>ours</i>"
