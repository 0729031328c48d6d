"""A dead letter says where and why, and repeats nothing of the input."""

import json

from stayaway.sightings.dead_letters import DeadLetter
from stayaway.sightings.model import Refusal


def test_the_form_on_the_topic() -> None:
    letter = DeadLetter.of("t", 3, 7, Refusal("OUT_OF_RANGE", "/lat"))
    assert letter.origin == "t/3/7"
    assert json.loads(letter.to_value()) == {
        "schema": "dead_letter.v1",
        "topic": "t",
        "partition": 3,
        "record_offset": 7,
        "reason": "OUT_OF_RANGE",
        "field": "/lat",
    }


def test_names_of_the_input_are_not_repeated() -> None:
    assert DeadLetter.of("t", 0, 0, Refusal("UNKNOWN_FIELD", "/8AK471")).field is None
    assert DeadLetter.of("t", 0, 0, Refusal("OUT_OF_RANGE", "/extensions")).field == "/extensions"
